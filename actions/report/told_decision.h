// A decision as another run has told it: read back from its JSON ("sluice.decision/1") to be shown
// on a pull request. Nothing in it is trusted. The run may be that of a stranger's branch, so that
// every text may be anything, the verdict may be a lie, and it is shown as what that run has said,
// never taken for the gate's.
//
//     struct told_decision told;
//     if (!told_decision_read(&arena, path, bytes, &told, err)) …
//     told_decision_markdown(&told, &source, 65000, &out);
#ifndef ACTIONS_REPORT_TOLD_DECISION_H
#define ACTIONS_REPORT_TOLD_DECISION_H

#include "actions/report/gate_markdown.h"

struct told_decision {
    enum verdict verdict;
    str commit; // 40 digits; empty = none
    struct findings findings;
    struct markdown_totals totals;
};

struct told_source { // by GitHub itself, not by the artifact
    str head_sha;    // 40 digits
    str run_url;     // of the run that told it
};

// ERROR_INPUT: no such decision. Texts are cut to what a comment can hold; all lives in the arena.
bool told_decision_read(struct arena *arena, const char *file, str bytes, struct told_decision *ret,
                        struct error *err);

// The comment: verdict, what stops it and what to do, totals; the rest folded away.
void told_decision_markdown(const struct told_decision *told, const struct told_source *source,
                            size_t max_bytes, struct text *out);

#endif
