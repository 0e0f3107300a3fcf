// Coverage may fall below the baseline by so many percentage points, and no further. Exact.
#include "gate/rules/figure.h"
#include "gate/rules/registry.h"
#include "gate/rules/scope.h"

__extension__ typedef __int128 wide;

// now >= before - drop, in whole numbers.
static bool holds(struct share now, const struct baseline *before, struct fraction drop)
{
    wide floor = (wide)before->lines_covered * (uint64_t)drop.den -
                 (wide)(uint64_t)drop.num * before->lines_total; // over lines_total * den
    return (wide)now.covered * before->lines_total * (uint64_t)drop.den >= (wide)now.total * floor;
}

static const char *percent_of(struct findings *out, uint64_t part, uint64_t total)
{
    struct text text = text_of(64);
    text_add_percent(&text, part, total, 3);
    text_adds(&text, "%");
    const char *words = arena_copy(out->arena, text_str(&text));
    text_done(&text);
    return words;
}

static const char *points_of(struct findings *out, struct fraction drop)
{
    struct text text = text_of(64);
    text_add_fraction_percent(&text, drop);
    text.len -= text.len > 0; // "0.2%" -> "0.2pp"
    text_adds(&text, "pp");
    const char *words = arena_copy(out->arena, text_str(&text));
    text_done(&text);
    return words;
}

static void judge(const struct rule_context *context, struct findings *out)
{
    const struct rule_input *in = context->in;
    const struct coverage_demands *demands = in->demands->coverage;
    const struct baseline *baseline = in->history ? in->history->baseline : NULL;
    struct coverage_totals totals = {0};
    if (!demands || !demands->max_drop.den || !in->evidence->has[EVIDENCE_COVERAGE])
        return;
    for (size_t i = 0; i < in->evidence->coverage.count; i++)
        if (!context->scope.ignored[i])
            covered_file_totals(&in->evidence->coverage.files[i], &totals);
    struct share now = {totals.lines_covered, totals.lines_total};
    if (now.total == 0)
        return;
    if (!baseline || !baseline->has_coverage || baseline->lines_total == 0) {
        struct finding *finding = finding_add(out, "coverage", VERDICT_WARN, "coverage.drop");
        finding->scope = SCOPE_ENVIRONMENT;
        finding->message = finding_text(
            out, "Whether coverage has fallen cannot be judged without a baseline: %s.",
            history_why_not(in->history, "the ledger has no coverage of one"));
        finding->advice = "Run `sluice gate --record` on the default branch: a run that passes is "
                          "the baseline.";
        return;
    }
    bool pass = holds(now, baseline, demands->max_drop);
    struct finding *finding =
        finding_add(out, "coverage", pass ? VERDICT_PASS : VERDICT_BLOCK, "coverage.drop");
    finding->have = finding_text(out, "%llu/%llu", (unsigned long long)now.covered,
                                 (unsigned long long)now.total);
    finding->want =
        finding_text(out, "%llu/%llu - %s", (unsigned long long)baseline->lines_covered,
                     (unsigned long long)baseline->lines_total, points_of(out, demands->max_drop));
    finding->message = finding_text(
        out, "%s of lines covered; %s in the baseline (%.10s), from which it may fall by %s.",
        percent_of(out, now.covered, now.total),
        percent_of(out, baseline->lines_covered, baseline->lines_total), baseline->commit,
        points_of(out, demands->max_drop));
    if (!pass)
        finding->advice = "Test what the change adds, or what it left untested: `sluice explain "
                          "coverage.drop` lists the least that is needed.";
}

const struct rule rule_coverage_drop = {"coverage.drop", "Coverage beside the baseline", judge};
