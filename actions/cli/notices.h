// What people are told of a rollout, between the driver and deploy/notify: watches beside the
// terminal's display, keeps what was sent in the ledger (`notify.sent`, `notify.failed`), and tells
// what a process that is gone has left.
//
//     struct notices *notices = notices_open(d, stage, state, &progress);
//     setup.observer = notices_observer(notices, progress_observer(&progress));
//     … notices_turn(notices, now_ms, &wake_ms) after each turn of the driver …
//     notices_close(notices, limit_ms);
//
// Nothing here fails: who cannot be told is said, and the rollout goes on. Without `notify` in the
// configuration notices_open gives null, which every function takes.
#ifndef ACTIONS_CLI_NOTICES_H
#define ACTIONS_CLI_NOTICES_H

#include "actions/cli/deployment.h"
#include "actions/cli/progress.h"
#include "deploy/record/rollouts.h"
#include "deploy/run/driver.h"

enum { NOTICES_LIMIT_MS = 5000 }; // what a process spends at its end on what is not sent yet

struct notices;

// `resumed`: another process had this state; what that one did not send is sent now. `progress` may
// be null.
struct notices *notices_open(struct deployment *d, const struct stage_settings *stage,
                             const struct rollout_state *resumed,
                             struct progress_display *progress);
// Hands everything on to `next` first. What `next` is, when there are no notices.
struct observer_port notices_observer(struct notices *notices, struct observer_port next);
// Begins nothing while a way back is under way. Brings *wake_ms forward where it has to be called
// sooner.
void notices_turn(struct notices *notices, int64_t now_ms, int64_t *wake_ms);
// Sends what is left for at most `limit_ms`, and says and records what could not be sent.
void notices_close(struct notices *notices, int64_t limit_ms);

// Tells what no process told: of the unfinished rollouts that no live process drives, and of those
// that ended within the last hours; once their last process is known to be gone, or was silent for
// a minute, since until then it may still be sending. Each once, as `notify.sent` in the ledger
// says; one that was sent by a process that was killed before it could record that comes again,
// with the same key.
void notices_missed(struct deployment *d);
// Is there anything for notices_missed to tell, of these unfinished ones or of those that are over?
// Sends and says nothing.
bool notices_any_missed(struct deployment *d, const struct rollout_record *open, size_t count);

#endif
