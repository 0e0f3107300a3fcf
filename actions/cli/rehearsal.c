#include "actions/cli/rehearsal.h"

#include "actions/cli/rollback_plan.h"
#include "actions/cli/rollback_prompt.h"
#include "actions/cli/rollout_flow.h"
#include "deploy/run/resolve.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

#include <stdio.h>

struct rehearsal {
    struct deployment *d;
    const struct stage_settings *stage;
    size_t count;
    struct placement *live, *before; // of each target
    str back, forth;                 // the two rollouts; empty = not begun
};

static str target_name(const struct rehearsal *r, size_t i)
{
    return ((const str *)r->stage->targets.items)[i];
}

// ---- what it takes -----------------------------------------------------------------------------

static bool find_releases(struct rehearsal *r)
{
    struct deployment *d = r->d;
    str environment = stage_environment(r->stage);
    for (size_t i = 0; i < r->count; i++) {
        bool live = false, before = false;
        str name = target_name(r, i);
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
    bool found = false;
    if (!facts_find_open(r->d, (str){NULL, 0}, stage_environment(r->stage), &open, &found))
        return false;
    return !found || error_set(&r->d->call->error, ERROR_DENIED,
                               "rollout " STR_FMT " is under way in " STR_FMT
                               ": a rehearsal waits until it is over",
                               STR_ARG(open.plan->rollout), STR_ARG(open.plan->environment));
}

static bool ask(struct rehearsal *r, bool yes)
{
    struct deployment *d = r->d;
    struct way_back way = {0};
    struct text out = text_of(65536);
    if (!facts_way_back(d, stage_environment(r->stage), &way))
        return false;
    text_addf(&out, "Rehearse the way back of " STR_FMT "\n", STR_ARG(stage_environment(r->stage)));
    for (size_t i = 0; i < r->count; i++)
        text_addf(&out, "  " STR_FMT ": from " STR_FMT " to " STR_FMT " and forward again\n",
                  STR_ARG(target_name(r, i)), STR_ARG(r->live[i].release),
                  STR_ARG(r->before[i].release));
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

// ---- there and back ----------------------------------------------------------------------------

static int leg(struct rehearsal *r, const struct placement *from, const struct placement *to,
               str *ret_rollout)
{
    struct deployment *d = r->d;
    struct flow flow = {.d = d, .stage = r->stage};
    struct resolve_request request = {
        .settings = &d->settings,
        .stage = r->stage,
        .mode = PLAN_ROLLBACK,
        .rollout = rollback_name(d, to[0].release, stage_environment(r->stage), "rehearsal"),
        .release = to[0].release,
        .commit = to[0].commit,
        .reason = STR("rehearsal"),
        .next = from,
        .good = to,
    };
    if (!plan_resolve(d->arena, &request, &flow.plan, &d->call->error) ||
        !stage_run_open(d->arena, &d->settings, r->stage, &d->ports, &flow.run, &d->call->error))
        return command_failed(d->call);
    flow.plan->rehearsal = true;
    *ret_rollout = request.rollout;
    int code = flow_drive(&flow);
    bool back = flow.phase == PHASE_ROLLED_BACK;
    flow_done(&flow);
    if (code == 0 && !back)
        code = 3;
    return back ? 0 : code;
}

// ---- the record --------------------------------------------------------------------------------

// How long a target took, from the decision to when it was seen there; 0 = it is not known.
static int64_t took_ms(struct deployment *d, str rollout, str target)
{
    struct arena arena = {0};
    int64_t took = 0;
    for (size_t i = ledger_count(d->ledger); rollout.len && i-- > 0 && took == 0;) {
        const struct ledger_entry *entry = ledger_at(d->ledger, i);
        struct event event;
        struct error ignored;
        int64_t since_ms = 0;
        if (!str_eq(entry->rollout, rollout) ||
            !str_is(entry->type, record_name(RECORD_COMMAND_DONE)) ||
            !ledger_read(d->ledger, &arena, entry, &event, &ignored))
            continue;
        const struct node *state = node_get(event.fields, "state");
        if (state && str_eq(node_text(event.fields, "target"), target) &&
            json_get_i64(state, "reverting_since_ms", &since_ms))
            took = event.time_ms - since_ms;
    }
    arena_done(&arena);
    return took;
}

static bool record(const struct rehearsal *r, bool ok)
{
    struct deployment *d = r->d;
    struct text body = text_of(LIMIT_EVENT_BYTES);
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    json_open_map(&json, NULL);
    json_add_str(&json, "environment", stage_environment(r->stage));
    json_add_str(&json, "stage", r->stage->stage);
    json_add_bool(&json, "ok", ok);
    json_add_str(&json, "back", r->back);
    json_add_str(&json, "forth", r->forth);
    json_open_list(&json, "targets");
    for (size_t i = 0; i < r->count; i++) {
        json_open_map(&json, NULL);
        json_add_str(&json, "target", target_name(r, i));
        json_add_str(&json, "from", r->live[i].release);
        json_add_str(&json, "to", r->before[i].release);
        json_add_double(&json, "back_s", (double)took_ms(d, r->back, target_name(r, i)) / 1000);
        json_add_double(&json, "forth_s", (double)took_ms(d, r->forth, target_name(r, i)) / 1000);
        json_close(&json);
    }
    json_close(&json);
    json_close(&json);
    struct event event = {.stream = STREAM_ROLLOUT,
                          .type = STR(REHEARSAL_TYPE),
                          .rollout = r->back,
                          .body = text_str(&body)};
    bool done = ledger_append(d->ledger, &event, NULL, &d->call->error) &&
                ledger_sync(d->ledger, LEDGER_WAIT_MS, &d->call->error);
    text_done(&body);
    return done;
}

static int report(struct rehearsal *r, int code)
{
    struct deployment *d = r->d;
    if (r->back.len == 0)
        return code; // it never began
    struct error why = d->call->error;
    if (!record(r, code == 0))
        return command_failed(d->call);
    d->call->error = why;
    if (code != 0) {
        (void)fprintf(stderr,
                      "The rehearsal did not end where it began: `sluice rollback --to " STR_FMT
                      "` brings " STR_FMT " forward again.\n",
                      STR_ARG(r->live[0].release), STR_ARG(stage_environment(r->stage)));
        return code;
    }
    struct text out = text_of(65536);
    char back[32], forth[32];
    text_addf(&out, "Rehearsed the way back of " STR_FMT ":\n",
              STR_ARG(stage_environment(r->stage)));
    for (size_t i = 0; i < r->count; i++)
        text_addf(&out, "  " STR_FMT ": back to " STR_FMT " in %s, forward to " STR_FMT " in %s\n",
                  STR_ARG(target_name(r, i)), STR_ARG(r->before[i].release),
                  duration_words(took_ms(d, r->back, target_name(r, i)), back),
                  STR_ARG(r->live[i].release),
                  duration_words(took_ms(d, r->forth, target_name(r, i)), forth));
    bool ok = d->call->format == FORMAT_JSON || command_print(d->call, text_str(&out));
    text_done(&out);
    return ok ? 0 : command_failed(d->call);
}

int rehearsal_run(struct deployment *d, const struct stage_settings *stage, bool yes)
{
    size_t count = stage->targets.count;
    struct rehearsal r = {
        .d = d,
        .stage = stage,
        .count = count,
        .live = ARENA_ARRAY(d->arena, struct placement, count),
        .before = ARENA_ARRAY(d->arena, struct placement, count),
    };
    if (!check_free(&r) || !find_releases(&r) || !ask(&r, yes))
        return deployment_failed(d);
    int code = leg(&r, r.live, r.before, &r.back);
    // Also after a signal: what was live is live again before this ends.
    if (code == 0)
        code = leg(&r, r.before, r.live, &r.forth);
    return report(&r, code);
}

bool rehearsal_note_overdue(struct deployment *d, str rollout, str environment, struct error *err)
{
    struct text body = text_of(4096);
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    char every[32];
    json_open_map(&json, NULL);
    json_add_str(&json, "environment", environment);
    json_add_str(&json, "rehearse_every",
                 str_of(duration_format(d->settings.rollback.rehearse_every_ms, every)));
    json_close(&json);
    struct event event = {.stream = STREAM_ROLLOUT,
                          .type = STR("rehearsal.overdue"),
                          .rollout = rollout,
                          .body = text_str(&body)};
    bool ok = ledger_append(d->ledger, &event, NULL, err);
    text_done(&body);
    return ok;
}

bool rehearsal_is_overdue(struct deployment *d, str environment, struct text *out)
{
    int64_t every_ms = d->settings.rollback.rehearse_every_ms;
    struct way_back way = {0};
    struct error before = d->call->error;
    char every[32], ago[32];
    if (every_ms == 0)
        return false;
    if (!facts_way_back(d, environment, &way)) {
        d->call->error = before;
        return false;
    }
    int64_t age_ms = deployment_now(d) - way.newest_at_ms;
    if (way.newest_at_ms && age_ms <= every_ms)
        return false;
    text_addf(out,
              "the way back of " STR_FMT " was last taken %s%s, and `rollback: "
              "{rehearse_every: %s}` wants it more often: `sluice rollback --rehearse`",
              STR_ARG(environment), way.newest_at_ms ? duration_words(age_ms, ago) : "never",
              way.newest_at_ms ? " ago" : "", duration_format(every_ms, every));
    return true;
}
