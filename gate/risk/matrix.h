// Risk matrices: how the inputs that a risk carries become a severity and points. Data: those built
// in stand in policies/matrices/, a repository may bring its own (policies/README.md has the
// format).
//
// A matrix has axes. An axis is a whole number within bounds, the average of several such numbers
// (`factors`), or one of a few words. The result is either the product of the axes, cut into
// severities, or what a table says for the levels of the axes. Points times the business weight of
// a flow are the exposure of a risk.
//
//     struct risk_matrix matrix;
//     if (!matrix_bind(&arena, root, &matrix, &problems)) ...
//     struct risk_rating rating;
//     if (!matrix_rate(&matrix, risk_node, &rating, &problems)) ...   // {likelihood: 2, impact: 5}
#ifndef GATE_RISK_MATRIX_H
#define GATE_RISK_MATRIX_H

#include "gate/base/sha256.h"
#include "gate/doc/shape.h"

enum risk_severity { RISK_LOW, RISK_MEDIUM, RISK_HIGH, RISK_CRITICAL, RISK_SEVERITIES };

struct matrix_factor {
    str name;
    str title;
    struct position at;
};

struct matrix_level {
    str name;
    double from; // of the axis' value: so much or more
    struct position at;
};

struct matrix_axis {
    str name;
    str title;
    struct shape_list words;   // str; none = the axis is a number
    int64_t from, to;          // of each number, both included
    struct shape_list factors; // struct matrix_factor, averaged; none = one number
    struct shape_list instead; // likewise: these count, and not `factors`, where a risk has them
    struct shape_list levels;  // struct matrix_level, rising
    struct position at;
};

struct matrix_outcome {
    str name;
    str title;
    int severity; // enum risk_severity
    int64_t points;
    struct position at;
};

struct matrix_severities { // of the product of the axes: so much or more; less is low
    int64_t medium, high, critical;
    struct position at;
};

struct risk_matrix {
    int64_t version;
    str title;
    str source;                           // where its facts stand
    int64_t as_of;                        // of which day they are; 0 = not said
    struct shape_list axes;               // struct matrix_axis
    struct matrix_severities *severities; // null = the table decides
    struct shape_list outcomes;           // struct matrix_outcome, mildest first
    const struct node *table;
    struct position at;

    // What follows is made, not read.
    uint32_t *cells;  // for each combination of levels: number of its outcome + 1
    uint64_t most;    // points that one risk can have
    const char *name; // as a register names it: "owasp"; set by whoever found the document
    const char *path; // of a file of the repository; null = built in
    char sha256[SHA256_HEX];
    uint64_t size_bytes;
};

struct risk_rating {
    str outcome; // "scheduled"; the name of the severity where there is no table
    uint64_t points;
    enum risk_severity severity;
};

extern const struct shape risk_matrix_shape;

const char *risk_severity_name(enum risk_severity severity);

// Binds a matrix and checks that it decides every case, each by one row. What is wrong is added to
// `problems`.
bool matrix_bind(struct arena *arena, const struct node *root, struct risk_matrix *ret,
                 struct problems *problems);

// Rates one risk: `risk` is its map. Its inputs stand under `rating`; an axis of one value that is
// called `likelihood` or `impact` may stand beside it. A missing, unknown or impossible input is
// added to `problems` with its place.
bool matrix_rate(const struct risk_matrix *matrix, const struct node *risk, struct risk_rating *ret,
                 struct problems *problems);

// Is this an axis of one number, as `likelihood` and `impact` of 5x5?
bool matrix_has_number(const struct risk_matrix *matrix, const char *name);

// Does it take a likelihood and an impact from 1 to 5, as 5x5 does?
bool matrix_has_grades(const struct risk_matrix *matrix);

// "`exploitation` (`none`, `poc` or `active`), `exposure` (…)": what each risk carries.
void matrix_inputs(const struct risk_matrix *matrix, struct text *out);

#endif
