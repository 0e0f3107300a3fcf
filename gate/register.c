#include "gate/register.h"

#include "gate/doc/yaml.h"

static const char *const usual[] = {"risk-register.yml", ".github/risk-register.yml", NULL};

bool register_find(struct arena *arena, const struct source *source, str named,
                   struct register_place *ret, struct error *err)
{
    const char *one[] = {named.len ? arena_copy(arena, named) : NULL, NULL};
    const char *const *paths = named.len ? one : usual;
    struct register_place place = {.path = paths[0]};
    for (size_t i = 0; paths[i] && !place.found; i++) {
        if (!source_read(arena, source, paths[i], &place.bytes, &place.found, err))
            return error_wrap(err, "the risk register");
        if (place.found)
            place.path = paths[i];
    }
    *ret = place;
    return true;
}

struct position register_named_at(const struct policy *policy)
{
    const struct node *named = node_get(node_get(policy->tree, "evidence"), "risks");
    return named ? named->at : (struct position){0};
}

bool register_read(struct arena *arena, const struct policy *policy, const struct source *tree,
                   str named, struct register_file *ret, struct error *err)
{
    struct register_file file = {0};
    struct register_place place;
    struct problems problems = {.arena = arena};
    const struct node *root;
    if (!register_find(arena, &policy->source, named, &place, err)) {
        err->at = register_named_at(policy);
        return false;
    }
    if (!place.found && policy->source.commit) {
        if (!register_find(arena, tree, named, &place, err))
            return false;
        file.from_tree = place.found;
    }
    if (!place.found && named.len)
        return error_at(err, ERROR_INPUT, register_named_at(policy),
                        "`risks` names %s, which is not there", place.path);
    file.found = place.found;
    file.path = place.path;
    if (file.found) {
        if (!yaml_parse(arena, file.path, place.bytes, &root, err))
            return false;
        if (!risk_register_bind(arena, root, &file.risks, &problems)) {
            problems_sort(&problems);
            return problems_none(&problems, err);
        }
        (void)sha256_of(place.bytes, file.sha256);
        file.size_bytes = place.bytes.len;
    }
    *ret = file;
    return true;
}
