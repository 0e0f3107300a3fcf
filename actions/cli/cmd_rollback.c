// sluice rollback: back to known good, at full speed. Never refused: no gate, approval, freeze or
// running rollout stops it, and a ledger whose remote is down only delays the record.
#include "actions/cli/commands.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/rollout_flow.h"
#include "deploy/run/resolve.h"
#include "gate/base/moment.h"

#include <stdio.h>

static const struct option options[] = {
    {.name = "stage", .argument = "NAME", .help = "Which stage; needed when there are several."},
    {.name = "to",
     .argument = "RELEASE",
     .help = "This release instead of the last known good one."},
    {.name = "reason", .argument = "TEXT", .help = "Why; `pending` in the record when absent."},
    {.name = "yes", .help = "Do not ask."},
    {0},
};

static bool wanted(const struct invocation *call, str name)
{
    for (size_t i = 0; i < call->options.operand_count; i++)
        if (str_is(name, call->options.operands[i]))
            return true;
    return call->options.operand_count == 0;
}

// The stage's settings with only the targets that were named.
static struct stage_settings *narrowed(struct deployment *d, const struct stage_settings *stage)
{
    struct stage_settings *copy = ARENA_NEW(d->arena, struct stage_settings);
    *copy = *stage;
    str *names = ARENA_ARRAY(d->arena, str, stage->targets.count);
    copy->targets = (struct shape_list){names, 0};
    for (size_t i = 0; i < stage->targets.count; i++)
        if (wanted(d->call, ((const str *)stage->targets.items)[i]))
            names[copy->targets.count++] = ((const str *)stage->targets.items)[i];
    return copy;
}

static bool unknown_target(const struct stage_settings *stage, const char *name, struct error *err)
{
    struct text names = text_of(512);
    for (size_t i = 0; i < stage->targets.count; i++)
        text_addf(&names, "%s`" STR_FMT "`", i ? ", " : "",
                  STR_ARG(((const str *)stage->targets.items)[i]));
    (void)error_set(err, ERROR_INPUT, "`%s` is not a target of stage " STR_FMT "; there are %s",
                    name, STR_ARG(stage->stage), text_c(&names));
    text_done(&names);
    return false;
}

static bool check_names(struct deployment *d, const struct stage_settings *stage)
{
    const struct options *given = &d->call->options;
    for (size_t i = 0; i < given->operand_count; i++) {
        bool known = false;
        for (size_t k = 0; k < stage->targets.count; k++)
            known |= str_is(((const str *)stage->targets.items)[k], given->operands[i]);
        if (!known)
            return unknown_target(stage, given->operands[i], &d->call->error);
    }
    return true;
}

struct way { // of one target
    struct placement from, to;
};

// From what the ledger says is live, or from a rollout that is under way.
static bool find_way(struct deployment *d, const struct stage_settings *stage, str target,
                     const struct rollout_record *open, struct way *ret)
{
    struct error *err = &d->call->error;
    str environment = stage_environment(stage);
    const char *to = option_text(&d->call->options, "to");
    struct way way = {0};
    bool live = false, found = false, ok;
    for (uint32_t i = 0; open && open->plan->mode == PLAN_FORWARD && i < open->plan->target_count;
         i++)
        if (str_eq(open->plan->targets[i].name, target)) {
            way.from = open->placements ? open->placements[i] : open->plan->targets[i].next;
            live = true;
        }
    if (!live && !facts_known_good(d, environment, target, (str){NULL, 0}, &way.from, &live))
        return false;
    if (to) {
        found =
            release_good_named(d->ledger, d->arena, environment, target, str_of(to), &way.to, err);
        ok = found || err->kind == ERROR_ABSENT;
    } else {
        ok = facts_known_good(d, environment, target, way.from.release, &way.to, &found);
    }
    if (!ok)
        return false;
    if (!found && to)
        return error_set(err, ERROR_INPUT,
                         "release %s was never known good on target " STR_FMT " in " STR_FMT
                         ": `sluice log` shows what was out; without --to it is the last good one",
                         to, STR_ARG(target), STR_ARG(environment));
    if (!found)
        return error_set(err, ERROR_INPUT,
                         way.from.release.len
                             ? "the ledger knows no good release of target " STR_FMT
                               " before the one that is live: bring an earlier commit out under a "
                               "new name with `sluice rollout`, or put the target back by hand and "
                               "record that with `sluice adopt`"
                             : "the ledger knows no release of target " STR_FMT
                               ": put the target back by hand, and record what runs then with "
                               "`sluice adopt`",
                         STR_ARG(target));
    *ret = way;
    return true;
}

static bool plan_way_back(struct flow *flow, const struct rollout_record *open)
{
    struct deployment *d = flow->d;
    size_t count = flow->stage->targets.count;
    const char *reason = option_text(&d->call->options, "reason");
    struct placement *next = ARENA_ARRAY(d->arena, struct placement, count);
    struct placement *good = ARENA_ARRAY(d->arena, struct placement, count);
    for (size_t i = 0; i < count; i++) {
        struct way way;
        if (!find_way(d, flow->stage, ((const str *)flow->stage->targets.items)[i], open, &way))
            return false;
        next[i] = way.from;
        good[i] = way.to;
    }
    struct resolve_request request = {
        .settings = &d->settings,
        .stage = flow->stage,
        .mode = PLAN_ROLLBACK,
        .rollout = facts_new_rollout(
            d, good[0].release,
            arena_format(d->arena, STR_FMT "-rollback", STR_ARG(stage_environment(flow->stage)))),
        .release = good[0].release,
        .commit = good[0].commit,
        .reason = reason ? str_of(reason) : STR("pending"),
        .next = next,
        .good = good,
    };
    return plan_resolve(d->arena, &request, &flow->plan, &d->call->error);
}

static bool ask(struct flow *flow)
{
    struct deployment *d = flow->d;
    const struct plan *plan = flow->plan;
    struct way_back way = {0};
    struct error ignored = d->call->error;
    char limit[32], took[32];
    if (!facts_way_back(d, plan->environment, &way))
        d->call->error = ignored; // it is only for the words
    (void)fprintf(stderr, "Roll back " STR_FMT "\n", STR_ARG(plan->environment));
    for (uint32_t i = 0; i < plan->target_count; i++)
        (void)fprintf(stderr, "  " STR_FMT ": from " STR_FMT " to " STR_FMT "\n",
                      STR_ARG(plan->targets[i].name),
                      STR_ARG(plan->targets[i].next.release.len ? plan->targets[i].next.release
                                                                : STR("what runs now")),
                      STR_ARG(plan->targets[i].good.release));
    (void)fprintf(stderr,
                  "  all at once, without steps; verified by looking\n"
                  "  expected: %s%s; after %s it says that it is stuck\n"
                  "  not taken back: what the release has written to databases and queues\n",
                  way.newest_ms ? duration_words(way.newest_ms, took)
                                : "not known, it was never measured here",
                  way.newest_ms ? ", as the last time" : "",
                  duration_words(plan->rollback_limit_ms, limit));
    if (option_given(&d->call->options, "yes"))
        return true;
    if (!deployment_interactive(d))
        return error_set(&d->call->error, ERROR_INPUT,
                         "nobody can answer here: add --yes to roll back without a question");
    return deployment_confirm(d, "Go? ", "nothing was touched");
}

static void mark_bad(struct flow *flow)
{
    struct deployment *d = flow->d;
    struct error err;
    for (uint32_t i = 0; i < flow->plan->target_count; i++) {
        str release = flow->plan->targets[i].next.release;
        if (release.len && !str_eq(release, flow->plan->targets[i].good.release) &&
            !release_mark_bad(d->ledger, release, flow->plan->targets[i].next.commit,
                              flow->plan->environment, flow->plan->reason, &err))
            (void)fprintf(stderr, "sluice: release " STR_FMT " could not be marked bad: %s\n",
                          STR_ARG(release), err.message);
    }
}

static int roll_back(struct deployment *d)
{
    const struct stage_settings *stage = NULL;
    struct rollout_record open;
    bool is_open = false;
    if (!deployment_stage(d, option_text(&d->call->options, "stage"), &stage) ||
        !check_names(d, stage) ||
        !facts_find_open(d, (str){NULL, 0}, stage_environment(stage), &open, &is_open))
        return command_failed(d->call);
    struct flow flow = {.d = d, .stage = narrowed(d, stage), .force = true};
    int code;
    if (plan_way_back(&flow, is_open ? &open : NULL) && ask(&flow) &&
        stage_run_open(d->arena, &d->settings, flow.stage, &d->ports, &flow.run, &d->call->error)) {
        code = flow_drive(&flow);
        if (code == 0) {
            mark_bad(&flow);
            struct error late;
            if (!d->offline && !ledger_sync(d->ledger, LEDGER_WAIT_MS, &late))
                (void)fprintf(stderr, "sluice: the record is not pushed yet: %s\n", late.message);
        }
    } else {
        code = deployment_failed(d);
    }
    flow_done(&flow);
    return code;
}

static int run(struct invocation *call)
{
    struct deployment d;
    if (!deployment_open(call, true, &d))
        return command_failed(call);
    int code = roll_back(&d);
    deployment_close(&d);
    return code;
}

const struct command command_rollback = {
    .name = "rollback",
    .operands = "[TARGET…]",
    .operands_max = 256,
    .summary = "go back to the last known-good release, now",
    .description =
        "Sends every target of the stage back to the release that was known good before, "
        "at full speed, and verifies it.\nA rollout that is under way is fenced out. "
        "Never refused: no gate, approval or freeze stops it, and a ledger whose\nremote "
        "does not answer in 10 s is written locally and pushed later.",
    .options = options,
    .formats = 1U << FORMAT_TEXT | 1U << FORMAT_JSON,
    .run = run,
};
