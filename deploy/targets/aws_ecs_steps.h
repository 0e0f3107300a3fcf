// Inside aws-ecs: the steps of which its verbs are made. Each is given what was seen, and either is
// done already (true), or says in *ret what is missing, or fails with *err (both false).
//
//     if (!ecs_bring(operation, slot, revision, count, ret, err))
//         return;
//     ret->act = ecs_is_up(operation, slot) ? ECS_DONE : ECS_WAIT;
#ifndef DEPLOY_TARGETS_AWS_ECS_STEPS_H
#define DEPLOY_TARGETS_AWS_ECS_STEPS_H

#include "deploy/targets/aws_ecs.h"

static inline struct ecs_service *ecs_service_of(struct target_operation *operation, unsigned index)
{
    return &operation->seen.services[index];
}

static inline str ecs_name_of(const struct target_operation *operation, unsigned index)
{
    return operation->ecs->names[index];
}

static inline bool ecs_runs(const struct ecs_service *service, str revision)
{
    return revision.len && str_eq(service->definition, revision);
}

static inline int64_t ecs_more(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// Settled, and with tasks.
bool ecs_is_up(const struct target_operation *operation, unsigned index);

void ecs_wait(struct ecs_step *ret);
bool ecs_fail(struct ecs_step *ret); // false
// False. An empty definition, or a count of -1: as it is.
bool ecs_update(struct target_operation *operation, unsigned index, str definition, int64_t desired,
                struct ecs_step *ret);

// Brings `revision` onto a service, with at least `count` tasks where it has none of it. True when
// it runs there; whether it is settled is another question.
bool ecs_bring(struct target_operation *operation, unsigned index, str revision, int64_t count,
               struct ecs_step *ret, struct error *err);
// At least `count` tasks; once, so that scaling has the last word.
bool ecs_raise(struct target_operation *operation, unsigned index, int64_t count,
               struct ecs_step *ret);
// Scales a service away that gets no requests. True when nothing of it is left.
bool ecs_take_away(struct target_operation *operation, unsigned index, struct ecs_step *ret,
                   struct error *err);

// Whether the rule already gives `index` this share and the other one the rest.
bool ecs_has_share(struct target_operation *operation, unsigned index, uint32_t share);
bool ecs_weigh(struct target_operation *operation, unsigned index, uint32_t share,
               struct ecs_step *ret, struct error *err);

#endif
