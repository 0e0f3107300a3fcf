// Critical paths: each file belongs to the pattern with the longest literal prefix. A pattern that
// matches no file, or files without a single line, is missing evidence: what guards nothing must
// not look as if it did.
#include "gate/base/glob.h"
#include "gate/rules/figure.h"
#include "gate/rules/registry.h"
#include "gate/rules/scope.h"

struct path_counts {
    struct coverage_totals totals;
    size_t matched; // files that the pattern matches, also those that a longer one takes
};

static struct path_counts count_path(const struct rule_context *context, size_t number, str pattern)
{
    const struct coverage *coverage = &context->in->evidence->coverage;
    struct path_counts counts = {0};
    for (size_t i = 0; i < coverage->count; i++) {
        if (context->scope.ignored[i])
            continue;
        if (context->scope.critical[i] == number) {
            covered_file_totals(&coverage->files[i], &counts.totals);
            counts.matched++;
        } else if (glob_match(pattern, scope_path(&coverage->files[i]))) {
            counts.matched++;
        }
    }
    return counts;
}

static void say_missing(const struct rule_context *context, const struct critical_path *path,
                        const struct path_counts *counts, struct findings *out)
{
    struct finding *finding =
        finding_add(out, "evidence", context->in->on_missing,
                    "evidence.coverage.missing[" STR_FMT "]", STR_ARG(path->pattern));
    const char *why = "matches no file of the coverage reports";
    if (counts->matched && counts->totals.files == 0)
        why = "has no file left: patterns with a longer literal prefix take all of them";
    else if (counts->matched)
        why = "matches only files without a single line";
    finding->message =
        finding_text(out, "The critical path `" STR_FMT "` %s.", STR_ARG(path->pattern), why);
    finding->advice = "Correct the pattern, or have the tests measure these files.";
    finding_place(out, finding, path->at.file ? path->at.file : "", path->at.line, 0);
}

static void judge_share(const struct critical_path *path, const char *what, struct share share,
                        struct fraction limit, struct findings *out)
{
    bool pass = share_meets(share, limit);
    struct finding *finding =
        finding_add(out, "coverage", pass ? VERDICT_PASS : VERDICT_BLOCK,
                    "coverage.critical[" STR_FMT "].%s", STR_ARG(path->pattern), what);
    const char *of_what = finding_text(out, "%s in `" STR_FMT "`", what, STR_ARG(path->pattern));
    figure_judge(out, finding, share, limit, of_what);
    if (!pass)
        finding->advice = finding_text(out,
                                       "Test these files first: `sluice explain '%s'` lists "
                                       "them.",
                                       finding->id);
}

// Line coverage alone says nothing about branches: a report without any is missing evidence for a
// path that demands them. Files without a branch in a report that has some are straight-line code.
static void judge_branches(const struct rule_context *context, const struct critical_path *path,
                           const struct path_counts *counts, struct findings *out)
{
    if (context->in->evidence->coverage.has_branches) {
        struct share share = {counts->totals.branches_covered, counts->totals.branches_total};
        judge_share(path, "branches", share, path->branches, out);
        return;
    }
    struct finding *finding =
        finding_add(out, "evidence", context->in->on_missing,
                    "evidence.coverage.missing[" STR_FMT "].branches", STR_ARG(path->pattern));
    finding->message = finding_text(out,
                                    "The critical path `" STR_FMT "` demands branches, and no "
                                    "coverage report has any.",
                                    STR_ARG(path->pattern));
    finding->advice = "Measure branches too (coverage.py: `--branch`).";
}

static void judge(const struct rule_context *context, struct findings *out)
{
    const struct coverage_demands *demands = context->in->demands->coverage;
    if (!demands || !context->in->evidence->has[EVIDENCE_COVERAGE])
        return;
    const struct critical_path *paths = demands->critical.items;
    for (size_t i = 0; i < demands->critical.count; i++) {
        struct path_counts counts = count_path(context, i, paths[i].pattern);
        if (counts.totals.lines_total == 0) {
            say_missing(context, &paths[i], &counts, out);
            continue;
        }
        struct share lines = {counts.totals.lines_covered, counts.totals.lines_total};
        if (paths[i].lines.den)
            judge_share(&paths[i], "lines", lines, paths[i].lines, out);
        if (paths[i].branches.den)
            judge_branches(context, &paths[i], &counts, out);
    }
}

const struct rule rule_coverage_critical = {"coverage.critical", "Coverage of critical paths",
                                            judge};
