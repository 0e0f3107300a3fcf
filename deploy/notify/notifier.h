// Sends notices, and never lets that matter to the rollout: what happens is only put into a queue;
// sending is begun between the turns of the driver, never while a way back is under way, and
// never waits. Each receiver gets its notices one after the other, each with a time limit, and is
// tried again a few times, as late as it asks for. What could not be sent is said once and
// recorded.
//
//     notifier_open(&setup, &notifier);
//     notifier_tell(notifier, &source);              // from the driver's observer
//     wake_ms = notifier_turn(notifier, now_ms);     // after each turn of the driver
//     … at the end: while (notifier_busy(notifier) && !late) world_wait(…), notifier_turn(…);
//     notifier_give_up(notifier);
//     notifier_close(notifier);
#ifndef DEPLOY_NOTIFY_NOTIFIER_H
#define DEPLOY_NOTIFY_NOTIFIER_H

#include "deploy/notify/notify_config.h"
#include "gate/base/ports.h"
#include "gate/base/template.h"

enum {
    NOTIFY_QUEUE = 16,            // notices that wait for one receiver; the oldest make room
    NOTIFY_ATTEMPTS = 5,          // of one notice, by one process
    NOTIFY_LIMIT_MS = 10000,      // for one exchange
    NOTIFY_WAIT_MOST_MS = 300000, // a receiver that asks for more is given up
    NOTIFY_KEY = 200,             // bytes of a key, with NUL
};

struct notice_result {
    const char *key; // of what was sent, or not: one notice to one receiver
    str rollout;
    str id; // of the notice
    const char *event, *receiver, *format;
    bool resolve; // it ended what an earlier one opened
    uint32_t attempts;
    const char *why; // it was not delivered: without the address; null = it was
};

struct notifier_port { // of whoever keeps the record
    void *self;
    bool (*was_sent)(void *self, const char *key);
    // Was anything about this rollout sent to this receiver?
    bool (*was_told)(void *self, str rollout, const char *receiver);
    void (*record)(void *self, const struct notice_result *result);
    void (*say)(void *self, const char *words); // to the person at hand
};

struct notifier_setup { // what it points to must outlive the notifier
    const struct notify_settings *settings;
    const struct template_value *variables; // env.*; ends with a null name
    struct http_port http;
    struct clock_port clock;
    struct entropy_port entropy;
    struct notifier_port port;
};

struct notifier;

// A receiver whose address is not set, or is none that a secret may be sent to, is said and left
// out.
void notifier_open(const struct notifier_setup *setup, struct notifier **ret);
void notifier_close(struct notifier *notifier); // drops what is under way; null is fine

// Queues it for every receiver that wants it and was not sent it before. Copies what it needs; has
// no effect on the world.
void notifier_tell(struct notifier *notifier, const struct notice_source *source);
// Does something want it that has not got it? For what another process may have left.
bool notifier_owes(const struct notifier *notifier, const struct plan *plan,
                   const struct rollout_state *state, enum notice_event event);

// Begins, polls and tries again. Returns the moment at which it wants to be called again.
int64_t notifier_turn(struct notifier *notifier, int64_t now_ms);
bool notifier_busy(const struct notifier *notifier); // something is queued or under way
// What is not delivered by now counts as failed; another process may still send it.
void notifier_give_up(struct notifier *notifier);

// "notify/v812-production-1/held/17/env.SLACK_URL"; a digest of that where it is too long.
char *notifier_key(str id, str receiver, bool resolve, char out[NOTIFY_KEY]);

#endif
