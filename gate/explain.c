#include "gate/explain.h"

#include "gate/base/moment.h"
#include "gate/explain_parts.h"
#include "gate/rules/scope.h"
#include "gate/trace.h"

#define WAIVER_DAYS 30 // that a waiver is proposed for

// ---- for the files of each family --------------------------------------------------------------
struct explained_item *explain_item(struct explaining *e, const char *name)
{
    struct explanation *out = e->out;
    out->items = arena_grow(e->arena, out->items, out->count, &e->room, sizeof *out->items);
    struct explained_item *item = &out->items[out->count++];
    *item = (struct explained_item){.name = name};
    return item;
}

static void add_source(struct explaining *e, struct explained_item *item,
                       struct explained_source source)
{
    struct explained_source *grown =
        ARENA_ARRAY(e->arena, struct explained_source, item->source_count + 1);
    if (item->source_count)
        memcpy(grown, item->sources, item->source_count * sizeof *grown);
    grown[item->source_count++] = source;
    item->sources = grown;
}

void explain_source(struct explaining *e, struct explained_item *item, uint32_t report,
                    uint64_t from, uint64_t to)
{
    const struct report *one = &e->gate->evidence.reports[report];
    add_source(
        e, item,
        (struct explained_source){
            .report = report_shown(e->arena, one), .sha256 = one->sha256, .from = from, .to = to});
}

void explain_file(struct explaining *e, struct explained_item *item, const char *path,
                  const char *sha256, uint32_t line)
{
    add_source(e, item, (struct explained_source){.report = path, .sha256 = sha256, .line = line});
}

str explain_subject(const struct explaining *e)
{
    str id = str_of(e->finding->id);
    size_t open = str_find(id, '['), close = str_find_last(id, ']');
    if (open == STR_NONE || close == STR_NONE || close < open)
        return (str){"", 0};
    return str_make(id.data + open + 1, close - open - 1);
}

const char *explain_names(struct explaining *e, size_t count, size_t most)
{
    struct text text = text_of(4096);
    for (size_t i = 0; i < count && i < most; i++)
        text_addf(&text, "%s" STR_FMT, i ? ", " : "",
                  STR_ARG(str_shorten(str_of(e->out->items[i].name), 300)));
    if (count > most)
        text_addf(&text, " and %zu more", count - most);
    const char *names = arena_copy(e->arena, text_str(&text));
    text_done(&text);
    return names;
}

// ---- waivers -----------------------------------------------------------------------------------
// The waiver that lets it pass.
static void add_waiver(struct explaining *e)
{
    const struct finding *finding = e->finding;
    const struct waivers *waivers = e->gate->input.waivers;
    const struct companion *file = &e->gate->companions[COMPANION_WAIVERS];
    const struct waiver *items = waivers ? waivers->items.items : NULL;
    for (size_t i = 0; finding->waived_by && waivers && i < waivers->items.count; i++) {
        bool fits = waiver_word_fits(items[i].finding, str_of(finding->id));
        for (size_t k = 0; !fits && k < finding->name_count; k++)
            fits = waiver_word_fits(items[i].finding, finding->names[k]);
        if (!fits || !str_is(items[i].approved_by, finding->waived_by))
            continue;
        struct explained_item *item =
            explain_item(e, arena_format(e->arena, "waiver of " STR_FMT ", approved by " STR_FMT,
                                         STR_ARG(items[i].finding), STR_ARG(items[i].approved_by))
                                .data);
        item->note = arena_copy(e->arena, items[i].reason);
        e->out->all++;
        explain_file(e, item, file->path, file->sha256, items[i].at.line);
        return;
    }
}

// The narrowest waiver that would do: of one file when the finding is about one.
static void propose_waiver(struct explaining *e)
{
    const struct finding *finding = e->finding;
    struct explanation *out = e->out;
    str subject = explain_subject(e);
    if (finding->verdict == VERDICT_PASS || strcmp(finding->rule, "policy") == 0 ||
        strcmp(finding->rule, "waivers") == 0)
        return;
    out->waiver = finding->id;
    out->scope = "**";
    if (finding->name_count && subject.len)
        out->waiver = arena_copy(e->arena, subject);
    if (finding->where_count && !finding->where_more && *finding->where[0].path)
        out->scope = finding->where[0].path;
    for (size_t i = 1; i < finding->where_count; i++)
        if (strcmp(finding->where[i].path, out->scope) != 0)
            out->scope = "**";
    out->waiver_until_days = e->gate->decision.time_ms / MS_DAY + WAIVER_DAYS;
    out->waivers_path = e->gate->companions[COMPANION_WAIVERS].path;
}

// ---- lines of the reports -----------------------------------------------------------------------
static bool trace_report(struct explaining *e, const char *root, const struct report *report,
                         struct error *err)
{
    struct explanation *out = e->out;
    size_t count = 0, room = 0;
    struct trace *traces = NULL;
    bool same;
    for (size_t i = 0; i < out->count; i++)
        for (size_t k = 0; k < out->items[i].source_count; k++) {
            if (out->items[i].sources[k].sha256 != report->sha256)
                continue;
            traces = arena_grow(e->arena, traces, count, &room, sizeof *traces);
            traces[count++] = (struct trace){out->items[i].sources[k].from, 0};
        }
    if (count == 0)
        return true;
    const char *path = arena_format(e->arena, "%s%s", root, report->path).data;
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

static void explain_by_family(struct explaining *e)
{
    static const struct {
        const char *rule;
        void (*explain)(struct explaining *e);
    } rows[] = {
        {"tests", explain_tests},
        {"vulnerabilities", explain_vulnerabilities},
        {"performance", explain_performance},
        {"evidence", explain_reports},
        {"upgrades", explain_upgrades},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].rule, e->finding->rule) == 0) {
            rows[i].explain(e);
            return;
        }
    if (strcmp(e->finding->rule, "risk") == 0)
        explain_risks(e);
    if (e->out->count == 0)
        explain_exceptions(e);
}

bool explain_finding(struct arena *arena, const struct gate *gate, const char *root, const char *id,
                     size_t most, struct explanation *ret, struct error *err)
{
    struct explanation out = {.finding = finding_find(&gate->decision.findings, id), .unit = ""};
    struct explaining e = {
        .arena = arena, .gate = gate, .finding = out.finding, .out = &out, .most = most};
    if (!out.finding)
        return unknown(arena, gate, id, err);
    e.context = (struct rule_context){.in = &gate->input,
                                      .scope = scope_make(arena, &gate->input),
                                      .today_days = gate->input.now_ms / MS_DAY};
    if (!explain_coverage(&e))
        explain_by_family(&e);
    if (!out.way && out.finding->judged > VERDICT_PASS && !out.finding->waived_by)
        out.way = out.finding->advice;
    propose_waiver(&e);
    out.all = out.count;
    if (out.count > most)
        out.count = most;
    add_waiver(&e);
    for (size_t i = 0; i < gate->evidence.report_count; i++) {
        const struct report *report = &gate->evidence.reports[i];
        if (!report->entry && report->sha256[0] && !trace_report(&e, root, report, err))
            return false;
    }
    *ret = out;
    return true;
}

const char *explain_command(struct arena *arena, const struct decision *decision)
{
    char time[MOMENT_TEXT];
    (void)moment_format(decision->time_ms, time);
    str base = decision->base && decision->change
                   ? arena_format(arena, " --base %s", decision->base)
                   : STR(""); // a release is judged by its parent
    str config = strcmp(decision->policy_path, POLICY_PATH) == 0
                     ? STR("")
                     : arena_format(arena, " --config %s", decision->policy_path);
    return arena_format(arena, "sluice gate" STR_FMT STR_FMT " --at %s", STR_ARG(base),
                        STR_ARG(config), time)
        .data;
}

const char *explain_command_elsewhere(struct arena *arena, const struct decision *decision)
{
    if (!decision->commit)
        return NULL;
    return arena_format(arena, "git fetch origin %s && git checkout --detach %s && %s",
                        decision->commit, decision->commit, explain_command(arena, decision))
        .data;
}
