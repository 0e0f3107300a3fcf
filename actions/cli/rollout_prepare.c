// The first half of rollout_flow.h: what has to be known, and to hold, before anything is touched.
#include "actions/cli/decided_by.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/preflight.h"
#include "actions/cli/preflight_calendar.h"
#include "actions/cli/release_risk.h"
#include "actions/cli/rollout_flow.h"
#include "actions/cli/way_back.h"
#include "deploy/run/resolve.h"

// "TARGET=…" of a list of words; empty when none is of this target.
static str word_of(const char *const *words, str target)
{
    for (; words && *words; words++) {
        str rest = str_of(*words);
        str name = str_cut(&rest, '=');
        if (str_eq(name, target))
            return rest;
    }
    return (str){NULL, 0};
}

static bool is_named(const char *const *names, str name)
{
    for (; names && *names; names++)
        if (str_is(name, *names))
            return true;
    return false;
}

static bool unknown_target(const struct deploy_settings *settings, const char *option, str name,
                           struct error *err)
{
    struct text names = text_of(512);
    for (size_t i = 0; i < settings->target_count; i++)
        text_addf(&names, "%s`" STR_FMT "`", i ? ", " : "", STR_ARG(settings->targets[i].name));
    (void)error_set(err, ERROR_INPUT, "%s names `" STR_FMT "`, which is not a target; there are %s",
                    option, STR_ARG(str_first(name, 120)), text_c(&names));
    text_done(&names);
    return false;
}

static bool check_words(const struct flow *flow, const char *const *words, const char *option,
                        struct error *err)
{
    for (; words && *words; words++) {
        str rest = str_of(*words);
        str name = str_cut(&rest, '=');
        if (!target_of(&flow->d->settings, name))
            return unknown_target(&flow->d->settings, option, name, err);
    }
    return true;
}

static bool pack_target(struct flow *flow, size_t index, str release, str commit, str given,
                        bool again, struct placement *ret, struct error *err)
{
    struct deployment *d = flow->d;
    const struct run_target *target = &flow->run.targets[index];
    struct target_pack pack = {
        .repository = d->root,
        .commit = commit,
        .release = release,
        .given = given,
        .again = again,
        .cache_folder = d->cache,
    };
    struct target_release made;
    if (!target->kind->pack(target->target, &pack, d->arena, &made, err))
        return error_wrap(err, "making the artifact of target " STR_FMT,
                          STR_ARG(flow->run.target_settings[index]->name));
    flow->run.targets[index].artifact_path = made.artifact_path;
    *ret = (struct placement){.release = made.release,
                              .commit = made.commit,
                              .digest = made.digest,
                              .revision = made.revision};
    return true;
}

static bool find_good(struct flow *flow, const struct flow_request *request, size_t index,
                      struct placement *ret, struct error *err)
{
    struct deployment *d = flow->d;
    str name = flow->run.target_settings[index]->name;
    bool found = false;
    if (!facts_known_good(d, stage_environment(flow->stage), name, (str){NULL, 0}, ret, &found))
        return false;
    if (found || is_named(request->first, name))
        return true;
    return error_set(err, ERROR_DENIED,
                     "target " STR_FMT " has no known-good release to return to: record what runs "
                     "with `sluice adopt`, or allow its first deployment with `--first " STR_FMT
                     "`",
                     STR_ARG(name), STR_ARG(name));
}

// A release may go only when the gate let this very commit pass, and nobody has marked it bad
// since.
static bool check_gate(struct flow *flow, const struct flow_request *request, struct error *err)
{
    struct deployment *d = flow->d;
    struct gate_record fact;
    bool bad = false;
    size_t bad_at = 0;
    if (!gate_decided(d->ledger, d->arena, str_of(request->commit), &fact, err)) {
        if (err->kind != ERROR_ABSENT)
            return false;
        return error_set(err, ERROR_DENIED,
                         "the gate has not decided on commit %.12s: check it out and run `sluice "
                         "gate --record` first",
                         request->commit);
    }
    bool same_bad = false;
    if (!decided_by_check(d, &fact, err))
        return false;
    if (!release_is_bad(d->ledger, request->release, &bad, &bad_at, err) ||
        !facts_commit_is_bad(d, str_of(request->commit), fact.position, &same_bad))
        return false;
    if (!str_is(fact.decision, "pass") && !str_is(fact.decision, "warn"))
        return error_set(err, ERROR_DENIED, "the gate's decision on commit %.12s is `" STR_FMT "`",
                         request->commit, STR_ARG(fact.decision));
    if (same_bad || (bad && bad_at > fact.position))
        return error_set(err, ERROR_DENIED,
                         "%s " STR_FMT " was taken back and is marked bad: it needs a new gate "
                         "decision before it may go out again",
                         same_bad ? "what is released as" : "release", STR_ARG(request->release));
    return true;
}

bool flow_prepare(struct flow *flow, const struct flow_request *request)
{
    struct deployment *d = flow->d;
    struct error *err = &d->call->error;
    size_t count = flow->stage->targets.count;
    struct placement *next = ARENA_ARRAY(d->arena, struct placement, count);
    struct placement *good = ARENA_ARRAY(d->arena, struct placement, count);
    str *no_return;
    struct release_demands demands;
    struct preflight found;
    struct calendar_settings calendar;
    struct plan_emergency emergency = request->emergency;
    if (!check_words(flow, request->artifacts, "--artifact", err) ||
        !check_words(flow, request->first, "--first", err) || !check_gate(flow, request, err) ||
        !preflight_calendar(d, &emergency, &calendar) ||
        !stage_run_open(d->arena, &d->settings, flow->stage, PLAN_FORWARD, &d->ports, &flow->run,
                        err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!find_good(flow, request, i, &good[i], err))
            return false;
    flow->run.good = good;
    if (!way_back_check(d, &flow->run, good, request->commit, request->no_return, &no_return) ||
        !release_risk(d, good, count, request->commit, &demands) || !preflight_look(d, &flow->run))
        return false;
    for (size_t i = 0; i < count; i++) {
        str given = word_of(request->artifacts, flow->run.target_settings[i]->name);
        if (!pack_target(flow, i, request->release, str_of(request->commit), given, false, &next[i],
                         err))
            return false;
    }
    struct resolve_request resolve = {
        .settings = &d->settings,
        .stage = flow->stage,
        .mode = PLAN_FORWARD,
        .rollout = facts_new_rollout(d, request->release, flow->stage->stage),
        .release = request->release,
        .commit = str_of(request->commit),
        .next = next,
        .good = good,
        .no_return = no_return,
        .demands = &demands,
        .targets = flow->run.opened,
        .calendar = &calendar,
        .now_ms = deployment_now(d),
        .emergency = emergency,
    };
    return plan_resolve(d->arena, &resolve, &flow->plan, err) &&
           preflight_plan(d, &flow->run, flow->plan, &found);
}

bool flow_prepare_again(struct flow *flow)
{
    struct deployment *d = flow->d;
    struct error *err = &d->call->error;
    if (!stage_run_open(d->arena, &d->settings, flow->stage, flow->plan->mode, &d->ports,
                        &flow->run, err))
        return false;
    if (flow->run.target_count != flow->plan->target_count ||
        flow->run.metric_count != flow->plan->metric_count)
        return error_set(
            err, ERROR_INPUT,
            "the configuration has other targets or metrics than the plan of rollout " STR_FMT
            " that is under way: go back to the configuration it began with",
            STR_ARG(flow->plan->rollout));
    if (flow->plan->mode == PLAN_ROLLBACK)
        return true;
    for (size_t i = 0; i < flow->run.target_count; i++) {
        const struct placement *next = &flow->plan->targets[i].next;
        struct placement made;
        bool kept = pack_target(flow, i, flow->plan->release, flow->plan->commit, next->digest,
                                true, &made, err) ||
                    pack_target(flow, i, flow->plan->release, flow->plan->commit, (str){NULL, 0},
                                false, &made, err);
        if (!kept)
            return false;
        if (!str_eq(made.digest, next->digest))
            return error_set(err, ERROR_SYSTEM,
                             "the artifact of target " STR_FMT " comes out as " STR_FMT
                             ", not as " STR_FMT " as planned",
                             STR_ARG(flow->plan->targets[i].name), STR_ARG(made.digest),
                             STR_ARG(next->digest));
    }
    *err = (struct error){0};
    return true;
}
