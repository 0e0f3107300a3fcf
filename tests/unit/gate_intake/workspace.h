// A workspace in a temporary folder, file by file.
#ifndef TESTS_UNIT_GATE_INTAKE_WORKSPACE_H
#define TESTS_UNIT_GATE_INTAKE_WORKSPACE_H

#include "gate/intake/intake.h"

#include "../expect.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct arena arena;
static struct evidence evidence;
static char root[64];

static inline void workspace_init(void)
{
    (void)snprintf(root, sizeof root, "/tmp/sluice-intake-XXXXXX");
    cr_assert_not_null(mkdtemp(root));
}

static inline int workspace_remove(const char *path, const struct stat *info, int type,
                                   struct FTW *at)
{
    (void)info;
    (void)type;
    (void)at;
    return remove(path);
}

static inline void workspace_done(void)
{
    (void)nftw(root, workspace_remove, 16, FTW_DEPTH | FTW_PHYS);
    evidence_done(&evidence);
    arena_done(&arena);
}

static inline const char *workspace_path(const char *path)
{
    return arena_format(&arena, "%s/%s", root, path).data;
}

// A file with that text, and the folders that it needs.
static inline void put(const char *path, const char *text)
{
    char buffer[512];
    (void)snprintf(buffer, sizeof buffer, "%s/%s", root, path);
    for (char *slash = buffer + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        cr_assert(mkdir(buffer, 0700) == 0 || errno == EEXIST, "%s", buffer);
        *slash = '/';
    }
    FILE *file = fopen(buffer, "w");
    cr_assert_not_null(file, "%s", buffer);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

static inline void run(const char *format, ...)
{
    char command[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(command, sizeof command, format, args);
    va_end(args);
    int status = system(command);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", command);
}

#define LCOV(file, lines) "SF:" file "\n" lines "end_of_record\n"
#define SUITE(name, inner) "<testsuite name=\"" name "\">" inner "</testsuite>"
#define CASE(name) "<testcase name=\"" name "\"/>"

#endif
