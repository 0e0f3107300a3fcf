// Grype's JSON.
#include "gate/base/limits.h"
#include "gate/base/moment.h"
#include "gate/judge/cvss.h"
#include "gate/reports/json_walk.h"
#include "gate/reports/registry.h"
#include "gate/reports/vulnerability_draft.h"

enum {
    ROOT = 1,
    DESCRIPTOR,
    TOOL_NAME,
    TOOL_VERSION,
    TIMESTAMP,
    DATABASE,
    DATABASE_ERROR,
    DATABASE_STATUS,
    DATABASE_VALID,
    MATCHES,
    IGNORED,
    MATCH,
    VULNERABILITY,
    VULNERABILITY_ID,
    SEVERITY,
    DESCRIPTION,
    CVSSES,
    CVSS,
    CVSS_VERSION,
    VECTOR,
    METRICS,
    SCORE,
    EPSSES,
    EPSS,
    PROBABILITY,
    EXPLOITED,
    EXPLOIT,
    FIX,
    FIX_STATE,
    FIX_VERSIONS,
    FIX_VERSION,
    RELATED,
    RELATIVE,
    RELATIVE_ID,
    ARTIFACT,
    PACKAGE,
    VERSION,
    TYPE,
    PURL,
    LOCATIONS,
    LOCATION,
    PATH,
    RULES,
    RULE,
    REASON,
    VEX_STATUS,
};

static const struct json_step steps[] = {
    {ROOT, "descriptor", DESCRIPTOR | JSON_IS_MAP},
    {DESCRIPTOR, "name", TOOL_NAME | JSON_IS_TEXT},
    {DESCRIPTOR, "version", TOOL_VERSION | JSON_IS_TEXT},
    {DESCRIPTOR, "timestamp", TIMESTAMP | JSON_IS_TEXT},
    {DESCRIPTOR, "db", DATABASE},
    {DATABASE, "error", DATABASE_ERROR},
    {DATABASE, "status", DATABASE_STATUS},
    {DATABASE_STATUS, "error", DATABASE_ERROR},
    {DATABASE_STATUS, "valid", DATABASE_VALID},
    {ROOT, "matches", MATCHES | JSON_IS_LIST},
    {ROOT, "ignoredMatches", IGNORED | JSON_IS_LIST},
    {MATCHES, NULL, MATCH | JSON_IS_MAP},
    {IGNORED, NULL, MATCH | JSON_IS_MAP},
    {MATCH, "vulnerability", VULNERABILITY | JSON_IS_MAP},
    {VULNERABILITY, "id", VULNERABILITY_ID | JSON_IS_TEXT},
    {VULNERABILITY, "severity", SEVERITY | JSON_IS_TEXT},
    {VULNERABILITY, "description", DESCRIPTION | JSON_IS_TEXT},
    {VULNERABILITY, "cvss", CVSSES | JSON_IS_LIST},
    {VULNERABILITY, "epss", EPSSES | JSON_IS_LIST},
    {VULNERABILITY, "knownExploited", EXPLOITED | JSON_IS_LIST},
    {VULNERABILITY, "fix", FIX | JSON_IS_MAP},
    {FIX, "state", FIX_STATE | JSON_IS_TEXT},
    {FIX, "versions", FIX_VERSIONS | JSON_IS_LIST},
    {FIX_VERSIONS, NULL, FIX_VERSION | JSON_IS_TEXT},
    {CVSSES, NULL, CVSS | JSON_IS_MAP},
    {CVSS, "version", CVSS_VERSION | JSON_IS_TEXT},
    {CVSS, "vector", VECTOR | JSON_IS_TEXT},
    {CVSS, "metrics", METRICS | JSON_IS_MAP},
    {METRICS, "baseScore", SCORE | JSON_IS_NUMBER},
    {EPSSES, NULL, EPSS | JSON_IS_MAP},
    {EPSS, "epss", PROBABILITY},
    {EXPLOITED, NULL, EXPLOIT},
    {MATCH, "relatedVulnerabilities", RELATED | JSON_IS_LIST},
    {RELATED, NULL, RELATIVE | JSON_IS_MAP},
    {RELATIVE, "id", RELATIVE_ID | JSON_IS_TEXT},
    {RELATIVE, "cvss", CVSSES | JSON_IS_LIST},
    {RELATIVE, "epss", EPSSES | JSON_IS_LIST},
    {RELATIVE, "knownExploited", EXPLOITED | JSON_IS_LIST},
    {MATCH, "artifact", ARTIFACT | JSON_IS_MAP},
    {ARTIFACT, "name", PACKAGE | JSON_IS_TEXT},
    {ARTIFACT, "version", VERSION | JSON_IS_TEXT},
    {ARTIFACT, "type", TYPE | JSON_IS_TEXT},
    {ARTIFACT, "purl", PURL | JSON_IS_TEXT},
    {ARTIFACT, "locations", LOCATIONS | JSON_IS_LIST},
    {LOCATIONS, NULL, LOCATION | JSON_IS_MAP},
    {LOCATION, "path", PATH | JSON_IS_TEXT},
    {MATCH, "appliedIgnoreRules", RULES | JSON_IS_LIST},
    {RULES, NULL, RULE | JSON_IS_MAP},
    {RULE, "reason", REASON | JSON_IS_TEXT},
    {RULE, "vex-status", VEX_STATUS | JSON_IS_TEXT},
    {0}};

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct json_walk *walk;
    struct text tool, tool_version;
    struct text database; // what is wrong with it
    bool has_matches, ignored;
    uint64_t offset;
    struct vulnerability_draft draft;
    struct vulnerability_draft related; // its scores: they stand where the match has none
    bool in_related;
    double score;
    struct text version, vector; // of the score that is read
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

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key;
    (void)err;
    switch (place) {
    case MATCHES:
        r->has_matches = true;
        r->ignored = false;
        break;
    case IGNORED:
        r->ignored = true;
        break;
    case MATCH:
        draft_clear(&r->draft);
        draft_clear(&r->related);
        r->draft.suppressed = r->ignored;
        r->offset = event->offset;
        break;
    case VULNERABILITY:
        r->in_related = false;
        break;
    case RELATIVE:
        r->in_related = true;
        break;
    case CVSS:
        r->score = SCORE_UNKNOWN;
        text_clear(&r->version);
        text_clear(&r->vector);
        break;
    case EXPLOIT:
        r->draft.known_exploited = true;
        break;
    case DATABASE_ERROR: // an error of Go, written as a map
        set_text(&r->database, STR("its database has an error"));
        break;
    default:
        break;
    }
    return true;
}

static enum fix_state fix_state_of(str state)
{
    if (same_word(state, STR("fixed")))
        return FIX_AVAILABLE;
    bool none = same_word(state, STR("not-fixed")) || same_word(state, STR("wont-fix"));
    return none ? FIX_NONE : FIX_UNKNOWN;
}

static void head_value(struct reading *r, int place, const struct json_event *event)
{
    int64_t at_ms;
    switch (place) {
    case TOOL_NAME:
        set_text(&r->tool, event->text);
        break;
    case TOOL_VERSION:
        set_text(&r->tool_version, event->text);
        break;
    case TIMESTAMP:
        if (moment_parse(event->text, &at_ms))
            report_of(r)->made_ms = at_ms;
        break;
    case DATABASE_VALID:
        if (event->type == JSON_FALSE && r->database.len == 0)
            set_text(&r->database, STR("its database is not valid"));
        break;
    case DATABASE_ERROR:
        if (event->text.len)
            set_text(&r->database, event->text);
        break;
    default:
        break;
    }
}

static bool read_probability(struct reading *r, const struct json_event *event, struct error *err)
{
    double epss = SCORE_UNKNOWN;
    if (!draft_number(event, "`epss`", 1, &epss, err))
        return false;
    if (epss > r->draft.epss)
        r->draft.epss = epss;
    return true;
}

static void match_text(struct reading *r, int place, str text)
{
    struct vulnerability_draft *draft = &r->draft;
    static const struct {
        int place;
        enum draft_field field;
    } fields[] = {{VULNERABILITY_ID, DRAFT_ID},
                  {DESCRIPTION, DRAFT_TITLE},
                  {PACKAGE, DRAFT_PACKAGE},
                  {VERSION, DRAFT_VERSION},
                  {REASON, DRAFT_WHY}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].place == place)
            draft_set(draft, fields[i].field, text);
    switch (place) {
    case SEVERITY:
        draft->severity = severity_of(text);
        break;
    case FIX_STATE:
        draft->fix = fix_state_of(text);
        break;
    case FIX_VERSION:
        draft_fixed(draft, text);
        break;
    case RELATIVE_ID:
        draft_alias(draft, text);
        break;
    case TYPE: // a package URL says it better
        if (!draft_has(draft, DRAFT_ECOSYSTEM))
            draft_set(draft, DRAFT_ECOSYSTEM, text);
        break;
    case PURL:
        if (text.len)
            draft_purl(draft, text);
        break;
    case PATH:
        if (!draft_has(draft, DRAFT_PATH))
            draft_set(draft, DRAFT_PATH, text);
        break;
    case VEX_STATUS:
        if (!draft_has(draft, DRAFT_WHY) && text.len)
            draft_set(draft, DRAFT_WHY, text);
        break;
    case CVSS_VERSION:
        set_text(&r->version, text);
        break;
    case VECTOR:
        set_text(&r->vector, text);
        break;
    default:
        break;
    }
}

static bool on_value(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key;
    if (event->type == JSON_NULL)
        return true;
    if (place == SCORE)
        return draft_number(event, "`baseScore`", 10, &r->score, err);
    if (place == PROBABILITY)
        return read_probability(r, event, err);
    if (place < MATCHES)
        head_value(r, place, event);
    else
        match_text(r, place, event->text);
    return true;
}

static void end_score(struct reading *r)
{
    struct vulnerability_draft *draft = r->in_related ? &r->related : &r->draft;
    str vector = text_str(&r->vector);
    unsigned version = cvss_version(text_str(&r->version));
    struct cvss counted;
    struct error ignored;
    if (version == 1)
        version = cvss_version(vector);
    if (r->score == SCORE_UNKNOWN && cvss_base(vector, version, &counted, &ignored))
        r->score = counted.score;
    if (r->score != SCORE_UNKNOWN)
        draft_cvss(draft, version, r->score, vector);
}

static bool end_match(struct reading *r, struct error *err)
{
    if (r->draft.cvss_rank == 0 && r->related.cvss_rank)
        draft_cvss(&r->draft, r->related.cvss_rank, r->related.cvss,
                   draft_get(&r->related, DRAFT_VECTOR));
    return draft_take(&r->draft, r->evidence, r->report, r->offset, err);
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    (void)event;
    if (place == CVSS)
        end_score(r);
    return place != MATCH || end_match(r, err);
}

static int recognise(const struct report_head *head)
{
    if (!report_head_has(head, "matches", NULL))
        return 0;
    str name = report_head_text(head, "descriptor", "name", NULL);
    bool match = report_head_has(head, "matches", "#", "vulnerability", NULL) &&
                 (report_head_has(head, "matches", "#", "artifact", NULL) ||
                  report_head_has(head, "matches", "#", "relatedVulnerabilities", NULL) ||
                  report_head_has(head, "matches", "#", "matchDetails", NULL));
    bool around = report_head_has(head, "source", NULL) && report_head_has(head, "distro", NULL);
    return match || around || str_is(name, "grype") ? 90 : 0;
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    static const struct json_walk_handler handler = {on_begin, on_value, on_end};
    struct reading *r = memory_alloc(sizeof *r);
    (void)err;
    r->evidence = evidence;
    r->report = report;
    r->tool = r->tool_version = r->database = r->version = r->vector = text_of(LIMIT_TOKEN_BYTES);
    draft_clear(&r->draft);
    draft_clear(&r->related);
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
    if (r->database.len)
        report_scanner_failed(r->evidence, report_of(r), text_str(&r->database));
    if (!r->has_matches)
        report_nothing_audited(r->evidence, report_of(r),
                               "it has no list of matches, not even an empty one");
    report_tool(r->evidence, report_of(r), text_str(&r->tool), text_str(&r->tool_version));
    return true;
}

static void close_reading(struct reading *r)
{
    text_done(&r->tool);
    text_done(&r->tool_version);
    text_done(&r->database);
    text_done(&r->version);
    text_done(&r->vector);
    json_walk_close(r->walk);
    draft_done(&r->draft);
    draft_done(&r->related);
    memory_free(r);
}

const struct report_reader grype_reader = {
    .name = "grype",
    .title = "Grype JSON",
    .form = REPORT_JSON,
    .kind = EVIDENCE_VULNERABILITIES,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed_reading,
    .end = end_reading,
    .close = close_reading,
};
