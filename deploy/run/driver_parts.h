// What the parts of the driver share: driver.c (turn, commands), records.c (the journal),
// operations.c (targets), sampling.c (metrics). Not for others.
#ifndef DEPLOY_RUN_DRIVER_PARTS_H
#define DEPLOY_RUN_DRIVER_PARTS_H

#include "deploy/run/driver.h"

enum { DRIVER_IDLE_MS = 60000 };

struct operation {         // what is under way on one target
    enum target_verb verb; // VERB_NONE = nothing
    uint32_t share_ppm;
    uint64_t token; // of the newest command that asked for it
    bool stale;     // an observation: the target was changed since it began
    uint32_t attempt;
    int64_t again_ms;   // waiting to try again; 0 = running
    bool asked_to_wait; // until then, by the remote: the same command again does not cut that short
    struct target_operation *running;
};

struct endpoints { // as last observed by this process
    bool known;
    struct metric_endpoint *items;
    size_t count;
    struct arena arena;
};

struct sampling { // one (metric, target)
    uint32_t metric, nth, target;
    int64_t from_ms;  // where the next interval begins; 0 = not watching
    int64_t to_ms;    // of the one being read
    int64_t again_ms; // after an interval that could not be read,
    int64_t pause_ms; // and how long that is from then
    int64_t told_ms;  // end of the newest interval that this process asked about
    struct metric_reading *reading;
};

struct ticket { // a durable record on its way
    uint64_t token, ticket;
    int64_t since_ms;
    bool forward; // of a command that the calendar may forbid
};

struct event_queue {
    struct rollout_event *items; // those from `first` on are not handled yet
    size_t first, count, room;
    struct arena texts; // of the events; given back whenever the queue is empty
};

struct command_list { // of one or several steps, in their order
    struct rollout_command *items;
    size_t count, room;
};

struct driver {
    struct driver_setup setup;
    const struct plan *plan;
    struct rollout_state *state;
    struct arena arena; // as long as the driver
    struct placement *placements;
    struct operation *commands, *looks; // per target: verbs, and observations beside them
    struct endpoints *endpoints;        // per target
    char (*told_looks)[256];            // likewise: the trouble with looking at it, as last told
    struct sampling *samplings;
    uint32_t sampling_count;
    struct ticket *tickets;
    size_t ticket_count, ticket_room;
    struct event_queue queue;
    struct rollout_commands out;
    struct command_list due;                   // to be carried out when the records are committed
    int64_t wake_ms;                           // asked for by the engine; 0 = none
    int64_t last_ms;                           // of the newest turn
    uint64_t asked;                            // token of the open question to people
    bool frozen;                               // as the engine was last told
    char told_freeze[512], told_calendar[256]; // likewise the observer
    bool polled;                               // people were looked at since the question was asked
    bool begun, ended, cancel, asking, told_cancel, refused, lost;
    enum rollout_phase told_phase;
    bool found_held;   // and not gone on since
    bool told_alone;   // of this hold, that nobody is named who would watch it
    char words[256];   // why it was refused or lost
    char waiting[256]; // what keeps the lease from being held, as last told
};

void driver_event(struct driver *driver, const struct rollout_event *event);
void driver_tell(struct driver *driver, enum news_type type, uint32_t target, const char *text);
int64_t driver_now(const struct driver *driver);
void driver_sooner(int64_t *wake_ms, int64_t at_ms); // 0 = never
// How long to leave a remote alone after a failure: `pause_ms`, or what it asked for (Retry-After)
// where that is longer, but never longer than `most_ms`.
int64_t driver_pause(int64_t pause_ms, const struct error *err, int64_t most_ms);

void record_note(struct driver *driver, const struct rollout_command *command);
// What was noted, before what is due is carried out: in haste when that is a way back.
void records_commit(struct driver *driver);
void records_settle(struct driver *driver); // the way back has left
void records_poll(struct driver *driver, int64_t now_ms, int64_t *wake_ms);

void operation_start(struct driver *driver, const struct rollout_command *command);
void operations_turn(struct driver *driver, int64_t now_ms, int64_t *wake_ms);
void operations_clock_back(struct driver *driver, int64_t now_ms);
void operations_done(struct driver *driver);

void sampling_open(struct driver *driver);
void sampling_turn(struct driver *driver, int64_t now_ms, int64_t *wake_ms);
// Every metric was asked about every target that it watches, in this bake and by this process.
bool sampling_told(const struct driver *driver);
void sampling_done(struct driver *driver);

#endif
