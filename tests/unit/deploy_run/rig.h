// A driver on the bench: fake targets, metrics, journal, people and observer around a clock that
// only the test moves. Every fake checks what the driver promises it, and writes a line to one log,
// so that the order across all of them can be read.
//
//     struct rig rig;
//     rig_open(&rig, (struct rig_plan){0});
//     rig_start(&rig);
//     cr_expect_eq(rig_play(&rig, MS_HOUR), RUN_ENDED);
//     rig_close(&rig);
#ifndef TESTS_UNIT_DEPLOY_RUN_RIG_H
#define TESTS_UNIT_DEPLOY_RUN_RIG_H

#include "deploy/run/driver.h"
#include "gate/base/moment.h"

#include <criterion/criterion.h>

enum { RIG_TARGETS = 2, RIG_STARTS = 64, RIG_READINGS = 4096 };

struct rig_plan {                         // what differs from the usual plan
    uint32_t target_count;                // 0 = 1
    uint32_t stage_answers, step_answers; // approvals: of the stage, of the last step
    int64_t lag_ms;
    bool hold_on_cancel, no_metric;
};

struct rig_start { // an operation of a target as it was started
    enum intent_verb verb;
    uint32_t target, share_ppm;
    int64_t at_ms;
};

struct rig_reading { // of a metric, as it was started
    uint32_t target;
    int64_t from_ms, to_ms, at_ms;
    bool canary[2]; // of the target's two hosts
    bool judged;    // it gave a value; else it failed or was dropped
};

struct target {
    struct rig *rig;
    uint32_t index;
    uint32_t share_ppm; // that it serves of the release
    bool staged, moving;
    int64_t takes_ms, looking_takes_ms;
    // the next `failures` starts of `failing` fail with this kind
    enum intent_verb failing;
    unsigned failures;
    enum error_kind kind;
    int64_t retry_after_ms; // and ask for this
    const char
        *unsettled;   // while it is not null, the target is not settled, and this is the evidence
    const char *note; // of an observation
};

struct rig {
    struct arena arena;
    int64_t now_ms;
    struct plan *plan;
    struct rollout_state *state;        // handed to the next driver
    const struct placement *placements; // likewise
    struct driver *driver;
    struct target targets[RIG_TARGETS];
    struct text log; // "intended shift\n", "start shift 0\n", …
    struct rig_start starts[RIG_STARTS];
    unsigned start_count, open_operations;
    // metric
    struct rig_reading readings[RIG_READINGS];
    unsigned reading_count, open_readings, unreadable; // the next `unreadable` give no value
    int64_t retry_after_ms;                            // and ask for this
    double value;
    int64_t reading_takes_ms;
    // journal
    enum lease_state lease;
    const char *lease_words;
    bool offline;       // nothing becomes durable
    bool losing;        // durable records are lost instead
    bool refusing;      // no record can be committed
    bool too_large;     // no record can be noted
    bool unsettled;     // what was committed in haste
    unsigned hasty;     // commits
    unsigned committed; // the newest of the tickets that were
    int64_t push_ms;    // how long until a record is durable
    unsigned tickets, released;
    bool kept_claim;
    enum target_verb intended; // newest durable forward intent,
    uint64_t intended_ticket;  // and what it waits for
    bool reverting;            // a revert was recorded
    uint64_t durable_ticket;   // the newest that was said to be durable, with all before it
    struct text saved;         // state as of the newest record, as JSON: what a crash leaves
    str saved_memory[RIG_TARGETS];
    int64_t pushed_at[256];
    // people
    unsigned asked, withdrawn, answers;
    struct steering word; // is said once, at
    int64_t word_at_ms;   // this moment; 0 = nobody steers
    bool refuses;
    // calendar
    bool has_calendar, frozen, stale; // stale: freezes are not read again
    int64_t read_ms;                  // when they were, as far as they can be
    unsigned looks;
    const char *calendar_trouble;
    // observer
    int64_t woken_ms; // of the setup,
    bool as_found;    // likewise
    unsigned phases, troubles;
    char trouble[256];
    unsigned target_news; // how often something was said about a target
    char told[256];       // the newest of that
    enum rollout_phase seen_phases[64];
    // faults
    unsigned effects, fail_at; // the fail_at-th effect fails, counted from 1; 0 = none
};

void rig_open(struct rig *rig, struct rig_plan shape);
void rig_close(struct rig *rig);
void rig_start(struct rig *rig);            // a driver over rig->state
void rig_start_suspending(struct rig *rig); // one that does not wait for approvals
// Turns until it ends or `for_ms` have passed; the clock goes on in the steps that the driver asks
// for.
enum run_status rig_play(struct rig *rig, int64_t for_ms);
// Until the phase is reached; fails the test when it is not within an hour.
void rig_play_to(struct rig *rig, enum rollout_phase phase);
// As SIGKILL: what the ledger holds is all that is left, for the next rig_start.
void rig_crash(struct rig *rig);

unsigned rig_count(const struct rig *rig, enum intent_verb verb); // operations started
const struct rig_start *rig_first(const struct rig *rig, enum intent_verb verb);
bool rig_said(const struct rig *rig, const char *line); // in the log
// Where a line stands in the log; fails the test when it is not there.
size_t rig_where(const struct rig *rig, const char *line);

// It ended so, and stands there.
void must_be(struct rig *rig, enum run_status status, enum run_status want,
             enum rollout_phase phase);

// Inside the rig: a line of its log; and whether this effect is the one that fails.
void rig_say(struct rig *rig, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool rig_faulty(struct rig *rig);
struct journal_port rig_journal(struct rig *rig); // rig_journal.c

#endif
