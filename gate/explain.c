#include "gate/explain.h"

#include "gate/base/moment.h"
#include "gate/rules/figure.h"
#include "gate/rules/scope.h"
#include "gate/trace.h"

#include <stdlib.h>

#define RUNS 12u // runs of uncovered lines that are listed of one file

struct work {
    struct arena *arena;
    const struct gate *gate;
    const char *root;
    const struct finding *finding;
    struct coverage_scope scope;
    struct explanation *out;
    size_t room;
};

static struct explained_item *add_item(struct work *work, const char *name)
{
    struct explanation *out = work->out;
    out->items = arena_grow(work->arena, out->items, out->count, &work->room, sizeof *out->items);
    struct explained_item *item = &out->items[out->count++];
    *item = (struct explained_item){.name = name};
    return item;
}

static void add_source(struct work *work, struct explained_item *item, uint32_t report,
                       uint64_t from, uint64_t to)
{
    const struct report *one = &work->gate->evidence.reports[report];
    struct explained_source *grown =
        ARENA_ARRAY(work->arena, struct explained_source, item->source_count + 1);
    if (item->source_count)
        memcpy(grown, item->sources, item->source_count * sizeof *grown);
    grown[item->source_count++] = (struct explained_source){
        .report = report_shown(work->arena, one), .sha256 = one->sha256, .from = from, .to = to};
    item->sources = grown;
}

static void add_run(struct work *work, struct explained_item *item, uint32_t from, uint32_t to)
{
    item->uncovered = arena_grow(work->arena, item->uncovered, item->uncovered_count,
                                 &item->uncovered_room, sizeof *item->uncovered);
    item->uncovered[item->uncovered_count++] = (struct line_range){from, to};
}

// Runs of uncovered lines; lines without code do not end a run.
static void add_uncovered(struct work *work, struct explained_item *item,
                          const struct covered_file *file)
{
    uint32_t from = 0, last = 0;
    for (uint32_t line = 1; line <= file->last_line && item->uncovered_count < RUNS; line++) {
        if (!line_known(file, line))
            continue;
        if (!line_hit(file, line)) {
            from = from ? from : line;
            last = line;
        } else if (from) {
            add_run(work, item, from, last);
            from = 0;
        }
    }
    if (from && item->uncovered_count < RUNS)
        add_run(work, item, from, last);
}

// Lines with a branch that no test took.
static void add_half_taken(struct work *work, struct explained_item *item,
                           const struct covered_file *file)
{
    for (size_t i = 0; i < file->branch_count && item->uncovered_count < RUNS; i++)
        if (file->branches[i].covered < file->branches[i].total)
            add_run(work, item, file->branches[i].line, file->branches[i].line);
}

static void add_covered(struct work *work, const struct covered_file *file, bool branches)
{
    struct coverage_totals totals = {0};
    covered_file_totals(file, &totals);
    struct explained_item *item = add_item(work, arena_copy(work->arena, scope_path(file)));
    item->covered = branches ? totals.branches_covered : totals.lines_covered;
    item->total = branches ? totals.branches_total : totals.lines_total;
    if (branches)
        add_half_taken(work, item, file);
    else
        add_uncovered(work, item, file);
    for (size_t i = 0; i < file->range_count; i++)
        add_source(work, item, file->ranges[i].report, file->ranges[i].from, file->ranges[i].to);
}

// ---- which files and which limit a coverage finding is about
// --------------------------------------
struct subject {
    bool found, branches, changed;
    size_t critical;         // CRITICAL_NONE = all
    const struct risk *risk; // null = not a risk's
    struct fraction limit;
};

static bool is_id(const struct work *work, const char *rule, str name, const char *what)
{
    str id = arena_format(work->arena, "%s[" STR_FMT "].%s", rule, STR_ARG(name), what);
    return str_is(id, work->finding->id);
}

static void match_critical(const struct work *work, size_t number, struct subject *subject)
{
    const struct critical_path *path =
        (const struct critical_path *)work->gate->input.demands->coverage->critical.items + number;
    struct {
        const char *what;
        struct fraction limit;
    } shares[] = {{"lines", path->lines}, {"branches", path->branches}, {"changed", path->changed}};
    for (size_t i = 0; i < 3; i++)
        if (is_id(work, "coverage.critical", path->pattern, shares[i].what))
            *subject = (struct subject){true, i == 1, i == 2, number, NULL, shares[i].limit};
}

static void match_risk(const struct work *work, const struct risk *risk, struct subject *subject)
{
    const struct risk_coverage *demand = risk->demands ? risk->demands->coverage : NULL;
    if (!demand)
        return;
    if (is_id(work, "risk.coverage", risk->id, "lines"))
        *subject = (struct subject){true, false, false, CRITICAL_NONE, risk, demand->lines};
    if (is_id(work, "risk.coverage", risk->id, "branches"))
        *subject = (struct subject){true, true, false, CRITICAL_NONE, risk, demand->branches};
}

static struct subject find_subject(const struct work *work)
{
    const struct rule_input *in = &work->gate->input;
    const struct coverage_demands *demands = in->demands->coverage;
    struct subject subject = {.critical = CRITICAL_NONE};
    if (demands && strcmp(work->finding->id, "coverage.total") == 0)
        return (struct subject){true, false, false, CRITICAL_NONE, NULL, demands->total};
    if (demands && strcmp(work->finding->id, "coverage.changed") == 0)
        return (struct subject){true, false, true, CRITICAL_NONE, NULL, demands->changed};
    for (size_t i = 0; demands && i < demands->critical.count; i++)
        match_critical(work, i, &subject);
    for (size_t i = 0; in->risks && i < in->risks->risks.count; i++)
        match_risk(work, risk_register_at(in->risks, i), &subject);
    return subject;
}

// ---- coverage
// ---------------------------------------------------------------------------------------
static int by_missing(const void *a, const void *b)
{
    const struct explained_item *x = a, *y = b;
    uint64_t left = x->total - x->covered, right = y->total - y->covered;
    if (left != right)
        return left > right ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void take_files(struct work *work, const struct subject *subject)
{
    const struct coverage *coverage = &work->gate->evidence.coverage;
    for (size_t i = 0; i < coverage->count; i++) {
        if (work->scope.ignored[i])
            continue;
        if (subject->critical != CRITICAL_NONE && work->scope.critical[i] != subject->critical)
            continue;
        if (subject->risk && !risk_covers(subject->risk, scope_path(&coverage->files[i])))
            continue;
        add_covered(work, &coverage->files[i], subject->branches);
    }
}

// The uncovered changed lines are the finding's own places, file by file.
static void take_changed(struct work *work)
{
    const struct finding *finding = work->finding;
    struct rule_context context = {&work->gate->input, work->scope, 0};
    struct explained_item *item = NULL;
    for (size_t i = 0; i < finding->where_count; i++) {
        const struct place *place = &finding->where[i];
        if (!item || strcmp(item->name, place->path) != 0) {
            const struct covered_file *file = scope_find(&context, str_of(place->path));
            item = add_item(work, place->path);
            item->note = file ? NULL : "no report knows this file";
            for (size_t k = 0; file && k < file->range_count; k++)
                add_source(work, item, file->ranges[k].report, file->ranges[k].from,
                           file->ranges[k].to);
        }
        item->total += (uint64_t)place->end_line - place->line + 1;
        add_run(work, item, place->line, place->end_line);
    }
}

static void count_enough(struct explanation *out)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < out->count && sum < out->needed; i++) {
        sum += out->items[i].total - out->items[i].covered;
        out->enough = i + 1;
    }
}

static void explain_coverage(struct work *work, const struct subject *subject)
{
    struct explanation *out = work->out;
    struct share share = {0, 0};
    str have = str_of(work->finding->have);
    out->unit = subject->branches ? "branches" : subject->changed ? "changed lines" : "lines";
    (void)number_u64(str_cut(&have, '/'), &share.covered);
    (void)number_u64(have, &share.total);
    if (subject->changed)
        take_changed(work);
    else
        take_files(work, subject);
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, by_missing);
    uint64_t needed = share_needed(share.total, subject->limit);
    if (work->finding->verdict != VERDICT_PASS && needed > share.covered)
        out->needed = needed - share.covered;
    count_enough(out);
}

// ---- the rest
// -----------------------------------------------------------------------------------------
static void explain_tests(struct work *work)
{
    const struct tests *tests = &work->gate->evidence.tests;
    work->out->unit = "failed tests";
    for (size_t i = 0; i < tests->count; i++) {
        const struct test_case *one = &tests->cases[i];
        if (one->result != TEST_FAILED && one->result != TEST_ERROR)
            continue;
        struct explained_item *item = add_item(work, test_identity(work->arena, one));
        item->note = one->message.len ? arena_copy(work->arena, one->message) : NULL;
        add_source(work, item, one->report, one->offset, one->offset);
    }
}

static void explain_risks(struct work *work)
{
    const struct decision *decision = &work->gate->decision;
    work->out->unit = "risks";
    for (size_t i = 0; i < work->gate->risks.risks.count; i++) {
        const struct risk *risk = risk_register_at(&work->gate->risks, i);
        if (!risk_counts(risk, decision->time_ms / MS_DAY))
            continue;
        struct explained_item *item =
            add_item(work, arena_format(work->arena, STR_FMT ": " STR_FMT, STR_ARG(risk->id),
                                        STR_ARG(risk->title))
                               .data);
        item->note =
            arena_format(work->arena, "exposure %llu = likelihood %lld x impact %lld x weight %lld",
                         (unsigned long long)risk_exposure(risk), (long long)risk->likelihood,
                         (long long)risk->impact, (long long)risk->weight)
                .data;
        item->sources = ARENA_NEW(work->arena, struct explained_source);
        item->source_count = 1;
        *item->sources = (struct explained_source){.report = decision->register_path,
                                                   .sha256 = decision->register_sha256,
                                                   .line = risk->at.line};
    }
}

static void explain_reports(struct work *work)
{
    const struct evidence *evidence = &work->gate->evidence;
    work->out->unit = "reports";
    for (size_t i = 0; i < evidence->report_count; i++) {
        const struct report *report = &evidence->reports[i];
        const char *shown = report_shown(work->arena, report);
        if (!strstr(work->finding->id, shown))
            continue;
        struct explained_item *item = add_item(work, shown);
        item->note = report->error.kind != ERROR_NONE ? report->error.message : NULL;
        add_source(work, item, (uint32_t)i, 0, report->size_bytes);
    }
}

// ---- lines of the reports
// ---------------------------------------------------------------------------
static bool trace_report(struct work *work, const struct report *report, struct error *err)
{
    struct explanation *out = work->out;
    size_t count = 0, room = 0;
    struct trace *traces = NULL;
    bool same;
    for (size_t i = 0; i < out->count; i++)
        for (size_t k = 0; k < out->items[i].source_count; k++) {
            if (out->items[i].sources[k].sha256 != report->sha256)
                continue;
            traces = arena_grow(work->arena, traces, count, &room, sizeof *traces);
            traces[count++] = (struct trace){out->items[i].sources[k].from, 0};
        }
    if (count == 0)
        return true;
    const char *path = arena_format(work->arena, "%s%s", work->root, report->path).data;
    if (!trace_lines(path, report->sha256, traces, count, &same, err))
        return false;
    for (size_t i = 0; i < out->count; i++)
        for (size_t k = 0; k < out->items[i].source_count; k++) {
            struct explained_source *source = &out->items[i].sources[k];
            if (source->sha256 != report->sha256)
                continue;
            source->changed = !same;
            if (same)
                source->line = trace_line(traces, count, source->from);
        }
    return true;
}

static bool unknown(struct arena *arena, const struct gate *gate, const char *id, struct error *err)
{
    const struct findings *findings = &gate->decision.findings;
    str list = STR("");
    for (size_t i = 0; i < findings->count && i < 10; i++)
        list = arena_format(arena, STR_FMT "%s%s", STR_ARG(list), i ? ", " : "",
                            findings->items[i].id);
    return error_set(err, ERROR_ABSENT, "there is no finding `%s`; there are: %s%s", id, list.data,
                     findings->count > 10 ? ", …" : "");
}

bool explain_finding(struct arena *arena, const struct gate *gate, const char *root, const char *id,
                     size_t most, struct explanation *ret, struct error *err)
{
    struct explanation out = {.finding = finding_find(&gate->decision.findings, id), .unit = ""};
    struct work work = {
        .arena = arena, .gate = gate, .root = root, .finding = out.finding, .out = &out};
    if (!out.finding)
        return unknown(arena, gate, id, err);
    work.scope = scope_make(arena, &gate->input);
    struct subject subject = find_subject(&work);
    if (subject.found)
        explain_coverage(&work, &subject);
    else if (strcmp(out.finding->rule, "tests") == 0)
        explain_tests(&work);
    else if (strcmp(out.finding->rule, "risk") == 0)
        explain_risks(&work);
    else
        explain_reports(&work);
    out.all = out.count;
    if (out.count > most)
        out.count = most;
    for (size_t i = 0; i < gate->evidence.report_count; i++) {
        const struct report *report = &gate->evidence.reports[i];
        if (!report->entry && report->sha256[0] && !trace_report(&work, report, err))
            return false;
    }
    *ret = out;
    return true;
}

const char *explain_command(struct arena *arena, const struct decision *decision)
{
    char time[MOMENT_TEXT];
    (void)moment_format(decision->time_ms, time);
    str base = decision->base ? arena_format(arena, " --base %s", decision->base) : STR("");
    str config = strcmp(decision->policy_path, POLICY_PATH) == 0
                     ? STR("")
                     : arena_format(arena, " --config %s", decision->policy_path);
    return arena_format(arena, "sluice gate" STR_FMT STR_FMT " --at %s", STR_ARG(base),
                        STR_ARG(config), time)
        .data;
}
