#include "gate/rules/test_book.h"

#include "gate/base/moment.h"

#include <stdlib.h>

static int by_identity(const void *a, const void *b)
{
    const struct booked_test *x = a, *y = b;
    return str_cmp(x->identity, y->identity);
}

static const struct quarantined *quarantine_of(const struct rule_input *in, struct test_book *book,
                                               str identity)
{
    int64_t today = in->now_ms / MS_DAY - (in->now_ms % MS_DAY < 0);
    const struct quarantined *found = NULL;
    if (!in->quarantine)
        return NULL;
    const struct quarantined *items = in->quarantine->items.items;
    for (size_t i = 0; i < in->quarantine->items.count; i++) {
        if (!waiver_word_fits(items[i].test, identity))
            continue;
        book->used[i] = true;
        if (today <= items[i].until_days)
            found = &items[i];
    }
    return found;
}

static bool failed(enum test_result result)
{
    return result == TEST_FAILED || result == TEST_ERROR;
}

static bool is_new(const struct history *history, str identity)
{
    const struct history_test *before = history_test(history, identity);
    return !before || !failed(before->result);
}

static bool is_troubled(enum test_result result)
{
    return failed(result) || result == TEST_FLAKY;
}

static size_t troubled(const struct tests *tests)
{
    struct test_totals totals = tests_totals(tests);
    return (size_t)(totals.failed + totals.errors + totals.flaky);
}

void test_book_make(struct arena *arena, const struct rule_input *in, enum booked which,
                    struct test_book *ret)
{
    const struct tests *tests = &in->evidence->tests;
    size_t entries = in->quarantine ? in->quarantine->items.count : 0;
    size_t room = which == BOOKED_ALL ? tests->count : troubled(tests);
    *ret = (struct test_book){.items = ARENA_ARRAY(arena, struct booked_test, room + 1),
                              .used = ARENA_ARRAY(arena, bool, entries + 1)};
    for (size_t i = 0; i < tests->count && ret->count < room; i++) {
        if (which == BOOKED_TROUBLED && !is_troubled(tests->cases[i].result))
            continue;
        struct booked_test *one = &ret->items[ret->count++];
        one->test = &tests->cases[i];
        one->identity = str_of(test_identity(arena, one->test));
        one->failed = failed(one->test->result);
        one->quarantine = quarantine_of(in, ret, one->identity);
        one->is_new = one->failed && is_new(in->history, one->identity);
        if (!one->failed)
            continue;
        if (one->quarantine)
            ret->quarantined++;
        else
            ret->failed++;
        ret->new_failed += !one->quarantine && one->is_new;
        ret->caused +=
            !one->quarantine && one->is_new && !history_failed_before(in->history, one->identity);
    }
    if (ret->count)
        qsort(ret->items, ret->count, sizeof *ret->items, by_identity);
}

static int by_name(const void *key, const void *item)
{
    return str_cmp(*(const str *)key, ((const struct booked_test *)item)->identity);
}

const struct booked_test *test_book_find(const struct test_book *book, str identity)
{
    if (book->count == 0)
        return NULL;
    return bsearch(&identity, book->items, book->count, sizeof *book->items, by_name);
}
