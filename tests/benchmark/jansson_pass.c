// jansson_pass FILE: jansson reads the whole file into its tree, and that is all.
#include <jansson.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    json_error_t error;
    json_t *root = argc == 2 ? json_load_file(argv[1], 0, &error) : NULL;
    if (!root)
        return 2;
    printf("%zu entries\n", json_object_size(root));
    json_decref(root);
    return 0;
}
