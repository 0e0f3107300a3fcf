#include "sim.h"

#include <math.h>

#define HISTORY_LINES 60 // of a world that failed, the last ones

// ---- a failure in words -------------------------------------------------------------------------

// Runs the world once more and prints the end of its history.
static void tell(struct world *world, const struct scenario *scenario, const char *again)
{
    char violation[sizeof world->violation];
    memcpy(violation, world->violation, sizeof violation);
    static char lines[HISTORY_LINES][400];
    unsigned count = 0;
    FILE *trace = tmpfile();
    struct scenario traced = *scenario;
    traced.trace = trace;
    if (trace) {
        world_run(world, &traced);
        rewind(trace);
        while (fgets(lines[count % HISTORY_LINES], sizeof lines[0], trace))
            count++;
        fclose(trace);
    }
    unsigned shown = count < HISTORY_LINES ? count : HISTORY_LINES;
    memcpy(world->violation, violation, sizeof violation);
    printf("violated %s\n", violation);
    if (count > shown)
        printf("… %u lines before\n", count - shown);
    for (unsigned i = count - shown; i < count; i++)
        fputs(lines[i % HISTORY_LINES], stdout);
    printf("again: %s\n", again);
}

bool sim_seed(struct world *world, uint64_t seed, struct statistics *statistics)
{
    // One world in sixteen sends its states through JSON: that costs more than all the rest.
    struct scenario scenario = {.seed = seed, .codec = seed % 16 == 3};
    world_run(world, &scenario);
    if (world->violation[0]) {
        char again[64];
        snprintf(again, sizeof again, "tests/sim/run --seed %llu --trace",
                 (unsigned long long)seed);
        tell(world, &scenario, again);
        return false;
    }
    const struct outcome *outcome = &world->outcome;
    statistics->worlds++;
    statistics->events += outcome->events;
    statistics->effects += outcome->effects;
    statistics->processes += outcome->restarts;
    statistics->crashes += outcome->crashes;
    statistics->ends[outcome->phase]++;
    if (outcome->bare && outcome->regression) {
        statistics->regressions++;
        statistics->seen_too_late += outcome->passed_first;
    } else if (outcome->bare) {
        statistics->good++;
        statistics->good_aborted += outcome->aborted;
    }
    return true;
}

// ---- statistics ---------------------------------------------------------------------------------

void statistics_print(const struct statistics *s, FILE *out)
{
    fprintf(out, "%llu worlds, %llu events, %llu effects, %llu processes, %llu of them killed\n",
            (unsigned long long)s->worlds, (unsigned long long)s->events,
            (unsigned long long)s->effects, (unsigned long long)s->processes,
            (unsigned long long)s->crashes);
    for (int phase = 0; phase <= PHASE_CANCELLED; phase++)
        if (s->ends[phase])
            fprintf(out, "  %-12s %9llu\n", phase_name((enum rollout_phase)phase),
                    (unsigned long long)s->ends[phase]);
    fprintf(out, "good releases aborted: %llu of %llu (alpha 1 %%)\n",
            (unsigned long long)s->good_aborted, (unsigned long long)s->good);
    fprintf(out, "regressions past their first step: %llu of %llu (power 95 %%)\n",
            (unsigned long long)s->seen_too_late, (unsigned long long)s->regressions);
}

static bool within(uint64_t have, uint64_t of, double probability)
{
    double n = (double)of;
    return (double)have <= n * probability + 4 * sqrt(n * probability * (1 - probability)) + 1;
}

bool statistics_hold(const struct statistics *s, char why[256])
{
    if (!within(s->good_aborted, s->good, 0.01)) {
        snprintf(why, 256, "%llu of %llu good releases were aborted, 1 %% at most were to be",
                 (unsigned long long)s->good_aborted, (unsigned long long)s->good);
        return false;
    }
    if (!within(s->seen_too_late, s->regressions, 0.05)) {
        snprintf(why, 256, "7: %llu of %llu regressions got past their step, 5 %% at most were to",
                 (unsigned long long)s->seen_too_late, (unsigned long long)s->regressions);
        return false;
    }
    return true;
}

// ---- a crash at every effect --------------------------------------------------------------------

static bool swept(struct world *world, struct scenario scenario, uint32_t *worlds)
{
    world_run(world, &scenario);
    enum rollout_phase end = world->outcome.phase;
    uint32_t effects = world->outcome.effects;
    enum rollout_phase want = scenario.bad || scenario.rollback ? PHASE_ROLLED_BACK : PHASE_DONE;
    if (end != want && !world->violation[0])
        violated(world, "6: it ends %s without any crash", phase_name(end));
    for (uint32_t n = 1; n <= effects && !world->violation[0]; n++) {
        scenario.crash_at = n;
        scenario.codec = true;
        world_run(world, &scenario);
        ++*worlds;
        if (world->outcome.phase != want && !world->violation[0])
            violated(world, "6: it ends %s", phase_name(world->outcome.phase));
    }
    if (!world->violation[0])
        return true;
    tell(world, &scenario, "tests/sim/run --sweep");
    printf("crash at effect %u%s%s%s%s\n", (unsigned)scenario.crash_at,
           scenario.bad ? ", bad release" : "", scenario.approvals ? ", approvals" : "",
           scenario.rollback ? ", rollback" : "", scenario.disk_lost ? ", disk lost" : "");
    return false;
}

bool sim_sweep(struct world *world, uint32_t *ret_worlds)
{
    *ret_worlds = 0;
    for (int kind = 0; kind < 16; kind++) {
        struct scenario scenario = {.seed = 4711,
                                    .canonical = true,
                                    .bad = (kind & 1) != 0,
                                    .approvals = (kind & 2) != 0,
                                    .rollback = (kind & 4) != 0,
                                    .disk_lost = (kind & 8) != 0};
        if (!swept(world, scenario, ret_worlds))
            return false;
    }
    return true;
}
