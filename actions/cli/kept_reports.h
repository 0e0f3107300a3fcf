// The reports of a decision as evidence of its event: their digests, and the small ones' content,
// which the ledger keeps so that another policy can judge them again (`sluice replay`).
#ifndef ACTIONS_CLI_KEPT_REPORTS_H
#define ACTIONS_CLI_KEPT_REPORTS_H

#include "deploy/record/event.h"
#include "gate/reports/evidence.h"

// Every report that could be digested, unusable ones too: they were judged as such. A file that is
// no longer the one that was judged is not kept. `root` ends with '/' or is empty.
const struct event_evidence *kept_reports(struct arena *arena, const char *root,
                                          const struct evidence *evidence, size_t *ret_count);

#endif
