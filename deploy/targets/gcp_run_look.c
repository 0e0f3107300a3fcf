// Answers of the Cloud Run API, and what is told of them.
#include "deploy/targets/gcp_run.h"

static enum run_state state_of(const struct node *condition)
{
    str state = node_text(condition, "state");
    if (str_is(state, "CONDITION_SUCCEEDED"))
        return RUN_SUCCEEDED;
    return str_is(state, "CONDITION_FAILED") ? RUN_FAILED : RUN_BUSY;
}

static const struct node *condition_of(const struct node *tree, const char *type)
{
    const struct node *list = node_get(tree, "conditions");
    for (const struct node *n = list ? list->first : NULL; n; n = n->next)
        if (str_is(node_text(n, "type"), type))
            return n;
    return NULL;
}

static str message_of(const struct node *condition)
{
    static const char *const keys[] = {"message", "revisionReason", "reason", "executionReason"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (node_text(condition, keys[i]).len)
            return node_text(condition, keys[i]);
    return STR("no reason is given");
}

static void read_traffic(struct arena *arena, const struct node *list, str latest_ready,
                         struct run_traffic *ret)
{
    struct run_traffic traffic = {0};
    traffic.room = list ? list->count : 0;
    traffic.items = ARENA_ARRAY(arena, struct run_share, traffic.room + 1);
    for (const struct node *n = list ? list->first : NULL; n; n = n->next) {
        int64_t percent = 0;
        (void)json_get_i64(n, "percent", &percent);
        bool latest = str_is(node_text(n, "type"), "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST");
        traffic.items[traffic.count++] = (struct run_share){
            .revision = latest ? latest_ready : node_text(n, "revision"),
            .latest = latest,
            .percent = percent > 0 && percent <= 100 ? (uint32_t)percent : 0,
            .tag = node_text(n, "tag"),
            .uri = node_text(n, "uri"),
        };
    }
    *ret = traffic;
}

bool run_read_service(struct arena *arena, str body, struct run_seen *ret, struct error *err)
{
    const struct node *tree;
    if (!json_parse(arena, NULL, body, &tree, err)) {
        err->kind = ERROR_REMOTE;
        return error_wrap(err, "the answer of Cloud Run cannot be read");
    }
    const struct node *terminal = node_get(tree, "terminalCondition");
    struct run_seen seen = {
        .tree = tree,
        .etag = node_text(tree, "etag"),
        .uri = node_text(tree, "uri"),
        .generation = node_text(tree, "generation"),
        .observed = node_text(tree, "observedGeneration"),
        .state = state_of(terminal),
        .routes = state_of(condition_of(tree, "RoutesReady")),
        .latest_ready = google_short_name(node_text(tree, "latestReadyRevision")),
        .latest_created = google_short_name(node_text(tree, "latestCreatedRevision")),
    };
    if (!seen.etag.len || !seen.generation.len)
        return error_set(err, ERROR_REMOTE, "the answer is no service of Cloud Run: it has no %s",
                         seen.etag.len ? "generation" : "etag");
    (void)json_get_bool(tree, "reconciling", &seen.reconciling);
    if (seen.state == RUN_FAILED)
        seen.message = message_of(terminal);
    read_traffic(arena, node_get(tree, "traffic"), seen.latest_ready, &seen.wanted);
    read_traffic(arena, node_get(tree, "trafficStatuses"), seen.latest_ready, &seen.served);
    *ret = seen;
    return true;
}

bool run_read_revision(struct arena *arena, str body, const struct target *run,
                       struct run_revision *ret, struct error *err)
{
    const struct node *tree, *container = NULL;
    struct error unknown;
    if (!json_parse(arena, NULL, body, &tree, err)) {
        err->kind = ERROR_REMOTE;
        return error_wrap(err, "the answer of Cloud Run cannot be read");
    }
    const struct node *ready = condition_of(tree, "Ready");
    struct run_revision revision = {
        .known = true,
        .exists = true,
        .state = state_of(ready),
        .release = node_text(node_get(tree, "annotations"), "sluice/release"),
        .tree = tree,
    };
    if (revision.state == RUN_FAILED)
        revision.message = message_of(ready);
    if (run_container(run, tree, &container, &unknown))
        revision.image = node_text(container, "image");
    *ret = revision;
    return true;
}

bool run_is_settled(const struct run_seen *seen)
{
    return !seen->reconciling && seen->state == RUN_SUCCEEDED &&
           str_eq(seen->generation, seen->observed) &&
           run_traffic_equal(&seen->wanted, &seen->served);
}

// A revision that somebody made and that does not start fails the service as a whole, until another
// one is made. The requests are none the worse for it.
bool run_is_served(const struct run_seen *seen)
{
    bool beside = !str_eq(seen->latest_created, seen->latest_ready) &&
                  run_percent_on(&seen->wanted, seen->latest_created) == 0;
    return run_is_settled(seen) ||
           (!seen->reconciling && seen->state == RUN_FAILED && seen->routes == RUN_SUCCEEDED &&
            beside && run_traffic_equal(&seen->wanted, &seen->served));
}

// Cloud Run gave up on what was asked for and serves something else: that is how it stays. It is
// told as settled, so that the shares that are really served are held against what was wanted at
// once, and not only when waiting for them has taken too long.
static bool has_given_up(const struct run_seen *seen)
{
    return !seen->reconciling && seen->state == RUN_FAILED &&
           !run_traffic_equal(&seen->wanted, &seen->served);
}

// ---- what is told ------------------------------------------------------------------------------

static const char *evidence_of(struct arena *arena, const struct run_seen *seen)
{
    static const char *const keys[] = {
        "generation",          "observedGeneration",    "reconciling", "terminalCondition",
        "latestReadyRevision", "latestCreatedRevision", "traffic",     "trafficStatuses"};
    struct text text = text_of(LIMIT_JSON_TREE_BYTES);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    json_open_map(&out, NULL);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct node *value = node_get(seen->tree, keys[i]);
        if (value)
            json_add_node(&out, keys[i], value);
    }
    json_close(&out);
    const char *copy = arena_copy(arena, text_str(&text));
    text_done(&text);
    return copy;
}

// The one that has all the traffic; empty when there are several, or none.
static str only_one(const struct run_traffic *served)
{
    for (size_t i = 0; i < served->count; i++)
        if (served->items[i].percent)
            return run_percent_on(served, served->items[i].revision) == 100
                       ? served->items[i].revision
                       : (str){NULL, 0};
    return (str){NULL, 0};
}

// "https://search-abc-ew.a.run.app", or a URL with a port of a private endpoint.
static void add_endpoint(struct arena *arena, str uri, str revision, struct target_observation *ret)
{
    size_t scheme = str_search(uri, STR("://"));
    str host = scheme == STR_NONE ? uri : str_from(uri, scheme + 3);
    host = str_cut(&host, '/');
    size_t colon = str_find_last(host, ':');
    str port = str_starts(uri, STR("http://")) ? STR("80") : STR("443");
    if (colon != STR_NONE) {
        port = str_from(host, colon + 1);
        host = str_first(host, colon);
    }
    struct exec_variable *variables = ARENA_ARRAY(arena, struct exec_variable, 2);
    variables[0] = (struct exec_variable){"port", arena_str(arena, port)};
    ret->endpoints[ret->endpoint_count++] = (struct target_endpoint){
        .host = arena_str(arena, host),
        .revision = arena_str(arena, revision),
        .variables = variables,
    };
}

// The service's own URL, which answers as the shares are, and that of what goes out.
static void add_endpoints(const struct target_operation *operation, struct arena *arena,
                          struct target_observation *ret)
{
    const struct run_seen *seen = &operation->seen;
    ret->endpoints = ARENA_ARRAY(arena, struct target_endpoint, seen->served.count + 1);
    if (seen->uri.len)
        add_endpoint(arena, seen->uri, ret->revision, ret);
    for (size_t i = 0; i < seen->served.count; i++) {
        const struct run_share *share = &seen->served.items[i];
        if (share->uri.len && str_eq(share->tag, operation->run->config->tag))
            add_endpoint(arena, share->uri, share->revision, ret);
    }
}

void run_observation(const struct target_operation *operation, struct arena *arena,
                     struct target_observation *ret)
{
    const struct run_seen *seen = &operation->seen;
    bool watches = operation->verb == INTENT_OBSERVE &&
                   (operation->next.revision.len || operation->good.revision.len);
    struct target_observation told = {
        .next_ppm = run_percent_on(&seen->served, operation->next.revision) * RUN_PERCENT_PPM,
        .good_ppm = run_percent_on(&seen->served, operation->good.revision) * RUN_PERCENT_PPM,
        .settled = run_is_served(seen) || (watches && has_given_up(seen)),
        .revision = arena_str(arena, only_one(&seen->served)),
        .evidence = seen->tree ? evidence_of(arena, seen) : "{}",
        .troubles = operation->troubles.items,
        .trouble_count = operation->troubles.count,
    };
    if (operation->verb == INTENT_OBSERVE && operation->revision.exists)
        told.release = arena_str(arena, operation->revision.release);
    add_endpoints(operation, arena, &told);
    *ret = told;
}
