#include "actions/cli/rehearsal.h"

#include "actions/cli/rehearsal_halves.h"
#include "actions/cli/rehearsal_left.h"
#include "actions/cli/rollback_prompt.h"
#include "actions/cli/say.h"
#include "gate/base/moment.h"

#include <stdio.h>

// ---- what it takes -----------------------------------------------------------------------------

static bool find_releases(struct rehearsal *r)
{
    struct deployment *d = r->d;
    str environment = stage_environment(r->stage);
    for (size_t i = 0; i < r->stage->targets.count; i++) {
        bool live = false, before = false;
        str name = rehearsal_target(r, i);
        if (!facts_known_good(d, environment, name, (str){NULL, 0}, &r->live[i], &live) ||
            (live &&
             !facts_known_good(d, environment, name, r->live[i].release, &r->before[i], &before)))
            return false;
        if (!live || !before)
            return error_set(&d->call->error, ERROR_DENIED,
                             "target " STR_FMT " has %s: there is no way back to rehearse",
                             STR_ARG(name),
                             live ? "no known-good release before the one that is live"
                                  : "no known-good release");
    }
    return true;
}

static bool check_free(struct rehearsal *r)
{
    struct rollout_record open;
    struct rehearsal_left left;
    bool found = false, half_way = false;
    str environment = stage_environment(r->stage);
    if (!facts_find_open(r->d, (str){NULL, 0}, environment, &open, &found) ||
        !rehearsal_left_in(r->d, environment, &left, &half_way))
        return false;
    if (half_way)
        return error_set(&r->d->call->error, ERROR_DENIED,
                         "rehearsal " STR_FMT " of " STR_FMT
                         " is not over: `sluice resume` brings it to its end",
                         STR_ARG(left.back), STR_ARG(environment));
    return !found || error_set(&r->d->call->error, ERROR_DENIED,
                               "rollout " STR_FMT " is under way in " STR_FMT
                               ": a rehearsal waits until it is over",
                               STR_ARG(open.plan->rollout), STR_ARG(open.plan->environment));
}

static str shown(const struct rehearsal *r, str name)
{
    return say_shown(r->d->arena, name);
}

static bool ask(struct rehearsal *r, bool yes)
{
    struct deployment *d = r->d;
    struct way_back way = {0};
    struct text out = text_of(65536);
    if (!facts_way_back(d, stage_environment(r->stage), &way))
        return false;
    text_addf(&out, "Rehearse the way back of " STR_FMT "\n",
              STR_ARG(shown(r, stage_environment(r->stage))));
    for (size_t i = 0; i < r->stage->targets.count; i++)
        text_addf(&out, "  " STR_FMT ": from " STR_FMT " to " STR_FMT " and forward again\n",
                  STR_ARG(shown(r, rehearsal_target(r, i))), STR_ARG(shown(r, r->live[i].release)),
                  STR_ARG(shown(r, r->before[i].release)));
    text_adds(&out, "  all traffic meets the release before for that long: ");
    rollback_expected(d, &way, &out);
    text_addc(&out, '\n');
    (void)fputs(text_c(&out), stderr);
    text_done(&out);
    if (yes)
        return true;
    if (!deployment_interactive(d))
        return error_set(&d->call->error, ERROR_INPUT,
                         "nobody can answer here: add --yes to rehearse without a question");
    return deployment_confirm(d, "Go? ", "nothing was touched");
}

// ---- there and back -----------------------------------------------------------------------------

// What has not ended is left to whoever comes next, unless somebody went another way meanwhile.
static int failed(struct rehearsal *r, int code)
{
    struct deployment *d = r->d;
    struct rehearsal_left left;
    struct error why = d->call->error;
    bool found = false;
    str environment = stage_environment(r->stage);
    if (!rehearsal_left_in(d, environment, &left, &found))
        return command_failed(d->call);
    if (found)
        say_line("The rehearsal is not over: `sluice resume` goes on with it and brings " STR_FMT
                 " of " STR_FMT " forward again.",
                 STR_ARG(r->live[0].release), STR_ARG(environment));
    else if (!rehearsal_record(r, false))
        return command_failed(d->call);
    d->call->error = why;
    return code;
}

static int report(struct rehearsal *r)
{
    struct deployment *d = r->d;
    struct text out = text_of(65536);
    char back[32], forth[32];
    text_addf(&out, "Rehearsed the way back of " STR_FMT ":\n",
              STR_ARG(shown(r, stage_environment(r->stage))));
    for (size_t i = 0; i < r->stage->targets.count; i++) {
        str target = rehearsal_target(r, i);
        text_addf(&out, "  " STR_FMT ": back to " STR_FMT " in %s, forward to " STR_FMT " in %s\n",
                  STR_ARG(shown(r, target)), STR_ARG(shown(r, r->before[i].release)),
                  duration_words(rehearsal_took_ms(d, r->back, target), back),
                  STR_ARG(shown(r, r->live[i].release)),
                  duration_words(rehearsal_took_ms(d, r->forth, target), forth));
    }
    bool ok = d->call->format == FORMAT_JSON || command_print(d->call, text_str(&out));
    text_done(&out);
    return ok ? 0 : command_failed(d->call);
}

int rehearsal_run(struct deployment *d, const struct stage_settings *stage, bool yes)
{
    struct rehearsal r = {
        .d = d,
        .stage = stage,
        .live = ARENA_ARRAY(d->arena, struct placement, stage->targets.count),
        .before = ARENA_ARRAY(d->arena, struct placement, stage->targets.count),
    };
    if (!check_free(&r) || !find_releases(&r) || !ask(&r, yes))
        return deployment_failed(d);
    if (!rehearsal_begin(&r))
        return command_failed(d->call);
    int code = rehearsal_half(&r, REHEARSAL_BACK);
    // Also after a signal: what was live is live again before this ends.
    if (code == 0)
        code = rehearsal_half(&r, REHEARSAL_FORTH);
    if (code != 0)
        return failed(&r, code);
    return rehearsal_record(&r, true) ? report(&r) : command_failed(d->call);
}
