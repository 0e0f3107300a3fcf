// sluice risk suggest: entries for the register from churn x uncovered lines x incidents.
#include "actions/cli/risk_churn.h"
#include "actions/cli/risk_parts.h"
#include "gate/base/limits.h"
#include "gate/base/moment.h"
#include "gate/git/changes.h"
#include "gate/risk/risk_paths.h"
#include "gate/risk/suggest.h"
#include "gate/rules/scope.h"

#include <stdlib.h>

#define MOST 10u
#define MOST_ALLOWED 1000u

struct suggesting {
    struct invocation *call;
    const struct judgement *judgement;
    struct risk_churn churn;
    struct risk_paths known; // patterns of the register as it is
    str *touched;            // paths of files in releases with incidents, one for each incident
    size_t touched_count, touched_room;
    const char *incidents_unknown;
};

static bool read_most(struct invocation *call, uint32_t *ret)
{
    const char *most = option_text(&call->options, "most");
    *ret = MOST;
    return !most || (number_u32(str_of(most), ret) && *ret > 0 && *ret <= MOST_ALLOWED) ||
           error_set(&call->error, ERROR_INPUT, "--most %s is not a number from 1 to %u", most,
                     MOST_ALLOWED);
}

// The files that the release's commit changed. One that is not in this clone says nothing.
static bool take_incident(struct suggesting *s, const struct history_incident *incident)
{
    struct invocation *call = s->call;
    struct repository *repository = s->judgement->repository;
    struct error absent = {0};
    char commit[COMMIT_HEX], parent[COMMIT_HEX];
    bool has;
    struct changes changes;
    if (incident->commit.len != COMMIT_HEX - 1)
        return true;
    const char *named = arena_copy(call->arena, incident->commit);
    if (!repository_resolve(repository, named, commit, &absent) ||
        !repository_first_parent(repository, commit, parent, &has, &absent)) {
        s->incidents_unknown =
            arena_format(call->arena, "the commit of " STR_FMT " is not in this clone",
                         STR_ARG(incident->incident))
                .data;
        return true;
    }
    if (!changes_between(call->arena, repository, has ? parent : NULL, commit,
                         &(struct file_kinds){0}, &changes, &call->error))
        return false;
    for (size_t i = 0; i < changes.count; i++) {
        s->touched = arena_grow(call->arena, s->touched, s->touched_count, &s->touched_room,
                                sizeof *s->touched);
        s->touched[s->touched_count++] = changes.items[i].path;
    }
    return true;
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

static bool read_incidents(struct suggesting *s)
{
    const struct history *history = s->judgement->gate.input.history;
    if (!history)
        s->incidents_unknown = "there is no ledger";
    else
        s->incidents_unknown = history->reviews_unknown;
    for (size_t i = 0; history && i < history->incident_count; i++)
        if (!take_incident(s, &history->incidents[i]))
            return false;
    if (s->touched_count)
        qsort(s->touched, s->touched_count, sizeof *s->touched, by_text);
    return true;
}

static uint32_t incidents_of(const struct suggesting *s, str path)
{
    size_t low = 0, high = s->touched_count;
    uint32_t count = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_cmp(s->touched[middle], path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    while (low < s->touched_count && str_eq(s->touched[low], path)) {
        low++;
        count++;
    }
    return count;
}

static void on_known(void *context, uint32_t risk)
{
    (void)risk;
    *(bool *)context = true;
}

static size_t collect(struct suggesting *s, struct suggestion *items)
{
    const struct rule_input *in = &s->judgement->gate.input;
    const struct coverage *coverage = &in->evidence->coverage;
    size_t count = 0;
    for (size_t i = 0; i < coverage->count; i++) {
        const struct covered_file *file = &coverage->files[i];
        struct coverage_totals totals = {0};
        bool known = false, generated = in->generated && in->generated[i];
        uint32_t commits = churn_of(&s->churn.churn, file->path);
        if (file->path.len == 0 || commits == 0 ||
            scope_ignores(in->demands->coverage, file->path, generated))
            continue;
        risk_paths_each(&s->known, file->path, on_known, &known);
        if (known)
            continue;
        covered_file_totals(file, &totals);
        items[count++] = (struct suggestion){
            .path = file->path,
            .commits = commits,
            .covered = totals.lines_covered,
            .total = totals.lines_total,
            .incidents = incidents_of(s, file->path),
            .critical = scope_critical(in->demands->coverage, file->path) != CRITICAL_NONE,
        };
    }
    return count;
}

static bool graded(const struct suggesting *s)
{
    const struct risk_register *risks = s->judgement->gate.input.risks;
    return !risks || matrix_has_grades(risks->matrix);
}

static void add_preamble(const struct suggesting *s, size_t count, struct text *out)
{
    text_addf(
        out,
        "# Proposed by commits in %u days x uncovered lines x (1 + incidents). Judge each one:"
        " what\n# would it cost, who sees to it, until when? Then move it under `risks:`.\n",
        s->churn.window_days);
    if (!graded(s)) {
        struct text inputs = text_of(8192);
        const struct risk_matrix *matrix = s->judgement->gate.input.risks->matrix;
        matrix_inputs(matrix, &inputs);
        text_addf(out, "# The matrix %s asks each for a `rating` of %s.\n", matrix->name,
                  text_c(&inputs));
        text_done(&inputs);
    }
    if (s->churn.unknown)
        text_addf(out, "# Commits are not all known: %s.\n", s->churn.unknown);
    if (s->incidents_unknown)
        text_addf(out, "# Incidents are not all known: %s.\n", s->incidents_unknown);
    if (count == 0)
        text_adds(out,
                  "# Nothing to propose: no file was changed in that time, has uncovered lines "
                  "and is not\n# under a risk yet.\n");
}

static bool suggest(struct suggesting *s, struct text *out)
{
    struct invocation *call = s->call;
    const struct rule_input *in = &s->judgement->gate.input;
    const struct decision *decision = &s->judgement->gate.decision;
    static const struct risk_register none;
    uint32_t most;
    if (!read_most(call, &most) || !risk_churn_read(call, s->judgement->repository,
                                                    decision->commit, decision->time_ms, &s->churn))
        return false;
    if (!in->evidence->has[EVIDENCE_COVERAGE])
        return error_set(&call->error, ERROR_ABSENT,
                         "no coverage report can be read: uncovered lines are not known; `sluice "
                         "gate` says what it looked for");
    if (!read_incidents(s))
        return false;
    risk_paths_make(call->arena, in->risks ? in->risks : &none, &s->known);
    struct suggestion *items =
        ARENA_ARRAY(call->arena, struct suggestion, in->evidence->coverage.count + 1);
    size_t count = suggest_choose(items, collect(s, items), most);
    add_preamble(s, count, out);
    suggest_yaml(items, count, s->churn.window_days, graded(s), out);
    return !text_full(out) || error_set(&call->error, ERROR_LIMIT, "too much to print");
}

bool risk_suggest_print(struct invocation *call)
{
    struct judgement judgement = {0};
    struct suggesting s = {.call = call, .judgement = &judgement};
    struct text out = text_of(LIMIT_DECISION_BYTES);
    bool ok = judgement_make(call, &judgement) && suggest(&s, &out) &&
              command_print(call, text_str(&out));
    text_done(&out);
    judgement_done(&judgement);
    return ok;
}
