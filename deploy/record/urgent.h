// Events that are not on the branch yet, kept in a file beside the ledger's objects: a way back is
// not to wait for git. The file outlives the process that wrote it; who opens the ledger next
// brings its events to the branch. It is not flushed to the disk: after a power cut, the targets
// themselves tell what was taken back.
//
//     urgent_keep(ledger, name, events, count, err);  // then send, then
//     ledger_append_all(ledger, events, count, …);
//     urgent_drop(ledger, name);
#ifndef DEPLOY_RECORD_URGENT_H
#define DEPLOY_RECORD_URGENT_H

#include "deploy/record/ledger.h"

// `name` is that of the file: of this process alone, of letters, digits and '-'. The events have an
// id, a time, an actor, and no evidence.
bool urgent_keep(struct ledger *ledger, const char *name, const struct event *events, size_t count,
                 struct error *err);
void urgent_drop(struct ledger *ledger, const char *name);

// Appends what processes that are gone have left. What makes no sense any more, because another
// process went on meanwhile, is dropped. A file that cannot be taken over now (it needs a key that
// is not at hand, say) stays for the next time.
void urgent_recover(struct ledger *ledger);

#endif
