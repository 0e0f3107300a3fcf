// The register in an order to work by: by exposure, or by exposure per day of effort.
//
//     struct risk_filter filter = {.status = RISK_ANY, .severity = RISK_ANY};
//     size_t count = risk_select(&arena, &risks, &filter, &items);
//     risk_sort_by_exposure(items, count);
#ifndef GATE_RISK_RANKING_H
#define GATE_RISK_RANKING_H

#include "gate/risk/register.h"

#define RISK_ANY (-1)
#define RISK_NOT_CLOSED (-2)

struct risk_filter {
    int status;   // enum risk_status, RISK_ANY or RISK_NOT_CLOSED
    int severity; // enum risk_severity or RISK_ANY
    str flow;     // its name; empty = any
};

// The risks that the filter lets through, in the order of the file.
size_t risk_select(struct arena *arena, const struct risk_register *risks,
                   const struct risk_filter *filter, const struct risk ***ret);

// Falling exposure; of equal ones the severer, then the order of the file.
void risk_sort_by_exposure(const struct risk **items, size_t count);

// ---- the roadmap -------------------------------------------------------------------------------

struct roadmap_step {
    const struct risk *risk;
    double effort_so_far;   // days, with this one
    uint64_t exposure_left; // once this one and those before it are treated
};

struct roadmap {
    uint64_t exposure; // of all risks that count today
    struct roadmap_step *steps;
    size_t count;
    size_t estimated; // the first so many have an effort; the others stand by exposure
};

// Every risk that counts today: what takes most exposure away for a day of work comes first, and
// what nobody has estimated last. effort_so_far of those stays at the sum of the estimated ones.
void roadmap_make(struct arena *arena, const struct risk_register *risks, int64_t today_days,
                  struct roadmap *ret);

#endif
