#include "deploy/targets/hosts.h"

#include "deploy/targets/hosts_artifact.h"
#include "deploy/targets/hosts_config.h"
#include "gate/doc/json.h"

#include <stdio.h>

enum { AT_ONCE_MOST = 100, RELEASE_MOST = 100, REVISION_DIGITS = 12 };

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
    bool migrating;      // the release is on every host
    bool looking, go_on; // go_on: one that fails does not keep the others from starting
    bool survey;         // of the intent
};

static unsigned hosts_capabilities(const void *config)
{
    (void)config;
    return TARGET_INSTANCES | TARGET_STAGING;
}

static bool hosts_open(const void *config, const struct target_setup *setup, struct target **ret,
                       struct error *err)
{
    struct hosts_target hosts = {.setup = *setup};
    if (!hosts_resolve(&hosts.arena, config, setup->variables, &hosts.config, err)) {
        arena_done(&hosts.arena);
        return false;
    }
    struct target *target = memory_alloc(sizeof *target);
    target->hosts = hosts;
    *ret = target;
    return true;
}

static void hosts_close(struct target *target)
{
    arena_done(&target->hosts.arena);
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

// A release's name becomes part of a folder's name on the host.
static bool is_folder_name(str name)
{
    static const str allowed =
        STR_INIT("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-");
    for (size_t i = 0; i < name.len; i++)
        if (str_find(allowed, name.data[i]) == STR_NONE)
            return false;
    return name.len > 0 && name.len <= RELEASE_MOST && name.data[0] != '.' && name.data[0] != '-';
}

static bool hosts_pack(const struct target *target, const struct target_pack *pack,
                       struct arena *arena, struct target_release *ret, struct error *err)
{
    struct bundle bundle;
    if (!is_folder_name(pack->release))
        return error_set(err, ERROR_INPUT,
                         "release `" STR_FMT "` cannot be the name of a folder: use letters, "
                         "digits and `._+-`, at most %d, beginning with a letter or digit",
                         STR_ARG(str_first(pack->release, 120)), RELEASE_MOST);
    if (!hosts_artifact_bundle(&target->hosts, pack, arena, &bundle, err))
        return false;
    // Folder name on the host: what a person knows it by, and what it is.
    str digits = str_first(str_from(bundle.digest, sizeof "sha256:" - 1), REVISION_DIGITS);
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
    return (struct target_release){arena_str(arena, from->release), arena_str(arena, from->commit),
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

// Where nothing was before, there is nothing to go back to: what is new is taken away.
static void plan_way_back(struct target_operation *operation, const struct host *host)
{
    if (operation->good.revision.len)
        add_task(operation, host, GOAL_ACTIVATE, &operation->good);
    else if (operation->next.revision.len)
        add_task(operation, host, GOAL_REMOVE, &operation->next);
}

static size_t at_most(size_t count, size_t most)
{
    return count < most ? count : most;
}

static void plan_round(struct target_operation *operation)
{
    const struct hosts_config *config = operation->target->config;
    size_t all = config->host_count, half = (all + 1) / 2;
    operation->limit = at_most(all, AT_ONCE_MOST);
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
        for (size_t i = 0; i < all; i++)
            plan_way_back(operation, &config->hosts[i]);
        operation->limit = at_most(half, AT_ONCE_MOST);
        operation->go_on = true;
        break;
    case INTENT_OBSERVE:
        break;
    }
}

static void begin_migrating(struct target_operation *operation)
{
    operation->migrating = true;
    operation->count = 0;
    add_task(operation, &operation->target->config->hosts[0], GOAL_MIGRATE, &operation->next);
}

static void begin_looking(struct target_operation *operation)
{
    const struct hosts_config *config = operation->target->config;
    const struct target_release *release =
        operation->next.revision.len ? &operation->next : &operation->good;
    operation->looking = true;
    operation->go_on = true;
    operation->count = 0;
    operation->limit = at_most(config->host_count, AT_ONCE_MOST);
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
    operation->survey = intent->survey;
    operation->next = copy_release(&operation->arena, &intent->next);
    if (!intent->survey) // there only whether it can be changed is asked
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

// ---- what was seen -----------------------------------------------------------------------------

static const char *evidence_of(struct arena *arena, const struct target_operation *operation)
{
    struct text text = text_of(LIMIT_JSON_TREE_BYTES);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    json_open_map(&out, NULL);
    for (size_t i = 0; i < operation->count; i++) {
        const struct host_task *task = &operation->tasks[i];
        json_open_map(&out, arena_copy(arena, task->host->name));
        if (task->step == HOST_FAILED) {
            json_add_str(&out, "error", str_of(task->error.message));
        } else {
            json_add_str(&out, "current", str_of(task->current));
            json_add_str(&out, "serving", str_of(task->serving));
            json_add_bool(&out, "healthy", task->healthy);
        }
        json_close(&out);
    }
    json_close(&out);
    const char *copy = arena_copy(arena, text_str(&text));
    text_done(&text);
    return copy;
}

// A host is where it should be when the link and what was restarted into agree and it is healthy,
// or when there is no release on it at all.
static bool is_settled(const struct host_task *task)
{
    return task->step == HOST_DONE && task->healthy && strcmp(task->current, task->serving) == 0;
}

// "v812-0123456789ab" -> "v812"; a name that was not made here is taken as it stands.
static str release_of(str revision)
{
    size_t dash = str_find_last(revision, '-');
    str digits = dash == STR_NONE ? (str){NULL, 0} : str_from(revision, dash + 1);
    for (size_t i = 0; i < digits.len; i++)
        if (str_find(STR("0123456789abcdef"), digits.data[i]) == STR_NONE)
            return revision;
    return digits.len == REVISION_DIGITS ? str_first(revision, dash) : revision;
}

static void tell_troubles(struct arena *arena, const struct target_operation *operation,
                          struct target_observation *ret)
{
    ret->troubles = ARENA_ARRAY(arena, struct target_trouble, operation->count);
    for (size_t i = 0; i < operation->count; i++) {
        const struct host_task *task = &operation->tasks[i];
        if (task->step == HOST_FAILED)
            ret->troubles[ret->trouble_count++] = (struct target_trouble){
                task->error.kind, arena_str(arena, str_of(task->error.message))};
        else if (task->trouble[0])
            ret->troubles[ret->trouble_count++] = (struct target_trouble){
                ERROR_REMOTE,
                arena_format(arena, STR_FMT ": %s", STR_ARG(task->host->name), task->trouble)};
    }
}

static void see(struct arena *arena, const struct target_operation *operation,
                struct target_observation *ret)
{
    const str next = operation->next.revision, good = operation->good.revision;
    const struct host_task *first = &operation->tasks[0];
    size_t on_next = 0, on_good = 0, settled = 0;
    bool same = true;
    ret->endpoints = ARENA_ARRAY(arena, struct target_endpoint, operation->count);
    for (size_t i = 0; i < operation->count; i++) {
        const struct host_task *task = &operation->tasks[i];
        bool whole = task->current[0] && strcmp(task->current, task->serving) == 0;
        on_next += whole && str_is(next, task->current);
        on_good += whole && str_is(good, task->current);
        settled += is_settled(task);
        same &= whole && strcmp(task->current, first->current) == 0;
        ret->endpoints[i] = (struct target_endpoint){
            .host = task->host->name,
            .revision = arena_str(arena, str_of(task->current)),
            .variables = task->host->variables,
        };
    }
    ret->endpoint_count = operation->count;
    ret->next_ppm = ppm_of(on_next, operation->count);
    ret->good_ppm = ppm_of(on_good, operation->count);
    ret->settled = settled == operation->count;
    if (same)
        ret->revision = arena_str(arena, str_of(first->current));
    ret->release = release_of(ret->revision);
    ret->evidence = evidence_of(arena, operation);
    tell_troubles(arena, operation, ret);
}

// What was asked for must be what is seen.
static bool is_reached(const struct target_operation *operation,
                       const struct target_observation *seen, struct error *err)
{
    size_t all = operation->target->config->host_count;
    uint32_t share = operation->verb == INTENT_SHIFT ? operation->share_ppm : 1000000;
    size_t wanted = hosts_of(operation->target->config, share);
    bool back = operation->verb == INTENT_REVERT;
    bool first = back && operation->good.revision.len == 0;
    uint32_t have_ppm = back && !first ? seen->good_ppm : seen->next_ppm;
    if (operation->verb == INTENT_OBSERVE || operation->verb == INTENT_STAGE)
        return true;
    if (first)
        wanted = 0;
    if (have_ppm != ppm_of(wanted, all))
        return error_set(err, ERROR_TRANSIENT, "afterwards %zu of %zu hosts serve %s, not %zu",
                         hosts_of(operation->target->config, have_ppm), all,
                         back && !first ? "known good" : "the release", wanted);
    if (!seen->settled)
        return error_set(err, ERROR_TRANSIENT, "afterwards not every host is healthy: %s",
                         seen->evidence);
    return true;
}

static const char *note_of(struct arena *arena, const struct target_operation *operation)
{
    if (operation->verb == INTENT_REVERT && operation->good.revision.len == 0)
        return "nothing was there before this release: it is taken away, and no release is left";
    for (size_t i = 0; i < operation->count; i++)
        if (operation->tasks[i].step == HOST_FAILED)
            return arena_copy(arena, str_of(operation->tasks[i].error.message));
    return NULL;
}

// A host that refuses the login refuses it the next time as well.
static bool is_refused(const struct host_task *task)
{
    return task->step == HOST_FAILED &&
           (task->error.kind == ERROR_DENIED || task->error.kind == ERROR_INPUT);
}

// The round that changes fails with its first host. Looking fails only when no host can be looked
// at: one that cannot is seen as not settled. What was to be brought about cannot be seen on a host
// that refuses, and to look again is no cure: that fails at once. Null: nothing is fatal.
static const struct host_task *fatal_of(const struct target_operation *operation,
                                        const struct host_task *failed)
{
    if (!failed || !operation->looking)
        return failed;
    if (operation->survey)
        return NULL;
    for (size_t i = 0; i < operation->count && operation->verb != INTENT_OBSERVE; i++)
        if (is_refused(&operation->tasks[i]))
            return &operation->tasks[i];
    for (size_t i = 0; i < operation->count; i++)
        if (operation->tasks[i].step == HOST_DONE)
            return NULL;
    return failed;
}

static enum progress hosts_poll(struct target_operation *operation, struct arena *arena,
                                struct target_outcome *ret, struct error *err)
{
    const struct host_task *failed;
    bool over = turn_round(operation, &failed);
    bool migrates = operation->verb == INTENT_STAGE && operation->target->config->migrate;
    if (over && !failed && migrates && !operation->migrating) {
        begin_migrating(operation);
        over = turn_round(operation, &failed);
    }
    if (over && !failed && !operation->looking) {
        begin_looking(operation);
        over = turn_round(operation, &failed);
    }
    if (!over)
        return PROGRESS_PENDING;
    failed = fatal_of(operation, failed);
    if (failed) {
        *err = failed->error;
        return PROGRESS_FAILED;
    }
    struct target_outcome outcome = {.memory = STR("{}")};
    see(arena, operation, &outcome.seen);
    if (!is_reached(operation, &outcome.seen, err))
        return PROGRESS_FAILED;
    outcome.note = note_of(arena, operation);
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

static struct file_patterns hosts_migrations(const void *config)
{
    static const str usual[] = {STR_INIT("**/migrations/*.py"), STR_INIT("**/migrations/*.sql")};
    const struct hosts_migrate *migrate = ((const struct hosts_config *)config)->migrate;
    if (!migrate)
        return (struct file_patterns){NULL, 0};
    if (migrate->files.count)
        return (struct file_patterns){migrate->files.items, migrate->files.count};
    return (struct file_patterns){usual, sizeof usual / sizeof usual[0]};
}

const struct target_kind hosts_kind = {
    .name = "hosts",
    .shape = &hosts_shape,
    .capabilities = hosts_capabilities,
    .migrations = hosts_migrations,
    .open = hosts_open,
    .pack = hosts_pack,
    .round_share = hosts_round_share,
    .start = hosts_start,
    .poll = hosts_poll,
    .drop = hosts_drop,
    .close = hosts_close,
};
