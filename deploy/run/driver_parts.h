// What the parts of the driver share: driver.c (turn, commands), operations.c (targets),
// sampling.c (metrics). Not for others.
#ifndef DEPLOY_RUN_DRIVER_PARTS_H
#define DEPLOY_RUN_DRIVER_PARTS_H

#include "deploy/run/driver.h"

enum { DRIVER_EVENTS = 4 * LIMIT_TARGETS, DRIVER_IDLE_MS = 60000 };

struct operation { // what is under way on one target
    enum target_verb verb; // VERB_NONE = nothing
    uint32_t share_ppm;
    uint32_t attempt;
    int64_t again_ms; // waiting to try again; 0 = running
    int64_t started_ms;
    struct target_operation *running;
};

struct endpoints { // as last observed
    struct metric_endpoint *items;
    size_t count;
    struct arena arena;
};

struct sampling { // one (metric, target)
    uint32_t metric, nth, target;
    int64_t next_ms; // when the next interval ends and its figures have settled
    int64_t from_ms; // where the next interval begins; 0 = not watching
    int64_t to_ms;   // of the one being read
    struct metric_reading *reading;
};

struct ticket { // a durable record on its way
    uint64_t token, ticket;
};

struct driver {
    struct driver_setup setup;
    const struct plan *plan;
    struct rollout_state *state;
    struct arena arena; // as long as the driver
    struct placement *placements;
    struct operation *commands, *looks; // per target: verbs, and observations beside them
    struct endpoints *endpoints;
    struct sampling *samplings;
    uint32_t sampling_count;
    struct ticket *tickets;
    size_t ticket_count, ticket_room;
    struct rollout_event *events; // ring
    uint32_t event_first, event_count;
    struct rollout_commands out;
    int64_t wake_ms; // asked for by the engine; 0 = none
    uint64_t keys;   // attempts of all, for idempotency keys
    bool begun, ended, cancel, asking, told_cancel, told_lost;
    enum rollout_phase told_phase;
    char words[256];
};

void driver_event(struct driver *driver, const struct rollout_event *event);
void driver_tell(struct driver *driver, enum news_type type, uint32_t target, const char *text);
int64_t driver_now(const struct driver *driver);

void operation_start(struct driver *driver, uint32_t target, enum target_verb verb,
                     uint32_t share_ppm);
void operations_turn(struct driver *driver, int64_t now_ms, int64_t *wake_ms);
void operations_done(struct driver *driver);

void sampling_open(struct driver *driver);
void sampling_turn(struct driver *driver, int64_t now_ms, int64_t *wake_ms);
void sampling_done(struct driver *driver);

#endif
