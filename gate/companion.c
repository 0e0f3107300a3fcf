#include "gate/companion.h"

#include "gate/base/limits.h"
#include "gate/doc/yaml.h"

#define USUAL_PLACES 3

static const struct {
    const char *key, *title;
    size_t max_bytes;
    const char *usual[USUAL_PLACES]; // ends with null
} kinds[COMPANIONS] = {
    [COMPANION_RISKS] = {"risks",
                         "the risk register",
                         LIMIT_REGISTER_BYTES,
                         {"risk-register.yml", ".github/risk-register.yml", NULL}},
    [COMPANION_WAIVERS] = {"waivers",
                           "the waivers",
                           LIMIT_CONFIG_BYTES,
                           {"waivers.yml", ".github/waivers.yml", NULL}},
    [COMPANION_QUARANTINE] = {"quarantine",
                              "the quarantine",
                              LIMIT_CONFIG_BYTES,
                              {"quarantine.yml", ".github/quarantine.yml", NULL}},
};

const char *companion_key(enum companion_kind kind)
{
    return kinds[kind].key;
}

const char *companion_title(enum companion_kind kind)
{
    return kinds[kind].title;
}

bool companion_find(struct arena *arena, enum companion_kind kind, const struct source *source,
                    str named, struct companion *ret, struct error *err)
{
    const char *one[] = {named.len ? arena_copy(arena, named) : NULL, NULL};
    const char *const *paths = named.len ? one : kinds[kind].usual;
    struct companion file = {.path = paths[0]};
    for (size_t i = 0; paths[i] && !file.found; i++) {
        if (!source_read(arena, source, paths[i], kinds[kind].max_bytes, &file.bytes, &file.found,
                         err))
            return error_wrap(err, "%s", kinds[kind].title);
        if (file.found)
            file.path = paths[i];
    }
    if (file.found) {
        (void)sha256_of(file.bytes, file.sha256);
        file.size_bytes = file.bytes.len;
    }
    *ret = file;
    return true;
}

struct position companion_named_at(enum companion_kind kind, const struct policy *policy)
{
    const struct node *named = node_get(node_get(policy->tree, "evidence"), kinds[kind].key);
    return named ? named->at : (struct position){0};
}

bool companion_parse(struct arena *arena, enum companion_kind kind, const struct companion *file,
                     const struct node **ret, struct error *err)
{
    if (kind == COMPANION_RISKS)
        return yaml_parse_large(arena, file->path, file->bytes, LIMIT_REGISTER_BYTES,
                                LIMIT_REGISTER_NODES, ret, err);
    return yaml_parse(arena, file->path, file->bytes, ret, err);
}

bool companion_read(struct arena *arena, enum companion_kind kind, const struct policy *policy,
                    const struct source *tree, str named, struct companion *ret, struct error *err)
{
    struct companion file;
    if (!companion_find(arena, kind, &policy->source, named, &file, err)) {
        err->at = companion_named_at(kind, policy);
        return false;
    }
    // Exceptions that the change brings along would be its own permission.
    if (!file.found && policy->source.commit && kind == COMPANION_RISKS) {
        if (!companion_find(arena, kind, tree, named, &file, err))
            return false;
        file.from_tree = file.found;
    }
    // A change may be what brings waivers that the base's configuration names.
    bool may_come = kind != COMPANION_RISKS && policy->source.commit;
    if (!file.found && named.len && !may_come)
        return error_at(err, ERROR_INPUT, companion_named_at(kind, policy),
                        "`%s` names %s, which is not there", kinds[kind].key, file.path);
    if (file.found && !companion_parse(arena, kind, &file, &file.root, err))
        return false;
    *ret = file;
    return true;
}
