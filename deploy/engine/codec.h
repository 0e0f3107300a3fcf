// Plans and states as JSON, for the ledger, and back. What is written is read back equal.
//
// Fields that are nothing (0, false, empty) are left out, and a field that is absent is read as
// nothing: a state written by an older sluice can be resumed, and rolled back, by a newer one. A
// field of the wrong kind, an unknown word, or an index out of range is ERROR_INPUT.
//
//     plan_write(plan, "plan", &out);
//     rollout_state_write(plan, state, "state", &out);
//     if (!plan_read(&arena, node_get(body, "plan"), &plan, err)) return false;
//     if (!rollout_state_read(&arena, plan, node_get(body, "state"), &state, err)) return false;
#ifndef DEPLOY_ENGINE_CODEC_H
#define DEPLOY_ENGINE_CODEC_H

#include "deploy/engine/engine.h"
#include "gate/doc/json.h"

void plan_write(const struct plan *plan, const char *key, struct json_out *out);
// Texts of the result are copies in `arena`. Checks what memory safety needs, not plan_check.
bool plan_read(struct arena *arena, const struct node *node, struct plan **ret, struct error *err);
void rollout_state_write(const struct plan *plan, const struct rollout_state *state,
                         const char *key, struct json_out *out);
// The state sleeps until RE_RESUMED, unless nothing has begun.
bool rollout_state_read(struct arena *arena, const struct plan *plan, const struct node *node,
                        struct rollout_state **ret, struct error *err);

#endif
