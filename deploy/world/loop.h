// Inside deploy/world: the one loop, and what takes part in it. A part says what it waits for and
// is stepped when that came; HTTP exchanges are not parts, they wait inside curl. Nothing outside
// this folder includes this header.
//
//     part->want = ...; part->step = ...;
//     loop_add(world, part);          // from now on stepped by world_wait
//     loop_moved(world);              // in a step: a job ended, world_wait returns
//     loop_remove(world, part);       // also from inside its own step
#ifndef DEPLOY_WORLD_LOOP_H
#define DEPLOY_WORLD_LOOP_H

#include "deploy/world/world.h"

#include <curl/curl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>

#define LOOP_NEVER INT64_MAX

struct loop_wants { // of one part, in one round
    struct pollfd *fds;
    size_t count, room;
    int64_t wake_ms; // stepped at this moment at the latest (monotonic clock)
};

struct loop_part {
    struct loop_part *previous, *next;
    void (*want)(struct loop_part *part, struct loop_wants *wants);
    void (*step)(struct loop_part *part);    // may remove and release its own part
    void (*abandon)(struct loop_part *part); // the world closes: end at once, remove, release
    size_t first_fd, fd_count;               // where its descriptors stand in this round
    int64_t wake_ms;
};

struct world {
    CURLM *multi;
    struct loop_part *parts;
    struct loop_part *step_next; // the part after the one being stepped: removing it moves this on
    struct loop_wants wants;
    struct curl_waitfd *waited;
    size_t waited_room;
    bool moved;
    atomic_bool work_moved;
    int signal_fd; // -1 when signals are not watched
    int signal;
    int64_t signal_at_ms;
    sigset_t old_mask;
    struct sigaction old_pipe;
    char *ca_file, *user_agent;
    struct ssh_connection *connections;
};

int64_t loop_now_ms(void); // monotonic
void loop_add(struct world *world, struct loop_part *part);
void loop_remove(struct world *world, struct loop_part *part);
void loop_moved(struct world *world);
void loop_want_fd(struct loop_wants *wants, int fd, short events);
void loop_want_at(struct loop_wants *wants, int64_t at_ms);

// http.c
void http_pump(struct world *world); // lets curl read and write; ends exchanges
char *http_find_ca(const char *wished);

// exec_ssh.c
void ssh_close_all(struct world *world); // before the parts are abandoned

#endif
