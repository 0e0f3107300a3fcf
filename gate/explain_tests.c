// Tests traced back: which ones, what they say, where they stand in which report.
#include "gate/explain_parts.h"
#include "gate/rules/test_book.h"

typedef bool wanted(const struct booked_test *one);

static bool is_failed(const struct booked_test *one)
{
    return one->failed && !one->quarantine;
}

static bool is_new(const struct booked_test *one)
{
    return is_failed(one) && one->is_new;
}

static bool is_flaky(const struct booked_test *one)
{
    return one->test->result == TEST_FLAKY;
}

static bool is_quarantined(const struct booked_test *one)
{
    return one->failed && one->quarantine;
}

static void take(struct explaining *e, const struct test_book *book, wanted *which)
{
    for (size_t i = 0; i < book->count; i++) {
        const struct booked_test *one = &book->items[i];
        const struct test_case *test = one->test;
        if (!which(one))
            continue;
        struct explained_item *item = explain_item(e, arena_copy(e->arena, one->identity));
        item->note = test->message.len ? arena_copy(e->arena, test->message) : NULL;
        if (test->file.len)
            item->where = (struct place){arena_copy(e->arena, test->file), test->line, 0};
        explain_source(e, item, test->report, test->offset, test->offset);
    }
}

static void take_vanished(struct explaining *e, const struct test_book *book)
{
    const struct history *history = e->context.in->history;
    const struct baseline *baseline = history ? history->baseline : NULL;
    for (size_t i = 0; baseline && i < baseline->test_count; i++)
        if (!test_book_find(book, baseline->tests[i].identity))
            explain_item(e, arena_copy(e->arena, baseline->tests[i].identity))->note =
                arena_format(e->arena, "in the baseline, commit %.12s", baseline->commit).data;
}

// "mend 2 of these 3 tests: a, b, c"
static void add_way(struct explaining *e, const char *verb)
{
    struct explanation *out = e->out;
    uint64_t allowed = 0;
    if (e->finding->judged == VERDICT_PASS || out->count == 0)
        return;
    (void)number_u64(str_of(e->finding->want), &allowed);
    out->needed = out->count > allowed ? out->count - allowed : 0;
    if (out->needed == 0)
        return;
    const char *names = explain_names(e, out->count, 3);
    out->way = out->needed == out->count
                   ? arena_format(e->arena, "%s %s", verb, names).data
                   : arena_format(e->arena, "%s %llu of %zu: %s", verb,
                                  (unsigned long long)out->needed, out->count, names)
                         .data;
}

void explain_tests(struct explaining *e)
{
    static const struct {
        const char *id, *unit, *verb;
        wanted *which;
    } rows[] = {
        {"tests.failures", "failed tests", "mend", is_failed},
        {"tests.new_failures", "newly failed tests", "mend", is_new},
        {"tests.flaky", "flaky tests", "mend, or put into quarantine,", is_flaky},
        {"tests.quarantine", "tests in quarantine", NULL, is_quarantined},
    };
    struct test_book book;
    test_book_make(e->arena, e->context.in, BOOKED_ALL, &book);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].id, e->finding->id) != 0)
            continue;
        e->out->unit = rows[i].unit;
        take(e, &book, rows[i].which);
        if (rows[i].verb)
            add_way(e, rows[i].verb);
        return;
    }
    if (strcmp(e->finding->id, "tests.vanished") == 0) {
        e->out->unit = "vanished tests";
        take_vanished(e, &book);
    } else {
        explain_exceptions(e);
    }
}
