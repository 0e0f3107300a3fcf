// One host of one operation, as a small machine: run a script, wait until it is healthy, put it
// back behind the balancer.
#include "deploy/targets/hosts.h"

#include "gate/base/limits.h"
#include "gate/base/template.h"
#include "gate/base/text.h"

#include <stdio.h>

enum {
    HEALTH_EVERY_MS = 200,
    HEALTH_TIMEOUT_MS = 5000,
    LOOK_TIMEOUT_MS = 25000, // a few words of a folder: what takes longer hangs
    SCRIPT_BYTES = 256 * 1024,
};

static int64_t now_ms(const struct hosts_target *target)
{
    return target->setup.clock->now_ms(target->setup.clock->self);
}

static void fail(struct host_task *task)
{
    struct error inner = task->error;
    (void)error_set(&task->error, inner.kind, STR_FMT ": %s", STR_ARG(task->host->name),
                    inner.message);
    task->step = HOST_FAILED;
}

// The last line that a command said, for one sentence of blame.
static str last_line(str output)
{
    output = str_trim(output);
    size_t at = str_find_last(output, '\n');
    return at == STR_NONE ? output : str_from(output, at + 1);
}

static void add_variable(struct exec_variable **at, const char *name, str value)
{
    *(*at)++ = (struct exec_variable){name, value};
}

// The release's own values first; a variable of the inventory cannot have one of these names.
static const struct exec_variable *variables_of(struct arena *arena, const struct host_task *task,
                                                str path, int64_t keep)
{
    const struct target_release *release = task->release;
    enum { OWN = 10 };
    struct exec_variable *list =
        ARENA_ARRAY(arena, struct exec_variable, OWN + task->host->variable_count + 1);
    struct exec_variable *at = list;
    add_variable(&at, "SLUICE_HOST", task->host->name);
    add_variable(&at, "host", task->host->name);
    add_variable(&at, "SLUICE_PATH", path);
    add_variable(&at, "SLUICE_RELEASE", release->release);
    add_variable(&at, "SLUICE_REVISION", release->revision);
    add_variable(&at, "SLUICE_RELEASE_DIR",
                 arena_format(arena, STR_FMT "/releases/" STR_FMT, STR_ARG(path),
                              STR_ARG(release->revision)));
    add_variable(&at, "SLUICE_COMMIT", release->commit);
    add_variable(&at, "SLUICE_DIGEST", release->digest);
    add_variable(&at, "SLUICE_GOOD", task->good);
    add_variable(&at, "SLUICE_KEEP", arena_format(arena, "%lld", (long long)keep));
    for (size_t i = 0; i < task->host->variable_count; i++)
        *at++ = task->host->variables[i];
    return list;
}

static const char *text_or_null(struct arena *arena, str s)
{
    return s.len ? arena_copy(arena, s) : NULL;
}

static struct exec_login login_of(struct arena *arena, const struct hosts_config *config,
                                  const struct host *host)
{
    return (struct exec_login){
        .host = arena_copy(arena, host->address),
        .user = text_or_null(arena, config->user),
        .port = (uint16_t)(host->port ? host->port : config->port),
        .known_hosts = text_or_null(arena, config->known_hosts),
        .fingerprint = text_or_null(arena, config->fingerprint),
        .key_file = text_or_null(arena, config->key_file),
    };
}

static bool start_script(struct hosts_target *target, struct host_task *task,
                         enum hosts_script which)
{
    const struct hosts_config *config = target->config;
    const struct exec_port *exec = target->setup.exec;
    struct text script = text_of(SCRIPT_BYTES), path = text_of(LIMIT_PATH);
    struct arena arena = {0};
    bool ok = hosts_script(config, which, &script, &task->error) &&
              hosts_expand(task->host, NULL, target->setup.variables, config->path, TEMPLATE_PLAIN,
                           &path, &task->error);
    if (ok) {
        struct exec_request request = {
            .script = text_c(&script),
            .variables = variables_of(&arena, task, text_str(&path), config->keep),
            .timeout_ms = config->timeout_ms,
        };
        if (which == SCRIPT_OBSERVE && request.timeout_ms > LOOK_TIMEOUT_MS)
            request.timeout_ms = LOOK_TIMEOUT_MS;
        if (which == SCRIPT_STAGE)
            request.input_path = text_or_null(&arena, task->release->artifact_path);
        if (config->transport == TRANSPORT_SSH)
            request.login = login_of(&arena, config, task->host);
        ok = exec->start(exec->self, &request, &task->job, &task->error);
    }
    if (!ok) {
        task->job = NULL;
        fail(task);
    }
    arena_done(&arena);
    text_done(&script);
    text_done(&path);
    return ok;
}

static void start_health(struct hosts_target *target, struct host_task *task)
{
    const struct hosts_health *health = target->config->health;
    const struct http_port *http = target->setup.http;
    struct text url = text_of(LIMIT_PATH);
    task->step = HOST_HEALTH;
    bool ok = hosts_expand(task->host, task->release, target->setup.variables, health->url,
                           TEMPLATE_URL, &url, &task->error);
    struct http_request request = {.method = "GET",
                                   .url = text_c(&url),
                                   .timeout_ms = HEALTH_TIMEOUT_MS,
                                   .fresh_connection = true};
    ok = ok && http->start(http->self, &request, &task->job, &task->error);
    if (!ok) {
        task->job = NULL;
        fail(task);
    }
    text_done(&url);
}

static void restore(struct hosts_target *target, struct host_task *task)
{
    task->step = HOST_RESTORES;
    (void)start_script(target, task, SCRIPT_RESTORE);
}

void host_task_start(struct hosts_target *target, struct host_task *task)
{
    static const enum hosts_script scripts[] = {
        [GOAL_STAGE] = SCRIPT_STAGE,       [GOAL_MIGRATE] = SCRIPT_MIGRATE,
        [GOAL_ACTIVATE] = SCRIPT_ACTIVATE, [GOAL_REMOVE] = SCRIPT_REMOVE,
        [GOAL_CLEAN] = SCRIPT_CLEAN,       [GOAL_OBSERVE] = SCRIPT_OBSERVE};
    task->step = HOST_RUNS;
    (void)start_script(target, task, scripts[task->goal]);
}

// False: it is not what the script says.
static bool read_observation(struct host_task *task, str output)
{
    unsigned told = 0;
    while (output.len) {
        str line = str_trim(str_cut(&output, '\n'));
        char *into = str_starts(line, STR("current="))   ? task->current
                     : str_starts(line, STR("serving=")) ? task->serving
                                                         : NULL;
        if (str_starts(line, STR("trouble=")))
            (void)snprintf(task->trouble, sizeof task->trouble, STR_FMT,
                           STR_ARG(str_from(line, 8)));
        if (into)
            (void)snprintf(into, sizeof task->current, STR_FMT, STR_ARG(str_from(line, 8)));
        told |= into == task->current ? 1U : into == task->serving ? 2U : 0U;
    }
    return told == 3;
}

// Whether something in the configuration takes requests away from a host.
static bool is_taken_out(const struct hosts_config *config)
{
    return config->drain.len || config->services.count;
}

static void ran(struct hosts_target *target, struct host_task *task, str output)
{
    const struct hosts_config *config = target->config;
    bool asks = false;
    switch (task->goal) {
    case GOAL_STAGE:
    case GOAL_MIGRATE:
    case GOAL_CLEAN:
        break;
    case GOAL_OBSERVE:
        if (!read_observation(task, output)) {
            (void)error_set(&task->error, ERROR_REMOTE,
                            "looking failed: what its shell says cannot be read: does something "
                            "in its start files write or end it?");
            fail(task);
            return;
        }
        task->healthy = true;
        asks = config->health && task->current[0];
        break;
    case GOAL_REMOVE: // what nothing has stopped may well answer still
        asks = config->health && !is_taken_out(config);
        break;
    case GOAL_ACTIVATE:
        if (str_is(str_trim(output), HOSTS_UNCHANGED))
            break;
        if (!config->health) {
            restore(target, task);
            return;
        }
        asks = true;
        break;
    }
    if (!asks) {
        task->step = HOST_DONE;
        return;
    }
    task->health_until_ms = now_ms(target); // one answer is enough to know,
    if (task->goal == GOAL_ACTIVATE)        // but for what has just been started
        task->health_until_ms += config->health->timeout_ms;
    start_health(target, task);
}

static const char *failure_of(const struct host_task *task)
{
    switch (task->goal) {
    case GOAL_STAGE:
        return "preparing the release failed";
    case GOAL_MIGRATE:
        return "migrating the database failed";
    case GOAL_ACTIVATE:
        return task->step == HOST_RESTORES ? "restoring failed" : "switching failed";
    case GOAL_REMOVE:
        return "taking the release away failed";
    case GOAL_CLEAN:
        return "cleaning up failed";
    case GOAL_OBSERVE:
        break;
    }
    return "looking failed";
}

static void poll_script(struct hosts_target *target, struct host_task *task)
{
    const struct exec_port *exec = target->setup.exec;
    struct exec_result result;
    enum progress progress = exec->poll(exec->self, task->job, &result, &task->error);
    if (progress == PROGRESS_PENDING)
        return;
    void *job = task->job; // the result lives as long as it
    task->job = NULL;
    if (progress == PROGRESS_DONE && result.status != 0)
        (void)error_set(&task->error,
                        result.status == SCRIPT_TRANSIENT ? ERROR_TRANSIENT : ERROR_REMOTE,
                        "%s (exit status %d): " STR_FMT, failure_of(task), result.status,
                        STR_ARG(str_first(last_line(result.errors), 300)));
    if (progress == PROGRESS_FAILED || result.status != 0)
        fail(task);
    else if (task->step == HOST_RESTORES)
        task->step = HOST_DONE;
    else
        ran(target, task, result.output);
    exec->drop(exec->self, job);
}

// Healthy: the status, and the words when there are any. An answer of the old process, that is
// still going away, is not taken for the new one's where `contains: ${revision}` is configured.
static bool is_healthy(struct hosts_target *target, struct host_task *task,
                       const struct http_answer *answer)
{
    const struct hosts_health *health = target->config->health;
    if (answer->status != health->status)
        return error_set(&task->error, ERROR_REMOTE, "its health check answers %ld, not %lld",
                         answer->status, (long long)health->status);
    struct text words = text_of(LIMIT_PATH);
    bool ok = health->contains.len == 0 || task->goal != GOAL_ACTIVATE ||
              (hosts_expand(task->host, task->release, target->setup.variables, health->contains,
                            TEMPLATE_PLAIN, &words, &task->error) &&
               (str_search(answer->body, text_str(&words)) != STR_NONE ||
                error_set(&task->error, ERROR_REMOTE, "its health check does not say `%s`",
                          text_c(&words))));
    text_done(&words);
    return ok;
}

// Nothing is left to serve, and nothing was told to stop: if it answers, it is still the release.
static void removed(struct host_task *task, bool answers)
{
    task->step = HOST_DONE;
    if (!answers)
        return;
    (void)error_set(&task->error, ERROR_REMOTE,
                    "`current` is taken away, but its health check still answers: with neither "
                    "`drain` nor `service` nothing here stops what was started; stop it by hand");
    fail(task);
}

static void poll_health(struct hosts_target *target, struct host_task *task)
{
    const struct http_port *http = target->setup.http;
    int64_t now = now_ms(target);
    if (!task->job) {
        if (now >= task->health_again_ms)
            start_health(target, task);
        return;
    }
    struct http_answer answer;
    enum progress progress = http->poll(http->self, task->job, &answer, &task->error);
    if (progress == PROGRESS_PENDING)
        return;
    bool healthy = progress == PROGRESS_DONE && is_healthy(target, task, &answer);
    http->drop(http->self, task->job);
    task->job = NULL;
    if (task->goal == GOAL_OBSERVE) {
        task->healthy = healthy;
        task->step = HOST_DONE;
    } else if (task->goal == GOAL_REMOVE) {
        removed(task, healthy);
    } else if (healthy) {
        restore(target, task);
    } else if (now >= task->health_until_ms) {
        task->error.kind = ERROR_REMOTE; // it was asked until the limit: asking again is no cure
        fail(task);
    } else {
        task->health_again_ms = now + HEALTH_EVERY_MS;
    }
}

void host_task_poll(struct hosts_target *target, struct host_task *task)
{
    switch (task->step) {
    case HOST_RUNS:
    case HOST_RESTORES:
        poll_script(target, task);
        break;
    case HOST_HEALTH:
        poll_health(target, task);
        break;
    case HOST_WAITS:
    case HOST_DONE:
    case HOST_FAILED:
        break;
    }
}

void host_task_drop(struct hosts_target *target, struct host_task *task)
{
    if (!task->job)
        return;
    if (task->step == HOST_HEALTH)
        target->setup.http->drop(target->setup.http->self, task->job);
    else
        target->setup.exec->drop(target->setup.exec->self, task->job);
    task->job = NULL;
}
