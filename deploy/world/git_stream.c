#include "deploy/world/git_stream.h"

#include <ares.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <git2.h>
#include <git2/sys/stream.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    OPEN_MAX_STREAMS = 64,
    WHY_BYTES = 256,
    HOST_BYTES = 256,
    INTERRUPT_CHECK_MS = 100, /* how often a resolution looks whether it was interrupted */
    /* c-ares' macros shift the bit of a sixteenth socket into the sign. */
    RESOLVER_SOCKETS = ARES_GETSOCK_MAXNUM - 1,
};

/*
 * libgit2's ssh transport casts whatever stream was registered to its private `git_socket_stream`
 * and reads the descriptor from it (src/libgit2/streams/socket.h and transports/ssh.c of 1.5). The
 * first four members therefore stand as they do there.
 */
struct stream {
    git_stream parent;
    char *host;
    char *port;
    int fd;
};

// struct stream must begin with the members of libgit2's own git_socket_stream, which were looked
// at in 1.5, the version of the static binary. With another one libgit2 keeps its own sockets,
// which is right where the C library may resolve names.
#define KNOWN_LAYOUT (LIBGIT2_VER_MAJOR == 1 && LIBGIT2_VER_MINOR == 5)

/* What a resolution ends with; filled by c-ares' callback. */
struct answer {
    bool done;
    int status;
    struct ares_addrinfo *list;
};

static struct {
    pthread_mutex_t lock;
    struct stream_limits limits;
    int fds[OPEN_MAX_STREAMS]; /* the open streams' descriptors, the first open_count of them */
    int open_count;
    atomic_bool interrupted;
} streams = {.lock = PTHREAD_MUTEX_INITIALIZER};

static long long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int left_ms(long long deadline_ms)
{
    long long left = deadline_ms - now_ms();
    return left > 0 ? (int)left : 0;
}

__attribute__((format(printf, 3, 4))) static int refuse(char *why, size_t size_bytes,
                                                        const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(why, size_bytes, format, list);
    va_end(list);
    return -1;
}

/* poll for one descriptor, begun again after a signal. Returns 1, 0 when the time is up, or -1. */
static int wait_for(int fd, short events, int timeout_ms)
{
    struct pollfd wanted = {.fd = fd, .events = events};
    long long deadline_ms = now_ms() + timeout_ms;
    int n;
    do
        n = poll(&wanted, 1, left_ms(deadline_ms));
    while (n < 0 && errno == EINTR);
    return n;
}

/* Names. */

static void resolved(void *data, int status, int timeouts, struct ares_addrinfo *list)
{
    struct answer *answer = data;
    (void)timeouts;
    answer->done = true;
    answer->status = status;
    answer->list = list;
}

/* One round of c-ares' sockets: waits at most timeout_ms, then lets it read, write and give up. */
static void resolve_round(ares_channel channel, int timeout_ms)
{
    ares_socket_t sockets[RESOLVER_SOCKETS];
    struct pollfd polled[RESOLVER_SOCKETS];
    struct timeval most = {timeout_ms / 1000, timeout_ms % 1000 * 1000L}, until;
    int bits = ares_getsock(channel, sockets, RESOLVER_SOCKETS);
    nfds_t n = 0;
    for (int i = 0; i < RESOLVER_SOCKETS; i++) {
        short events = (short)((ARES_GETSOCK_READABLE(bits, i) ? POLLIN : 0) |
                               (ARES_GETSOCK_WRITABLE(bits, i) ? POLLOUT : 0));
        if (events)
            polled[n++] = (struct pollfd){.fd = sockets[i], .events = events};
    }
    struct timeval *wait = ares_timeout(channel, &most, &until);
    int ready = poll(polled, n, (int)(wait->tv_sec * 1000 + wait->tv_usec / 1000 + 1));
    if (ready <= 0)
        ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    for (nfds_t i = 0; ready > 0 && i < n; i++) {
        bool in = polled[i].revents & (POLLIN | POLLERR | POLLHUP);
        bool out = polled[i].revents & POLLOUT;
        ares_process_fd(channel, in ? polled[i].fd : ARES_SOCKET_BAD,
                        out ? polled[i].fd : ARES_SOCKET_BAD);
    }
}

/* c-ares asks DNS for a numeric address too, unless it is told the family. */
static int family_of(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, host, address) == 1)
        return AF_INET;
    return inet_pton(AF_INET6, host, address) == 1 ? AF_INET6 : AF_UNSPEC;
}

/* Sets *ret to a list for ares_freeaddrinfo, never an empty one. */
static int resolve(const char *host, const char *port, int timeout_ms, const atomic_bool *stop,
                   struct ares_addrinfo **ret, char *why, size_t size_bytes)
{
    /* The port is a number: a service name would be looked up through glibc's NSS. */
    struct ares_addrinfo_hints hints = {
        .ai_flags = ARES_AI_NUMERICSERV, .ai_family = family_of(host), .ai_socktype = SOCK_STREAM};
    struct answer answer = {0};
    long long deadline_ms = now_ms() + timeout_ms;
    ares_channel channel;
    int code = ares_init(&channel);
    if (code != ARES_SUCCESS)
        return refuse(why, size_bytes, "cannot resolve %s: %s", host, ares_strerror(code));
    ares_getaddrinfo(channel, host, port, &hints, resolved, &answer);
    while (!answer.done && left_ms(deadline_ms) > 0 && !atomic_load(stop)) {
        int left = left_ms(deadline_ms);
        resolve_round(channel, left < INTERRUPT_CHECK_MS ? left : INTERRUPT_CHECK_MS);
    }
    bool in_time = answer.done;
    /* Ends a query that is pending: its callback runs now, with the addresses of one family if the
     * answer for the other is what was missing. */
    ares_destroy(channel);
    if (answer.list && answer.list->nodes) {
        *ret = answer.list;
        return 0;
    }
    ares_freeaddrinfo(answer.list);
    return refuse(why, size_bytes, "cannot resolve %s: %s", host,
                  in_time ? ares_strerror(answer.status) : "no answer in time");
}

/* Connections. */

/*
 * Small packets leave at once, and a peer that has gone is noticed: libssh2 waits on the descriptor
 * itself and without limit, so there the kernel's timers are the only ones.
 */
static void set_options(int fd, int idle_timeout_ms)
{
    int on = 1, idle_s = idle_timeout_ms / 1000 > 3 ? idle_timeout_ms / 1000 / 3 : 1, probes = 2;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &idle_timeout_ms, sizeof idle_timeout_ms);
}

/* Returns a connected descriptor, or -1 with errno set. */
static int connect_to(const struct ares_addrinfo_node *node, int timeout_ms)
{
    int code = 0;
    socklen_t size_bytes = sizeof code;
    int fd = socket(node->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    if (fd < 0)
        return -1;
    if (connect(fd, node->ai_addr, node->ai_addrlen) < 0)
        code = errno;
    if (code == EINPROGRESS && wait_for(fd, POLLOUT, timeout_ms) != 1)
        code = ETIMEDOUT;
    else if (code == EINPROGRESS && getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size_bytes) < 0)
        code = errno;
    if (!code)
        return fd;
    close(fd);
    errno = code;
    return -1;
}

static bool is_port(const char *port)
{
    size_t digits = strspn(port, "0123456789");
    long number = digits <= 5 && !port[digits] ? strtol(port, NULL, 10) : 0;
    return number >= 1 && number <= 65535;
}

static int dial(const char *host, const char *port, const struct stream_limits *limits,
                const atomic_bool *stop, int *ret_fd, char *why, size_t size_bytes)
{
    char name[HOST_BYTES];
    size_t length = strlen(host), bracket = host[0] == '[' && host[length - 1] == ']';
    struct ares_addrinfo *list = NULL;
    int fd = -1, left = 0;
    if (!is_port(port))
        return refuse(why, size_bytes, "\"%s\" is not a port number", port);
    if (length >= sizeof name)
        return refuse(why, size_bytes, "the host name is longer than %d bytes", HOST_BYTES - 1);
    snprintf(name, sizeof name, "%.*s", (int)(length - 2 * bracket), host + bracket);
    if (resolve(name, port, limits->resolve_timeout_ms, stop, &list, why, size_bytes) < 0 || !list)
        return -1;
    for (struct ares_addrinfo_node *node = list->nodes; node; node = node->ai_next)
        left++;
    long long deadline_ms = now_ms() + limits->connect_timeout_ms;
    errno = ECONNABORTED;
    for (struct ares_addrinfo_node *node = list->nodes; node && fd < 0; node = node->ai_next)
        if (!atomic_load(stop))
            fd = connect_to(node, left_ms(deadline_ms) / left--);
    int code = errno;
    ares_freeaddrinfo(list);
    if (fd < 0)
        return refuse(why, size_bytes, "cannot connect to %s port %s: %s", name, port,
                      strerror(code));
    set_options(fd, limits->idle_timeout_ms);
    *ret_fd = fd;
    return 0;
}

int stream_dial(const char *host, const char *port, const struct stream_limits *limits, int *ret_fd,
                char *why, size_t size_bytes)
{
    static const atomic_bool never = false;
    return dial(host, port, limits, &never, ret_fd, why, size_bytes);
}

/* The open streams, so that streams_interrupt finds them. */

static bool remember(int fd)
{
    pthread_mutex_lock(&streams.lock);
    bool fits = streams.open_count < OPEN_MAX_STREAMS && !atomic_load(&streams.interrupted);
    if (fits)
        streams.fds[streams.open_count++] = fd;
    pthread_mutex_unlock(&streams.lock);
    return fits;
}

/* Closes under the lock: the number must not be shut down after another file was given it. */
static void forget_and_close(int fd)
{
    pthread_mutex_lock(&streams.lock);
    for (int i = 0; i < streams.open_count; i++)
        if (streams.fds[i] == fd)
            streams.fds[i] = streams.fds[--streams.open_count];
    close(fd);
    pthread_mutex_unlock(&streams.lock);
}

void streams_interrupt(void)
{
    pthread_mutex_lock(&streams.lock);
    atomic_store(&streams.interrupted, true);
    for (int i = 0; i < streams.open_count; i++)
        shutdown(streams.fds[i], SHUT_RDWR);
    pthread_mutex_unlock(&streams.lock);
}

/* What libgit2 calls. */

static int on_connect(git_stream *parent)
{
    struct stream *stream = (struct stream *)parent;
    char why[WHY_BYTES];
    int fd = -1;
    if (dial(stream->host, stream->port, &streams.limits, &streams.interrupted, &fd, why,
             sizeof why) < 0) {
        git_error_set_str(GIT_ERROR_NET, why);
        return -1;
    }
    if (!remember(fd)) {
        close(fd);
        git_error_set_str(GIT_ERROR_NET, "interrupted, or too many connections are open");
        return -1;
    }
    stream->fd = fd;
    return 0;
}

static ssize_t fail_with(const char *doing, int code)
{
    char why[WHY_BYTES];
    snprintf(why, sizeof why, "%s: %s", doing, strerror(code));
    git_error_set_str(GIT_ERROR_NET, why);
    return -1;
}

static ssize_t on_read(git_stream *parent, void *data, size_t size_bytes)
{
    struct stream *stream = (struct stream *)parent;
    for (;;) {
        ssize_t n = recv(stream->fd, data, size_bytes, 0);
        if (n >= 0)
            return n;
        if (errno != EAGAIN && errno != EINTR)
            return fail_with("cannot receive", errno);
        if (wait_for(stream->fd, POLLIN, streams.limits.idle_timeout_ms) == 0)
            return fail_with("cannot receive", ETIMEDOUT);
    }
}

static ssize_t on_write(git_stream *parent, const char *data, size_t size_bytes, int flags)
{
    struct stream *stream = (struct stream *)parent;
    for (;;) {
        ssize_t n = send(stream->fd, data, size_bytes, flags | MSG_NOSIGNAL);
        if (n >= 0)
            return n;
        if (errno != EAGAIN && errno != EINTR)
            return fail_with("cannot send", errno);
        if (wait_for(stream->fd, POLLOUT, streams.limits.idle_timeout_ms) == 0)
            return fail_with("cannot send", ETIMEDOUT);
    }
}

static int on_close(git_stream *parent)
{
    struct stream *stream = (struct stream *)parent;
    if (stream->fd >= 0)
        forget_and_close(stream->fd);
    stream->fd = -1;
    return 0;
}

static void on_free(git_stream *parent)
{
    struct stream *stream = (struct stream *)parent;
    on_close(parent);
    free(stream->host);
    free(stream->port);
    free(stream);
}

static int on_new(git_stream **ret, const char *host, const char *port)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream) {
        stream->host = strdup(host);
        stream->port = strdup(port);
        stream->fd = -1;
    }
    if (!stream || !stream->host || !stream->port) {
        if (stream)
            on_free(&stream->parent);
        git_error_set_oom();
        return -1;
    }
    stream->parent = (git_stream){.version = GIT_STREAM_VERSION,
                                  .connect = on_connect,
                                  .read = on_read,
                                  .write = on_write,
                                  .close = on_close,
                                  .free = on_free};
    *ret = &stream->parent;
    return 0;
}

int streams_register(const struct stream_limits *limits)
{
    git_stream_registration registration = {.version = GIT_STREAM_VERSION, .init = on_new};
    streams.limits = *limits;
    atomic_store(&streams.interrupted, false);
    return KNOWN_LAYOUT ? git_stream_register(GIT_STREAM_STANDARD, &registration) : 0;
}
