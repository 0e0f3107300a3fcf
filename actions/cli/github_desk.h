// A rollout on GitHub, between the driver and actions/github: watches beside the terminal's
// display, writes down what people say in comments as `sluice approve` and its like do, and keeps
// in the ledger which deployment and which issue are the rollout's (`github.deployment`,
// `github.issue`).
//
//     struct github_desk *desk = github_desk_open(d, plan, state, &progress);
//     setup.observer = github_desk_observer(desk, progress_observer(&progress));
//     … github_desk_turn(desk, now_ms, &wake_ms) after each turn of the driver …
//     github_desk_close(desk, limit_ms);
//
// Nothing here fails: what cannot be done is said, and the rollout goes on. Without `github` in the
// configuration github_desk_open gives null, which every function takes.
#ifndef ACTIONS_CLI_GITHUB_DESK_H
#define ACTIONS_CLI_GITHUB_DESK_H

#include "actions/cli/deployment.h"
#include "actions/cli/progress.h"
#include "deploy/record/rollouts.h"
#include "deploy/run/driver.h"

// What a process spends at its end, and `sluice resume` at its beginning: writes to GitHub leave a
// second apart.
enum { GITHUB_LIMIT_MS = 30000 };

struct github_desk;

// `state` of what another process left; null of what begins. `progress` may be null.
struct github_desk *github_desk_open(struct deployment *d, const struct plan *plan,
                                     const struct rollout_state *state,
                                     struct progress_display *progress);
// Hands everything on to `next` first. What `next` is, when there is no desk.
struct observer_port github_desk_observer(struct github_desk *desk, struct observer_port next);
// Begins nothing while a way back is under way. Brings *wake_ms forward where it has to be called
// sooner.
void github_desk_turn(struct github_desk *desk, int64_t now_ms, int64_t *wake_ms);
// Does what is left for at most `limit_ms`.
void github_desk_close(struct github_desk *desk, int64_t limit_ms);

// For a process that wakes rollouts: shows how each stands, and reads what was said about it,
// before it is asked which are due. `records` are those that no live process drives.
void github_desk_catch_up(struct deployment *d, const struct rollout_record *records, size_t count);

// The same for what ended within the last hours, where GitHub has not been told how.
void github_desk_finish_ended(struct deployment *d);

#endif
