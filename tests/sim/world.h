// A simulated world, made from one number: targets, a ledger with leases, traffic, metrics,
// people, a supervisor that resumes what was left, and everything that goes wrong with them. The
// engine in it is the real one. Time is virtual; the same seed gives the same world to the last
// event.
//
//     static struct world world;               // large: not on the stack
//     world_run(&world, &(struct scenario){.seed = 42});
//     if (world.violation[0]) puts(world.violation);
//
// The parts: making.c, world.c (chance and time), targets.c, ledger.c (the journal port),
// process.c (a small driver), people.c, samples.c, checks.c (the invariants), history.c (what is
// printed).
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "deploy/engine/detect.h"
#include "deploy/engine/journal.h"
#include "gate/base/moment.h"

#include <stdio.h>

enum {
    WORLD_TARGETS = 3,
    WORLD_METRICS = 3,
    WORLD_WATCHES = WORLD_TARGETS * WORLD_METRICS,
    WORLD_STEPS = 4,
    WORLD_PROCESSES = 128,
    WORLD_ENTRIES = 4096,
    WORLD_HAPPENINGS = 4096,
    WORLD_PEOPLE = 3,
    WORLD_TICKETS = 16,
};

// Which rollout: the release on its way out, or a rollback by hand that fences it out.
enum rollout_kind { FORWARD, ROLLBACK, KINDS };

// ---- what is wrong with this world: chances per effect, 0 = never -------------------------------
struct faults {
    double error_before, error_after; // an API call fails without, or in spite of, its effect
    double throttled;
    double lost, doubled, late; // answers to commands and observations
    double slow, partial;       // convergence
    double taken_back;          // by the provider itself, after it was accepted
    double gap, no_value, no_traffic, late_sample, doubled_sample;
    double push_loses;
    bool broken;           // the API of one target is out of order for hours
    bool crash, disk_lost; // at effect number `crash_at`, up to `crashes` times
    bool stray, clock, remote_down, cancel, second_runner, rollback, steer, freeze, pause;
};

struct scenario {
    uint64_t seed;
    FILE *trace; // null = none
    bool codec;  // states go through JSON between processes
    // A fixed world instead of one drawn from the seed:
    bool canonical;
    bool bad; // the release is
    bool approvals;
    bool rollback;     // canonical: a rollback by hand, while the release is on its way
    uint32_t crash_at; // canonical: the effect before which the process dies; 0 = none
    bool disk_lost;
};

// ---- things in it -------------------------------------------------------------------------------
// How a target changes, as the kinds of deploy/targets do.
enum provider {
    PROVIDER_INSTANCES, // one after another, there and back: hosts, gcp-mig, aws-ecs rolling
    PROVIDER_WEIGHTS, // at once, nothing in between: gcp-run, aws-lambda, aws-alb, aws-ecs weighted
};

struct simulated_target {
    enum provider provider;
    uint32_t before_ppm; // that the newest request found
    bool taken_back; // the provider undoes it: a circuit breaker, a revision that does not start
    uint32_t desired_ppm, served_ppm; // of the release
    bool settled, staged, promoted, halfway;
    uint64_t generation;    // of the newest request that had an effect
    uint32_t waits_process; // whose operation ends when it has converged
    uint64_t waits_operation;
    enum target_verb verb;
    bool answer_lost;
    int64_t broken_until;
    int64_t strayed_at; // when it last went back by itself
};

struct snapshot {
    struct rollout_state state;
    struct target_state targets[WORLD_TARGETS];
    struct watch_state watches[WORLD_WATCHES];
};

struct entry { // a record in the ledger, or on its way there
    enum rollout_kind kind;
    bool incident;
    struct rollout_command command; // `who` is not kept
    uint32_t person;                // index, or UINT32_MAX
    uint32_t writer;
    bool durable;
    struct snapshot after;
};

struct operation {
    uint64_t id; // 0 = none
    enum target_verb verb;
    uint32_t share_ppm;
    uint64_t token;
    int64_t last_arrival;
};

struct ticket { // a durable record on its way
    uint64_t token, entry;
};

struct process {
    struct world *world;
    uint32_t id; // index in world.processes
    enum rollout_kind kind;
    bool alive, begun, known_lost, ended, disk_lost, suspends, overslept, awake;
    bool told_frozen; // by the calendar, as it was last told
    uint32_t machine;
    enum rollout_phase resumed_from;
    int64_t skew_ms;
    int64_t paused_until;
    int64_t moved_at;         // when what it did last was no mere looking on
    struct snapshot snapshot; // its state; the pointers in it point into it
    struct operation operations[WORLD_TARGETS];
    int64_t sampled_ms[WORLD_WATCHES]; // where the next interval begins; 0 = not watching
    uint64_t wake_id;
    // journal
    struct journal_port journal;
    enum lease_state lease;
    uint64_t lease_number;
    int64_t lease_until;           // as it believes
    uint16_t queue[WORLD_ENTRIES]; // committed here, not pushed yet
    uint32_t queued;
    bool has_noted;       // what is not committed yet,
    uint32_t first_noted; // from this entry on
    bool push_under_way;
    uint32_t base; // entries of the remote when it last pushed or read
    struct ticket tickets[WORLD_TICKETS];
    uint32_t ticket_count;
};

struct ledger { // at the remote
    uint16_t entries[WORLD_ENTRIES];
    uint32_t count;
    uint64_t lease_number;
    uint32_t lease_holder; // UINT32_MAX = nobody
    int64_t lease_until;
    bool down;
};

enum happening_kind {
    H_DELIVER,   // an event reaches a process
    H_ARRIVE,    // a request reaches a target
    H_LOOK,      // an observation reaches a target
    H_CONVERGE,  // a target gets further
    H_TAKE,      // a request for the lease reaches the remote
    H_PUSH,      // a push reaches the remote
    H_TURN,      // a process looks at its journal
    H_HEARTBEAT, // a process renews its lease
    H_WAKE,      // a timer of a process
    H_SAMPLE,    // a process takes samples
    H_ANSWER,    // a person answers a question
    H_WITHDRAW,  // takes that back
    H_STEER,     // a person steers
    H_KILL,      // a process is killed
    H_CANCEL,    // a process is told to end, and killed ten seconds later
    H_PAUSE,     // a process stands still
    H_SUPERVISE, // sluice resume, called now and then
    H_SECOND,    // a second runner
    H_ROLLBACK,  // a person calls for a rollback
    H_BREAK,     // the API of a target goes out of order
    H_STRAY,     // a target goes back on its own
    H_CLOCK,     // the clock jumps
    H_REMOTE,    // the remote goes down or comes up
    H_FREEZE,
};

struct happening {
    int64_t at;
    uint64_t order;
    enum happening_kind kind;
    uint32_t process, target;
    uint64_t id; // operation, generation, token
    uint32_t attempt;
    int64_t amount;
    struct rollout_event event;
};

struct coming { // a happening's place in time, apart from it: this is what is sorted
    int64_t at;
    uint64_t order;
    uint32_t index;
};

struct question {
    bool asked;
    uint32_t answers[WORLD_PEOPLE]; // 0 not yet, 1 yes, 2 no
    bool drawn[WORLD_PEOPLE];       // whether and when that person answers is decided
    bool fickle[WORLD_PEOPLE];      // wants an approval back later
    bool withdrawn[WORLD_PEOPLE];   // and has it, as far as the ledger told
};

struct fed { // what the judges were really given since the step began
    double exposure;
    uint32_t values;
    int64_t newest_ms;
    int64_t watched_ms; // of the bake, by samples with or without a value
};

struct outcome {       // for the statistics over many worlds
    bool bare;         // nothing wrong with it but, perhaps, the release
    bool regression;   // of the ratio that the plan called detectable
    bool passed_first; // its first step passed
    bool aborted;      // by the engine itself
    enum rollout_phase phase;
    uint32_t effects, events, restarts, crashes;
};

enum { WORLD_WORDS = 32 };

struct word { // its token is its place, from 1
    enum rollout_steer steer;
};

struct world {
    struct scenario scenario;
    uint64_t random;
    int64_t now;          // virtual, never jumps
    int64_t clock_offset; // wall clock = now + offset + skew
    bool clock_jumped;
    struct faults faults;
    // the plan
    struct plan plans[KINDS];
    struct plan_target targets_of_plan[WORLD_TARGETS];
    struct plan_metric metrics[WORLD_METRICS];
    uint32_t watched[WORLD_METRICS][WORLD_TARGETS];
    struct dispersion known[WORLD_TARGETS]; // of the rate, before the rollout
    uint32_t shares[WORLD_TARGETS][WORLD_STEPS];
    // the truth about the release and its traffic
    double per_minute, base_rate, ratio;
    double latency;
    double bursts; // failures come so many at a time
    bool bad;
    // things
    struct simulated_target targets[WORLD_TARGETS];
    struct ledger ledger;
    struct entry entries[WORLD_ENTRIES];
    uint32_t entry_count;
    struct process processes[WORLD_PROCESSES];
    uint32_t process_count;
    struct question questions[WORLD_STEPS + 1]; // of the steps; the last is the stage's
    struct fed fed[WORLD_WATCHES];
    uint32_t fed_step;
    bool frozen;
    int64_t freed_at; // when what keeps a process from going on last ended: a freeze, the remote's
                      // being down, a jump of the clock, a pause
    bool rollback_called;
    bool decision_due;              // a person will decide about a hold
    struct word words[WORLD_WORDS]; // of people who steer, as the ledger has them
    uint64_t steers;
    uint32_t restarts, crashes, crashes_left, crash_at;
    uint64_t operations;
    int64_t fenced_at; // when a lease was last taken from a living process
    int64_t last_stray_at;
    uint32_t effects, events;
    // the future
    struct happening happenings[WORLD_HAPPENINGS];
    struct coming heap[WORLD_HAPPENINGS];
    uint32_t heap_count;
    uint32_t unused[WORLD_HAPPENINGS], unused_count;
    uint64_t order;
    struct rollout_commands out;
    struct arena arena;
    struct outcome outcome;
    char violation[512];
};

void world_run(struct world *world, const struct scenario *scenario);
void world_make(struct world *world, const struct scenario *scenario); // without letting time pass

// ---- chance and time ----------------------------------------------------------------------------
uint64_t world_random(struct world *world);
double world_uniform(struct world *world); // within [0,1)
bool world_chance(struct world *world, double probability);
int64_t world_between(struct world *world, int64_t low, int64_t high); // both included
double world_poisson(struct world *world, double mean);
double world_failures(struct world *world, double mean, double of); // in bursts; at most `of`
// A happening `after_ms` from now; its fields are filled in by the caller. `event` is not cleared.
struct happening *world_later(struct world *world, int64_t after_ms, enum happening_kind kind);
int64_t wall_ms(const struct world *world, const struct process *process);
struct process *living(struct world *world, enum rollout_kind kind); // null when none

// ---- targets.c ----------------------------------------------------------------------------------
void target_arrive(struct world *world, const struct happening *happening);
void target_converge(struct world *world, const struct happening *happening);
void target_look(struct world *world, const struct happening *happening);
void target_stray(struct world *world);
void target_break(struct world *world);

// ---- ledger.c -----------------------------------------------------------------------------------
void journal_open(struct world *world, struct process *process);
void ledger_take(struct world *world, const struct happening *happening);
void ledger_push(struct world *world, const struct happening *happening);
void ledger_renew(struct world *world, struct process *process);
void ledger_heartbeat(struct world *world, const struct happening *happening);
// The newest state of a rollout at the remote; null when there is none.
const struct snapshot *ledger_newest(const struct world *world, enum rollout_kind kind);
// The newest that a process which has the lease can read: the remote's, or what an earlier one
// left on this machine's disk; what of that was not pushed becomes its own to push.
const struct snapshot *ledger_read(struct world *world, struct process *process);

// ---- process.c ----------------------------------------------------------------------------------
struct process *process_start(struct world *world, enum rollout_kind kind, uint32_t machine);
void process_turn(struct world *world, struct process *process);
void process_feed(struct world *world, struct process *process, const struct rollout_event *event);
void process_deliver(struct world *world, uint32_t process, int64_t after_ms,
                     const struct rollout_event *event);
void process_kill(struct world *world, struct process *process);
void process_end(struct world *world, struct process *process);
void process_send(struct world *world, struct process *process, uint32_t target, int64_t after_ms,
                  uint32_t attempt);
void process_supervise(struct world *world);
// Counts an effect; false: the process died before it.
bool process_effect(struct world *world, struct process *process);

// ---- samples.c ----------------------------------------------------------------------------------
void samples_take(struct world *world, struct process *process);

// ---- people.c -----------------------------------------------------------------------------------
void people_asked(struct world *world, const struct process *process,
                  const struct rollout_command *command);
void people_answers(struct world *world, const struct happening *happening);
void people_withdraws(struct world *world, const struct happening *happening);
void people_steers(struct world *world, const struct happening *happening);
// A process that goes on reads every word again.
void people_told_again(struct world *world, const struct process *process);
void people_see(struct world *world, const struct entry *entry);

// ---- checks.c -----------------------------------------------------------------------------------
void violated(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
void check_fed(struct world *world, const struct process *process,
               const struct rollout_event *event, enum rollout_phase before);
void check_transition(struct world *world, struct process *process, enum rollout_phase before);
// A process that nothing keeps from going on does not stay where it is for ever.
void check_goes_on(struct world *world, const struct process *process);
void check_command(struct world *world, const struct process *process,
                   const struct rollout_command *command);
void check_record(struct world *world, const struct entry *entry);
// Of the entries from `first` on, which the process commits as one.
void check_together(struct world *world, const struct process *process, uint32_t first);
void check_served(struct world *world, uint32_t target);
void check_end(struct world *world);

// ---- history.c ----------------------------------------------------------------------------------
void history(const struct world *world, const struct process *process, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void history_plan(const struct world *world);
void history_event(const struct world *world, const struct process *process,
                   const struct rollout_event *event);
void history_command(const struct world *world, const struct process *process,
                     const struct rollout_command *command);

#endif
