#include "deploy/targets/hosts.h"

#include "deploy/artifact/bundle.h"
#include "deploy/targets/hosts_config.h"
#include "gate/doc/json.h"

#include <stdio.h>

struct target {
    struct hosts_target hosts;
};

// An operation: one round that changes, one round that looks.
struct target_operation {
    struct hosts_target *target;
    enum intent_verb verb;
    uint32_t share_ppm;
    struct arena arena; // of the intent's strings and the tasks
    struct target_release next, good;
    struct host_task *tasks;
    size_t count, limit; // tasks of this round; how many run at once
    bool looking, go_on; // go_on: one that fails does not keep the others from starting
};

static unsigned hosts_capabilities(const void *config)
{
    (void)config;
    return TARGET_INSTANCES | TARGET_STAGING;
}

static bool hosts_open(const void *config, const struct target_setup *setup, struct target **ret,
                       struct error *err)
{
    (void)err;
    struct target *target = memory_alloc(sizeof *target);
    target->hosts = (struct hosts_target){config, *setup};
    *ret = target;
    return true;
}

static void hosts_close(struct target *target)
{
    memory_free(target);
}

// Hosts on the release at this share: rounded up, so that every step changes at least one.
static size_t hosts_of(const struct hosts_config *config, uint32_t share_ppm)
{
    uint64_t wanted = (uint64_t)share_ppm * config->host_count;
    return (size_t)((wanted + 999999) / 1000000);
}

static uint32_t ppm_of(size_t part, size_t all)
{
    return all ? (uint32_t)((uint64_t)part * 1000000 / all) : 0;
}

static uint32_t hosts_round_share(const struct target *target, uint32_t share_ppm)
{
    const struct hosts_config *config = target->hosts.config;
    return ppm_of(hosts_of(config, share_ppm), config->host_count);
}

static bool hosts_pack(const struct target *target, const struct target_pack *pack,
                       struct arena *arena, struct target_release *ret, struct error *err)
{
    const struct hosts_config *config = target->hosts.config;
    struct bundle bundle;
    struct bundle_request request = {
        .repository = pack->repository,
        .commit = pack->commit,
        .given = pack->given,
        .cache_folder = pack->cache_folder,
        .gzip = config->artifact.compression == 1,
    };
    if (!bundle_make(arena, &request, &bundle, err))
        return false;
    // Folder name on the host: what a person knows it by, and what it is.
    str digits = str_first(str_from(bundle.digest, sizeof "sha256:" - 1), 12);
    *ret = (struct target_release){
        .release = pack->release,
        .commit = pack->commit,
        .digest = bundle.digest,
        .revision =
            arena_format(arena, STR_FMT "-" STR_FMT, STR_ARG(pack->release), STR_ARG(digits)),
        .artifact_path = bundle.path,
    };
    return true;
}

// ---- rounds ------------------------------------------------------------------------------------

static struct target_release copy_release(struct arena *arena, const struct target_release *from)
{
    return (struct target_release){
        arena_str(arena, from->release), arena_str(arena, from->commit),
        arena_str(arena, from->digest), arena_str(arena, from->revision),
        arena_str(arena, from->artifact_path)};
}

static void add_task(struct target_operation *operation, const struct host *host,
                     enum host_goal goal, const struct target_release *release)
{
    operation->tasks[operation->count++] = (struct host_task){
        .host = host, .goal = goal, .release = release, .good = operation->good.revision};
}

static void plan_shift(struct target_operation *operation)
{
    const struct hosts_config *config = operation->target->config;
    size_t wanted = hosts_of(config, operation->share_ppm);
    for (size_t i = 0; i < config->host_count; i++) {
        if (i < wanted)
            add_task(operation, &config->hosts[i], GOAL_ACTIVATE, &operation->next);
        else if (operation->good.revision.len)
            add_task(operation, &config->hosts[i], GOAL_ACTIVATE, &operation->good);
    }
}

static void plan_round(struct target_operation *operation)
{
    const struct hosts_config *config = operation->target->config;
    size_t all = config->host_count, half = (all + 1) / 2;
    operation->limit = all < 100 ? all : 100;
    switch (operation->verb) {
    case INTENT_STAGE:
        for (size_t i = 0; i < all; i++)
            add_task(operation, &config->hosts[i], GOAL_STAGE, &operation->next);
        break;
    case INTENT_SHIFT:
        plan_shift(operation);
        operation->limit = (size_t)config->parallel;
        break;
    case INTENT_PROMOTE:
        for (size_t i = 0; i < all; i++)
            add_task(operation, &config->hosts[i], GOAL_CLEAN, &operation->next);
        break;
    case INTENT_REVERT: // at full speed, but never with more than half of the hosts away at once
        for (size_t i = 0; i < all && operation->good.revision.len; i++)
            add_task(operation, &config->hosts[i], GOAL_ACTIVATE, &operation->good);
        operation->limit = half > (size_t)config->parallel ? half : (size_t)config->parallel;
        operation->go_on = true;
        break;
    case INTENT_OBSERVE:
        break;
    }
}

static void begin_looking(struct target_operation *operation)
{
    const struct hosts_config *config = operation->target->config;
    const struct target_release *release =
        operation->next.revision.len ? &operation->next : &operation->good;
    operation->looking = true;
    operation->go_on = true;
    operation->count = 0;
    operation->limit = config->host_count < 100 ? config->host_count : 100;
    for (size_t i = 0; i < config->host_count; i++)
        add_task(operation, &config->hosts[i], GOAL_OBSERVE, release);
}

static bool hosts_start(struct target *target, const struct target_intent *intent,
                        struct target_operation **ret, struct error *err)
{
    if ((intent->verb == INTENT_STAGE || intent->verb == INTENT_SHIFT) &&
        intent->next.revision.len == 0)
        return error_set(err, ERROR_INPUT, "there is no bundle to bring to target %s",
                         target->hosts.setup.name);
    struct target_operation *operation = memory_alloc(sizeof *operation);
    operation->target = &target->hosts;
    operation->verb = intent->verb;
    operation->share_ppm = intent->share_ppm;
    operation->next = copy_release(&operation->arena, &intent->next);
    operation->good = copy_release(&operation->arena, &intent->good);
    operation->tasks =
        ARENA_ARRAY(&operation->arena, struct host_task, target->hosts.config->host_count);
    plan_round(operation);
    if (operation->count == 0)
        begin_looking(operation);
    *ret = operation;
    return true;
}

// Polls those that run and starts those that wait. True when the round is over.
static bool turn_round(struct target_operation *operation, const struct host_task **ret_failed)
{
    size_t running = 0;
    *ret_failed = NULL;
    for (size_t i = 0; i < operation->count; i++) {
        struct host_task *task = &operation->tasks[i];
        host_task_poll(operation->target, task);
        running += task->step != HOST_WAITS && task->step != HOST_DONE && task->step != HOST_FAILED;
        if (task->step == HOST_FAILED && !*ret_failed)
            *ret_failed = task;
    }
    bool stop = *ret_failed && !operation->go_on;
    bool waiting = false;
    for (size_t i = 0; i < operation->count && !stop; i++) {
        struct host_task *task = &operation->tasks[i];
        if (task->step != HOST_WAITS)
            continue;
        waiting = true;
        if (running < operation->limit) {
            host_task_start(operation->target, task);
            running++;
        }
    }
    return running == 0 && !waiting;
}

static const char *evidence_of(struct arena *arena, const struct target_operation *operation)
{
    struct text text = text_of(LIMIT_JSON_TREE_BYTES);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    json_open_map(&out, NULL);
    for (size_t i = 0; i < operation->count; i++) {
        const struct host_task *task = &operation->tasks[i];
        char name[256];
        (void)snprintf(name, sizeof name, STR_FMT, STR_ARG(str_first(task->host->name, 250)));
        json_open_map(&out, name);
        json_add_str(&out, "current", str_of(task->current));
        json_add_str(&out, "serving", str_of(task->serving));
        json_add_bool(&out, "healthy", task->healthy);
        json_close(&out);
    }
    json_close(&out);
    const char *copy = arena_copy(arena, text_str(&text));
    text_done(&text);
    return copy;
}

// A host counts for a revision when the link and what was restarted into agree, and it is healthy.
static void see(struct arena *arena, const struct target_operation *operation,
                struct target_observation *ret)
{
    size_t next = 0, good = 0, settled = 0;
    bool same = true;
    ret->endpoints = ARENA_ARRAY(arena, struct target_endpoint, operation->count);
    for (size_t i = 0; i < operation->count; i++) {
        const struct host_task *task = &operation->tasks[i];
        str current = str_of(task->current), serving = str_of(task->serving);
        bool whole = task->current[0] && str_eq(current, serving);
        bool is_next = operation->next.revision.len && str_eq(current, operation->next.revision);
        bool is_good = operation->good.revision.len && str_eq(current, operation->good.revision);
        next += whole && is_next;
        good += whole && is_good;
        settled += whole && task->healthy;
        same &= str_is(current, operation->tasks[0].current);
        ret->endpoints[i] = (struct target_endpoint){
            .host = task->host->name,
            .revision = arena_str(arena, current),
            .variables = task->host->variables,
        };
    }
    ret->endpoint_count = operation->count;
    ret->next_ppm = ppm_of(next, operation->count);
    ret->good_ppm = ppm_of(good, operation->count);
    ret->settled = settled == operation->count;
    if (same && operation->count)
        ret->revision = arena_str(arena, str_of(operation->tasks[0].current));
    size_t dash = str_find_last(ret->revision, '-');
    ret->release = dash == STR_NONE ? ret->revision : str_first(ret->revision, dash);
    ret->evidence = evidence_of(arena, operation);
}

// What was asked for must be what is seen.
static bool is_reached(const struct target_operation *operation,
                       const struct target_observation *seen, struct error *err)
{
    size_t all = operation->target->config->host_count;
    uint32_t wanted = ppm_of(hosts_of(operation->target->config, operation->share_ppm), all);
    if (operation->verb == INTENT_SHIFT && (!seen->settled || seen->next_ppm != wanted))
        return error_set(err, ERROR_TRANSIENT,
                         "after the change %u of %u hosts serve the release, not %zu",
                         (unsigned)((uint64_t)seen->next_ppm * all / 1000000), (unsigned)all,
                         hosts_of(operation->target->config, operation->share_ppm));
    if (operation->verb == INTENT_REVERT && operation->good.revision.len &&
        (!seen->settled || seen->good_ppm != 1000000))
        return error_set(err, ERROR_TRANSIENT,
                         "after going back %u of %u hosts serve known good",
                         (unsigned)((uint64_t)seen->good_ppm * all / 1000000), (unsigned)all);
    return true;
}

static enum progress hosts_poll(struct target_operation *operation, struct arena *arena,
                                struct target_outcome *ret, struct error *err)
{
    const struct host_task *failed;
    if (!turn_round(operation, &failed))
        return PROGRESS_PENDING;
    if (failed) {
        *err = failed->error;
        return PROGRESS_FAILED;
    }
    if (!operation->looking) {
        begin_looking(operation);
        return hosts_poll(operation, arena, ret, err); // once: the next round starts at once
    }
    struct target_outcome outcome = {.memory = STR("{}")};
    see(arena, operation, &outcome.seen);
    if (!is_reached(operation, &outcome.seen, err))
        return PROGRESS_FAILED;
    *ret = outcome;
    return PROGRESS_DONE;
}

static void hosts_drop(struct target_operation *operation)
{
    for (size_t i = 0; i < operation->count; i++)
        host_task_drop(operation->target, &operation->tasks[i]);
    arena_done(&operation->arena);
    memory_free(operation);
}

const struct target_kind hosts_kind = {
    .name = "hosts",
    .shape = &hosts_shape,
    .capabilities = hosts_capabilities,
    .open = hosts_open,
    .pack = hosts_pack,
    .round_share = hosts_round_share,
    .start = hosts_start,
    .poll = hosts_poll,
    .drop = hosts_drop,
    .close = hosts_close,
};
