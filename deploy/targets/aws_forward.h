// Where a rule of an Application Load Balancer, or the default action of a listener, sends
// requests: target groups and their weights. All other actions of it (signing in) are kept as they
// are when the weights are changed.
//
//     aws_forward_ask(chain, client, &place, described);
//     static void described(void *self, struct chain *chain, const struct chain_reply *reply)
//     {
//         if (!aws_forward_read(&arena, &place, reply, &forward, err)) …
//         if (aws_forward_split(&forward, green, blue, 50000)) // 5 % on green
//             aws_forward_send(chain, client, &place, &forward, changed);
//     }
#ifndef DEPLOY_TARGETS_AWS_FORWARD_H
#define DEPLOY_TARGETS_AWS_FORWARD_H

#include "deploy/targets/aws_parts.h"

enum {
    AWS_GROUPS = 5,         // that one action may forward to
    AWS_WEIGHT_WHOLE = 100, // of a group that gets everything
    AWS_WEIGHT_PARTS = 1000 // what two groups that share have together
};

struct aws_forward_place { // one of the two is empty
    str rule, listener;    // ARNs
};

struct aws_forward_group {
    str arn;
    uint32_t weight; // 0 to 999
};

struct aws_forward {
    struct aws_forward_group groups[AWS_GROUPS];
    size_t count;
    uint64_t total; // of all weights
    bool sticky;    // clients stay with the group that they met first
    str form;       // of the request that changes it, without the groups
    unsigned nth;   // the forward action's place among all of them, from 1
};

void aws_forward_ask(struct chain *chain, struct aws_client *client,
                     const struct aws_forward_place *place, chain_next next);
// From the answer to that, which is ok. ERROR_INPUT: it has no forward action, or one that cannot
// be written back; the sentence ends in what to do.
bool aws_forward_read(struct arena *arena, const struct aws_forward_place *place,
                      const struct chain_reply *reply, struct aws_forward *ret, struct error *err);

uint32_t aws_forward_weight(const struct aws_forward *forward, str group); // 0 when it has none
// The share of the requests that a group gets, in parts per million, rounded down.
uint32_t aws_forward_ppm(const struct aws_forward *forward, str group);

// The share that weights can express: tenths of a per cent, nothing and all exact.
uint32_t aws_forward_round(uint32_t share_ppm);
// Makes the weights what they are when `group` gets `share_ppm` (rounded as above) and `rest` all
// else; other groups get nothing. True when that differs from what was read. `rest` may be empty
// when the share is all.
bool aws_forward_split(struct aws_forward *forward, str group, str rest, uint32_t share_ppm);
// Sends the weights; the change is absolute, so it may be sent twice.
void aws_forward_send(struct chain *chain, struct aws_client *client,
                      const struct aws_forward_place *place, const struct aws_forward *forward,
                      chain_next next);

// How the targets of a group are.
struct aws_health {
    unsigned healthy, waiting, unhealthy, draining; // waiting: `initial`; unhealthy: any other
    char why[160]; // the provider's words about one that is not healthy; empty = none
};

void aws_health_ask(struct chain *chain, struct aws_client *client, str group, chain_next next);
void aws_health_read(const struct chain_reply *reply, struct aws_health *ret);

#endif
