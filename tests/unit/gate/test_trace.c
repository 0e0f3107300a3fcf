#include "gate/trace.h"

#include "gate/base/sha256.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[64];

static void start(void)
{
    (void)snprintf(path, sizeof path, "/tmp/sluice-trace-XXXXXX");
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    cr_assert_eq(write(file, "one\ntwo\n\nfour", 13), 13);
    (void)close(file);
}

static void done(void)
{
    (void)unlink(path);
}

TestSuite(trace, .init = start, .fini = done);

Test(trace, offsets_become_lines)
{
    struct trace traces[] = {{9, 0}, {0, 0}, {4, 0}, {3, 0}, {8, 0}, {12, 0}, {4, 0}};
    static const struct {
        uint64_t offset;
        uint32_t line;
    } rows[] = {{0, 1}, {3, 1}, {4, 2}, {8, 3}, {9, 4}, {12, 4}, {5, 0}};
    char hex[SHA256_HEX];
    bool same;
    struct error err = {0};
    cr_assert(trace_lines(path, sha256_of(STR("one\ntwo\n\nfour"), hex), traces, 7, &same, &err));
    cr_expect(same);
    for (size_t i = 0; i < 7; i++)
        cr_expect_eq(trace_line(traces, 7, rows[i].offset), rows[i].line, "row %zu", i);
}

Test(trace, a_file_that_changed_is_noticed)
{
    struct trace one = {0, 0};
    char hex[SHA256_HEX];
    bool same;
    struct error err = {0};
    cr_assert(trace_lines(path, sha256_of(STR("other"), hex), &one, 1, &same, &err));
    cr_expect_not(same);
}

Test(trace, a_file_that_is_gone_is_an_error)
{
    bool same;
    struct error err = {0};
    cr_assert_not(trace_lines("/no/such/file", "", NULL, 0, &same, &err));
    cr_expect_eq(err.kind, ERROR_ABSENT);
}
