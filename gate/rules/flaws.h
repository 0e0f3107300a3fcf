// Vulnerabilities as rules judge them: one flaw for each group of names, with what all scanners,
// catalogues and VEX documents together know of it.
//
// Of two scores the higher counts. What a scanner's own suppression takes out is not among them.
//
//     struct flaws flaws;
//     flaws_make(&arena, evidence, &flaws);
//     for (size_t i = 0; i < flaws.count; i++) judge(&flaws.items[i]);
#ifndef GATE_RULES_FLAWS_H
#define GATE_RULES_FLAWS_H

#include "gate/reports/evidence.h"

struct flaw {
    str id;     // a CVE if there is one, else a GHSA, else the first name
    str *names; // all of them, `id` too, each once
    size_t name_count;
    const struct vulnerability **entries; // that no VEX statement clears
    size_t entry_count;
    size_t cleared_count;            // entries that one does
    const struct statement *cleared; // the newest statement that cleared one; null = none
    enum severity severity;          // the worst
    double cvss, epss;               // the highest; SCORE_UNKNOWN
    bool known_exploited;
    int64_t due_days;   // of the catalogue of exploited flaws; 0 = not said
    enum fix_state fix; // FIX_AVAILABLE when any entry knows one
    bool in_code;       // no entry names a package
};

struct flaws {
    struct flaw *items; // worst first: exploited, score, severity, then by id
    size_t count;
    bool *used; // for each statement: did it speak of any flaw?
};

void flaws_make(struct arena *arena, const struct evidence *evidence, struct flaws *ret);

#endif
