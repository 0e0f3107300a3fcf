// Answers of the Compute Engine API about a group and its instances.
#include "deploy/targets/gcp_mig.h"

static uint32_t number_of(const struct node *map, const char *key)
{
    int64_t n = 0;
    (void)json_get_i64(map, key, &n);
    return n > 0 && n <= UINT32_MAX ? (uint32_t)n : 0;
}

static void read_versions(struct arena *arena, const struct node *list, struct mig_seen *seen)
{
    uint32_t rest = seen->size;
    seen->versions = ARENA_ARRAY(arena, struct mig_version, (list ? list->count : 0) + 1);
    for (const struct node *n = list ? list->first : NULL; n; n = n->next) {
        const struct node *size = node_get(n, "targetSize");
        struct mig_version version = {
            .template = mig_revision_of(node_text(n, "instanceTemplate")),
            .name = node_text(n, "name"),
            .sized = node_get(size, "fixed") || node_get(size, "percent"),
            .percent = node_get(size, "percent") != NULL,
            .fixed = number_of(size, "fixed"),
        };
        version.count = version.percent ? number_of(size, "calculated") : version.fixed;
        if (version.count > rest)
            version.count = rest;
        if (version.sized)
            rest -= version.count;
        seen->versions[seen->version_count++] = version;
    }
    for (size_t i = 0; i < seen->version_count; i++)
        if (!seen->versions[i].sized)
            seen->versions[i].count = rest;
}

bool mig_read_group(struct arena *arena, str body, struct mig_seen *ret, struct error *err)
{
    const struct node *tree;
    if (!json_parse(arena, NULL, body, &tree, err)) {
        err->kind = ERROR_REMOTE;
        return error_wrap(err, "the answer of Compute Engine cannot be read");
    }
    const struct node *status = node_get(tree, "status"), *policy = node_get(tree, "updatePolicy");
    const struct node *healing = node_get(tree, "autoHealingPolicies");
    struct mig_seen seen = {
        .tree = tree,
        .fingerprint = node_text(tree, "fingerprint"),
        .size = number_of(tree, "targetSize"),
        .opportunistic = str_is(node_text(policy, "type"), "OPPORTUNISTIC"),
        .most_disruptive = node_text(policy, "mostDisruptiveAllowedAction"),
    };
    if (!seen.fingerprint.len || !node_get(tree, "versions"))
        return error_set(err, ERROR_REMOTE, "the answer is no instance group: it has no %s",
                         seen.fingerprint.len ? "versions" : "fingerprint");
    (void)json_get_bool(status, "isStable", &seen.stable);
    (void)json_get_bool(node_get(status, "versionTarget"), "isReached", &seen.reached);
    for (const struct node *n = healing ? healing->first : NULL; n; n = n->next)
        seen.checked = seen.checked || node_text(n, "healthCheck").len;
    read_versions(arena, node_get(tree, "versions"), &seen);
    *ret = seen;
    return true;
}

// ---- instances ---------------------------------------------------------------------------------

static bool is_healthy(const struct node *instance)
{
    const struct node *list = node_get(instance, "instanceHealth");
    for (const struct node *n = list ? list->first : NULL; n; n = n->next)
        if (!str_is(node_text(n, "detailedHealthState"), "HEALTHY"))
            return false;
    return list && list->first;
}

static str error_of(const struct node *instance)
{
    const struct node *errors =
        node_get(node_get(node_get(instance, "lastAttempt"), "errors"), "errors");
    return node_text(errors ? errors->first : NULL, "message");
}

bool mig_add_instances(struct arena *arena, str body, struct mig_seen *seen, str *next,
                       struct error *err)
{
    const struct node *tree;
    if (!json_parse(arena, NULL, body, &tree, err)) {
        err->kind = ERROR_REMOTE;
        return error_wrap(err, "the answer of Compute Engine cannot be read");
    }
    const struct node *list = node_get(tree, "managedInstances");
    for (const struct node *n = list ? list->first : NULL; n; n = n->next) {
        str status = node_text(n, "instanceStatus"), target = node_text(n, "targetStatus");
        struct mig_instance instance = {
            .url = node_text(n, "instance"),
            .name = google_short_name(node_text(n, "instance")),
            .template = mig_revision_of(node_text(node_get(n, "version"), "instanceTemplate")),
            .idle = str_is(node_text(n, "currentAction"), "NONE") &&
                    (!status.len || str_is(status, "RUNNING")),
            .healthy = !seen->checked || is_healthy(n),
            .counts = !target.len || str_is(target, "RUNNING"),
        };
        if (!instance.idle && !seen->error.len)
            seen->error = error_of(n);
        seen->instances = arena_grow(arena, seen->instances, seen->instance_count,
                                     &seen->instance_room, sizeof *seen->instances);
        seen->instances[seen->instance_count++] = instance;
    }
    *next = node_text(tree, "nextPageToken");
    return true;
}

static uint32_t count(const struct mig_seen *seen, str template, bool ready)
{
    uint32_t n = 0;
    for (size_t i = 0; i < seen->instance_count && template.len; i++) {
        const struct mig_instance *one = &seen->instances[i];
        bool is = one->counts && str_eq(one->template, template);
        n += is && (!ready || (one->idle && one->healthy));
    }
    return n;
}

uint32_t mig_count_on(const struct mig_seen *seen, str template)
{
    return count(seen, template, false);
}

uint32_t mig_ready_on(const struct mig_seen *seen, str template)
{
    return count(seen, template, true);
}

bool mig_is_settled(const struct mig_seen *seen)
{
    uint32_t all = 0;
    for (size_t i = 0; i < seen->version_count; i++) {
        const struct mig_version *version = &seen->versions[i];
        if (mig_ready_on(seen, version->template) != version->count)
            return false;
    }
    for (size_t i = 0; i < seen->instance_count; i++)
        all += seen->instances[i].counts;
    return seen->stable && seen->reached && all == seen->size;
}

str mig_only_version(const struct mig_seen *seen)
{
    bool only =
        seen->version_count == 1 && mig_ready_on(seen, seen->versions[0].template) == seen->size;
    return only ? seen->versions[0].template : (str){NULL, 0};
}
