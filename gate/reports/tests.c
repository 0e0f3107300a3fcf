// Test cases: one for each identity once they are settled.
#include "gate/base/limits.h"
#include "gate/reports/coverage_table.h"

void tests_put(struct evidence *evidence, const struct test_case *one)
{
    struct tests *tests = &evidence->tests;
    if (tests->count == tests->room) {
        tests->room = tests->room ? tests->room * 2 : 64;
        tests->cases = memory_grow(tests->cases, tests->room * sizeof *tests->cases);
    }
    tests->cases[tests->count++] = *one;
}

// Neighbours mostly stand in the same suite, class and file: their names are kept once.
static str keep(struct arena *arena, str wanted, str before)
{
    if (wanted.len == 0)
        return (str){NULL, 0};
    return str_eq(wanted, before) ? before : arena_str(arena, wanted);
}

bool tests_add(struct evidence *evidence, const struct test_case *one, struct error *err)
{
    struct arena *arena = &evidence->arena;
    struct test_case copy = *one;
    struct test_case before = {0};
    if (evidence->tests.count)
        before = evidence->tests.cases[evidence->tests.count - 1];
    if (evidence->tests.count >= LIMIT_TESTS)
        return error_set(err, ERROR_LIMIT, "the reports hold more than %u tests", LIMIT_TESTS);
    if (arena->used_bytes > LIMIT_EVIDENCE_BYTES)
        return error_set(err, ERROR_LIMIT, "the reports hold more than %u MiB of evidence",
                         LIMIT_EVIDENCE_BYTES >> 20);
    copy.suite = keep(arena, one->suite, before.suite);
    copy.host = keep(arena, one->host, before.host);
    copy.class_name = keep(arena, one->class_name, before.class_name);
    copy.file = keep(arena, one->file, before.file);
    copy.name = arena_str(arena, one->name);
    copy.message = keep(arena, one->message, (str){NULL, 0});
    tests_put(evidence, &copy);
    return true;
}

static uint64_t hash_add(uint64_t hash, str s)
{
    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char)s.data[i]) * UINT64_C(1099511628211); // FNV-1a
    return (hash ^ 0xff) * UINT64_C(1099511628211); // where one field ends matters
}

static uint64_t hash_of(const struct test_case *one)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    hash = hash_add(hash, one->suite);
    hash = hash_add(hash, one->host);
    hash = hash_add(hash, one->class_name);
    hash = hash_add(hash, one->name);
    hash = hash_add(hash, one->file);
    return hash ^ (hash >> 29);
}

static bool same(const struct test_case *a, const struct test_case *b)
{
    return str_eq(a->name, b->name) && str_eq(a->class_name, b->class_name) &&
           str_eq(a->suite, b->suite) && str_eq(a->file, b->file) && str_eq(a->host, b->host);
}

static bool bad(enum test_result result)
{
    return result == TEST_FAILED || result == TEST_ERROR;
}

// What two runs of one test come to. The order of runs does not matter.
static enum test_result unite(enum test_result a, enum test_result b)
{
    if (a == b)
        return a;
    if (a == TEST_SKIPPED)
        return b;
    if (b == TEST_SKIPPED)
        return a;
    return bad(a) && bad(b) ? TEST_FAILED : TEST_FLAKY;
}

static void merge(struct test_case *into, const struct test_case *one)
{
    if (bad(one->result) && !bad(into->result) && into->message.len == 0) {
        into->message = one->message; // where the failure stands is what a reader wants to see
        into->report = one->report;
        into->offset = one->offset;
        into->line = one->line;
    }
    into->result = unite(into->result, one->result);
    if (one->time_us > into->time_us)
        into->time_us = one->time_us;
}

void tests_settle(struct tests *tests)
{
    size_t room = 64, kept = 0;
    while (room < tests->count * 2)
        room *= 2;
    uint32_t *index = memory_alloc(room * sizeof *index);
    for (size_t i = 0; i < tests->count; i++) {
        size_t at = hash_of(&tests->cases[i]) & (room - 1);
        while (index[at] && !same(&tests->cases[index[at] - 1], &tests->cases[i]))
            at = (at + 1) & (room - 1);
        if (index[at]) {
            merge(&tests->cases[index[at] - 1], &tests->cases[i]);
            continue;
        }
        tests->cases[kept] = tests->cases[i];
        index[at] = (uint32_t)++kept;
    }
    tests->count = kept;
    memory_free(index);
}

struct test_totals tests_totals(const struct tests *tests)
{
    struct test_totals totals = {.total = tests->count};
    for (size_t i = 0; i < tests->count; i++) {
        switch (tests->cases[i].result) {
        case TEST_PASSED:
            totals.passed++;
            break;
        case TEST_FAILED:
            totals.failed++;
            break;
        case TEST_ERROR:
            totals.errors++;
            break;
        case TEST_SKIPPED:
            totals.skipped++;
            break;
        case TEST_FLAKY:
            totals.flaky++;
            break;
        }
    }
    return totals;
}

const char *test_identity(struct arena *arena, const struct test_case *one)
{
    str parts[] = {one->suite, one->class_name, one->name};
    str out = {"", 0};
    str before = {NULL, 0};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].len == 0 || (i == 1 && str_eq(parts[i], before)))
            continue;
        out = arena_format(arena, STR_FMT "%s" STR_FMT, STR_ARG(out), out.len ? " › " : "",
                           STR_ARG(parts[i]));
        before = parts[i];
    }
    return out.data;
}
