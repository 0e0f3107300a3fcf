// sluice status: where each rollout stands, what is known good, and what is marked bad.
#include "actions/cli/commands.h"
#include "actions/cli/queue.h"
#include "actions/cli/rehearsal_left.h"
#include "actions/cli/rehearsal_overdue.h"
#include "actions/cli/status_rollout.h"
#include "gate/base/moment.h"

#include <stdio.h>
#include <unistd.h>

enum {
    BAD_SHOWN = 5,
    FETCH_MS = 5000,
    REDRAW_MS = 1000,
    PRINT_BYTES = 4 << 20,
};

static const struct option options[] = {
    {.name = "watch", .help = "Draw it anew every second, until Ctrl-C."},
    {0},
};

// ---- targets -----------------------------------------------------------------------------------

static void add_target(str environment, str target, const struct placement *good, bool found,
                       struct text *out, struct json_out *json)
{
    if (json) {
        json_open_map(json, NULL);
        json_add_str(json, "environment", environment);
        json_add_str(json, "target", target);
        json_add_str(json, "known_good", found ? good->release : (str){NULL, 0});
        json_add_str(json, "revision", found ? good->revision : (str){NULL, 0});
        json_close(json);
    } else if (found) {
        text_addf(out, STR_FMT " " STR_FMT ": known good is " STR_FMT " (" STR_FMT ")\n",
                  STR_ARG(environment), STR_ARG(target), STR_ARG(good->release),
                  STR_ARG(good->revision));
    } else {
        text_addf(out,
                  STR_FMT " " STR_FMT ": no known-good release; `sluice adopt` records what runs, "
                          "`sluice rollout RELEASE --first " STR_FMT "` allows a first one\n",
                  STR_ARG(environment), STR_ARG(target), STR_ARG(target));
    }
}

static bool each_target(struct deployment *d, struct text *out, struct json_out *json)
{
    for (size_t s = 0; s < d->settings.stage_count; s++) {
        const struct stage_settings *stage = &d->settings.stages[s];
        for (size_t i = 0; i < stage->targets.count; i++) {
            str target = ((const str *)stage->targets.items)[i];
            struct placement good = {0};
            bool found = false;
            if (!facts_known_good(d, stage_environment(stage), target, (str){NULL, 0}, &good,
                                  &found))
                return false;
            add_target(stage_environment(stage), target, &good, found, out, json);
        }
    }
    return true;
}

// ---- marks -------------------------------------------------------------------------------------

// It may go out again once the gate has decided on its commit since.
static bool is_decided_anew(struct deployment *d, const struct bad_release *bad)
{
    struct gate_record fact;
    struct error ignored;
    return bad->commit.len && gate_decided(d->ledger, d->arena, bad->commit, &fact, &ignored) &&
           fact.position > bad->position;
}

static bool each_bad(struct deployment *d, struct text *out, struct json_out *json)
{
    struct bad_release *list = NULL;
    size_t count = 0;
    char moment[MOMENT_TEXT];
    if (!releases_bad(d->ledger, d->arena, BAD_SHOWN, &list, &count, &d->call->error))
        return false;
    for (size_t i = 0; i < count; i++) {
        bool anew = is_decided_anew(d, &list[i]);
        if (!json) {
            text_addf(out, STR_FMT " is marked bad since %.16sZ: " STR_FMT "%s\n",
                      STR_ARG(list[i].release), moment_format(list[i].time_ms, moment),
                      STR_ARG(str_first(list[i].why, 200)),
                      anew ? "; the gate has decided on it again" : "");
            continue;
        }
        json_open_map(json, NULL);
        json_add_str(json, "release", list[i].release);
        json_add_str(json, "commit", list[i].commit);
        json_add_str(json, "environment", list[i].environment);
        json_add_str(json, "since", str_of(moment_format(list[i].time_ms, moment)));
        json_add_str(json, "why", list[i].why);
        json_add_bool(json, "decided_anew", anew);
        json_close(json);
    }
    return true;
}

// ---- warnings ----------------------------------------------------------------------------------

static bool is_first_of(const struct deployment *d, size_t stage)
{
    for (size_t i = 0; i < stage; i++)
        if (str_eq(stage_environment(&d->settings.stages[i]),
                   stage_environment(&d->settings.stages[stage])))
            return false;
    return true;
}

// A rehearsal that nobody brings to its end comes before everything else.
static bool each_left(struct deployment *d, struct text *out, struct json_out *json)
{
    bool ok = true;
    for (size_t i = 0; ok && i < d->settings.stage_count; i++) {
        struct rehearsal_left left;
        struct text words = text_of(1 << 18);
        bool found = false;
        ok = !is_first_of(d, i) ||
             rehearsal_left_in(d, stage_environment(&d->settings.stages[i]), &left, &found);
        if (found && !left.driven && !left.restored) {
            rehearsal_left_words(&left, &words);
            text_adds(&words, "; `sluice resume` brings it forward again");
            if (json)
                json_add_str(json, NULL, text_str(&words));
            else
                text_addf(out, "ATTENTION: %s\n", text_c(&words));
        }
        text_done(&words);
    }
    return ok;
}

static void each_overdue(struct deployment *d, struct text *out, struct json_out *json)
{
    for (size_t i = 0; i < d->settings.stage_count; i++) {
        struct text words = text_of(4096);
        str environment = stage_environment(&d->settings.stages[i]);
        if (is_first_of(d, i) && rehearsal_is_overdue(d, environment, &words)) {
            if (json)
                json_add_str(json, NULL, text_str(&words));
            else
                text_addf(out, "Warning: %s\n", text_c(&words));
        }
        text_done(&words);
    }
}

// ---- the whole ---------------------------------------------------------------------------------

static bool status_text(struct deployment *d, const struct rollout_record *list, size_t count,
                        bool one, struct text *out)
{
    if (!one && !each_left(d, out, NULL))
        return false;
    for (size_t i = 0; i < count; i++)
        if (one)
            status_rollout_text(d, &list[i], out);
        else
            status_rollout_line(d, &list[i], out);
    if (one)
        return true;
    if (count == 0)
        text_adds(out, "No rollout is under way.\n");
    queue_text(d, out);
    bool ok = each_target(d, out, NULL) && each_bad(d, out, NULL);
    each_overdue(d, out, NULL);
    return ok;
}

static bool status_json(struct deployment *d, const struct rollout_record *list, size_t count,
                        bool one, struct text *out)
{
    struct json_out json = json_out_of(out, JSON_PRETTY);
    bool ok = true;
    json_open_map(&json, NULL);
    json_add_str(&json, "schema", STR("sluice.status/1"));
    json_open_list(&json, "rollouts");
    for (size_t i = 0; i < count; i++)
        status_rollout_json(d, &list[i], &json);
    json_close(&json);
    if (!one) {
        json_open_list(&json, "queue");
        queue_json(d, &json);
        json_close(&json);
        json_open_list(&json, "targets");
        ok = each_target(d, out, &json);
        json_close(&json);
        json_open_list(&json, "bad");
        ok = ok && each_bad(d, out, &json);
        json_close(&json);
        json_open_list(&json, "warnings");
        ok = ok && each_left(d, out, &json);
        each_overdue(d, out, &json);
        json_close(&json);
    }
    json_close(&json);
    text_addc(out, '\n');
    return ok;
}

// By its name, over or not; or what is under way of a release.
static bool find_one(struct deployment *d, const char *name, struct rollout_record *ret)
{
    struct rollout_record *open;
    struct error why;
    size_t count = 0;
    if (rollout_load(d->ledger, d->arena, str_of(name), ret, &why))
        return true;
    if (why.kind != ERROR_ABSENT) {
        d->call->error = why;
        return false;
    }
    if (!facts_all_open(d, &open, &count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (str_is(open[i].plan->release, name)) {
            *ret = open[i];
            return true;
        }
    return error_set(&d->call->error, ERROR_ABSENT,
                     "there is no rollout %s, and no release of that name is under way: `sluice "
                     "log` lists what there was",
                     name);
}

static bool write_status(struct deployment *d, struct text *out)
{
    const char *name = d->call->options.operand_count ? d->call->options.operands[0] : NULL;
    struct rollout_record one, *list = &one;
    size_t count = 1;
    bool ok = name ? find_one(d, name, &one) : facts_all_open(d, &list, &count);
    return ok && (d->call->format == FORMAT_JSON ? status_json(d, list, count, name != NULL, out)
                                                 : status_text(d, list, count, name != NULL, out));
}

// Whatever was read for one picture is given back after it.
static bool draw(struct deployment *d)
{
    struct arena arena = {0};
    struct deployment picture = *d;
    struct text out = text_of(PRINT_BYTES);
    char moment[MOMENT_TEXT];
    picture.arena = &arena;
    text_addf(&out, "\033[H\033[Jsluice status, %.19sZ; Ctrl-C ends it\n\n",
              moment_format(deployment_now(d), moment));
    const struct error *trouble = ledger_trouble(d->ledger);
    if (trouble)
        text_addf(&out, "The ledger's remote does not answer: %s\n", trouble->message);
    bool ok = write_status(&picture, &out) && fwrite(out.data, 1, out.len, stdout) == out.len &&
              fflush(stdout) == 0;
    text_done(&out);
    arena_done(&arena);
    return ok;
}

static bool redraw(struct deployment *d)
{
    int64_t next_ms = 0;
    bool ok = true;
    ledger_want_fetch(d->ledger, FETCH_MS);
    while (ok && !world_signal(d->ports.world)) {
        struct error ignored;
        int64_t now_ms = deployment_now(d);
        int64_t wake_ms = ledger_turn(d->ledger, now_ms);
        (void)ledger_refresh(d->ledger, &ignored);
        if (now_ms >= next_ms || next_ms > now_ms + REDRAW_MS) {
            next_ms = now_ms + REDRAW_MS;
            ok = draw(d);
        }
        int64_t until_ms = wake_ms < next_ms ? wake_ms : next_ms;
        world_wait(d->ports.world, until_ms > now_ms ? until_ms : now_ms + 1);
    }
    return ok;
}

static int run(struct invocation *call)
{
    struct deployment d;
    bool watches = option_given(&call->options, "watch"), ok;
    if (watches && (!isatty(STDOUT_FILENO) || call->format != FORMAT_TEXT)) {
        (void)error_set(&call->error, ERROR_INPUT,
                        "--watch draws on a terminal, and there is none here");
        return command_failed(call);
    }
    if (watches ? !deployment_open_here(call, &d) : !deployment_open(call, true, &d))
        return command_failed(call);
    if (watches) {
        ok = redraw(&d);
    } else {
        struct text out = text_of(PRINT_BYTES);
        ok = write_status(&d, &out) && command_print(call, text_str(&out));
        text_done(&out);
    }
    deployment_close(&d);
    return ok ? 0 : command_failed(call);
}

const struct command command_status = {
    .name = "status",
    .operands = "[ROLLOUT]",
    .operands_max = 1,
    .summary = "where each rollout stands, and what is known good",
    .description = "Reads the ledger and touches nothing. With a rollout's name, or that of a "
                   "release under way, all about that one:\nits step, until when, who is asked, "
                   "what is watched, who drives it, what to type to take it back.",
    .options = options,
    .formats = 1U << FORMAT_TEXT | 1U << FORMAT_JSON,
    .run = run,
};
