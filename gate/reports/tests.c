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
    for (; s.len >= sizeof hash; s = str_from(s, sizeof hash)) { // eight bytes at once
        uint64_t word;
        memcpy(&word, s.data, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
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

// A hash table of cases: the first one of each key. It holds a part of each hash, because to look
// at a case costs far more than to look at the table.
struct firsts {
    struct slot {
        uint32_t number; // of the case + 1
        uint32_t hash;
    } * slots;
    size_t room;
    bool by_line; // the line is a part of the key
};

static struct firsts firsts_of(size_t count, bool by_line)
{
    struct firsts firsts = {.room = 64, .by_line = by_line};
    while (firsts.room < count * 2)
        firsts.room *= 2;
    firsts.slots = memory_alloc(firsts.room * sizeof *firsts.slots);
    return firsts;
}

// The first case with the key of this one: itself when there was none.
static size_t first_like(struct firsts *firsts, const struct test_case *cases, size_t one)
{
    uint64_t hash = hash_of(&cases[one]);
    if (firsts->by_line)
        hash = (hash ^ cases[one].line) * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= hash >> 32;
    size_t at = hash & (firsts->room - 1);
    uint32_t part = (uint32_t)(hash >> 32);
    for (; firsts->slots[at].number; at = (at + 1) & (firsts->room - 1)) {
        size_t other = firsts->slots[at].number - 1;
        if (firsts->slots[at].hash == part && same(&cases[other], &cases[one]) &&
            (!firsts->by_line || cases[other].line == cases[one].line))
            return other;
    }
    firsts->slots[at] = (struct slot){(uint32_t)one + 1, part};
    return one;
}

void tests_settle(struct tests *tests)
{
    struct firsts firsts = firsts_of(tests->count, false);
    size_t kept = 0;
    for (size_t i = 0; i < tests->count; i++) {
        tests->cases[kept] = tests->cases[i];
        size_t first = first_like(&firsts, tests->cases, kept);
        if (first != kept)
            merge(&tests->cases[first], &tests->cases[kept]);
        else
            kept++;
    }
    tests->count = kept;
    memory_free(firsts.slots);
}

void tests_tell_apart(struct evidence *evidence, bool by_line)
{
    struct test_case *cases = evidence->tests.cases;
    size_t count = evidence->tests.count;
    struct firsts names = firsts_of(count, false), places = firsts_of(by_line ? count : 0, true);
    uint32_t *seen = memory_alloc((count + 1) * sizeof *seen); // of a name, at its first case
    uint32_t *nth = memory_alloc((count + 1) * sizeof *nth);
    for (size_t i = 0; i < count; i++) {
        size_t place = by_line ? first_like(&places, cases, i) : i;
        nth[i] = place != i ? nth[place] : ++seen[first_like(&names, cases, i)];
    }
    for (size_t i = 0; i < count; i++)
        if (nth[i] > 1)
            cases[i].name =
                arena_format(&evidence->arena, STR_FMT " (%u)", STR_ARG(cases[i].name), nth[i]);
    memory_free(names.slots);
    memory_free(places.slots);
    memory_free(seen);
    memory_free(nth);
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

// Made for every test of a run, so without formatted printing.
const char *test_identity(struct arena *arena, const struct test_case *one)
{
    static const str arrow = STR_INIT(" › ");
    bool class_too = !str_eq(one->suite, one->class_name) || one->suite.len == 0;
    const str parts[] = {one->suite, class_too ? one->class_name : (str){NULL, 0}, one->name};
    size_t most = 1;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        most += parts[i].len + arrow.len;
    char *out = arena_alloc(arena, most), *at = out;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].len == 0)
            continue;
        if (at != out) {
            memcpy(at, arrow.data, arrow.len);
            at += arrow.len;
        }
        memcpy(at, parts[i].data, parts[i].len);
        at += parts[i].len;
    }
    *at = '\0';
    return out;
}
