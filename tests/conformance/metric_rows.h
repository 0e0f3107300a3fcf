// A row for each source of metrics, or for each way in which one asks: its smallest configuration,
// and its server as it is when all is well.
#ifndef TESTS_CONFORMANCE_METRIC_ROWS_H
#define TESTS_CONFORMANCE_METRIC_ROWS_H

#include "hostile.h"

#include "deploy/metrics/metric.h"

// A revision that would end whatever it stands in.
#define ROWS_EVIL "v2\"b\\c}{'`&x=1#"

struct metric_row {
    const char *kind, *name;
    const char *yaml;                 // one key a line
    const struct hostile_line *lines; // `#` in an answer stands for each figure
    bool negative;                    // a figure may be below 0
    const char *const *calls;         // what errors name, one of them; ends with null
    // Where ROWS_EVIL stands in the requests, with its quotes escaped and percent-encoded, with
    // what stands around it; null = it is refused, and nothing is asked.
    const char *escaped;
};

extern const struct metric_row metric_rows[]; // ends with a null kind

#endif
