#include "gate/rules/risk_book.h"

#include "gate/risk/risk_paths.h"
#include "gate/rules/figure.h"
#include "gate/rules/scope.h"

#define TOUCHED_MOST 200u // findings of their own; the rest is counted

struct adding {
    struct coverage_totals *totals;
    size_t *last; // for each risk: the file that was added last + 1
    size_t file;  // at hand
    const struct covered_file *covered;
};

static void on_covered(void *context, uint32_t risk)
{
    struct adding *adding = context;
    if (adding->last[risk] == adding->file + 1)
        return; // by another of its patterns
    adding->last[risk] = adding->file + 1;
    covered_file_totals(adding->covered, &adding->totals[risk]);
}

static bool asks_for_coverage(const struct risk_register *risks)
{
    for (size_t i = 0; i < risks->risks.count; i++) {
        const struct risk *risk = risk_register_at(risks, i);
        if ((risk->demands && risk->demands->coverage) ||
            (risk->closes_when && risk->closes_when->coverage))
            return true;
    }
    return false;
}

static bool asks_for_tests(const struct risk_register *risks)
{
    for (size_t i = 0; i < risks->risks.count; i++) {
        const struct risk *risk = risk_register_at(risks, i);
        if ((risk->demands && risk->demands->tests.count) ||
            (risk->closes_when && risk->closes_when->tests.count))
            return true;
    }
    return false;
}

static void add_totals(struct arena *arena, const struct rule_context *context,
                       struct risk_book *book)
{
    const struct coverage *coverage = &context->in->evidence->coverage;
    size_t count = context->in->risks->risks.count;
    struct risk_paths paths;
    struct adding adding = {.totals = book->totals, .last = ARENA_ARRAY(arena, size_t, count + 1)};
    risk_paths_make(arena, context->in->risks, &paths);
    for (size_t i = 0; i < coverage->count; i++) {
        if (context->scope.ignored[i])
            continue;
        adding.file = i;
        adding.covered = &coverage->files[i];
        risk_paths_each(&paths, scope_path(adding.covered), on_covered, &adding);
    }
}

void risk_book_make(struct arena *arena, const struct rule_context *context, struct risk_book *ret)
{
    const struct rule_input *in = context->in;
    struct risk_book book = {0};
    book.totals = ARENA_ARRAY(arena, struct coverage_totals, in->risks->risks.count + 1);
    book.is_touched = ARENA_ARRAY(arena, bool, in->risks->risks.count + 1);
    if (asks_for_coverage(in->risks))
        add_totals(arena, context, &book);
    book.touched_count = risks_touched(arena, in, context->today_days, &book.touched);
    for (size_t i = 0; i < book.touched_count; i++)
        book.is_touched[book.touched[i].risk - risk_register_at(in->risks, 0)] = true;
    if (in->evidence->has[EVIDENCE_TESTS] && asks_for_tests(in->risks))
        test_book_make(arena, in, BOOKED_ALL, &book.tests);
    *ret = book;
}

bool risk_book_asks(const struct risk_book *book, const struct rule_context *context, size_t risk)
{
    const struct rule_input *in = context->in;
    return !in->change || in->changed_unknown || book->is_touched[risk] ||
           risk_register_at(in->risks, risk)->paths.count == 0;
}

static const char *result_words(enum test_result result)
{
    static const char *const words[] = {"passed", "failed", "ended in an error", "was skipped",
                                        "is flaky"};
    return words[result];
}

const char *risk_book_tests(const struct risk_book *book, struct findings *out,
                            const struct shape_list *list)
{
    const str *patterns = list->items;
    for (size_t i = 0; i < list->count; i++) {
        size_t passed = 0, skipped = 0;
        for (size_t k = 0; k < book->tests.count; k++) {
            const struct booked_test *test = &book->tests.items[k];
            if (!risk_test_fits(patterns[i], test->identity))
                continue;
            enum test_result result = test->test->result;
            passed += result == TEST_PASSED;
            skipped += result == TEST_SKIPPED;
            if (result != TEST_PASSED && result != TEST_SKIPPED)
                return finding_text(out, "`" STR_FMT "` %s", STR_ARG(test->identity),
                                    result_words(result));
        }
        if (passed == 0)
            return finding_text(out,
                                skipped ? "every test that `" STR_FMT "` means was skipped"
                                        : "`" STR_FMT "` means no test of this run",
                                STR_ARG(patterns[i]));
    }
    return NULL;
}

static void place(const struct risk *risk, struct finding *finding, struct findings *out)
{
    finding_place(out, finding, risk->at.file ? risk->at.file : "", risk->at.line, 0);
}

void risk_say_touched(const struct rule_context *context, const struct risk_book *book,
                      struct findings *out)
{
    (void)context;
    for (size_t i = 0; i < book->touched_count && i < TOUCHED_MOST; i++) {
        const struct touched_risk *touched = &book->touched[i];
        const struct risk *risk = touched->risk;
        struct finding *finding =
            finding_add(out, "risk", VERDICT_PASS, "risk.touched[" STR_FMT "]", STR_ARG(risk->id));
        finding->have = finding_text(out, "%llu", (unsigned long long)risk_exposure(risk));
        finding->message = finding_text(
            out, "The change touches risk " STR_FMT " (" STR_FMT "), exposure %s, in %zu file%s.",
            STR_ARG(risk->id), STR_ARG(risk->title), finding->have, touched->file_count,
            touched->file_count == 1 ? "" : "s");
        for (size_t k = 0; k < touched->file_count; k++)
            finding_place(out, finding, arena_copy(out->arena, touched->files[k]), 0, 0);
    }
    if (book->touched_count <= TOUCHED_MOST)
        return;
    struct finding *finding = finding_add(out, "risk", VERDICT_PASS, "risk.touched");
    finding->have = finding_text(out, "%zu", book->touched_count);
    finding->message = finding_text(out, "The change touches %s risks; the %u largest are listed.",
                                    finding->have, TOUCHED_MOST);
}

void risk_judge_tests(const struct rule_context *context, const struct risk_book *book, size_t n,
                      struct findings *out)
{
    const struct risk *risk = risk_register_at(context->in->risks, n);
    if (!risk->demands || risk->demands->tests.count == 0 ||
        !risk_counts(risk, context->today_days) || !risk_book_asks(book, context, n))
        return;
    if (!context->in->evidence->has[EVIDENCE_TESTS]) {
        struct finding *missing =
            finding_add(out, "evidence", context->in->on_missing,
                        "evidence.tests.missing[" STR_FMT "]", STR_ARG(risk->id));
        missing->message = finding_text(
            out, "Risk " STR_FMT " demands tests, and no test report was read.", STR_ARG(risk->id));
        place(risk, missing, out);
        return;
    }
    const char *wrong = risk_book_tests(book, out, &risk->demands->tests);
    struct finding *finding = finding_add(out, "risk", wrong ? VERDICT_BLOCK : VERDICT_PASS,
                                          "risk.tests[" STR_FMT "]", STR_ARG(risk->id));
    if (wrong) {
        finding->message = finding_text(out, "Risk " STR_FMT " (" STR_FMT ") demands tests: %s.",
                                        STR_ARG(risk->id), STR_ARG(risk->title), wrong);
        finding->advice = "Mend or bring back the tests that the risk names.";
    } else {
        finding->message =
            finding_text(out, "The tests that risk " STR_FMT " demands passed.", STR_ARG(risk->id));
    }
    place(risk, finding, out);
}

static const char *share_wrong(struct findings *out, const char *what, struct share share,
                               struct fraction limit)
{
    if (!limit.den || share_meets(share, limit))
        return NULL;
    struct text wanted = text_of(64);
    text_add_fraction_percent(&wanted, limit);
    const char *says = finding_text(out, "%s of its %s are covered, %s were promised",
                                    figure_percent(out, share, limit), what, text_c(&wanted));
    text_done(&wanted);
    return says;
}

// Null when the evidence still holds.
static const char *closing_wrong(const struct rule_context *context, const struct risk_book *book,
                                 size_t n, struct findings *out)
{
    const struct rule_input *in = context->in;
    const struct risk_closing *closing = risk_register_at(in->risks, n)->closes_when;
    const struct coverage_totals *totals = &book->totals[n];
    const char *wrong = NULL;
    if (closing->coverage && totals->lines_total == 0)
        return "no covered file is under its paths";
    if (closing->coverage)
        wrong =
            share_wrong(out, "lines", (struct share){totals->lines_covered, totals->lines_total},
                        closing->coverage->lines);
    if (!wrong && closing->coverage && closing->coverage->branches.den)
        wrong = totals->branches_total == 0
                    ? "no branches are known of its files"
                    : share_wrong(out, "branches",
                                  (struct share){totals->branches_covered, totals->branches_total},
                                  closing->coverage->branches);
    if (!wrong && closing->tests.count && !in->evidence->has[EVIDENCE_TESTS])
        wrong = "no test report was read";
    if (!wrong)
        wrong = risk_book_tests(book, out, &closing->tests);
    if (wrong || closing->finding.len == 0)
        return wrong;
    const char *id = arena_copy(out->arena, closing->finding);
    const struct finding *finding = finding_find(out, id);
    if (!finding)
        return finding_text(out, "there is no finding `%s`", id);
    return finding->verdict == VERDICT_PASS
               ? NULL
               : finding_text(out, "`%s` does not pass (%s)", id, verdict_name(finding->verdict));
}

void risk_judge_closed(const struct rule_context *context, const struct risk_book *book, size_t n,
                       struct findings *out)
{
    const struct rule_input *in = context->in;
    const struct risk *risk = risk_register_at(in->risks, n);
    if (risk->status != RISK_CLOSED || !risk->closes_when)
        return;
    enum verdict verdict =
        in->demands->risk ? severity_verdict(in->demands->risk->overdue) : VERDICT_WARN;
    const char *wrong = closing_wrong(context, book, n, out);
    struct finding *finding = finding_add(out, "risk", wrong ? verdict : VERDICT_PASS,
                                          "risk.reopened[" STR_FMT "]", STR_ARG(risk->id));
    if (wrong) {
        finding->message = finding_text(out,
                                        "Risk " STR_FMT " (" STR_FMT ") is closed, but what closed "
                                        "it does not hold: %s.",
                                        STR_ARG(risk->id), STR_ARG(risk->title), wrong);
        finding->advice = "Bring the evidence back, or open the risk again.";
    } else {
        finding->message = finding_text(out, "Risk " STR_FMT " stays closed: its evidence holds.",
                                        STR_ARG(risk->id));
    }
    place(risk, finding, out);
}
