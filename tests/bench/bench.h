// Starts a program of tests/bench as a child, which says on its first line of output how it can be
// reached and ends when its standard input closes.
//
//     struct bench bench = bench_start("http_server", NULL);
//     long port = bench_number(&bench, "port");
//     bench_stop(&bench);
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct bench {
    pid_t pid;
    int input;
    char line[4096];
};

static inline struct bench bench_start(const char *name, const char *argument)
{
    struct bench bench = {0};
    char path[4096];
    int to[2], from[2];
    const char *data = getenv("SLUICE_TEST_DATA");
    snprintf(path, sizeof path, "%s/bench/%s", data ? data : "tests", name);
    if (pipe(to) != 0 || pipe(from) != 0)
        abort();
    bench.pid = fork();
    if (bench.pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        for (int fd = 3; fd < 64; fd++)
            close(fd);
        execl(path, path, argument, (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    bench.input = to[1];
    for (size_t n = 0; n + 1 < sizeof bench.line; n++)
        if (read(from[0], &bench.line[n], 1) != 1 || bench.line[n] == '\n')
            break;
    close(from[0]);
    return bench;
}

static inline void bench_stop(struct bench *bench)
{
    close(bench->input);
    waitpid(bench->pid, NULL, 0);
}

// The values of a flat JSON object on one line, without escapes in them.
static inline const char *bench_value(const struct bench *bench, const char *key)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\": ", key);
    const char *at = strstr(bench->line, quoted);
    return at ? at + strlen(quoted) : NULL;
}

static inline long bench_number(const struct bench *bench, const char *key)
{
    const char *at = bench_value(bench, key);
    return at ? strtol(at, NULL, 10) : -1;
}

static inline char *bench_text(const struct bench *bench, const char *key, char *out, size_t size)
{
    const char *at = bench_value(bench, key);
    size_t len = at && *at == '"' ? strcspn(at + 1, "\"") : 0;
    snprintf(out, size, "%.*s", (int)len, len ? at + 1 : "");
    return out;
}

#endif
