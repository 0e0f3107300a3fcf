// Findings: what the rules have to say, one for each thing that was judged. A finding whose verdict
// is a pass is kept too: it carries the figure, and the record is read for trends.
//
// Ids are unique within a decision and stable from run to run: "coverage.total",
// "coverage.critical[payments/**].lines", "risk.overdue[R-12]". All memory is the findings'
// arena's.
//
//     struct finding *f = finding_add(out, "tests", VERDICT_BLOCK, "tests.failures");
//     f->have = finding_text(out, "%llu", failed);
#ifndef GATE_RULES_FINDING_H
#define GATE_RULES_FINDING_H

#include "gate/base/arena.h"

#include <stdint.h>

enum verdict { VERDICT_PASS, VERDICT_WARN, VERDICT_HOLD, VERDICT_BLOCK }; // worse is larger

const char *verdict_name(enum verdict verdict); // "pass", "warn", "hold", "block"

// Whose a finding is. A pull request is blocked by its own only; a release by all.
enum scope {
    SCOPE_YOURS,       // caused by this change
    SCOPE_INHERITED,   // was there on the base
    SCOPE_ENVIRONMENT, // came from outside: a CVE published today, an overdue review
};
const char *scope_name(enum scope scope); // "yours", "inherited", "environment"

// How two figures of one finding compare, for "no worse than before".
enum figure_sense {
    FIGURE_NONE,
    FIGURE_MORE_IS_BETTER,
    FIGURE_LESS_IS_BETTER,          // as a count: three of fewer are still three
    FIGURE_SMALLER_SHARE_IS_BETTER, // as a share
};

struct place {
    const char *path;
    uint32_t line;     // 0 = the whole file
    uint32_t end_line; // 0 = the same line
};

struct finding {
    const char *id;
    const char *rule; // the family: "coverage", "tests", "evidence", "risk", "policy"
    enum verdict verdict;
    enum verdict judged; // by the rule, before scope, enforcement and waivers; set by the gate
    enum scope scope;
    enum figure_sense sense; // of `have`, which is then a number or a fraction
    const char *have;        // "31582/71846"; "" when there is no figure
    const char *want;        // "44%"; likewise
    const char *message;     // one sentence or two
    const char *advice;      // what to do about it; null = nothing
    const char *waived_by;   // who has let it pass; null = nobody
    const str *names;        // further names that a waiver may know it by
    size_t name_count;
    struct place *where;
    size_t where_count, where_room;
    uint64_t where_more; // places past FINDING_PLACES
};

#define FINDING_PLACES 200u

struct findings {
    struct arena *arena;
    struct finding *items;
    size_t count, room;
    uint32_t *index; // hash table over ids: number + 1
    size_t index_room;
    struct finding overflow; // takes what is said past LIMIT_FINDINGS
};

// A new finding, in scope `yours`; have, want and message are empty. The pointer is valid until the
// next call. Past LIMIT_FINDINGS a blocking finding `findings.limit` closes the list.
struct finding *finding_add(struct findings *findings, const char *rule, enum verdict verdict,
                            const char *id_format, ...) __attribute__((format(printf, 4, 5)));
void finding_place(struct findings *findings, struct finding *finding, const char *path,
                   uint32_t line, uint32_t end_line);
const char *finding_text(struct findings *findings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// "2027-01-31", from days since 1970-01-01.
const char *finding_day(struct findings *findings, int64_t days);

// The same findings in another order; `items` holds all of them and lives in the arena.
void findings_reorder(struct findings *findings, struct finding *items);

const struct finding *finding_find(const struct findings *findings, const char *id);

#endif
