// pip-audit JSON: dependencies with their vulnerabilities, or why one was skipped. Before 2.0 the
// report was the plain list of dependencies.
//
// It gives no severities. `fixes` tells what --fix did afterwards; the findings stand as they are.
#include "gate/base/limits.h"
#include "gate/reports/json_walk.h"
#include "gate/reports/registry.h"
#include "gate/reports/vulnerability_draft.h"

enum {
    ROOT = 1,
    DEPENDENCIES,
    DEPENDENCY,
    NAME,
    VERSION,
    SKIP_REASON,
    VULNS,
    VULN,
    ID,
    FIX_VERSIONS,
    FIX_VERSION,
    ALIASES,
    ALIAS,
    DESCRIPTION,
    PLACES,
};

static const struct json_step steps[] = {
    {JSON_OUTERMOST, NULL, ROOT | JSON_IS_MAP | JSON_IS_LIST},
    {ROOT, "dependencies", DEPENDENCIES | JSON_IS_LIST},
    {ROOT, NULL, DEPENDENCY | JSON_IS_MAP},
    {DEPENDENCIES, NULL, DEPENDENCY | JSON_IS_MAP},
    {DEPENDENCY, "name", NAME | JSON_IS_TEXT},
    {DEPENDENCY, "version", VERSION | JSON_IS_TEXT},
    {DEPENDENCY, "skip_reason", SKIP_REASON | JSON_IS_TEXT},
    {DEPENDENCY, "vulns", VULNS | JSON_IS_LIST},
    {VULNS, NULL, VULN | JSON_IS_MAP},
    {VULN, "id", ID | JSON_IS_TEXT},
    {VULN, "fix_versions", FIX_VERSIONS | JSON_IS_LIST},
    {FIX_VERSIONS, NULL, FIX_VERSION | JSON_IS_TEXT},
    {VULN, "aliases", ALIASES | JSON_IS_LIST},
    {ALIASES, NULL, ALIAS | JSON_IS_TEXT},
    {VULN, "description", DESCRIPTION | JSON_IS_TEXT},
    {0},
};

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct json_walk *walk;
    struct vulnerability_draft draft;
    uint64_t offset; // of the open vulnerability
    struct text name, version;
    bool audited, skipped; // the open dependency
    bool fix_list;         // the open vulnerability has a list of versions that mend it
    size_t first;          // entry of the open dependency
    uint64_t dependencies, skips, unsaid;
};

static int recognise(const struct report_head *head)
{
    if (!head->is_json || head->values != 1)
        return 0;
    if (head->seen[0].type == JSON_LIST_OPEN)
        return report_head_has(head, "#", "name", NULL) &&
                       (report_head_type(head, "#", "vulns", NULL) == JSON_LIST_OPEN ||
                        report_head_has(head, "#", "skip_reason", NULL))
                   ? 90
                   : 0;
    if (report_head_type(head, "dependencies", NULL) != JSON_LIST_OPEN)
        return 0;
    if (report_head_type(head, "dependencies", "#", "vulns", NULL) == JSON_LIST_OPEN ||
        report_head_has(head, "dependencies", "#", "skip_reason", NULL))
        return 95;
    return !report_head_has(head, "dependencies", "#", NULL) &&
                   report_head_type(head, "fixes", NULL) == JSON_LIST_OPEN
               ? 80
               : 0;
}

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key, (void)err;
    if (place == DEPENDENCY) {
        r->first = r->evidence->vulnerabilities.count;
        r->audited = r->skipped = false;
        text_clear(&r->name);
        text_clear(&r->version);
    } else if (place == VULNS) {
        r->audited = true;
    } else if (place == VULN) {
        draft_clear(&r->draft);
        draft_set(&r->draft, DRAFT_ECOSYSTEM, STR("pypi"));
        r->offset = event->offset;
        r->fix_list = false;
    } else if (place == FIX_VERSIONS) {
        r->fix_list = true;
    }
    return true;
}

// Name and version may stand after the vulnerabilities.
static void end_dependency(struct reading *r)
{
    struct vulnerabilities *all = &r->evidence->vulnerabilities;
    struct arena *arena = &r->evidence->arena;
    r->dependencies++;
    r->skips += r->skipped && !r->audited;
    r->unsaid += !r->skipped && !r->audited;
    if (all->count == r->first)
        return;
    str name = arena_str(arena, text_str(&r->name));
    str version = arena_str(arena, text_str(&r->version));
    for (size_t i = r->first; i < all->count; i++) {
        all->items[i].package = name;
        all->items[i].version = version;
    }
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    (void)event;
    if (place == DEPENDENCY)
        end_dependency(r);
    if (place != VULN)
        return true;
    if (r->fix_list)
        r->draft.fix = draft_has(&r->draft, DRAFT_FIXED) ? FIX_AVAILABLE : FIX_NONE;
    return draft_take(&r->draft, r->evidence, r->report, r->offset, err);
}

static bool on_value(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key;
    if (event->type == JSON_NULL)
        return (place != DEPENDENCY && place != VULN) ||
               json_walk_refuse(r->walk, event, err, "%s is null",
                                place == VULN ? "an element of vulns" : "a dependency");
    switch (place) {
    case NAME:
        text_clear(&r->name);
        text_add(&r->name, event->text);
        break;
    case VERSION:
        text_clear(&r->version);
        text_add(&r->version, event->text);
        break;
    case SKIP_REASON:
        r->skipped = true;
        break;
    case ID:
        draft_set(&r->draft, DRAFT_ID, event->text);
        break;
    case FIX_VERSION:
        draft_fixed(&r->draft, event->text);
        break;
    case ALIAS:
        draft_alias(&r->draft, event->text);
        break;
    case DESCRIPTION:
        draft_set(&r->draft, DRAFT_TITLE, event->text);
        break;
    default:
        break;
    }
    return true;
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    static const struct json_walk_handler handler = {on_begin, on_value, on_end};
    (void)err;
    struct reading *r = memory_alloc(sizeof *r);
    r->evidence = evidence;
    r->report = report;
    r->name = text_of(LIMIT_TOKEN_BYTES);
    r->version = text_of(LIMIT_TOKEN_BYTES);
    r->walk = json_walk_open(evidence->reports[report].path, steps, &handler, r);
    *ret = r;
    return true;
}

static bool feed(struct reading *r, str bytes, struct error *err)
{
    return json_walk_feed(r->walk, bytes, err);
}

static bool end(struct reading *r, struct error *err)
{
    struct report *report = &r->evidence->reports[r->report];
    if (!json_walk_end(r->walk, err))
        return false;
    report_tool(r->evidence, report, STR("pip-audit"), (str){NULL, 0});
    if (r->dependencies == 0)
        report_nothing_audited(r->evidence, report, "the report lists no dependency");
    else if (r->skips == r->dependencies)
        report_nothing_audited(r->evidence, report, "every dependency was skipped");
    else if (r->unsaid)
        report_suspect(r->evidence, report,
                       "%llu of %llu dependencies have neither vulns nor a skip_reason",
                       (unsigned long long)r->unsaid, (unsigned long long)r->dependencies);
    return true;
}

static void close_reading(struct reading *r)
{
    json_walk_close(r->walk);
    draft_done(&r->draft);
    text_done(&r->name);
    text_done(&r->version);
    memory_free(r);
}

const struct report_reader pip_audit_reader = {
    .name = "pip-audit",
    .title = "pip-audit JSON",
    .form = REPORT_JSON,
    .kind = EVIDENCE_VULNERABILITIES,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
