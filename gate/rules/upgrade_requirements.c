// What an upgrade needs first: tests that would notice what it breaks, and other products in
// versions that go with it.
#include "gate/rules/figure.h"
#include "gate/rules/upgrade_steps.h"

static struct finding *require(const struct upgrade_subject *subject, enum verdict verdict,
                               const char *what, struct findings *out)
{
    return finding_add(out, "upgrades", verdict, "upgrades.requires[" STR_FMT "].%s",
                       STR_ARG(subject->product), what);
}

// The lines of one critical path.
static struct share share_of(const struct rule_context *context, size_t number)
{
    const struct coverage *coverage = &context->in->evidence->coverage;
    struct coverage_totals totals = {0};
    for (size_t i = 0; i < coverage->count; i++)
        if (!context->scope.ignored[i] && context->scope.critical[i] == number)
            covered_file_totals(&coverage->files[i], &totals);
    return (struct share){totals.lines_covered, totals.lines_total};
}

// Every critical path has to have it: the weakest one is what is said.
static void judge_coverage(const struct rule_context *context,
                           const struct upgrade_subject *subject, struct findings *out)
{
    const struct coverage_demands *coverage = context->in->demands->coverage;
    const struct critical_path *paths = coverage ? coverage->critical.items : NULL;
    size_t count = coverage ? coverage->critical.count : 0, weakest = 0;
    struct fraction limit = subject->demand->requirements->critical_coverage;
    struct share least = {0, 0};
    const char *missing = NULL;
    if (count == 0)
        missing = "no critical path is named under `coverage: critical`";
    else if (!context->in->evidence->has[EVIDENCE_COVERAGE])
        missing = "there is no coverage report";
    for (size_t i = 0; i < count && !missing; i++) {
        struct share share = share_of(context, i);
        if (share.total == 0)
            missing = finding_text(out, "no line of `" STR_FMT "` was measured",
                                   STR_ARG(paths[i].pattern));
        else if (least.total == 0 || share.covered * least.total < least.covered * share.total) {
            least = share;
            weakest = i;
        }
    }
    if (missing) {
        struct finding *finding =
            require(subject, context->in->on_missing, "critical_coverage", out);
        finding->message = finding_text(out,
                                        "Before " STR_FMT " is upgraded, critical paths must be "
                                        "covered, and %s.",
                                        STR_ARG(subject->title), missing);
        finding->advice = "Measure the critical paths first; then upgrade.";
        return;
    }
    bool pass = share_meets(least, limit);
    struct finding *finding =
        require(subject, pass ? VERDICT_PASS : VERDICT_BLOCK, "critical_coverage", out);
    figure_judge(out, finding, least, limit,
                 finding_text(out, "lines in `" STR_FMT "`, before " STR_FMT " is upgraded,",
                              STR_ARG(paths[weakest].pattern), STR_ARG(subject->title)));
    if (!pass)
        finding->advice = "Release the missing tests on the old version first; then upgrade.";
}

// A finding of the soak test that did not pass, or null; rules of performance judge before.
static const struct finding *soak_failure(const struct findings *out)
{
    static const char *const ids[] = {"performance.soak.duration", "performance.soak.error_rate"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        const struct finding *finding = finding_find(out, ids[i]);
        if (finding && finding->verdict != VERDICT_PASS)
            return finding;
    }
    return NULL;
}

static void judge_soak(const struct rule_context *context, const struct upgrade_subject *subject,
                       struct findings *out)
{
    const struct performance_demands *performance = context->in->demands->performance;
    bool demanded = performance && performance->soak;
    const struct finding *failure = soak_failure(out);
    if (!context->in->evidence->has[EVIDENCE_TIMINGS]) {
        struct finding *finding = require(subject, context->in->on_missing, "soak_test", out);
        finding->message = finding_text(out,
                                        "Before " STR_FMT " is upgraded, a soak test must have "
                                        "been run, and there is no report of a load test.",
                                        STR_ARG(subject->title));
        finding->advice = "Run the soak test, and name its report under `evidence: performance`.";
        return;
    }
    struct finding *finding =
        require(subject, failure ? VERDICT_BLOCK : VERDICT_PASS, "soak_test", out);
    if (failure) {
        finding->message = finding_text(out,
                                        "Before " STR_FMT " is upgraded, the soak test must hold, "
                                        "and it does not.",
                                        STR_ARG(subject->title));
        finding->advice = "See the findings `performance.soak`.";
        return;
    }
    finding->message = demanded ? "The soak test holds."
                                : "A load test was run; how long a soak test has to be is not "
                                  "demanded (`performance: soak_test`).";
}

void upgrade_judge_requirements(const struct rule_context *context,
                                const struct upgrade_subject *subject,
                                const struct upgrade_step *step, struct findings *out)
{
    const struct upgrade_requirements *requirements =
        subject->demand ? subject->demand->requirements : NULL;
    if (!requirements || !step->another_series)
        return;
    if (requirements->critical_coverage.den)
        judge_coverage(context, subject, out);
    if (requirements->soak_test)
        judge_soak(context, subject, out);
}

// ---- what goes together ----
struct pair {
    const struct lifecycle *table, *other_table;
    const struct lifecycle_series *series;
    const struct lifecycle_need *need;
    const struct locked *one, *other;
};

enum fit { FIT_GOOD, FIT_TOO_NEW, FIT_TOO_OLD };

static enum fit fit_of(const struct lifecycle_need *need, const struct locked *other)
{
    struct version version, from, to;
    if (other->pin != PIN_EXACT || !version_parse(other->version, &version))
        return FIT_GOOD; // which one it is, is said elsewhere
    if (need->from.len && version_parse(need->from, &from) && version.count >= from.count &&
        version_cmp(&version, &from) < 0)
        return FIT_TOO_OLD;
    if (need->to.len && version_parse(need->to, &to) && version.count >= to.count &&
        !version_within(&version, &to) && version_cmp(&version, &to) > 0)
        return FIT_TOO_NEW;
    return FIT_GOOD;
}

// Was the same conflict there on the base?
static bool there_before(const struct locks *base, const struct pair *pair, enum fit fit)
{
    struct version version;
    bool one = false, other = false;
    for (size_t i = 0; i < base->count; i++) {
        const struct locked *locked = &base->items[i];
        one |= lifecycle_has(pair->table, locked) && version_parse(locked->version, &version) &&
               lifecycle_series(pair->table, &version) == pair->series;
        other |= lifecycle_has(pair->other_table, locked) && fit_of(pair->need, locked) == fit;
    }
    return one && other;
}

static void say_conflict(const struct rule_context *context, const struct pair *pair, enum fit fit,
                         struct findings *out)
{
    const char *id =
        finding_text(out, "upgrades.conflict[" STR_FMT " " STR_FMT ", " STR_FMT " " STR_FMT "]",
                     STR_ARG(pair->table->product), STR_ARG(pair->series->name),
                     STR_ARG(pair->other_table->product), STR_ARG(pair->other->version));
    if (finding_find(out, id))
        return;
    bool old = fit == FIT_TOO_OLD;
    struct finding *finding =
        finding_add(out, "upgrades", old ? VERDICT_BLOCK : VERDICT_WARN, "%s", id);
    if (there_before(&context->in->dependencies->base, pair, fit))
        finding->scope = SCOPE_INHERITED;
    finding->have = finding_text(out, STR_FMT, STR_ARG(pair->other->version));
    finding->want = finding_text(
        out, "%s " STR_FMT, old ? ">=" : "<=", STR_ARG(old ? pair->need->from : pair->need->to));
    finding->message = finding_text(
        out, STR_FMT " " STR_FMT " %s " STR_FMT " " STR_FMT "%s; %s:%u has " STR_FMT ".",
        STR_ARG(pair->table->title), STR_ARG(pair->series->name),
        old ? "needs" : "is supported up to", STR_ARG(pair->other_table->title),
        STR_ARG(old ? pair->need->from : pair->need->to), old ? " or later" : "", pair->other->path,
        pair->other->line, STR_ARG(pair->other->version));
    finding->advice = old ? finding_text(out, "Upgrade " STR_FMT " first, in a release of its own.",
                                         STR_ARG(pair->other_table->title))
                          : NULL;
    finding_place(out, finding, pair->one->path, pair->one->line, 0);
    finding_place(out, finding, pair->other->path, pair->other->line, 0);
}

void upgrade_judge_conflicts(const struct rule_context *context, struct findings *out)
{
    const struct lifecycles *tables = context->in->lifecycles;
    const struct locks *head = &context->in->dependencies->head;
    struct version version;
    for (size_t t = 0; tables && t < tables->count; t++)
        for (size_t i = 0; i < head->count; i++) {
            struct pair pair = {.table = &tables->items[t], .one = &head->items[i]};
            if (pair.one->nested || pair.one->pin != PIN_EXACT ||
                !lifecycle_has(pair.table, pair.one) || !version_parse(pair.one->version, &version))
                continue;
            pair.series = lifecycle_series(pair.table, &version);
            const struct lifecycle_need *needs = pair.series ? pair.series->needs.items : NULL;
            for (size_t n = 0; pair.series && n < pair.series->needs.count; n++) {
                pair.need = &needs[n];
                pair.other_table = lifecycle_of(tables, needs[n].product);
                for (size_t k = 0; pair.other_table && k < head->count; k++) {
                    pair.other = &head->items[k];
                    enum fit fit = lifecycle_has(pair.other_table, pair.other)
                                       ? fit_of(pair.need, pair.other)
                                       : FIT_GOOD;
                    if (fit != FIT_GOOD)
                        say_conflict(context, &pair, fit, out);
                }
            }
        }
}
