#include "deploy/world/loop.h"
#include "gate/base/arena.h"

#include <pthread.h>
#include <stdlib.h>

struct work {
    struct world *world;
    void (*run)(void *context);
    void *context;
    pthread_t thread;
    atomic_bool done;
};

static void *begin(void *argument)
{
    struct work *work = argument;
    work->run(work->context);
    atomic_store(&work->done, true);
    atomic_store(&work->world->work_moved, true);
    (void)curl_multi_wakeup(work->world->multi);
    return NULL;
}

bool world_work(struct world *world, void (*run)(void *context), void *context, struct work **ret,
                struct error *err)
{
    struct work *work = memory_alloc(sizeof *work);
    work->world = world;
    work->run = run;
    work->context = context;
    atomic_init(&work->done, false);
    // Signals belong to the thread of the loop.
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int code = pthread_create(&work->thread, NULL, begin, work);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (code) {
        free(work);
        return error_set(err, ERROR_SYSTEM, "no thread could be started: %s", strerror(code));
    }
    *ret = work;
    return true;
}

bool work_done(const struct work *work)
{
    return atomic_load(&work->done);
}

void work_close(struct work *work)
{
    if (!work)
        return;
    pthread_join(work->thread, NULL);
    free(work);
}
