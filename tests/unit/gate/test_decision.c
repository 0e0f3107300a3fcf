#include "gate/base/limits.h"
#include "gate/decision.h"

#include <criterion/criterion.h>

static struct arena arena;
static struct evidence evidence;
static struct decision decision;
static struct text out;

static void start(void)
{
    decision = (struct decision){.evidence = &evidence, .policy_path = "p"};
    decision.findings.arena = &arena;
    out = text_of(LIMIT_DECISION_BYTES);
}

static void done(void)
{
    text_done(&out);
    evidence_done(&evidence);
    arena_done(&arena);
}

TestSuite(decision, .init = start, .fini = done);

static void add(const char *id, enum verdict verdict)
{
    struct finding *finding = finding_add(&decision.findings, "rule", verdict, "%s", id);
    finding->message = "what";
}

Test(decision, the_worst_finding_decides)
{
    static const struct {
        enum verdict first, second, enforced, lenient;
    } rows[] = {
        {VERDICT_PASS, VERDICT_PASS, VERDICT_PASS, VERDICT_PASS},
        {VERDICT_PASS, VERDICT_WARN, VERDICT_WARN, VERDICT_WARN},
        {VERDICT_HOLD, VERDICT_WARN, VERDICT_HOLD, VERDICT_WARN},
        {VERDICT_HOLD, VERDICT_BLOCK, VERDICT_BLOCK, VERDICT_WARN},
    };
    for (size_t i = 0; i < 4; i++)
        for (int enforce = 0; enforce < 2; enforce++) {
            done();
            start();
            add("a", rows[i].first);
            add("b", rows[i].second);
            decision_settle(&decision, enforce);
            cr_expect_eq(decision.verdict, enforce ? rows[i].enforced : rows[i].lenient);
            cr_expect_eq(decision.would_be, rows[i].enforced);
        }
}

Test(decision, without_enforcement_it_says_what_would_be)
{
    add("a", VERDICT_BLOCK);
    decision_settle(&decision, false);
    const struct finding *finding = finding_find(&decision.findings, "policy.enforce");
    cr_assert_not_null(finding);
    cr_expect(strstr(finding->message, "block"));
    cr_expect_eq(finding_find(&decision.findings, "a")->verdict, VERDICT_BLOCK);
}

Test(decision, findings_stand_worst_first_and_keep_their_order)
{
    add("p1", VERDICT_PASS);
    add("b1", VERDICT_BLOCK);
    add("w1", VERDICT_WARN);
    add("b2", VERDICT_BLOCK);
    add("h1", VERDICT_HOLD);
    add("p2", VERDICT_PASS);
    decision_settle(&decision, true);
    static const char *const order[] = {"b1", "b2", "h1", "w1", "p1", "p2"};
    for (size_t i = 0; i < 6; i++)
        cr_expect_str_eq(decision.findings.items[i].id, order[i]);
    cr_expect_eq(decision_count(&decision, VERDICT_BLOCK), 2);
}

Test(decision, json_has_the_agreed_shape)
{
    struct error err = {0};
    uint32_t index;
    struct report *report = evidence_report(&evidence, "coverage.xml", NULL, &index);
    report->format = "cobertura";
    report->size_bytes = 12;
    (void)sha256_of(STR("x"), report->sha256);
    report_suspect(&evidence, report, "it says 3 and holds %d", 2);
    evidence.has[EVIDENCE_COVERAGE] = true;
    struct covered_file *file = coverage_file(&evidence, STR("a.py"));
    cr_assert(coverage_line(&evidence, file, 1, 1, &err));
    cr_assert(coverage_line(&evidence, file, 2, 0, &err));
    (void)sha256_of(STR("policy"), decision.policy_sha256);
    decision.commit = "1111111111111111111111111111111111111111";
    decision.time_ms = 1800000000000;
    struct finding *finding =
        finding_add(&decision.findings, "coverage", VERDICT_BLOCK, "coverage.total");
    finding->have = "1/2";
    finding->want = "60%";
    finding->message = "50.00% of lines";
    finding_place(&decision.findings, finding, "a.py", 2, 2);
    decision_settle(&decision, true);
    decision_json(&decision, &out);

    const struct node *root;
    cr_assert(json_parse(&arena, "decision", text_str(&out), &root, &err), "%s", err.message);
    static const char *const keys[] = {"schema", "decision", "commit",   "base",    "policy_sha256",
                                       "time",   "totals",   "findings", "evidence"};
    const struct node *key = root->first;
    for (size_t i = 0; i < 9; i++, key = key->next)
        cr_assert(key && str_is(key->key, keys[i]), "key %zu", i);
    cr_expect_null(key);
    cr_expect(str_is(node_text(root, "schema"), "sluice.decision/1"));
    cr_expect(str_is(node_text(root, "decision"), "block"));
    cr_expect(str_is(node_text(root, "time"), "2027-01-15T08:00:00.000Z"));
    cr_expect_eq(node_get(root, "base")->kind, NODE_NULL);
    const struct node *lines = node_get(node_get(node_get(root, "totals"), "coverage"), "lines");
    cr_expect(str_is(node_text(lines, "covered"), "1"));
    cr_expect(str_is(node_text(lines, "total"), "2"));
    cr_expect_null(node_get(node_get(root, "totals"), "tests"), "no test report was read");
    const struct node *first = node_get(root, "findings")->first;
    cr_expect(str_is(node_text(first, "id"), "coverage.total"));
    cr_expect(str_is(node_text(first, "have"), "1/2"));
    cr_expect_eq(node_get(first, "waived_by")->kind, NODE_NULL);
    cr_expect(str_is(node_text(node_get(first, "where")->first, "line"), "2"));
    const struct node *row = node_get(root, "evidence")->first;
    cr_expect(str_is(node_text(row, "kind"), "coverage"));
    cr_expect_eq(node_get(row, "suspect")->count, 1);
}

Test(decision, the_same_twice_is_the_same_bytes)
{
    add("a", VERDICT_WARN);
    decision_settle(&decision, true);
    decision_json(&decision, &out);
    str first = arena_str(&arena, text_str(&out));
    text_clear(&out);
    decision_json(&decision, &out);
    cr_expect(str_eq(first, text_str(&out)));
}
