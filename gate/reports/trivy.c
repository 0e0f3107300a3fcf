// Trivy's JSON: schema 2, the list that came before it, and the reports of a cluster.
#include "gate/base/limits.h"
#include "gate/base/moment.h"
#include "gate/base/number.h"
#include "gate/reports/ecosystem.h"
#include "gate/reports/json_walk.h"
#include "gate/reports/registry.h"
#include "gate/reports/vendor_scores.h"

enum {
    ROOT = 1,
    SCHEMA,
    CREATED,
    TOOL,
    TOOL_VERSION,
    RESOURCES,
    RESOURCE,
    RESOURCE_ERROR,
    RESULTS,
    RESULT,
    TARGET,
    TYPE,
    SUMMARY,
    FAILURES,
    VULNERABILITIES,
    CHECKS,
    SECRETS,
    LICENSES,
    CHANGES,
    CHANGE,
    STATEMENT,
    SOURCE,
    ENTRY,
    ENTRY_ID,
    LICENSE,
    ALIAS,
    ALIASES,
    PACKAGE,
    PACKAGE_PATH,
    VERSION,
    FIXED,
    STATUS,
    SEVERITY,
    SEVERITY_SOURCE,
    TITLE,
    MESSAGE,
    IDENTIFIER,
    PURL,
    CVSS,
    VENDOR,
    SCORE,
    VECTOR,
    CAUSE,
    START_LINE,
};

static const struct json_step steps[] = {
    {ROOT, NULL, RESULT | JSON_IS_MAP}, // the list of old
    {ROOT, "SchemaVersion", SCHEMA | JSON_IS_NUMBER},
    {ROOT, "CreatedAt", CREATED},
    {ROOT, "Trivy", TOOL | JSON_IS_MAP},
    {TOOL, "Version", TOOL_VERSION | JSON_IS_TEXT},
    {ROOT, "Results", RESULTS | JSON_IS_LIST},
    {ROOT, "Resources", RESOURCES | JSON_IS_LIST},
    {ROOT, "Findings", RESOURCES | JSON_IS_LIST},
    {ROOT, "Vulnerabilities", RESOURCES | JSON_IS_LIST},
    {ROOT, "Misconfigurations", RESOURCES | JSON_IS_LIST},
    {RESOURCES, NULL, RESOURCE | JSON_IS_MAP},
    {RESOURCE, "Error", RESOURCE_ERROR | JSON_IS_TEXT},
    {RESOURCE, "Results", RESULTS | JSON_IS_LIST},
    {RESULTS, NULL, RESULT | JSON_IS_MAP},
    {RESULT, "Target", TARGET | JSON_IS_TEXT},
    {RESULT, "Type", TYPE | JSON_IS_TEXT},
    {RESULT, "MisconfSummary", SUMMARY | JSON_IS_MAP},
    {SUMMARY, "Failures", FAILURES | JSON_IS_NUMBER},
    {RESULT, "Vulnerabilities", VULNERABILITIES | JSON_IS_LIST},
    {RESULT, "Misconfigurations", CHECKS | JSON_IS_LIST},
    {RESULT, "Secrets", SECRETS | JSON_IS_LIST},
    {RESULT, "Licenses", LICENSES | JSON_IS_LIST},
    {RESULT, "ExperimentalModifiedFindings", CHANGES | JSON_IS_LIST},
    {VULNERABILITIES, NULL, ENTRY | JSON_IS_MAP},
    {CHECKS, NULL, ENTRY | JSON_IS_MAP},
    {SECRETS, NULL, ENTRY | JSON_IS_MAP},
    {LICENSES, NULL, ENTRY | JSON_IS_MAP},
    {CHANGES, NULL, CHANGE | JSON_IS_MAP},
    {CHANGE, "Statement", STATEMENT | JSON_IS_TEXT},
    {CHANGE, "Status", SOURCE | JSON_IS_TEXT},
    {CHANGE, "Finding", ENTRY | JSON_IS_MAP},
    {ENTRY, "VulnerabilityID", ENTRY_ID | JSON_IS_TEXT},
    {ENTRY, "ID", ENTRY_ID | JSON_IS_TEXT},
    {ENTRY, "RuleID", ENTRY_ID | JSON_IS_TEXT},
    {ENTRY, "Name", LICENSE | JSON_IS_TEXT},
    {ENTRY, "AVDID", ALIAS | JSON_IS_TEXT},
    {ENTRY, "VendorIDs", ALIASES | JSON_IS_LIST},
    {ALIASES, NULL, ALIAS | JSON_IS_TEXT},
    {ENTRY, "PkgName", PACKAGE | JSON_IS_TEXT},
    {ENTRY, "PkgPath", PACKAGE_PATH | JSON_IS_TEXT},
    {ENTRY, "FilePath", PACKAGE_PATH | JSON_IS_TEXT},
    {ENTRY, "InstalledVersion", VERSION | JSON_IS_TEXT},
    {ENTRY, "FixedVersion", FIXED | JSON_IS_TEXT},
    {ENTRY, "Status", STATUS | JSON_IS_TEXT},
    {ENTRY, "Severity", SEVERITY | JSON_IS_TEXT},
    {ENTRY, "SeveritySource", SEVERITY_SOURCE | JSON_IS_TEXT},
    {ENTRY, "Title", TITLE | JSON_IS_TEXT},
    {ENTRY, "Message", MESSAGE | JSON_IS_TEXT},
    {ENTRY, "StartLine", START_LINE | JSON_IS_NUMBER},
    {ENTRY, "PkgIdentifier", IDENTIFIER | JSON_IS_MAP},
    {IDENTIFIER, "PURL", PURL | JSON_IS_TEXT},
    {ENTRY, "CauseMetadata", CAUSE | JSON_IS_MAP},
    {CAUSE, "StartLine", START_LINE | JSON_IS_NUMBER},
    {ENTRY, "CVSS", CVSS | JSON_IS_MAP},
    {CVSS, "*", VENDOR | JSON_IS_MAP},
    {VENDOR, "V2Score", SCORE | JSON_IS_NUMBER},
    {VENDOR, "V3Score", SCORE | JSON_IS_NUMBER},
    {VENDOR, "V40Score", SCORE | JSON_IS_NUMBER},
    {VENDOR, "V2Vector", VECTOR | JSON_IS_TEXT},
    {VENDOR, "V3Vector", VECTOR | JSON_IS_TEXT},
    {VENDOR, "V40Vector", VECTOR | JSON_IS_TEXT},
    {0}};

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct json_walk *walk;
    uint64_t results;
    uint64_t failures, listed_failures; // where the two are not the same

    struct text target, type;
    size_t first; // entry of this result
    uint64_t result_failures, result_listed;
    bool has_summary;

    int list; // which one an entry stands in
    struct vulnerability_draft draft;
    uint64_t offset;
    bool failed_check, is_finding, has_message;
    struct text severity_source;
    struct vendor_scores scores;
    struct text statement, status; // of a change
};

static struct report *report_of(struct reading *r)
{
    return &r->evidence->reports[r->report];
}

static void set_text(struct text *text, str s)
{
    text_clear(text);
    text_add(text, s);
}

static void begin_result(struct reading *r)
{
    r->first = r->evidence->vulnerabilities.count;
    r->result_failures = r->result_listed = 0;
    r->has_summary = false;
    text_clear(&r->target);
    text_clear(&r->type);
}

static void begin_entry(struct reading *r, uint64_t offset)
{
    draft_clear(&r->draft);
    r->offset = offset;
    r->is_finding = true;
    r->has_message = false;
    r->failed_check = r->list == CHECKS;
    r->draft.suppressed = r->list == CHANGES;
    vendor_scores_clear(&r->scores);
    text_clear(&r->severity_source);
}

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)err;
    switch (place) {
    case RESULT:
        begin_result(r);
        break;
    case VULNERABILITIES:
    case CHECKS:
    case SECRETS:
    case LICENSES:
    case CHANGES:
        r->list = place;
        break;
    case CHANGE:
        text_clear(&r->statement);
        text_clear(&r->status);
        break;
    case ENTRY:
        begin_entry(r, event->offset);
        break;
    case VENDOR:
        vendor_scores_vendor(&r->scores, key);
        break;
    default:
        break;
    }
    return true;
}

static unsigned version_of(str key) // "V3Score"
{
    if (str_starts(key, STR("V2")))
        return 200;
    return str_starts(key, STR("V40")) ? 400 : 300;
}

// Of a vulnerability or of a check: both are called Status.
static void read_status(struct reading *r, str status)
{
    if (r->failed_check) {
        r->is_finding = !same_word(status, STR("PASS"));
        r->failed_check = r->is_finding && !same_word(status, STR("EXCEPTION"));
        r->draft.suppressed |= r->is_finding && !r->failed_check;
    }
    if (same_word(status, STR("fixed")))
        r->draft.fix = FIX_AVAILABLE;
    if (same_word(status, STR("affected")) || same_word(status, STR("will_not_fix")) ||
        same_word(status, STR("fix_deferred")) || same_word(status, STR("end_of_life")))
        r->draft.fix = FIX_NONE;
}

static bool vendor_value(struct reading *r, int place, str key, const struct json_event *event,
                         struct error *err)
{
    double score = 0;
    if (place == VECTOR)
        vendor_scores_vector(&r->scores, version_of(key), event->text);
    else if (!draft_number(event, "a CVSS score", 10, &score, err))
        return false;
    else
        vendor_scores_score(&r->scores, version_of(key), score);
    return true;
}

static void entry_text(struct reading *r, int place, str key, str text)
{
    static const struct {
        int place;
        enum draft_field field;
    } fields[] = {{PACKAGE, DRAFT_PACKAGE}, {PACKAGE_PATH, DRAFT_PATH}, {VERSION, DRAFT_VERSION}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].place == place)
            draft_set(&r->draft, fields[i].field, text);
    switch (place) {
    case ENTRY_ID:
        draft_set(&r->draft, DRAFT_ID, text);
        break;
    case LICENSE:
        if (!draft_has(&r->draft, DRAFT_ID))
            draft_set(&r->draft, DRAFT_ID, text);
        break;
    case ALIAS:
        if (str_is(key, "AVDID") || is_flaw_name(text))
            draft_alias(&r->draft, text);
        break;
    case FIXED:
        for (str rest = text; rest.len;)
            draft_fixed(&r->draft, str_cut(&rest, ','));
        break;
    case SEVERITY:
        r->draft.severity = severity_of(text);
        break;
    case SEVERITY_SOURCE:
        set_text(&r->severity_source, text);
        break;
    case MESSAGE:
        r->has_message = text.len > 0;
        if (r->has_message)
            draft_set(&r->draft, DRAFT_TITLE, text);
        break;
    case TITLE:
        if (!r->has_message)
            draft_set(&r->draft, DRAFT_TITLE, text);
        break;
    case PURL:
        draft_purl(&r->draft, text);
        break;
    default:
        break;
    }
}

static bool on_value(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    int64_t at_ms;
    if (event->type == JSON_NULL)
        return true;
    switch (place) {
    case SCHEMA:
        if (!str_is(event->text, "2") && !str_is(event->text, "0"))
            return error_set(err, ERROR_INPUT, "schema version " STR_FMT " is not read, only 2",
                             STR_ARG(str_shorten(event->text, 40)));
        return true;
    case CREATED:
        if (moment_parse(event->text, &at_ms))
            report_of(r)->made_ms = at_ms;
        return true;
    case TOOL_VERSION:
        report_tool(r->evidence, report_of(r), STR("trivy"), event->text);
        return true;
    case RESOURCE_ERROR:
        if (event->text.len)
            report_scanner_failed(r->evidence, report_of(r), event->text);
        return true;
    case FAILURES:
        r->has_summary = true;
        if (!number_u64(event->text, &r->result_failures))
            return error_set(err, ERROR_INPUT, "`Failures` is no count: `" STR_FMT "`",
                             STR_ARG(str_shorten(event->text, 40)));
        return true;
    case TARGET:
        r->results++;
        set_text(&r->target, event->text);
        return true;
    case TYPE:
        set_text(&r->type, event->text);
        return true;
    case STATEMENT:
        set_text(&r->statement, event->text);
        return true;
    case SOURCE:
        set_text(&r->status, event->text);
        return true;
    case STATUS:
        read_status(r, event->text);
        return true;
    case START_LINE:
        return draft_line(&r->draft, event, err);
    case SCORE:
    case VECTOR:
        return vendor_value(r, place, key, event, err);
    default:
        entry_text(r, place, key, event->text);
        return true;
    }
}

static bool end_entry(struct reading *r, struct error *err)
{
    r->result_listed += r->failed_check;
    if (!r->is_finding)
        return true;
    if (!draft_has(&r->draft, DRAFT_ID) && r->list == LICENSES)
        draft_set(&r->draft, DRAFT_ID, STR("unknown license"));
    if (draft_has(&r->draft, DRAFT_FIXED))
        r->draft.fix = FIX_AVAILABLE;
    vendor_scores_choose(&r->scores, text_str(&r->severity_source), &r->draft);
    return draft_take(&r->draft, r->evidence, r->report, r->offset, err);
}

static void end_change(struct reading *r)
{
    struct vulnerabilities *all = &r->evidence->vulnerabilities;
    str why = text_str(r->statement.len ? &r->statement : &r->status);
    if (all->count > r->first && why.len)
        all->items[all->count - 1].suppressed_why =
            arena_str(&r->evidence->arena, str_shorten(why, DRAFT_LINE_BYTES));
}

// What stands for all entries of a result may stand behind them.
static void end_result(struct reading *r)
{
    struct vulnerabilities *all = &r->evidence->vulnerabilities;
    struct arena *arena = &r->evidence->arena;
    str target = r->target.len && all->count > r->first ? arena_str(arena, text_str(&r->target))
                                                        : (str){"", 0};
    str ecosystem = ecosystem_of(text_str(&r->type));
    for (size_t i = r->first; i < all->count; i++) {
        struct vulnerability *one = &all->items[i];
        if (one->path.len == 0)
            one->path = target;
        if (one->ecosystem.len == 0 && one->package.len)
            one->ecosystem = ecosystem;
    }
    if (r->has_summary && r->result_failures != r->result_listed) {
        r->failures += r->result_failures;
        r->listed_failures += r->result_listed;
    }
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    (void)event;
    if (place == ENTRY)
        return end_entry(r, err);
    if (place == CHANGE)
        end_change(r);
    if (place == RESULT)
        end_result(r);
    return true;
}

static int recognise(const struct report_head *head)
{
    static const char *const members[] = {"SchemaVersion", "ArtifactName", "ArtifactType",
                                          "Results"};
    static const char *const lists[] = {"Resources", "Findings", "Vulnerabilities",
                                        "Misconfigurations"};
    unsigned seen = 0;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        seen += report_head_has(head, members[i], NULL);
    for (size_t i = 0; seen < 2 && i < sizeof lists / sizeof *lists; i++)
        if (report_head_has(head, lists[i], NULL) &&
            (report_head_has(head, "ClusterName", NULL) ||
             report_head_has(head, lists[i], "#", "Results", NULL)))
            seen = 2;
    if (report_head_has(head, "#", "Target", NULL) &&
        (report_head_has(head, "#", "Vulnerabilities", NULL) ||
         report_head_has(head, "#", "Type", NULL)))
        seen = 2;
    return seen >= 2 ? 90 : 0;
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    static const struct json_walk_handler handler = {on_begin, on_value, on_end};
    struct reading *r = memory_alloc(sizeof *r);
    (void)err;
    r->evidence = evidence;
    r->report = report;
    r->target = r->type = r->severity_source = r->statement = r->status =
        text_of(LIMIT_TOKEN_BYTES);
    draft_clear(&r->draft);
    r->walk = json_walk_open(evidence->reports[report].path, steps, &handler, r);
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
    if (r->failures != r->listed_failures)
        report_suspect(r->evidence, report_of(r),
                       "its summaries count %llu failed checks, and it lists %llu",
                       (unsigned long long)r->failures, (unsigned long long)r->listed_failures);
    if (r->results == 0)
        report_nothing_audited(r->evidence, report_of(r), "it names no target that was looked at");
    return true;
}

static void close_reading(struct reading *r)
{
    vendor_scores_done(&r->scores);
    text_done(&r->target);
    text_done(&r->type);
    text_done(&r->severity_source);
    text_done(&r->statement);
    text_done(&r->status);
    json_walk_close(r->walk);
    draft_done(&r->draft);
    memory_free(r);
}

const struct report_reader trivy_reader = {
    .name = "trivy",
    .title = "Trivy JSON",
    .form = REPORT_JSON,
    .kind = EVIDENCE_VULNERABILITIES,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed_reading,
    .end = end_reading,
    .close = close_reading,
};
