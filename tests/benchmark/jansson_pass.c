// jansson_pass FILE: jansson reads the whole file into its tree, and that is all. Of JSON lines it
// makes a tree of each.
#include <jansson.h>
#include <stdio.h>

static int more(FILE *file)
{
    int c = getc(file);
    while (c == ' ' || c == '\n' || c == '\r' || c == '\t')
        c = getc(file);
    return c != EOF && ungetc(c, file) != EOF;
}

int main(int argc, char **argv)
{
    json_error_t error;
    size_t entries = 0;
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!file)
        return 2;
    while (more(file)) {
        json_t *root = json_loadf(file, JSON_DISABLE_EOF_CHECK, &error);
        if (!root)
            return 2;
        entries += json_is_array(root) ? json_array_size(root) : json_object_size(root);
        json_decref(root);
    }
    (void)fclose(file);
    printf("%zu entries\n", entries);
    return 0;
}
