// OSV-Scanner JSON: for each source its packages, for each package OSV records and how they group.
//
// A package may stand after its findings, and so may the groups and the source: what they say is
// written to the entries once it is known.
//
// `results: []` says nothing by itself: the scanner writes it for a clean scan, and when it found
// no package to look at. Only a package that is listed (--all-packages), or one that was counted by
// its licence, shows that anything was scanned.
#include "gate/base/limits.h"
#include "gate/base/number.h"
#include "gate/reports/osv_places.h"
#include "gate/reports/registry.h"
#include "gate/reports/vulnerability_draft.h"

struct group { // of one package
    str *names;
    size_t count, room;
    double score; // SCORE_UNKNOWN
    bool analysed, called, unimportant;
};

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct json_walk *walk;
    struct vulnerability_draft draft;
    uint64_t offset;                                    // of the open record
    struct text source, name, version, ecosystem;       // of the open result and package
    struct text severity_type, severity_score;          // of the open severity
    struct text affected, fixed, range_type, range_fix; // of what is affected; versions end in '\n'
    bool fits, ranged, mended;                          // of the open record: see end_affects
    bool here, fixed_here;                              // of the open affected entry
    size_t first_of_result, first_of_package;           // entries
    struct arena arena;                                 // of the open package
    struct group *groups;
    size_t group_count, group_room;
    uint64_t packages;
    bool licences, has_results;
};

static bool only_osv_members(const struct report_head *head)
{
    static const char *const known[] = {
        "results",        "experimental_config",           "license_summary",
        "image_metadata", "experimental_generic_findings", NULL};
    for (size_t i = 0; i < head->seen_count; i++) {
        const struct json_seen *seen = &head->seen[i];
        if (seen->parent != 0)
            continue;
        size_t k = 0;
        while (known[k] && !str_is(seen->key, known[k]))
            k++;
        if (!known[k])
            return false;
    }
    return true;
}

static int recognise(const struct report_head *head)
{
    if (!head->is_json || head->values != 1 || head->seen[0].type != JSON_MAP_OPEN ||
        !report_head_has(head, "results", NULL))
        return 0;
    if (report_head_type(head, "results", "#", "packages", NULL) == JSON_LIST_OPEN &&
        (report_head_has(head, "results", "#", "source", NULL) ||
         report_head_has(head, "results", "#", "packages", "#", "package", NULL)))
        return 95;
    bool bare = !report_head_has(head, "results", "#", NULL) &&
                (report_head_type(head, "results", NULL) == JSON_LIST_OPEN ||
                 report_head_has(head, "experimental_config", NULL));
    return bare && only_osv_members(head) ? 60 : 0;
}

// ---- one record --------------------------------------------------------------------------------

static void begin_vuln(struct reading *r, uint64_t offset)
{
    draft_clear(&r->draft);
    r->offset = offset;
    text_clear(&r->fixed);
    r->fits = r->ranged = r->mended = false;
}

// A severity is a CVSS vector, or a word of a distribution.
static void end_severity(struct reading *r)
{
    struct error err;
    str score = text_str(&r->severity_score);
    if (score.len == 0)
        return;
    if (!str_starts(text_str(&r->severity_type), STR("CVSS_"))) {
        enum severity word = severity_of(score);
        if (word > r->draft.severity)
            r->draft.severity = word;
    } else if (!draft_vector(&r->draft, 0, score, &err)) {
        report_suspect(r->evidence, &r->evidence->reports[r->report], "%s", err.message);
    }
}

static void end_range(struct reading *r)
{
    str fix = text_str(&r->range_fix);
    r->ranged = true;
    if (fix.len == 0)
        return;
    r->fixed_here = true;
    if (!str_is(text_str(&r->range_type), "GIT")) // commits are no versions
        text_add(&r->affected, fix);
}

// Names that differ only in case, and in '-', '_' and '.', are one package in some ecosystems.
static char folded(char c)
{
    if (c == '_' || c == '.')
        return '-';
    return char_lower(c);
}

static bool same_package(str a, str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (folded(a.data[i]) != folded(b.data[i]))
            return false;
    return true;
}

// A record may speak of several packages: only what it says of this one counts.
static void end_affects(struct reading *r)
{
    if (r->here) {
        text_add(&r->fixed, text_str(&r->affected));
        r->fits = true;
        r->mended |= r->fixed_here;
    }
}

static bool end_vuln(struct reading *r, struct error *err)
{
    str rest = text_str(&r->fixed);
    while (rest.len)
        draft_fixed(&r->draft, str_cut(&rest, '\n'));
    if (r->mended)
        r->draft.fix = FIX_AVAILABLE;
    else if (r->fits && r->ranged)
        r->draft.fix = FIX_NONE;
    if (str_starts(draft_get(&r->draft, DRAFT_ID), STR("MAL-")) &&
        r->draft.severity == SEVERITY_UNKNOWN && r->draft.cvss < 0)
        r->draft.severity = SEVERITY_CRITICAL; // the package is itself the attack
    return draft_take(&r->draft, r->evidence, r->report, r->offset, err);
}

// ---- groups, packages, results -----------------------------------------------------------------

static struct group *open_group(struct reading *r)
{
    return &r->groups[r->group_count - 1];
}

static bool is_in(const struct group *group, const struct vulnerability *one)
{
    for (size_t i = 0; i < group->count; i++)
        if (vulnerability_named(one, group->names[i]))
            return true;
    return false;
}

static void add_names(struct arena *arena, struct vulnerability *one, const struct group *group)
{
    str *names = ARENA_ARRAY(arena, str, one->alias_count + group->count + 1);
    size_t count = one->alias_count;
    if (count)
        memcpy(names, one->aliases, count * sizeof *names);
    one->aliases = names;
    for (size_t i = 0; i < group->count; i++) {
        one->alias_count = count;
        if (!vulnerability_named(one, group->names[i]))
            names[count++] = arena_str(arena, group->names[i]);
    }
    one->alias_count = count;
}

static void apply_group(struct reading *r, const struct group *group, struct vulnerability *one)
{
    add_names(&r->evidence->arena, one, group);
    if (one->cvss < 0) {
        one->cvss = group->score;
        if (one->severity == SEVERITY_UNKNOWN)
            one->severity = severity_of_score(group->score);
    }
    bool uncalled = group->analysed && !group->called;
    if (one->suppressed || !(uncalled || group->unimportant))
        return;
    one->suppressed = true;
    one->suppressed_why = uncalled
                              ? STR("the scanner's analysis: the vulnerable code is not called")
                              : STR("the scanner's analysis: unimportant to the distribution");
}

static void end_package(struct reading *r)
{
    struct arena *arena = &r->evidence->arena;
    struct vulnerabilities *all = &r->evidence->vulnerabilities;
    r->packages++;
    if (all->count > r->first_of_package) {
        str name = arena_str(arena, text_str(&r->name));
        str version = arena_str(arena, text_str(&r->version));
        str ecosystem = arena_str(arena, text_str(&r->ecosystem));
        for (size_t i = r->first_of_package; i < all->count; i++) {
            all->items[i].package = name;
            all->items[i].version = version;
            all->items[i].ecosystem = ecosystem;
            for (size_t k = 0; k < r->group_count; k++)
                if (is_in(&r->groups[k], &all->items[i]))
                    apply_group(r, &r->groups[k], &all->items[i]);
        }
    }
    arena_done(&r->arena);
    r->groups = NULL;
    r->group_count = r->group_room = 0;
}

static void end_result(struct reading *r)
{
    struct vulnerabilities *all = &r->evidence->vulnerabilities;
    if (all->count == r->first_of_result || r->source.len == 0)
        return;
    str path = arena_str(&r->evidence->arena, text_str(&r->source));
    for (size_t i = r->first_of_result; i < all->count; i++)
        all->items[i].path = path;
}

// ---- events ------------------------------------------------------------------------------------

static bool on_begin(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key, (void)err;
    if (place == RESULTS) {
        r->has_results = true;
    } else if (place == RESULT) {
        r->first_of_result = r->evidence->vulnerabilities.count;
        text_clear(&r->source);
    } else if (place == PACKAGE) {
        r->first_of_package = r->evidence->vulnerabilities.count;
        text_clear(&r->name);
        text_clear(&r->version);
        text_clear(&r->ecosystem);
    } else if (place == VULN) {
        begin_vuln(r, event->offset);
    } else if (place == SEVERITY_ENTRY) {
        text_clear(&r->severity_type);
        text_clear(&r->severity_score);
    } else if (place == AFFECTS) {
        text_clear(&r->affected);
        r->here = true; // until it names another package
        r->fixed_here = false;
    } else if (place == RANGE) {
        text_clear(&r->range_type);
        text_clear(&r->range_fix);
    } else if (place == GROUP) {
        r->groups =
            arena_grow(&r->arena, r->groups, r->group_count, &r->group_room, sizeof *r->groups);
        r->groups[r->group_count++] = (struct group){.score = SCORE_UNKNOWN};
    } else if (place == ANALYSIS) {
        open_group(r)->analysed = true;
    }
    return true;
}

static bool on_end(void *context, int place, const struct json_event *event, struct error *err)
{
    struct reading *r = context;
    (void)event;
    if (place == SEVERITY_ENTRY)
        end_severity(r);
    else if (place == RANGE)
        end_range(r);
    else if (place == AFFECTS)
        end_affects(r);
    else if (place == VULN)
        return end_vuln(r, err);
    else if (place == PACKAGE)
        end_package(r);
    else if (place == RESULT)
        end_result(r);
    return true;
}

static void replace(struct text *text, str value)
{
    text_clear(text);
    text_add(text, value);
}

static void set_ecosystem(struct reading *r, str value)
{
    str plain = str_cut(&value, ':'); // "Debian:12"
    text_clear(&r->ecosystem);
    for (size_t i = 0; i < plain.len; i++)
        text_addc(&r->ecosystem, char_lower(plain.data[i]));
}

static bool group_value(struct reading *r, int place, const struct json_event *event,
                        struct error *err)
{
    struct group *group = open_group(r);
    if (place == GROUP_ID && event->text.len) {
        group->names =
            arena_grow(&r->arena, group->names, group->count, &group->room, sizeof *group->names);
        group->names[group->count++] = arena_str(&r->arena, event->text);
    } else if (place == MAX_SEVERITY) {
        return event->text.len == 0 ||
               draft_number(event, "max_severity of a group", 10, &group->score, err);
    } else if (place == CALLED) {
        group->called |= event->type == JSON_TRUE;
    } else if (place == UNIMPORTANT) {
        group->unimportant |= event->type == JSON_TRUE;
    }
    return true;
}

static void vuln_value(struct reading *r, int place, const struct json_event *event)
{
    if (place == ID) {
        draft_set(&r->draft, DRAFT_ID, event->text);
    } else if (place == ALIAS) {
        draft_alias(&r->draft, event->text);
    } else if (place == SUMMARY || (place == DETAILS && !draft_has(&r->draft, DRAFT_TITLE))) {
        draft_set(&r->draft, DRAFT_TITLE, event->text);
    } else if (place == WITHDRAWN && event->text.len) {
        r->draft.suppressed = true;
        draft_set(&r->draft, DRAFT_WHY, STR("the advisory is withdrawn"));
    } else if (place == DATABASE_SEVERITY && event->type == JSON_STRING) {
        enum severity word = severity_of(event->text);
        if (word != SEVERITY_UNKNOWN)
            r->draft.severity = word;
    }
}

static bool on_value(void *context, int place, str key, const struct json_event *event,
                     struct error *err)
{
    struct reading *r = context;
    (void)key;
    if (event->type == JSON_NULL && place == VULN)
        return json_walk_refuse(r->walk, event, err, "an element of vulnerabilities is null");
    if (event->type == JSON_NULL)
        return true;
    if (place == SOURCE_PATH)
        replace(&r->source, event->text);
    else if ((place == NAME && event->text.len) || (place == COMMIT && r->name.len == 0))
        replace(&r->name, event->text);
    else if (place == VERSION)
        replace(&r->version, event->text);
    else if (place == ECOSYSTEM)
        set_ecosystem(r, event->text);
    else if (place == SEVERITY_TYPE)
        replace(&r->severity_type, event->text);
    else if (place == SEVERITY_SCORE)
        replace(&r->severity_score, event->text);
    else if (place == AFFECTED_NAME)
        r->here = r->name.len == 0 || same_package(text_str(&r->name), event->text);
    else if (place == RANGE_TYPE)
        replace(&r->range_type, event->text);
    else if (place == FIXED)
        text_addf(&r->range_fix, STR_FMT "\n", STR_ARG(event->text));
    else if (place == LICENCE_COUNT)
        r->licences |= !str_is(event->text, "0");
    else if (place >= GROUP_ID && place <= UNIMPORTANT)
        return group_value(r, place, event, err);
    else
        vuln_value(r, place, event);
    return true;
}

// ---- the reader --------------------------------------------------------------------------------

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    static const struct json_walk_handler handler = {on_begin, on_value, on_end};
    (void)err;
    struct reading *r = memory_alloc(sizeof *r);
    struct text *const texts[] = {
        &r->source,         &r->name,     &r->version, &r->ecosystem,  &r->severity_type,
        &r->severity_score, &r->affected, &r->fixed,   &r->range_type, &r->range_fix};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = text_of(LIMIT_TOKEN_BYTES);
    r->evidence = evidence;
    r->report = report;
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
    report_tool(r->evidence, report, STR("osv-scanner"), (str){NULL, 0});
    if (!r->packages && !r->licences)
        report_nothing_audited(r->evidence, report,
                               r->has_results
                                   ? "results is empty, as it also is when osv-scanner found no "
                                     "package; with --all-packages the report shows what was "
                                     "scanned"
                                   : "the report has no results");
    return true;
}

static void close_reading(struct reading *r)
{
    struct text *const texts[] = {
        &r->source,         &r->name,     &r->version, &r->ecosystem,  &r->severity_type,
        &r->severity_score, &r->affected, &r->fixed,   &r->range_type, &r->range_fix};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        text_done(texts[i]);
    json_walk_close(r->walk);
    draft_done(&r->draft);
    arena_done(&r->arena);
    memory_free(r);
}

const struct report_reader osv_reader = {
    .name = "osv",
    .title = "OSV-Scanner JSON",
    .form = REPORT_JSON,
    .kind = EVIDENCE_VULNERABILITIES,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
