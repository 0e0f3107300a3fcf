#include "deploy/world/world.h"

#include "deploy/world/loop.h"
#include "gate/base/arena.h"

#include <ares.h>
#include <errno.h>
#include <libssh2.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MAX_MS = 1000 };

static int64_t clock_ms(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t loop_now_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

// ---- parts ------------------------------------------------------------------------------------

void loop_add(struct world *world, struct loop_part *part)
{
    part->previous = NULL;
    part->next = world->parts;
    if (world->parts)
        world->parts->previous = part;
    world->parts = part;
    part->fd_count = 0;
    part->wake_ms = 0;
}

void loop_remove(struct world *world, struct loop_part *part)
{
    if (world->step_next == part)
        world->step_next = part->next;
    if (part->previous)
        part->previous->next = part->next;
    else
        world->parts = part->next;
    if (part->next)
        part->next->previous = part->previous;
    part->previous = part->next = NULL;
}

void loop_moved(struct world *world)
{
    world->moved = true;
}

void loop_want_fd(struct loop_wants *wants, int fd, short events)
{
    if (wants->count == wants->room) {
        wants->room = wants->room ? wants->room * 2 : 32;
        wants->fds = memory_grow(wants->fds, wants->room * sizeof *wants->fds);
    }
    wants->fds[wants->count++] = (struct pollfd){.fd = fd, .events = events};
}

void loop_want_at(struct loop_wants *wants, int64_t at_ms)
{
    if (at_ms < wants->wake_ms)
        wants->wake_ms = at_ms;
}

// Asks every part what it waits for; returns the earliest moment that one of them wants.
static int64_t gather(struct world *world)
{
    int64_t earliest_ms = LOOP_NEVER;
    world->wants.count = 0;
    if (world->signal_fd >= 0)
        loop_want_fd(&world->wants, world->signal_fd, POLLIN);
    for (struct loop_part *part = world->parts; part; part = part->next) {
        world->wants.wake_ms = LOOP_NEVER;
        part->first_fd = world->wants.count;
        part->want(part, &world->wants);
        part->fd_count = world->wants.count - part->first_fd;
        part->wake_ms = world->wants.wake_ms;
        if (part->wake_ms < earliest_ms)
            earliest_ms = part->wake_ms;
    }
    return earliest_ms;
}

// curl_multi_poll does the waiting, because it wakes up for curl's own sockets and for threads. It
// does not report a hang-up, so the descriptors are asked once more, without waiting.
static void wait_for_any(struct world *world, int64_t wait_ms)
{
    size_t count = world->wants.count;
    if (count > world->waited_room) {
        world->waited_room = world->wants.room;
        world->waited = memory_grow(world->waited, world->waited_room * sizeof *world->waited);
    }
    for (size_t i = 0; i < count; i++) {
        const struct pollfd *fd = &world->wants.fds[i];
        int events = (fd->events & POLLIN ? CURL_WAIT_POLLIN : 0) |
                     (fd->events & POLLOUT ? CURL_WAIT_POLLOUT : 0);
        world->waited[i] = (struct curl_waitfd){.fd = fd->fd, .events = (short)events};
    }
    (void)curl_multi_poll(world->multi, world->waited, (unsigned)count, (int)wait_ms, NULL);
    for (size_t i = 0; i < count; i++)
        world->wants.fds[i].revents = 0;
    (void)poll(world->wants.fds, (nfds_t)count, 0);
}

static void read_signals(struct world *world)
{
    struct signalfd_siginfo info;
    while (world->signal_fd >= 0 && read(world->signal_fd, &info, sizeof info) == sizeof info) {
        world->signal = (int)info.ssi_signo;
        world->signal_at_ms = clock_ms(CLOCK_REALTIME);
        world->moved = true;
    }
}

static void step_parts(struct world *world)
{
    int64_t now_ms = loop_now_ms();
    for (struct loop_part *part = world->parts; part; part = world->step_next) {
        bool due = part->wake_ms <= now_ms;
        for (size_t i = 0; i < part->fd_count && !due; i++)
            due = world->wants.fds[part->first_fd + i].revents != 0;
        world->step_next = part->next;
        if (due)
            part->step(part);
    }
    world->step_next = NULL;
}

void world_wait(struct world *world, int64_t until_ms)
{
    int64_t wait_ms = until_ms - clock_ms(CLOCK_REALTIME);
    if (wait_ms < 0)
        wait_ms = 0;
    int64_t stop_ms = loop_now_ms() + (wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS);
    do {
        int64_t wake_ms = gather(world), now_ms = loop_now_ms();
        if (wake_ms > stop_ms)
            wake_ms = stop_ms;
        bool at_once = world->moved || atomic_load(&world->work_moved) || wake_ms <= now_ms;
        wait_for_any(world, at_once ? 0 : wake_ms - now_ms);
        http_pump(world);
        step_parts(world);
        read_signals(world);
        if (atomic_exchange(&world->work_moved, false))
            world->moved = true;
    } while (!world->moved && loop_now_ms() < stop_ms);
    world->moved = false;
}

int world_signal(const struct world *world)
{
    return world->signal;
}

int64_t world_signal_at_ms(const struct world *world)
{
    return world->signal_at_ms;
}

// ---- clock and entropy ------------------------------------------------------------------------

static int64_t now_ms(void *self)
{
    (void)self;
    return clock_ms(CLOCK_REALTIME);
}

static void fill(void *self, void *bytes, size_t size)
{
    (void)self;
    for (size_t done = 0; done < size;) {
        ssize_t n = getrandom((char *)bytes + done, size - done, 0);
        if (n < 0 && errno != EINTR)
            abort(); // no kernel that sluice runs on lacks it; going on without would be worse
        done += n > 0 ? (size_t)n : 0;
    }
}

struct clock_port world_clock(struct world *world)
{
    return (struct clock_port){world, now_ms};
}

struct entropy_port world_entropy(struct world *world)
{
    return (struct entropy_port){world, fill};
}

// ---- opening and closing ----------------------------------------------------------------------

static bool open_signals(struct world *world, struct error *err)
{
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &mask, &world->old_mask);
    world->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    return world->signal_fd >= 0 || error_errno(err, "watching", "signals");
}

static void close_signals(struct world *world)
{
    if (world->signal_fd < 0)
        return;
    read_signals(world); // one that is still pending must not end the program after this
    close(world->signal_fd);
    pthread_sigmask(SIG_SETMASK, &world->old_mask, NULL);
}

static char *copy(const char *c_string)
{
    size_t size = strlen(c_string) + 1;
    return memcpy(memory_alloc(size), c_string, size);
}

bool world_open(const struct world_options *options, struct world **ret, struct error *err)
{
    struct world *world = memory_alloc(sizeof *world);
    *world = (struct world){.signal_fd = -1};
    // A peer that went away is an error of that write, never the end of the program.
    (void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, &world->old_pipe);
    bool curl = curl_global_init(CURL_GLOBAL_DEFAULT) == 0;
    bool ssh = curl && libssh2_init(0) == 0;
    bool names = ssh && ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS;
    world->multi = names ? curl_multi_init() : NULL;
    if (world->multi && (!options->watch_signals || open_signals(world, err))) {
        world->user_agent = options->user_agent ? copy(options->user_agent) : NULL;
        world->ca_file = http_find_ca(options->ca_file);
        *ret = world;
        return true;
    }
    if (!world->multi)
        (void)error_set(err, ERROR_SYSTEM, "the network libraries could not be set up");
    if (world->multi)
        curl_multi_cleanup(world->multi);
    if (names)
        ares_library_cleanup();
    if (ssh)
        libssh2_exit();
    if (curl)
        curl_global_cleanup();
    (void)sigaction(SIGPIPE, &world->old_pipe, NULL);
    free(world);
    return false;
}

void world_close(struct world *world)
{
    if (!world)
        return;
    ssh_close_all(world);
    while (world->parts)
        world->parts->abandon(world->parts);
    curl_multi_cleanup(world->multi);
    ares_library_cleanup();
    libssh2_exit();
    curl_global_cleanup();
    close_signals(world);
    (void)sigaction(SIGPIPE, &world->old_pipe, NULL);
    free(world->wants.fds);
    free(world->waited);
    free(world->ca_file);
    free(world->user_agent);
    free(world);
}

const char *world_ca_file(const struct world *world)
{
    return world->ca_file;
}
