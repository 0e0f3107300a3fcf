// Runs of one method that TestNG's report does not number: of several instances, several times
// (invocationCount), or with parameters of which only an object's address differs ("Order@1b2c3d").
// Addresses are another one in every run of the suite, so they are no part of a name: the runs are
// numbered instead, in the order of the report. What was run again because it failed is no run of
// its own: it counts with the first one that has its instance and parameters.
#ifndef GATE_REPORTS_TESTNG_RUNS_H
#define GATE_REPORTS_TESTNG_RUNS_H

#include "gate/reports/xml_test.h"

struct testng_run {
    uint64_t key;    // a hash; 0 = an empty place
    uint32_t number; // of a run; or how many runs a name has
    uint32_t seen;   // how often such a run came to its end
};

struct testng_runs { // all zero is a valid empty one
    struct testng_run *items;
    size_t count, room;
};

// Which of the runs of that name this is, from 1. `raw`: what tells runs apart.
uint32_t testng_run(struct testng_runs *runs, const struct test_case *test, str raw, bool retried);
void testng_runs_done(struct testng_runs *runs);

// A parameter on one line, without addresses, at most `max` bytes.
void testng_add_stable(struct text *out, str value, size_t max);

#endif
