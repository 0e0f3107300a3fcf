// What is known about vulnerabilities beside what scanners find: statements that a product is not
// affected (VEX), and catalogue entries (KEV: exploited in the wild; EPSS: how likely it is).
#ifndef GATE_REPORTS_STATEMENT_H
#define GATE_REPORTS_STATEMENT_H

#include "gate/base/error.h"
#include "gate/base/str.h"

#include <stdint.h>

struct evidence;

enum statement_kind {
    STATEMENT_NOT_AFFECTED, // VEX: not_affected; CycloneDX: not_affected, false_positive
    STATEMENT_FIXED,        // VEX: fixed; CycloneDX: resolved, resolved_with_pedigree
    STATEMENT_AFFECTED,     // VEX: affected; CycloneDX: exploitable
    STATEMENT_IN_TRIAGE,    // VEX: under_investigation; CycloneDX: in_triage
    STATEMENT_EXPLOITED,    // a KEV entry
    STATEMENT_PROBABILITY,  // an EPSS entry
};
const char *statement_kind_name(enum statement_kind kind); // "not affected", "exploited", …

struct statement {
    enum statement_kind kind;
    str id; // CVE or another name
    str *aliases;
    size_t alias_count;
    str *products; // VEX: package URLs or other names that it speaks of; none = the whole product
    size_t product_count;
    str justification; // VEX: the status' reason, one line
    double epss;       // STATEMENT_PROBABILITY: 0 to 1
    int64_t at_ms;     // when it was made: of two about one thing the later counts; 0 = not said
    int64_t due_days;  // KEV: the day by which it is to be mended, since 1970; 0 = not said
    uint32_t report;
    uint64_t offset;
};

struct statements {
    struct statement *items;
    size_t count, room;
};

// Copies all strings. ERROR_LIMIT past LIMIT_STATEMENTS.
bool statement_add(struct evidence *evidence, const struct statement *one, struct error *err);
// The same for one whose strings and lists live in the evidence's arena already.
bool statement_take(struct evidence *evidence, const struct statement *one, struct error *err);

#endif
