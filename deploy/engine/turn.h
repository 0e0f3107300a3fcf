// One call of rollout_step while it runs: what the parts of the engine hand to each other.
// Private to this folder.
//
//     struct turn turn = {plan, state, event, out, event->now_ms, false};
//     forward_go_on(&turn);
#ifndef DEPLOY_ENGINE_TURN_H
#define DEPLOY_ENGINE_TURN_H

#include "deploy/engine/engine.h"
#include "gate/base/moment.h"

#define LOOK_EVERY_MS (30 * MS_SECOND)   // a target that should stay where it is
#define LOOK_SOON_MS (3 * MS_SECOND)     // one that is moving
#define LOOK_AGAIN_MS (10 * MS_SECOND)   // one that did not answer
#define JUDGED_EVERY_MS (30 * MS_SECOND) // RECORD_SAMPLE_JUDGED

struct turn {
    const struct plan *plan;
    struct rollout_state *state;
    const struct rollout_event *event;
    struct rollout_commands *out;
    int64_t now_ms;
    bool bake_began; // in this very turn: it does not pass in it
};

// ---- engine.c: commands -------------------------------------------------------------------------

// The next command, with every field but `text` set to nothing. There is always room: see
// ROLLOUT_COMMANDS.
struct rollout_command *turn_command(struct turn *turn, enum rollout_command_type type);
// A record that need not be durable before the rollout goes on.
struct rollout_command *turn_record(struct turn *turn, enum record_type record, const char *format,
                                    ...) __attribute__((format(printf, 3, 4)));
void turn_phase(struct turn *turn, enum rollout_phase phase);
void turn_end(struct turn *turn); // RC_END
void turn_incident(struct turn *turn, str severity);
void turn_why(struct turn *turn, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool turn_wrote(const struct turn *turn);                  // a record, in this step
bool turn_resuming(const struct turn *turn);               // a target is unknown yet
const char *share_words(uint32_t share_ppm, char out[24]); // "33.33 %"

// ---- look.c: observing targets ------------------------------------------------------------------
void look_at(struct turn *turn, uint32_t target);
void look_all(struct turn *turn);      // those that are touched and not being asked already
void look_anew(struct turn *turn);     // after a standstill, or a clock that went back
void look_answered(struct turn *turn); // RE_OBSERVED
void look_due(struct turn *turn, uint32_t target);     // its look_ms has come
void look_strayed(struct turn *turn, uint32_t target); // settled, but not where it was left: abort
bool look_in_place(const struct target_state *target, const struct rollout_event *event);

// ---- forward.c ----------------------------------------------------------------------------------
void forward_begin(struct turn *turn);    // RE_BEGIN of PLAN_FORWARD
void forward_go_on(struct turn *turn);    // as far as phase, freeze and records allow
void forward_recorded(struct turn *turn); // RE_RECORDED
void forward_answered(struct turn *turn); // RE_TARGET_DONE, RE_TARGET_FAILED of a forward verb
void forward_shift(struct turn *turn, uint32_t step); // its approval is given, if it needs one
void forward_advance(struct turn *turn); // what comes after the bake of the current step
void forward_verify(struct turn *turn);  // all promoted: observe, then done

// ---- bake.c -------------------------------------------------------------------------------------
void bake_begin(struct turn *turn);
void bake_go_on(struct turn *turn); // passes, extends or holds when its time has come
// A new process begins. A step is watched for as long as the plan says, or it could not see what
// the plan says that it sees: what nobody watched is baked again.
void bake_taken_over(struct turn *turn);
void bake_resume(struct turn *turn); // fresh evidence is needed after a pause
int64_t bake_due_ms(const struct turn *turn);

// ---- judge_samples.c ----------------------------------------------------------------------------
void judge_sample(struct turn *turn); // RE_SAMPLE
void judge_new_step(struct turn *turn);
void judge_extended(struct turn *turn); // its bake goes on
// Whether every watch lets the current step pass; if not, which does not and why, and whether a
// reading that is on its way may change that (*ret_late).
bool judge_step(const struct turn *turn, char why[200], bool *ret_late);
// The step's exposures do not match its share: says so and returns true.
bool judge_ratio(const struct turn *turn, char why[200]);
// What is only looked at when a bake ends, once for each end, says abort: which metric, and why.
bool judge_end(struct turn *turn, char why[288], uint32_t *ret_metric);

// ---- judge_kinds.c ------------------------------------------------------------------------------
// The sample of the event, on its watch. False: it holds nothing usable.
bool watch_add(struct turn *turn, const struct plan_metric *metric, struct watch_state *watch,
               bool of_step);
bool watch_breached(const struct turn *turn, const struct plan_metric *metric,
                    const struct watch_state *watch);
bool watch_ends_worse(const struct turn *turn, const struct plan_metric *metric,
                      struct watch_state *watch);
// What keeps a watch from letting the step pass; null when nothing does. *ret_late: its next
// reading may mend that, for it tells of moments of the bake that none told of yet.
const char *watch_lacking(const struct turn *turn, const struct plan_metric *metric,
                          const struct watch_state *watch, bool *ret_late);
// Where it stands, for the record: "errors on web: 3 of 1200 bad, baseline 12 of 22000; …".
void watch_words(const struct turn *turn, uint32_t metric, uint32_t nth, char out[288]);

// ---- revert.c -----------------------------------------------------------------------------------

// Sends every touched target back; ends the rollout at once when none is.
void revert_all(struct turn *turn);
void revert_breach(struct turn *turn, uint32_t metric, bool automatic); // records state->why first
// The release has, or had, traffic, and known good cannot live with what it did to a target's
// stored data: only a person sends it back. Says what that was.
str revert_forbidden_why(const struct turn *turn);
bool revert_forbidden(const struct turn *turn);
// It is held for that already: what else goes wrong changes nothing, and is not told again.
bool revert_told(const struct turn *turn);
void revert_hold(struct turn *turn); // held instead of reverted, loudly; state->why says why
void revert_answered(struct turn *turn, uint32_t target, bool done);
void revert_observed(struct turn *turn, uint32_t target);
void revert_due(struct turn *turn, uint32_t target);
void revert_limit(struct turn *turn); // stuck once the time limit is over
void revert_resume(struct turn *turn);
void revert_finish(struct turn *turn); // rolled back once every target is

// ---- people.c -----------------------------------------------------------------------------------
void people_ask(struct turn *turn, uint32_t step); // STEP_STAGE or a step
void people_ask_again(struct turn *turn);
uint32_t people_needed(const struct turn *turn); // answers that the open question needs
void people_answer(struct turn *turn);
void people_withdraw(struct turn *turn);
void people_expire(struct turn *turn);
int64_t people_expiry_ms(const struct turn *turn); // 0 = never
void people_steer(struct turn *turn);
void people_cancel(struct turn *turn);
void people_hold(struct turn *turn); // state->why says why

// ---- resume.c -----------------------------------------------------------------------------------
void resume_begin(struct turn *turn); // RE_RESUMED
void resume_observed(struct turn *turn, uint32_t target);

#endif
