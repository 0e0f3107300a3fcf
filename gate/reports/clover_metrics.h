// What Clover's <metrics> say of a project, a package or a file, beside what it lists.
//
//     metrics_init(&scope, "package", "org.x");
//     metrics_say(&scope, attributes);                 // <metrics statements="…" …>
//     scope.listed[METRICS_STATEMENTS].total++;        // for each <line type="stmt">
//     metrics_close(&scope, &outer, false, evidence, report);
//
// Writers differ. Clover and gcovr count what they list. PHPUnit lists a line once: a method hides
// the statement that stands on the same line, and a method is covered when all of it is. Istanbul
// counts statements but lists lines, lists no method, and no branch of a line without a statement.
#ifndef GATE_REPORTS_CLOVER_METRICS_H
#define GATE_REPORTS_CLOVER_METRICS_H

#include "gate/reports/evidence.h"

enum { METRICS_STATEMENTS, METRICS_METHODS, METRICS_BRANCHES, METRICS };

struct metrics_share {
    uint64_t covered, total;
};

struct metrics {
    char name[160];
    struct metrics_share listed[METRICS];
    struct metrics_share conditions; // lines of the type `cond`
    struct metrics_share united;     // lines, each counted once
    struct metrics_share said[METRICS];
    bool has_said[METRICS]; // both numbers
    uint64_t said_lines;    // Istanbul's `loc`
    bool has_said_lines;
    bool lines_only; // Istanbul's way, in one of its files at least
};

void metrics_init(struct metrics *metrics, const char *kind, const char *name);
void metrics_say(struct metrics *metrics, const char **attributes);
// Are there that many branches, as the metrics say; `or_more`: or more than are listed?
bool metrics_say_branches(const struct metrics *metrics, struct metrics_share listed, bool or_more);

// Compares (a difference is a suspicion) and adds all to `outer`; null = there is none.
// `like_istanbul`: the report calls itself what Istanbul calls its own.
void metrics_close(struct metrics *metrics, struct metrics *outer, bool like_istanbul,
                   struct evidence *evidence, struct report *report);

#endif
