// What the rules about risks ask again and again, made once: which risks the change touches, what
// the files under each are covered, and which tests there are.
#ifndef GATE_RULES_RISK_BOOK_H
#define GATE_RULES_RISK_BOOK_H

#include "gate/rules/score.h"
#include "gate/rules/test_book.h"

struct risk_book {
    struct coverage_totals *totals; // for each risk of the register: of the files under its paths
    bool *is_touched;               // for each risk that counts
    struct touched_risk *touched;
    size_t touched_count;
    struct test_book tests; // empty when no risk speaks of tests
};

void risk_book_make(struct arena *arena, const struct rule_context *context, struct risk_book *ret);

// Are this risk's own demands judged? Always on a release; on a change only where it touches the
// risk's paths, or nobody can know.
bool risk_book_asks(const struct risk_book *book, const struct rule_context *context, size_t risk);

// Null when each pattern means a test that passed and none that did not; else what is wrong, as the
// end of a sentence: "`payments::*` means no test".
const char *risk_book_tests(const struct risk_book *book, struct findings *out,
                            const struct shape_list *patterns);

// ---- more rules about risks, called by rule_risk ------------------------------------------------

// risk.touched[R-1], a pass that says what the change touches.
void risk_say_touched(const struct rule_context *context, const struct risk_book *book,
                      struct findings *out);
// risk.tests[R-1]: the tests that a risk demands.
void risk_judge_tests(const struct rule_context *context, const struct risk_book *book, size_t risk,
                      struct findings *out);
// risk.reopened[R-1]: a closed risk whose evidence does not hold any more.
void risk_judge_closed(const struct rule_context *context, const struct risk_book *book,
                       size_t risk, struct findings *out);

#endif
