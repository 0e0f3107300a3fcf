// What the files about matrices share.
#ifndef GATE_RISK_MATRIX_PARTS_H
#define GATE_RISK_MATRIX_PARTS_H

#include "gate/risk/matrix.h"

// Levels of an axis: its words, or the names of its ranges.
size_t matrix_levels(const struct matrix_axis *axis);
str matrix_level_name(const struct matrix_axis *axis, size_t level);

#endif
