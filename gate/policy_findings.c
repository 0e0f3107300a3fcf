#include "gate/policy_findings.h"

#include "gate/base/limits.h"
#include "gate/doc/yaml.h"
#include "gate/loosening.h"

#define WORKFLOWS ".github/workflows/"
#define ACTIONS ".github/actions/"

struct saying {
    struct arena *arena;
    const struct gate_request *request;
    const struct gate *gate;
    struct findings *findings;
};

static struct finding *say(const struct saying *s, enum verdict verdict, const char *id)
{
    return finding_add(s->findings, "policy", verdict, "%s", id);
}

// ---- where it was read --------------------------------------------------------------------------
static void say_policy(const struct saying *s)
{
    const struct policy *policy = s->request->policy;
    const struct gate_place *place = &s->request->place;
    if (policy->tighten)
        say(s, VERDICT_PASS, "policy.source")->message = finding_text(
            s->findings,
            "%s: judged by the working tree's %s, tightened by the built-in `default`.",
            place->base           ? "The base has no configuration yet"
            : place->base_unknown ? "There is no base"
                                  : "There is no commit before this one",
            policy->path);
    if (policy->differs)
        say(s, VERDICT_PASS, "policy.differs")->message = finding_text(
            s->findings,
            "%s differs from the base's, which judges; it counts once it is on the base.",
            policy->path);
}

static void say_register(const struct saying *s)
{
    const struct companion *risks = &s->gate->companions[COMPANION_RISKS];
    if (risks->from_tree)
        finding_add(s->findings, "policy", VERDICT_PASS, "policy.source[%s]", risks->path)
            ->message = finding_text(
            s->findings, "The base has no risk register yet: the working tree's %s was read.",
            risks->path);
}

// ---- what is loosened ---------------------------------------------------------------------------
static const char *aside(const struct saying *s, const char *value)
{
    return strcmp(value, LOOSENED_CONTAINER) == 0 ? "" : finding_text(s->findings, " (%s)", value);
}

static void say_loosened(const struct saying *s, const struct loosened *one, const char *path)
{
    enum verdict verdict = s->request->change ? VERDICT_HOLD : VERDICT_WARN;
    struct finding *finding =
        finding_add(s->findings, "policy", verdict, "policy.loosened[%s]", one->path);
    finding->have = one->after;
    finding->want = one->before;
    if (!*one->after)
        finding->message = finding_text(s->findings, "The change takes `%s`%s away.", one->path,
                                        aside(s, one->before));
    else if (!*one->before)
        finding->message =
            finding_text(s->findings, "The change adds `%s`%s.", one->path, aside(s, one->after));
    else
        finding->message = finding_text(s->findings, "The change loosens `%s` from %s to %s.",
                                        one->path, one->before, one->after);
    finding->advice = s->request->change
                          ? "It does not count for this change. Someone who is not its author has "
                            "to agree before it is merged."
                          : "It counts from the next change on.";
    finding_place(s->findings, finding, path, *one->after ? one->at.line : 0, 0);
}

// A document of the working tree that cannot be used would stop every gate once it is merged.
static void say_broken(const struct saying *s, const char *path, const struct error *err)
{
    struct finding *finding =
        finding_add(s->findings, "policy", VERDICT_BLOCK, "policy.broken[%s]", path);
    finding->message =
        finding_text(s->findings, "%s of this change cannot be used: %s.", path, err->message);
    finding->advice = "`sluice check` says everything that is wrong in it.";
    finding_place(s->findings, finding, err->at.file ? err->at.file : path, err->at.line, 0);
}

static void list_loosened(const struct saying *s, enum loosening_document document,
                          const struct node *base, const struct node *head, const char *path)
{
    struct loosenings list = {0};
    loosening_list(s->arena, document, base, head, &list);
    for (size_t i = 0; i < list.count; i++)
        say_loosened(s, &list.items[i], path);
}

static bool compare_policy(const struct saying *s, struct error *err)
{
    const struct policy *policy = s->request->policy;
    const struct node *head = NULL;
    struct source tree = {.repository = s->request->repository,
                          .commit = s->request->tree_commit,
                          .root = s->request->root};
    struct error broken = {0};
    if (policy->tighten || policy->outside || !policy->source.commit)
        return true;
    if (!policy_tree(s->arena, &tree, policy->path, &head, &broken)) {
        if (broken.kind == ERROR_SYSTEM) {
            *err = broken;
            return false;
        }
        say_broken(s, policy->path, &broken);
        return true;
    }
    list_loosened(s, LOOSENING_POLICY, policy->tree, head, policy->path);
    return true;
}

static bool compare_companion(const struct saying *s, enum companion_kind kind, str named,
                              struct error *err)
{
    static const enum loosening_document documents[COMPANIONS] = {
        LOOSENING_RISKS, LOOSENING_WAIVERS, LOOSENING_QUARANTINE};
    const struct companion *base = &s->gate->companions[kind];
    struct source tree = {.repository = s->request->repository,
                          .commit = s->request->tree_commit,
                          .root = s->request->root};
    struct companion head;
    struct error broken = {0};
    if (base->from_tree || !s->request->policy->source.commit)
        return true;
    if (!companion_find(s->arena, kind, &tree, named, &head, err))
        return false;
    if (head.found && base->found && memcmp(head.sha256, base->sha256, SHA256_HEX) == 0)
        return true;
    if (head.found && !yaml_parse(s->arena, head.path, head.bytes, &head.root, &broken))
        say_broken(s, head.path, &broken);
    else
        list_loosened(s, documents[kind], base->root, head.root,
                      head.found ? head.path : base->path);
    return true;
}

// A matrix of the repository rates its risks: which change of it loosens, nobody can tell from the
// text.
static bool compare_matrix(const struct saying *s, struct error *err)
{
    const struct gate *gate = s->gate;
    const struct risk_matrix *base = gate->input.risks ? gate->risks.matrix : NULL;
    struct source tree = {.repository = s->request->repository,
                          .commit = s->request->tree_commit,
                          .root = s->request->root};
    char sha256[SHA256_HEX];
    bool found;
    str bytes;
    if (!base || !base->path || gate->companions[COMPANION_RISKS].from_tree ||
        !s->request->policy->source.commit)
        return true;
    if (!source_read(s->arena, &tree, base->path, LIMIT_CONFIG_BYTES, &bytes, &found, err))
        return false;
    if (found && memcmp(sha256_of(bytes, sha256), base->sha256, SHA256_HEX) == 0)
        return true;
    struct loosened one = {
        .path = base->path, .before = "as on the base", .after = found ? "changed" : ""};
    say_loosened(s, &one, base->path);
    s->findings->items[s->findings->count - 1].message =
        finding_text(s->findings, "The change %s %s, by which risks are rated.",
                     found ? "alters" : "takes away", base->path);
    return true;
}

// A workflow decides whether the gate is run at all.
static void compare_workflows(const struct saying *s)
{
    for (size_t i = 0; i < s->gate->changed_count; i++) {
        str path = s->gate->changed[i].path;
        if (!str_starts(path, STR(WORKFLOWS)) && !str_starts(path, STR(ACTIONS)))
            continue;
        struct loosened one = {
            .path = arena_copy(s->arena, path), .before = "as on the base", .after = "changed"};
        say_loosened(s, &one, one.path);
        s->findings->items[s->findings->count - 1].message = finding_text(
            s->findings, "The change alters %s, which decides what is tested and judged.",
            one.path);
    }
}

bool policy_findings(struct arena *arena, const struct gate_request *request,
                     const struct gate *gate, struct findings *findings, struct error *err)
{
    struct saying s = {arena, request, gate, findings};
    const struct evidence_config *config = request->evidence;
    const str named[COMPANIONS] = {[COMPANION_RISKS] = config->risks,
                                   [COMPANION_WAIVERS] = config->waivers,
                                   [COMPANION_QUARANTINE] = config->quarantine};
    say_policy(&s);
    say_register(&s);
    if (!compare_policy(&s, err))
        return false;
    for (int kind = 0; kind < COMPANIONS; kind++)
        if (!compare_companion(&s, (enum companion_kind)kind, named[kind], err))
            return false;
    if (!compare_matrix(&s, err))
        return false;
    if (request->change)
        compare_workflows(&s);
    return true;
}
