// Tests by identity. An error counts like a failure; a test that failed and then passed is flaky,
// not failed; one in quarantine is listed, not counted. No test at all, or none that ran, is
// missing evidence, which rule `evidence` says.
#include "gate/base/moment.h"
#include "gate/rules/name_list.h"
#include "gate/rules/registry.h"
#include "gate/rules/test_book.h"

#define NAMED 3u // tests named in one message

struct judging {
    const struct rule_context *context;
    const struct test_demands *demands;
    struct findings *out;
    struct test_book book;
    struct test_totals totals;
};

typedef bool wanted(const struct booked_test *one);

static bool counts_failed(const struct booked_test *one)
{
    return one->failed && !one->quarantine;
}

static bool counts_new(const struct booked_test *one)
{
    return counts_failed(one) && one->is_new;
}

static bool is_flaky(const struct booked_test *one)
{
    return one->test->result == TEST_FLAKY;
}

static bool is_quarantined(const struct booked_test *one)
{
    return one->failed && one->quarantine;
}

// "message: a, b, c and 4 more.", with the place of each. A test that recorded runs know as flaky
// says so: returns the first of them, or null.
static const struct history_flaky *name_them(struct judging *j, struct finding *finding,
                                             wanted *which)
{
    const struct history *history = j->context->in->history;
    const struct history_flaky *first = NULL;
    struct name_list names = name_list_of(NAMED);
    for (size_t i = 0; i < j->book.count; i++) {
        const struct booked_test *one = &j->book.items[i];
        if (!which(one))
            continue;
        const struct history_flaky *flaky = history_flaky(history, one->identity);
        if (flaky)
            name_list_addf(&names, STR_FMT " (flaky in %u of %u recorded runs)",
                           STR_ARG(str_shorten(one->identity, 350)), flaky->flaky, flaky->runs);
        else
            name_list_add(&names, one->identity);
        first = first ? first : flaky;
        str file = one->test->file;
        finding_place(j->out, finding, file.len ? arena_copy(j->out->arena, file) : "",
                      one->test->line, 0);
    }
    finding->message = names.count ? finding_text(j->out, "%s: %s.", finding->message,
                                                  name_list_words(&names, j->out))
                                   : finding_text(j->out, "%s.", finding->message);
    name_list_done(&names);
    return first;
}

// What is to be done about tests that failed.
static const char *failure_advice(struct judging *j, const struct history_flaky *flaky)
{
    const char *quarantine = j->context->in->quarantine_path;
    if (!flaky)
        return "Mend these tests or what they test.";
    return finding_text(j->out,
                        "Mend these tests or what they test. " STR_FMT " is known to be flaky: "
                        "until it is mended it can stand in the quarantine%s%s, with an issue, an "
                        "owner and a date.",
                        STR_ARG(str_shorten(flaky->identity, 350)), quarantine ? " " : "",
                        quarantine ? quarantine : "");
}

static void judge_failures(struct judging *j)
{
    size_t failed = j->book.failed;
    bool pass = failed <= (uint64_t)j->demands->failures;
    struct finding *finding =
        finding_add(j->out, "tests", pass ? VERDICT_PASS : VERDICT_BLOCK, "tests.failures");
    finding->have = finding_text(j->out, "%zu/%llu", failed, (unsigned long long)j->totals.total);
    finding->want = finding_text(j->out, "%lld", (long long)j->demands->failures);
    // By identity, not by count: one mended and one newly broken is one new failure.
    if (failed && j->book.caused == 0)
        finding->scope = SCOPE_INHERITED;
    finding->message =
        finding_text(j->out, "%zu of %llu tests failed, %lld allowed", failed,
                     (unsigned long long)j->totals.total, (long long)j->demands->failures);
    const struct history_flaky *flaky = name_them(j, finding, counts_failed);
    if (!pass)
        finding->advice = failure_advice(j, flaky);
}

static const char *tests_word(size_t count)
{
    return count == 1 ? "test" : "tests";
}

static void judge_new(struct judging *j)
{
    const struct rule_input *in = j->context->in;
    bool known = in->history && in->history->baseline && in->history->baseline->has_tests;
    if (j->demands->new_failures < 0)
        return;
    bool pass = j->book.new_failed <= (uint64_t)j->demands->new_failures;
    struct finding *finding =
        finding_add(j->out, "tests", pass ? VERDICT_PASS : VERDICT_BLOCK, "tests.new_failures");
    finding->have = finding_text(j->out, "%zu", j->book.new_failed);
    finding->want = finding_text(j->out, "%lld", (long long)j->demands->new_failures);
    if (j->book.new_failed && j->book.caused == 0)
        finding->scope = SCOPE_INHERITED; // the default branch has broken them since its baseline
    if (known)
        finding->message =
            finding_text(j->out, "%zu %s failed that did not in the baseline (%.10s), %s allowed",
                         j->book.new_failed, tests_word(j->book.new_failed),
                         in->history->baseline->commit, finding->want);
    else
        finding->message = finding_text(
            j->out, "%zu %s failed, %s allowed; without a baseline each counts as new (%s)",
            j->book.new_failed, tests_word(j->book.new_failed), finding->want,
            history_why_not(in->history, "the ledger has none"));
    const struct history_flaky *flaky = name_them(j, finding, counts_new);
    if (!pass && (known || flaky))
        finding->advice = failure_advice(j, flaky);
    else if (!pass)
        finding->advice =
            "Mend them, or put what is known to fail into quarantine with an owner: a "
            "run of the default branch that passes is the baseline.";
}

static void judge_flaky(struct judging *j)
{
    if (!j->demands->flaky)
        return;
    bool pass = j->totals.flaky <= (uint64_t)j->demands->flaky->max;
    struct finding *finding =
        finding_add(j->out, "tests", pass ? VERDICT_PASS : VERDICT_BLOCK, "tests.flaky");
    finding->have = finding_text(j->out, "%llu", (unsigned long long)j->totals.flaky);
    finding->want = finding_text(j->out, "%lld", (long long)j->demands->flaky->max);
    finding->sense = FIGURE_LESS_IS_BETTER;
    finding->message = finding_text(j->out,
                                    "%s tests passed only when they were run again, %s "
                                    "allowed",
                                    finding->have, finding->want);
    (void)name_them(j, finding, is_flaky);
    if (!pass)
        finding->advice = "Mend the least reliable first, or put it into quarantine with an owner.";
}

// ---- quarantine ---------------------------------------------------------------------------------
static void say_entry(struct judging *j, const struct quarantined *entry, bool used)
{
    const char *path = j->context->in->quarantine_path;
    bool expired = j->context->today_days > entry->until_days;
    if (used && !expired)
        return;
    struct finding *finding =
        finding_add(j->out, "tests", VERDICT_WARN, "tests.quarantine.%s[" STR_FMT "]",
                    used ? "expired" : "unused", STR_ARG(entry->test));
    finding->scope = SCOPE_ENVIRONMENT;
    finding->message =
        used ? finding_text(j->out, "The quarantine of " STR_FMT " ended on %s: it counts again.",
                            STR_ARG(entry->test), finding_day(j->out, entry->until_days))
             : finding_text(j->out,
                            "The quarantine names " STR_FMT ", which is no test of this run.",
                            STR_ARG(entry->test));
    finding->advice = finding_text(j->out, STR_FMT " sees to " STR_FMT ".", STR_ARG(entry->owner),
                                   STR_ARG(entry->issue));
    finding_place(j->out, finding, entry->at.file ? entry->at.file : path, entry->at.line, 0);
}

static void say_quarantine(struct judging *j)
{
    const struct quarantine *quarantine = j->context->in->quarantine;
    if (!quarantine)
        return;
    const struct quarantined *items = quarantine->items.items;
    for (size_t i = 0; i < quarantine->items.count; i++)
        say_entry(j, &items[i], j->book.used[i]);
    if (j->book.quarantined == 0)
        return;
    struct finding *finding = finding_add(j->out, "tests", VERDICT_PASS, "tests.quarantine");
    finding->have = finding_text(j->out, "%zu", j->book.quarantined);
    finding->message =
        finding_text(j->out, "%zu failing %s in quarantine and not counted", j->book.quarantined,
                     j->book.quarantined == 1 ? "test is" : "tests are");
    (void)name_them(j, finding, is_quarantined);
}

// ---- beside the baseline ------------------------------------------------------------------------
static void judge_vanished(struct judging *j)
{
    const struct history *history = j->context->in->history;
    const struct baseline *baseline = history ? history->baseline : NULL;
    if (!baseline || !baseline->has_tests)
        return;
    struct name_list names = name_list_of(NAMED);
    for (size_t i = 0; i < baseline->test_count; i++)
        if (!test_book_find(&j->book, baseline->tests[i].identity))
            name_list_add(&names, baseline->tests[i].identity);
    size_t gone = names.count;
    if (gone) {
        struct finding *finding =
            finding_add(j->out, "tests", severity_verdict(j->demands->vanished), "tests.vanished");
        finding->have = finding_text(j->out, "%zu", gone);
        finding->want = "0";
        finding->message = finding_text(j->out, "%zu %s of the baseline (%.10s) %s gone: %s.", gone,
                                        tests_word(gone), baseline->commit,
                                        gone == 1 ? "is" : "are", name_list_words(&names, j->out));
        finding->advice = "See that they were taken out or renamed on purpose, and are not merely "
                          "not run.";
    }
    name_list_done(&names);
}

static void judge_number(struct judging *j)
{
    const struct rule_input *in = j->context->in;
    const struct baseline *baseline = in->history ? in->history->baseline : NULL;
    if (in->tests_at_least.den == 0)
        return;
    if (!baseline || !baseline->has_tests) {
        struct finding *finding =
            finding_add(j->out, "evidence", VERDICT_WARN, "evidence.tests.at_least");
        finding->scope = SCOPE_ENVIRONMENT;
        finding->message = finding_text(
            j->out, "Whether enough tests were run cannot be judged without a baseline: %s.",
            history_why_not(in->history, "the ledger has none"));
        return;
    }
    uint64_t ran = j->totals.total - j->totals.skipped;
    uint64_t before = baseline->test_totals.total - baseline->test_totals.skipped;
    bool pass = before == 0 || fraction_at_least(ran, before, in->tests_at_least);
    struct finding *finding = finding_add(j->out, "evidence", pass ? VERDICT_PASS : in->on_missing,
                                          "evidence.tests.at_least");
    struct text want = text_of(64);
    text_add_fraction_percent(&want, in->tests_at_least);
    finding->have =
        finding_text(j->out, "%llu/%llu", (unsigned long long)ran, (unsigned long long)before);
    finding->want = arena_copy(j->out->arena, text_str(&want));
    finding->message = finding_text(
        j->out,
        "%llu tests were run; the baseline (%.10s) has %llu, and at least %s are asked for.",
        (unsigned long long)ran, baseline->commit, (unsigned long long)before, finding->want);
    if (!pass)
        finding->advice = "See that every part of the test suite was run and has left its report.";
    text_done(&want);
}

static void judge(const struct rule_context *context, struct findings *out)
{
    struct judging j = {.context = context, .demands = context->in->demands->tests, .out = out};
    if (!context->in->evidence->has[EVIDENCE_TESTS])
        return;
    j.totals = tests_totals(&context->in->evidence->tests);
    if (j.totals.total == 0 || j.totals.total == j.totals.skipped)
        return;
    if (!j.demands && context->in->tests_at_least.den == 0)
        return;
    const struct history *history = context->in->history;
    bool looks_up = context->in->quarantine || (history && history->baseline);
    test_book_make(out->arena, context->in, looks_up ? BOOKED_ALL : BOOKED_TROUBLED, &j.book);
    judge_number(&j);
    if (!j.demands)
        return;
    judge_failures(&j);
    judge_new(&j);
    judge_flaky(&j);
    judge_vanished(&j);
    say_quarantine(&j);
}

const struct rule rule_tests = {"tests", "Test results", judge};
