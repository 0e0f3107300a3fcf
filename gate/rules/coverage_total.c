// Lines covered of all lines. No line at all is missing evidence, which rule `evidence` says.
#include "gate/rules/figure.h"
#include "gate/rules/registry.h"
#include "gate/rules/scope.h"

static void judge(const struct rule_context *context, struct findings *out)
{
    const struct coverage_demands *demands = context->in->demands->coverage;
    const struct coverage *coverage = &context->in->evidence->coverage;
    struct coverage_totals totals = {0};
    if (!demands || !demands->total.den || !context->in->evidence->has[EVIDENCE_COVERAGE])
        return;
    for (size_t i = 0; i < coverage->count; i++)
        if (!context->scope.ignored[i])
            covered_file_totals(&coverage->files[i], &totals);
    struct share share = {totals.lines_covered, totals.lines_total};
    if (share.total == 0)
        return;
    bool pass = share_meets(share, demands->total);
    struct finding *finding =
        finding_add(out, "coverage", pass ? VERDICT_PASS : VERDICT_BLOCK, "coverage.total");
    figure_judge(out, finding, share, demands->total, "lines");
    if (!pass)
        finding->advice = "Test the largest uncovered files first: `sluice explain coverage.total` "
                          "lists them.";
}

const struct rule rule_coverage_total = {"coverage.total", "Coverage of all lines", judge};
