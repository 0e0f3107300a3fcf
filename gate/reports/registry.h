// One line for each report format; registry.c lists them.
#ifndef GATE_REPORTS_REGISTRY_H
#define GATE_REPORTS_REGISTRY_H

#include "gate/reports/reader.h"

extern const struct report_reader cobertura_reader;
extern const struct report_reader lcov_reader;
extern const struct report_reader junit_reader;

#endif
