// Lines changed since the merge base. A changed source file that the reports do not know counts as
// uncovered when they know others of its kind: otherwise leaving a file out of the measurement
// would be the way around it.
#include "gate/rules/figure.h"
#include "gate/rules/registry.h"
#include "gate/rules/scope.h"

struct changed_counts {
    struct share share;
    struct finding *finding; // takes the places of uncovered lines
};

static void count_known(const struct covered_file *covered, const char *path,
                        struct line_range range, struct changed_counts *counts,
                        struct findings *out)
{
    uint32_t from = 0; // where the current run of uncovered lines began
    uint32_t last = 0;
    for (uint32_t line = range.from; line <= range.to; line++) {
        if (!line_known(covered, line))
            continue;
        counts->share.total++;
        if (!line_hit(covered, line)) {
            from = from ? from : line;
            last = line;
            continue;
        }
        counts->share.covered++;
        if (from)
            finding_place(out, counts->finding, path, from, last);
        from = 0;
    }
    if (from)
        finding_place(out, counts->finding, path, from, last);
}

static void count_file(const struct changed_file *file, const struct covered_file *covered,
                       struct changed_counts *counts, struct findings *out)
{
    const char *path = arena_copy(out->arena, file->path);
    for (size_t i = 0; i < file->range_count; i++) {
        if (covered) {
            count_known(covered, path, file->ranges[i], counts, out);
            continue;
        }
        counts->share.total += (uint64_t)file->ranges[i].to - file->ranges[i].from + 1;
        finding_place(out, counts->finding, path, file->ranges[i].from, file->ranges[i].to);
    }
}

// All changed files, or those of one critical path.
static struct share count_changed(const struct rule_context *context, size_t critical,
                                  struct finding *finding, struct findings *out)
{
    const struct rule_input *in = context->in;
    struct changed_counts counts = {.finding = finding};
    for (size_t i = 0; i < in->changed_count; i++) {
        const struct covered_file *covered;
        if (scope_changed(context, critical, &in->changed[i], &covered))
            count_file(&in->changed[i], covered, &counts, out);
    }
    return counts.share;
}

static void judge_changed(const struct rule_context *context, size_t critical,
                          struct fraction limit, const char *id, struct findings *out)
{
    struct finding *finding = finding_add(out, "coverage", VERDICT_PASS, "%s", id);
    struct share share = count_changed(context, critical, finding, out);
    if (share.total == 0) {
        figure_judge(out, finding, share, limit, "changed lines");
        finding->message = "No coverable line was changed.";
        return;
    }
    uint64_t uncovered = share.total - share.covered;
    bool pass = share_meets(share, limit) || (share.total < FEW_CHANGED_LINES && uncovered <= 1);
    figure_judge(out, finding, share, limit, "changed lines");
    if (share.total < FEW_CHANGED_LINES)
        finding->message = finding_text(
            out, "%llu of %llu changed lines uncovered; of fewer than %u, one may be.",
            (unsigned long long)uncovered, (unsigned long long)share.total, FEW_CHANGED_LINES);
    if (!pass) {
        finding->verdict = VERDICT_BLOCK;
        finding->advice = "Add tests that run the lines listed; what is not meant to be measured "
                          "goes under `ignore`.";
    }
}

static void say_unknown(const struct rule_input *in, struct findings *out)
{
    struct finding *finding =
        finding_add(out, "evidence", in->on_missing, "evidence.changes.missing");
    finding->message =
        finding_text(out, "Coverage of changed lines cannot be judged: %s.", in->changed_unknown);
    finding->advice = in->changed_advice;
}

static void judge(const struct rule_context *context, struct findings *out)
{
    const struct rule_input *in = context->in;
    const struct coverage_demands *demands = in->demands->coverage;
    if (!demands || !in->evidence->has[EVIDENCE_COVERAGE])
        return;
    const struct critical_path *paths = demands->critical.items;
    bool asked = demands->changed.den != 0;
    for (size_t i = 0; i < demands->critical.count; i++)
        asked |= paths[i].changed.den != 0;
    if (!asked)
        return;
    if (in->changed_unknown) {
        say_unknown(in, out);
        return;
    }
    if (demands->changed.den)
        judge_changed(context, CRITICAL_NONE, demands->changed, "coverage.changed", out);
    for (size_t i = 0; i < demands->critical.count; i++)
        if (paths[i].changed.den)
            judge_changed(context, i, paths[i].changed,
                          finding_text(out, "coverage.critical[" STR_FMT "].changed",
                                       STR_ARG(paths[i].pattern)),
                          out);
}

const struct rule rule_coverage_changed = {"coverage.changed", "Coverage of changed lines", judge};
