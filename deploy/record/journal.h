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
// When a forward rollout that was breached has been rolled back, its release is marked bad. So is
// what a rollback by hand leaves, unless it was a rehearsal.
#ifndef DEPLOY_RECORD_JOURNAL_H
#define DEPLOY_RECORD_JOURNAL_H

#include "deploy/engine/journal.h"
#include "deploy/record/ledger.h"

#define JOURNAL_FORCE_MS (10 * INT64_C(1000))
#define JOURNAL_FETCH_MS (5 * INT64_C(1000)) // how often it looks whether others wrote
#define JOURNAL_PUSH_MS (10 * INT64_C(1000)) // for what is unpushed when the lease is given back

struct journal;

// The ledger must outlive the journal.
struct journal *journal_open(struct ledger *ledger);
void journal_close(struct journal *journal);
// How long a rollback waits for the remote before it goes on alone (0 where it is known not to
// answer), and how long giving the lease back may take for what is not pushed yet.
void journal_patience(struct journal *journal, int64_t force_ms, int64_t push_ms);
struct journal_port journal_port(struct journal *journal);

#endif
