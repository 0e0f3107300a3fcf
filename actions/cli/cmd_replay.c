// sluice replay: another policy over what the ledger has recorded.
#include "actions/cli/commands.h"
#include "actions/cli/deployment.h"
#include "actions/cli/replay.h"
#include "actions/report/escape.h"
#include "gate/base/limits.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

#define SHOWN 5u // findings of one decision, when not verbose

static const struct option options[] = {
    {.name = "policy", .argument = "FILE", .help = "The policy to judge by."},
    {.name = "since",
     .argument = "REV|DATE|N",
     .help = "From the decision about REV on, from DATE on, or the newest N (all)."},
    {0},
};

struct totals {
    size_t of[VERDICT_BLOCK + 1];
    size_t stricter, laxer, partly, rollouts;
};

struct replays {
    struct replayed *items;
    size_t count, room;
    struct totals totals;
};

// ---- which -------------------------------------------------------------------------------------
static bool is_decision(const struct ledger *ledger, size_t position)
{
    return str_is(ledger_at(ledger, position)->type, "gate.decided");
}

static size_t newest(const struct ledger *ledger, uint64_t most)
{
    size_t at = ledger_count(ledger), from = at;
    for (uint64_t n = 0; at-- > 0 && n < most;)
        if (is_decision(ledger, at)) {
            from = at;
            n++;
        }
    return from;
}

static size_t since_moment(const struct ledger *ledger, int64_t ms)
{
    size_t at = 0;
    while (at < ledger_count(ledger) && ledger_at(ledger, at)->time_ms < ms)
        at++;
    return at;
}

static bool since_commit(struct replay *replay, const char *name, size_t *ret)
{
    struct ledger *ledger = replay->ledger;
    struct error *err = &replay->call->error;
    char commit[COMMIT_HEX];
    if (!replay->repository || !repository_resolve(replay->repository, name, commit, err))
        return error_set(err, ERROR_INPUT,
                         "--since takes a commit, a date such as 2027-01-31, or a number of "
                         "decisions, not `%s`",
                         name);
    for (size_t i = 0; i < ledger_count(ledger); i++) {
        struct arena arena = {0};
        struct event event;
        if (!is_decision(ledger, i))
            continue;
        bool ok = ledger_read(ledger, &arena, ledger_at(ledger, i), &event, err);
        bool same = ok && str_is(node_text(event.fields, "commit"), commit);
        arena_done(&arena);
        if (!ok)
            return false;
        if (same) {
            *ret = i;
            return true;
        }
    }
    return error_set(err, ERROR_ABSENT, "the ledger has no decision about %s (%.12s)", name,
                     commit);
}

static bool find_first(struct replay *replay, size_t *ret)
{
    const char *since = option_text(&replay->call->options, "since");
    uint64_t most;
    int64_t days, ms;
    *ret = 0;
    if (!since)
        return true;
    if (strlen(since) < 7 && number_u64(str_of(since), &most)) {
        if (most == 0)
            return error_set(&replay->call->error, ERROR_INPUT, "--since 0 asks for nothing");
        *ret = newest(replay->ledger, most);
    } else if (date_parse(str_of(since), &days)) {
        *ret = since_moment(replay->ledger, days * MS_DAY);
    } else if (moment_parse(str_of(since), &ms)) {
        *ret = since_moment(replay->ledger, ms);
    } else {
        return since_commit(replay, since, ret);
    }
    return true;
}

// ---- judging -----------------------------------------------------------------------------------
static void count(struct totals *totals, const struct replayed *one)
{
    totals->of[one->would]++;
    totals->stricter += one->would > one->was && one->would >= VERDICT_HOLD;
    totals->laxer += one->would < one->was && one->was >= VERDICT_HOLD;
    totals->partly += one->unjudged_count != 0;
}

static bool judge_all(struct replay *replay, size_t from, struct replays *ret)
{
    for (size_t i = from; i < ledger_count(replay->ledger); i++) {
        ret->totals.rollouts += str_is(ledger_at(replay->ledger, i)->type, "rollout.planned");
        if (!is_decision(replay->ledger, i))
            continue;
        ret->items =
            arena_grow(replay->call->arena, ret->items, ret->count, &ret->room, sizeof *ret->items);
        if (!replay_decision(replay, i, &ret->items[ret->count]))
            return false;
        count(&ret->totals, &ret->items[ret->count++]);
    }
    return true;
}

// ---- words -------------------------------------------------------------------------------------
static void add_unjudged(const struct replayed *one, size_t most, struct text *out)
{
    for (size_t i = 0; i < one->unjudged_count; i++) {
        const char *why = one->unjudged[i].why;
        bool again = false;
        size_t shown = 0;
        for (size_t k = 0; k < i && !again; k++)
            again = strcmp(one->unjudged[k].why, why) == 0;
        if (again)
            continue;
        text_adds(out, "    not judged again (");
        terminal_escape(str_of(why), out);
        text_adds(out, "):");
        for (size_t k = i; k < one->unjudged_count; k++) {
            const struct unjudged *other = &one->unjudged[k];
            if (strcmp(other->why, why) != 0)
                continue;
            if (shown++ >= most)
                continue;
            text_adds(out, shown > 1 ? ", " : " ");
            terminal_escape(str_of(other->id), out);
            if (other->recorded >= VERDICT_HOLD)
                text_addf(out, " (%s then, which stands)", verdict_name(other->recorded));
        }
        if (shown > most)
            text_addf(out, " and %zu more", shown - most);
        text_addc(out, '\n');
    }
}

static void add_run(const struct replayed *one, size_t most, struct text *out)
{
    char moment[MOMENT_TEXT];
    text_addf(out, "%.19sZ  %.10s  %s -> %s%s\n", moment_format(one->time_ms, moment), one->commit,
              verdict_name(one->was), verdict_name(one->would),
              one->was == one->would       ? ""
              : one->would >= VERDICT_HOLD ? "  (would be stopped)"
              : one->was >= VERDICT_HOLD   ? "  (would be let through)"
                                           : "");
    for (size_t i = 0; i < one->stop_count && i < most; i++) {
        const struct replayed_finding *finding = &one->stops[i];
        text_addf(out, "    %-5s ", verdict_name(finding->verdict));
        terminal_escape(str_of(finding->id), out);
        text_adds(out, ": ");
        terminal_escape(str_of(finding->message), out);
        text_adds(out, finding->by_figure ? " (by the recorded figure)\n" : "\n");
    }
    if (one->stop_count > most)
        text_addf(out, "    and %zu more\n", one->stop_count - most);
    add_unjudged(one, most, out);
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void add_text(const struct replay *replay, const struct replays *runs, struct text *out)
{
    const struct totals *totals = &runs->totals;
    size_t most = replay->call->verbose ? SIZE_MAX : SHOWN;
    for (size_t i = 0; i < runs->count; i++)
        add_run(&runs->items[i], most, out);
    terminal_escape(str_of(replay->policy.path), out);
    text_addf(out,
              " (sha256 %.12s) over %zu decision%s: %zu blocked, %zu held, %zu let through; %zu "
              "stopped that went then, %zu let through that did not\n",
              replay->policy.sha256, runs->count, plural(runs->count), totals->of[VERDICT_BLOCK],
              totals->of[VERDICT_HOLD], totals->of[VERDICT_WARN] + totals->of[VERDICT_PASS],
              totals->stricter, totals->laxer);
    if (totals->partly)
        text_addf(out, "%zu of them could not be judged again wholly: see above\n", totals->partly);
    if (totals->rollouts)
        text_addf(out,
                  "%zu rollout%s in this time: the samples are not in the ledger, so what another "
                  "analysis would have aborted cannot be said\n",
                  totals->rollouts, plural(totals->rollouts));
    if (!replay->config.enforce)
        text_adds(out, "This policy has `enforce: false`: it would say so and stop nothing.\n");
}

static void add_run_json(const struct replayed *one, struct json_out *json)
{
    char moment[MOMENT_TEXT];
    json_open_map(json, NULL);
    json_add_str(json, "id", str_of(one->id));
    json_add_str(json, "time", str_of(moment_format(one->time_ms, moment)));
    json_add_str(json, "commit", str_of(one->commit));
    json_add_str(json, "was", str_of(verdict_name(one->was)));
    json_add_str(json, "would", str_of(verdict_name(one->would)));
    json_add_u64(json, "reports", one->reports);
    json_add_u64(json, "reports_at_hand", one->reports_at_hand);
    json_open_list(json, "stops");
    for (size_t i = 0; i < one->stop_count; i++) {
        json_open_map(json, NULL);
        json_add_str(json, "id", str_of(one->stops[i].id));
        json_add_str(json, "verdict", str_of(verdict_name(one->stops[i].verdict)));
        json_add_str(json, "message", str_of(one->stops[i].message));
        json_add_bool(json, "by_figure", one->stops[i].by_figure);
        json_close(json);
    }
    json_close(json);
    json_open_list(json, "not_judged");
    for (size_t i = 0; i < one->unjudged_count; i++) {
        json_open_map(json, NULL);
        json_add_str(json, "id", str_of(one->unjudged[i].id));
        json_add_str(json, "why", str_of(one->unjudged[i].why));
        json_add_str(json, "recorded", str_of(verdict_name(one->unjudged[i].recorded)));
        json_close(json);
    }
    json_close(json);
    json_close(json);
}

static void add_json(const struct replay *replay, const struct replays *runs, struct text *out)
{
    const struct totals *totals = &runs->totals;
    struct json_out json = json_out_of(out, JSON_PRETTY);
    json_open_map(&json, NULL);
    json_add_str(&json, "schema", STR("sluice.replay/1"));
    json_add_str(&json, "policy", str_of(replay->policy.path));
    json_add_str(&json, "policy_sha256", str_of(replay->policy.sha256));
    json_add_bool(&json, "enforce", replay->config.enforce);
    json_open_map(&json, "totals");
    json_add_u64(&json, "decisions", runs->count);
    json_add_u64(&json, "block", totals->of[VERDICT_BLOCK]);
    json_add_u64(&json, "hold", totals->of[VERDICT_HOLD]);
    json_add_u64(&json, "warn", totals->of[VERDICT_WARN]);
    json_add_u64(&json, "pass", totals->of[VERDICT_PASS]);
    json_add_u64(&json, "newly_stopped", totals->stricter);
    json_add_u64(&json, "newly_let_through", totals->laxer);
    json_add_u64(&json, "partly_judged", totals->partly);
    json_add_u64(&json, "rollouts_not_judged", totals->rollouts);
    json_close(&json);
    json_open_list(&json, "decisions");
    for (size_t i = 0; i < runs->count; i++)
        add_run_json(&runs->items[i], &json);
    json_close(&json);
    json_close(&json);
    text_addc(out, '\n');
}

static bool say(struct replay *replay, const struct replays *runs)
{
    struct invocation *call = replay->call;
    struct text out = text_of(LIMIT_DECISION_BYTES);
    bool ok = true;
    if (call->format == FORMAT_JSON)
        add_json(replay, runs, &out);
    else if (runs->count == 0)
        text_adds(&out, "The ledger has no decision of the gate in this time: `sluice gate "
                        "--record` writes them.\n");
    else
        add_text(replay, runs, &out);
    if (text_full(&out))
        ok = error_set(&call->error, ERROR_LIMIT, "the replay is larger than %u bytes",
                       LIMIT_DECISION_BYTES);
    ok = ok && command_print(call, text_str(&out));
    text_done(&out);
    return ok;
}

static int run(struct invocation *call)
{
    struct deployment d;
    struct replays runs = {0};
    const char *policy = option_text(&call->options, "policy");
    size_t from = 0;
    if (!policy) {
        (void)error_set(&call->error, ERROR_INPUT, "--policy FILE is missing: by which policy?");
        return command_failed(call);
    }
    if (!deployment_open(call, true, &d))
        return command_failed(call);
    struct replay replay = {
        .call = call, .ledger = d.ledger, .repository = d.repository, .root = d.root};
    bool ok = replay_policy(&replay, policy) && find_first(&replay, &from) &&
              judge_all(&replay, from, &runs) && say(&replay, &runs);
    deployment_close(&d);
    return ok ? 0 : command_failed(call);
}

const struct command command_replay = {
    .name = "replay",
    .operands = "",
    .summary = "another policy over the recorded evidence: what it would have stopped, let through",
    .description =
        "Judges every recorded decision of the gate again, as of its own moment, with the reports\n"
        "that the ledger has kept and the register and waivers of its commit. Where a report is\n"
        "not kept, the recorded figure is held against the limit; what neither can tell is named.",
    .options = options,
    .formats = 1U << FORMAT_TEXT | 1U << FORMAT_JSON,
    .run = run,
};
