#include "gate/reports/sarif_run.h"

#include "gate/base/limits.h"

#include <stdlib.h>

void sarif_run_begin(struct sarif_run *run, const struct evidence *evidence)
{
    sarif_run_done(run);
    run->first = evidence->vulnerabilities.count;
}

void sarif_run_done(struct sarif_run *run)
{
    arena_done(&run->arena);
    *run = (struct sarif_run){0};
}

bool sarif_run_rule(struct sarif_run *run, const struct vulnerability_draft *draft,
                    enum severity rated, int component, int64_t index, struct error *err)
{
    if (run->rule_count >= LIMIT_SARIF_RULES)
        return error_set(err, ERROR_LIMIT, "a run has more than %u rules", LIMIT_SARIF_RULES);
    run->rules =
        arena_grow(&run->arena, run->rules, run->rule_count, &run->rule_room, sizeof *run->rules);
    struct sarif_rule *rule = &run->rules[run->rule_count++];
    *rule = (struct sarif_rule){
        .id = arena_str(&run->arena, draft_get(draft, DRAFT_ID)),
        .title = arena_str(&run->arena, draft_get(draft, DRAFT_TITLE)),
        .level = draft->severity,
        .rated = rated,
        .score = draft->cvss,
        .component = component,
        .index = index,
    };
    rule->aliases = draft_names(draft, &run->arena, &rule->alias_count);
    for (size_t i = 0; i < rule->alias_count; i++)
        rule->aliases[i] = arena_str(&run->arena, rule->aliases[i]);
    return true;
}

void sarif_run_result(struct sarif_run *run, const struct sarif_result *result)
{
    run->results = arena_grow(&run->arena, run->results, run->result_count, &run->result_room,
                              sizeof *run->results);
    struct sarif_result *at = &run->results[run->result_count++];
    *at = *result;
    at->base = result->base.len ? arena_str(&run->arena, result->base) : (str){NULL, 0};
}

void sarif_run_base(struct sarif_run *run, str name, str uri, str base)
{
    run->bases =
        arena_grow(&run->arena, run->bases, run->base_count, &run->base_room, sizeof *run->bases);
    run->bases[run->base_count++] = (struct sarif_place){
        arena_str(&run->arena, name), arena_str(&run->arena, uri), arena_str(&run->arena, base)};
}

bool sarif_run_artifact(struct sarif_run *run, str uri, str base, struct error *err)
{
    if (run->artifact_count >= LIMIT_SOURCE_FILES)
        return error_set(err, ERROR_LIMIT, "a run names more than %u artifacts",
                         LIMIT_SOURCE_FILES);
    run->artifacts = arena_grow(&run->arena, run->artifacts, run->artifact_count,
                                &run->artifact_room, sizeof *run->artifacts);
    run->artifacts[run->artifact_count++] =
        (struct sarif_place){{NULL, 0}, arena_str(&run->arena, uri), arena_str(&run->arena, base)};
    return true;
}

// ---- rules --------------------------------------------------------------------------------------

static int by_id(const void *a, const void *b)
{
    const struct sarif_rule *const *x = a, *const *y = b;
    int order = str_cmp((*x)->id, (*y)->id);
    if (order)
        return order;
    return (*x)->component != (*y)->component
               ? ((*x)->component < (*y)->component ? -1 : 1)
               : ((*x)->index > (*y)->index) - ((*x)->index < (*y)->index);
}

static int by_place(const void *a, const void *b)
{
    const struct sarif_rule *const *x = a, *const *y = b;
    if ((*x)->component != (*y)->component)
        return (*x)->component < (*y)->component ? -1 : 1;
    return ((*x)->index > (*y)->index) - ((*x)->index < (*y)->index);
}

struct rule_index {
    const struct sarif_rule **by_id, **by_place;
    size_t count;
};

static struct rule_index index_rules(const struct sarif_run *run, struct arena *arena)
{
    struct rule_index index = {ARENA_ARRAY(arena, const struct sarif_rule *, run->rule_count + 1),
                               ARENA_ARRAY(arena, const struct sarif_rule *, run->rule_count + 1),
                               run->rule_count};
    for (size_t i = 0; i < run->rule_count; i++)
        index.by_id[i] = index.by_place[i] = &run->rules[i];
    qsort(index.by_id, index.count, sizeof *index.by_id, by_id);
    qsort(index.by_place, index.count, sizeof *index.by_place, by_place);
    return index;
}

// The first rule with that id, the driver's before an extension's.
static const struct sarif_rule *rule_named(const struct rule_index *index, str id)
{
    size_t low = 0, high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_cmp(index->by_id[middle]->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < index->count && str_eq(index->by_id[low]->id, id) ? index->by_id[low] : NULL;
}

// By its place, else by its id; of an id such as "CA1000/1" also by what stands before the slash.
static const struct sarif_rule *rule_of(const struct rule_index *index,
                                        const struct sarif_result *result, str id)
{
    struct sarif_rule key = {.component = result->component, .index = result->rule_index};
    const struct sarif_rule *wanted = &key, **found = NULL, *rule = NULL;
    if (result->rule_index >= 0 && index->count)
        found = bsearch(&wanted, index->by_place, index->count, sizeof *index->by_place, by_place);
    if (found)
        return *found;
    while (id.len && !rule) {
        rule = rule_named(index, id);
        size_t slash = str_find_last(id, '/');
        id = slash == STR_NONE ? (str){NULL, 0} : str_first(id, slash);
    }
    return rule;
}

static void unite_aliases(struct vulnerability *one, const struct sarif_rule *rule,
                          struct arena *arena)
{
    size_t count = one->alias_count;
    str *all = ARENA_ARRAY(arena, str, count + rule->alias_count + 1);
    if (count)
        memcpy(all, one->aliases, count * sizeof *all);
    for (size_t i = 0; i < rule->alias_count; i++)
        if (!vulnerability_named(one, rule->aliases[i]))
            all[count++] = arena_str(arena, rule->aliases[i]);
    one->aliases = all;
    one->alias_count = count;
}

static bool adds_a_name(const struct vulnerability *one, const struct sarif_rule *rule)
{
    for (size_t i = 0; i < rule->alias_count; i++)
        if (!vulnerability_named(one, rule->aliases[i]))
            return true;
    return false;
}

// A rating in figures comes before a level, and what a result says before what its rule says.
static void rate(struct vulnerability *one, const struct sarif_result *result,
                 const struct sarif_rule *rule)
{
    if (result->rated)
        return;
    if (rule && rule->score != SCORE_UNKNOWN) {
        one->cvss = rule->score;
        one->severity = severity_of_score(rule->score);
    } else if (rule && rule->rated != SEVERITY_UNKNOWN) {
        one->severity = rule->rated;
    } else if (result->level != SEVERITY_UNKNOWN) {
        one->severity = result->level;
    } else {
        bool says = rule && rule->level != SEVERITY_UNKNOWN;
        one->severity = says ? rule->level : severity_of(STR("warning"));
    }
}

// ---- paths --------------------------------------------------------------------------------------

static bool has_scheme(str uri) // "file:", "https:"; not "C:"
{
    size_t i = 0;
    while (i < uri.len && ((uri.data[i] >= 'a' && uri.data[i] <= 'z') ||
                           (uri.data[i] >= 'A' && uri.data[i] <= 'Z')))
        i++;
    return i > 1 && i < uri.len && uri.data[i] == ':';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// The path of a file URI or a relative reference, with %20 and the like decoded; anything else as
// it stands.
static str uri_path(struct arena *arena, str uri)
{
    bool file = str_starts(uri, STR("file:"));
    str s = file ? str_from(uri, 5) : uri;
    if (has_scheme(s))
        return s;
    if (file && str_starts(s, STR("//"))) { // an authority, mostly empty
        s = str_from(s, 2);
        size_t slash = str_find(s, '/');
        s = slash == STR_NONE ? s : str_from(s, slash);
    }
    if (s.len > 2 && s.data[0] == '/' && s.data[2] == ':') // /C:/…
        s = str_from(s, 1);
    char *path = arena_alloc(arena, s.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++, n++) {
        int high = s.data[i] == '%' && i + 2 < s.len ? hex_digit(s.data[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(s.data[i + 2]) : -1;
        path[n] = s.data[i];
        if (low >= 0 && high * 16 + low >= 0x20) {
            path[n] = (char)(high * 16 + low);
            i += 2;
        }
    }
    return str_is_utf8(str_make(path, n)) ? str_make(path, n) : s;
}

static const struct sarif_place *base_named(const struct sarif_run *run, str name)
{
    for (size_t i = 0; name.len && i < run->base_count; i++)
        if (str_eq(run->bases[i].name, name))
            return &run->bases[i];
    return NULL;
}

static bool is_absolute(str path)
{
    return (path.len && path.data[0] == '/') || has_scheme(path) ||
           (path.len > 1 && path.data[1] == ':');
}

// Where the bases lead to is the machine that the scanner ran on: a path is told from the root of
// the sources, which is the first base that is absolute.
static str resolved(const struct sarif_run *run, struct arena *arena, str uri, str base)
{
    enum { BASES_DEEP = 8 };
    str path = uri_path(arena, uri);
    for (int i = 0; i < BASES_DEEP && !is_absolute(path); i++) {
        const struct sarif_place *at = base_named(run, base);
        str before = at ? uri_path(arena, at->uri) : (str){NULL, 0};
        if (!at || is_absolute(before))
            break;
        bool slash = before.len && before.data[before.len - 1] != '/';
        path = arena_format(arena, STR_FMT "%s" STR_FMT, STR_ARG(before), slash ? "/" : "",
                            STR_ARG(path));
        base = at->base;
    }
    str best = {NULL, 0};
    for (size_t i = 0; is_absolute(path) && i < run->base_count; i++) {
        str root = uri_path(arena, run->bases[i].uri);
        if (is_absolute(root) && root.len > 1 && root.data[root.len - 1] == '/' &&
            root.len > best.len && str_starts(path, root))
            best = root;
    }
    path = str_from(path, best.len);
    while (str_starts(path, STR("./")))
        path = str_from(path, 2);
    return path;
}

static void place(struct vulnerability *one, const struct sarif_run *run,
                  const struct sarif_result *result, struct arena *scratch, struct arena *keep)
{
    str uri = one->path, base = result->base;
    if (uri.len == 0 && result->artifact >= 0 && (uint64_t)result->artifact < run->artifact_count) {
        uri = run->artifacts[result->artifact].uri;
        base = run->artifacts[result->artifact].base;
    }
    str path = resolved(run, scratch, uri, base);
    if (!str_eq(path, one->path))
        one->path = path.len ? arena_str(keep, path) : (str){"", 0};
}

void sarif_run_settle(struct sarif_run *run, struct evidence *evidence)
{
    enum { SCRATCH_BYTES = 1 << 20 };
    struct arena rules = {0}, scratch = {0};
    struct rule_index index = index_rules(run, &rules);
    for (size_t i = 0; i < run->result_count; i++) {
        struct vulnerability *one = &evidence->vulnerabilities.items[run->first + i];
        const struct sarif_result *result = &run->results[i];
        const struct sarif_rule *rule = rule_of(&index, result, one->id);
        if (rule && str_is(one->id, SARIF_NO_RULE) && rule->id.len)
            one->id = arena_str(&evidence->arena, rule->id);
        if (rule && adds_a_name(one, rule))
            unite_aliases(one, rule, &evidence->arena);
        if (rule && one->title.len == 0 && rule->title.len)
            one->title = arena_str(&evidence->arena, rule->title);
        rate(one, result, rule);
        place(one, run, result, &scratch, &evidence->arena);
        if (scratch.used_bytes > SCRATCH_BYTES)
            arena_done(&scratch);
    }
    arena_done(&scratch);
    arena_done(&rules);
}
