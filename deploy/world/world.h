// The real world: the ports of gate/base/ports.h made of libcurl, libssh2, child processes and one
// loop. All waiting of the program happens in world_wait, which is one curl_multi_poll over every
// socket, pipe, process and worker thread.
//
//     struct world *world;
//     world_open(&(struct world_options){.user_agent = "sluice/0.1"}, &world, err);
//     struct http_port http = world_http(world);
//     while (!finished()) world_wait(world, wake_at_ms);
//     world_close(world);
#ifndef DEPLOY_WORLD_WORLD_H
#define DEPLOY_WORLD_WORLD_H

#include "gate/base/ports.h"

struct world;

struct world_options {
    const char *user_agent;
    const char *ca_file; // null: SSL_CERT_FILE, then the usual places of distributions
    bool watch_signals;  // turn SIGINT and SIGTERM into world_signal() instead of dying
};

bool world_open(const struct world_options *options, struct world **ret, struct error *err);
void world_close(struct world *world);

struct clock_port world_clock(struct world *world);
struct entropy_port world_entropy(struct world *world);
struct exec_port world_exec(struct world *world);
struct http_port world_http(struct world *world);

// Sleeps until something that was started moved, a signal came, or `until_ms` (wall clock) is
// reached. Never longer than a second, so that clock jumps are noticed.
void world_wait(struct world *world, int64_t until_ms);

int world_signal(const struct world *world); // the newest SIGINT or SIGTERM; 0 = none yet
int64_t world_signal_at_ms(const struct world *world);

// ---- work that can only block (git remotes): done in a thread of its own ------------------------
struct work;
// `run` must touch nothing but *context. The world must outlive the work.
bool world_work(struct world *world, void (*run)(void *context), void *context, struct work **ret,
                struct error *err);
bool work_done(const struct work *work); // once true, the thread has ended and *context is ours
void work_close(struct work *work);      // waits for the thread

// The CA bundle in use, for other libraries that do TLS; null when none was found.
const char *world_ca_file(const struct world *world);

#endif
