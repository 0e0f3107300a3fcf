// A fix brings a test: one that fails on the base's code and passes now. Without it nobody knows
// that the fault is gone, nor when it comes back.
#include "gate/rules/name_list.h"
#include "gate/rules/registry.h"
#include "gate/rules/test_book.h"

#define NAMED 3u

// Tests that fail on the base and pass now.
static void look(struct findings *out, const struct rule_input *in, struct name_list *proof)
{
    struct rule_input base = *in;
    struct test_book now, before;
    base.evidence = in->base_evidence;
    base.quarantine = NULL;
    test_book_make(out->arena, in, BOOKED_ALL, &now);
    test_book_make(out->arena, &base, BOOKED_TROUBLED, &before);
    for (size_t i = 0; i < before.count; i++) {
        const struct booked_test *old = &before.items[i];
        const struct booked_test *one = old->failed ? test_book_find(&now, old->identity) : NULL;
        if (!one || one->test->result != TEST_PASSED)
            continue;
        name_list_add(proof, one->identity);
    }
}

static void say_unproven(const struct rule_input *in, struct findings *out)
{
    struct finding *finding = finding_add(out, "tests", VERDICT_BLOCK, "tests.fix");
    finding->have = "0";
    finding->want = "1";
    finding->message = finding_text(
        out, "This is a fix (%s), and no report of its tests run on the base's code is there.",
        in->fix_why);
    finding->advice =
        "Run the changed tests on the base's code and name their report under `evidence: tests: "
        "base_reports:`: `git stash -u; git checkout BASE -- . ':!tests'`, run the tests, `git "
        "checkout HEAD -- .`.";
}

static void judge(const struct rule_context *context, struct findings *out)
{
    const struct rule_input *in = context->in;
    const struct test_demands *demands = in->demands->tests;
    if (!demands || !demands->fix_needs_test || !in->fix_why)
        return;
    if (!in->base_evidence || !in->base_evidence->has[EVIDENCE_TESTS]) {
        say_unproven(in, out);
        return;
    }
    struct name_list proof = name_list_of(NAMED);
    look(out, in, &proof);
    struct finding *finding =
        finding_add(out, "tests", proof.count ? VERDICT_PASS : VERDICT_BLOCK, "tests.fix");
    finding->have = finding_text(out, "%zu", proof.count);
    finding->want = "1";
    if (proof.count)
        finding->message =
            finding_text(out, "This is a fix (%s); failing on the base and passing now: %s.",
                         in->fix_why, name_list_words(&proof, out));
    else
        finding->message = finding_text(
            out, "This is a fix (%s), but no test fails on the base's code and passes now.",
            in->fix_why);
    if (!proof.count)
        finding->advice = "Add a test that shows the fault: it fails without the fix.";
    name_list_done(&proof);
}

const struct rule rule_test_fix = {"tests.fix", "A fix brings a test", judge};
