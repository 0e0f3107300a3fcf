// Lock files in JSON: npm's (versions 1 to 3), pipenv's, and what package.json says of node.
#include "gate/doc/json.h"
#include "gate/risk/lock_parts.h"

static bool tree_of(struct lock_reading *r, const struct node **ret)
{
    if (!json_parse(r->locks->arena, r->path, r->rest, ret, r->err))
        return false;
    if ((*ret)->kind == NODE_MAP)
        return true;
    return lock_refuse(r, (*ret)->at.line, "this is %s, not a map", node_kind_name((*ret)->kind));
}

static bool add_engines(struct lock_reading *r, const struct node *package)
{
    const struct node *node = node_get(node_get(package, "engines"), "node");
    if (!node || node->kind != NODE_STRING)
        return true;
    struct locked one = {.ecosystem = STR("runtime"), .name = STR("node"), .line = node->at.line};
    lock_specifier(r->locks->arena, node->text, false, &one);
    return lock_add(r, &one);
}

bool lock_package_json(struct lock_reading *r)
{
    const struct node *root;
    return tree_of(r, &root) && add_engines(r, root);
}

static bool add_npm(struct lock_reading *r, str name, const struct node *package, bool nested)
{
    const struct node *version = node_get(package, "version"), *link = node_get(package, "link");
    if (!version || (link && str_is(link->text, "true")))
        return true; // a folder of the repository
    if (version->kind != NODE_STRING || version->text.len == 0)
        return lock_refuse(r, version->at.line, "the version of `" STR_FMT "` is no text",
                           STR_ARG(str_shorten(name, 80)));
    return lock_add(r, &(struct locked){.ecosystem = STR("npm"),
                                        .name = name,
                                        .version = version->text,
                                        .pin = PIN_EXACT,
                                        .nested = nested,
                                        .line = version->at.line});
}

// Version 1: each package may have packages of its own below it.
static bool add_tree(struct lock_reading *r, const struct node *dependencies, unsigned depth)
{
    const struct node *package = dependencies ? dependencies->first : NULL;
    for (; package; package = package->next)
        if (!add_npm(r, package->key, package, depth > 0) ||
            (depth < LIMIT_DOC_DEPTH && !add_tree(r, node_get(package, "dependencies"), depth + 1)))
            return false;
    return true;
}

bool lock_npm(struct lock_reading *r)
{
    static const str folder = STR_INIT("node_modules/");
    const struct node *root;
    if (!tree_of(r, &root))
        return false;
    const struct node *packages = node_get(root, "packages");
    if (!packages && !node_get(root, "dependencies") && !node_get(root, "lockfileVersion"))
        return lock_refuse(r, 1,
                           "this is no package-lock.json: it has neither `packages` nor "
                           "`dependencies`");
    if (!packages)
        return add_tree(r, node_get(root, "dependencies"), 0);
    for (const struct node *package = packages->first; package; package = package->next) {
        str name = package->key;
        bool nested = false;
        if (!str_starts(name, folder)) {
            if (name.len == 0 && !add_engines(r, package))
                return false;
            continue;
        }
        name = str_from(name, folder.len);
        for (size_t at; (at = str_search(name, STR("/node_modules/"))) != STR_NONE; nested = true)
            name = str_from(name, at + folder.len + 1);
        if (!add_npm(r, name, package, nested))
            return false;
    }
    return true;
}

bool lock_pipfile(struct lock_reading *r)
{
    static const char *const groups[] = {"default", "develop"};
    const struct node *root;
    if (!tree_of(r, &root))
        return false;
    const struct node *meta = node_get(root, "_meta"), *required = node_get(meta, "requires");
    if (!meta)
        return lock_refuse(r, 1, "this is no Pipfile.lock: it has no `_meta`");
    const struct node *python = node_get(required, "python_full_version");
    python = python ? python : node_get(required, "python_version");
    if (python && python->kind == NODE_STRING &&
        !lock_add(r, &(struct locked){.ecosystem = STR("runtime"),
                                      .name = STR("python"),
                                      .version = python->text,
                                      .pin = PIN_EXACT,
                                      .line = python->at.line}))
        return false;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        const struct node *group = node_get(root, groups[i]);
        for (const struct node *one = group ? group->first : NULL; one; one = one->next) {
            const struct node *version = node_get(one, "version");
            struct locked locked = {.ecosystem = STR("pypi"),
                                    .name = lock_pypi_name(r->locks->arena, one->key),
                                    .line = version ? version->at.line : one->at.line};
            lock_specifier(r->locks->arena, version ? version->text : (str){0}, false, &locked);
            if (!lock_add(r, &locked))
                return false;
        }
    }
    return true;
}
