// Reaching a host by name and port without ever waiting: names are resolved by c-ares (getaddrinfo
// would load another machine's name service code into a static binary), then every address is tried
// in the order of RFC 6724, each for an equal part of the time that is left.
//
//     struct dial *dial = dial_open("app1.example", 22, loop_now_ms() + 10000);
//     while ((p = dial_step(dial, &fd, err)) == PROGRESS_PENDING) wait for what dial_want asks;
//     dial_close(dial);
#ifndef DEPLOY_WORLD_DIAL_H
#define DEPLOY_WORLD_DIAL_H

#include "deploy/world/loop.h"

struct dial;

// host: a name or an address, with or without brackets; copied.
struct dial *dial_open(const char *host, uint16_t port, int64_t deadline_ms);
void dial_want(const struct dial *dial, struct loop_wants *wants);
// DONE: *ret_fd is connected, non-blocking, close-on-exec, and the caller's. FAILED: ERROR_REMOTE
// when there is no such name, else ERROR_TRANSIENT.
enum progress dial_step(struct dial *dial, int *ret_fd, struct error *err);
void dial_close(struct dial *dial);

#endif
