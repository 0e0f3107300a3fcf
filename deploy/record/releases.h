// Releases as the ledger knows them: what was good where, what is bad, what the gate decided.
//
//     if (release_known_good(ledger, &arena, STR("production"), STR("web"), (str){0}, &good, err))
//         plan->targets[0].good = good;
#ifndef DEPLOY_RECORD_RELEASES_H
#define DEPLOY_RECORD_RELEASES_H

#include "deploy/engine/plan.h"
#include "deploy/record/ledger.h"

enum { GOOD_READ = 500 }; // entries that are read for what is only shown

// The newest release on `target` of `environment` whose record says that it completed and passed
// (rollout.done), was adopted (release.adopted), or was returned to (a rollback), and that is not
// marked bad. `except` is passed over: the release to get away from (empty = none). What was served
// after `except` but is older than its own deployment counts as well. ERROR_ABSENT: there is none.
bool release_known_good(struct ledger *ledger, struct arena *arena, str environment, str target,
                        str except, struct placement *ret, struct error *err);

// The same for a release named by a person (`rollback --to`). ERROR_DENIED when it is marked bad,
// ERROR_ABSENT when it was never good there.
bool release_good_named(struct ledger *ledger, struct arena *arena, str environment, str target,
                        str release, struct placement *ret, struct error *err);

// Since when: the oldest of the newest GOOD_READ entries that say so. ERROR_ABSENT: none does.
bool release_good_since(struct ledger *ledger, str environment, str target, str release,
                        int64_t *ret_ms, struct error *err);
// The releases that a person may name there, newest first; at most `most`.
bool release_goods(struct ledger *ledger, struct arena *arena, str environment, str target,
                   size_t most, str **ret, size_t *ret_count, struct error *err);

// Marked bad by name; *ret_position (may be null) is that entry's place in the ledger, so that a
// gate decision after it can be told from one before.
bool release_is_bad(struct ledger *ledger, str release, bool *ret, size_t *ret_position,
                    struct error *err);
bool release_mark_bad(struct ledger *ledger, str release, str commit, str environment, str why,
                      struct error *err);

// What was observed to be live, as known good. `targets` and `placements` are `count` long.
bool release_adopt(struct ledger *ledger, str environment, str release, str commit,
                   const str *targets, const struct placement *placements, size_t count,
                   struct ledger_entry *ret, struct error *err);

struct bad_release {
    str release, commit, environment, why;
    int64_t time_ms;
    size_t position; // in the ledger
};
// The newest marks, newest first; at most `most`.
bool releases_bad(struct ledger *ledger, struct arena *arena, size_t most, struct bad_release **ret,
                  size_t *ret_count, struct error *err);

struct gate_record {
    str decision; // "pass", "warn", "hold", "block"
    str commit, policy_sha256;
    int64_t time_ms;
    char id[EVENT_ID];
    size_t position; // in the ledger
    const struct node *body;
    struct event_actor actor;
};

// The newest gate.decided of a commit. ERROR_ABSENT: the gate was never asked about it.
bool gate_decided(struct ledger *ledger, struct arena *arena, str commit, struct gate_record *ret,
                  struct error *err);

// The same of several commits, no two of them alike, in one reading of the ledger: ret[i] of
// commits[i], with `body` null where there is none. `ret` comes in as zeroes.
bool gates_decided(struct ledger *ledger, struct arena *arena, const str *commits, size_t count,
                   struct gate_record *ret, struct error *err);

// Writes gate.decided. `decision_json` is the decision as cli.md has it (schema sluice.decision/1)
// and becomes the body; the evidence goes into the event's own list as well.
bool gate_record_write(struct ledger *ledger, str decision_json,
                       const struct event_evidence *evidence, size_t evidence_count,
                       struct ledger_entry *ret, struct error *err);

#endif
