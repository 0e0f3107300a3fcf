#include "gate/trace.h"

#include "gate/base/sha256.h"

#include <stdio.h>
#include <stdlib.h>

static int by_offset(const void *a, const void *b)
{
    uint64_t left = ((const struct trace *)a)->offset, right = ((const struct trace *)b)->offset;
    return (left > right) - (left < right);
}

uint32_t trace_line(const struct trace *traces, size_t count, uint64_t offset)
{
    const struct trace key = {offset, 0};
    const struct trace *found = count ? bsearch(&key, traces, count, sizeof key, by_offset) : NULL;
    return found ? found->line : 0;
}

bool trace_lines(const char *path, const char *sha256, struct trace *traces, size_t count,
                 bool *ret_same, struct error *err)
{
    FILE *file = fopen(path, "rbe");
    if (!file)
        return error_errno(err, "reading again", path);
    if (count)
        qsort(traces, count, sizeof *traces, by_offset);
    struct sha256 sha;
    sha256_init(&sha);
    char chunk[65536];
    uint64_t at = 0;
    uint32_t line = 1;
    size_t n, next = 0;
    while ((n = fread(chunk, 1, sizeof chunk, file)) > 0) {
        sha256_add(&sha, chunk, n);
        for (size_t i = 0; i < n; i++, at++) {
            for (; next < count && traces[next].offset == at; next++)
                traces[next].line = line;
            line += chunk[i] == '\n';
        }
    }
    bool ok = !ferror(file);
    (void)fclose(file);
    unsigned char digest[SHA256_BYTES];
    char hex[SHA256_HEX];
    sha256_done(&sha, digest);
    if (!ok)
        return error_set(err, ERROR_SYSTEM, "reading %s again failed", path);
    *ret_same = strcmp(sha256_hex(digest, hex), sha256) == 0;
    return true;
}
