// Failing tests. An error counts like a failure; a test that failed and then passed is flaky, not
// failed. No test at all, or none that ran, is missing evidence, which rule `evidence` says.
#include "gate/rules/registry.h"

#define NAMED 3u // failing tests named in the message

static void name_failures(const struct rule_context *context, struct finding *finding,
                          struct findings *out)
{
    const struct tests *tests = &context->in->evidence->tests;
    struct text names = text_of(2048);
    uint64_t seen = 0;
    for (size_t i = 0; i < tests->count; i++) {
        const struct test_case *one = &tests->cases[i];
        if (one->result != TEST_FAILED && one->result != TEST_ERROR)
            continue;
        if (seen++ < NAMED)
            text_addf(&names, "%s%s", seen > 1 ? ", " : "", test_identity(out->arena, one));
        finding_place(out, finding, one->file.len ? arena_copy(out->arena, one->file) : "",
                      one->line, 0);
    }
    if (seen > NAMED)
        text_addf(&names, " and %llu more", (unsigned long long)(seen - NAMED));
    finding->message = finding_text(out, "%s: %s.", finding->message, text_c(&names));
    text_done(&names);
}

static void judge(const struct rule_context *context, struct findings *out)
{
    const struct test_demands *demands = context->in->demands->tests;
    if (!demands || !context->in->evidence->has[EVIDENCE_TESTS])
        return;
    struct test_totals totals = tests_totals(&context->in->evidence->tests);
    if (totals.total == 0 || totals.total == totals.skipped)
        return;
    uint64_t failed = totals.failed + totals.errors;
    bool pass = failed <= (uint64_t)demands->failures;
    struct finding *finding =
        finding_add(out, "tests", pass ? VERDICT_PASS : VERDICT_BLOCK, "tests.failures");
    finding->have = finding_text(out, "%llu/%llu", (unsigned long long)failed,
                                 (unsigned long long)totals.total);
    finding->want = finding_text(out, "%lld", (long long)demands->failures);
    finding->sense = FIGURE_LESS_IS_BETTER;
    finding->message =
        finding_text(out, "%llu of %llu tests failed, %lld allowed", (unsigned long long)failed,
                     (unsigned long long)totals.total, (long long)demands->failures);
    if (failed)
        name_failures(context, finding, out);
    else
        finding->message = finding_text(out, "%s.", finding->message);
    if (!pass)
        finding->advice = "Mend these tests or what they test.";
}

const struct rule rule_tests = {"tests", "Test results", judge};
