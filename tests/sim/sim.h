// Many worlds: their statistics, and the crash at every effect.
//
//     struct statistics statistics = {0};
//     for (seed = 1; seed <= 20000; seed++)
//         if (!sim_seed(&world, seed, &statistics)) return false;
//     statistics_hold(&statistics, why);
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "world.h"

struct statistics {
    uint64_t worlds, events, effects, processes, crashes;
    uint64_t ends[PHASE_CANCELLED + 1];
    uint64_t good, good_aborted; // of the bare worlds: nothing wrong, and aborted all the same
    uint64_t regressions, seen_too_late; // of the bare worlds: got past their first step
};

// Runs one world. False when it violates something: its history and how to see it again are
// printed.
bool sim_seed(struct world *world, uint64_t seed, struct statistics *statistics);
void statistics_print(const struct statistics *statistics, FILE *out);
// Invariant 7, and false aborts: within four standard deviations of what the plan promised.
bool statistics_hold(const struct statistics *statistics, char why[256]);

// Canonical plans, with a crash before every single effect: each ends as it does without.
bool sim_sweep(struct world *world, uint32_t *ret_worlds);
int sim_bench(void);

#endif
