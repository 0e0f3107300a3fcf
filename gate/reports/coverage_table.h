// What evidence.c needs of the tables in coverage.c and tests.c, and nobody else.
#ifndef GATE_REPORTS_COVERAGE_TABLE_H
#define GATE_REPORTS_COVERAGE_TABLE_H

#include "gate/reports/evidence.h"

// The file of that name and origin, made when absent (*ret_fresh). A new one's name is copied into
// `arena`, or stands where it is when `arena` is null.
struct covered_file *coverage_file_of(struct evidence *evidence, str reported, uint32_t origin,
                                      struct arena *arena, bool *ret_fresh);

// The whole table of `from`, all with that origin, becomes the table of an evidence that has none.
void coverage_take(struct evidence *evidence, struct coverage *from, uint32_t origin);

void tests_put(struct evidence *evidence, const struct test_case *one); // copies no string

#endif
