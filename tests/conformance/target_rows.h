// A row for each kind of target, or for each shape that one has: its smallest configuration, and
// the provider as it is when known good serves everything, which no change ever moves.
#ifndef TESTS_CONFORMANCE_TARGET_ROWS_H
#define TESTS_CONFORMANCE_TARGET_ROWS_H

#include "hostile.h"

#include "deploy/targets/target.h"

struct target_row {
    const char *kind, *name;
    const char *yaml; // one key a line
    const struct hostile_line *lines;
    struct target_release next, good;
    const char *packed;         // what the revision of `next` is before it is staged; null = empty
    bool believes_exit;         // staging is done when every command says so
    bool absent_is_seen;        // a place that is not there is seen, and settled
    uint32_t grain_ppm;         // the smallest share and the steps between shares
    const char *const *calls;   // what errors name, one of them; ends with null
    const char *const *unasked; // permissions that the page has and doctor does not ask for
    const char *section;        // of the page that is all of it, when it has several kinds
};

extern const struct target_row target_rows[]; // ends with a null kind

#endif
