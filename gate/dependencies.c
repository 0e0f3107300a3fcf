#include "gate/dependencies.h"

#include "gate/base/limits.h"
#include "gate/doc/yaml.h"
#include "policies/policies.h"

#include <stdlib.h>

#define LOCK_FILES 512u // with those that they include

bool lifecycles_read(struct arena *arena, struct lifecycles *ret, struct error *err)
{
    size_t count = 0;
    while (lifecycle_files[count].name)
        count++;
    struct lifecycle *tables = ARENA_ARRAY(arena, struct lifecycle, count + 1);
    struct problems problems = {.arena = arena};
    for (size_t i = 0; i < count; i++) {
        const struct policy_file *file = &lifecycle_files[i];
        const char *shown = arena_format(arena, "policies/lifecycle/%s.yml", file->name).data;
        const struct node *root;
        if (!yaml_parse(arena, shown, file->content, &root, err))
            return false;
        if (!lifecycle_bind(arena, root, &tables[i], &problems))
            return problems_none(&problems, err);
    }
    *ret = (struct lifecycles){tables, count};
    return true;
}

// ---- reading one side ----
struct side {
    struct arena *arena;
    const struct source *source;
    struct locks *locks;
    struct lock_problem *problems;
    size_t problem_count, problem_room;
    const char **done; // paths, as they were read
    size_t done_count, done_room;
};

static void add_problem(struct side *side, struct lock_problem problem)
{
    side->problems = arena_grow(side->arena, side->problems, side->problem_count,
                                &side->problem_room, sizeof *side->problems);
    side->problems[side->problem_count++] = problem;
}

// *ret_found false: there is no such file, and nothing is said.
static bool read_one(struct side *side, const char *path, bool *ret_found, struct error *err)
{
    struct error why = {0};
    str bytes;
    *ret_found = true;
    for (size_t i = 0; i < side->done_count; i++)
        if (strcmp(side->done[i], path) == 0)
            return true;
    side->done =
        arena_grow(side->arena, side->done, side->done_count, &side->done_room, sizeof *side->done);
    side->done[side->done_count++] = path;
    bool ok = source_read(side->arena, side->source, path, LIMIT_JSON_TREE_BYTES, &bytes, ret_found,
                          &why);
    if (ok && !*ret_found)
        return true;
    if (ok && locks_read(side->locks, path, bytes, &why))
        return true;
    if (why.kind == ERROR_SYSTEM) {
        *err = why;
        return false;
    }
    char text[1024];
    add_problem(
        side,
        (struct lock_problem){
            .path = path,
            .sentence = arena_format(side->arena, "%s.", error_text(&why, text, sizeof text)).data,
            .line = why.at.line});
    return true;
}

// Those that are included may include others.
static bool read_includes(struct side *side, struct error *err)
{
    for (size_t i = 0; i < side->locks->include_count; i++) {
        struct lock_include include = side->locks->includes[i];
        bool found;
        if (side->done_count >= LOCK_FILES)
            return error_set(err, ERROR_LIMIT, "lock files include more than %u files", LOCK_FILES);
        if (!read_one(side, include.path, &found, err))
            return false;
        if (!found)
            add_problem(side, (struct lock_problem){
                                  .path = include.path,
                                  .sentence = arena_format(side->arena,
                                                           "%s:%u includes %s, which is not there.",
                                                           include.from, include.line, include.path)
                                                  .data,
                                  .missing = true});
    }
    return true;
}

static bool read_side(struct side *side, const struct evidence_dependencies *config,
                      bool must_be_there, struct error *err)
{
    const str *names = config ? config->locks.items : NULL;
    size_t count = config ? config->locks.count : 0;
    bool found;
    for (size_t i = 0; i < count; i++) {
        const char *path = arena_copy(side->arena, names[i]);
        if (!read_one(side, path, &found, err))
            return false;
        if (!found && must_be_there)
            add_problem(
                side, (struct lock_problem){
                          .path = path,
                          .sentence = arena_format(side->arena, "The lock file %s is not %s.", path,
                                                   side->source->commit ? "in the commit" : "there")
                                          .data,
                          .missing = true});
    }
    for (size_t i = 0; !config && lock_usual_names[i]; i++)
        if (!read_one(side, lock_usual_names[i], &found, err))
            return false;
    return read_includes(side, err);
}

// ---- what changed ----
static int by_name(const void *a, const void *b)
{
    const struct locked *x = *(const struct locked *const *)a,
                        *y = *(const struct locked *const *)b;
    int order = strcmp(x->path, y->path);
    order = order ? order : str_cmp(x->ecosystem, y->ecosystem);
    return order ? order : str_cmp(x->name, y->name);
}

static int by_version_too(const void *a, const void *b)
{
    const struct locked *x = *(const struct locked *const *)a,
                        *y = *(const struct locked *const *)b;
    struct version v = {0}, w = {0};
    int order = by_name(a, b);
    if (order)
        return order;
    (void)version_parse(x->version, &v);
    (void)version_parse(y->version, &w);
    order = version_cmp(&w, &v); // the highest first
    return order ? order : str_cmp(x->written, y->written);
}

// One entry for each name of a file: the highest.
static size_t sorted(struct arena *arena, const struct locks *locks, const struct locked ***ret)
{
    const struct locked **items = ARENA_ARRAY(arena, const struct locked *, locks->count + 1);
    size_t all = 0, count = 0;
    for (size_t i = 0; i < locks->count; i++)
        if (!locks->items[i].nested)
            items[all++] = &locks->items[i];
    if (all)
        qsort(items, all, sizeof *items, by_version_too);
    for (size_t i = 0; i < all; i++)
        if (count == 0 || by_name(&items[count - 1], &items[i]) != 0)
            items[count++] = items[i];
    *ret = items;
    return count;
}

static void compare(struct arena *arena, struct dependencies *ret)
{
    const struct locked **before, **after;
    size_t m = sorted(arena, &ret->base, &before), n = sorted(arena, &ret->head, &after);
    size_t i = 0, k = 0;
    ret->changes = ARENA_ARRAY(arena, struct dependency_change, m + n + 1);
    while (i < m || k < n) {
        int order = i == m ? 1 : k == n ? -1 : by_name(&before[i], &after[k]);
        struct dependency_change change = {order <= 0 ? before[i] : NULL,
                                           order >= 0 ? after[k] : NULL};
        if (order || !str_eq(change.before->written, change.after->written))
            ret->changes[ret->change_count++] = change;
        i += order <= 0;
        k += order >= 0;
    }
}

static const char *names_of(struct arena *arena, const struct evidence_dependencies *config)
{
    const str *names = config ? config->locks.items : NULL;
    str text = {0};
    for (size_t i = 0; config ? i < config->locks.count : lock_usual_names[i] != NULL; i++)
        text = arena_format(arena, STR_FMT "%s" STR_FMT, STR_ARG(text), i ? ", " : "",
                            STR_ARG(config ? names[i] : str_of(lock_usual_names[i])));
    return arena_copy(arena, text);
}

bool dependencies_read(struct arena *arena, const struct dependencies_request *request,
                       struct dependencies *ret, struct error *err)
{
    struct dependencies found = {.named = request->config != NULL,
                                 .looked_for = names_of(arena, request->config),
                                 .head = {.arena = arena},
                                 .base = {.arena = arena},
                                 .base_unknown = request->base_unknown,
                                 .has_base = request->base.commit != NULL};
    struct side head = {.arena = arena, .source = &request->head, .locks = &found.head};
    struct side base = {.arena = arena, .source = &request->base, .locks = &found.base};
    if (!read_side(&head, request->config, true, err))
        return false;
    if (found.has_base && !read_side(&base, request->config, false, err))
        return false;
    found.problems = (struct lock_problems){head.problems, head.problem_count};
    found.base_problems = (struct lock_problems){base.problems, base.problem_count};
    if (found.has_base)
        compare(arena, &found);
    *ret = found;
    return true;
}
