// The driver: carries the engine's commands out against real targets, metrics and people, writes
// each record before acting on it, and feeds results back as events. It never blocks: driver_turn
// does what can be done now and says when it wants to be called again; the caller waits in
// world_wait.
//
//     while (driver_turn(driver, &wake_ms) == RUN_GOING) world_wait(world, wake_ms);
//     phase = driver_state(driver)->phase;
#ifndef DEPLOY_RUN_DRIVER_H
#define DEPLOY_RUN_DRIVER_H

#include "deploy/engine/journal.h"
#include "deploy/metrics/metric.h"
#include "deploy/targets/target.h"

// ---- people ------------------------------------------------------------------------------------
struct approval_question {
    const struct plan *plan;
    const struct rollout_state *state;
    const struct plan_approval *rule;
    uint32_t step; // UINT32_MAX: of the stage
};

struct approval_answer {
    bool granted;
    bool withdrawn; // the approval `word` is taken back
    uint64_t word;  // names the answer; 0 = it has no name
    str who, comment;
};

struct approver_port {
    void *self;
    void (*ask)(void *self, const struct approval_question *question, int64_t now_ms);
    // True with one answer; false while there is none. Answers of people who may not are not passed
    // on.
    bool (*poll)(void *self, int64_t now_ms, struct approval_answer *ret);
    void (*withdraw)(void *self);
};

struct steering { // what a person wants of a rollout that is under way
    enum rollout_steer steer;
    uint64_t token;     // names it: it counts once, whoever reads it again
    uint32_t share_ppm; // of a promote: meant for the step of that share; 0 = for any
    str who, text;      // hold until the next poll
};

struct steering_port {
    void *self;
    // True with one; false while there is none. Each is given once to this process.
    bool (*poll)(void *self, int64_t now_ms, struct steering *ret);
};

// ---- the calendar ------------------------------------------------------------------------------
struct calendar_word {
    bool frozen;       // forward steps must wait
    int64_t until_ms;  // when to ask again at the latest
    char text[512];    // frozen: by what and until when
    char trouble[256]; // what keeps it from being known as it should be; empty = nothing
};

struct calendar_port {
    void *self;
    // What holds now. Never blocks: whatever takes time goes on between the calls.
    void (*look)(void *self, int64_t now_ms, struct calendar_word *ret);
    // Was what forbids read since then? A forward command waits for that once its record is
    // durable. Also true when it could not be read for a while: then what is known holds.
    bool (*fresh)(void *self, int64_t now_ms, int64_t since_ms);
};

// ---- those who watch ---------------------------------------------------------------------------
enum news_type {
    NEWS_PHASE,    // state->phase changed
    NEWS_TARGET,   // something is known about `target`: text
    NEWS_SAMPLE,   // `sample` of `metric` was judged
    NEWS_RECORDED, // a record was appended
    NEWS_TROUBLE,  // something to know that does not stop it: text
};

struct run_news {
    enum news_type type;
    const struct plan *plan;
    const struct rollout_state *state;
    const struct rollout_command *record; // NEWS_RECORDED
    const struct metric_sample *sample;
    uint32_t target, metric; // target: TARGET_EVERY when it is about no single one
    const char *text;
    int64_t now_ms;
};

struct observer_port {
    void *self;
    void (*tell)(void *self, const struct run_news *news);
};

// ---- the driver --------------------------------------------------------------------------------
struct run_target {
    const struct target_kind *kind;
    struct target *target;
    str artifact_path;
};

struct run_metric {
    const struct metric_kind *kind;
    struct metric *metric;
};

struct driver_setup {
    const struct plan *plan;
    struct rollout_state *state;        // read from the ledger, changed here; null starts anew
    const struct placement *placements; // likewise; null: those of the plan
    const struct run_target *targets;   // plan->target_count
    const struct run_metric *metrics;   // plan->metric_count
    struct journal_port journal;
    struct clock_port clock;
    struct entropy_port entropy;
    struct approver_port approver;
    struct steering_port steering; // zeroed: nobody steers
    struct calendar_port calendar; // zeroed: forward steps may be at any time
    struct observer_port observer;
    bool force_lease; // a rollback: fences out whoever runs
    bool suspend;     // do not wait here for people,
    bool stay;        // but while the release has traffic
    int64_t woken_ms; // who wakes what is suspended with traffic does within this; 0 = nobody does
    bool as_found;    // what is found held may be left so, whoever is named
};

enum run_status {
    RUN_GOING,
    RUN_ENDED, // terminal, stuck, or cancelled: state->phase says which
    // Waiting, held or frozen, or in a bake that lasts longer than who wakes it takes; with traffic
    // on the release only where somebody is named who does, or where it was found so.
    RUN_SUSPENDED,
    RUN_REFUSED, // it never held the lease: driver_words says who does
    RUN_LOST,    // it held the lease and was fenced out, or a record of it was refused
};

struct driver;
// Takes claim and lease; what the setup points to must outlive the driver. On failure nothing is
// held.
bool driver_open(const struct driver_setup *setup, struct driver **ret, struct error *err);
// *ret_wake_ms: when to call again at the latest; earlier, when something that was started moved.
// After anything but RUN_GOING it is only closed.
enum run_status driver_turn(struct driver *driver, int64_t *ret_wake_ms);
// A signal came: the next turns revert, or hold, as the plan says. Before the lease is held it
// ends.
void driver_cancel(struct driver *driver);
const struct rollout_state *driver_state(const struct driver *driver);
const char *driver_words(const struct driver *driver); // why it was refused or lost
void driver_close(struct driver *driver); // drops what is under way, gives the lease back

#endif
