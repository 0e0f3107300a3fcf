// One host of one operation, as a small machine: run a script, wait until it is healthy, put it
// back behind the balancer.
#include "deploy/targets/hosts.h"

#include "gate/base/limits.h"
#include "gate/base/template.h"
#include "gate/base/text.h"

#include <stdio.h>

enum { HEALTH_EVERY_MS = 200, HEALTH_TIMEOUT_MS = 5000, SCRIPT_BYTES = 256 * 1024 };

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

static bool start_script(struct hosts_target *target, struct host_task *task,
                         enum hosts_script which)
{
    enum { VARIABLES = 64 };
    const struct hosts_config *config = target->config;
    const struct target_release *release = task->release;
    struct text script = text_of(SCRIPT_BYTES), path = text_of(LIMIT_PATH);
    struct exec_variable variables[VARIABLES];
    char keep[16];
    size_t count = 0;
    (void)snprintf(keep, sizeof keep, "%lld", (long long)config->keep);
    bool ok = hosts_script(config, which, &script, &task->error) &&
              hosts_expand(config, task->host, release, target->setup.variables, config->path,
                           TEMPLATE_PLAIN, &path, &task->error);
    variables[count++] = (struct exec_variable){"SLUICE_HOST", task->host->name};
    variables[count++] = (struct exec_variable){"host", task->host->name};
    variables[count++] = (struct exec_variable){"SLUICE_PATH", text_str(&path)};
    variables[count++] = (struct exec_variable){"SLUICE_RELEASE", release->release};
    variables[count++] = (struct exec_variable){"SLUICE_REVISION", release->revision};
    variables[count++] = (struct exec_variable){"SLUICE_COMMIT", release->commit};
    variables[count++] = (struct exec_variable){"SLUICE_DIGEST", release->digest};
    variables[count++] = (struct exec_variable){"SLUICE_GOOD", task->good};
    variables[count++] = (struct exec_variable){"SLUICE_KEEP", str_of(keep)};
    for (size_t i = 0; i < task->host->variable_count && count + 1 < VARIABLES; i++)
        variables[count++] = task->host->variables[i];
    variables[count] = (struct exec_variable){NULL, {NULL, 0}};
    struct arena arena = {0};
    struct exec_request request = {
        .script = text_c(&script),
        .variables = variables,
        .timeout_ms = config->timeout_ms,
    };
    if (which == SCRIPT_STAGE)
        request.input_path = arena_copy(&arena, release->artifact_path);
    if (config->transport == TRANSPORT_SSH)
        request.login = (struct exec_login){
            .host = arena_copy(&arena, task->host->name),
            .user = config->user.len ? arena_copy(&arena, config->user) : NULL,
            .port = (uint16_t)config->port,
            .known_hosts = config->known_hosts.len ? arena_copy(&arena, config->known_hosts) : NULL,
            .fingerprint = config->fingerprint.len ? arena_copy(&arena, config->fingerprint) : NULL,
            .key_file = config->key_file.len ? arena_copy(&arena, config->key_file) : NULL,
        };
    const struct exec_port *exec = target->setup.exec;
    ok = ok && exec->start(exec->self, &request, &task->job, &task->error);
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
    bool ok = hosts_expand(target->config, task->host, task->release, target->setup.variables,
                           health->url, TEMPLATE_URL, &url, &task->error);
    struct http_request request = {
        .method = "GET", .url = text_c(&url), .timeout_ms = HEALTH_TIMEOUT_MS,
        .fresh_connection = true};
    ok = ok && http->start(http->self, &request, &task->job, &task->error);
    if (!ok) {
        task->job = NULL;
        fail(task);
    }
    text_done(&url);
}

void host_task_start(struct hosts_target *target, struct host_task *task)
{
    static const enum hosts_script scripts[] = {[GOAL_STAGE] = SCRIPT_STAGE,
                                                [GOAL_ACTIVATE] = SCRIPT_ACTIVATE,
                                                [GOAL_CLEAN] = SCRIPT_CLEAN,
                                                [GOAL_OBSERVE] = SCRIPT_OBSERVE};
    task->step = HOST_RUNS;
    (void)start_script(target, task, scripts[task->goal]);
}

static void read_observation(struct host_task *task, str output)
{
    while (output.len) {
        str line = str_trim(str_cut(&output, '\n'));
        char *into = str_starts(line, STR("current=")) ? task->current
                     : str_starts(line, STR("serving=")) ? task->serving
                                                         : NULL;
        if (into)
            (void)snprintf(into, sizeof task->current, STR_FMT, STR_ARG(str_from(line, 8)));
    }
}

static void ran(struct hosts_target *target, struct host_task *task)
{
    const struct hosts_health *health = target->config->health;
    int64_t limit = health ? health->timeout_ms : 0;
    switch (task->goal) {
    case GOAL_STAGE:
    case GOAL_CLEAN:
        task->step = HOST_DONE;
        break;
    case GOAL_OBSERVE:
        task->healthy = !health;
        task->health_until_ms = now_ms(target); // one question is enough to know
        if (health && task->current[0])
            start_health(target, task);
        else
            task->step = HOST_DONE;
        break;
    case GOAL_ACTIVATE:
        task->health_until_ms = now_ms(target) + limit;
        if (health) {
            start_health(target, task);
        } else {
            task->step = HOST_RESTORES;
            (void)start_script(target, task, SCRIPT_RESTORE);
        }
        break;
    }
}

static void poll_script(struct hosts_target *target, struct host_task *task)
{
    const struct exec_port *exec = target->setup.exec;
    struct exec_result result;
    enum progress progress = exec->poll(exec->self, task->job, &result, &task->error);
    if (progress == PROGRESS_PENDING)
        return;
    bool ok = progress == PROGRESS_DONE && result.status == 0;
    if (progress == PROGRESS_DONE && !ok) {
        str said = last_line(result.errors.len ? result.errors : result.output);
        (void)error_set(&task->error, ERROR_REMOTE, "%s (exit status %d): " STR_FMT,
                        task->goal == GOAL_STAGE      ? "preparing the release failed"
                        : task->step == HOST_RESTORES ? "restoring failed"
                        : task->goal == GOAL_CLEAN    ? "cleaning up failed"
                        : task->goal == GOAL_OBSERVE  ? "looking failed"
                                                      : "switching failed",
                        result.status, STR_ARG(str_first(said, 300)));
    }
    if (ok && task->goal == GOAL_OBSERVE)
        read_observation(task, result.output);
    exec->drop(exec->self, task->job);
    task->job = NULL;
    if (!ok)
        fail(task);
    else if (task->step == HOST_RESTORES)
        task->step = HOST_DONE;
    else
        ran(target, task);
}

// Healthy: the status, and the words when there are any. An answer of the old process, that is still
// going away, is not taken for the new one's where `contains: ${revision}` is configured.
static bool is_healthy(struct hosts_target *target, struct host_task *task,
                       const struct http_answer *answer)
{
    const struct hosts_health *health = target->config->health;
    if (answer->status != health->status)
        return error_set(&task->error, ERROR_REMOTE, "its health check answers %ld, not %lld",
                         answer->status, (long long)health->status);
    struct text words = text_of(LIMIT_PATH);
    bool ok = health->contains.len == 0 || task->goal == GOAL_OBSERVE ||
              (hosts_expand(target->config, task->host, task->release, target->setup.variables,
                            health->contains, TEMPLATE_PLAIN, &words, &task->error) &&
               (str_search(answer->body, text_str(&words)) != STR_NONE ||
                error_set(&task->error, ERROR_REMOTE, "its health check does not say `%s`",
                          text_c(&words))));
    text_done(&words);
    return ok;
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
    } else if (healthy) {
        task->step = HOST_RESTORES;
        (void)start_script(target, task, SCRIPT_RESTORE);
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
