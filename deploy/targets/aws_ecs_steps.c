// The steps of which the verbs are made. Nothing is asked here, and nothing is remembered but what
// this operation sent itself.
//
// The provider may go back on its own (circuit breaker): after our definition was accepted, a
// PRIMARY deployment of another one is that. A count that somebody else changed since (scaling) is
// left alone: a count is sent once by an operation, and lowered only to nothing.
#include "deploy/targets/aws_ecs_steps.h"

// ---- settled -----------------------------------------------------------------------------------

bool ecs_is_settled(const struct target_operation *operation, unsigned index)
{
    const struct ecs_service *service = &operation->seen.services[index];
    bool rolled = service->rollout == ECS_COMPLETED || service->rollout == ECS_UNTOLD;
    bool counted = service->running == service->desired && service->pending == 0;
    bool healthy = !service->group.len || service->desired == 0 ||
                   (service->health_known && service->health.healthy >= service->desired &&
                    service->health.waiting == 0 && service->health.unhealthy == 0);
    return service->deployments == 1 && rolled && counted && healthy;
}

bool ecs_is_up(const struct target_operation *operation, unsigned index)
{
    return operation->seen.services[index].desired > 0 && ecs_is_settled(operation, index);
}

str ecs_unsettled_why(struct arena *arena, const struct target_operation *operation)
{
    for (unsigned i = 0; i < operation->ecs->count; i++) {
        const struct ecs_service *service = &operation->seen.services[i];
        str name = operation->ecs->names[i];
        if (service->ppm == 0 || ecs_is_settled(operation, i))
            continue;
        if (service->rollout == ECS_FAILED)
            return arena_format(arena, STR_FMT ": its deployment failed: " STR_FMT, STR_ARG(name),
                                STR_ARG(service->reason));
        if (service->deployments != 1 || service->rollout == ECS_IN_PROGRESS)
            return arena_format(arena, STR_FMT ": a deployment of " STR_FMT " is under way",
                                STR_ARG(name), STR_ARG(service->definition));
        if (service->running != service->desired || service->pending)
            return arena_format(arena, STR_FMT ": %lld of %lld tasks run", STR_ARG(name),
                                (long long)service->running, (long long)service->desired);
        return arena_format(arena, STR_FMT ": %u of %lld targets are healthy (%s)", STR_ARG(name),
                            service->health.healthy, (long long)service->desired,
                            service->health.why[0] ? service->health.why : "none registered");
    }
    return (str){NULL, 0};
}

// ---- steps -------------------------------------------------------------------------------------

void ecs_wait(struct ecs_step *ret)
{
    *ret = (struct ecs_step){.act = ECS_WAIT};
}

bool ecs_update(struct target_operation *operation, unsigned index, str definition, int64_t desired,
                struct ecs_step *ret)
{
    struct ecs_sent *sent = &operation->sent[index];
    *ret = (struct ecs_step){
        .act = ECS_UPDATE, .service = index, .definition = definition, .desired = desired};
    if (definition.len) {
        sent->definition = true;
        sent->before = arena_str(&operation->arena, ecs_service_of(operation, index)->deployment);
    }
    if (desired > 0)
        sent->raised = true;
    return false;
}

bool ecs_fail(struct ecs_step *ret)
{
    *ret = (struct ecs_step){.act = ECS_FAIL};
    return false;
}

static str reason_of(const struct ecs_service *service)
{
    if (service->failed_reason.len)
        return service->failed_reason;
    return service->reason.len ? service->reason : STR("the provider gives no reason");
}

// Another definition is PRIMARY than was asked for. True when that cannot be the answer of before.
static bool went_back(const struct ecs_service *service, struct ecs_sent *sent)
{
    enum { LATE_LOOKS = 6 }; // eight seconds: longer than an answer stays behind
    return sent->seen || !str_eq(service->deployment, sent->before) || ++sent->looks > LATE_LOOKS;
}

bool ecs_bring(struct target_operation *operation, unsigned index, str revision, int64_t count,
               struct ecs_step *ret, struct error *err)
{
    struct ecs_service *service = ecs_service_of(operation, index);
    struct ecs_sent *sent = &operation->sent[index];
    str name = ecs_name_of(operation, index);
    int64_t wanted = count > service->desired ? count : -1;
    if (!ecs_runs(service, revision)) {
        if (!sent->definition)
            return ecs_update(operation, index, revision, wanted, ret);
        ecs_wait(ret);
        if (!went_back(service, sent))
            return false;
        (void)error_set(err, ERROR_REMOTE,
                        "service " STR_FMT " did not stay on " STR_FMT " and went back to " STR_FMT
                        ": " STR_FMT,
                        STR_ARG(name), STR_ARG(revision), STR_ARG(service->definition),
                        STR_ARG(reason_of(service)));
        return ecs_fail(ret);
    }
    bool again = sent->definition && str_eq(service->deployment, sent->before);
    sent->seen = sent->seen || (sent->definition && !again);
    if (service->rollout == ECS_FAILED && !sent->definition) {
        (void)ecs_update(operation, index, revision, service->desired ? -1 : wanted, ret);
        ret->force = true; // of an earlier try: it is tried anew, once
        return false;
    }
    if (service->rollout == ECS_FAILED && !again) {
        (void)error_set(err, ERROR_REMOTE,
                        "the deployment of " STR_FMT " on service " STR_FMT
                        " failed, and %lld tasks with it: " STR_FMT,
                        STR_ARG(revision), STR_ARG(name), (long long)service->failed,
                        STR_ARG(reason_of(service)));
        return ecs_fail(ret);
    }
    if (service->desired == 0 && count > 0 && !sent->raised)
        return ecs_update(operation, index, (str){NULL, 0}, count, ret);
    return true;
}

bool ecs_raise(struct target_operation *operation, unsigned index, int64_t count,
               struct ecs_step *ret)
{
    if (operation->sent[index].raised || ecs_service_of(operation, index)->desired >= count)
        return true;
    return ecs_update(operation, index, (str){NULL, 0}, count, ret);
}

bool ecs_weigh(struct target_operation *operation, unsigned index, uint32_t share,
               struct ecs_step *ret, struct error *err)
{
    enum { SENT_MOST = 5 };
    if (operation->weights_sent++ >= SENT_MOST) {
        (void)error_set(err, ERROR_TRANSIENT,
                        "something else changes the weights as well: they were set %d times and "
                        "did not stay",
                        SENT_MOST);
        return ecs_fail(ret);
    }
    *ret = (struct ecs_step){.act = ECS_WEIGHTS, .service = index, .share = share};
    return false;
}

bool ecs_has_share(struct target_operation *operation, unsigned index, uint32_t share)
{
    struct aws_forward forward = operation->seen.forward;
    return !aws_forward_split(&forward, ecs_service_of(operation, index)->group,
                              ecs_service_of(operation, 1 - index)->group, share);
}

bool ecs_take_away(struct target_operation *operation, unsigned index, struct ecs_step *ret,
                   struct error *err)
{
    struct ecs_service *service = ecs_service_of(operation, index);
    struct ecs_sent *sent = &operation->sent[index];
    if (service->desired == 0 && service->running == 0 && service->pending == 0)
        return true;
    sent->gone = sent->gone || (sent->away && service->desired == 0);
    if (service->desired > 0 && sent->gone) {
        (void)error_set(err, ERROR_REMOTE,
                        "something scaled service " STR_FMT " up to %lld again after it was scaled "
                        "to 0: suspend its scaling while it gets no requests",
                        STR_ARG(ecs_name_of(operation, index)), (long long)service->desired);
        return ecs_fail(ret);
    }
    if (service->desired > 0 && !sent->away) {
        sent->away = true;
        (void)ecs_update(operation, index, (str){NULL, 0}, 0, ret);
    } else {
        ecs_wait(ret);
    }
    return false;
}
