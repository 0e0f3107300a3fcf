#include "actions/cli/replay_figures.h"

#include "gate/rules/figure.h"
#include "gate/rules/scope.h"

bool verdict_of(str name, enum verdict *ret)
{
    for (int verdict = VERDICT_PASS; verdict <= VERDICT_BLOCK; verdict++)
        if (str_is(name, verdict_name((enum verdict)verdict))) {
            *ret = (enum verdict)verdict;
            return true;
        }
    return false;
}

// On which kinds of reports a finding rests, as bits.
static unsigned rests_on(str id, str rule)
{
    unsigned bits = 0;
    static const struct {
        const char *rule;
        unsigned kinds;
    } rows[] = {
        {"coverage", 1U << EVIDENCE_COVERAGE},
        {"tests", 1U << EVIDENCE_TESTS},
        {"performance", 1U << EVIDENCE_TIMINGS},
        {"vulnerabilities", 1U << EVIDENCE_VULNERABILITIES | 1U << EVIDENCE_STATEMENTS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (str_is(rule, rows[i].rule))
            return rows[i].kinds;
    if (str_starts(id, STR("risk.coverage")))
        return 1U << EVIDENCE_COVERAGE;
    for (int kind = 0; kind < EVIDENCE_KINDS; kind++) {
        str name = str_of(evidence_kind_name((enum evidence_kind)kind));
        if (str_is(rule, "evidence") && str_starts(str_from(id, 9), name))
            bits |= 1U << kind;
    }
    return bits;
}

const char *replay_cannot_judge(struct recorded_run *run, str id, str rule)
{
    unsigned kinds = rests_on(id, rule);
    if (run->no_commit)
        return run->no_commit;
    if (str_is(id, "tests.fix"))
        return "what the tests did on the base's code is not recorded";
    for (int kind = 0; kind < EVIDENCE_KINDS; kind++)
        if (kinds >> kind & 1 && run->missing[kind])
            return arena_format(run->arena, "%s is not in the ledger", run->missing[kind]).data;
    for (int kind = 0; kind < EVIDENCE_KINDS; kind++)
        if (kinds >> kind & 1 && run->none[kind])
            return arena_format(run->arena, "no report of %s was recorded",
                                evidence_kind_name((enum evidence_kind)kind))
                .data;
    return NULL;
}

// ---- figures -----------------------------------------------------------------------------------
static bool limit_of_share(const struct gate_demands *demands, str id, struct arena *arena,
                           struct fraction *ret)
{
    const struct coverage_demands *coverage = demands->coverage;
    const struct critical_path *paths = coverage ? coverage->critical.items : NULL;
    *ret = (struct fraction){0};
    if (coverage && str_is(id, "coverage.total"))
        *ret = coverage->total;
    if (coverage && str_is(id, "coverage.changed"))
        *ret = coverage->changed;
    for (size_t i = 0; coverage && i < coverage->critical.count; i++) {
        const struct {
            const char *what;
            struct fraction limit;
        } rows[] = {{"lines", paths[i].lines},
                    {"branches", paths[i].branches},
                    {"changed", paths[i].changed}};
        for (size_t k = 0; k < 3; k++)
            if (str_eq(id, arena_format(arena, "coverage.critical[" STR_FMT "].%s",
                                        STR_ARG(paths[i].pattern), rows[k].what)))
                *ret = rows[k].limit;
    }
    return ret->den != 0;
}

static bool limit_of_count(const struct gate_demands *demands, str id, int64_t *ret)
{
    const struct test_demands *tests = demands->tests;
    *ret = -1;
    if (tests && str_is(id, "tests.failures"))
        *ret = tests->failures;
    if (tests && str_is(id, "tests.new_failures"))
        *ret = tests->new_failures;
    if (tests && tests->flaky && str_is(id, "tests.flaky"))
        *ret = tests->flaky->max;
    return *ret >= 0;
}

// True when the recorded figure can be held against a limit of the other policy.
static bool judge_figure(const struct gate_demands *demands, struct arena *arena, str id, str have,
                         bool *ret_pass, const char **ret_message)
{
    struct fraction limit;
    struct share share = {0, 0};
    int64_t most;
    str whole = have, part = str_cut(&have, '/');
    if (!number_u64(part, &share.covered))
        return false;
    if (limit_of_count(demands, id, &most)) {
        *ret_pass = share.covered <= (uint64_t)most;
        *ret_message = arena_format(arena, "%llu recorded, %lld allowed.",
                                    (unsigned long long)share.covered, (long long)most)
                           .data;
        return true;
    }
    if (!number_u64(have, &share.total) || !limit_of_share(demands, id, arena, &limit))
        return false;
    bool changed = str_ends(id, STR("changed"));
    struct text want = text_of(64);
    text_add_fraction_percent(&want, limit);
    *ret_pass = share_meets(share, limit) ||
                (changed && share.total < FEW_CHANGED_LINES && share.total - share.covered <= 1);
    *ret_message =
        arena_format(arena, STR_FMT " recorded, %s asked for.", STR_ARG(whole), text_c(&want)).data;
    text_done(&want);
    return true;
}

static void add_stop(struct replay *replay, struct replayed *ret, str id, const char *message,
                     enum verdict verdict)
{
    struct arena *keep = replay->call->arena;
    if (verdict > ret->would)
        ret->would = verdict;
    if (verdict < VERDICT_HOLD)
        return;
    ret->stops = arena_grow(keep, ret->stops, ret->stop_count, &ret->stop_room, sizeof *ret->stops);
    ret->stops[ret->stop_count++] =
        (struct replayed_finding){.id = arena_copy(keep, id),
                                  .message = arena_copy(keep, str_of(message)),
                                  .verdict = verdict,
                                  .by_figure = true};
}

static void add_unjudged(struct replay *replay, struct replayed *ret, str id, const char *why,
                         enum verdict recorded)
{
    struct arena *keep = replay->call->arena;
    ret->unjudged = arena_grow(keep, ret->unjudged, ret->unjudged_count, &ret->unjudged_room,
                               sizeof *ret->unjudged);
    ret->unjudged[ret->unjudged_count++] = (struct unjudged){
        .id = arena_copy(keep, id), .why = arena_copy(keep, str_of(why)), .recorded = recorded};
    if (recorded > ret->would)
        ret->would = recorded;
}

// Does the other policy ask for this at all?
static bool still_asked(const struct gate_demands *demands, struct arena *arena, str id, str rule)
{
    struct fraction limit;
    int64_t most;
    if (str_is(id, "coverage.drop"))
        return demands->coverage && demands->coverage->max_drop.den;
    if (str_is(rule, "coverage"))
        return limit_of_share(demands, id, arena, &limit);
    if (str_is(id, "tests.fix"))
        return demands->tests && demands->tests->fix_needs_test;
    if (str_is(id, "tests.failures") || str_is(id, "tests.new_failures") ||
        str_is(id, "tests.flaky"))
        return limit_of_count(demands, id, &most);
    if (str_is(rule, "tests"))
        return demands->tests != NULL;
    if (str_is(rule, "performance"))
        return demands->performance != NULL;
    if (str_is(rule, "vulnerabilities"))
        return demands->vulnerabilities != NULL;
    return !str_is(rule, "risk") || demands->risk;
}

static void take_recorded(struct replay *replay, struct recorded_run *run,
                          const struct node *finding, struct replayed *ret)
{
    const struct gate_demands *demands = replay->config.gate;
    str id = node_text(finding, "id"), rule = node_text(finding, "rule");
    const char *why = replay_cannot_judge(run, id, rule), *message;
    enum verdict verdict = VERDICT_PASS;
    bool pass;
    if (!why || !verdict_of(node_text(finding, "verdict"), &verdict) ||
        !still_asked(demands, run->arena, id, rule))
        return;
    if (!judge_figure(demands, run->arena, id, node_text(finding, "have"), &pass, &message)) {
        add_unjudged(replay, ret, id, why, verdict);
        return;
    }
    enum rule_family family = rule_family_of(arena_copy(run->arena, rule));
    enum verdict judged = pass ? VERDICT_PASS : VERDICT_BLOCK;
    if (family != FAMILIES)
        judged = enforcement_cap((enum enforcement)demands->enforcement.of[family], judged);
    if (node_text(finding, "waived_by").len)
        judged = VERDICT_PASS; // the waiver of then
    add_stop(replay, ret, id, message, judged);
}

static bool was_recorded(const struct recorded_run *run, str id)
{
    const struct node *list = node_get(run->event.fields, "findings");
    for (const struct node *one = list ? list->first : NULL; one; one = one->next)
        if (str_eq(node_text(one, "id"), id))
            return true;
    return false;
}

// What the other policy demands and nothing was recorded of.
static void take_new_demands(struct replay *replay, struct recorded_run *run, struct replayed *ret)
{
    const struct gate_demands *demands = replay->config.gate;
    const struct {
        const char *id, *rule;
        bool asked;
    } rows[] = {
        {"coverage.total", "coverage", demands->coverage && demands->coverage->total.den},
        {"coverage.changed", "coverage", demands->coverage && demands->coverage->changed.den},
        {"coverage.drop", "coverage", demands->coverage && demands->coverage->max_drop.den},
        {"tests.failures", "tests", demands->tests != NULL},
        {"tests.flaky", "tests", demands->tests && demands->tests->flaky},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *why = replay_cannot_judge(run, str_of(rows[i].id), str_of(rows[i].rule));
        if (rows[i].asked && why && !was_recorded(run, str_of(rows[i].id)))
            add_unjudged(replay, ret, str_of(rows[i].id), why, VERDICT_PASS);
    }
    const struct coverage_demands *coverage = demands->coverage;
    const struct critical_path *paths = coverage ? coverage->critical.items : NULL;
    for (size_t i = 0; coverage && i < coverage->critical.count; i++) {
        str id = arena_format(run->arena, "coverage.critical[" STR_FMT "].lines",
                              STR_ARG(paths[i].pattern));
        const char *why = replay_cannot_judge(run, id, STR("coverage"));
        if (why && !was_recorded(run, id))
            add_unjudged(replay, ret, id, why, VERDICT_PASS);
    }
}

// Families that have one finding for each thing found: what the policy asks for is not listed.
static void take_new_families(struct replay *replay, struct recorded_run *run, struct replayed *ret)
{
    const struct gate_demands *demands = replay->config.gate;
    const struct {
        const char *id, *rule;
        bool asked;
    } rows[] = {{"vulnerabilities", "vulnerabilities", demands->vulnerabilities != NULL},
                {"performance", "performance", demands->performance != NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *why = replay_cannot_judge(run, str_of(rows[i].id), str_of(rows[i].rule));
        if (rows[i].asked && why)
            add_unjudged(replay, ret, str_of(rows[i].id), why, VERDICT_PASS);
    }
}

void replay_figures(struct replay *replay, struct recorded_run *run, struct replayed *ret)
{
    const struct node *list = node_get(run->event.fields, "findings");
    for (const struct node *one = list ? list->first : NULL; one; one = one->next)
        take_recorded(replay, run, one, ret);
    take_new_demands(replay, run, ret);
    take_new_families(replay, run, ret);
}
