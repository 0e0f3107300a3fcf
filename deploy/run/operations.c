// One command and one look under way on each target: started, polled, tried again when the failure
// is of a kind that may pass. Intents are absolute, so sending one again after an unknown outcome
// asks for the same state and cannot double an effect.
#include "deploy/run/driver_parts.h"

#include <stdio.h>

enum {
    FORWARD_ATTEMPTS = 4,
    REVERT_ATTEMPTS = 10,
    BACKOFF_MS = 500,
    BACKOFF_MOST_MS = 10000,
    REVERT_PAUSE_MOST_MS = 60000, // however long a remote asks for: so often it is sent at least
    POLL_MS = 100, // how often one that runs is asked: it may wait for a moment of its own
};

static enum intent_verb intent_of(enum target_verb verb)
{
    switch (verb) {
    case VERB_STAGE:
        return INTENT_STAGE;
    case VERB_SHIFT:
        return INTENT_SHIFT;
    case VERB_PROMOTE:
        return INTENT_PROMOTE;
    case VERB_REVERT:
        return INTENT_REVERT;
    case VERB_NONE:
    case VERB_OBSERVE:
        break;
    }
    return INTENT_OBSERVE;
}

static struct target_release release_of(const struct placement *placement, str artifact_path)
{
    return (struct target_release){placement->release, placement->commit, placement->digest,
                                   placement->revision, artifact_path};
}

static void finish(struct driver *driver, uint32_t target, struct operation *operation)
{
    if (operation->running)
        driver->setup.targets[target].kind->drop(operation->running);
    if (operation == &driver->commands[target])
        driver->looks[target].stale = true;
    *operation = (struct operation){0};
}

// What is wrong with looking at a target is said when it changes, not every time that is looked.
static void tell_look(struct driver *driver, uint32_t target, enum news_type type,
                      const char *words)
{
    char *told = driver->told_looks[target];
    char now[sizeof *driver->told_looks];
    (void)snprintf(now, sizeof now, "%s", words);
    if (strcmp(told, now) == 0)
        return;
    memcpy(told, now, sizeof now);
    if (*words)
        driver_tell(driver, type, target, words);
}

static void tell_trouble(struct driver *driver, uint32_t target, const struct operation *operation,
                         const struct error *err)
{
    if (operation->verb == VERB_OBSERVE)
        tell_look(driver, target, NEWS_TROUBLE, err->message);
    else
        driver_tell(driver, NEWS_TROUBLE, target, err->message);
}

static void fail(struct driver *driver, uint32_t target, struct operation *operation,
                 const struct error *err)
{
    struct rollout_event event = {.type = RE_TARGET_FAILED,
                                  .token = operation->token,
                                  .target = target,
                                  .verb = operation->verb,
                                  .share_ppm = operation->share_ppm,
                                  .text = str_of(err->message)};
    tell_trouble(driver, target, operation, err);
    finish(driver, target, operation);
    driver_event(driver, &event);
}

// Anywhere between half and all of a step that doubles, so that many targets spread out.
static int64_t backoff(struct driver *driver, uint32_t attempt)
{
    int64_t step = BACKOFF_MS << (attempt < 6 ? attempt : 6);
    if (step > BACKOFF_MOST_MS)
        step = BACKOFF_MOST_MS;
    uint32_t noise;
    driver->setup.entropy.fill(driver->setup.entropy.self, &noise, sizeof noise);
    return step / 2 + (int64_t)(noise % (uint32_t)(step / 2 + 1));
}

static void failed_once(struct driver *driver, uint32_t target, struct operation *operation,
                        const struct error *err)
{
    uint32_t most = operation->verb == VERB_REVERT ? REVERT_ATTEMPTS : FORWARD_ATTEMPTS;
    if (err->kind != ERROR_TRANSIENT || operation->attempt + 1 >= most) {
        fail(driver, target, operation, err);
        return;
    }
    if (operation->running)
        driver->setup.targets[target].kind->drop(operation->running);
    operation->running = NULL;
    bool forward = operation->verb != VERB_REVERT && operation->verb != VERB_OBSERVE;
    int64_t most_ms = forward ? driver->plan->settle_limit_ms : REVERT_PAUSE_MOST_MS;
    int64_t pause_ms = backoff(driver, operation->attempt);
    operation->again_ms = driver_now(driver) + driver_pause(pause_ms, err, most_ms);
    operation->asked_to_wait = err->retry_after_ms > 0;
    operation->attempt++;
    tell_trouble(driver, target, operation, err);
}

static void try_now(struct driver *driver, uint32_t target, struct operation *operation)
{
    const struct run_target *run = &driver->setup.targets[target];
    const struct plan *plan = driver->plan;
    char key[128];
    (void)snprintf(key, sizeof key, STR_FMT "/%u/%s/%u", STR_ARG(str_first(plan->rollout, 80)),
                   (unsigned)target, verb_name(operation->verb), (unsigned)operation->share_ppm);
    struct target_intent intent = {
        .verb = intent_of(operation->verb),
        .next = release_of(&driver->placements[target], run->artifact_path),
        .good = release_of(&plan->targets[target].good, (str){NULL, 0}),
        .share_ppm = operation->share_ppm,
        .memory = driver->placements[target].memory,
        .key = str_of(key),
    };
    struct error err;
    operation->again_ms = 0;
    if (!run->kind->start(run->target, &intent, &operation->running, &err)) {
        operation->running = NULL;
        failed_once(driver, target, operation, &err);
    }
}

// Whether what runs already does what is asked for. Starting it afresh would only keep it from ever
// ending: it is asked again and again until it answers. An observation does, unless the target was
// changed since it began. What a remote asked to be left alone for is not sent any sooner either.
static bool is_on_its_way(const struct operation *operation, enum target_verb verb,
                          uint32_t share_ppm)
{
    bool waits = operation->again_ms && operation->asked_to_wait;
    return (operation->running || waits) && operation->verb == verb &&
           operation->share_ppm == share_ppm && !operation->stale;
}

// A newer command replaces what is under way.
void operation_start(struct driver *driver, const struct rollout_command *command)
{
    uint32_t target = command->target;
    bool look = command->type == RC_OBSERVE;
    struct operation *operation = look ? &driver->looks[target] : &driver->commands[target];
    enum target_verb verb = look ? VERB_OBSERVE : command->verb;
    if (is_on_its_way(operation, verb, command->share_ppm)) {
        operation->token = command->token;
        return;
    }
    finish(driver, target, operation);
    *operation =
        (struct operation){.verb = verb, .share_ppm = command->share_ppm, .token = command->token};
    try_now(driver, target, operation);
}

static const struct exec_variable *keep_variables(struct arena *arena,
                                                  const struct exec_variable *from)
{
    size_t count = 0;
    while (from && from[count].name)
        count++;
    struct exec_variable *kept = ARENA_ARRAY(arena, struct exec_variable, count + 1);
    for (size_t i = 0; i < count; i++)
        kept[i] = (struct exec_variable){arena_copy(arena, str_of(from[i].name)),
                                         arena_str(arena, from[i].value)};
    return kept;
}

static void keep_endpoints(struct driver *driver, uint32_t target,
                           const struct target_observation *seen)
{
    struct endpoints *kept = &driver->endpoints[target];
    arena_done(&kept->arena);
    kept->known = true;
    kept->items = ARENA_ARRAY(&kept->arena, struct metric_endpoint, seen->endpoint_count);
    kept->count = seen->endpoint_count;
    str next = driver->placements[target].revision;
    for (size_t i = 0; i < kept->count; i++)
        kept->items[i] = (struct metric_endpoint){
            .host = arena_str(&kept->arena, seen->endpoints[i].host),
            .variables = keep_variables(&kept->arena, seen->endpoints[i].variables),
            .canary = next.len && str_eq(seen->endpoints[i].revision, next),
        };
}

static void tell_unsettled(struct driver *driver, uint32_t target, const char *words, bool settled)
{
    char text[sizeof *driver->told_looks] = "";
    if (words)
        (void)snprintf(text, sizeof text, "%s%s", settled ? "" : "not settled: ", words);
    tell_look(driver, target, NEWS_TARGET, text);
}

static void succeed(struct driver *driver, uint32_t target, struct operation *operation,
                    const struct target_outcome *outcome)
{
    const struct target_observation *seen = &outcome->seen;
    struct placement *placement = &driver->placements[target];
    if (outcome->memory.len && !str_eq(outcome->memory, placement->memory))
        placement->memory = arena_str(&driver->arena, outcome->memory);
    if (operation->verb == VERB_STAGE && outcome->revision.len)
        placement->revision = arena_str(&driver->arena, outcome->revision);
    keep_endpoints(driver, target, seen);
    bool look = operation->verb == VERB_OBSERVE;
    const char *unsettled = NULL;
    if (!seen->settled)
        unsettled = outcome->note ? outcome->note : seen->evidence;
    struct rollout_event event = {
        .type = look ? RE_OBSERVED : RE_TARGET_DONE,
        .token = operation->token,
        .target = target,
        .verb = operation->verb,
        .share_ppm = look ? seen->next_ppm : operation->share_ppm,
        .on_good_ppm = seen->good_ppm,
        .settled = seen->settled,
        .text = str_of(unsettled),
    };
    if (look)
        tell_unsettled(driver, target, seen->settled ? outcome->note : unsettled, seen->settled);
    else if (outcome->note)
        driver_tell(driver, NEWS_TARGET, target, outcome->note);
    finish(driver, target, operation);
    driver_event(driver, &event);
}

static void poll_operation(struct driver *driver, uint32_t target, struct operation *operation)
{
    struct arena arena = {0};
    struct target_outcome outcome = {0};
    struct error err;
    const struct target_kind *kind = driver->setup.targets[target].kind;
    switch (kind->poll(operation->running, &arena, &outcome, &err)) {
    case PROGRESS_PENDING:
        break;
    case PROGRESS_DONE:
        succeed(driver, target, operation, &outcome);
        break;
    case PROGRESS_FAILED:
        failed_once(driver, target, operation, &err);
        break;
    }
    arena_done(&arena);
}

static void turn_one(struct driver *driver, uint32_t target, struct operation *operation,
                     int64_t now_ms, int64_t *wake_ms)
{
    if (operation->verb == VERB_NONE)
        return;
    if (operation->again_ms && now_ms >= operation->again_ms)
        try_now(driver, target, operation);
    if (operation->running)
        poll_operation(driver, target, operation);
    int64_t next_ms = operation->running ? now_ms + POLL_MS : operation->again_ms;
    if (next_ms && next_ms < *wake_ms)
        *wake_ms = next_ms;
}

void operations_turn(struct driver *driver, int64_t now_ms, int64_t *wake_ms)
{
    for (uint32_t i = 0; i < driver->plan->target_count; i++) {
        turn_one(driver, i, &driver->commands[i], now_ms, wake_ms);
        turn_one(driver, i, &driver->looks[i], now_ms, wake_ms);
    }
}

void operations_clock_back(struct driver *driver, int64_t now_ms)
{
    for (uint32_t i = 0; i < driver->plan->target_count; i++) {
        if (driver->commands[i].again_ms > now_ms)
            driver->commands[i].again_ms = now_ms;
        if (driver->looks[i].again_ms > now_ms)
            driver->looks[i].again_ms = now_ms;
    }
}

void operations_done(struct driver *driver)
{
    for (uint32_t i = 0; i < driver->plan->target_count; i++) {
        finish(driver, i, &driver->commands[i]);
        finish(driver, i, &driver->looks[i]);
    }
}
