// sim: simulated rollouts from the command line.
//
//     sim --seed N [--trace]     one world; --trace prints what happened in it
//     sim --seeds N [--from M]   many, with the statistics of all
//     sim --sweep                a crash at every effect of every canonical plan
//     sim --bench                how fast the engine is
#include "sim.h"

#include <stdlib.h>
#include <string.h>

static struct world world;

static int one(uint64_t seed, bool trace)
{
    struct scenario scenario = {.seed = seed, .trace = trace ? stdout : NULL, .codec = true};
    world_run(&world, &scenario);
    if (world.violation[0]) {
        printf("seed %llu violates %s\n", (unsigned long long)seed, world.violation);
        return 1;
    }
    printf("seed %llu: %s, %u events, %u effects, %u processes\n", (unsigned long long)seed,
           phase_name(world.outcome.phase), (unsigned)world.outcome.events,
           (unsigned)world.outcome.effects, (unsigned)world.outcome.restarts);
    return 0;
}

static int many(uint64_t from, uint64_t count)
{
    struct statistics statistics = {0};
    for (uint64_t seed = from; seed < from + count; seed++) {
        if (!sim_seed(&world, seed, &statistics))
            return 1;
        unsigned long long lived = statistics.worlds;
        if (lived % 100000 == 0)
            fprintf(stderr, "%llu seeds\n", lived);
    }
    statistics_print(&statistics, stdout);
    char why[256];
    if (!statistics_hold(&statistics, why)) {
        printf("violated: %s\n", why);
        return 1;
    }
    return 0;
}

static int sweep(void)
{
    uint32_t worlds = 0;
    bool held = sim_sweep(&world, &worlds);
    printf("%u worlds with a crash at every effect: %s\n", (unsigned)worlds,
           held ? "all end as without it" : "not all end as without it");
    return held ? 0 : 1;
}

int main(int argc, char **argv)
{
    uint64_t seed = 0;
    uint64_t seeds = 0;
    uint64_t from = 1;
    bool trace = false;
    bool has_seed = false;
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (!strcmp(argv[i], "--seed") && more) {
            seed = strtoull(argv[++i], NULL, 10);
            has_seed = true;
        } else if (!strcmp(argv[i], "--seeds") && more) {
            seeds = strtoull(argv[++i], NULL, 10);
        } else if (!strcmp(argv[i], "--from") && more) {
            from = strtoull(argv[++i], NULL, 10);
        } else if (!strcmp(argv[i], "--trace")) {
            trace = true;
        } else if (!strcmp(argv[i], "--sweep")) {
            return sweep();
        } else if (!strcmp(argv[i], "--bench")) {
            return sim_bench();
        } else {
            fprintf(stderr, "sim --seed N [--trace] | --seeds N [--from M] | --sweep | --bench\n");
            return 2;
        }
    }
    if (has_seed)
        return one(seed, trace);
    return many(from, seeds ? seeds : 1000);
}
