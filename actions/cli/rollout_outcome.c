// Where a rollout stands when its process ends: the exit code, the words, the runner's outputs and
// summary.
#include "actions/cli/github_marks.h"
#include "actions/cli/plan_calendar.h"
#include "actions/cli/rollout_flow.h"
#include "actions/github/rollout_words.h"
#include "actions/report/escape.h"
#include "gate/base/limits.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

#include <signal.h>
#include <string.h>

struct outcome {
    const char *state; // of the outputs; null = ended in the middle, to be resumed
    const char *mark;
    int code;
};

static const struct outcome outcomes[] = {
    [PHASE_DONE] = {"done", "✅", 0},
    [PHASE_WAITING] = {"waiting", "⏸", 0},
    [PHASE_ROLLED_BACK] = {"rolled-back", "↩️", 1},
    [PHASE_HELD] = {"held", "✋", 1},
    [PHASE_DENIED] = {"denied", "⛔", 1},
    [PHASE_CANCELLED] = {"cancelled", "⛔", 1},
    [PHASE_STUCK] = {"stuck", "🚨", 3},
};

static struct outcome outcome_of(const struct flow *flow)
{
    enum rollout_phase phase = flow->thaw || flow->bakes_ms ? PHASE_WAITING : flow->phase;
    static const struct outcome interrupted = {"interrupted", "⏸", 3};
    bool known = (size_t)phase < sizeof outcomes / sizeof outcomes[0] && outcomes[phase].state;
    return known ? outcomes[phase] : interrupted;
}

// A rollback that rolled back has done what it was asked for. Who interrupts a rollout gets the
// signal's code, once it has come to rest. What waits is no failure, but to who requires more.
static int exit_code(const struct flow *flow)
{
    struct outcome outcome = outcome_of(flow);
    int code = outcome.code;
    if (strcmp(outcome.state, "waiting") == 0 && option_given(&flow->d->call->options, "require"))
        code = 1;
    if (flow->phase == PHASE_ROLLED_BACK && flow->plan->mode == PLAN_ROLLBACK)
        return 0;
    if (code == 1 && flow->interrupted)
        return world_signal(flow->d->ports.world) == SIGINT ? 130 : 143;
    return code;
}

void flow_next(const struct plan *plan, enum rollout_phase phase, struct text *out)
{
    str id = plan->rollout;
    if (phase == PHASE_WAITING)
        text_addf(out,
                  "It waits for an answer: `sluice approve " STR_FMT "` (or `deny`), then `sluice "
                  "resume`.\n",
                  STR_ARG(id));
    else if (phase == PHASE_HELD)
        text_addf(
            out,
            "A person must decide: `sluice promote " STR_FMT " --reason TEXT` goes on, `sluice "
            "abort " STR_FMT "` takes it back. Nothing watches it meanwhile but `sluice watch`, "
            "or what `watch` in the configuration names.\n",
            STR_ARG(id), STR_ARG(id));
    else if (phase == PHASE_STUCK)
        text_addf(out,
                  "The way back could not be verified. Look at the targets (`sluice show " STR_FMT
                  "` says what was seen), mend them, then `sluice resume`: it tries again.\n",
                  STR_ARG(id));
    else if (phase == PHASE_ROLLED_BACK && plan->mode == PLAN_FORWARD)
        text_addf(out, "The whole story: `sluice show " STR_FMT "`.\n", STR_ARG(id));
}

void flow_bakes(const struct watch_settings *watch, int64_t until_ms, struct text *out)
{
    char moment[MOMENT_TEXT], wakes[32];
    text_addf(out,
              "It bakes until %.19sZ and holds no process: " STR_FMT " wakes it within %s, and "
              "`sluice resume` does at any time.\n",
              moment_format(until_ms, moment), STR_ARG(watch->by),
              duration_words(watch_wakes_ms(watch), wakes));
}

static void add_next(const struct flow *flow, struct text *out)
{
    if (flow->bakes_ms) {
        flow_bakes(&flow->d->settings.watch, flow->bakes_ms, out);
        return;
    }
    if (flow->thaw) {
        text_addf(out, "Forward steps wait: %s. Then `sluice resume` goes on with it.\n",
                  flow->thaw);
        return;
    }
    struct text words = text_of(4096);
    int64_t until_ms;
    bool held = flow->phase == PHASE_WAITING && flow->held;
    flow_next(flow->plan, held ? PHASE_HELD : flow->phase, out);
    if (flow->plan->mode == PLAN_ROLLBACK && strcmp(flow->why, REASON_PENDING) == 0)
        text_addf(out,
                  "Say why, for the record: `sluice rollback --explain " STR_FMT
                  " --reason TEXT`.\n",
                  STR_ARG(flow->plan->rollout));
    if (phase_resumable(flow->phase) &&
        plan_calendar_waits(flow->d->arena, flow->plan, flow->phase, deployment_now(flow->d),
                            &until_ms, &words))
        text_addf(out, "Forward steps wait: %s.\n", text_c(&words));
    text_done(&words);
}

// Where a person can answer without a terminal; empty: GitHub has no issue of it, or nothing is
// asked.
static str issue_of(const struct flow *flow, const char **ret_words)
{
    const struct github_marks marks = {flow->d, flow->plan->rollout};
    bool asks = flow->phase == PHASE_WAITING && !flow->thaw && !flow->held;
    str url = asks || flow->held || flow->phase == PHASE_HELD
                  ? github_mark_url(&marks, flow->d->arena, "issue")
                  : (str){NULL, 0};
    *ret_words = asks ? "`/approve` or `/deny`" : "`/promote why` or `/rollback why`";
    return rollout_is_link(url) ? url : (str){NULL, 0};
}

static void add_json(const struct flow *flow, const char *state, struct text *out)
{
    struct json_out json = json_out_of(out, JSON_PRETTY);
    json_open_map(&json, NULL);
    json_add_str(&json, "schema", STR("sluice.outcome/1"));
    json_add_str(&json, "rollout", flow->plan->rollout);
    json_add_str(&json, "release", flow->plan->release);
    json_add_str(&json, "environment", flow->plan->environment);
    json_add_str(&json, "state", str_of(state));
    json_add_str(&json, "why", str_of(flow->why));
    json_close(&json);
    text_addc(out, '\n');
}

// ---- for people ---------------------------------------------------------------------------------

// A command that stands between backticks as it is.
static bool is_plain(str s)
{
    bool ok = true;
    for (size_t i = 0; ok && i < s.len; i++) {
        char c = s.data[i];
        ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             (c != '\0' && strchr(" ._-+/:=<>", c));
    }
    return ok && str_find(s, '<') == STR_NONE;
}

// As markdown_words, but commands byte by byte: they are copied, and what escaping puts into what
// looks like a commit or an address would be copied with them.
static void put_markdown(str line, struct text *out)
{
    size_t open, close;
    while ((open = str_find(line, '`')) != STR_NONE) {
        str inside = str_from(line, open + 1);
        close = str_find(inside, '`');
        if (close == STR_NONE || close == 0 || !is_plain(str_first(inside, close)))
            break;
        markdown_escape(str_first(line, open), out);
        text_addf(out, "`" STR_FMT "`", STR_ARG(str_first(inside, close)));
        line = str_from(inside, close + 1);
    }
    markdown_words(line, out);
}

// What is next, in lines of which names of the configuration are a part.
static void put_next(const struct flow *flow, void (*put)(str line, struct text *out),
                     struct text *out)
{
    struct text words = text_of(65536);
    add_next(flow, &words);
    for (str rest = text_str(&words); rest.len;) {
        put(str_cut(&rest, '\n'), out);
        text_addc(out, '\n');
    }
    text_done(&words);
}

// "v2 done in production", "production is back on v1"
static void put_headline(const struct flow *flow, const char *state,
                         void (*put)(str words, struct text *out), struct text *out)
{
    const struct plan *plan = flow->plan;
    bool back = plan->mode == PLAN_ROLLBACK;
    if (back && flow->phase == PHASE_ROLLED_BACK) {
        put(plan->environment, out);
        text_adds(out, " is back on ");
        put(plan->release, out);
        return;
    }
    put(back ? STR("rollback") : plan->release, out);
    text_addf(out, " %s in ", state);
    put(plan->environment, out);
}

static void add_text(const struct flow *flow, const char *state, struct text *out)
{
    put_headline(flow, state, terminal_escape, out);
    text_adds(out, flow->why[0] ? ": " : "");
    terminal_escape(str_of(flow->why), out);
    text_addc(out, '\n');
    const char *words;
    str issue = issue_of(flow, &words);
    if (issue.len)
        text_addf(out, "Answer with %s in " STR_FMT "\n", words, STR_ARG(issue));
    put_next(flow, terminal_escape, out);
}

static void add_markdown(const struct flow *flow, const struct outcome *outcome, struct text *out)
{
    const struct plan *plan = flow->plan;
    text_addf(out, "## %s ", outcome->mark);
    put_headline(flow, outcome->state, markdown_escape, out);
    text_adds(out, "\n\n");
    if (flow->why[0]) {
        markdown_escape(str_of(flow->why), out);
        text_adds(out, "\n\n");
    }
    text_adds(out, "| target | from | to |\n|---|---|---|\n");
    for (uint32_t i = 0; i < plan->target_count; i++) {
        const struct plan_target *target = &plan->targets[i];
        text_adds(out, "| ");
        markdown_escape(target->name, out);
        text_adds(out, " | ");
        markdown_escape(plan->mode == PLAN_ROLLBACK ? target->next.release : target->good.release,
                        out);
        text_adds(out, " | ");
        markdown_escape(plan->mode == PLAN_ROLLBACK ? target->good.release : target->next.release,
                        out);
        text_adds(out, " |\n");
    }
    text_addc(out, '\n');
    const char *words;
    str issue = issue_of(flow, &words);
    if (issue.len)
        text_addf(out, "**[Answer in its issue](" STR_FMT ")** with %s.\n\n", STR_ARG(issue),
                  words);
    put_next(flow, put_markdown, out);
}

static bool tell_runner(const struct flow *flow, const struct outcome *outcome)
{
    struct invocation *call = flow->d->call;
    const struct runner *runner = &call->runner;
    struct text summary = text_of(LIMIT_SUMMARY_BYTES);
    char moment[MOMENT_TEXT];
    add_markdown(flow, outcome, &summary);
    // What waits is looked at again by the schedule; at once is as good as any time.
    bool waits =
        flow->thaw || flow->bakes_ms || flow->phase == PHASE_WAITING || flow->phase == PHASE_STUCK;
    int64_t at_ms = deployment_now(flow->d), until_ms;
    if (flow->thaw && flow->thaw_ms != ZONE_NEVER)
        at_ms = flow->thaw_ms;
    if (flow->bakes_ms)
        at_ms += flow->d->settings.watch.every_ms;
    struct text why = text_of(4096);
    // A closed window or a freeze is known to end.
    if (waits && !flow->thaw &&
        plan_calendar_waits(flow->d->arena, flow->plan, flow->phase, at_ms, &until_ms, &why) &&
        until_ms != ZONE_NEVER)
        at_ms = until_ms;
    text_done(&why);
    str resume_at = waits ? str_of(moment_format(at_ms, moment)) : (str){NULL, 0};
    bool ok = runner_summary(runner, text_str(&summary), &call->error) &&
              runner_output(runner, "state", str_of(outcome->state), &call->error) &&
              runner_output(runner, "release", flow->plan->release, &call->error) &&
              runner_output(runner, "rollout", flow->plan->rollout, &call->error) &&
              runner_output(runner, "resume-at", resume_at, &call->error);
    text_done(&summary);
    return ok;
}

int flow_outcome(const struct flow *flow)
{
    struct invocation *call = flow->d->call;
    struct outcome outcome = outcome_of(flow);
    struct text out = text_of(65536);
    if (call->format == FORMAT_JSON)
        add_json(flow, outcome.state, &out);
    else
        add_text(flow, outcome.state, &out);
    bool ok = command_print(call, text_str(&out)) &&
              (!call->runner.is_actions || tell_runner(flow, &outcome));
    text_done(&out);
    return ok ? exit_code(flow) : command_failed(call);
}
