// Lifecycle tables: the series of a product, when they were released, when they end, and what they
// need. Data, in policies/lifecycle/; a table says of which day its facts are and where they stand.
//
//     struct lifecycle table;
//     if (!lifecycle_bind(&arena, root, &table, &problems)) ...
//     const struct lifecycle_series *series = lifecycle_series(&table, &version);
#ifndef GATE_RISK_LIFECYCLE_H
#define GATE_RISK_LIFECYCLE_H

#include "gate/doc/shape.h"
#include "gate/risk/locks.h"
#include "gate/risk/version.h"

struct lifecycle_need { // of another product
    str product;
    str from, to; // series: from the first to the last that is supported; empty = not said
    struct position at;
};

struct lifecycle_series {
    str name;                // "5.2"
    int64_t released;        // days since 1970-01-01; 0 = not known here
    int64_t active_until;    // end of active support
    int64_t end_of_life;     // the first day without any support is the next one
    bool lts;                // long-term support
    struct shape_list needs; // struct lifecycle_need
    struct version version;  // of the name
    struct position at;
};

struct lifecycle {
    str product;                 // "django"
    str title;                   // "Django"
    struct shape_list locked_as; // str: "pypi:django", "image:python"
    str source;                  // where the facts stand
    int64_t as_of;               // of which day they are
    struct shape_list series;    // struct lifecycle_series, oldest first
    struct position at;
};

struct lifecycles {
    const struct lifecycle *items;
    size_t count;
};

extern const struct shape lifecycle_shape;

// The table must be sorted; what is wrong is added to `problems`.
bool lifecycle_bind(struct arena *arena, const struct node *root, struct lifecycle *ret,
                    struct problems *problems);

const struct lifecycle *lifecycle_of(const struct lifecycles *tables, str product);
bool lifecycle_has(const struct lifecycle *table, const struct locked *one);
// The series that a version belongs to, or null.
const struct lifecycle_series *lifecycle_series(const struct lifecycle *table,
                                                const struct version *version);
bool lifecycle_has_lts(const struct lifecycle *table);

// The unit of a step from one version to a later one.
enum step_unit { STEP_LTS, STEP_SERIES, STEP_MAJOR, STEP_MINOR, STEP_PATCH, STEP_UNITS };
const char *step_unit_name(enum step_unit unit); // "lts", "series", "major", "minor", "patch"

#define STEP_TOO_FAR UINT32_MAX // not a number of such steps: another major version
// How many steps lie between: through each long-term series for `lts`, each series for `series`.
// 0 for the same; STEP_LTS and STEP_SERIES need a table that has both versions (else STEP_TOO_FAR).
// The series on the way, the last one included, go to *ret_rungs (in the arena; may be null).
uint32_t lifecycle_steps(struct arena *arena, const struct lifecycle *table, enum step_unit unit,
                         const struct version *from, const struct version *to,
                         const struct lifecycle_series ***ret_rungs);

#endif
