// Limits on the risk register: exposure, open risks by severity, due dates, and the coverage that a
// single risk demands of a release while it is open.
#include "gate/rules/figure.h"
#include "gate/rules/registry.h"
#include "gate/rules/risk_book.h"

static void judge_exposure(const struct rule_context *context, const struct risk_totals *totals,
                           struct findings *out)
{
    const struct risk_limits *limits = context->in->demands->risk;
    if (limits->max_exposure < 0)
        return;
    bool pass = totals->exposure <= (uint64_t)limits->max_exposure;
    struct finding *finding =
        finding_add(out, "risk", pass ? VERDICT_PASS : VERDICT_BLOCK, "risk.exposure");
    finding->have = finding_text(out, "%llu", (unsigned long long)totals->exposure);
    finding->want = finding_text(out, "%lld", (long long)limits->max_exposure);
    finding->sense = FIGURE_LESS_IS_BETTER;
    finding->scope = SCOPE_INHERITED; // the base's own register is judged
    finding->message = finding_text(out, "Open risks add up to an exposure of %s; at most %s.",
                                    finding->have, finding->want);
    if (!pass)
        finding->advice = "Treat the risk with the largest exposure first, or accept it with an "
                          "owner and a date.";
}

static void judge_open(const struct rule_context *context, const struct risk_totals *totals,
                       struct findings *out)
{
    const struct risk_open_limits *limits = context->in->demands->risk->max_open;
    if (!limits)
        return;
    const int64_t most[RISK_SEVERITIES] = {limits->low, limits->medium, limits->high,
                                           limits->critical};
    for (int i = RISK_SEVERITIES - 1; i >= 0; i--) {
        if (most[i] < 0)
            continue;
        const char *name = risk_severity_name((enum risk_severity)i);
        bool pass = totals->open[i] <= (uint64_t)most[i];
        struct finding *finding =
            finding_add(out, "risk", pass ? VERDICT_PASS : VERDICT_BLOCK, "risk.open.%s", name);
        finding->have = finding_text(out, "%llu", (unsigned long long)totals->open[i]);
        finding->want = finding_text(out, "%lld", (long long)most[i]);
        finding->sense = FIGURE_LESS_IS_BETTER;
        finding->scope = SCOPE_INHERITED;
        finding->message = finding_text(out, "%s open %s %s; at most %s.", finding->have, name,
                                        totals->open[i] == 1 ? "risk" : "risks", finding->want);
        for (size_t k = 0; !pass && k < context->in->risks->risks.count; k++) {
            const struct risk *risk = risk_register_at(context->in->risks, k);
            if (risk_counts(risk, context->today_days) && (int)risk_severity(risk) == i)
                finding_place(out, finding, risk->at.file ? risk->at.file : "", risk->at.line, 0);
        }
    }
}

static void judge_overdue(const struct rule_context *context, const struct risk *risk,
                          struct findings *out)
{
    if (!risk_overdue(risk, context->today_days))
        return;
    struct finding *finding =
        finding_add(out, "risk", severity_verdict(context->in->demands->risk->overdue),
                    "risk.overdue[" STR_FMT "]", STR_ARG(risk->id));
    long long late = (long long)(context->today_days - risk->due_days);
    finding->have = finding_text(out, "%lld %s late", late, late == 1 ? "day" : "days");
    finding->want = finding_day(out, risk->due_days);
    finding->scope = SCOPE_ENVIRONMENT; // time has passed
    finding->message = finding_text(out, "Risk " STR_FMT " (" STR_FMT ") was due on %s.",
                                    STR_ARG(risk->id), STR_ARG(risk->title), finding->want);
    finding->advice = finding_text(out, STR_FMT " treats it, closes it or sets a new date.",
                                   STR_ARG(risk->owner.len ? risk->owner : STR("Its owner")));
    finding_place(out, finding, risk->at.file ? risk->at.file : "", risk->at.line, 0);
}

static void judge_share(const struct risk *risk, const char *what, struct share share,
                        struct fraction limit, struct findings *out)
{
    bool pass = share_meets(share, limit);
    struct finding *finding = finding_add(out, "risk", pass ? VERDICT_PASS : VERDICT_BLOCK,
                                          "risk.coverage[" STR_FMT "].%s", STR_ARG(risk->id), what);
    const char *of_what = finding_text(out, "%s under risk " STR_FMT, what, STR_ARG(risk->id));
    figure_judge(out, finding, share, limit, of_what);
    if (!pass)
        finding->advice = finding_text(out,
                                       "Test the files of this risk: `sluice explain '%s'` "
                                       "lists them.",
                                       finding->id);
    finding_place(out, finding, risk->at.file ? risk->at.file : "", risk->at.line, 0);
}

static void say_missing(const struct rule_context *context, const struct risk *risk,
                        const char *what, const char *why, struct findings *out)
{
    struct finding *finding =
        finding_add(out, "evidence", context->in->on_missing,
                    "evidence.coverage.missing[" STR_FMT "]%s", STR_ARG(risk->id), what);
    finding->message =
        finding_text(out, "Risk " STR_FMT " demands coverage, and %s.", STR_ARG(risk->id), why);
    finding_place(out, finding, risk->at.file ? risk->at.file : "", risk->at.line, 0);
}

static void judge_coverage(const struct rule_context *context, const struct risk_book *book,
                           size_t n, struct findings *out)
{
    const struct risk *risk = risk_register_at(context->in->risks, n);
    const struct risk_coverage *demand = risk->demands ? risk->demands->coverage : NULL;
    const struct coverage_totals *totals = &book->totals[n];
    if (!demand || !risk_counts(risk, context->today_days) || !risk_book_asks(book, context, n))
        return;
    if (totals->lines_total == 0) {
        say_missing(context, risk, "", "its paths match no covered file", out);
        return;
    }
    if (demand->lines.den)
        judge_share(risk, "lines", (struct share){totals->lines_covered, totals->lines_total},
                    demand->lines, out);
    if (demand->branches.den && !context->in->evidence->coverage.has_branches)
        say_missing(context, risk, ".branches", "no coverage report has branches", out);
    else if (demand->branches.den)
        judge_share(risk, "branches",
                    (struct share){totals->branches_covered, totals->branches_total},
                    demand->branches, out);
}

static void judge(const struct rule_context *context, struct findings *out)
{
    const struct rule_input *in = context->in;
    struct risk_book book;
    if (!in->risks)
        return;
    struct risk_totals totals = risk_totals(in->risks, context->today_days);
    risk_book_make(out->arena, context, &book);
    if (in->demands->risk) {
        judge_exposure(context, &totals, out);
        judge_open(context, &totals, out);
    }
    for (size_t i = 0; i < in->risks->risks.count; i++) {
        if (in->demands->risk)
            judge_overdue(context, risk_register_at(in->risks, i), out);
        judge_coverage(context, &book, i, out);
        risk_judge_tests(context, &book, i, out);
        risk_judge_closed(context, &book, i, out);
    }
    risk_say_touched(context, &book, out);
}

const struct rule rule_risk = {"risk", "Risk register", judge};
