// Single requests summed up to a row for each name and one for the whole run: counts, mean, and
// exact percentiles (nearest rank: the smallest time that at least p per cent of the requests
// kept).
//
// Times are whole milliseconds, as the tools write them, so a table of the different ones is exact
// and stays small however many requests there are.
//
//     struct timing_samples *samples = timing_samples_open(evidence, report);
//     ok = timing_samples_add(samples, &sample, err) && … && timing_samples_end(samples, err);
//     timing_samples_close(samples);
#ifndef GATE_REPORTS_TIMING_SAMPLES_H
#define GATE_REPORTS_TIMING_SAMPLES_H

#include "gate/reports/evidence.h"

struct timing_sample {
    str name; // copied; not empty
    uint64_t elapsed_ms;
    bool failed;
    bool part_of_run; // false: a transaction, whose requests are samples of their own
    int64_t at_ms;    // when it began; 0 = not said
    uint64_t offset;  // in the report
};

struct timing_samples;
struct timing_samples *timing_samples_open(struct evidence *evidence, uint32_t report);
// ERROR_INPUT for a time past TIMING_SAMPLE_MAX_MS, ERROR_LIMIT past LIMIT_TIMINGS names or
// LIMIT_TIMING_VALUES different times.
#define TIMING_SAMPLE_MAX_MS UINT64_C(1000000000000)
bool timing_samples_add(struct timing_samples *samples, const struct timing_sample *one,
                        struct error *err);
// Adds the rows to the evidence: the whole run first, then each name in the order of the report.
// Without any sample, none.
bool timing_samples_end(struct timing_samples *samples, struct error *err);
void timing_samples_close(struct timing_samples *samples);

#endif
