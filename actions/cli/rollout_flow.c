#include "actions/cli/rollout_flow.h"

#include "actions/cli/calendar_desk.h"
#include "actions/cli/github_desk.h"
#include "actions/cli/github_incident.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/notices.h"
#include "actions/cli/rehearsal_overdue.h"
#include "actions/cli/say.h"
#include "actions/cli/steering_desk.h"
#include "deploy/record/journal.h"
#include "deploy/run/settings_calendar.h"

#include <stdio.h>
#include <unistd.h>

enum { REFRESH_MS = 200, LEAVE_PUSH_MS = 500 };

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

// What the driver meets while it runs: people and what they see, and the calendar.
struct company {
    struct progress_display progress;
    struct approval_desk desk;
    struct release_brief brief;
    struct steering_desk steering;
    struct journal *journal;
    struct calendar_desk *calendar;
    struct notices *notices;
    struct github_desk *github;
};

static enum run_status loop(struct flow *flow, struct driver *driver, struct company *company)
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
        notices_turn(company->notices, now, &wake);
        github_desk_turn(company->github, now, &wake);
        progress_refresh(&company->progress, now);
        if (company->progress.terminal && wake > now + REFRESH_MS)
            wake = now + REFRESH_MS;
        if (wake > now)
            world_wait(world, wake);
    }
    notices_turn(company->notices, deployment_now(flow->d),
                 &wake); // sent while the lease is given back
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
    flow->held = state->hold;
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

static void open_company(struct flow *flow, struct company *ret)
{
    struct deployment *d = flow->d;
    struct invocation *call = d->call;
    bool terminal = deployment_interactive(d);
    *ret = (struct company){
        .desk = {.ledger = d->ledger,
                 .progress = &ret->progress,
                 .me = d->me,
                 .brief = &ret->brief,
                 .terminal = terminal && !flow->suspend},
        .steering = {.box = {.ledger = d->ledger, .rollout = flow->plan->rollout}},
    };
    progress_init(&ret->progress, call->color && isatty(STDERR_FILENO), terminal && !call->quiet,
                  call->quiet, call->verbose);
    release_brief(d, flow->plan, &ret->brief);
    facts_authors(d, flow->plan, &ret->desk.people);
    if (flow->plan->mode == PLAN_FORWARD && !flow->state)
        look_for_rehearsal(flow);
    ret->journal = journal_open(d->ledger);
    ret->calendar = open_calendar(flow);
    set_patience(flow, ret->journal);
    ret->notices = notices_open(d, flow->stage, flow->state, &ret->progress);
    ret->github = github_desk_open(d, flow->plan, flow->state, &ret->progress);
}

// GitHub's desk is closed before: it looks at the driver's state.
static void close_company(struct flow *flow, struct company *company)
{
    journal_close(company->journal);
    if (flow->phase == PHASE_ROLLED_BACK || flow->phase == PHASE_STUCK)
        github_incidents(flow->d, github_limit(flow));
    notices_close(company->notices, notices_limit(flow));
    approval_desk_done(&company->desk);
    steering_desk_done(&company->steering);
    calendar_desk_close(company->calendar);
}

static struct driver_setup setup_of(struct flow *flow, struct company *company)
{
    struct deployment *d = flow->d;
    struct calendar_desk *calendar = company->calendar;
    struct observer_port seen =
        notices_observer(company->notices, progress_observer(&company->progress));
    return (struct driver_setup){
        .plan = flow->plan,
        .state = flow->state,
        .placements = flow->placements,
        .targets = flow->run.targets,
        .metrics = flow->run.metrics,
        .journal = journal_port(company->journal),
        .clock = d->ports.clock,
        .entropy = d->ports.entropy,
        .approver = approval_desk_port(&company->desk),
        .steering = steering_desk_port(&company->steering),
        .calendar = calendar ? calendar_desk_port(calendar) : (struct calendar_port){0},
        .observer = github_desk_observer(company->github, seen),
        .force_lease = flow->force,
        .suspend = flow->suspend,
        .stay = flow->stay,
        .woken_ms = watch_wakes_ms(&d->settings.watch),
        .as_found = flow->as_found,
    };
}

int flow_drive(struct flow *flow)
{
    struct invocation *call = flow->d->call;
    struct company company;
    open_company(flow, &company);
    struct driver_setup setup = setup_of(flow, &company);
    struct driver *driver;
    int code;
    if (driver_open(&setup, &driver, &call->error)) {
        enum run_status status = loop(flow, driver, &company);
        progress_done(&company.progress);
        if (status == RUN_SUSPENDED) { // its issue is told of where to answer
            github_desk_close(company.github, github_limit(flow));
            company.github = NULL;
        }
        code = ended(flow, status, driver, company.calendar);
        github_desk_close(company.github, github_limit(flow));
        driver_close(driver);
    } else {
        code = command_failed(call);
        github_desk_close(company.github, 0);
    }
    close_company(flow, &company);
    return code;
}

void flow_done(struct flow *flow)
{
    stage_run_close(&flow->run);
}
