// Refs of the store when two processes move one at the same moment.
#include "scene.h"

#include "deploy/record/store.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 300, RACERS = 2, STEP_NS = 1000 };

struct track { // in memory that both processes see
    atomic_uint there[ROUNDS];
    enum swap swaps[ROUNDS][RACERS];
};

static bool make_commit(struct store *store, const char *words, struct object_id *ret)
{
    struct error err;
    struct store_file file = {.path = "a"};
    return store_blob(store, str_of(words), &file.blob, &err) &&
           store_commit(store, &(struct object_id){0},
                        &(struct store_write){.files = &file,
                                              .file_count = 1,
                                              .message = words,
                                              .author = "a",
                                              .email = "a@example.org",
                                              .time_ms = 1},
                        ret, &err);
}

// A little later each time, so that the second comes at every moment of what the first does.
static void stand_back(int steps)
{
    struct timespec from, now;
    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    do
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - from.tv_sec) * 1000000000 + now.tv_nsec - from.tv_nsec < steps * STEP_NS);
}

static bool race(const char *folder, struct track *track, int racer)
{
    for (int i = 0; i < ROUNDS; i++) {
        char branch[32], words[32];
        struct store *store;
        struct object_id commit;
        struct error err;
        (void)snprintf(branch, sizeof branch, "race-%d", i);
        (void)snprintf(words, sizeof words, "of %d", racer);
        if (!store_open(&(struct store_options){.folder = folder, .branch = branch}, &store, &err))
            return false;
        bool ok = make_commit(store, words, &commit);
        atomic_fetch_add(&track->there[i], 1);
        while (atomic_load(&track->there[i]) < RACERS) {
        }
        stand_back(racer * i);
        track->swaps[i][racer] =
            ok ? store_swap(store, STORE_LOCAL, &(struct object_id){0}, &commit, &err)
               : SWAP_FAILED;
        store_close(store);
    }
    return true;
}

// Who came second would else have taken the first entries of the other out of the ledger.
Test(store, of_two_who_begin_a_branch_one_has_lost)
{
    struct scene s;
    scene_open(&s);
    struct track *track =
        mmap(NULL, sizeof *track, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(track, MAP_FAILED);
    char folder[4096];
    (void)snprintf(folder, sizeof folder, "%s/work", s.folder);
    pid_t child = fork();
    if (child == 0)
        _exit(race(folder, track, 1) ? 0 : 1);
    bool ok = race(folder, track, 0);
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(ok && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        const enum swap *swaps = track->swaps[i];
        cr_expect((swaps[0] == SWAP_DONE && swaps[1] == SWAP_LOST) ||
                      (swaps[0] == SWAP_LOST && swaps[1] == SWAP_DONE),
                  "round %d: %d and %d", i, swaps[0], swaps[1]);
    }
    (void)munmap(track, sizeof *track);
    scene_close(&s);
}
