// Which risks live in a file: all patterns of a register, found by their literal beginnings, so
// that a hundred thousand risks and as many files are not compared one by one.
//
//     struct risk_paths paths;
//     risk_paths_make(&arena, &risks, &paths);
//     risk_paths_each(&paths, STR("payments/card.py"), on_risk, &context);
#ifndef GATE_RISK_RISK_PATHS_H
#define GATE_RISK_RISK_PATHS_H

#include "gate/risk/register.h"

struct risk_pattern {
    str pattern;
    size_t literal; // bytes of it before the first of * ? [
    uint32_t risk;  // its number in the register
    uint32_t next;  // with the same hash: number + 1; 0 = none
};

struct risk_paths { // lives in the arena; the register must outlive it
    struct risk_pattern *patterns;
    size_t count;
    uint32_t *heads; // by hash of the literal beginning: number + 1
    size_t mask;
    size_t longest; // literal beginning
};

void risk_paths_make(struct arena *arena, const struct risk_register *risks,
                     struct risk_paths *ret);

typedef void risk_paths_handler(void *context, uint32_t risk);

// Calls once for each pattern that matches the path, so that a risk with several may come twice.
void risk_paths_each(const struct risk_paths *paths, str path, risk_paths_handler *handler,
                     void *context);

#endif
