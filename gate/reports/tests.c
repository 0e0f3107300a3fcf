// Test cases: one for each identity once they are settled.
#include "gate/base/limits.h"
#include "gate/reports/coverage_table.h"
#include "gate/reports/text_hash.h"

void tests_put(struct evidence *evidence, const struct test_case *one)
{
    struct tests *tests = &evidence->tests;
    if (tests->count == tests->room) {
        tests->room = tests->room ? tests->room * 2 : 64;
        tests->cases = memory_grow(tests->cases, tests->room * sizeof *tests->cases);
    }
    tests->apart = tests->settled = false;
    tests->cases[tests->count++] = *one;
}

static bool is_same_text(str a, str b) // not only equal: also in one place
{
    return a.data == b.data && a.len == b.len;
}

// Neighbours mostly stand in the same suite, class and file: their names are kept once.
str tests_text(struct evidence *evidence, str wanted, str before)
{
    if (wanted.len == 0)
        return (str){NULL, 0};
    if (is_same_text(wanted, before) || str_eq(wanted, before))
        return before;
    return arena_str(&evidence->arena, wanted);
}

bool tests_take(struct evidence *evidence, const struct test_case *one, struct error *err)
{
    if (evidence->tests.count >= LIMIT_TESTS)
        return error_set(err, ERROR_LIMIT, "the reports hold more than %u tests", LIMIT_TESTS);
    if (evidence->arena.used_bytes > LIMIT_EVIDENCE_BYTES)
        return error_set(err, ERROR_LIMIT, "the reports hold more than %u MiB of evidence",
                         LIMIT_EVIDENCE_BYTES >> 20);
    tests_put(evidence, one);
    return true;
}

bool tests_add(struct evidence *evidence, const struct test_case *one, struct error *err)
{
    struct test_case copy = *one, before = {0};
    if (evidence->tests.count)
        before = evidence->tests.cases[evidence->tests.count - 1];
    copy.suite = tests_text(evidence, one->suite, before.suite);
    copy.host = tests_text(evidence, one->host, before.host);
    copy.class_name = tests_text(evidence, one->class_name, before.class_name);
    copy.file = tests_text(evidence, one->file, before.file);
    copy.name = arena_str(&evidence->arena, one->name);
    copy.message = tests_text(evidence, one->message, (str){NULL, 0});
    return tests_take(evidence, &copy, err);
}

// The hash of an identity. Neighbours mostly share all of it but the name.
struct hasher {
    const struct test_case *before;
    uint64_t around; // the hash of what its name stands in
};

static uint64_t hash_of(struct hasher *hasher, const struct test_case *one)
{
    const struct test_case *before = hasher->before;
    bool known = before && is_same_text(one->suite, before->suite) &&
                 is_same_text(one->class_name, before->class_name) &&
                 is_same_text(one->host, before->host) && is_same_text(one->file, before->file);
    if (!known) {
        uint64_t hash = text_hash_add(TEXT_HASH, one->suite);
        hash = text_hash_add(hash, one->host);
        hash = text_hash_add(hash, one->class_name);
        hasher->around = text_hash_add(hash, one->file);
    }
    hasher->before = one;
    return text_hash_add(hasher->around, one->name);
}

static bool same_text(str a, str b)
{
    return is_same_text(a, b) || str_eq(a, b);
}

static bool same(const struct test_case *a, const struct test_case *b)
{
    return str_eq(a->name, b->name) && same_text(a->class_name, b->class_name) &&
           same_text(a->suite, b->suite) && same_text(a->file, b->file) &&
           same_text(a->host, b->host);
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
// at a case costs far more than to look at the table. And the table is larger than the processor's
// caches: hashes are made some cases ahead, and their slots asked for.
enum { HASHES = 16 }; // made ahead
struct firsts {
    struct slot {
        uint32_t number; // of the case + 1
        uint32_t hash;
    } * slots;
    size_t room;
    bool by_line; // the line is a part of the key
    struct hasher hasher;
    size_t hashed; // so many cases are
    uint64_t hashes[HASHES];
};

static struct firsts firsts_of(size_t count, bool by_line)
{
    struct firsts firsts = {.room = 64, .by_line = by_line};
    while (firsts.room < count + count / 4)
        firsts.room *= 2;
    firsts.slots = memory_alloc(firsts.room * sizeof *firsts.slots);
    return firsts;
}

static void hash_ahead(struct firsts *firsts, const struct test_case *cases, size_t count,
                       size_t one)
{
    for (; firsts->hashed < count && firsts->hashed < one + HASHES; firsts->hashed++) {
        uint64_t hash = hash_of(&firsts->hasher, &cases[firsts->hashed]);
        if (firsts->by_line)
            hash = text_hash_word(hash, cases[firsts->hashed].line);
        firsts->hashes[firsts->hashed % HASHES] = hash;
        __builtin_prefetch(&firsts->slots[hash & (firsts->room - 1)], 1);
    }
}

// The first case with the key of this one: itself when there was none. Cases are asked for one
// after another; case `one` may have been moved to `place` in the meantime.
static size_t first_like(struct firsts *firsts, const struct test_case *cases, size_t count,
                         size_t one, size_t place)
{
    if (one == firsts->hashed)
        hash_ahead(firsts, cases, count, one);
    uint64_t hash = firsts->hashes[one % HASHES];
    size_t at = hash & (firsts->room - 1);
    uint32_t part = (uint32_t)(hash >> 32);
    for (; firsts->slots[at].number; at = (at + 1) & (firsts->room - 1)) {
        size_t other = firsts->slots[at].number - 1;
        if (firsts->slots[at].hash == part && same(&cases[other], &cases[one]) &&
            (!firsts->by_line || cases[other].line == cases[one].line))
            return other;
    }
    firsts->slots[at] = (struct slot){(uint32_t)place + 1, part};
    return place;
}

struct counts {
    uint64_t of[TEST_FLAKY + 1];
};

static struct test_totals totals_of(const struct counts *counts)
{
    return (struct test_totals){counts->of[TEST_PASSED] + counts->of[TEST_FAILED] +
                                    counts->of[TEST_ERROR] + counts->of[TEST_SKIPPED] +
                                    counts->of[TEST_FLAKY],
                                counts->of[TEST_PASSED],
                                counts->of[TEST_FAILED],
                                counts->of[TEST_ERROR],
                                counts->of[TEST_SKIPPED],
                                counts->of[TEST_FLAKY]};
}

// Cases of one identity become one, at the place of the first.
static void unite_all(struct tests *tests, struct counts *counts)
{
    struct firsts firsts = firsts_of(tests->count, false);
    struct test_case *cases = tests->cases;
    size_t kept = 0;
    for (size_t i = 0; i < tests->count; i++) {
        size_t first = first_like(&firsts, cases, tests->count, i, kept);
        if (first == kept) {
            counts->of[cases[i].result]++;
            if (i != kept)
                cases[kept] = cases[i];
            kept++;
            continue;
        }
        counts->of[cases[first].result]--;
        merge(&cases[first], &cases[i]);
        counts->of[cases[first].result]++;
    }
    tests->count = kept;
    memory_free(firsts.slots);
}

void tests_settle(struct tests *tests)
{
    struct counts counts = {{0}};
    if (tests->settled)
        return;
    if (tests->apart)
        for (size_t i = 0; i < tests->count; i++)
            counts.of[tests->cases[i].result]++;
    else
        unite_all(tests, &counts);
    tests->totals = totals_of(&counts);
    tests->apart = tests->settled = true;
}

struct test_totals tests_totals(const struct tests *tests)
{
    struct counts counts = {{0}};
    if (tests->settled)
        return tests->totals;
    for (size_t i = 0; i < tests->count; i++)
        counts.of[tests->cases[i].result]++;
    return totals_of(&counts);
}

void tests_tell_apart(struct evidence *evidence, bool by_line)
{
    struct test_case *cases = evidence->tests.cases;
    size_t count = evidence->tests.count;
    struct firsts names = firsts_of(count, false), places = firsts_of(by_line ? count : 0, true);
    uint32_t *seen = memory_alloc((count + 1) * sizeof *seen); // of a name, at its first case
    uint32_t *nth = memory_alloc((count + 1) * sizeof *nth);
    bool repeated = by_line;
    for (size_t i = 0; i < count; i++) {
        size_t place = by_line ? first_like(&places, cases, count, i, i) : i;
        size_t first = first_like(&names, cases, count, i, i);
        nth[i] = place != i ? nth[place] : ++seen[first];
        repeated |= nth[i] > 1;
    }
    evidence->tests.apart = !repeated; // a name that is made could be another one's
    for (size_t i = 0; i < count; i++)
        if (nth[i] > 1)
            cases[i].name =
                arena_format(&evidence->arena, STR_FMT " (%u)", STR_ARG(cases[i].name), nth[i]);
    memory_free(names.slots);
    memory_free(places.slots);
    memory_free(seen);
    memory_free(nth);
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
