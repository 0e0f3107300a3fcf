// What a verb still lacks, by what was seen; whoever starts the verb again, anywhere, goes on with
// it.
#include "deploy/targets/aws_ecs_steps.h"

// ---- which service -----------------------------------------------------------------------------

enum { NO_SERVICE = ECS_SERVICES };

// That runs a revision: of two the one with more of the requests, else with more tasks.
static unsigned home_of(struct target_operation *operation, str revision)
{
    unsigned found = NO_SERVICE;
    for (unsigned i = 0; i < operation->ecs->count; i++) {
        const struct ecs_service *service = ecs_service_of(operation, i);
        if (!ecs_runs(service, revision))
            continue;
        const struct ecs_service *best =
            found == NO_SERVICE ? NULL : ecs_service_of(operation, found);
        if (!best || service->ppm > best->ppm ||
            (service->ppm == best->ppm && service->desired > best->desired))
            found = i;
    }
    return found;
}

static bool is_known_good(struct target_operation *operation, unsigned active, struct ecs_step *ret,
                          struct error *err)
{
    const struct ecs_service *service = ecs_service_of(operation, active);
    str name = ecs_name_of(operation, active), good = operation->good.revision;
    if (good.len ? ecs_runs(service, good) : service->desired == 0 && service->running == 0)
        return true;
    if (good.len)
        (void)error_set(err, ERROR_DENIED,
                        "service " STR_FMT " serves " STR_FMT ", not " STR_FMT
                        ", the known good: somebody else changed it. Record what it serves with "
                        "`sluice adopt`, or take it back with `sluice rollback`",
                        STR_ARG(name), STR_ARG(service->definition), STR_ARG(good));
    else
        (void)error_set(err, ERROR_DENIED,
                        "service " STR_FMT " serves " STR_FMT
                        ", which nobody recorded: record it with `sluice adopt`",
                        STR_ARG(name), STR_ARG(service->definition));
    return ecs_fail(ret);
}

// Where the release goes: onto the service that has it already, else the one without requests.
static bool find_slot(struct target_operation *operation, unsigned *ret_slot, struct ecs_step *ret,
                      struct error *err)
{
    str next = operation->next.revision;
    unsigned slot = NO_SERVICE;
    for (unsigned i = 0; i < ECS_SERVICES; i++)
        if (ecs_service_of(operation, i)->ppm == 0 && slot == NO_SERVICE)
            slot = i;
    for (unsigned i = 0; i < ECS_SERVICES; i++)
        if (ecs_runs(ecs_service_of(operation, i), next) &&
            (slot == NO_SERVICE || !ecs_runs(ecs_service_of(operation, slot), next)))
            slot = i;
    if (slot == NO_SERVICE) {
        (void)error_set(err, ERROR_DENIED,
                        "both services get requests, so there is none to bring the release onto: "
                        "give one of them all of the weight");
        return ecs_fail(ret);
    }
    *ret_slot = slot;
    return true;
}

static bool next_home(struct target_operation *operation, unsigned *ret_home, struct ecs_step *ret,
                      struct error *err)
{
    str next = operation->next.revision;
    *ret_home = home_of(operation, next);
    if (*ret_home != NO_SERVICE)
        return true;
    (void)error_set(err, ERROR_REMOTE,
                    "no service runs " STR_FMT " any more: they run " STR_FMT " and " STR_FMT
                    " (" STR_FMT ")",
                    STR_ARG(next), STR_ARG(ecs_service_of(operation, 0)->definition),
                    STR_ARG(ecs_service_of(operation, 1)->definition),
                    STR_ARG(ecs_service_of(operation, 0)->reason));
    return ecs_fail(ret);
}

// ---- two services ------------------------------------------------------------------------------

// The count that a service needs which takes the place of another one.
static int64_t count_like(struct target_operation *operation, unsigned other)
{
    return ecs_more(ecs_more(ecs_service_of(operation, other)->desired, operation->kept_desired),
                    1);
}

static void stage_weighted(struct target_operation *operation, struct ecs_step *ret,
                           struct error *err)
{
    unsigned slot = 0;
    if (!find_slot(operation, &slot, ret, err))
        return;
    bool fresh = !ecs_runs(ecs_service_of(operation, slot), operation->next.revision);
    if (fresh && !operation->sent[slot].definition && !is_known_good(operation, 1 - slot, ret, err))
        return;
    if (!ecs_bring(operation, slot, operation->next.revision, count_like(operation, 1 - slot), ret,
                   err))
        return;
    ret->act = ecs_is_up(operation, slot) ? ECS_DONE : ECS_WAIT;
}

// The share, once there are enough healthy tasks for it. True when it is so.
static bool shift_to(struct target_operation *operation, unsigned home, uint32_t share,
                     struct ecs_step *ret, struct error *err)
{
    struct ecs_service *rest = ecs_service_of(operation, 1 - home);
    struct ecs_service *service = ecs_service_of(operation, home);
    int64_t needed = (rest->desired * (int64_t)share + ECS_ALL_PPM - 1) / ECS_ALL_PPM;
    if (!ecs_bring(operation, home, operation->next.revision, ecs_more(needed, 1), ret, err))
        return false;
    ecs_wait(ret);
    if (ecs_has_share(operation, home, share))
        return ecs_is_up(operation, home) && (!rest->ppm || ecs_is_settled(operation, 1 - home));
    if (share > service->ppm && !ecs_raise(operation, home, needed, ret))
        return false;
    if (!ecs_is_up(operation, home))
        return false;
    // Nor does the other one get requests that it did not have while nothing there answers.
    if (share < ECS_ALL_PPM && rest->ppm == 0 && rest->health.healthy == 0)
        return false;
    return ecs_weigh(operation, home, share, ret, err);
}

static void shift_weighted(struct target_operation *operation, struct ecs_step *ret,
                           struct error *err)
{
    unsigned home;
    if (next_home(operation, &home, ret, err) &&
        shift_to(operation, home, aws_forward_round(operation->share_ppm), ret, err))
        ret->act = ECS_DONE;
}

static void promote_weighted(struct target_operation *operation, struct ecs_step *ret,
                             struct error *err)
{
    unsigned home;
    if (!next_home(operation, &home, ret, err) || !shift_to(operation, home, ECS_ALL_PPM, ret, err))
        return;
    operation->kept_desired =
        ecs_more(operation->kept_desired, ecs_service_of(operation, 1 - home)->desired);
    if (ecs_take_away(operation, 1 - home, ret, err))
        ret->act = ECS_DONE;
}

// Whether it can take the requests at once: what was never scaled away can.
static bool answers(const struct ecs_service *service)
{
    bool grouped = service->deployments == 1 && service->primary_running > 0;
    return grouped && service->desired > 0 && service->health_known &&
           service->health.healthy > 0 && (int64_t)service->health.healthy * 2 >= service->desired;
}

// What was brought out is tidied away, and what the provider put in its place when it went back;
// what somebody else runs there is left.
static bool is_left_over(struct target_operation *operation, unsigned index)
{
    const struct ecs_service *service = ecs_service_of(operation, index);
    str next = operation->next.revision;
    bool ours = !next.len || ecs_runs(service, next) || ecs_runs(service, operation->good.revision);
    return ours && service->ppm == 0 && service->desired > 0 && !operation->sent[index].away;
}

static void tidy(struct target_operation *operation, unsigned index, struct ecs_step *ret)
{
    ret->act = ECS_DONE;
    if (!is_left_over(operation, index))
        return;
    operation->sent[index].away = true;
    (void)ecs_update(operation, index, (str){NULL, 0}, 0, ret);
    ret->tidies = true;
}

// Before a first deployment nothing was there: what is new gets nothing and is taken away.
static void revert_first(struct target_operation *operation, struct ecs_step *ret,
                         struct error *err)
{
    unsigned home = home_of(operation, operation->next.revision);
    if (home == NO_SERVICE)
        tidy(operation, ecs_service_of(operation, 0)->ppm == 0 ? 0 : 1, ret);
    else if (ecs_service_of(operation, home)->ppm && !ecs_has_share(operation, home, 0))
        (void)ecs_weigh(operation, home, 0, ret, err);
    else if (ecs_take_away(operation, home, ret, err))
        ret->act = ECS_DONE;
}

static void revert_weighted(struct target_operation *operation, struct ecs_step *ret,
                            struct error *err)
{
    str good = operation->good.revision, next = operation->next.revision;
    struct ecs_service *services = operation->seen.services;
    unsigned home = home_of(operation, good);
    if (home == NO_SERVICE) // an older one: onto the service that is missed least
        home = services[0].ppm < services[1].ppm ||
                       (services[0].ppm == services[1].ppm && ecs_runs(&services[0], next))
                   ? 0
                   : 1;
    unsigned other = 1 - home;
    bool there = ecs_runs(&services[home], good);
    if (!there && services[home].ppm && !ecs_runs(&services[other], next) &&
        services[other].health.healthy && !ecs_has_share(operation, other, ECS_ALL_PPM)) {
        (void)ecs_weigh(operation, other, ECS_ALL_PPM, ret, err);
        return;
    }
    if (!ecs_bring(operation, home, good, count_like(operation, other), ret, err))
        return;
    ecs_wait(ret);
    if (!ecs_has_share(operation, home, ECS_ALL_PPM)) {
        if (answers(&services[home]))
            (void)ecs_weigh(operation, home, ECS_ALL_PPM, ret, err);
        return;
    }
    // Scaling may have made it smaller while it had fewer requests.
    if (!ecs_raise(operation, home, services[other].desired, ret))
        return;
    if (ecs_is_up(operation, home))
        tidy(operation, other, ret);
}

// ---- one service -------------------------------------------------------------------------------

static void roll(struct target_operation *operation, str revision, int64_t count,
                 struct ecs_step *ret, struct error *err)
{
    if (ecs_bring(operation, 0, revision, count, ret, err))
        ret->act = ecs_is_up(operation, 0) ? ECS_DONE : ECS_WAIT;
}

static void revert_rolling(struct target_operation *operation, struct ecs_step *ret,
                           struct error *err)
{
    str good = operation->good.revision, next = operation->next.revision;
    if (good.len)
        roll(operation, good, ecs_more(operation->kept_desired, 1), ret, err);
    else if (!ecs_runs(ecs_service_of(operation, 0), next) || ecs_take_away(operation, 0, ret, err))
        ret->act = ECS_DONE;
}

static void decide_rolling(struct target_operation *operation, struct ecs_step *ret,
                           struct error *err)
{
    switch (operation->verb) {
    case INTENT_OBSERVE:
        ret->act = ECS_DONE;
        break;
    case INTENT_STAGE:
        if (ecs_runs(ecs_service_of(operation, 0), operation->next.revision) ||
            is_known_good(operation, 0, ret, err))
            ret->act = ECS_DONE;
        break;
    case INTENT_SHIFT:
    case INTENT_PROMOTE:
        roll(operation, operation->next.revision, 1, ret, err);
        break;
    case INTENT_REVERT:
        revert_rolling(operation, ret, err);
        break;
    }
}

static void decide_weighted(struct target_operation *operation, struct ecs_step *ret,
                            struct error *err)
{
    switch (operation->verb) {
    case INTENT_OBSERVE:
        ret->act = ECS_DONE;
        break;
    case INTENT_STAGE:
        stage_weighted(operation, ret, err);
        break;
    case INTENT_SHIFT:
        shift_weighted(operation, ret, err);
        break;
    case INTENT_PROMOTE:
        promote_weighted(operation, ret, err);
        break;
    case INTENT_REVERT:
        if (operation->good.revision.len)
            revert_weighted(operation, ret, err);
        else
            revert_first(operation, ret, err);
        break;
    }
}

static bool has_groups(struct target_operation *operation, struct ecs_step *ret, struct error *err)
{
    for (unsigned i = 0; i < operation->ecs->count && operation->ecs->count > 1; i++)
        if (!ecs_service_of(operation, i)->group.len) {
            (void)error_set(err, ERROR_INPUT,
                            "service " STR_FMT " has no target group that the rule forwards to: "
                            "add its target group to the rule, with weight 0",
                            STR_ARG(ecs_name_of(operation, i)));
            return ecs_fail(ret);
        }
    if (operation->ecs->count > 1 &&
        str_eq(ecs_service_of(operation, 0)->group, ecs_service_of(operation, 1)->group)) {
        (void)error_set(err, ERROR_INPUT,
                        "both services are in the target group " STR_FMT
                        ": give each one of its own, and the rule both",
                        STR_ARG(ecs_service_of(operation, 0)->group));
        return ecs_fail(ret);
    }
    return true;
}

void ecs_decide(struct target_operation *operation, struct ecs_step *ret, struct error *err)
{
    struct ecs_step step = {.act = ECS_WAIT, .desired = -1};
    if (operation->verb == INTENT_OBSERVE)
        step.act = ECS_DONE;
    else if (operation->verb == INTENT_STAGE && !operation->next.revision.len)
        step.act = ECS_DEFINE;
    else if (has_groups(operation, &step, err) && operation->ecs->count > 1)
        decide_weighted(operation, &step, err);
    else if (step.act != ECS_FAIL)
        decide_rolling(operation, &step, err);
    *ret = step;
}
