// Fills `struct history` (gate/rules/history.h) from the ledger: the baseline, what was wrong
// before, when a vulnerability was first seen, flaky tests, reviews of incidents.
//
// Entries are found by their type in the index, newest first; only those that are used are read.
//
//     struct history history;
//     if (!history_load(ledger, &arena, &request, &history, err)) ...
//     gate_request.history = &history;
#ifndef DEPLOY_RECORD_HISTORY_H
#define DEPLOY_RECORD_HISTORY_H

#include "deploy/record/ledger.h"
#include "gate/git/repository.h"
#include "gate/rules/history.h"

enum {
    HISTORY_SEVERITIES = 4,
    HISTORY_RUNS = 20,       // for flaky tests, and passed ones for samples of timings
    HISTORY_RUNS_READ = 200, // among which passed ones are looked for
};

struct history_request {
    const char *commit;            // that is judged, 40 digits; null = none
    size_t entries;                // as of the first so many of the ledger; 0 = all of them
    struct repository *repository; // where its files are; null = none
    int64_t review_within_ms[HISTORY_SEVERITIES]; // of P1 to P4; 0 = needs none
    str reviews;                                  // folder of reviews, without a '/' at its end
};

// Everything lives in the arena. ERROR_SYSTEM, ERROR_INPUT: an entry is damaged or makes no sense.
bool history_load(struct ledger *ledger, struct arena *arena, const struct history_request *request,
                  struct history *ret, struct error *err);

// Does this text have the headings Root cause, Timeline and Prevention (markdown, of any level, in
// any case)?
bool history_review_done(str markdown);

#endif
