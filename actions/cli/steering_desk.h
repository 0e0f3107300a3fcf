// Where people's words about a rollout that is under way come in: `sluice hold`, `promote` and
// `abort` write them to the ledger (events steering.given), and the process that drives the rollout
// reads them there, within seconds. The engine counts each once, also when another process reads it
// again.
//
//     struct steering_desk desk = {.box = {.ledger = ledger, .rollout = plan->rollout}};
//     setup.steering = steering_desk_port(&desk);
#ifndef ACTIONS_CLI_STEERING_DESK_H
#define ACTIONS_CLI_STEERING_DESK_H

#include "actions/cli/mailbox.h"
#include "deploy/run/driver.h"

#define STEERING_TYPE "steering.given"

struct steering_desk {
    struct mailbox box;
    struct arena arena; // of what was read
    int64_t next_ms;
};

struct steering_port steering_desk_port(struct steering_desk *desk);
void steering_desk_done(struct steering_desk *desk);

// Appends the word, of who runs this command or, with a `key`, of word->who, whom GitHub has
// authenticated; the same key twice is one word. ERROR kinds of ledger_append.
bool steering_write(struct ledger *ledger, str rollout, const struct steering *word, str key,
                    struct error *err);
// Whether it makes sense as the rollout stands (`state` may be null). Of a promote, *ret_ppm is the
// share of the step that it stands at. ERROR_DENIED, ERROR_LIMIT.
bool steering_check(const struct plan *plan, const struct rollout_state *state,
                    enum rollout_steer steer, uint32_t *ret_ppm, struct error *err);
// Back from such an event. False when it is malformed.
bool steering_read(const struct event *event, struct steering *ret);

const char *steer_name(enum rollout_steer steer); // "hold", "promote", "abort"

#endif
