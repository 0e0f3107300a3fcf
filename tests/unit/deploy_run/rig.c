#include "rig.h"

#include "deploy/engine/codec.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

#include <stdio.h>
#include <unistd.h>

void rig_say(struct rig *rig, const char *format, ...)
{
    char line[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    text_addf(&rig->log, "%s\n", line);
}

bool rig_faulty(struct rig *rig)
{
    return ++rig->effects == rig->fail_at;
}

// ---- targets -----------------------------------------------------------------------------------

struct target_operation {
    struct target *target;
    struct target_intent intent;
    int64_t until_ms;
    uint32_t seen_ppm; // an observation may tell what was so when it began
};

static const char *intent_name(enum intent_verb verb)
{
    static const char *const names[] = {[INTENT_OBSERVE] = "observe",
                                        [INTENT_STAGE] = "stage",
                                        [INTENT_SHIFT] = "shift",
                                        [INTENT_PROMOTE] = "promote",
                                        [INTENT_REVERT] = "revert"};
    return names[verb];
}

// Nothing forward leaves before its record is durable, and no revert before its record is written.
static void check_recorded(const struct rig *rig, const struct target_intent *intent)
{
    static const enum target_verb verbs[] = {[INTENT_STAGE] = VERB_STAGE,
                                             [INTENT_SHIFT] = VERB_SHIFT,
                                             [INTENT_PROMOTE] = VERB_PROMOTE,
                                             [INTENT_REVERT] = VERB_REVERT};
    if (intent->verb == INTENT_OBSERVE)
        return;
    if (intent->verb == INTENT_REVERT) {
        cr_assert(rig->reverting, "a revert without a record");
        return;
    }
    cr_assert_eq(rig->intended, verbs[intent->verb], "%s without a record of it",
                 intent_name(intent->verb));
    cr_assert_leq(rig->intended_ticket, rig->durable_ticket, "%s before its record is durable",
                  intent_name(intent->verb));
    cr_assert_eq(rig->lease, LEASE_HELD, "%s without the lease", intent_name(intent->verb));
}

static bool target_start(struct target *target, const struct target_intent *intent,
                         struct target_operation **ret, struct error *err)
{
    struct rig *rig = target->rig;
    rig_say(rig, "start %s %u", intent_name(intent->verb), (unsigned)target->index);
    check_recorded(rig, intent);
    cr_assert(intent->key.len > 0);
    cr_assert_lt(rig->start_count, RIG_STARTS);
    if (intent->verb != INTENT_OBSERVE)
        rig->starts[rig->start_count++] =
            (struct rig_start){intent->verb, target->index, intent->share_ppm, rig->now_ms};
    if (rig_faulty(rig))
        return error_set(err, ERROR_TRANSIENT, "a fault at the start");
    if (target->failures && target->failing == intent->verb) {
        target->failures--;
        (void)error_set(err, target->kind, "it says no");
        err->retry_after_ms = target->retry_after_ms;
        return false;
    }
    struct target_operation *operation = memory_alloc(sizeof *operation);
    *operation = (struct target_operation){
        .target = target, .intent = *intent, .seen_ppm = target->share_ppm};
    operation->until_ms = rig->now_ms + (intent->verb == INTENT_OBSERVE ? target->looking_takes_ms
                                                                        : target->takes_ms);
    target->moving |= intent->verb != INTENT_OBSERVE;
    rig->open_operations++;
    *ret = operation;
    return true;
}

static void observe(uint32_t share_ppm, struct arena *arena, struct target_observation *ret)
{
    static const struct exec_variable variables[2][2] = {{{"port", STR_INIT("1")}, {0}},
                                                         {{"port", STR_INIT("2")}, {0}}};
    ret->next_ppm = share_ppm;
    ret->good_ppm = SHARE_ALL - share_ppm;
    ret->settled = true;
    ret->endpoint_count = 2;
    ret->endpoints = ARENA_ARRAY(arena, struct target_endpoint, 2);
    for (uint32_t i = 0; i < 2; i++) {
        bool next = share_ppm > i * (SHARE_ALL / 2);
        // Variables of their own, given back after the answer: the driver has to keep copies.
        struct exec_variable *own = ARENA_ARRAY(arena, struct exec_variable, 2);
        own[0] = (struct exec_variable){arena_copy(arena, STR("port")),
                                        arena_str(arena, variables[i][0].value)};
        ret->endpoints[i] = (struct target_endpoint){
            .host = arena_str(arena, i ? STR("b") : STR("a")),
            .revision = arena_str(arena, next ? STR("v2-r") : STR("v1-r")),
            .variables = own,
        };
    }
}

static enum progress target_poll(struct target_operation *operation, struct arena *arena,
                                 struct target_outcome *ret, struct error *err)
{
    struct target *target = operation->target;
    struct rig *rig = target->rig;
    if (rig->now_ms < operation->until_ms)
        return PROGRESS_PENDING;
    if (rig_faulty(rig)) {
        (void)error_set(err, ERROR_TRANSIENT, "a fault on the way");
        return PROGRESS_FAILED;
    }
    if (operation->intent.verb == INTENT_STAGE)
        target->staged = true;
    else if (operation->intent.verb == INTENT_SHIFT)
        target->share_ppm = operation->intent.share_ppm;
    else if (operation->intent.verb == INTENT_PROMOTE)
        cr_assert_eq(target->share_ppm, SHARE_ALL);
    else if (operation->intent.verb == INTENT_REVERT)
        target->share_ppm = 0;
    rig_say(rig, "done %s %u", intent_name(operation->intent.verb), (unsigned)target->index);
    *ret = (struct target_outcome){.memory = arena_str(arena, STR("{\"n\":1}"))};
    observe(operation->intent.verb == INTENT_OBSERVE ? operation->seen_ppm : target->share_ppm,
            arena, &ret->seen);
    if (operation->intent.verb == INTENT_OBSERVE && target->unsettled) {
        ret->seen.settled = false;
        ret->seen.evidence = arena_copy(arena, str_of(target->unsettled));
        ret->note = target->note;
    }
    return PROGRESS_DONE;
}

static void target_drop(struct target_operation *operation)
{
    operation->target->rig->open_operations--;
    if (operation->intent.verb != INTENT_OBSERVE)
        operation->target->moving = false;
    memory_free(operation);
}

static const struct target_kind fake_target = {
    .name = "fake", .start = target_start, .poll = target_poll, .drop = target_drop};

// ---- a metric ----------------------------------------------------------------------------------

struct metric {
    struct rig *rig;
};

struct metric_reading {
    struct rig *rig;
    struct rig_reading *kept;
    int64_t until_ms;
};

static bool metric_start(struct metric *metric, const struct metric_question *question,
                         struct metric_reading **ret, struct error *err)
{
    struct rig *rig = metric->rig;
    (void)err;
    uint32_t index = 0;
    while (!str_eq(rig->plan->targets[index].name, question->target))
        index++;
    cr_assert_lt(rig->reading_count, RIG_READINGS);
    cr_assert_not(rig->targets[index].moving, "asked about a target that is being changed");
    cr_assert_eq(question->endpoint_count, 2);
    struct rig_reading *kept = &rig->readings[rig->reading_count++];
    *kept =
        (struct rig_reading){index, question->from_ms, question->to_ms, rig->now_ms, {0}, false};
    for (size_t i = 0; i < 2; i++) {
        kept->canary[i] = question->endpoints[i].canary;
        cr_assert_str_eq(question->endpoints[i].variables[0].name, "port");
        cr_assert(str_is(question->endpoints[i].variables[0].value, i ? "2" : "1"));
    }
    struct metric_reading *reading = memory_alloc(sizeof *reading);
    *reading = (struct metric_reading){rig, kept, rig->now_ms + rig->reading_takes_ms};
    rig->open_readings++;
    *ret = reading;
    return true;
}

static enum progress metric_poll(struct metric_reading *reading, struct arena *arena,
                                 struct metric_sample *ret, struct error *err)
{
    struct rig *rig = reading->rig;
    (void)arena;
    if (rig->now_ms < reading->until_ms)
        return PROGRESS_PENDING;
    if (rig->unreadable) {
        rig->unreadable--;
        (void)error_set(err, ERROR_TRANSIENT, "the source is down");
        err->retry_after_ms = rig->retry_after_ms;
        return PROGRESS_FAILED;
    }
    reading->kept->judged = true;
    *ret = (struct metric_sample){.has_value = true, .value = rig->value};
    return PROGRESS_DONE;
}

static void metric_drop(struct metric_reading *reading)
{
    reading->rig->open_readings--;
    memory_free(reading);
}

static const struct metric_kind fake_metric = {
    .name = "fake", .start = metric_start, .poll = metric_poll, .drop = metric_drop};

// ---- people, observer, clock, entropy ----------------------------------------------------------

static void people_ask(void *self, const struct approval_question *question, int64_t now_ms)
{
    struct rig *rig = self;
    (void)now_ms;
    cr_assert_gt(question->rule->count, 0);
    rig->asked++;
    rig_say(rig, "ask %s", question->step == STEP_STAGE ? "stage" : "step");
}

static bool people_poll(void *self, int64_t now_ms, struct approval_answer *ret)
{
    struct rig *rig = self;
    static const str names[] = {STR_INIT("alice"), STR_INIT("bob"), STR_INIT("carol")};
    (void)now_ms;
    if (!rig->answers)
        return false;
    rig->answers--;
    *ret = (struct approval_answer){
        .granted = !rig->refuses, .who = names[rig->answers % 3], .comment = STR("because")};
    return true;
}

static void people_withdraw(void *self)
{
    struct rig *rig = self;
    rig->withdrawn++;
}

static void tell(void *self, const struct run_news *news)
{
    struct rig *rig = self;
    cr_assert_eq(news->now_ms, rig->now_ms);
    if (news->type == NEWS_PHASE) {
        cr_assert_lt(rig->phases, 64);
        rig->seen_phases[rig->phases++] = news->state->phase;
        rig_say(rig, "phase %s", phase_name(news->state->phase));
    } else if (news->type == NEWS_TROUBLE) {
        rig->troubles++;
        (void)snprintf(rig->trouble, sizeof rig->trouble, "%s", news->text);
    } else if (news->type == NEWS_TARGET) {
        rig->target_news++;
        (void)snprintf(rig->told, sizeof rig->told, "%s", news->text);
    }
}

static int64_t clock_now(void *self)
{
    const struct rig *rig = self;
    return rig->now_ms;
}

static void entropy_fill(void *self, void *bytes, size_t size)
{
    (void)self;
    memset(bytes, 0x5a, size);
}

// ---- the rig -----------------------------------------------------------------------------------

static void make_plan(struct rig *rig, const struct rig_plan *shape)
{
    static str people[] = {STR_INIT("alice"), STR_INIT("bob"), STR_INIT("carol")};
    struct plan *plan = rig->plan = ARENA_NEW(&rig->arena, struct plan);
    *plan = (struct plan){
        .rollout = STR("v2-production-1"),
        .release = STR("v2"),
        .commit = STR("0123456789012345678901234567890123456789"),
        .environment = STR("production"),
        .stage = STR("production"),
        .approval = {shape->stage_answers, people, 3, false, 2 * MS_DAY},
        .target_count = shape->target_count ? shape->target_count : 1,
        .steps = {{SHARE_ALL / 2, {0}},
                  {SHARE_ALL, {shape->step_answers, people, 3, false, 2 * MS_DAY}}},
        .step_count = 2,
        .step_bake_ms = 2 * MS_MINUTE,
        .bake_ms = 5 * MS_MINUTE,
        .settle_limit_ms = 10 * MS_MINUTE,
        .rollback_limit_ms = 10 * MS_MINUTE,
        .alpha = 0.01,
        .tolerance = 1.2,
        .detect_ratio = 5,
        .detect_power = 0.95,
        .extend = 1,
        .rollback_on_cancel = !shape->hold_on_cancel,
    };
    plan->targets = ARENA_ARRAY(&rig->arena, struct plan_target, plan->target_count);
    for (uint32_t i = 0; i < plan->target_count; i++)
        plan->targets[i] = (struct plan_target){
            .name = i ? STR("jobs") : STR("web"),
            .good = {.release = STR("v1"), .revision = STR("v1-r")},
            .next = {.release = STR("v2"), .revision = STR("v2-r")},
        };
    if (shape->no_metric)
        return;
    plan->metric_count = 1;
    plan->metrics = ARENA_NEW(&rig->arena, struct plan_metric);
    *plan->metrics = (struct plan_metric){
        .name = STR("latency"),
        .judge = JUDGE_THRESHOLD,
        .every_ms = 10 * MS_SECOND,
        .lag_ms = shape->lag_ms,
        .max = 100,
        .error_limit = 5,
        .targets = ARENA_ARRAY(&rig->arena, uint32_t, plan->target_count),
        .target_count = plan->target_count,
    };
    for (uint32_t i = 0; i < plan->target_count; i++)
        plan->metrics->targets[i] = i;
}

void rig_open(struct rig *rig, struct rig_plan shape)
{
    struct error err;
    alarm(240); // Criterion's own time limits leak now and then
    memset(rig, 0, sizeof *rig);
    rig->now_ms = INT64_C(1700000000000);
    rig->log = text_of(1 << 20);
    rig->saved = text_of(1 << 20);
    rig->lease = LEASE_HELD;
    rig->push_ms = 200;
    rig->value = 10;
    for (uint32_t i = 0; i < RIG_TARGETS; i++)
        rig->targets[i] = (struct target){.rig = rig, .index = i, .takes_ms = 3 * MS_SECOND};
    make_plan(rig, &shape);
    cr_assert(plan_check(rig->plan, &err), "%s", err.message);
}

static bool steering_poll(void *self, int64_t now_ms, struct steering *ret)
{
    struct rig *rig = self;
    if (rig->word_at_ms == 0 || now_ms < rig->word_at_ms)
        return false;
    *ret = rig->word;
    rig->word_at_ms = 0;
    return true;
}

// ---- the calendar ------------------------------------------------------------------------------

static void calendar_look_at(void *self, int64_t now_ms, struct calendar_word *ret)
{
    struct rig *rig = self;
    rig->looks++;
    if (!rig->stale)
        rig->read_ms = now_ms;
    *ret = (struct calendar_word){.frozen = rig->frozen, .until_ms = now_ms + MS_MINUTE};
    if (rig->frozen)
        (void)snprintf(ret->text, sizeof ret->text, "freeze `exams`");
    if (rig->calendar_trouble)
        (void)snprintf(ret->trouble, sizeof ret->trouble, "%s", rig->calendar_trouble);
}

static bool calendar_is_fresh(void *self, int64_t now_ms, int64_t since_ms)
{
    const struct rig *rig = self;
    return rig->read_ms >= since_ms || now_ms >= since_ms + 15 * MS_SECOND;
}

static void start(struct rig *rig, bool suspend)
{
    struct run_target *targets = ARENA_ARRAY(&rig->arena, struct run_target, RIG_TARGETS);
    struct run_metric *metric = ARENA_NEW(&rig->arena, struct run_metric);
    struct metric *fake = ARENA_NEW(&rig->arena, struct metric);
    struct error err;
    fake->rig = rig;
    for (uint32_t i = 0; i < RIG_TARGETS; i++)
        targets[i] = (struct run_target){&fake_target, &rig->targets[i], {NULL, 0}};
    *metric = (struct run_metric){&fake_metric, fake};
    struct driver_setup setup = {
        .plan = rig->plan,
        .state = rig->state,
        .placements = rig->placements,
        .targets = targets,
        .metrics = metric,
        .journal = rig_journal(rig),
        .clock = {rig, clock_now},
        .entropy = {rig, entropy_fill},
        .approver = {rig, people_ask, people_poll, people_withdraw},
        .steering = {rig, steering_poll},
        .calendar = {rig, rig->has_calendar ? calendar_look_at : NULL, calendar_is_fresh},
        .observer = {rig, tell},
        .suspend = suspend,
        .woken_ms = rig->woken_ms,
        .as_found = rig->as_found,
    };
    rig->released = 0;
    cr_assert(driver_open(&setup, &rig->driver, &err), "%s", err.message);
}

void rig_start(struct rig *rig)
{
    start(rig, false);
}

void rig_start_suspending(struct rig *rig)
{
    start(rig, true);
}

static enum run_status turn(struct rig *rig)
{
    int64_t wake_ms;
    enum run_status status = driver_turn(rig->driver, &wake_ms);
    if (status == RUN_GOING && wake_ms > rig->now_ms)
        rig->now_ms = wake_ms;
    return status;
}

enum run_status rig_play(struct rig *rig, int64_t for_ms)
{
    int64_t until_ms = rig->now_ms + for_ms;
    enum run_status status = RUN_GOING;
    for (unsigned turns = 0; status == RUN_GOING && rig->now_ms < until_ms; turns++) {
        cr_assert_lt(turns, 200000, "the driver spins:\n%s", text_c(&rig->log));
        status = turn(rig);
    }
    return status;
}

void rig_play_to(struct rig *rig, enum rollout_phase phase)
{
    int64_t until_ms = rig->now_ms + MS_HOUR;
    while (driver_state(rig->driver)->phase != phase) {
        cr_assert(turn(rig) == RUN_GOING && rig->now_ms < until_ms, "%s is not reached:\n%s",
                  phase_name(phase), text_c(&rig->log));
    }
}

void rig_crash(struct rig *rig)
{
    const struct node *root;
    struct error err;
    unsigned released = rig->released;
    driver_close(rig->driver);
    rig->driver = NULL;
    rig->released = released;
    rig->state = NULL;
    for (uint32_t i = 0; i < RIG_TARGETS; i++)
        rig->targets[i].moving = false;
    if (!rig->saved.len)
        return;
    str bytes = arena_str(&rig->arena, text_str(&rig->saved));
    cr_assert(json_parse(&rig->arena, "state", bytes, &root, &err), "%s", err.message);
    cr_assert(
        rollout_state_read(&rig->arena, rig->plan, node_get(root, "state"), &rig->state, &err),
        "%s", err.message);
    struct placement *placements =
        ARENA_ARRAY(&rig->arena, struct placement, rig->plan->target_count);
    for (uint32_t i = 0; i < rig->plan->target_count; i++) {
        placements[i] = rig->plan->targets[i].next;
        placements[i].memory = rig->saved_memory[i];
    }
    rig->placements = placements;
}

void rig_close(struct rig *rig)
{
    driver_close(rig->driver);
    cr_expect_eq(rig->open_operations, 0, "operations are not dropped");
    cr_expect_eq(rig->open_readings, 0, "readings are not dropped");
    text_done(&rig->log);
    text_done(&rig->saved);
    arena_done(&rig->arena);
}

unsigned rig_count(const struct rig *rig, enum intent_verb verb)
{
    unsigned count = 0;
    for (unsigned i = 0; i < rig->start_count; i++)
        count += rig->starts[i].verb == verb;
    return count;
}

const struct rig_start *rig_first(const struct rig *rig, enum intent_verb verb)
{
    for (unsigned i = 0; i < rig->start_count; i++)
        if (rig->starts[i].verb == verb)
            return &rig->starts[i];
    cr_assert_fail("no %s was started:\n%s", intent_name(verb), text_c(&rig->log));
    return NULL;
}

static size_t find(const struct rig *rig, const char *line)
{
    char whole[300];
    (void)snprintf(whole, sizeof whole, "%s\n", line);
    return str_search(text_str(&rig->log), str_of(whole));
}

bool rig_said(const struct rig *rig, const char *line)
{
    return find(rig, line) != STR_NONE;
}

size_t rig_where(const struct rig *rig, const char *line)
{
    size_t at = find(rig, line);
    cr_assert_neq(at, STR_NONE, "`%s` is not in:\n%s", line, text_c(&rig->log));
    return at;
}

void must_be(struct rig *rig, enum run_status status, enum run_status want,
             enum rollout_phase phase)
{
    cr_expect_eq(status, want, "status %d, want %d:\n%s", status, want, text_c(&rig->log));
    cr_expect_str_eq(phase_name(driver_state(rig->driver)->phase), phase_name(phase), "%s",
                     text_c(&rig->log));
}
