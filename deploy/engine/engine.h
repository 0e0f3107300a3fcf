// The rollout as a pure function: rollout_step(plan, state, event) -> state, commands.
//
// The engine never waits, reads or calls. The driver carries commands out and feeds results back
// as events; the same engine runs in the simulation. What the engine promises:
//   - a forward command is emitted only after RE_RECORDED said that its intent is durable;
//   - a revert is recorded and emitted in the same breath;
//   - no step without a pass of the one before, or a recorded person's `promote`;
//   - any event may arrive late, twice, or not at all: it ends in a terminal or resumable state;
//   - after RE_RESUMED (a new process read `state` from the ledger) it observes before it acts;
//   - what passes a step, holds or ends the rollout, or asks for an approval is recorded in that
//     same step: a state never stands in the ledger without the record that explains it.
//
// What it expects of the driver:
//   - an answer carries back what its command carried: token, target, verb, share_ppm. Answers
//     whose token is not that of the newest such command are dropped; a token of 0 is taken as
//     given by nobody and is matched by target, verb and share alone;
//   - a command on a target replaces what still runs there;
//   - the records of a step are committed as one, and before anything else of it is carried out;
//     the rest goes in its order;
//   - waiting is measured on a clock that does not jump, or in slices of at most a minute; a
//     moment that is not in the future is answered at once;
//   - a process that stood still, or whose lease ran out by its own clock, renews the lease
//     before it acts on anything, and a forward command is sent again (after a throttled call,
//     say) only under a lease renewed since: another process may have finished the rollout
//     meanwhile;
//   - records of an incident are found by rollout and severity: the same one may be asked for
//     again after a crash.
//
//     struct rollout_state *state = rollout_state_new(&arena, plan);
//     struct rollout_commands out;
//     rollout_step(plan, state, &(struct rollout_event){.type = RE_BEGIN, .now_ms = now}, &out);
//     for (uint32_t i = 0; i < out.count; i++) carry_out(&out.items[i]);
#ifndef DEPLOY_ENGINE_ENGINE_H
#define DEPLOY_ENGINE_ENGINE_H

#include "deploy/engine/plan.h"
#include "gate/judge/burn_rate.h"
#include "gate/judge/compare.h"
#include "gate/judge/dispersion.h"
#include "gate/judge/eprocess.h"
#include "gate/judge/threshold.h"

enum rollout_phase {
    PHASE_NEW,
    PHASE_WAITING,   // for an approval: of the stage (nothing touched yet) or of the next step
    PHASE_PREPARING, // staging the release on every target, no traffic
    PHASE_SHIFTING,  // share of the current step commanded, not settled yet
    PHASE_STEP_BAKE,
    PHASE_BAKE,      // all of it out
    PHASE_PROMOTING, // the old is scaled away
    PHASE_VERIFYING, // observing that every target serves the release
    PHASE_REVERTING, // every touched target is sent back; then observed
    PHASE_HELD,      // a person must decide: promote or abort
    PHASE_STUCK,     // a revert that could not be verified: loud, resumable
    PHASE_DONE,
    PHASE_ROLLED_BACK,
    PHASE_DENIED,    // nothing was touched
    PHASE_CANCELLED, // nothing was touched, or fenced out by a rollback
};

#define STEP_STAGE UINT32_MAX   // rollout_command.step: the stage itself, before any step
#define TARGET_EVERY UINT32_MAX // rollout_command.target: all targets of the stage
#define ROLLOUT_ANSWERS 16      // the most approvals that one question may need
#define ROLLOUT_STEERS 32       // the newest words of people that are remembered
// A reason says what to do about it last: there is room for the longest `struct error` with what
// was being done. Older ledgers hold shorter ones.
#define ROLLOUT_TEXT 1024

enum target_verb { VERB_NONE, VERB_STAGE, VERB_SHIFT, VERB_PROMOTE, VERB_REVERT, VERB_OBSERVE };

struct target_state {
    enum target_verb verb; // what was intended last; VERB_NONE = untouched
    uint32_t share_ppm;    // of a VERB_SHIFT
    bool recorded;         // the intent is durable, the command was emitted
    bool settled;          // observed to be where the verb wanted it
    bool failed;
    bool touched; // anything forward was ever intended: a revert must include it
    uint32_t attempts;
    int64_t since_ms;                   // when the verb was emitted
    bool unknown;                       // not observed yet since this process took over
    int64_t seen_ms;                    // when it was last known to be where it should be; of a
                                        // revert, when a look at it was last answered
    int64_t look_ms;                    // when something about it is due; 0 = nothing
    uint64_t command_token, look_token; // of what it has not answered yet; 0 = nothing
};

struct watch_state { // one (metric, target)
    struct eprocess process;
    struct threshold_state threshold;    // JUDGE_THRESHOLD; and of every judge, what did not answer
    struct dispersion dispersion;        // JUDGE_RATE: of the baseline since the rollout began
    double phi;                          // likewise: what counts were last divided by; 0 = none yet
    struct compare_series series;        // JUDGE_COMPARE
    bool worse;                          // JUDGE_COMPARE, JUDGE_BURN: said by its newest look
    double step_exposure;                // canary exposures since the step settled
    double step_baseline;                // likewise of the baseline
    double baseline_bad, baseline_total; // of the whole stage: the reference when none is left
    uint32_t blind_in_row;               // samples without an answer
    int64_t newest_ms;                   // end of the newest interval that was judged
};

struct rollout_state {
    enum rollout_phase phase;
    enum rollout_phase held_from;              // of HELD and WAITING: where it goes on
    uint32_t step;                             // index of the current step
    uint32_t answers;                          // approvals given for what is waited for
    uint64_t answered[ROLLOUT_ANSWERS];        // by whom, as digests of their logins
    uint64_t answers_by_word[ROLLOUT_ANSWERS]; // which answers these are; 0 = unnamed
    uint64_t asked;                            // token of that question
    uint32_t extended;                         // how often the current bake was
    int64_t phase_since_ms, bake_from_ms, bake_until_ms;
    int64_t reverting_since_ms, breach_at_ms; // 0 = never
    uint64_t token;                           // of the newest durable record asked for
    uint64_t newest_token;                    // of anything: tokens rise by one
    bool awaiting;                            // that record is not durable yet
    int64_t awaiting_since_ms;
    bool passed;      // the bake has passed; what follows waits for a freeze to end
    uint64_t steered; // token of the newest RE_STEER
    // Tokens of all of them, oldest first: whoever goes on with this state reads the same words
    // again, and each counts once.
    uint64_t heard[ROLLOUT_STEERS];
    uint32_t heard_count;
    bool hold;      // said while an approval is waited for: what is approved waits for a promote
    bool asleep;    // read from the ledger and not resumed yet: only RE_RESUMED wakes it
    bool automatic; // the abort was the engine's own: it opens an incident
    // A person promoted past it: what is bad from then on leaves a bake inconclusive, so that each
    // step is a person's.
    bool accepted;
    int64_t last_ms;   // the newest `now_ms` seen; a clock that went back moves all moments
    int64_t wake_ms;   // of the newest RC_WAKE
    int64_t judged_ms; // when RECORD_SAMPLE_JUDGED was last written
    bool cancelled;    // by signal or person: ends as soon as it is safe
    bool fenced;       // the lease is lost: nothing is emitted any more
    bool frozen;       // forward steps wait
    bool out;          // some traffic may be on the release
    // The reason of an abort, hold, denial: one sentence.
    char why[ROLLOUT_TEXT];
    struct target_state *targets; // plan.target_count
    struct watch_state *watches;  // plan_watch_count(plan)
};

enum rollout_event_type {
    RE_BEGIN,         // the plan is recorded, claim and lease are held
    RE_RESUMED,       // likewise, by a new process that read the state from the ledger
    RE_TIMER,         // `now_ms` reached a moment asked for by RC_WAKE (early ones do no harm)
    RE_RECORDED,      // `token` is durable
    RE_RECORD_LOST,   // `token` can never become durable (superseded): stop going forward
    RE_TARGET_DONE,   // `verb` on `target` was accepted and observed settled
    RE_TARGET_FAILED, // `verb` on `target` failed for good; `text` says why
    RE_OBSERVED,  // `target` serves `share_ppm` of the release; `settled`; `on_good` ppm of known
                  // good; `text`, for people, is what that was read from
    RE_SAMPLE,    // of `metric` on its `nth` target, for the interval from_ms..to_ms
    RE_ANSWER,    // an approval: `granted` or refused, by `who`, to the question `token`; `word`
                  // names the answer, so that it can be taken back (0 = unnamed)
    RE_WITHDRAWN, // `who` takes the approval `word` back; of no effect once enough have agreed
    RE_STEER,  // a person: `steer`, by `who`, with `text` as reason. `token` names it: the same one
               // counts once (0 = unnamed). A promote whose `share_ppm` is not 0 is meant for the
               // step of that share and no other
    RE_FROZEN, // `granted` = a freeze or window now forbids forward steps; `text` says which
    RE_LEASE_LOST,
    RE_CANCEL, // SIGINT, SIGTERM
};

enum rollout_steer { STEER_HOLD, STEER_PROMOTE, STEER_ABORT };

struct rollout_sample {
    bool has_value;       // false: the source answered nothing usable; `text` of the event says why
    struct counts counts; // JUDGE_RATE
    double value;         // JUDGE_THRESHOLD, JUDGE_COMPARE: of the release
    double baseline;      // JUDGE_COMPARE: of the rest at the same moment; NaN where there is none
    struct burn_counts burn[BURN_WINDOWS]; // JUDGE_BURN
    int64_t from_ms, to_ms;
};

struct rollout_event {
    enum rollout_event_type type;
    int64_t now_ms;
    uint64_t token, word;
    uint32_t target, metric, nth;
    enum target_verb verb;
    uint32_t share_ppm, on_good_ppm;
    bool settled, granted;
    enum rollout_steer steer;
    struct rollout_sample sample;
    str who, text;
};

enum rollout_command_type {
    RC_RECORD,   // append `record` with the state as it is after this step; durable ones answer
                 // RE_RECORDED. Records stand in order: one that is durable makes all before it
                 // durable
    RC_TARGET,   // carry out `verb` (absolute) on `target`: stage, shift to share_ppm, promote,
                 // revert
    RC_OBSERVE,  // look at `target`, answer RE_OBSERVED
    RC_ASK,      // ask for the approval in plan (stage: step == STEP_STAGE); again after RE_RESUMED
    RC_WAKE,     // answer RE_TIMER at at_ms; replaces an earlier one
    RC_INCIDENT, // open one: severity in `text`
    // The run is over: terminal, stuck, cancelled while waiting or held, or fenced out. Waiting
    // and held alone do not end it: a driver may leave then (phase_resumable), but somebody must
    // go on watching while rollout_watching says so.
    RC_END,
};

enum record_type {
    RECORD_APPROVAL_ASKED,
    RECORD_APPROVAL_GIVEN,
    RECORD_APPROVAL_WITHDRAWN,
    RECORD_APPROVAL_REFUSED,
    RECORD_INTENDED, // command.intended
    RECORD_COMMAND_DONE,
    RECORD_COMMAND_FAILED,
    RECORD_SAMPLE_JUDGED,
    RECORD_STEP_PASSED,
    RECORD_BREACHED, // a judge said abort, or a target failed or left the release on its own
    RECORD_HELD,
    RECORD_STEERED,
    RECORD_FROZEN, // forward steps wait for the calendar, and go on again
    RECORD_THAWED,
    RECORD_DONE,
    RECORD_ROLLED_BACK,
    RECORD_STUCK,
    RECORD_DENIED,
    RECORD_CANCELLED,
};

struct rollout_command {
    enum rollout_command_type type;
    enum record_type record;
    uint64_t token; // to be carried back by the answer
    bool durable;   // must be pushed before it counts
    uint32_t target,
        metric; // of a record: TARGET_EVERY where it is about all, UINT32_MAX where about none
    enum target_verb verb;
    uint32_t share_ppm, step;
    int64_t at_ms;
    str who; // of the event that caused it; lives as long as that event's
    char text[ROLLOUT_TEXT];
};

enum { ROLLOUT_COMMANDS = 2 * LIMIT_TARGETS + 16 };

struct rollout_commands {
    struct rollout_command items[ROLLOUT_COMMANDS];
    uint32_t count;
};

struct rollout_state *rollout_state_new(struct arena *arena, const struct plan *plan);
void rollout_state_reset(const struct plan *plan, struct rollout_state *state);
void rollout_step(const struct plan *plan, struct rollout_state *state,
                  const struct rollout_event *event, struct rollout_commands *out);

bool phase_terminal(enum rollout_phase phase); // DONE, ROLLED_BACK, DENIED, CANCELLED
bool phase_resumable(
    enum rollout_phase phase); // WAITING, HELD, STUCK: may be left without a process
bool phase_legal(enum rollout_phase from, enum rollout_phase to); // for `sluice verify`
// The approval that is waited for, and the step that it is for (STEP_STAGE: of the stage); null
// when none is.
const struct plan_approval *rollout_question(const struct plan *plan,
                                             const struct rollout_state *state, uint32_t *ret_step);
// Has this person approved what is waited for? Logins differ not by case.
bool rollout_answered(const struct rollout_state *state, str who);
bool rollout_heard(const struct rollout_state *state, uint64_t token); // a RE_STEER counted already
bool rollout_watching(const struct rollout_state *state);              // samples are wanted now
const char *phase_name(enum rollout_phase phase);                      // "step bake"
bool phase_of(str name, enum rollout_phase *ret);
const char *record_name(enum record_type type); // "command.intended"
const char *verb_name(enum target_verb verb);
bool verb_of(str name, enum target_verb *ret);

#endif
