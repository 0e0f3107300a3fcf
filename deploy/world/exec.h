// Inside deploy/world: what commands here and on other machines have in common. Nothing outside
// this folder includes this header.
#ifndef DEPLOY_WORLD_EXEC_H
#define DEPLOY_WORLD_EXEC_H

#include "deploy/world/loop.h"

struct tail { // the newest LIMIT_COMMAND_OUTPUT bytes of what was added
    char *data;
    size_t len, room;
};

void tail_add(struct tail *tail, const char *bytes, size_t size);
str tail_str(const struct tail *tail);
void tail_done(struct tail *tail);

// The first member of the jobs of exec_local.c and exec_ssh.c.
struct exec_job {
    struct world *world;
    enum progress state;
    struct error error;
    int status;
    struct tail output, errors;
    int64_t started_ms, took_ms; // monotonic
    void (*drop)(struct exec_job *job);
};

void exec_init(struct exec_job *job, struct world *world, void (*drop)(struct exec_job *job));
void exec_release(struct exec_job *job); // tails and the job itself
void exec_finish(struct exec_job *job, int status);
// Fails the job; the last line that the command wrote to stderr is added to the message.
void exec_fail(struct exec_job *job, enum error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool exec_variables_ok(const struct exec_variable *variables, struct error *err);

bool local_start(struct world *world, const struct exec_request *request, struct exec_job **ret,
                 struct error *err);
bool ssh_start(struct world *world, const struct exec_request *request, struct exec_job **ret,
               struct error *err);

#endif
