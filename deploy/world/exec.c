#include "deploy/world/exec.h"

#include "gate/base/arena.h"
#include "gate/base/limits.h"

#include <stdio.h>
#include <stdlib.h>

// ---- the newest bytes of an output ------------------------------------------------------------

void tail_add(struct tail *tail, const char *bytes, size_t size)
{
    if (size > LIMIT_COMMAND_OUTPUT) {
        bytes += size - LIMIT_COMMAND_OUTPUT;
        size = LIMIT_COMMAND_OUTPUT;
    }
    if (tail->len + size >
        (size_t)2 * LIMIT_COMMAND_OUTPUT) { // moved once in LIMIT bytes, not at each write
        size_t kept = LIMIT_COMMAND_OUTPUT;
        memmove(tail->data, tail->data + tail->len - kept, kept);
        tail->len = kept;
    }
    if (tail->len + size > tail->room) {
        size_t room = tail->room ? tail->room * 2 : 1024;
        while (room < tail->len + size)
            room *= 2;
        tail->data = memory_grow(tail->data, room);
        tail->room = room;
    }
    if (size)
        memcpy(tail->data + tail->len, bytes, size);
    tail->len += size;
}

str tail_str(const struct tail *tail)
{
    str all = str_make(tail->data ? tail->data : "", tail->len);
    return all.len > LIMIT_COMMAND_OUTPUT ? str_from(all, all.len - LIMIT_COMMAND_OUTPUT) : all;
}

void tail_done(struct tail *tail)
{
    free(tail->data);
    *tail = (struct tail){0};
}

// ---- jobs -------------------------------------------------------------------------------------

void exec_init(struct exec_job *job, struct world *world, void (*drop)(struct exec_job *job))
{
    *job = (struct exec_job){.world = world, .drop = drop, .started_ms = loop_now_ms()};
    job->state = PROGRESS_PENDING;
}

void exec_release(struct exec_job *job)
{
    tail_done(&job->output);
    tail_done(&job->errors);
    free(job);
}

static void ended(struct exec_job *job, enum progress state)
{
    job->state = state;
    job->took_ms = loop_now_ms() - job->started_ms;
    loop_moved(job->world);
}

void exec_finish(struct exec_job *job, int status)
{
    job->status = status;
    ended(job, PROGRESS_DONE);
}

void exec_fail(struct exec_job *job, enum error_kind kind, const char *format, ...)
{
    char why[600];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(why, sizeof why, format, args);
    va_end(args);
    str words = str_trim(tail_str(&job->errors));
    size_t line = str_find_last(words, '\n');
    words = str_first(line == STR_NONE ? words : str_from(words, line + 1), 120);
    if (words.len)
        (void)error_set(&job->error, kind, "%s; its last words: " STR_FMT, why, STR_ARG(words));
    else
        (void)error_set(&job->error, kind, "%s", why);
    ended(job, PROGRESS_FAILED);
}

static bool is_name(const char *name)
{
    if (!*name || (*name >= '0' && *name <= '9'))
        return false;
    for (; *name; name++)
        if (!(*name == '_' || (*name >= 'A' && *name <= 'Z') || (*name >= 'a' && *name <= 'z') ||
              (*name >= '0' && *name <= '9')))
            return false;
    return true;
}

bool exec_variables_ok(const struct exec_variable *variables, struct error *err)
{
    for (const struct exec_variable *v = variables; v && v->name; v++) {
        if (!is_name(v->name))
            return error_set(err, ERROR_INPUT, "`%.60s` cannot be the name of a variable", v->name);
        if (v->value.len && memchr(v->value.data, '\0', v->value.len))
            return error_set(err, ERROR_INPUT, "the value of %.60s has a NUL byte", v->name);
    }
    return true;
}

// ---- the port ---------------------------------------------------------------------------------

static bool start(void *self, const struct exec_request *request, void **ret_job, struct error *err)
{
    struct exec_job *job;
    if (!exec_variables_ok(request->variables, err))
        return false;
    bool ok = request->login.host ? ssh_start(self, request, &job, err)
                                  : local_start(self, request, &job, err);
    if (ok)
        *ret_job = job;
    return ok;
}

static enum progress poll_job(void *self, void *context, struct exec_result *ret, struct error *err)
{
    const struct exec_job *job = context;
    (void)self;
    if (job->state == PROGRESS_DONE)
        *ret = (struct exec_result){.status = job->status,
                                    .output = tail_str(&job->output),
                                    .errors = tail_str(&job->errors),
                                    .took_ms = job->took_ms};
    if (job->state == PROGRESS_FAILED)
        *err = job->error;
    return job->state;
}

static void drop(void *self, void *context)
{
    struct exec_job *job = context;
    (void)self;
    if (job)
        job->drop(job);
}

struct exec_port world_exec(struct world *world)
{
    return (struct exec_port){world, start, poll_job, drop};
}
