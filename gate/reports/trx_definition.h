// What a TRX file says of a test in another place than its result: in which class and assembly it
// stands. Definitions come before the results or, mostly, after them.
#ifndef GATE_REPORTS_TRX_DEFINITION_H
#define GATE_REPORTS_TRX_DEFINITION_H

#include "gate/reports/evidence.h"

struct trx_id { // of a test: a GUID mostly; equal ids have equal values
    uint64_t high, low;
};
struct trx_id trx_id(const char *text); // in upper or lower case

struct trx_definition {
    struct trx_id id;
    str class_name, assembly; // copies, in the arena
};

struct trx_definitions {
    struct arena *arena; // where names live
    struct arena scratch;
    struct trx_definition *items;
    size_t count, room;
    struct trx_id *ids; // of each test case, in order
    size_t id_count, id_room;
};

// ERROR_LIMIT past LIMIT_TESTS.
bool trx_define(struct trx_definitions *definitions, struct trx_id id, str class_name, str assembly,
                struct error *err);
void trx_case(struct trx_definitions *definitions, struct trx_id id); // one more test case
// Gives the cases, as many as trx_case was called, their class, suite and host.
void trx_resolve(const struct trx_definitions *definitions, struct test_case *cases);
void trx_definitions_done(struct trx_definitions *definitions);

#endif
