/*
 * Sockets for libgit2, and the dialling that they share with the ssh wrapper.
 *
 * libgit2 1.5 resolves names with getaddrinfo, which in a static glibc binary loads the machine's
 * name service modules (another glibc's code) and so may crash; and it waits for a connection, and
 * then for every byte, without limit. The streams registered here resolve with c-ares and wait no
 * longer than they are told. Registering replaces the plain socket only. libgit2 builds its own TLS
 * stream, with its own certificate check, on top of that socket; its ssh transport takes the
 * descriptor out of it, after which libssh2 waits by itself and only the kernel's timers hold.
 *
 * Invariants: every wait made here has a limit; streams_interrupt ends every wait, libssh2's too.
 * Ownership: a stream belongs to libgit2; a descriptor from stream_dial belongs to the caller.
 *
 *     ares_library_init(ARES_LIB_INIT_ALL);
 *     git_libgit2_init();
 *     if (streams_register(&(struct stream_limits){10000, 10000, 30000}) < 0) ...
 */
#ifndef DEPLOY_WORLD_GIT_STREAM_H
#define DEPLOY_WORLD_GIT_STREAM_H

#include <stddef.h>

struct stream_limits {
    int resolve_timeout_ms; /* for the whole of a name's resolution */
    int connect_timeout_ms; /* for all addresses of a host together */
    int idle_timeout_ms;    /* for the peer to send, take or acknowledge anything */
};

/*
 * Makes libgit2 use these streams for every connection that it opens from now on, and takes back an
 * earlier streams_interrupt. Call once git_libgit2_init and ares_library_init have succeeded and
 * before other threads use libgit2. Returns 0, or libgit2's negative code with libgit2's error set.
 */
int streams_register(const struct stream_limits *limits);

/*
 * Shuts every open stream of libgit2's down and refuses new ones until streams_register is called
 * again, so that a worker thread that libgit2 holds returns with an error. What stream_dial made is
 * left alone. May be called from any thread, not from a signal handler.
 */
void streams_interrupt(void);

/*
 * Connects to host (a name, or an IP address with or without brackets) and port (a decimal number;
 * service names are refused) within limits. Sets *ret_fd to a non-blocking, close-on-exec
 * descriptor and returns 0; or returns -1 with a sentence in why (size_bytes long, always
 * terminated) and leaves *ret_fd as it was. Addresses are tried in the order of RFC 6724, each for
 * an equal part of the time. Needs ares_library_init; may be called from any thread.
 */
int stream_dial(const char *host, const char *port, const struct stream_limits *limits, int *ret_fd,
                char *why, size_t size_bytes);

#endif
