// One line of TAP (Test Anything Protocol 12, 13, 14) by itself.
//
//     struct tap_line line = tap_line_of(STR("not ok 3 - upload # TODO slow"));
//     line.kind == TAP_POINT && !line.ok && line.directive == TAP_TODO
#ifndef GATE_REPORTS_TAP_LINE_H
#define GATE_REPORTS_TAP_LINE_H

#include "gate/base/str.h"

#include <stdint.h>

enum tap_kind {
    TAP_OTHER,   // what a test printed
    TAP_VERSION, // number
    TAP_PLAN,    // number; directive: TAP_SKIP when all is skipped
    TAP_POINT,   // ok, number, name, directive, opens
    TAP_BAIL,    // name: the reason
    TAP_COMMENT, // name: what stands behind the #
    TAP_YAML,    // ---
    TAP_YAML_END,
    TAP_CLOSE, // } of a subtest that stands behind its result
};
enum tap_directive { TAP_NONE, TAP_TODO, TAP_SKIP };

struct tap_line {
    enum tap_kind kind;
    unsigned indent; // spaces before it; a tab counts as four
    bool ok, opens;  // opens: a subtest begins behind this result (`{`)
    bool numbered;
    uint64_t number;
    str name;   // of a point: as written, escapes and all; see tap_name
    str reason; // of a directive
    enum tap_directive directive;
    str time_ms; // of "# time=5.1ms" and "in 5ms"; empty when none is said
};

struct tap_line tap_line_of(str line);
// Plans past this are no plan.
#define TAP_PLAN_MAX 1000000000u

// Without the escapes of TAP 14 (`\#`, `\\`), copied to `out`, which has room for name.len bytes.
str tap_name(str name, char *out);

#endif
