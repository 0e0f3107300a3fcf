#include "deploy/world/exec.h"
#include "gate/base/arena.h"
#include "gate/base/moment.h"
#include "gate/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    GRACE_MS = 2000,        // between TERM and KILL
    POLL_MS = 10,           // how often a child is asked about where pidfd_open is not allowed
    READ_MOST = 1024 * 1024 // read from one pipe before the others have their turn
};

struct local_job {
    struct exec_job exec;
    struct loop_part part;
    pid_t pid; // also its process group
    int pid_fd, out_fd, err_fd;
    int64_t timeout_ms, deadline_ms;
    enum { RUNNING, TERMINATED, KILLED } phase;
    bool dropped; // nobody asks any more: released when it has ended
};

// ---- starting ---------------------------------------------------------------------------------

// Little is handed on: tokens in the runner's environment are none of a command's business.
static const char *const inherited[] = {
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "TERM",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
};

static bool is_given(const struct exec_variable *variables, const char *name)
{
    for (const struct exec_variable *v = variables; v && v->name; v++)
        if (strcmp(v->name, name) == 0)
            return true;
    return false;
}

static char **environment(struct arena *arena, const struct exec_variable *variables)
{
    size_t given = 0, count = 0, most = sizeof inherited / sizeof *inherited;
    for (const struct exec_variable *v = variables; v && v->name; v++)
        given++;
    char **list = ARENA_ARRAY(arena, char *, most + given + 1);
    for (size_t i = 0; i < most; i++) {
        const char *value = getenv(inherited[i]);
        if (value && !is_given(variables, inherited[i])) {
            size_t size = strlen(inherited[i]) + strlen(value) + 2;
            list[count] = arena_alloc(arena, size);
            (void)snprintf(list[count++], size, "%s=%s", inherited[i], value);
        }
    }
    for (const struct exec_variable *v = variables; v && v->name; v++) {
        size_t size = strlen(v->name) + v->value.len + 2;
        list[count] = arena_alloc(arena, size);
        char *at = stpcpy(stpcpy(list[count++], v->name), "=");
        if (v->value.len)
            memcpy(at, v->value.data, v->value.len);
    }
    return list;
}

// Signals as a fresh program expects them, and a process group of its own, so that the end of a
// command is the end of all that it started.
static int spawn(const struct exec_request *request, int in, int out, int errors, char **env,
                 pid_t *ret)
{
    char shell[] = "sh", option[] = "-c";
    size_t size = strlen(request->script) + 1;
    char *script = memcpy(memory_alloc(size), request->script, size);
    char *arguments[] = {shell, option, script, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, fresh;
    sigemptyset(&none);
    sigemptyset(&fresh);
    for (int signal = 1; signal < 32; signal++)
        if (signal != SIGKILL && signal != SIGSTOP)
            sigaddset(&fresh, signal);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, errors, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions,
                                             3); // sockets of libraries that do not mark them
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &fresh);
    int code = posix_spawn(ret, "/bin/sh", &actions, &attributes, arguments, env);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free(script);
    return code;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static bool launch(struct local_job *job, const struct exec_request *request, struct error *err)
{
    int out[2] = {-1, -1}, errors[2] = {-1, -1};
    const char *input = request->input_path ? request->input_path : "/dev/null";
    struct arena arena = {0};
    int in = open(input, O_RDONLY | O_CLOEXEC), code = 0;
    if (in < 0)
        return error_errno(err, "reading", input);
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(errors, O_CLOEXEC) != 0)
        code = errno;
    if (!code)
        code = spawn(request, in, out[1], errors[1], environment(&arena, request->variables),
                     &job->pid);
    arena_done(&arena);
    close(in);
    close_fd(&out[1]);
    close_fd(&errors[1]);
    if (code) {
        close_fd(&out[0]);
        close_fd(&errors[0]);
        if (code == E2BIG)
            return error_set(err, ERROR_LIMIT, "the script is too long for one command");
        return error_set(err, ERROR_SYSTEM, "running sh: %s", strerror(code));
    }
    job->out_fd = out[0];
    job->err_fd = errors[0];
    (void)fcntl(job->out_fd, F_SETFL, O_NONBLOCK);
    (void)fcntl(job->err_fd, F_SETFL, O_NONBLOCK);
    job->pid_fd = pidfd_open(job->pid, 0);
    return true;
}

// ---- while it runs ----------------------------------------------------------------------------

static struct local_job *of_part(struct loop_part *part)
{
    return (struct local_job *)((char *)part - offsetof(struct local_job, part));
}

static void want(struct loop_part *part, struct loop_wants *wants)
{
    const struct local_job *job = of_part(part);
    if (job->out_fd >= 0)
        loop_want_fd(wants, job->out_fd, POLLIN);
    if (job->err_fd >= 0)
        loop_want_fd(wants, job->err_fd, POLLIN);
    if (job->pid_fd >= 0)
        loop_want_fd(wants, job->pid_fd, POLLIN);
    else
        loop_want_at(wants, loop_now_ms() + POLL_MS);
    if (job->phase != KILLED)
        loop_want_at(wants, job->deadline_ms);
}

static void read_pipe(int *fd, struct tail *tail)
{
    char chunk[65536];
    for (size_t total = 0; *fd >= 0 && total < READ_MOST;) {
        ssize_t n = read(*fd, chunk, sizeof chunk);
        if (n > 0) {
            tail_add(tail, chunk, (size_t)n);
            total += (size_t)n;
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            close_fd(fd);
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

static void release(struct local_job *job)
{
    close_fd(&job->pid_fd);
    close_fd(&job->out_fd);
    close_fd(&job->err_fd);
    exec_release(&job->exec);
}

static void end_group(struct local_job *job)
{
    bool first = job->phase == RUNNING;
    (void)kill(-job->pid, first ? SIGTERM : SIGKILL);
    job->phase = first ? TERMINATED : KILLED;
    job->deadline_ms = loop_now_ms() + GRACE_MS;
}

// The command ended. What it left running keeps the pipes open (a server that it started): that is
// its right, so the end of the command counts, not the end of its outputs.
static void reaped(struct local_job *job, int status)
{
    char words[32];
    read_pipe(&job->out_fd, &job->exec.output);
    read_pipe(&job->err_fd, &job->exec.errors);
    close_fd(&job->out_fd);
    close_fd(&job->err_fd);
    loop_remove(job->exec.world, &job->part);
    if (job->dropped)
        release(job);
    else if (job->phase != RUNNING)
        exec_fail(&job->exec, ERROR_TRANSIENT, "it had not ended after %s and was stopped",
                  duration_words(job->timeout_ms, words));
    else
        exec_finish(&job->exec, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void step(struct loop_part *part)
{
    struct local_job *job = of_part(part);
    siginfo_t info = {0};
    int status = 0;
    read_pipe(&job->out_fd, &job->exec.output);
    read_pipe(&job->err_fd, &job->exec.errors);
    bool over = waitid(P_PID, (id_t)job->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
                info.si_pid == job->pid;
    if (over) {
        // Until it is reaped its number, which names the group, cannot be given to another process.
        if (job->phase != RUNNING)
            (void)kill(-job->pid, SIGKILL);
        (void)waitpid(job->pid, &status, 0);
        reaped(job, status);
    } else if (job->phase != KILLED && loop_now_ms() >= job->deadline_ms) {
        end_group(job);
    }
}

static void abandon(struct loop_part *part)
{
    struct local_job *job = of_part(part);
    (void)kill(-job->pid, SIGKILL);
    (void)waitpid(job->pid, NULL, 0);
    loop_remove(job->exec.world, part);
    release(job);
}

static void drop(struct exec_job *exec)
{
    struct local_job *job = (struct local_job *)exec;
    if (exec->state != PROGRESS_PENDING) {
        release(job);
        return;
    }
    job->dropped = true;
    if (job->phase == RUNNING)
        end_group(job);
}

bool local_start(struct world *world, const struct exec_request *request, struct exec_job **ret,
                 struct error *err)
{
    struct local_job *job = memory_alloc(sizeof *job);
    *job = (struct local_job){.pid_fd = -1, .out_fd = -1, .err_fd = -1};
    exec_init(&job->exec, world, drop);
    if (!launch(job, request, err)) {
        release(job);
        return false;
    }
    job->timeout_ms = request->timeout_ms;
    job->deadline_ms = job->exec.started_ms + request->timeout_ms;
    job->part = (struct loop_part){.want = want, .step = step, .abandon = abandon};
    loop_add(world, &job->part);
    *ret = &job->exec;
    return true;
}
