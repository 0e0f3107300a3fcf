#include "deploy/record/risk_demands.h"
#include "gate/doc/json.h"
#include "gate/doc/yaml.h"
#include "gate/gate.h"

#include "../expect.h"
#include "../matrix_5x5.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct arena arena;

static void done(void)
{
    arena_done(&arena);
}

TestSuite(risk_demands, .fini = done);

static const struct node *parse(const char *json)
{
    const struct node *root;
    struct error err = {0};
    cr_assert(json_parse(&arena, "decision.json", str_of(json), &root, &err), "%s", err.message);
    return root;
}

static struct release_demands read(const char *json)
{
    struct release_demands demands;
    struct error err = {0};
    cr_assert(release_demands_read(&arena, parse(json), &demands, &err), "%s", err.message);
    return demands;
}

#define RISK "\"risk\": {\"score\": 34, \"class\": \"medium\"}"
#define DEMANDS(approvals, slower, steps, because)                                                 \
    "\"demands\": {\"approvals\": " approvals ", \"slower\": " slower ", \"steps\": " steps        \
    ", \"unknown\": null, \"because\": " because "}"
#define ROLLOUT(a, b) "{\"rollout\": {" a ", " b "}}"

// What the gate writes is what is read here.
Test(risk_demands, of_a_decision_that_the_gate_wrote)
{
    struct problems problems = {.arena = &arena};
    struct error err = {0};
    const struct node *root;
    struct risk_register risks;
    struct evidence evidence = {0};
    struct gate_demands asked = {0};
    struct text json = text_of(1u << 20);
    struct changed_file changed = {.path = STR_INIT("payments/card.py")};
    cr_assert(yaml_parse(&arena, "r.yml",
                         STR("version: 1\nrisks:\n  - {id: R-1, title: Paid twice, likelihood: 4, "
                             "impact: 5, paths: ['payments/**'], demands: {approvals: 2, slower: "
                             "1.5, steps: [0.5%, 25%]}}\n"),
                         &root, &err));
    cr_assert(risk_register_bind(&arena, root, matrix_5x5(&arena), &risks, &problems));
    struct rule_input input = {.evidence = &evidence,
                               .demands = &asked,
                               .risks = &risks,
                               .changed = &changed,
                               .changed_count = 1};
    struct score_input question = {.rules = &input, .window_days = 90};
    struct risk_score score;
    struct rollout_demands rollout;
    risk_score_make(&arena, &question, &score);
    rollout_demands_make(&arena, &input, &rollout);
    struct decision decision = {
        .findings = {.arena = &arena}, .evidence = &evidence, .score = &score, .rollout = &rollout};
    decision_json(&decision, &json);
    struct release_demands demands = read(text_c(&json));
    text_done(&json);
    cr_expect_eq(demands.risk, (enum release_risk)score.class);
    cr_expect_eq(demands.score, score.points);
    cr_expect_gt(demands.score, 0);
    cr_expect_eq(demands.approvals, 2);
    cr_expect_eq(demands.slower, 1.5);
    cr_assert_eq(demands.step_count, 2);
    cr_expect_eq(fraction_cmp(demands.steps[0], (struct fraction){5, 1000}), 0);
    cr_expect_eq(fraction_cmp(demands.steps[1], (struct fraction){1, 4}), 0);
    cr_assert_eq(demands.because_count, 1);
    expect_str(demands.because[0].risk, "R-1");
    expect_str(demands.because[0].title, "Paid twice");
    expect_str(demands.because[0].what, "2 approvals, bakes 1.5 times as long, steps at 0.5%, 25%");
    cr_expect_eq(demands.unknown.len, 0);
}

Test(risk_demands, a_decision_without_them_demands_nothing_and_is_not_low)
{
    struct release_demands demands = read("{\"schema\": \"sluice.decision/1\"}");
    cr_expect_eq(demands.risk, RELEASE_NOT_SCORED);
    cr_expect_gt(demands.risk, RELEASE_HIGH);
    cr_expect_eq(demands.approvals, 0);
    cr_expect_eq(demands.slower, 1);
    cr_expect_eq(demands.step_count, 0);
    cr_expect_str_eq(release_risk_name(demands.risk), "not scored");
}

Test(risk_demands, what_is_malformed_is_refused)
{
    static const struct {
        const char *json, *says;
    } rows[] = {
        {"{\"rollout\": 3}", "`rollout.risk` is no score from 0 to 100 with a class"},
        {"{\"rollout\": null}", "`rollout.risk` is no score from 0 to 100 with a class"},
        {"{\"rollout\": {" RISK "}}", "`rollout.demands.approvals` is no number of approvals"},
        {ROLLOUT("\"risk\": {\"score\": 101, \"class\": \"high\"}", DEMANDS("0", "1", "[]", "[]")),
         "`rollout.risk` is no score from 0 to 100 with a class"},
        {ROLLOUT("\"risk\": {\"score\": 10, \"class\": \"tiny\"}", DEMANDS("0", "1", "[]", "[]")),
         "`rollout.risk.class` is not low, medium or high"},
        {ROLLOUT("\"risk\": {\"score\": 10, \"class\": \"not scored\"}",
                 DEMANDS("0", "1", "[]", "[]")),
         "`rollout.risk.class` is not low, medium or high"},
        {ROLLOUT(RISK, DEMANDS("-1", "1", "[]", "[]")),
         "`rollout.demands.approvals` is no number of approvals"},
        {ROLLOUT(RISK, DEMANDS("1", "0.5", "[]", "[]")),
         "`rollout.demands.slower` is no factor of 1 or more"},
        {ROLLOUT(RISK, DEMANDS("1", "1e9", "[]", "[]")),
         "`rollout.demands.slower` is no factor of 1 or more"},
        {ROLLOUT(RISK, DEMANDS("1", "2", "\"5%\"", "[]")),
         "`rollout.demands.steps` is no list of steps"},
        {ROLLOUT(RISK, DEMANDS("1", "2", "[\"25%\", \"5%\"]", "[]")),
         "`rollout.demands.steps` are no rising shares"},
        {ROLLOUT(RISK, DEMANDS("1", "2", "[\"0%\"]", "[]")),
         "`rollout.demands.steps` are no rising shares"},
        {ROLLOUT(RISK, DEMANDS("1", "2", "[\"101%\"]", "[]")),
         "`rollout.demands.steps` are no rising shares"},
        {ROLLOUT(RISK, DEMANDS("1", "2", "[5]", "[]")),
         "`rollout.demands.steps` are no rising shares"},
        {ROLLOUT(RISK, DEMANDS("1", "2", "[]", "{}")), "`rollout.demands.because` is no list"},
        {ROLLOUT(RISK, DEMANDS("1", "2", "[]", "[{\"risk\": \"R-1\"}]")),
         "`rollout.demands.because` has no risk, title or reason"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct release_demands demands;
        struct error err = {0};
        char wanted[256];
        (void)snprintf(wanted, sizeof wanted, "the recorded decision is malformed: %s",
                       rows[i].says);
        cr_assert_not(release_demands_read(&arena, parse(rows[i].json), &demands, &err), "row %zu",
                      i);
        cr_expect_eq(err.kind, ERROR_INPUT, "row %zu", i);
        cr_expect_str_eq(err.message, wanted, "row %zu", i);
    }
}

#define REASON(id, what) "{\"risk\": \"" id "\", \"title\": \"t\", \"what\": \"" what "\"}"

Test(risk_demands, several_decisions_are_united)
{
    struct release_demands one =
        read(ROLLOUT(RISK, DEMANDS("2", "1.5", "[\"5%\", \"25%\"]", "[" REASON("R-1", "x") "]")));
    struct release_demands other =
        read(ROLLOUT("\"risk\": {\"score\": 80, \"class\": \"high\"}",
                     DEMANDS("1", "3", "[\"1%\", \"25%\", \"50%\"]",
                             "[" REASON("R-1", "x") ", " REASON("R-2", "y") "]")));
    struct release_demands both;
    struct error err = {0};
    static const int64_t percents[] = {1, 5, 25, 50};
    cr_assert(release_demands_unite(&arena, &one, &other, &both, &err));
    cr_expect_eq(both.risk, RELEASE_HIGH);
    cr_expect_eq(both.score, 80);
    cr_expect_eq(both.approvals, 2);
    cr_expect_eq(both.slower, 3);
    cr_assert_eq(both.step_count, 4);
    for (size_t i = 0; i < 4; i++)
        cr_expect_eq(fraction_cmp(both.steps[i], (struct fraction){percents[i], 100}), 0,
                     "step %zu", i);
    cr_expect_eq(both.because_count, 2, "one reason is said once");
    // one that nobody scored is worse than any score
    struct release_demands none = read("{}");
    cr_assert(release_demands_unite(&arena, &both, &none, &both, &err));
    cr_expect_eq(both.risk, RELEASE_NOT_SCORED);
    cr_expect_eq(both.approvals, 2);
}

Test(risk_demands, more_steps_than_a_stage_has_are_a_limit)
{
    struct fraction few[20], more[20];
    struct error err = {0};
    for (int64_t i = 0; i < 20; i++) {
        few[i] = (struct fraction){2 * i + 1, 100};
        more[i] = (struct fraction){2 * i + 2, 100};
    }
    struct release_demands one = {.slower = 1, .steps = few, .step_count = 20};
    struct release_demands other = {.slower = 1, .steps = more, .step_count = 20};
    struct release_demands both = {.approvals = 7};
    cr_assert_not(release_demands_unite(&arena, &one, &other, &both, &err));
    cr_expect_eq(err.kind, ERROR_LIMIT);
    cr_expect_eq(both.approvals, 7, "untouched on failure");
}
