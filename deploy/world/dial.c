#include "deploy/world/dial.h"

#include "gate/base/arena.h"

#include <ares.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HOST_BYTES = 256,
    SOCKETS = ARES_GETSOCK_MAXNUM - 1, // with the last one c-ares' macro shifts into the sign
    LOST_AFTER_MS = 45000, // sent data that is not acknowledged by then: the peer is gone
};

struct dial {
    char host[HOST_BYTES];
    uint16_t port;
    int64_t deadline_ms, attempt_ms; // of all, of the address being tried
    ares_channel channel;
    bool has_channel, resolved;
    int status; // of the resolution, then errno of the last address
    struct ares_addrinfo *list;
    const struct ares_addrinfo_node *next;
    int left; // addresses from `next` on
    int fd;
};

static void resolved(void *context, int status, int timeouts, struct ares_addrinfo *list)
{
    struct dial *dial = context;
    (void)timeouts;
    dial->resolved = true;
    dial->status = status;
    dial->list = list;
    dial->next = list ? list->nodes : NULL;
    for (const struct ares_addrinfo_node *n = dial->next; n; n = n->ai_next)
        dial->left++;
}

struct dial *dial_open(const char *host, uint16_t port, int64_t deadline_ms)
{
    struct dial *dial = memory_alloc(sizeof *dial);
    *dial = (struct dial){.port = port, .deadline_ms = deadline_ms, .fd = -1};
    size_t len = strlen(host), bracket = len > 2 && host[0] == '[' && host[len - 1] == ']';
    if (len >= HOST_BYTES) {
        dial->resolved = true;
        dial->status = ARES_EBADNAME;
        return dial;
    }
    (void)snprintf(dial->host, sizeof dial->host, "%.*s", (int)(len - 2 * bracket), host + bracket);
    // The port is a number: a service name would be looked up through glibc's name services.
    struct ares_addrinfo_hints hints = {
        .ai_flags = ARES_AI_NUMERICSERV, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char service[8];
    (void)snprintf(service, sizeof service, "%u", (unsigned)port);
    dial->status = ares_init(&dial->channel);
    dial->has_channel = dial->status == ARES_SUCCESS;
    dial->resolved = !dial->has_channel;
    if (dial->has_channel)
        ares_getaddrinfo(dial->channel, dial->host, service, &hints, resolved, dial);
    return dial;
}

void dial_want(const struct dial *dial, struct loop_wants *wants)
{
    loop_want_at(wants, dial->deadline_ms);
    if (dial->fd >= 0) {
        loop_want_fd(wants, dial->fd, POLLOUT);
        loop_want_at(wants, dial->attempt_ms);
    } else if (dial->resolved) {
        loop_want_at(wants, 0);
    } else {
        ares_socket_t sockets[SOCKETS];
        struct timeval until;
        int bits = ares_getsock(dial->channel, sockets, SOCKETS);
        for (int i = 0; i < SOCKETS; i++) {
            bool in = ARES_GETSOCK_READABLE(bits, i), out = ARES_GETSOCK_WRITABLE(bits, i);
            if (in || out)
                loop_want_fd(wants, sockets[i], (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0)));
        }
        if (ares_timeout(dial->channel, NULL, &until))
            loop_want_at(wants, loop_now_ms() + until.tv_sec * 1000 + until.tv_usec / 1000 + 1);
    }
}

// Small packets leave at once, and a peer that vanished is noticed by the kernel.
static void set_options(int fd)
{
    int on = 1, idle_s = LOST_AFTER_MS / 3000, probes = 2;
    unsigned lost_ms = LOST_AFTER_MS;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &lost_ms, sizeof lost_ms);
}

static void process_names(struct dial *dial)
{
    ares_socket_t sockets[SOCKETS];
    int bits = ares_getsock(dial->channel, sockets, SOCKETS);
    for (int i = 0; i < SOCKETS && !dial->resolved; i++)
        if (ARES_GETSOCK_READABLE(bits, i) || ARES_GETSOCK_WRITABLE(bits, i))
            ares_process_fd(dial->channel,
                            ARES_GETSOCK_READABLE(bits, i) ? sockets[i] : ARES_SOCKET_BAD,
                            ARES_GETSOCK_WRITABLE(bits, i) ? sockets[i] : ARES_SOCKET_BAD);
    if (!dial->resolved)
        ares_process_fd(dial->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); // its time limits
}

// Begins with the next address; leaves dial->fd at -1 and an errno in status when that fails.
static void try_next(struct dial *dial)
{
    const struct ares_addrinfo_node *node = dial->next;
    int64_t now_ms = loop_now_ms();
    dial->attempt_ms = now_ms + (dial->deadline_ms - now_ms) / dial->left--;
    dial->next = node->ai_next;
    int fd = socket(node->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    if (fd < 0 || (connect(fd, node->ai_addr, node->ai_addrlen) < 0 && errno != EINPROGRESS)) {
        dial->status = errno;
        if (fd >= 0)
            close(fd);
        return;
    }
    set_options(fd);
    dial->fd = fd;
}

// True when the address being tried is decided: connected (fd >= 0) or not.
static bool decided(struct dial *dial)
{
    int code = 0;
    socklen_t size = sizeof code;
    struct pollfd fd = {.fd = dial->fd, .events = POLLOUT};
    if (poll(&fd, 1, 0) == 1) {
        if (getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0)
            code = errno;
    } else if (loop_now_ms() >= dial->attempt_ms) {
        code = ETIMEDOUT;
    } else {
        return false;
    }
    if (code) {
        close(dial->fd);
        dial->fd = -1;
        dial->status = code;
    }
    return true;
}

static enum progress resolve(struct dial *dial, struct error *err)
{
    if (!dial->resolved)
        process_names(dial);
    if (!dial->resolved && loop_now_ms() < dial->deadline_ms)
        return PROGRESS_PENDING;
    if (!dial->resolved) {
        (void)error_set(err, ERROR_TRANSIENT, "the name %s was not resolved in time", dial->host);
        return PROGRESS_FAILED;
    }
    if (dial->status == ARES_SUCCESS && dial->next)
        return PROGRESS_DONE;
    bool absent = dial->status == ARES_SUCCESS || dial->status == ARES_ENOTFOUND ||
                  dial->status == ARES_ENODATA || dial->status == ARES_EBADNAME;
    (void)error_set(err, absent ? ERROR_REMOTE : ERROR_TRANSIENT,
                    "the name %.200s cannot be resolved: %s", dial->host,
                    ares_strerror(dial->status ? dial->status : ARES_ENODATA));
    return PROGRESS_FAILED;
}

enum progress dial_step(struct dial *dial, int *ret_fd, struct error *err)
{
    if (!dial->attempt_ms) { // no address was tried yet
        enum progress progress = resolve(dial, err);
        if (progress != PROGRESS_DONE)
            return progress;
    }
    for (;;) {
        if (dial->fd >= 0 && !decided(dial))
            return PROGRESS_PENDING;
        if (dial->fd >= 0) {
            *ret_fd = dial->fd;
            dial->fd = -1;
            return PROGRESS_DONE;
        }
        if (!dial->next || loop_now_ms() >= dial->deadline_ms) {
            (void)error_set(err, ERROR_TRANSIENT, "no connection to %s port %u: %s", dial->host,
                            (unsigned)dial->port,
                            strerror(dial->status ? dial->status : ETIMEDOUT));
            return PROGRESS_FAILED;
        }
        try_next(dial);
    }
}

void dial_close(struct dial *dial)
{
    if (!dial)
        return;
    if (dial->has_channel)
        ares_destroy(dial->channel); // ends a pending query: its callback runs now
    if (dial->list)
        ares_freeaddrinfo(dial->list);
    if (dial->fd >= 0)
        close(dial->fd);
    free(dial);
}
