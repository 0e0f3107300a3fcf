#include "gate/policy.h"

#include "gate/base/limits.h"
#include "gate/doc/json.h"
#include "gate/doc/yaml.h"
#include "policies/policies.h"

const struct node *policy_preset(struct arena *arena, str name, struct error *err)
{
    for (const struct policy_file *file = policy_files; file->name; file++) {
        const struct node *tree;
        if (!str_is(name, file->name))
            continue;
        const char *shown = arena_format(arena, "policies/%s.yml", file->name).data;
        return yaml_parse(arena, shown, file->content, &tree, err) ? tree : NULL;
    }
    (void)error_set(err, ERROR_ABSENT, "there is no policy `" STR_FMT "`", STR_ARG(name));
    return NULL;
}

static bool unknown_preset(const struct node *name, struct error *err)
{
    struct text list = text_of(256);
    for (const struct policy_file *file = policy_files; file->name; file++)
        text_addf(&list, "%s`%s`", file == policy_files ? "" : ", ", file->name);
    (void)error_at(err, ERROR_INPUT, name->at,
                   "there is no policy `" STR_FMT "`: built in are %s; one of your own is named by "
                   "its path, which ends with .yml",
                   STR_ARG(name->text), text_c(&list));
    text_done(&list);
    return false;
}

static bool is_path(str name)
{
    return str_ends(name, STR(".yml")) || str_ends(name, STR(".yaml"));
}

static bool is_preset(str name)
{
    for (const struct policy_file *file = policy_files; file->name; file++)
        if (str_is(name, file->name))
            return true;
    return false;
}

// The document that one name of `extends` stands for.
static bool read_named(struct arena *arena, const struct source *source, const struct node *name,
                       const struct node **ret, struct error *err)
{
    if (!is_path(name->text)) {
        if (!is_preset(name->text))
            return unknown_preset(name, err);
        const struct node *tree = policy_preset(arena, name->text, err);
        if (tree)
            *ret = tree;
        return tree != NULL;
    }
    const char *path = arena_copy(arena, name->text);
    str bytes;
    bool found;
    if (!source_read(arena, source, path, LIMIT_CONFIG_BYTES, &bytes, &found, err)) {
        err->at = name->at;
        return false;
    }
    if (!found)
        return error_at(err, ERROR_INPUT, name->at, "`extends` names %s, which is not there", path);
    return yaml_parse(arena, path, bytes, ret, err);
}

static bool extend(struct arena *arena, const struct source *source, const struct node *document,
                   unsigned depth, const struct node **ret, struct error *err)
{
    const struct node *names = node_get(document, "extends");
    const struct node *tree = NULL;
    if (!names) {
        *ret = document;
        return true;
    }
    if (depth >= LIMIT_EXTENDS)
        return error_at(err, ERROR_INPUT, names->at,
                        "policies extend each other more than %u deep: is there a circle?",
                        LIMIT_EXTENDS);
    const struct node *name = names->kind == NODE_LIST ? names->first : names;
    for (; name; name = names->kind == NODE_LIST ? name->next : NULL) {
        const struct node *one, *whole;
        if (name->kind != NODE_STRING)
            return error_at(err, ERROR_INPUT, name->at, "`extends` takes names of policies, not %s",
                            node_kind_name(name->kind));
        if (!read_named(arena, source, name, &one, err) ||
            !extend(arena, source, one, depth + 1, &whole, err))
            return false;
        tree = tree ? node_merge(arena, tree, whole) : whole;
    }
    *ret = tree ? node_merge(arena, tree, document) : document;
    return true;
}

bool policy_extend(struct arena *arena, const struct source *source, const struct node *document,
                   const struct node **ret, struct error *err)
{
    return extend(arena, source, document, 0, ret, err);
}

// ---- finding it --------------------------------------------------------------------------------
static bool find(struct arena *arena, const struct policy_request *request, struct policy *policy,
                 str *ret, struct error *err)
{
    bool found = false, found_tree = false;
    str bytes = {NULL, 0}, own = {NULL, 0};
    if (request->outside) {
        policy->source = request->base.commit ? request->base : request->tree;
        if (!source_read_file(arena, request->path, LIMIT_CONFIG_BYTES, ret, &found, err))
            return false;
        return found ||
               error_set(err, ERROR_ABSENT, "there is no configuration at %s", request->path);
    }
    if (request->base.commit &&
        !source_read(arena, &request->base, request->path, LIMIT_CONFIG_BYTES, &bytes, &found, err))
        return false;
    if (!source_read(arena, &request->tree, request->path, LIMIT_CONFIG_BYTES, &own, &found_tree,
                     err))
        return false;
    if (!found && !found_tree)
        return error_set(err, ERROR_ABSENT,
                         "there is no configuration at %s: a gate without a policy would let "
                         "everything pass",
                         request->path);
    policy->source = found ? request->base : request->tree;
    policy->tighten = !found;
    policy->differs = found && !(found_tree && str_eq(bytes, own));
    *ret = found ? bytes : own;
    return true;
}

static void note_asked(struct policy *policy, const struct node *tree)
{
    const struct node *gate = node_get(tree, "gate"), *evidence = node_get(tree, "evidence");
    policy->asked[EVIDENCE_COVERAGE] = node_get(gate, "coverage") || node_get(evidence, "coverage");
    policy->asked[EVIDENCE_TESTS] = node_get(gate, "tests") || node_get(evidence, "tests");
    policy->asked[EVIDENCE_VULNERABILITIES] =
        node_get(gate, "vulnerabilities") || node_get(evidence, "vulnerabilities");
    policy->asked[EVIDENCE_TIMINGS] =
        node_get(gate, "performance") || node_get(evidence, "performance");
    const struct node *scanners = node_get(evidence, "vulnerabilities");
    policy->asked[EVIDENCE_STATEMENTS] =
        node_get(scanners, "vex") || node_get(scanners, "catalogues");
    // Due dates are judged of a register that is found; limits cannot be judged without one.
    const struct node *risk = node_get(gate, "risk");
    policy->risks_asked =
        node_get(risk, "max_exposure") || node_get(risk, "max_open") || node_get(evidence, "risks");
}

static bool digest(const struct node *tree, char ret[SHA256_HEX], struct error *err)
{
    struct text text = text_of((size_t)4 * LIMIT_CONFIG_BYTES * LIMIT_EXTENDS);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    json_add_node(&out, NULL, tree);
    bool ok = !text_full(&text);
    if (ok)
        (void)sha256_of(text_str(&text), ret);
    text_done(&text);
    return ok || error_set(err, ERROR_LIMIT, "the configuration is too large");
}

// The version is the document's own to say: one that it inherits would hide that it says none.
static const struct node *
without_inherited_version(struct arena *arena, const struct node *document, const struct node *tree)
{
    if (node_get(document, "version"))
        return tree;
    struct node *over = ARENA_NEW(arena, struct node), *gone = ARENA_NEW(arena, struct node);
    *gone = (struct node){.kind = NODE_NULL, .key = STR("version"), .at = document->at};
    *over = (struct node){.kind = NODE_MAP, .at = document->at, .first = gone, .count = 1};
    return node_merge(arena, tree, over);
}

// *ret_own: without what is implied where nothing is extended.
static bool merge(struct arena *arena, const struct source *source, const char *path, str bytes,
                  const struct node *floor, const struct node **ret_own, const struct node **ret,
                  struct error *err)
{
    const struct node *document, *tree;
    if (!yaml_parse(arena, path, bytes, &document, err))
        return false;
    if (document->kind != NODE_MAP)
        return error_at(err, ERROR_INPUT, document->at, "the configuration is %s, not a map",
                        node_kind_name(document->kind));
    if (!policy_extend(arena, source, document, &tree, err))
        return false;
    *ret_own = tree;
    if (!node_get(document, "extends"))
        tree = node_merge(arena, floor, tree);
    *ret = without_inherited_version(arena, document, tree);
    return true;
}

bool policy_tree(struct arena *arena, const struct source *source, const char *path,
                 const struct node **ret, struct error *err)
{
    bool found = false;
    str bytes;
    const struct node *own, *floor = policy_preset(arena, STR("default"), err);
    if (!floor || !source_read(arena, source, path, LIMIT_CONFIG_BYTES, &bytes, &found, err))
        return false;
    if (found)
        return merge(arena, source, path, bytes, floor, &own, ret, err);
    *ret = NULL;
    return true;
}

bool policy_load(struct arena *arena, const struct policy_request *request, struct policy *ret,
                 struct error *err)
{
    struct policy policy = {.path = request->path, .outside = request->outside};
    const struct node *own;
    str bytes;
    if (!find(arena, request, &policy, &bytes, err))
        return false;
    policy.floor = policy_preset(arena, STR("default"), err);
    if (!policy.floor ||
        !merge(arena, &policy.source, request->path, bytes, policy.floor, &own, &policy.tree, err))
        return false;
    note_asked(&policy, own);
    if (!digest(policy.tree, policy.sha256, err))
        return false;
    *ret = policy;
    return true;
}
