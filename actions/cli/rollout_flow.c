#include "actions/cli/rollout_flow.h"

#include "actions/cli/calendar_desk.h"
#include "actions/cli/decided_by.h"
#include "actions/cli/github_desk.h"
#include "actions/cli/github_incident.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/notices.h"
#include "actions/cli/preflight.h"
#include "actions/cli/preflight_calendar.h"
#include "actions/cli/rehearsal.h"
#include "actions/cli/release_risk.h"
#include "actions/cli/say.h"
#include "actions/cli/steering_desk.h"
#include "actions/cli/way_back.h"
#include "deploy/record/journal.h"
#include "deploy/run/resolve.h"

#include <stdio.h>
#include <unistd.h>

enum { REFRESH_MS = 200, LEAVE_PUSH_MS = 500 };

// ---- preparing ----------------------------------------------------------------------------------

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

// ---- driving ------------------------------------------------------------------------------------

// Said where a rollout begins, and recorded with it.
static void look_for_rehearsal(struct flow *flow)
{
    struct text words = text_of(4096);
    flow->overdue = rehearsal_is_overdue(flow->d, stage_environment(flow->stage), &words);
    if (flow->overdue)
        say_line("sluice: Warning: %s", text_c(&words));
    text_done(&words);
}

static void begun(struct flow *flow)
{
    struct deployment *d = flow->d;
    struct error ignored;
    if (flow->place)
        queue_leave(d, flow->place, "it begins");
    flow->place = NULL;
    if (flow->overdue)
        rehearsal_note_overdue(d, flow->plan->rollout, flow->plan->environment, &ignored);
    flow->overdue = false;
}

static enum run_status loop(struct flow *flow, struct driver *driver,
                            struct progress_display *progress, struct notices *notices,
                            struct github_desk *github)
{
    struct world *world = flow->d->ports.world;
    enum run_status status;
    int64_t wake;
    while ((status = driver_turn(driver, &wake)) == RUN_GOING) {
        int64_t now = deployment_now(flow->d);
        if (driver_state(driver)->phase != PHASE_NEW)
            begun(flow);
        if (world_signal(world) && !flow->interrupted && !flow->deaf) {
            flow->interrupted = true;
            if (flow->leave)
                return RUN_SUSPENDED;
            driver_cancel(driver);
            continue;
        }
        notices_turn(notices, now, &wake);
        github_desk_turn(github, now, &wake);
        progress_refresh(progress, now);
        if (progress->terminal && wake > now + REFRESH_MS)
            wake = now + REFRESH_MS;
        if (wake > now)
            world_wait(world, wake);
    }
    notices_turn(notices, deployment_now(flow->d), &wake); // sent while the lease is given back
    return status;
}

// Who was interrupted may be killed soon.
static int64_t notices_limit(const struct flow *flow)
{
    return flow->leave ? LEAVE_PUSH_MS : NOTICES_LIMIT_MS / (flow->interrupted ? 2 : 1);
}

static int64_t github_limit(const struct flow *flow)
{
    return flow->leave ? 0 : flow->interrupted ? NOTICES_LIMIT_MS / 2 : GITHUB_LIMIT_MS;
}

bool flow_is_only_frozen(const struct plan *plan, const struct rollout_state *state)
{
    uint32_t step = 0;
    const struct plan_approval *rule = rollout_question(plan, state, &step);
    bool answered =
        state->phase == PHASE_WAITING && rule && state->answers >= rule->count && !state->hold;
    return state->frozen && !state->out && !state->cancelled &&
           (answered || state->phase == PHASE_PREPARING || state->phase == PHASE_SHIFTING);
}

static bool look_for_thaw(struct flow *flow, struct calendar_desk *calendar)
{
    struct deployment *d = flow->d;
    struct text words = text_of(4096);
    bool waits = calendar_desk_waits(calendar, deployment_now(d), &flow->thaw_ms, &words);
    if (waits)
        flow->thaw = arena_copy(d->arena, text_str(&words));
    text_done(&words);
    return waits;
}

static int ended(struct flow *flow, enum run_status status, const struct driver *driver,
                 struct calendar_desk *calendar)
{
    struct error *err = &flow->d->call->error;
    const struct rollout_state *state = driver_state(driver);
    flow->phase = state->phase;
    (void)snprintf(flow->why, sizeof flow->why, "%s", state->why);
    flow->refused = status == RUN_REFUSED;
    if (status == RUN_REFUSED) {
        (void)error_set(err, ERROR_DENIED, "%s", driver_words(driver));
        return 1;
    }
    if (status == RUN_LOST) {
        (void)error_set(err, ERROR_REMOTE,
                        "another process has taken rollout " STR_FMT " over: %s; this one has "
                        "stopped and touches nothing any more",
                        STR_ARG(flow->plan->rollout), driver_words(driver));
        return 3;
    }
    if (status == RUN_SUSPENDED && calendar && flow_is_only_frozen(flow->plan, state) &&
        !look_for_thaw(flow, calendar)) {
        flow->thaw = "for a freeze that is over by now";
        flow->thaw_ms = deployment_now(flow->d);
    }
    bool bakes = state->phase == PHASE_STEP_BAKE || state->phase == PHASE_BAKE;
    if (status == RUN_SUSPENDED && bakes)
        flow->bakes_ms = state->bake_until_ms;
    if (flow->leave && flow->interrupted)
        return 128 + world_signal(flow->d->ports.world);
    return flow_outcome(flow);
}

// A rollback does not wait a second time for a remote that has not answered; who lets go is in a
// hurry, and what is unpushed then is pushed by whoever runs next.
static void set_patience(const struct flow *flow, struct journal *journal)
{
    bool alone = flow->force && flow->d->offline;
    journal_patience(journal, alone ? 0 : JOURNAL_FORCE_MS,
                     flow->leave ? LEAVE_PUSH_MS : JOURNAL_PUSH_MS);
}

// A way back asks no calendar.
static struct calendar_desk *open_calendar(struct flow *flow)
{
    struct plan *plan = flow->plan;
    if (plan->mode == PLAN_ROLLBACK)
        return NULL;
    calendar_zones(flow->d->arena, &plan->calendar);
    return calendar_desk_open(flow->d, &plan->calendar,
                              calendar_severity(plan->emergency.severity));
}

bool flow_waits_for_thaw(struct flow *flow)
{
    if (!flow->state || !flow_is_only_frozen(flow->plan, flow->state))
        return false;
    struct calendar_desk *calendar = open_calendar(flow);
    if (!calendar)
        return false;
    (void)calendar_desk_newest(calendar);
    bool waits = look_for_thaw(flow, calendar);
    calendar_desk_close(calendar);
    return waits;
}

int flow_drive(struct flow *flow)
{
    struct deployment *d = flow->d;
    struct invocation *call = d->call;
    struct progress_display progress;
    bool terminal = deployment_interactive(d) && !call->quiet;
    progress_init(&progress, call->color && isatty(STDERR_FILENO), terminal, call->quiet,
                  call->verbose);
    struct approval_desk desk = {
        .ledger = d->ledger,
        .progress = &progress,
        .me = d->me,
        .terminal = deployment_interactive(d) && !flow->suspend,
    };
    facts_authors(d, flow->plan, &desk.authors, &desk.author_count);
    struct steering_desk steering = {.box = {.ledger = d->ledger, .rollout = flow->plan->rollout}};
    if (flow->plan->mode == PLAN_FORWARD && !flow->state)
        look_for_rehearsal(flow);
    struct journal *journal = journal_open(d->ledger);
    struct calendar_desk *calendar = open_calendar(flow);
    set_patience(flow, journal);
    struct notices *notices = notices_open(d, flow->stage, flow->state, &progress);
    struct github_desk *github = github_desk_open(d, flow->plan, flow->state, &progress);
    struct driver_setup setup = {
        .plan = flow->plan,
        .state = flow->state,
        .placements = flow->placements,
        .targets = flow->run.targets,
        .metrics = flow->run.metrics,
        .journal = journal_port(journal),
        .clock = d->ports.clock,
        .entropy = d->ports.entropy,
        .approver = approval_desk_port(&desk),
        .steering = steering_desk_port(&steering),
        .calendar = calendar ? calendar_desk_port(calendar) : (struct calendar_port){0},
        .observer =
            github_desk_observer(github, notices_observer(notices, progress_observer(&progress))),
        .force_lease = flow->force,
        .suspend = flow->suspend,
        .stay = flow->stay,
        .woken_ms = watch_wakes_ms(&d->settings.watch),
        .as_found = flow->as_found,
    };
    struct driver *driver;
    int code;
    if (driver_open(&setup, &driver, &call->error)) {
        enum run_status status = loop(flow, driver, &progress, notices, github);
        progress_done(&progress);
        code = ended(flow, status, driver, calendar);
        github_desk_close(github, github_limit(flow)); // it looks at the driver's state
        driver_close(driver);
    } else {
        code = command_failed(call);
        github_desk_close(github, 0);
    }
    journal_close(journal);
    if (flow->phase == PHASE_ROLLED_BACK || flow->phase == PHASE_STUCK)
        github_incidents(d, github_limit(flow));
    notices_close(notices, notices_limit(flow));
    approval_desk_done(&desk);
    steering_desk_done(&steering);
    calendar_desk_close(calendar);
    return code;
}

void flow_done(struct flow *flow)
{
    stage_run_close(&flow->run);
}
