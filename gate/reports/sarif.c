// SARIF 2.1: what static analysis and many scanners write.
#include "gate/base/limits.h"
#include "gate/base/moment.h"
#include "gate/reports/registry.h"
#include "gate/reports/sarif_places.h"
#include "gate/reports/sarif_run.h"

enum suppression { SUPPRESSION_NONE, SUPPRESSION_ACCEPTED, SUPPRESSION_OPEN };

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct json_walk *walk;
    bool has_runs;
    uint64_t runs, unscanned, elsewhere, inlined, unnamed;

    struct sarif_run run;
    bool has_results, has_external;
    struct text tool, tool_version;
    bool semantic;
    int component;      // whose rules are read: -1 = the driver
    int64_t rule_index; // of the next rule
    enum severity rated;
    struct vulnerability_draft rule;

    struct vulnerability_draft draft;
    struct sarif_result result;
    struct text result_base;
    uint64_t offset;
    unsigned locations;
    bool is_finding, is_gone, is_undecided;
    enum suppression suppression;
    bool accepted; // of the suppression that is read

    struct text base_name, base_uri, base_base;

    bool failed, note_failed;
    struct text note, failure;
};

static struct report *report_of(struct reading *r)
{
    return &r->evidence->reports[r->report];
}

// ---- beginnings ---------------------------------------------------------------------------------

static void begin_run(struct reading *r)
{
    r->runs++;
    sarif_run_begin(&r->run, r->evidence);
    r->has_results = r->has_external = r->semantic = false;
    r->component = -1;
    text_clear(&r->tool);
    text_clear(&r->tool_version);
}

static void begin_result(struct reading *r, uint64_t offset)
{
    draft_clear(&r->draft);
    r->result =
        (struct sarif_result){.rule_index = -1, .component = -1, .artifact = -1, .rated = false};
    text_clear(&r->result_base);
    r->offset = offset;
    r->locations = 0;
    r->is_finding = true;
    r->is_gone = r->is_undecided = false;
    r->suppression = SUPPRESSION_NONE;
}

static void begin_place(struct reading *r, str name)
{
    text_clear(&r->base_name);
    text_add(&r->base_name, name);
    text_clear(&r->base_uri);
    text_clear(&r->base_base);
}

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)err;
    switch (place) {
    case SARIF_RUNS:
        r->has_runs = true;
        break;
    case SARIF_RUN:
        begin_run(r);
        break;
    case SARIF_DRIVER:
    case SARIF_EXTENSIONS:
        r->component = -1;
        break;
    case SARIF_EXTENSION:
        r->component++;
        break;
    case SARIF_RULES:
        r->rule_index = 0;
        break;
    case SARIF_RULE:
        draft_clear(&r->rule);
        r->rated = SEVERITY_UNKNOWN;
        break;
    case SARIF_RESULTS:
        r->has_results = true;
        break;
    case SARIF_EXTERNAL_RESULTS:
        r->has_external = true;
        break;
    case SARIF_RESULT:
        begin_result(r, event->offset);
        break;
    case SARIF_LOCATION:
        r->locations++;
        break;
    case SARIF_SUPPRESSION:
        r->accepted = true; // when it says nothing else
        break;
    case SARIF_BASE:
    case SARIF_ARTIFACT:
        begin_place(r, key);
        break;
    case SARIF_INVOCATION:
        r->failed = false;
        text_clear(&r->failure);
        break;
    case SARIF_NOTE:
        r->note_failed = false;
        text_clear(&r->note);
        break;
    case SARIF_INLINE_RESULT:
        r->inlined++;
        break;
    default:
        break;
    }
    return true;
}

// ---- values -------------------------------------------------------------------------------------

// Tags and properties are searched for names only when they are short: a long one is prose, which
// may speak of other flaws.
static void read_tag(struct vulnerability_draft *draft, const struct json_event *event)
{
    enum { TAG_MAX = 64 };
    if (event->type == JSON_STRING && event->text.len <= TAG_MAX)
        draft_aliases_in(draft, event->text);
}

static bool rule_value(struct reading *r, int place, const struct json_event *event,
                       struct error *err)
{
    switch (place) {
    case SARIF_RULE_ID:
        draft_set(&r->rule, DRAFT_ID, event->text);
        draft_aliases_in(&r->rule, event->text);
        return true;
    case SARIF_RULE_NAME:
        draft_aliases_in(&r->rule, event->text);
        return true;
    case SARIF_RULE_TEXT:
        draft_set(&r->rule, DRAFT_TITLE, event->text);
        return true;
    case SARIF_RULE_LEVEL:
        r->rule.severity = severity_of(event->text);
        return true;
    case SARIF_RULE_SCORE:
        return draft_rating(event, "`security-severity`", &r->rule.cvss, &r->rated, err);
    default:
        read_tag(&r->rule, event);
        return true;
    }
}

static void read_kind(struct reading *r, str kind)
{
    if (same_word(kind, STR("pass")) || same_word(kind, STR("notApplicable")) ||
        same_word(kind, STR("informational")))
        r->is_finding = false;
    if (same_word(kind, STR("open")) || same_word(kind, STR("review")))
        r->is_undecided = true;
}

static bool result_value(struct reading *r, int place, const struct json_event *event,
                         struct error *err)
{
    enum severity rated = SEVERITY_UNKNOWN;
    int64_t component = -1;
    switch (place) {
    case SARIF_REFERENCE_ID:
        draft_set(&r->draft, DRAFT_ID, event->text);
        draft_aliases_in(&r->draft, event->text);
        return true;
    case SARIF_REFERENCE_INDEX:
        return draft_index(event, &r->result.rule_index, err);
    case SARIF_COMPONENT_INDEX:
        if (!draft_index(event, &component, err))
            return false;
        r->result.component = (int)component;
        return true;
    case SARIF_LEVEL:
        r->result.level = severity_of(event->text);
        return true;
    case SARIF_KIND:
        read_kind(r, event->text);
        return true;
    case SARIF_BASELINE:
        r->is_gone = same_word(event->text, STR("absent"));
        return true;
    case SARIF_MESSAGE_TEXT:
        draft_set(&r->draft, DRAFT_TITLE, event->text);
        return true;
    case SARIF_SCORE:
        if (!draft_rating(event, "`security-severity`", &r->draft.cvss, &rated, err))
            return false;
        r->result.rated = rated != SEVERITY_UNKNOWN || r->draft.cvss != SCORE_UNKNOWN;
        r->draft.severity = rated;
        return true;
    default:
        read_tag(&r->draft, event);
        return true;
    }
}

// The first location is where it is shown; all of them are one finding.
static bool location_value(struct reading *r, int place, const struct json_event *event,
                           struct error *err)
{
    if (r->locations > 1)
        return true;
    switch (place) {
    case SARIF_AT_URI:
        draft_set(&r->draft, DRAFT_PATH, event->text);
        return true;
    case SARIF_AT_BASE:
        text_clear(&r->result_base);
        text_add(&r->result_base, event->text);
        return true;
    case SARIF_AT_INDEX:
        return draft_index(event, &r->result.artifact, err);
    default:
        return draft_line(&r->draft, event, err);
    }
}

static void run_value(struct reading *r, int place, const struct json_event *event)
{
    int64_t at_ms;
    struct text *text = NULL;
    switch (place) {
    case SARIF_TOOL_NAME:
        text = &r->tool;
        break;
    case SARIF_TOOL_SEMANTIC:
        r->semantic = true;
        text = &r->tool_version;
        break;
    case SARIF_TOOL_VERSION:
        text = r->semantic ? NULL : &r->tool_version;
        break;
    case SARIF_BASE_URI:
        text = &r->base_uri;
        break;
    case SARIF_BASE_BASE:
        text = &r->base_base;
        break;
    case SARIF_NOTE_TEXT:
        text = &r->note;
        break;
    case SARIF_NOTE_LEVEL:
        r->note_failed = same_word(event->text, STR("error"));
        break;
    case SARIF_START_FAILURE:
        r->failed = true;
        text = &r->failure;
        break;
    case SARIF_SUCCESS:
        r->failed |= event->type == JSON_FALSE;
        break;
    case SARIF_END_TIME:
        if (moment_parse(event->text, &at_ms) && at_ms > report_of(r)->made_ms)
            report_of(r)->made_ms = at_ms;
        break;
    default:
        break;
    }
    if (text) {
        text_clear(text);
        text_add(text, event->text);
    }
}

static bool on_value(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key;
    if (event->type == JSON_NULL) {
        r->has_runs |= place == SARIF_RUNS;
        return true;
    }
    if (place == SARIF_VERSION && !str_starts(event->text, STR("2.1")))
        return error_set(err, ERROR_INPUT, "this is SARIF " STR_FMT ", and only 2.1 is read",
                         STR_ARG(str_shorten(event->text, 40)));
    if (place >= SARIF_RULE_ID && place <= SARIF_RULE_TAG)
        return rule_value(r, place, event, err);
    if (place == SARIF_SUPPRESSION_STATUS)
        r->accepted = same_word(event->text, STR("accepted"));
    else if (place == SARIF_SUPPRESSION_WHY)
        draft_set(&r->draft, DRAFT_WHY, event->text);
    else if (place >= SARIF_LOCATIONS && place <= SARIF_START_LINE)
        return location_value(r, place, event, err);
    else if (place >= SARIF_RESULT && place <= SARIF_TAG)
        return result_value(r, place, event, err);
    else
        run_value(r, place, event);
    return true;
}

// ---- ends ---------------------------------------------------------------------------------------

static bool end_rule(struct reading *r, struct error *err)
{
    // A short description names the flaw where nothing else does ("CVE-2011-3374 in apt").
    if (r->rule.aliases.len == 0)
        read_tag(&r->rule, &(struct json_event){.type = JSON_STRING,
                                                .text = draft_get(&r->rule, DRAFT_TITLE)});
    return sarif_run_rule(&r->run, &r->rule, r->rated, r->component, r->rule_index++, err);
}

static bool end_result(struct reading *r, struct error *err)
{
    if (!r->is_finding || r->is_gone)
        return true;
    if (!draft_has(&r->draft, DRAFT_ID))
        draft_set(&r->draft, DRAFT_ID, STR(SARIF_NO_RULE));
    if (r->is_undecided && r->result.level == SEVERITY_UNKNOWN)
        r->result.level = SEVERITY_NONE;
    r->draft.suppressed = r->suppression == SUPPRESSION_ACCEPTED;
    if (!r->draft.suppressed)
        draft_set(&r->draft, DRAFT_WHY, STR(""));
    r->result.base = text_str(&r->result_base);
    if (!draft_take(&r->draft, r->evidence, r->report, r->offset, err))
        return false;
    sarif_run_result(&r->run, &r->result);
    return true;
}

static void end_invocation(struct reading *r)
{
    str sentence = text_str(&r->failure);
    if (!r->failed)
        return;
    if (sentence.len == 0)
        sentence = STR("it says `executionSuccessful` false");
    report_scanner_failed(r->evidence, report_of(r), sentence);
}

static void end_note(struct reading *r)
{
    if (!r->note_failed)
        return;
    if (r->failure.len == 0)
        text_add(&r->failure,
                 r->note.len ? text_str(&r->note) : STR("it notifies of an error without a text"));
    r->failed = true;
}

static void end_run(struct reading *r)
{
    const struct vulnerabilities *all = &r->evidence->vulnerabilities;
    sarif_run_settle(&r->run, r->evidence);
    for (size_t i = r->run.first; i < all->count; i++)
        r->unnamed += str_is(all->items[i].id, SARIF_NO_RULE);
    r->elsewhere += r->has_external;
    r->unscanned += !r->has_results && !r->has_external;
    if (!report_of(r)->tool)
        report_tool(r->evidence, report_of(r), text_str(&r->tool), text_str(&r->tool_version));
    sarif_run_done(&r->run);
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    (void)event;
    switch (place) {
    case SARIF_RULE:
        return end_rule(r, err);
    case SARIF_RESULT:
        return end_result(r, err);
    case SARIF_SUPPRESSION: // one that is not accepted outweighs all others
        r->suppression = r->accepted && r->suppression != SUPPRESSION_OPEN ? SUPPRESSION_ACCEPTED
                                                                           : SUPPRESSION_OPEN;
        return true;
    case SARIF_BASE:
        sarif_run_base(&r->run, text_str(&r->base_name), text_str(&r->base_uri),
                       text_str(&r->base_base));
        return true;
    case SARIF_ARTIFACT:
        return sarif_run_artifact(&r->run, text_str(&r->base_uri), text_str(&r->base_base), err);
    case SARIF_INVOCATION:
        end_invocation(r);
        return true;
    case SARIF_NOTE:
        end_note(r);
        return true;
    case SARIF_RUN:
        end_run(r);
        return true;
    default:
        return true;
    }
}

// ---- the reader ---------------------------------------------------------------------------------

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    static const struct json_walk_handler handler = {on_begin, on_value, on_end};
    struct reading *r = memory_alloc(sizeof *r);
    struct text *const texts[] = {&r->tool,     &r->tool_version, &r->result_base, &r->base_name,
                                  &r->base_uri, &r->base_base,    &r->note,        &r->failure};
    (void)err;
    r->evidence = evidence;
    r->report = report;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = text_of(LIMIT_TOKEN_BYTES);
    draft_clear(&r->rule);
    draft_clear(&r->draft);
    r->walk = json_walk_open(evidence->reports[report].path, sarif_steps, &handler, r);
    *ret = r;
    return true;
}

static bool feed_reading(struct reading *r, str bytes, struct error *err)
{
    return json_walk_feed(r->walk, bytes, err);
}

static bool end_reading(struct reading *r, struct error *err)
{
    if (!json_walk_end(r->walk, err))
        return false;
    if (!r->has_runs)
        return error_set(err, ERROR_INPUT, "there is no `runs`: this is no SARIF");
    struct report *report = report_of(r);
    if (r->runs == 0)
        report_nothing_audited(r->evidence, report, "there is no run in it");
    else if (r->unscanned == r->runs)
        report_nothing_audited(r->evidence, report,
                               "no run has a list of results, not even an empty one");
    else if (r->unscanned)
        report_suspect(r->evidence, report,
                       "%llu of %llu runs have no list of results: they scanned nothing",
                       (unsigned long long)r->unscanned, (unsigned long long)r->runs);
    if (r->elsewhere)
        report_nothing_audited(r->evidence, report,
                               "results stand in other files (externalPropertyFileReferences)");
    if (r->inlined)
        report_suspect(r->evidence, report,
                       "results that stand in inlineExternalProperties are not read: %llu",
                       (unsigned long long)r->inlined);
    if (r->unnamed)
        report_suspect(r->evidence, report, "results without a rule: %llu",
                       (unsigned long long)r->unnamed);
    return true;
}

static void close_reading(struct reading *r)
{
    struct text *const texts[] = {&r->tool,     &r->tool_version, &r->result_base, &r->base_name,
                                  &r->base_uri, &r->base_base,    &r->note,        &r->failure};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        text_done(texts[i]);
    json_walk_close(r->walk);
    sarif_run_done(&r->run);
    draft_done(&r->rule);
    draft_done(&r->draft);
    memory_free(r);
}

const struct report_reader sarif_reader = {
    .name = "sarif",
    .title = "SARIF",
    .form = REPORT_JSON,
    .kind = EVIDENCE_VULNERABILITIES,
    .recognise = sarif_recognise,
    .open = open_reading,
    .feed = feed_reading,
    .end = end_reading,
    .close = close_reading,
};
