// Snyk's JSON: one project, a list of projects, or an image with the applications in it.
#include "gate/reports/registry.h"
#include "gate/reports/snyk_project.h"

#include "gate/base/limits.h"
#include "gate/judge/cvss.h"
#include "gate/reports/ecosystem.h"
#include "gate/reports/json_walk.h"

enum {
    ROOT = 1,
    PROJECT,
    OK,
    ERROR,
    COUNT,
    DEPENDENCIES,
    TARGET,
    PATH,
    APPLICATIONS,
    VULNERABILITIES,
    FILTERED,
    IGNORED,
    PATCHED,
    ENTRY,
    ENTRY_ID,
    TITLE,
    PACKAGE,
    NAME,
    VERSION,
    MANAGER,
    FILE_PATH,
    SEVERITY,
    SEVERITY_EXACT,
    SCORE,
    VECTOR,
    SCORES,
    SOURCE,
    SOURCE_TYPE,
    SOURCE_VERSION,
    SOURCE_VECTOR,
    SOURCE_SCORE,
    EPSS,
    PROBABILITY,
    FIXED_IN,
    FIXED,
    IDENTIFIERS,
    NAMES,
    ALIAS,
    ENTRY_FILTERED,
    REASONS,
    REASON,
    WHY,
};

#define PROJECT_AT(at)                                                                             \
    {at, "ok", OK | JSON_IS_BOOL}, {at, "error", ERROR},                                           \
        {at, "uniqueCount", COUNT | JSON_IS_NUMBER},                                               \
        {at, "dependencyCount", DEPENDENCIES | JSON_IS_NUMBER},                                    \
        {at, "displayTargetFile", TARGET | JSON_IS_TEXT}, {at, "path", PATH | JSON_IS_TEXT},       \
        {at, "applications", APPLICATIONS | JSON_IS_LIST},                                         \
        {at, "vulnerabilities", VULNERABILITIES | JSON_IS_LIST},                                   \
    {                                                                                              \
        at, "filtered", FILTERED | JSON_IS_MAP                                                     \
    }

static const struct json_step steps[] = {
    {ROOT, NULL, PROJECT | JSON_IS_MAP},
    PROJECT_AT(ROOT),
    PROJECT_AT(PROJECT),
    {APPLICATIONS, NULL, PROJECT | JSON_IS_MAP},
    {FILTERED, "ignore", IGNORED | JSON_IS_LIST},
    {FILTERED, "patch", PATCHED | JSON_IS_LIST},
    {VULNERABILITIES, NULL, ENTRY | JSON_IS_MAP},
    {IGNORED, NULL, ENTRY | JSON_IS_MAP},
    {PATCHED, NULL, ENTRY | JSON_IS_MAP},
    {ENTRY, "id", ENTRY_ID | JSON_IS_TEXT},
    {ENTRY, "title", TITLE | JSON_IS_TEXT},
    {ENTRY, "packageName", PACKAGE | JSON_IS_TEXT},
    {ENTRY, "name", NAME | JSON_IS_TEXT},
    {ENTRY, "version", VERSION | JSON_IS_TEXT},
    {ENTRY, "packageVersion", VERSION | JSON_IS_TEXT},
    {ENTRY, "packageManager", MANAGER | JSON_IS_TEXT},
    {ENTRY, "filePath", FILE_PATH | JSON_IS_TEXT},
    {ENTRY, "severity", SEVERITY | JSON_IS_TEXT},
    {ENTRY, "severityWithCritical", SEVERITY_EXACT | JSON_IS_TEXT},
    {ENTRY, "cvssScore", SCORE},
    {ENTRY, "CVSSv3", VECTOR | JSON_IS_TEXT},
    {ENTRY, "cvssSources", SCORES | JSON_IS_LIST},
    {SCORES, NULL, SOURCE | JSON_IS_MAP},
    {SOURCE, "type", SOURCE_TYPE | JSON_IS_TEXT},
    {SOURCE, "cvssVersion", SOURCE_VERSION | JSON_IS_TEXT},
    {SOURCE, "vector", SOURCE_VECTOR | JSON_IS_TEXT},
    {SOURCE, "baseScore", SOURCE_SCORE},
    {ENTRY, "epssDetails", EPSS | JSON_IS_MAP},
    {EPSS, "probability", PROBABILITY},
    {ENTRY, "fixedIn", FIXED_IN | JSON_IS_LIST},
    {FIXED_IN, NULL, FIXED | JSON_IS_TEXT},
    {ENTRY, "nearestFixedInVersion", FIXED | JSON_IS_TEXT},
    {ENTRY, "identifiers", IDENTIFIERS | JSON_IS_MAP},
    {IDENTIFIERS, "*", NAMES | JSON_IS_LIST},
    {ENTRY, "alternativeIds", NAMES | JSON_IS_LIST},
    {NAMES, NULL, ALIAS | JSON_IS_TEXT},
    {ENTRY, "filtered", ENTRY_FILTERED | JSON_IS_MAP},
    {ENTRY_FILTERED, "ignored", REASONS | JSON_IS_LIST},
    {REASONS, NULL, REASON | JSON_IS_MAP},
    {REASON, "reason", WHY | JSON_IS_TEXT},
    {0}};

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct json_walk *walk;
    struct snyk_projects projects;
    bool is_list;

    int list; // which one an entry stands in
    uint64_t offset;
    struct vulnerability_draft draft;
    bool has_critical, has_package, is_primary;
    double score, source_score;
    struct text vector, source_version, source_vector;
};

static void set_text(struct text *text, str s)
{
    text_clear(text);
    text_add(text, s);
}

static void begin_entry(struct reading *r, uint64_t offset)
{
    draft_clear(&r->draft);
    r->draft.suppressed = r->list != VULNERABILITIES;
    if (r->list == PATCHED)
        draft_set(&r->draft, DRAFT_WHY, STR("patched"));
    r->offset = offset;
    r->has_critical = r->has_package = false;
    r->score = SCORE_UNKNOWN;
    text_clear(&r->vector);
}

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key;
    switch (place) {
    case ROOT:
        r->is_list = event->type == JSON_LIST_OPEN;
        return r->is_list || snyk_project_begin(&r->projects, err);
    case PROJECT:
        return snyk_project_begin(&r->projects, err);
    case ERROR:
        snyk_project_failed(&r->projects, STR(""));
        break;
    case VULNERABILITIES:
        snyk_project(&r->projects)->has_list = true;
        r->list = place;
        break;
    case IGNORED:
    case PATCHED:
        r->list = place;
        break;
    case ENTRY:
        begin_entry(r, event->offset);
        break;
    case SOURCE:
        r->is_primary = false;
        r->source_score = SCORE_UNKNOWN;
        text_clear(&r->source_version);
        text_clear(&r->source_vector);
        break;
    case FIXED_IN: // an empty list: nothing mends it
        r->draft.fix = FIX_NONE;
        break;
    default:
        break;
    }
    return true;
}

static bool project_value(struct reading *r, int place, const struct json_event *event,
                          struct error *err)
{
    struct snyk_project *project = snyk_project(&r->projects);
    project->is_known |= place != PATH;
    switch (place) {
    case OK:
        project->not_ok = event->type == JSON_FALSE;
        return true;
    case ERROR:
        snyk_project_failed(&r->projects, event->text);
        return true;
    case COUNT:
        return snyk_count(event, "uniqueCount", &project->unique, err);
    case DEPENDENCIES:
        return snyk_count(event, "dependencyCount", &project->dependencies, err);
    case TARGET:
        set_text(&project->target, event->text);
        return true;
    default:
        set_text(&project->path, event->text);
        return true;
    }
}

static bool score_value(struct reading *r, int place, const struct json_event *event,
                        struct error *err)
{
    switch (place) {
    case SCORE:
        return draft_number(event, "`cvssScore`", 10, &r->score, err);
    case SOURCE_SCORE:
        return draft_number(event, "`baseScore`", 10, &r->source_score, err);
    case PROBABILITY:
        return draft_number(event, "the EPSS `probability`", 1, &r->draft.epss, err);
    case VECTOR:
        set_text(&r->vector, event->text);
        return true;
    case SOURCE_VERSION:
        set_text(&r->source_version, event->text);
        return true;
    case SOURCE_VECTOR:
        set_text(&r->source_vector, event->text);
        return true;
    default:
        r->is_primary = same_word(event->text, STR("primary"));
        return true;
    }
}

static void entry_text(struct reading *r, int place, str text)
{
    struct vulnerability_draft *draft = &r->draft;
    switch (place) {
    case ENTRY_ID:
        draft_set(draft, DRAFT_ID, text);
        break;
    case TITLE:
        draft_set(draft, DRAFT_TITLE, text);
        break;
    case PACKAGE:
        r->has_package = text.len > 0;
        snyk_project(&r->projects)->is_known |= r->has_package;
        draft_set(draft, DRAFT_PACKAGE, text);
        break;
    case NAME: // of an image: with the binary package, "gcc-10/libgcc-s1"
        if (!r->has_package)
            draft_set(draft, DRAFT_PACKAGE, text);
        break;
    case VERSION:
        draft_set(draft, DRAFT_VERSION, text);
        break;
    case MANAGER:
        draft_set(draft, DRAFT_ECOSYSTEM, ecosystem_of(text));
        break;
    case FILE_PATH:
        draft_set(draft, DRAFT_PATH, text);
        break;
    case SEVERITY:
        if (!r->has_critical)
            draft->severity = severity_of(text);
        break;
    case SEVERITY_EXACT:
        r->has_critical = severity_of(text) != SEVERITY_UNKNOWN;
        if (r->has_critical)
            draft->severity = severity_of(text);
        break;
    case FIXED:
        draft_fixed(draft, text);
        break;
    case ALIAS:
        if (is_flaw_name(text))
            draft_alias(draft, text);
        break;
    case WHY:
        draft_set(draft, DRAFT_WHY, text);
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
    if (event->type == JSON_NULL || place == ROOT)
        return true;
    if (place < APPLICATIONS)
        return project_value(r, place, event, err);
    if ((place >= SCORE && place <= SOURCE_SCORE) || place == PROBABILITY)
        return score_value(r, place, event, err);
    entry_text(r, place, event->text);
    return true;
}

// A vector alone says its score as well.
static void take_score(struct vulnerability_draft *draft, unsigned version, double score,
                       str vector)
{
    struct cvss counted;
    struct error ignored;
    if (version == 1)
        version = cvss_version(vector);
    if (score == SCORE_UNKNOWN && vector.len && cvss_base(vector, version, &counted, &ignored))
        score = counted.score;
    if (score != SCORE_UNKNOWN)
        draft_cvss(draft, version, score, vector);
}

static bool end_entry(struct reading *r, struct error *err)
{
    take_score(&r->draft, 1, r->score, text_str(&r->vector));
    if (draft_has(&r->draft, DRAFT_FIXED))
        r->draft.fix = FIX_AVAILABLE;
    if (!draft_take(&r->draft, r->evidence, r->report, r->offset, err))
        return false;
    snyk_project_entry(&r->projects);
    return true;
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    (void)event;
    switch (place) {
    case ENTRY:
        return end_entry(r, err);
    case SOURCE:
        if (r->is_primary)
            take_score(&r->draft, cvss_version(text_str(&r->source_version)), r->source_score,
                       text_str(&r->source_vector));
        return true;
    case ROOT:
        return r->is_list || snyk_project_end(&r->projects, err);
    case PROJECT:
        return snyk_project_end(&r->projects, err);
    default:
        return true;
    }
}

// `at`: "#" in a list of projects, else null.
static bool has(const struct report_head *head, const char *at, const char *key, const char *in)
{
    if (at && in)
        return report_head_has(head, at, key, "#", in, NULL);
    if (at)
        return report_head_has(head, at, key, NULL);
    return in ? report_head_has(head, key, "#", in, NULL) : report_head_has(head, key, NULL);
}

static bool is_project(const struct report_head *head, const char *at)
{
    static const char *const members[] = {
        "dependencyCount",  "uniqueCount", "projectName", "packageManager",
        "licensesPolicy",   "org",         "ok",          "filesystemPolicy",
        "displayTargetFile"};
    static const char *const fields[] = {"from", "identifiers", "CVSSv3", "upgradePath", "semver"};
    enum json_event_type list = at ? report_head_type(head, at, "vulnerabilities", NULL)
                                   : report_head_type(head, "vulnerabilities", NULL);
    enum json_event_type ok =
        at ? report_head_type(head, at, "ok", NULL) : report_head_type(head, "ok", NULL);
    unsigned seen = 0;
    if (list != JSON_LIST_OPEN)
        return ok == JSON_FALSE && has(head, at, "error", NULL) && has(head, at, "path", NULL);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        seen += has(head, at, members[i], NULL);
    if (seen >= 2)
        return true;
    if (!has(head, at, "vulnerabilities", "id") || !has(head, at, "vulnerabilities", "packageName"))
        return false;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (has(head, at, "vulnerabilities", fields[i]))
            return true;
    return false;
}

static int recognise(const struct report_head *head)
{
    return is_project(head, NULL) || is_project(head, "#") ? 90 : 0;
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    static const struct json_walk_handler handler = {on_begin, on_value, on_end};
    struct reading *r = memory_alloc(sizeof *r);
    (void)err;
    r->evidence = evidence;
    r->report = report;
    r->vector = r->source_version = r->source_vector = text_of(LIMIT_TOKEN_BYTES);
    draft_clear(&r->draft);
    snyk_projects_init(&r->projects, evidence, report);
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
    return json_walk_end(r->walk, err) && snyk_projects_end(&r->projects, err);
}

static void close_reading(struct reading *r)
{
    text_done(&r->vector);
    text_done(&r->source_version);
    text_done(&r->source_vector);
    snyk_projects_done(&r->projects);
    json_walk_close(r->walk);
    draft_done(&r->draft);
    memory_free(r);
}

const struct report_reader snyk_reader = {
    .name = "snyk",
    .title = "Snyk JSON",
    .form = REPORT_JSON,
    .kind = EVIDENCE_VULNERABILITIES,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed_reading,
    .end = end_reading,
    .close = close_reading,
};
