// The driver's record keeper over the ledger: takes claim and lease, appends each record with the
// state after it, pushes in the background, renews the lease, and gives it back.
//
//     struct journal *journal;
//     journal_open(ledger, &journal);
//     setup.journal = journal_port(journal);
//     …
//     journal_close(journal);
//
// Every record is a commit on the local branch when `append` returns. It is durable once it is on
// the remote, and the lease that it was written under is then known to hold. A rollback (`force`)
// waits for the remote for JOURNAL_FORCE_MS, then goes on with the local ledger and reconciles
// later.
//
// When a forward rollout that was breached has been rolled back, its release is marked bad.
#ifndef DEPLOY_RECORD_JOURNAL_H
#define DEPLOY_RECORD_JOURNAL_H

#include "deploy/engine/journal.h"
#include "deploy/record/ledger.h"

#define JOURNAL_FORCE_MS (10 * INT64_C(1000))
#define JOURNAL_FETCH_MS (10 * INT64_C(1000)) // how often it looks whether others wrote

struct journal;

// The ledger must outlive the journal.
struct journal *journal_open(struct ledger *ledger);
void journal_close(struct journal *journal);
struct journal_port journal_port(struct journal *journal);

#endif
