// Rollouts that wait until an environment is free: in the order in which they came, as the ledger
// has it. A place in the queue is an event (queue.joined, stream rollout); it is kept alive by
// queue.renewed, and given up by queue.left. One that nobody renews, because its process is gone,
// is passed over after QUEUE_TTL_MS.
//
//     struct queue_place place = {.environment = environment, .release = release};
//     if (queue_wait(d, &place, limit_ms)) … queue_leave(d, &place, "begins");
#ifndef ACTIONS_CLI_QUEUE_H
#define ACTIONS_CLI_QUEUE_H

#include "actions/cli/ledger_facts.h"
#include "gate/doc/json.h"

#define QUEUE_TTL_MS (150 * INT64_C(1000))
#define QUEUE_RENEW_MS (60 * INT64_C(1000))

struct queue_place {
    str environment, release;
    char id[EVENT_ID]; // of its queue.joined; empty = not in the queue
    int64_t joined_ms, renewed_ms;
    int64_t limit_ms; // it gives up then
};

// Waits until the environment is free and nobody is before this place. A place that was taken
// before is kept. False, with the place given up and call->error set: ERROR_DENIED when the time is
// over, ERROR_TRANSIENT when a signal came.
bool queue_wait(struct deployment *d, struct queue_place *place, int64_t limit_ms);
// Gives the place up; what cannot be written now is found out by its age.
void queue_leave(struct deployment *d, struct queue_place *place, const char *why);

// Who waits for what, for `status`; nothing where nobody does.
void queue_text(struct deployment *d, struct text *out);
void queue_json(struct deployment *d, struct json_out *json);

#endif
