// Runs a fuzz target over the files of a corpus without libFuzzer: each file, and the file cut off
// at up to 64 places, since truncated input is what a gate sees most.
#include "fuzz.h"

#include <dirent.h>
#include <string.h>

enum { CUTS = 64 };

// A copy of exact size: the sanitizer then sees one byte read too many.
static void run(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = calloc(size ? size : 1, 1);
    if (!copy)
        abort();
    memcpy(copy, bytes, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        return;
    long end = ftell(file);
    size_t size = end > 0 ? (size_t)end : 0;
    uint8_t *bytes = malloc(size ? size : 1);
    if (!bytes)
        abort();
    rewind(file);
    size = fread(bytes, 1, size, file);
    (void)fclose(file);
    (void)fprintf(stderr, "%s: %zu bytes\n", path, size);
    run(bytes, size);
    for (size_t i = 0; i < CUTS && i < size; i++)
        run(bytes, size * i / (size < CUTS ? size : CUTS));
    free(bytes);
}

int main(int argc, char **argv)
{
    size_t files = 0;
    run((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        if (!folder) {
            (void)fprintf(stderr, "%s: no such corpus\n", argv[i]);
            return 1;
        }
        for (struct dirent *entry; (entry = readdir(folder));) {
            char path[4096];
            if (entry->d_name[0] == '.')
                continue;
            (void)snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
            run_file(path);
            files++;
        }
        (void)closedir(folder);
    }
    (void)fprintf(stderr, "%zu files replayed\n", files);
    return files ? 0 : 1;
}
