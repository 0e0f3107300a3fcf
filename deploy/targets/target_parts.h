// What the kinds of several clouds share: names that may come from the environment, copies of an
// intent, troubles of a survey, and how often to look.
//
//     target_name_check("service", config->service, node, problems);     // configuration is read
//     if (!target_name_open(&arena, setup, "service", &service, err)) …  // target is opened
//     chain_pause(chain, target_pause_ms(&operation->looks), look);
#ifndef DEPLOY_TARGETS_TARGET_PARTS_H
#define DEPLOY_TARGETS_TARGET_PARTS_H

#include "deploy/cloud/chain.h"
#include "deploy/targets/target.h"

// A name in which `${env.NAME}` may stand: that nothing else does. False after a problem; true for
// an empty one.
bool target_name_check(const char *key, str value, const struct node *node,
                       struct problems *problems);
// *value becomes what the environment makes of it, in `arena`.
bool target_name_open(struct arena *arena, const struct target_setup *setup, const char *key,
                      str *value, struct error *err);

// `value` of the key, with ${release}, ${commit}, ${digest} and ${env.NAME} put in. ERROR_INPUT
// names the key.
bool target_release_fill(struct arena *arena, const struct target_setup *setup, const char *key,
                         str value, const struct target_release *release, str *ret,
                         struct error *err);

struct target_release target_release_copy(struct arena *arena, const struct target_release *from);

// Of an observation with `survey`.
struct target_troubles {
    struct arena *arena;
    struct target_trouble *items;
    size_t count, room;
};

void target_trouble_add(struct target_troubles *troubles, enum error_kind kind, const char *format,
                        ...) __attribute__((format(printf, 3, 4)));
// That a call failed: which permission is missing, where that is what it is.
void target_trouble_of(struct target_troubles *troubles, const struct chain_reply *reply,
                       const char *permission);

// The pause before the next look: a second at first, growing to ten while nothing changes. *looks
// is counted up; set it to 0 when something did.
int64_t target_pause_ms(unsigned *looks);

#endif
