#include "deploy/world/ssh.h"
#include "gate/base/moment.h"
#include "gate/base/template.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    COMMAND_MOST = 30000, // one packet of the protocol holds it
    CHUNK = 32 * 1024,
    STOP_MS = 8000, // for a command that is being stopped to be gone
    MOVES = 6,
    LOOK_FOR_PID = 64 * 1024 // bytes of stderr in which the process number must stand
};

// What a command says first on stderr: its process number, by which it can be stopped. It is taken
// out of the output again.
#define MARK "\001sluice "
#define WRAPPER "sh -c 'printf \"\\001sluice %s\\002\" \"$$\" >&2; exec sh -c \"$1\"' sh "

enum phase { WAITING, OPENING, STARTING, RUNNING, CLOSING, OVER };

struct ssh_job {
    struct exec_job exec;
    struct ssh_job *next;              // of the connection
    struct ssh_connection *connection; // null once it is over
    LIBSSH2_CHANNEL *channel;
    enum phase phase;
    struct text command;
    int input_fd;
    char *chunk; // of standard input: a piece that libssh2 has not taken whole
    size_t chunk_len, chunk_sent;
    bool input_over;
    int64_t timeout_ms, deadline_ms; // of the command, then of stopping it
    bool sent;                       // the server may have begun with it
    int moves;                       // to another connection
    bool quit;                       // timed out or dropped: it is to end
    bool stopping;                   // another command ends it
    bool dropped;                    // nobody asks any more: released when it is over
    long pid;
};

static void release(struct ssh_job *job)
{
    if (job->input_fd >= 0)
        close(job->input_fd);
    free(job->chunk);
    text_done(&job->command);
    exec_release(&job->exec);
}

static void add_to(struct ssh_connection *c, struct ssh_job *job)
{
    struct ssh_job **link = &c->jobs;
    while (*link)
        link = &(*link)->next;
    *link = job;
    job->next = NULL;
    job->connection = c;
    c->progressed = true;
}

static void leave(struct ssh_job *job)
{
    struct ssh_connection *c = job->connection;
    struct ssh_job **link = &c->jobs;
    while (*link != job)
        link = &(*link)->next;
    *link = job->next;
    if (c->opening == job)
        c->opening = NULL;
    job->connection = NULL;
    job->phase = OVER;
    if (job->dropped)
        release(job);
}

size_t ssh_jobs_count(const struct ssh_connection *c)
{
    size_t count = 0;
    for (const struct ssh_job *job = c->jobs; job; job = job->next)
        count++;
    return count;
}

static struct ssh_job *make(struct world *world, int64_t timeout_ms,
                            void (*drop)(struct exec_job *))
{
    struct ssh_job *job = memory_alloc(sizeof *job);
    *job = (struct ssh_job){.input_fd = -1, .command = text_of(COMMAND_MOST)};
    exec_init(&job->exec, world, drop);
    job->timeout_ms = timeout_ms;
    job->deadline_ms = job->exec.started_ms + timeout_ms;
    return job;
}

// ---- stopping ---------------------------------------------------------------------------------

static void drop(struct exec_job *exec)
{
    struct ssh_job *job = (struct ssh_job *)exec;
    if (job->phase == OVER) {
        release(job);
        return;
    }
    job->dropped = true;
    if (!job->quit)
        job->deadline_ms = 0; // as if its time were up: stopped at the next step
    job->connection->progressed = true;
}

// libssh2 1.10 cannot send a signal over a channel, and servers do not pass on that one was closed.
// So a second command ends the process group of the first, which sshd made for it.
static void stop_remotely(struct ssh_job *job)
{
    struct ssh_job *stopper = make(job->exec.world, STOP_MS, drop);
    text_addf(&stopper->command,
              "g=$(sed 's/^.*) [A-Za-z] [0-9]* \\([0-9]*\\) .*/\\1/' /proc/%ld/stat) || exit 0; "
              "kill -s TERM -- \"-$g\"; i=0; "
              "while kill -s 0 -- \"-$g\" && [ $i -lt 20 ]; do sleep 0.1; i=$((i+1)); done; "
              "kill -s KILL -- \"-$g\"",
              job->pid);
    stopper->dropped = stopper->input_over = job->stopping = true;
    add_to(job->connection, stopper);
}

static void time_is_up(struct ssh_job *job)
{
    char words[32];
    bool first = !job->quit;
    job->quit = true;
    job->deadline_ms = loop_now_ms() + STOP_MS;
    bool may_run = job->phase == STARTING || job->phase == RUNNING;
    if (first && may_run && job->pid >= 0)
        return; // stopped as soon as its number is known; the outcome is told when it is gone
    if (job->exec.state == PROGRESS_PENDING) {
        duration_words(job->timeout_ms, words);
        if (!job->sent)
            exec_fail(&job->exec, ERROR_TRANSIENT, "%s: it had not been started after %s",
                      job->connection->host, words);
        else
            exec_fail(&job->exec, ERROR_TRANSIENT,
                      "%s: it had not ended after %s and could not be stopped: the outcome is "
                      "unknown",
                      job->connection->host, words);
    }
    // What waits for an answer of the server goes on in the background for a while: libssh2 cannot
    // forget a channel that is half open.
    if (job->phase == WAITING || !first) {
        job->connection->tainted = job->connection->tainted || job->phase != WAITING;
        leave(job);
    }
}

// ---- the channel ------------------------------------------------------------------------------

static bool is_lost(int code)
{
    return code == LIBSSH2_ERROR_SOCKET_SEND || code == LIBSSH2_ERROR_SOCKET_RECV ||
           code == LIBSSH2_ERROR_SOCKET_DISCONNECT || code == LIBSSH2_ERROR_SOCKET_TIMEOUT ||
           code == LIBSSH2_ERROR_DECRYPT || code == LIBSSH2_ERROR_INVALID_MAC ||
           code == LIBSSH2_ERROR_PROTO || code == LIBSSH2_ERROR_OUT_OF_BOUNDARY;
}

// The server refuses a session more than it has: the job goes to a connection of its own.
static void refused_session(struct ssh_job *job)
{
    struct ssh_connection *c = job->connection, *other;
    struct error err;
    size_t channels = 0;
    for (const struct ssh_job *j = c->jobs; j; j = j->next)
        channels += j->channel != NULL;
    if (channels > 0 && !job->quit && job->moves < MOVES) {
        struct exec_login login = {c->host,        c->user,        c->port,
                                   c->known_hosts, c->fingerprint, c->key_file};
        ssh_limit_jobs(c, channels);
        if (ssh_connection_for(job->exec.world, &login, &other, &err)) {
            bool dropped = job->dropped;
            job->dropped = false; // leave() must not release it
            leave(job);
            job->dropped = dropped;
            job->moves++;
            job->phase = WAITING;
            add_to(other, job);
            return;
        }
    }
    ssh_error(c, "the server refuses to open a session", &err);
    if (job->exec.state == PROGRESS_PENDING)
        exec_fail(&job->exec, ERROR_REMOTE, "%s", err.message);
    leave(job);
}

static int step_open(struct ssh_job *job)
{
    struct ssh_connection *c = job->connection;
    if (c->opening && c->opening != job)
        return LIBSSH2_ERROR_EAGAIN;
    c->opening = job;
    job->phase = OPENING;
    job->channel = libssh2_channel_open_session(c->session);
    if (job->channel) {
        c->opening = NULL;
        job->phase = job->quit ? CLOSING : STARTING;
        return 0;
    }
    int code = libssh2_session_last_errno(c->session);
    if (code != LIBSSH2_ERROR_EAGAIN && !is_lost(code)) {
        refused_session(job);
        return LIBSSH2_ERROR_EAGAIN;
    }
    return code;
}

static int step_start(struct ssh_job *job)
{
    job->sent = true;
    int code = libssh2_channel_process_startup(job->channel, "exec", 4, text_c(&job->command),
                                               (unsigned)job->command.len);
    if (code == LIBSSH2_ERROR_EAGAIN || is_lost(code))
        return code;
    if (code && job->exec.state == PROGRESS_PENDING)
        exec_fail(&job->exec, ERROR_REMOTE, "%s: the server refuses to run commands",
                  job->connection->host);
    job->phase = code ? CLOSING : RUNNING;
    return 0;
}

static int write_input(struct ssh_job *job)
{
    while (!job->input_over && job->connection->out_len < SSH_OUT_MOST) {
        if (job->chunk_sent == job->chunk_len) {
            ssize_t n = job->input_fd < 0 ? 0 : read(job->input_fd, job->chunk, CHUNK);
            if (n <= 0) {
                job->input_over = true;
                int code = libssh2_channel_send_eof(job->channel);
                return is_lost(code) ? code : 0;
            }
            job->chunk_len = (size_t)n;
            job->chunk_sent = 0;
        }
        ssize_t n = libssh2_channel_write(job->channel, job->chunk + job->chunk_sent,
                                          job->chunk_len - job->chunk_sent);
        if (n == LIBSSH2_ERROR_EAGAIN || n == 0)
            return 0; // the command is slower than we are
        if (n < 0 && is_lost((int)n))
            return (int)n;
        if (n < 0) { // it closed its input, which is its right
            job->input_over = true;
            return 0;
        }
        job->chunk_sent += (size_t)n;
    }
    return 0;
}

// Takes the mark with the process number out of stderr.
static void find_pid(struct ssh_job *job)
{
    struct tail *tail = &job->exec.errors;
    str all = str_make(tail->data, tail->len);
    size_t at = str_search(all, STR(MARK));
    if (at == STR_NONE) {
        if (tail->len > LOOK_FOR_PID)
            job->pid = -1;
        return;
    }
    str number = str_from(all, at + sizeof MARK - 1);
    size_t end = str_find(number, '\002');
    if (end == STR_NONE)
        return;
    long pid = strtol(number.data, NULL, 10);
    size_t after = at + sizeof MARK - 1 + end + 1;
    memmove(tail->data + at, tail->data + after, tail->len - after);
    tail->len -= after - at;
    job->pid = pid > 1 ? pid : -1;
}

static int read_stream(struct ssh_job *job, int stream, struct tail *tail)
{
    char bytes[CHUNK];
    ssize_t n;
    while ((n = libssh2_channel_read_ex(job->channel, stream, bytes, sizeof bytes)) > 0) {
        tail_add(tail, bytes, (size_t)n);
        if (stream && job->pid == 0)
            find_pid(job);
    }
    return n == LIBSSH2_ERROR_EAGAIN ? 0 : (int)n;
}

static int step_run(struct ssh_job *job)
{
    int code = write_input(job);
    if (!code)
        code = read_stream(job, 0, &job->exec.output);
    if (!code)
        code = read_stream(job, SSH_EXTENDED_DATA_STDERR, &job->exec.errors);
    if (code)
        return code;
    if (!libssh2_channel_eof(job->channel))
        return LIBSSH2_ERROR_EAGAIN;
    // The exit status comes before the server closes the channel, not before the end of output.
    code = libssh2_channel_wait_closed(job->channel);
    if (!code)
        job->phase = CLOSING;
    return code;
}

static int exit_status(struct ssh_job *job)
{
    static const struct {
        const char *name;
        int number;
    } signals[] = {{"HUP", 1},   {"INT", 2},   {"QUIT", 3},  {"ILL", 4},   {"ABRT", 6},
                   {"FPE", 8},   {"KILL", 9},  {"USR1", 10}, {"SEGV", 11}, {"USR2", 12},
                   {"PIPE", 13}, {"ALRM", 14}, {"TERM", 15}};
    char *name = NULL;
    size_t len = 0;
    int status = libssh2_channel_get_exit_status(job->channel);
    (void)libssh2_channel_get_exit_signal(job->channel, &name, &len, NULL, NULL, NULL, NULL);
    if (!name)
        return status;
    status = 128;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (strncmp(name, signals[i].name, len) == 0 && !signals[i].name[len])
            status = 128 + signals[i].number;
    libssh2_free(job->connection->session, name);
    return status;
}

static int step_close(struct ssh_job *job)
{
    char words[32];
    int code = libssh2_channel_close(job->channel);
    if (code == LIBSSH2_ERROR_EAGAIN || is_lost(code))
        return code;
    int status = exit_status(job);
    (void)libssh2_channel_free(job->channel);
    job->channel = NULL;
    if (job->exec.state == PROGRESS_PENDING && job->stopping)
        exec_fail(&job->exec, ERROR_TRANSIENT, "%s: it had not ended after %s and was stopped",
                  job->connection->host, duration_words(job->timeout_ms, words));
    else if (job->exec.state == PROGRESS_PENDING)
        exec_finish(&job->exec, status);
    leave(job);
    return LIBSSH2_ERROR_EAGAIN;
}

// One step of one job. 0: there is more to do at once. The job may be gone afterwards when it is
// not 0.
static int step_job(struct ssh_job *job)
{
    switch (job->phase) {
    case WAITING:
    case OPENING:
        return step_open(job);
    case STARTING:
        return step_start(job);
    case RUNNING:
        return step_run(job);
    case CLOSING:
        return step_close(job);
    case OVER:
        break;
    }
    return LIBSSH2_ERROR_EAGAIN;
}

bool ssh_jobs_step(struct ssh_connection *c, struct error *err)
{
    int64_t now_ms = loop_now_ms();
    for (struct ssh_job *job = c->jobs, *next; job; job = next) {
        next = job->next;
        if (now_ms >= job->deadline_ms) {
            time_is_up(job);
            c->progressed = true;
            return true; // the list may have changed: begun again at once
        }
        if (job->quit && !job->stopping && job->phase == RUNNING && job->pid > 0) {
            stop_remotely(job);
            return true;
        }
        int code = c->state == SSH_READY ? 0 : LIBSSH2_ERROR_EAGAIN;
        while (!code)
            code = step_job(job);
        if (code != LIBSSH2_ERROR_EAGAIN) {
            ssh_error(c, "the connection was lost", err);
            return false;
        }
    }
    return true;
}

void ssh_jobs_want(const struct ssh_connection *c, struct loop_wants *wants)
{
    for (const struct ssh_job *job = c->jobs; job; job = job->next)
        loop_want_at(wants, job->deadline_ms);
}

// A connection that was kept may have been closed by the server in the meantime. What was not sent
// over it goes to a new one.
static bool move(struct ssh_job *job, struct ssh_connection *c)
{
    struct exec_login login = {c->host,        c->user,        c->port,
                               c->known_hosts, c->fingerprint, c->key_file};
    struct ssh_connection *other;
    struct error err;
    if (job->moves >= MOVES || job->sent || job->quit || !c->heard_ms ||
        c->error.kind != ERROR_TRANSIENT ||
        !ssh_connection_for(job->exec.world, &login, &other, &err))
        return false;
    job->moves++;
    job->phase = WAITING;
    job->channel = NULL;
    add_to(other, job);
    return true;
}

void ssh_jobs_broken(struct ssh_connection *c)
{
    bool was_ready = c->idle_from_ms != 0;
    while (c->jobs) {
        struct ssh_job *job = c->jobs;
        c->jobs = job->next;
        c->opening = NULL;
        if (was_ready && move(job, c))
            continue;
        job->connection = NULL;
        job->phase = OVER;
        if (job->exec.state == PROGRESS_PENDING && job->sent)
            exec_fail(&job->exec, ERROR_TRANSIENT,
                      "%s, after the command had been sent: the outcome is unknown",
                      c->error.message);
        else if (job->exec.state == PROGRESS_PENDING)
            exec_fail(&job->exec, c->error.kind, "%s", c->error.message);
        if (job->dropped)
            release(job);
    }
}

// ---- starting ---------------------------------------------------------------------------------

static bool build_command(struct ssh_job *job, const struct exec_request *request,
                          struct error *err)
{
    for (const struct exec_variable *v = request->variables; v && v->name; v++) {
        struct template_value value[] = {{"v", v->value}, {0}};
        text_addf(&job->command, "%s=", v->name);
        if (!template_expand(STR("${v}"), value, TEMPLATE_SHELL, &job->command, err))
            break;
        text_addc(&job->command, ' ');
    }
    struct template_value script[] = {{"script", str_of(request->script)}, {0}};
    text_adds(&job->command, WRAPPER);
    if (!text_full(&job->command))
        (void)template_expand(STR("${script}"), script, TEMPLATE_SHELL, &job->command, err);
    if (text_full(&job->command))
        return error_set(err, ERROR_LIMIT,
                         "the script and its variables are more than %d bytes: too long for one "
                         "command over SSH",
                         COMMAND_MOST);
    return true;
}

bool ssh_start(struct world *world, const struct exec_request *request, struct exec_job **ret,
               struct error *err)
{
    struct ssh_connection *c;
    struct ssh_job *job = make(world, request->timeout_ms, drop);
    bool ok = build_command(job, request, err);
    if (ok && request->input_path) {
        job->input_fd = open(request->input_path, O_RDONLY | O_CLOEXEC);
        ok = job->input_fd >= 0 || error_errno(err, "reading", request->input_path);
        job->chunk = memory_alloc(CHUNK);
    }
    if (!ok || !ssh_connection_for(world, &request->login, &c, err)) {
        release(job);
        return false;
    }
    add_to(c, job);
    *ret = &job->exec;
    return true;
}
