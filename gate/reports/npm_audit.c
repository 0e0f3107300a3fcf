// What npm, pnpm and Yarn say of a lock file, in three forms: the report of npm 7 and later
// (auditReportVersion 2: vulnerable packages and what they have it from), that of npm 6, pnpm and
// Yarn 2 and 3 (advisories), and Yarn 1's lines (one event each, auditSummary last).
//
// One advisory of one package is one finding, however many paths lead to it. A package that is
// listed only because it depends on another one has no finding of its own.
#include "gate/base/limits.h"
#include "gate/base/number.h"
#include "gate/reports/npm_audit_places.h"
#include "gate/reports/registry.h"
#include "gate/reports/seen.h"
#include "gate/reports/vulnerability_draft.h"

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct json_walk *walk;
    struct vulnerability_draft draft;
    uint64_t offset;    // of the open advisory
    struct text number; // the registry's own number of the open advisory, "npm:1097346"
    struct text versions, vector;
    double score;      // of the open advisory; SCORE_UNKNOWN
    struct text owner; // npm 7: the open package
    struct text node, fix_name, fix_version;
    enum fix_state fix;
    size_t first; // its first entry
    struct text type, trouble;
    bool is_new, is_old, is_lines, has_summary, failed, status;
    uint64_t packages, advisories, listed, resolved; // as recounted
    uint64_t said_sum, said_total, audited;          // as said
    bool has_said, has_said_total, has_audited;
    struct seen seen; // Yarn 1 repeats an advisory for each path
};

static int recognise(const struct report_head *head)
{
    if (!head->is_json || head->seen[0].type != JSON_MAP_OPEN)
        return 0;
    if (report_head_has(head, "auditReportVersion", NULL))
        return report_head_has(head, "vulnerabilities", NULL) ||
                       report_head_has(head, "metadata", NULL)
                   ? 95
                   : 0;
    if (report_head_type(head, "advisories", NULL) == JSON_MAP_OPEN)
        return report_head_has(head, "metadata", NULL) || report_head_has(head, "actions", NULL) ||
                       report_head_has(head, "advisories", "*", "module_name", NULL)
                   ? 95
                   : 0;
    str type = report_head_text(head, "type", NULL);
    if (report_head_has(head, "data", NULL) &&
        (str_is(type, "auditAdvisory") || str_is(type, "auditSummary") ||
         str_is(type, "auditAction")))
        return 95;
    // The actions alone fill the first bytes of a large report.
    if (report_head_has(head, "actions", "#", "resolves", NULL))
        return 80;
    str code = report_head_text(head, "error", "code", NULL);
    bool explained = report_head_has(head, "error", "summary", NULL) ||
                     report_head_has(head, "error", "message", NULL);
    bool endpoint = report_head_has(head, "statusCode", NULL) &&
                    report_head_has(head, "message", NULL) && report_head_has(head, "uri", NULL);
    return (explained && str_starts(code, STR("E"))) || endpoint ? 50 : 0;
}

// ---- one advisory ------------------------------------------------------------------------------

static void begin_advisory(struct reading *r, uint64_t offset)
{
    draft_clear(&r->draft);
    draft_set(&r->draft, DRAFT_ECOSYSTEM, STR("npm"));
    r->offset = offset;
    r->score = SCORE_UNKNOWN;
    text_clear(&r->number);
    text_clear(&r->versions);
    text_clear(&r->vector);
}

// npm writes a score of 0 and no vector where the registry knows none.
static void take_score(struct reading *r)
{
    struct error err;
    str vector = text_str(&r->vector);
    if (r->score > 0)
        draft_cvss(&r->draft, cvss_version(vector), r->score, vector);
    else if (vector.len && !draft_vector(&r->draft, 0, vector, &err))
        report_suspect(r->evidence, &r->evidence->reports[r->report], "%s", err.message);
}

// The name that people waive it by: GHSA, then CVE, then the number of the registry.
static void take_name(struct reading *r)
{
    struct text *aliases = &r->draft.aliases;
    str rest = text_str(aliases), best = {NULL, 0};
    while (rest.len) {
        str name = str_cut(&rest, '\0');
        bool better = str_starts(name, STR("GHSA-")) && !str_starts(best, STR("GHSA-"));
        if (!best.len || better)
            best = name;
    }
    draft_alias(&r->draft, text_str(&r->number));
    draft_set(&r->draft, DRAFT_ID, best.len ? best : text_str(&r->number));
}

static bool end_advisory(struct reading *r, struct error *err)
{
    str versions = text_str(&r->versions);
    take_score(r);
    take_name(r);
    if (r->is_lines) {
        const str names[] = {draft_get(&r->draft, DRAFT_ID), text_str(&r->number),
                             draft_get(&r->draft, DRAFT_PACKAGE)};
        r->listed++;
        if (!seen_first_time(&r->seen, names, sizeof names / sizeof *names))
            return true;
    }
    draft_set(&r->draft, DRAFT_VERSION, versions);
    r->advisories++;
    return draft_take(&r->draft, r->evidence, r->report, r->offset, err);
}

static void add_version(struct reading *r, str version)
{
    str rest = text_str(&r->versions);
    while (rest.len)
        if (str_eq(str_trim(str_cut(&rest, ',')), version))
            return;
    text_addf(&r->versions, "%s" STR_FMT, r->versions.len ? ", " : "", STR_ARG(version));
}

// "<0.0.0" is how the registry says that no version mends it.
static void take_patched(struct reading *r, str range)
{
    if (str_is(range, "<0.0.0"))
        r->draft.fix = FIX_NONE;
    else if (range.len)
        draft_set(&r->draft, DRAFT_FIXED, range);
}

// ---- npm 7: a package --------------------------------------------------------------------------

static void begin_package(struct reading *r, str name)
{
    r->packages++;
    r->first = r->evidence->vulnerabilities.count;
    r->fix = FIX_UNKNOWN;
    text_clear(&r->owner);
    text_add(&r->owner, name);
    text_clear(&r->node);
    text_clear(&r->fix_name);
    text_clear(&r->fix_version);
}

static void end_package(struct reading *r)
{
    struct vulnerabilities *all = &r->evidence->vulnerabilities;
    struct arena *arena = &r->evidence->arena;
    if (all->count == r->first)
        return;
    // The version may be that of a package further up, which pulls in a mended one.
    bool own = r->fix_version.len && str_eq(text_str(&r->fix_name), text_str(&r->owner));
    str fixed = own ? arena_str(arena, text_str(&r->fix_version)) : (str){"", 0};
    str path = arena_str(arena, text_str(&r->node));
    for (size_t i = r->first; i < all->count; i++) {
        all->items[i].fix = r->fix;
        all->items[i].fixed = fixed;
        all->items[i].path = path;
    }
}

// ---- events ------------------------------------------------------------------------------------

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)err;
    switch (place) {
    case ROOT:
        text_clear(&r->type);
        break;
    case PACKAGES:
        r->is_new = true;
        break;
    case PACKAGE:
        begin_package(r, key);
        break;
    case VIA:
        begin_advisory(r, event->offset);
        draft_set(&r->draft, DRAFT_PACKAGE, text_str(&r->owner));
        break;
    case FIX:
        r->fix = FIX_AVAILABLE;
        break;
    case ADVISORIES:
        r->is_old = true;
        break;
    case ADVISORY:
        begin_advisory(r, event->offset);
        text_addf(&r->number, "npm:" STR_FMT, STR_ARG(key));
        break;
    case DATA_ADVISORY:
        r->is_lines = true;
        begin_advisory(r, event->offset);
        break;
    case RESOLVED:
        r->resolved++;
        break;
    case SAID:
        r->has_said = true;
        break;
    case ERROR:
        r->failed = true;
        break;
    default:
        break;
    }
    return true;
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    (void)event;
    if (place == PACKAGE)
        end_package(r);
    if (place == VIA || place == ADVISORY || place == DATA_ADVISORY)
        return end_advisory(r, err);
    if (place == ROOT && str_is(text_str(&r->type), "auditSummary"))
        r->is_lines = r->has_summary = true;
    if (place == ROOT && str_starts(text_str(&r->type), STR("audit")))
        r->is_lines = true;
    return true;
}

static void replace(struct text *text, str value)
{
    text_clear(text);
    text_add(text, value);
}

static bool count(struct reading *r, const struct json_event *event, uint64_t *ret,
                  struct error *err)
{
    return number_u64(event->text, ret) ||
           json_walk_refuse(r->walk, event, err, "`" STR_FMT "` is not a number of things",
                            STR_ARG(str_shorten(event->text, 40)));
}

static bool advisory_value(struct reading *r, int place, const struct json_event *event,
                           struct error *err)
{
    switch (place) {
    case VIA_SOURCE:
    case ADVISORY_ID:
        text_clear(&r->number);
        text_addf(&r->number, "npm:" STR_FMT, STR_ARG(str_shorten(event->text, 60)));
        break;
    case MODULE:
        draft_set(&r->draft, DRAFT_PACKAGE, event->text);
        break;
    case TITLE:
        draft_set(&r->draft, DRAFT_TITLE, event->text);
        break;
    case URL:
        draft_aliases_in(&r->draft, event->text);
        break;
    case GITHUB_ID:
    case CVE:
        draft_alias(&r->draft, event->text);
        break;
    case SEVERITY:
        r->draft.severity = severity_of(event->text);
        break;
    case SCORE:
        return draft_number(event, "the score of an advisory", 10, &r->score, err);
    case VECTOR:
        replace(&r->vector, event->text);
        break;
    case PATCHED:
        take_patched(r, str_trim(event->text));
        break;
    case FOUND_VERSION:
        add_version(r, str_trim(event->text));
        break;
    case FOUND_PATH:
        if (!draft_has(&r->draft, DRAFT_PATH))
            draft_set(&r->draft, DRAFT_PATH, event->text);
        r->listed += !r->is_lines;
        break;
    default:
        break;
    }
    return true;
}

static bool metadata_value(struct reading *r, int place, str key, const struct json_event *event,
                           struct error *err)
{
    uint64_t value;
    if (event->type != JSON_NUMBER)
        return json_walk_refuse(r->walk, event, err, "dependencies is not a number");
    if (!count(r, event, &value, err))
        return false;
    if (place == SAID_COUNT && str_is(key, "total")) {
        r->said_total = value;
        r->has_said_total = true;
    } else if (place == SAID_COUNT) {
        r->said_sum = r->said_sum > UINT64_MAX - value ? UINT64_MAX : r->said_sum + value;
    } else {
        r->audited = value > r->audited ? value : r->audited;
        r->has_audited = true;
    }
    return true;
}

static void trouble(struct reading *r, str words)
{
    if (words.len && r->trouble.len < 300)
        text_addf(&r->trouble, "%s" STR_FMT, r->trouble.len ? ": " : "",
                  STR_ARG(str_shorten(words, 200)));
}

static bool via_value(struct reading *r, const struct json_event *event, struct error *err)
{
    return event->type == JSON_STRING ||
           json_walk_refuse(r->walk, event, err,
                            "an element of via is neither an advisory nor the name of a package");
}

static bool on_value(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    if (place == VIA)
        return via_value(r, event, err);
    if (event->type == JSON_NULL)
        return (place != PACKAGE && place != ADVISORY) ||
               json_walk_refuse(r->walk, event, err, "%s is null",
                                place == PACKAGE ? "a vulnerable package" : "an advisory");
    switch (place) {
    case NODE:
        if (!r->node.len)
            replace(&r->node, event->text);
        return true;
    case FIX:
        r->fix = event->type == JSON_TRUE ? FIX_AVAILABLE : FIX_NONE;
        return true;
    case FIX_NAME:
        replace(&r->fix_name, event->text);
        return true;
    case FIX_VERSION:
        replace(&r->fix_version, event->text);
        return true;
    case SAID_COUNT:
    case AUDITED:
    case AUDITED_COUNT:
    case AUDITED_TOTAL:
    case AUDITED_MORE:
        return metadata_value(r, place, key, event, err);
    case TYPE:
        replace(&r->type, event->text);
        return true;
    case DATA:
        if (str_is(text_str(&r->type), "error")) {
            r->failed = true;
            trouble(r, event->text);
        }
        return true;
    case ERROR:
    case ERROR_TEXT:
        r->failed = true;
        trouble(r, event->text);
        return true;
    case MESSAGE:
        trouble(r, event->text);
        return true;
    case STATUS:
        r->failed = true;
        return true;
    default:
        return advisory_value(r, place, event, err);
    }
}

// ---- the reader --------------------------------------------------------------------------------

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    static const struct json_walk_handler handler = {on_begin, on_value, on_end};
    (void)err;
    struct reading *r = memory_alloc(sizeof *r);
    struct text *const texts[] = {&r->number,   &r->versions,    &r->vector, &r->owner,  &r->node,
                                  &r->fix_name, &r->fix_version, &r->type,   &r->trouble};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = text_of(LIMIT_TOKEN_BYTES);
    r->evidence = evidence;
    r->report = report;
    r->walk = json_walk_open(evidence->reports[report].path, steps, &handler, r);
    json_walk_allow_many(r->walk);
    *ret = r;
    return true;
}

static bool feed(struct reading *r, str bytes, struct error *err)
{
    return json_walk_feed(r->walk, bytes, err);
}

// npm 7 counts vulnerable packages, the others count paths.
static void compare(struct reading *r)
{
    struct report *report = &r->evidence->reports[r->report];
    uint64_t said = r->has_said_total ? r->said_total : r->said_sum;
    uint64_t most = r->listed > r->resolved ? r->listed : r->resolved;
    if (!r->has_said)
        return;
    if (r->is_new && said != r->packages)
        report_suspect(r->evidence, report,
                       "metadata says %llu vulnerable packages, but %llu are listed",
                       (unsigned long long)said, (unsigned long long)r->packages);
    if (most < r->advisories)
        most = r->advisories;
    if (!r->is_new && (said < r->advisories || said > most))
        report_suspect(r->evidence, report,
                       "the report says %llu vulnerabilities, but %llu advisories with %llu paths "
                       "are listed",
                       (unsigned long long)said, (unsigned long long)r->advisories,
                       (unsigned long long)most);
}

static bool end(struct reading *r, struct error *err)
{
    struct report *report = &r->evidence->reports[r->report];
    struct position at = {report->path, 0, 0};
    if (!json_walk_end(r->walk, err))
        return false;
    report_tool(r->evidence, report, r->is_lines ? STR("yarn audit") : STR("npm audit"),
                (str){NULL, 0});
    if (r->failed) {
        report_scanner_failed(r->evidence, report,
                              r->trouble.len ? text_str(&r->trouble) : STR("it does not say why"));
        return true;
    }
    if (!r->is_new && !r->is_old && !r->is_lines)
        return error_at(err, ERROR_INPUT, at,
                        "the report has neither vulnerabilities nor advisories");
    if (r->is_lines && !r->has_summary)
        return error_at(err, ERROR_INPUT, at,
                        "the report is cut: its last line, auditSummary, is missing");
    compare(r);
    if (r->has_audited && r->audited == 0)
        report_nothing_audited(r->evidence, report, "the number of audited dependencies is 0");
    else if (!r->has_audited)
        report_suspect(r->evidence, report,
                       "the report does not say how many dependencies were audited");
    return true;
}

static void close_reading(struct reading *r)
{
    struct text *const texts[] = {&r->number,   &r->versions,    &r->vector, &r->owner,  &r->node,
                                  &r->fix_name, &r->fix_version, &r->type,   &r->trouble};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        text_done(texts[i]);
    json_walk_close(r->walk);
    draft_done(&r->draft);
    seen_done(&r->seen);
    memory_free(r);
}

const struct report_reader npm_audit_reader = {
    .name = "npm-audit",
    .title = "npm audit JSON",
    .form = REPORT_JSON,
    .kind = EVIDENCE_VULNERABILITIES,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
