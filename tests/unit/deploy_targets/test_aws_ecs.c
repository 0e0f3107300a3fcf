// Amazon ECS: what each verb decides, against a small ECS and a rule made up here. Nothing is asked
// over a network; tests/e2e/test_aws_ecs.py does that.
//
// A verb may be left at any moment and begun anew by somebody who knows nothing of it, with the
// memory of before: however often that happens, it ends in the same state.
#include "deploy/targets/aws_ecs.h"

#include "gate/doc/yaml.h"

#include <criterion/criterion.h>
#include <stdio.h>

struct deployment {
    char definition[16], id[16];
    int64_t running;
    enum ecs_rollout rollout;
};

struct service { // deployments[0] is PRIMARY
    struct deployment deployments[2];
    size_t count;
    int64_t desired;
    unsigned age; // turns since the last change: what was asked for comes about slowly
};

struct model {
    struct arena arena;
    struct service services[2];
    size_t count;
    uint64_t weights[2];
    const char *broken; // its tasks do not start: the circuit breaker goes back
    unsigned ids, updates, weighs;
    bool unsafe; // requests were given to a group without tasks
    uint64_t random;
};

static const str names[] = {STR_INIT("blue"), STR_INIT("green")};
static const str groups[] = {STR_INIT("arn:group-blue"), STR_INIT("arn:group-green")};

static unsigned chance(struct model *model, unsigned most)
{
    model->random = model->random * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(model->random >> 33) % most;
}

static void deploy(struct model *model, struct service *service, str definition)
{
    if (service->count && str_is(definition, service->deployments[0].definition))
        return;
    service->deployments[1] = service->deployments[0];
    service->deployments[0] = (struct deployment){.rollout = ECS_IN_PROGRESS};
    (void)snprintf(service->deployments[0].definition, 16, STR_FMT, STR_ARG(definition));
    (void)snprintf(service->deployments[0].id, 16, "%u", ++model->ids);
    service->count = service->count ? 2 : 1;
}

static void make(struct model *model, size_t count, uint64_t seed)
{
    *model = (struct model){.count = count, .random = seed};
    for (size_t i = 0; i < count; i++) {
        deploy(model, &model->services[i], STR("web:1"));
        model->services[i].deployments[0].rollout = ECS_COMPLETED;
    }
    model->services[0].desired = model->services[0].deployments[0].running = 3;
    model->weights[0] = 1;
}

static void turn(struct model *model)
{
    for (size_t i = 0; i < model->count; i++) {
        struct service *service = &model->services[i];
        struct deployment *first = &service->deployments[0];
        if (chance(model, 3) == 0)
            continue;
        if (model->broken && strcmp(first->definition, model->broken) == 0 &&
            service->desired > 0) {
            struct deployment back = service->deployments[1];
            service->deployments[0] = back; // under its old id
            service->deployments[0].rollout = ECS_IN_PROGRESS;
            service->count = 1;
        } else if (first->running < service->desired) {
            first->running++;
        } else if (service->count == 2 && service->deployments[1].running > 0) {
            service->deployments[1].running--;
        } else if (first->running > service->desired) {
            first->running--;
        } else {
            first->rollout = ECS_COMPLETED;
            service->count = 1;
        }
    }
}

static void show(const struct model *model, struct target_operation *operation)
{
    struct ecs_seen *seen = &operation->seen;
    *seen = (struct ecs_seen){0};
    uint64_t total = model->weights[0] + model->weights[1];
    for (size_t i = 0; i < model->count; i++) {
        const struct service *from = &model->services[i];
        struct ecs_service *to = &seen->services[i];
        *to = (struct ecs_service){
            .found = true,
            .active = true,
            .definition =
                arena_str(&operation->look_arena, str_of(from->deployments[0].definition)),
            .deployment = arena_str(&operation->look_arena, str_of(from->deployments[0].id)),
            .reason = STR("circuit breaker"),
            .rollout = from->deployments[0].rollout,
            .desired = from->desired,
            .primary_running = from->deployments[0].running,
            .deployments = from->count,
            .group = groups[i],
            .health_known = true,
            .ppm = model->count == 1 ? ECS_ALL_PPM
                                     : (uint32_t)(model->weights[i] * ECS_ALL_PPM / total),
        };
        for (size_t k = 0; k < from->count; k++) {
            const struct deployment *one = &from->deployments[k];
            to->running += one->running;
            to->on_next += str_is(operation->next.revision, one->definition) ? one->running : 0;
            to->on_good += str_is(operation->good.revision, one->definition) ? one->running : 0;
        }
        to->health.healthy = (unsigned)to->running;
        seen->forward.groups[i] =
            (struct aws_forward_group){groups[i], (uint32_t)model->weights[i]};
    }
    seen->forward.count = model->count;
    seen->forward.total = total;
}

static void apply(struct model *model, const struct target_operation *operation,
                  const struct ecs_step *step)
{
    struct service *service = &model->services[step->service];
    if (step->act == ECS_UPDATE) {
        model->updates++;
        if (step->desired >= 0)
            service->desired = step->desired;
        if (step->definition.len)
            deploy(model, service, step->definition);
    } else if (step->act == ECS_WEIGHTS) {
        struct aws_forward forward = operation->seen.forward;
        model->weighs++;
        cr_assert(aws_forward_split(&forward, groups[step->service], groups[1 - step->service],
                                    step->share),
                  "weights are sent only where they differ");
        for (size_t i = 0; i < 2; i++) {
            bool more = forward.groups[i].weight > 0 && model->weights[i] == 0;
            const struct ecs_service *seen = &operation->seen.services[i];
            bool forward_verb = operation->verb == INTENT_SHIFT && i == step->service;
            model->unsafe |= more && seen->running == 0;
            model->unsafe |= forward_verb && seen->running < seen->desired;
            model->weights[i] = forward.groups[i].weight;
        }
    }
}

enum { TURNS_MOST = 400 };

// Runs a verb to its end, and leaves it now and then to begin anew. DONE or FAIL.
static enum ecs_act run(struct model *model, struct target_intent intent, unsigned leave,
                        int64_t *desired, struct error *err)
{
    static struct target ecs;
    ecs = (struct target){.count = model->count, .names = {names[0], names[1]}};
    struct target_operation operation = {0};
    enum ecs_act act = ECS_WAIT;
    bool fresh = true;
    for (unsigned i = 0; i < TURNS_MOST && act != ECS_DONE && act != ECS_FAIL; i++) {
        if (fresh || (leave && chance(model, leave) == 0)) {
            arena_done(&operation.arena);
            operation = (struct target_operation){.ecs = &ecs,
                                                  .verb = intent.verb,
                                                  .share_ppm = intent.share_ppm,
                                                  .next = intent.next,
                                                  .good = intent.good,
                                                  .kept_desired = *desired};
            fresh = false;
        }
        struct ecs_step step;
        turn(model);
        show(model, &operation);
        ecs_decide(&operation, &step, err);
        act = step.act;
        apply(model, &operation, &step);
        arena_done(&operation.look_arena);
    }
    *desired = operation.kept_desired;
    arena_done(&operation.arena);
    return act;
}

static struct target_intent intent_of(enum intent_verb verb, uint32_t share_ppm)
{
    return (struct target_intent){.verb = verb,
                                  .next = {.release = STR("v2"), .revision = STR("web:2")},
                                  .good = {.release = STR("v1"), .revision = STR("web:1")},
                                  .share_ppm = share_ppm};
}

static void must(struct model *model, enum intent_verb verb, uint32_t share_ppm, unsigned leave,
                 int64_t *desired)
{
    struct error err = {0};
    enum ecs_act act = run(model, intent_of(verb, share_ppm), leave, desired, &err);
    cr_assert_eq(act, ECS_DONE, "verb %d ends with %d: %s", verb, act, err.message);
    cr_assert_not(model->unsafe);
}

static void is_home(const struct model *model, size_t home, const char *definition, int64_t desired)
{
    const struct service *service = &model->services[home];
    cr_assert_str_eq(service->deployments[0].definition, definition);
    cr_assert_eq(service->count, 1);
    cr_assert_eq(service->desired, desired, "%lld", (long long)service->desired);
    cr_assert_eq(service->deployments[0].running, desired);
    if (model->count > 1) {
        cr_assert_gt(model->weights[home], 0);
        cr_assert_eq(model->weights[1 - home], 0);
        cr_assert_eq(model->services[1 - home].desired, 0);
    }
}

Test(aws_ecs, two_services_take_turns_however_often_it_is_begun_anew)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct model model;
        int64_t desired = 0;
        unsigned leave = seed % 3 == 0 ? 0 : (unsigned)(2 + seed % 9);
        make(&model, 2, seed);
        must(&model, INTENT_STAGE, 0, leave, &desired);
        cr_assert_eq(model.weights[1], 0);
        cr_assert_eq(model.services[1].desired, 3);
        must(&model, INTENT_SHIFT, 50000, leave, &desired);
        cr_assert(model.weights[1] == 50 && model.weights[0] == 950);
        must(&model, INTENT_SHIFT, 1000000, leave, &desired);
        must(&model, INTENT_PROMOTE, 0, leave, &desired);
        is_home(&model, 1, "web:2", 3);
        must(&model, INTENT_REVERT, 0, leave, &desired);
        is_home(&model, 0, "web:1", 3);
    }
}

// From whatever place a verb was left in, with its memory or without, the way back is the same.
Test(aws_ecs, the_way_back_is_the_same_from_everywhere)
{
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        struct model model;
        struct error err;
        int64_t desired = 0;
        const enum intent_verb verbs[] = {INTENT_STAGE, INTENT_SHIFT, INTENT_SHIFT, INTENT_PROMOTE};
        const uint32_t shares[] = {0, 300000, 1000000, 0};
        make(&model, 2, seed);
        unsigned last = chance(&model, 4);
        for (unsigned i = 0; i < last; i++)
            must(&model, verbs[i], shares[i], 0, &desired);
        // The last of them is left after a few turns.
        struct target ecs = {.count = 2, .names = {names[0], names[1]}};
        struct target_intent intent = intent_of(verbs[last], shares[last]);
        struct target_operation operation = {.ecs = &ecs,
                                             .verb = intent.verb,
                                             .share_ppm = intent.share_ppm,
                                             .next = intent.next,
                                             .good = intent.good};
        for (unsigned i = chance(&model, 12); i > 0; i--) {
            struct ecs_step step;
            turn(&model);
            show(&model, &operation);
            ecs_decide(&operation, &step, &err);
            cr_assert_neq(step.act, ECS_FAIL, "%s", err.message);
            apply(&model, &operation, &step);
            arena_done(&operation.look_arena);
        }
        arena_done(&operation.arena);
        if (chance(&model, 2))
            desired = 0;
        must(&model, INTENT_REVERT, 0, chance(&model, 2) ? 5 : 0, &desired);
        for (unsigned i = 0; i < 40; i++)
            turn(&model);
        is_home(&model, 0, "web:1", 3);
    }
}

Test(aws_ecs, while_the_old_tasks_run_the_way_back_is_one_change_of_weights)
{
    struct model model;
    int64_t desired = 0;
    make(&model, 2, 7);
    must(&model, INTENT_STAGE, 0, 0, &desired);
    must(&model, INTENT_SHIFT, 1000000, 0, &desired);
    unsigned before = model.updates;
    struct target ecs = {.count = 2, .names = {names[0], names[1]}};
    struct target_intent intent = intent_of(INTENT_REVERT, 0);
    struct target_operation operation = {
        .ecs = &ecs, .verb = INTENT_REVERT, .next = intent.next, .good = intent.good};
    struct ecs_step step;
    struct error err;
    show(&model, &operation);
    ecs_decide(&operation, &step, &err);
    cr_assert(step.act == ECS_WEIGHTS && step.service == 0 && step.share == ECS_ALL_PPM);
    cr_assert_eq(model.updates, before);
    arena_done(&operation.look_arena);
    arena_done(&operation.arena);
}

Test(aws_ecs, a_service_that_goes_back_by_itself_fails_the_verb_with_its_reason)
{
    for (uint64_t seed = 1; seed <= 50; seed++)
        for (size_t count = 1; count <= 2; count++) {
            struct model model;
            struct error err = {0};
            int64_t desired = 0;
            make(&model, count, seed);
            model.broken = "web:2";
            enum intent_verb verb = count == 1 ? INTENT_SHIFT : INTENT_STAGE;
            cr_assert_eq(run(&model, intent_of(verb, ECS_ALL_PPM), 0, &desired, &err), ECS_FAIL);
            cr_assert_eq(err.kind, ERROR_REMOTE);
            cr_assert(strstr(err.message, "circuit breaker"), "%s", err.message);
            must(&model, INTENT_REVERT, 0, 0, &desired);
            for (unsigned i = 0; i < 40; i++)
                turn(&model);
            is_home(&model, 0, "web:1", 3);
        }
}

Test(aws_ecs, one_service_is_replaced_and_comes_back)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct model model;
        int64_t desired = 0;
        unsigned leave = seed % 2 ? 0 : 4;
        make(&model, 1, seed);
        must(&model, INTENT_STAGE, 0, leave, &desired);
        cr_assert_eq(model.updates, 0);
        must(&model, INTENT_SHIFT, ECS_ALL_PPM, leave, &desired);
        must(&model, INTENT_PROMOTE, 0, leave, &desired);
        is_home(&model, 0, "web:2", 3);
        must(&model, INTENT_REVERT, 0, leave, &desired);
        is_home(&model, 0, "web:1", 3);
    }
}

Test(aws_ecs, what_scaling_did_is_not_undone)
{
    struct model model;
    int64_t desired = 0;
    make(&model, 2, 3);
    must(&model, INTENT_STAGE, 0, 0, &desired);
    model.services[1].desired = 5;
    must(&model, INTENT_STAGE, 0, 0, &desired);
    cr_assert_eq(model.services[1].desired, 5);
    must(&model, INTENT_SHIFT, 500000, 0, &desired);
    model.services[1].desired = 2; // smaller than known good, and that is up to it
    must(&model, INTENT_SHIFT, 500000, 0, &desired);
    cr_assert_eq(model.services[1].desired, 2);
    must(&model, INTENT_SHIFT, 1000000, 0, &desired);
    cr_assert_eq(model.services[1].desired, 3, "more tasks before more requests");
    model.services[0].desired = 1; // it had fewer requests
    must(&model, INTENT_REVERT, 0, 0, &desired);
    is_home(&model, 0, "web:1", 3);
}

Test(aws_ecs, as_many_tasks_come_back_as_were_scaled_away)
{
    struct model model;
    int64_t desired = 0;
    make(&model, 2, 9);
    must(&model, INTENT_STAGE, 0, 0, &desired);
    must(&model, INTENT_SHIFT, 1000000, 0, &desired);
    must(&model, INTENT_PROMOTE, 0, 0, &desired);
    cr_assert_eq(desired, 3);
    model.services[1].desired = 1; // at night
    must(&model, INTENT_REVERT, 0, 0, &desired);
    is_home(&model, 0, "web:1", 3);
}

Test(aws_ecs, an_older_release_goes_onto_the_service_that_is_missed_least)
{
    struct model model;
    struct error err = {0};
    int64_t desired = 0;
    make(&model, 2, 11);
    must(&model, INTENT_STAGE, 0, 0, &desired);
    must(&model, INTENT_SHIFT, 1000000, 0, &desired);
    must(&model, INTENT_PROMOTE, 0, 0, &desired);
    struct target_intent intent = intent_of(INTENT_REVERT, 0);
    intent.good.revision = STR("web:0");
    cr_assert_eq(run(&model, intent, 0, &desired, &err), ECS_DONE, "%s", err.message);
    for (unsigned i = 0; i < 40; i++)
        turn(&model);
    is_home(&model, 0, "web:0", 3);
}

Test(aws_ecs, a_first_deployment_goes_back_to_nothing)
{
    struct model model;
    struct error err = {0};
    int64_t desired = 0;
    make(&model, 2, 5);
    model.services[0].desired = model.services[0].deployments[0].running = 0;
    struct target_intent intent = intent_of(INTENT_STAGE, 0);
    intent.good = (struct target_release){0};
    cr_assert_eq(run(&model, intent, 0, &desired, &err), ECS_DONE, "%s", err.message);
    cr_assert_eq(model.services[1].desired, 1);
    intent.verb = INTENT_SHIFT;
    intent.share_ppm = ECS_ALL_PPM;
    cr_assert_eq(run(&model, intent, 0, &desired, &err), ECS_DONE, "%s", err.message);
    intent.verb = INTENT_REVERT;
    cr_assert_eq(run(&model, intent, 0, &desired, &err), ECS_DONE, "%s", err.message);
    cr_assert(model.weights[1] == 0 && model.services[1].desired == 0);

    make(&model, 2, 5); // something runs that nobody recorded
    intent.verb = INTENT_STAGE;
    cr_assert_eq(run(&model, intent, 0, &desired, &err), ECS_FAIL);
    cr_assert(strstr(err.message, "sluice adopt"), "%s", err.message);
}

// ---- configuration -----------------------------------------------------------------------------

#define RULE "listener_rule: \"arn:aws:elasticloadbalancing:e:1:listener-rule/app/a/b/c/d\"\n"
#define IMAGE "artifact: {image: \"r.example/app:${release}\"}\n"

Test(aws_ecs, what_is_wrong_in_the_configuration_is_said)
{
    static const struct {
        const char *yaml, *words; // null: nothing is wrong
    } rows[] = {
        {"service: web\n" IMAGE, NULL},
        {"services: [a, b]\n" RULE IMAGE, NULL},
        {"services: [a, b]\nlistener: \"${env.LISTENER}\"\n" IMAGE, NULL},
        {"service: web\nartifact: \"r.example/app@${digest}\"\n", NULL},
        {IMAGE, "`service` is missing"},
        {"service: web\n", "`artifact` is missing"},
        {"service: web\nservices: [a, b]\n" RULE IMAGE, "not both"},
        {"services: [a]\n" RULE IMAGE, "the two that take turns, not 1"},
        {"services: [a, a]\n" RULE IMAGE, "the same service twice"},
        {"services: [a, b]\n" IMAGE, "need `listener_rule`"},
        {"service: a\n" RULE IMAGE, "has no weights to move"},
        {"services: [a, b]\n" RULE "listener: \"arn:aws:x:listener/y\"\n" IMAGE, "not both"},
        {"services: [a, b]\nlistener_rule: \"arn:aws:x:listener/y\"\n" IMAGE,
         "must be an ARN with `:listener-rule/` in it"},
        {"service: web\nartifact: \"r.example/app:latest\"\n", "the same for every release"},
        {"service: web\nartifact: \"r.example/app:${version}\"\n", "`${version}` is not known"},
        {"service: web\nartifact: \"r.example/${digest}/app\"\n", "stands at the end"},
        {"service: \"${release}\"\n" IMAGE, "only `${env.NAME}`"},
        {"service: web\nregion: Europe\n" IMAGE, "no AWS region"},
        {"service: web\nrole: release\n" IMAGE, "must be the ARN of a role"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena = {0};
        struct error err = {0};
        const struct node *node;
        struct problems problems = {.arena = &arena};
        struct ecs_config config;
        cr_assert(yaml_parse(&arena, "test.yml", str_of(rows[i].yaml), &node, &err), "%s",
                  err.message);
        (void)shape_bind(&arena, &ecs_shape, node, &config, &problems);
        bool fine = problems_none(&problems, &err);
        cr_assert_eq(fine, rows[i].words == NULL, "%s%s", rows[i].yaml, fine ? "" : err.message);
        cr_assert(fine || strstr(err.message, rows[i].words), "%s: %s", rows[i].yaml, err.message);
        cr_assert(fine || err.at.line > 0);
        arena_done(&arena);
    }
}
