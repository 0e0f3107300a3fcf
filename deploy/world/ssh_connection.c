#include "deploy/world/dial.h"
#include "deploy/world/ssh.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    DIAL_MS = 10000,    // name and connection
    READY_MS = 25000,   // those, the handshake and the login
    IDLE_MS = 60000,    // a connection without work is kept so long
    KEEPALIVE_S = 15,   //
    SILENCE_MS = 60000, // four keepalives without an answer
    ROUNDS = 32,        // of stepping jobs before other connections have their turn
};

// ---- what libssh2 sends and receives ----------------------------------------------------------

static bool flush(struct ssh_connection *c)
{
    while (c->out_len) {
        ssize_t n = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        memmove(c->out, c->out + n, c->out_len - (size_t)n);
        c->out_len -= (size_t)n;
    }
    return true;
}

static ssize_t on_send(libssh2_socket_t fd, const void *bytes, size_t size, int flags,
                       void **abstract)
{
    struct ssh_connection *c = *abstract;
    if (fd != c->fd) { // the agent's socket, which libssh2 reads and writes through us as well
        ssize_t n = send(fd, bytes, size, flags | MSG_NOSIGNAL);
        return n < 0 ? -errno : n;
    }
    if (c->state == SSH_BROKEN || !flush(c))
        return -ECONNRESET;
    ssize_t n = c->out_len ? 0 : send(fd, bytes, size, flags | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return -errno;
    size_t sent = n > 0 ? (size_t)n : 0, rest = size - sent;
    if (c->out_len + rest > c->out_room) {
        c->out_room = 2 * (c->out_len + rest);
        c->out = memory_grow(c->out, c->out_room);
    }
    if (rest)
        memcpy(c->out + c->out_len, (const char *)bytes + sent, rest);
    c->out_len += rest;
    return (ssize_t)size;
}

static ssize_t on_receive(libssh2_socket_t fd, void *bytes, size_t size, int flags, void **abstract)
{
    struct ssh_connection *c = *abstract;
    if (fd == c->fd && c->state == SSH_BROKEN)
        return 0;
    ssize_t n = recv(fd, bytes, size, flags);
    if (n > 0 && fd == c->fd) {
        c->heard_bytes += (uint64_t)n;
        c->heard_ms = loop_now_ms();
    }
    return n < 0 ? -errno : n;
}

void ssh_error(struct ssh_connection *c, const char *doing, struct error *err)
{
    char *words = NULL;
    int code = libssh2_session_last_error(c->session, &words, NULL, 0);
    (void)error_set(err, ERROR_TRANSIENT, "%s: %s: %s (%d)", c->host, doing,
                    words && *words ? words : "the connection was lost", code);
}

// ---- opening ----------------------------------------------------------------------------------

static bool open_session(struct ssh_connection *c, struct error *err)
{
    ssize_t (*sender)(libssh2_socket_t, const void *, size_t, int, void **) = on_send;
    ssize_t (*receiver)(libssh2_socket_t, void *, size_t, int, void **) = on_receive;
    void *as_object; // the API takes functions as void pointers, which C has no conversion for
    c->session = libssh2_session_init_ex(NULL, NULL, NULL, c);
    if (!c->session)
        return error_set(err, ERROR_SYSTEM, "no memory for another connection");
    memcpy(&as_object, &sender, sizeof as_object);
    (void)libssh2_session_callback_set(c->session, LIBSSH2_CALLBACK_SEND, as_object);
    memcpy(&as_object, &receiver, sizeof as_object);
    (void)libssh2_session_callback_set(c->session, LIBSSH2_CALLBACK_RECV, as_object);
    libssh2_session_set_blocking(c->session, 0);
    libssh2_keepalive_config(c->session, 1, KEEPALIVE_S);
    return host_key_prepare(&c->rules, &c->arena, c->session, err);
}

static enum progress shake(struct ssh_connection *c, struct error *err)
{
    int code = libssh2_session_handshake(c->session, c->fd);
    if (code == LIBSSH2_ERROR_EAGAIN)
        return PROGRESS_PENDING;
    if (code == LIBSSH2_ERROR_KEX_FAILURE) {
        ssh_error(c, "handshake (the host must offer an ed25519 or ECDSA host key)", err);
        err->kind = ERROR_REMOTE;
        return PROGRESS_FAILED;
    }
    if (code) {
        ssh_error(c, "handshake", err);
        return PROGRESS_FAILED;
    }
    return host_key_accept(&c->rules, c->session, err) ? PROGRESS_DONE : PROGRESS_FAILED;
}

static enum progress step_dial(struct ssh_connection *c, struct error *err)
{
    enum progress progress = dial_step(c->dial, &c->fd, err);
    if (progress == PROGRESS_FAILED && err->kind == ERROR_REMOTE)
        return error_wrap(err, "aliases of ~/.ssh/config are not read, give a name or an address"),
               progress;
    if (progress != PROGRESS_DONE)
        return progress;
    dial_close(c->dial);
    c->dial = NULL;
    return open_session(c, err) ? PROGRESS_DONE : PROGRESS_FAILED;
}

// One stage after another, as far as it goes without waiting.
static bool step_opening(struct ssh_connection *c, struct error *err)
{
    enum progress progress = PROGRESS_DONE;
    while (progress == PROGRESS_DONE && c->state < SSH_READY) {
        if (c->state == SSH_DIALLING)
            progress = step_dial(c, err);
        else if (c->state == SSH_SHAKING)
            progress = shake(c, err);
        else
            progress = ssh_login_step(c->login, err);
        if (progress == PROGRESS_DONE) {
            c->state++;
            if (c->state == SSH_LOGIN)
                c->login = ssh_login_open(c);
        }
    }
    if (c->state == SSH_READY) {
        ssh_login_close(c->login);
        c->login = NULL;
        c->heard_ms = c->idle_from_ms = loop_now_ms();
        c->keepalive_ms = c->heard_ms + KEEPALIVE_S * INT64_C(1000);
    }
    if (progress == PROGRESS_PENDING && loop_now_ms() >= c->ready_by_ms) {
        (void)error_set(err, ERROR_TRANSIENT, "%s: no login within %d s", c->host, READY_MS / 1000);
        return false;
    }
    return progress != PROGRESS_FAILED;
}

// ---- while it is open -------------------------------------------------------------------------

static bool step_ready(struct ssh_connection *c, struct error *err)
{
    int64_t now_ms = loop_now_ms();
    if (!flush(c))
        return error_set(err, ERROR_TRANSIENT, "%s: the connection was lost: %s", c->host,
                         strerror(errno));
    // A step of one job may take bytes off the socket that are another's, and no readiness follows
    // for those: so all are stepped again until none came.
    uint64_t heard;
    int round = 0;
    do {
        heard = c->heard_bytes;
        c->progressed = false;
        if (!ssh_jobs_step(c, err))
            return false;
    } while ((c->progressed || heard != c->heard_bytes) && ++round < ROUNDS);
    c->progressed = round == ROUNDS;
    if (now_ms - c->heard_ms > SILENCE_MS)
        return error_set(err, ERROR_TRANSIENT, "%s has not said anything for %d s", c->host,
                         SILENCE_MS / 1000);
    if (now_ms >= c->keepalive_ms) {
        int wait_s = KEEPALIVE_S;
        (void)libssh2_keepalive_send(c->session, &wait_s);
        c->keepalive_ms = now_ms + (wait_s > 0 ? wait_s : 1) * INT64_C(1000);
    }
    if (c->jobs)
        c->idle_from_ms = now_ms;
    else if (!c->jobs && (c->tainted || now_ms - c->idle_from_ms >= IDLE_MS))
        return error_set(err, ERROR_TRANSIENT, "%s: closed, it was not used", c->host);
    return true;
}

static struct ssh_connection *of_part(struct loop_part *part)
{
    return (struct ssh_connection *)((char *)part - offsetof(struct ssh_connection, part));
}

static void want(struct loop_part *part, struct loop_wants *wants)
{
    const struct ssh_connection *c = of_part(part);
    if (c->state == SSH_DIALLING)
        dial_want(c->dial, wants);
    else
        loop_want_fd(wants, c->fd, (short)(POLLIN | (c->out_len ? POLLOUT : 0)));
    if (c->state < SSH_READY) {
        loop_want_at(wants, c->ready_by_ms);
    } else {
        loop_want_at(wants, c->keepalive_ms);
        if (!c->jobs)
            loop_want_at(wants, c->tainted ? 0 : c->idle_from_ms + IDLE_MS);
        if (c->progressed)
            loop_want_at(wants, 0);
    }
    ssh_jobs_want(c, wants);
}

static void release(struct ssh_connection *c)
{
    struct ssh_connection **link = &c->world->connections;
    while (*link != c)
        link = &(*link)->next;
    *link = c->next;
    loop_remove(c->world, &c->part);
    dial_close(c->dial);
    ssh_login_close(c->login);
    host_key_done(&c->rules);
    // The state is SSH_BROKEN: nothing is sent or awaited any more, so freeing cannot block.
    for (int i = 0; c->session && i < 100; i++)
        if (libssh2_session_free(c->session) != LIBSSH2_ERROR_EAGAIN)
            c->session = NULL;
    if (c->fd >= 0)
        close(c->fd);
    free(c->out);
    arena_done(&c->arena);
    free(c);
}

void ssh_break(struct ssh_connection *c, const struct error *why)
{
    if (c->state == SSH_READY && !c->jobs && c->out_len == 0)
        (void)libssh2_session_disconnect(c->session, "done");
    c->error = *why;
    c->state = SSH_BROKEN;
    ssh_jobs_broken(c);
    release(c);
}

static void step(struct loop_part *part)
{
    struct ssh_connection *c = of_part(part);
    struct error err;
    if (c->state < SSH_READY && !step_opening(c, &err)) {
        ssh_break(c, &err);
        return;
    }
    if (c->state < SSH_READY) {
        (void)ssh_jobs_step(c, &err); // only their time limits
        if (!c->jobs) {
            (void)error_set(&err, ERROR_TRANSIENT, "%s: nobody waits for it any more", c->host);
            ssh_break(c, &err);
        }
        return;
    }
    if (!step_ready(c, &err))
        ssh_break(c, &err);
}

static void abandon(struct loop_part *part)
{
    struct error why;
    (void)error_set(&why, ERROR_TRANSIENT, "the program ends");
    ssh_break(of_part(part), &why);
}

void ssh_close_all(struct world *world)
{
    for (struct ssh_connection *c = world->connections, *next; c; c = next) {
        next = c->next;
        abandon(&c->part);
    }
}

// ---- finding one ------------------------------------------------------------------------------

// getpwuid would load name services into a static binary; the file itself is enough for a name.
static bool own_name(struct arena *arena, const char **ret)
{
    const char *name = getenv("LOGNAME");
    if (!name || !*name)
        name = getenv("USER");
    FILE *file = name && *name ? NULL : fopen("/etc/passwd", "re");
    if (name && *name)
        *ret = arena_copy(arena, str_of(name));
    for (struct passwd *entry; file && (entry = fgetpwent(file));)
        if (entry->pw_uid == geteuid()) {
            name = *ret = arena_copy(arena, str_of(entry->pw_name));
            break;
        }
    if (file)
        fclose(file);
    return name && *name;
}

static bool fill_login(struct ssh_connection *c, const struct exec_login *login, struct error *err)
{
    const char *home = getenv("HOME");
    str host = str_of(login->host);
    if (str_starts(host, STR("[")) && str_ends(host, STR("]")))
        host = str_make(host.data + 1, host.len - 2);
    c->host = arena_copy(&c->arena, host);
    c->port = login->port ? login->port : 22;
    c->key_file = login->key_file ? arena_copy(&c->arena, str_of(login->key_file)) : NULL;
    c->fingerprint = login->fingerprint ? arena_copy(&c->arena, str_of(login->fingerprint)) : NULL;
    if (login->user)
        c->user = arena_copy(&c->arena, str_of(login->user));
    else if (!own_name(&c->arena, &c->user))
        return error_set(err, ERROR_INPUT, "the login name for %s is not known: give `user`",
                         c->host);
    if (login->known_hosts)
        c->known_hosts = arena_copy(&c->arena, str_of(login->known_hosts));
    else if (home)
        c->known_hosts = arena_format(&c->arena, "%s/.ssh/known_hosts", home).data;
    else
        return error_set(err, ERROR_INPUT, "HOME is not set: give `known_hosts` for %s", c->host);
    return true;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_login(const struct ssh_connection *a, const struct ssh_connection *b)
{
    return a->port == b->port && same(a->host, b->host) && same(a->user, b->user) &&
           same(a->known_hosts, b->known_hosts) && same(a->fingerprint, b->fingerprint) &&
           same(a->key_file, b->key_file);
}

void ssh_limit_jobs(struct ssh_connection *c, size_t most_jobs)
{
    for (struct ssh_connection *o = c->world->connections; o; o = o->next)
        if (same_login(o, c) && most_jobs < o->most_jobs)
            o->most_jobs = most_jobs;
}

bool ssh_connection_for(struct world *world, const struct exec_login *login,
                        struct ssh_connection **ret, struct error *err)
{
    struct ssh_connection *c = memory_alloc(sizeof *c);
    *c = (struct ssh_connection){.world = world, .fd = -1, .most_jobs = SSH_JOBS};
    struct ssh_connection *found = NULL;
    bool ok = fill_login(c, login, err);
    for (struct ssh_connection *o = ok ? world->connections : NULL; o && !found; o = o->next) {
        if (!same_login(o, c))
            continue;
        if (o->most_jobs < c->most_jobs)
            c->most_jobs = o->most_jobs;
        if (o->state != SSH_BROKEN && !o->tainted && ssh_jobs_count(o) < o->most_jobs)
            found = o;
    }
    if (!ok || found) {
        arena_done(&c->arena);
        free(c);
        if (found)
            *ret = found;
        return ok;
    }
    int64_t now_ms = loop_now_ms();
    c->rules = (struct host_key_rules){.host = c->host,
                                       .port = c->port,
                                       .known_hosts = c->known_hosts,
                                       .fingerprint = c->fingerprint};
    c->ready_by_ms = now_ms + READY_MS;
    c->dial = dial_open(c->host, c->port, now_ms + DIAL_MS);
    c->part = (struct loop_part){.want = want, .step = step, .abandon = abandon};
    c->next = world->connections;
    world->connections = c;
    loop_add(world, &c->part);
    *ret = c;
    return true;
}
