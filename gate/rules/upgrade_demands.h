// What the configuration demands under `gate: upgrades:`, by product.
//
//     django: {max_step: 1 lts, requires: {critical_coverage: 60%, soak_test: true}}
//     python: {max_step: 2 minor, end_of_life: block}
#ifndef GATE_RULES_UPGRADE_DEMANDS_H
#define GATE_RULES_UPGRADE_DEMANDS_H

#include "gate/doc/shape.h"
#include "gate/risk/lifecycle.h"

struct upgrade_requirements {
    struct fraction critical_coverage; // den 0 = not demanded
    bool soak_test;
    struct position at;
};

struct upgrade_demand {
    str product;
    str max_step;  // as written: "1 lts"; empty = not said
    uint32_t most; // of `unit`; set when max_step is
    enum step_unit unit;
    int end_of_life;                           // index: block, hold, warn
    struct upgrade_requirements *requirements; // null = none
    struct position at;
};

extern const struct shape upgrade_demand_shape;

#endif
