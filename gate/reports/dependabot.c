// Dependabot's alerts, as GitHub's REST API lists them: a list of alerts, a list of such pages, or
// pages one after another.
#include "gate/base/limits.h"
#include "gate/reports/ecosystem.h"
#include "gate/reports/json_walk.h"
#include "gate/reports/registry.h"
#include "gate/reports/vulnerability_draft.h"

enum {
    ROOT = 1,
    ALERT, // or a page of them
    STATE,
    REASON,
    COMMENT,
    DEPENDENCY,
    PACKAGE,
    ECOSYSTEM,
    NAME,
    MANIFEST,
    ADVISORY,
    GHSA,
    ALIAS,
    SUMMARY,
    SEVERITY,
    NAMES,
    ONE_NAME,
    CVSS,
    SCORE,
    VECTOR,
    CVSS_VERSIONS,
    EPSS,
    PROBABILITY,
    RANGE,
    PATCHED,
    FIXED,
};

static const struct json_step steps[] = {{ROOT, NULL, ALERT | JSON_IS_MAP | JSON_IS_LIST},
                                         {ALERT, NULL, ALERT | JSON_IS_MAP},
                                         {ALERT, "state", STATE | JSON_IS_TEXT},
                                         {ALERT, "dismissed_reason", REASON | JSON_IS_TEXT},
                                         {ALERT, "dismissed_comment", COMMENT | JSON_IS_TEXT},
                                         {ALERT, "dependency", DEPENDENCY | JSON_IS_MAP},
                                         {DEPENDENCY, "package", PACKAGE | JSON_IS_MAP},
                                         {PACKAGE, "ecosystem", ECOSYSTEM | JSON_IS_TEXT},
                                         {PACKAGE, "name", NAME | JSON_IS_TEXT},
                                         {DEPENDENCY, "manifest_path", MANIFEST | JSON_IS_TEXT},
                                         {ALERT, "security_advisory", ADVISORY | JSON_IS_MAP},
                                         {ADVISORY, "ghsa_id", GHSA | JSON_IS_TEXT},
                                         {ADVISORY, "cve_id", ALIAS | JSON_IS_TEXT},
                                         {ADVISORY, "summary", SUMMARY | JSON_IS_TEXT},
                                         {ADVISORY, "severity", SEVERITY | JSON_IS_TEXT},
                                         {ADVISORY, "identifiers", NAMES | JSON_IS_LIST},
                                         {NAMES, NULL, ONE_NAME | JSON_IS_MAP},
                                         {ONE_NAME, "value", ALIAS | JSON_IS_TEXT},
                                         {ADVISORY, "cvss", CVSS | JSON_IS_MAP},
                                         {ADVISORY, "cvss_severities", CVSS_VERSIONS | JSON_IS_MAP},
                                         {CVSS_VERSIONS, "*", CVSS | JSON_IS_MAP},
                                         {CVSS, "score", SCORE},
                                         {CVSS, "vector_string", VECTOR | JSON_IS_TEXT},
                                         {ADVISORY, "epss", EPSS | JSON_IS_MAP | JSON_IS_LIST},
                                         {EPSS, NULL, EPSS | JSON_IS_MAP},
                                         {EPSS, "percentage", PROBABILITY},
                                         {ALERT, "security_vulnerability", RANGE | JSON_IS_MAP},
                                         {RANGE, "severity", SEVERITY | JSON_IS_TEXT},
                                         {RANGE, "first_patched_version", PATCHED | JSON_IS_MAP},
                                         {PATCHED, "identifier", FIXED | JSON_IS_TEXT},
                                         {0}};

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct json_walk *walk;
    bool has_page;
    uint64_t offset;
    struct vulnerability_draft draft;
    struct text state, reason, comment;
    double score;
    struct text vector;
};

static void set_text(struct text *text, str s)
{
    text_clear(text);
    text_add(text, s);
}

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    bool is_list = event->type == JSON_LIST_OPEN;
    (void)key;
    if (place == ROOT && !is_list)
        return error_set(err, ERROR_INPUT, "this is no list of alerts");
    r->has_page |= place == ROOT;
    if (place == ALERT && !is_list) {
        draft_clear(&r->draft);
        text_clear(&r->state);
        text_clear(&r->reason);
        text_clear(&r->comment);
        r->offset = event->offset;
    }
    if (place == CVSS) {
        r->score = SCORE_UNKNOWN;
        text_clear(&r->vector);
    }
    return true;
}

static void on_text(struct reading *r, int place, str text)
{
    struct vulnerability_draft *draft = &r->draft;
    str ecosystem;
    switch (place) {
    case STATE:
        set_text(&r->state, text);
        break;
    case REASON:
        set_text(&r->reason, text);
        break;
    case COMMENT:
        set_text(&r->comment, text);
        break;
    case ECOSYSTEM:
        ecosystem = ecosystem_of(text);
        draft_set(draft, DRAFT_ECOSYSTEM, ecosystem.len ? ecosystem : text);
        break;
    case NAME:
        draft_set(draft, DRAFT_PACKAGE, text);
        break;
    case MANIFEST:
        draft_set(draft, DRAFT_PATH, text);
        break;
    case GHSA:
        draft_set(draft, DRAFT_ID, text);
        break;
    case ALIAS:
        draft_alias(draft, text);
        break;
    case SUMMARY:
        draft_set(draft, DRAFT_TITLE, text);
        break;
    case SEVERITY:
        draft->severity = severity_of(text);
        break;
    case VECTOR:
        set_text(&r->vector, text);
        break;
    case FIXED:
        draft_fixed(draft, text);
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
    if (place == PATCHED && event->type == JSON_NULL)
        r->draft.fix = FIX_NONE;
    if (place == ROOT)
        return error_set(err, ERROR_INPUT, "this is no list of alerts");
    if (event->type == JSON_NULL)
        return true;
    if (place == SCORE)
        return draft_number(event, "a CVSS `score`", 10, &r->score, err);
    if (place == PROBABILITY)
        return draft_number(event, "the EPSS `percentage`", 1, &r->draft.epss, err);
    on_text(r, place, event->text);
    return true;
}

// A version of CVSS that an advisory does not use has a score of 0 and no vector.
static void end_score(struct reading *r)
{
    str vector = text_str(&r->vector);
    if (r->score > 0 || (r->score == 0 && vector.len))
        draft_cvss(&r->draft, cvss_version(vector), r->score, vector);
}

static bool end_alert(struct reading *r, struct error *err)
{
    str state = text_str(&r->state);
    bool dismissed = same_word(state, STR("dismissed"));
    bool automatic = same_word(state, STR("auto_dismissed"));
    if (state.len == 0)
        return error_set(err, ERROR_INPUT, "an alert has no `state`");
    if (same_word(state, STR("fixed")))
        return true;
    if (!dismissed && !automatic && !same_word(state, STR("open")))
        return error_set(err, ERROR_INPUT, "the state of an alert is `" STR_FMT "`",
                         STR_ARG(str_shorten(state, 40)));
    r->draft.suppressed = dismissed || automatic;
    if (r->draft.suppressed) {
        struct text why = text_of(LIMIT_TOKEN_BYTES);
        text_add(&why, r->reason.len ? text_str(&r->reason) : state);
        if (r->comment.len)
            text_addf(&why, ": " STR_FMT, STR_ARG(text_str(&r->comment)));
        draft_set(&r->draft, DRAFT_WHY, text_str(&why));
        text_done(&why);
    }
    if (draft_has(&r->draft, DRAFT_FIXED))
        r->draft.fix = FIX_AVAILABLE;
    return draft_take(&r->draft, r->evidence, r->report, r->offset, err);
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    if (place == CVSS)
        end_score(r);
    return place != ALERT || event->type == JSON_LIST_CLOSE || end_alert(r, err);
}

static int recognise(const struct report_head *head)
{
    bool alert = report_head_has(head, "#", "security_advisory", NULL) &&
                 (report_head_has(head, "#", "security_vulnerability", NULL) ||
                  report_head_has(head, "#", "dependency", NULL));
    bool paged = report_head_has(head, "#", "#", "security_advisory", NULL) &&
                 (report_head_has(head, "#", "#", "security_vulnerability", NULL) ||
                  report_head_has(head, "#", "#", "dependency", NULL));
    return alert || paged ? 90 : 0;
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    static const struct json_walk_handler handler = {on_begin, on_value, on_end};
    struct reading *r = memory_alloc(sizeof *r);
    (void)err;
    r->evidence = evidence;
    r->report = report;
    r->state = r->reason = r->comment = r->vector = text_of(LIMIT_TOKEN_BYTES);
    draft_clear(&r->draft);
    r->walk = json_walk_open(evidence->reports[report].path, steps, &handler, r);
    json_walk_allow_many(r->walk);
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
    return r->has_page || error_set(err, ERROR_INPUT, "there is no list of alerts in it");
}

static void close_reading(struct reading *r)
{
    text_done(&r->state);
    text_done(&r->reason);
    text_done(&r->comment);
    text_done(&r->vector);
    json_walk_close(r->walk);
    draft_done(&r->draft);
    memory_free(r);
}

const struct report_reader dependabot_reader = {
    .name = "dependabot",
    .title = "Dependabot alerts",
    .form = REPORT_JSON,
    .kind = EVIDENCE_VULNERABILITIES,
    .record_end = "]", // pages may follow one another
    .recognise = recognise,
    .open = open_reading,
    .feed = feed_reading,
    .end = end_reading,
    .close = close_reading,
};
