// The tests of this run by their identity, beside the quarantine and the baseline: made once for
// all rules about tests.
#ifndef GATE_RULES_TEST_BOOK_H
#define GATE_RULES_TEST_BOOK_H

#include "gate/rules/rule.h"

struct booked_test {
    const struct test_case *test;
    str identity;
    const struct quarantined *quarantine; // an entry that applies today; null = none
    bool failed;                          // or ended in an error
    bool is_new; // failed, and did not in the baseline; true for all when there is no baseline
};

struct test_book {
    struct booked_test *items; // by identity, bytewise
    size_t count;
    size_t failed;      // not in quarantine
    size_t new_failed;  // of those
    size_t caused;      // of those, what did not fail in the newest recorded run either
    size_t quarantined; // failed, in quarantine
    bool *used;         // for each entry of the quarantine: does it name a test of this run?
};

enum booked {
    BOOKED_ALL,
    // Those that failed or are flaky: enough where there is neither a baseline nor a quarantine to
    // look others up for, and much less work for a large suite.
    BOOKED_TROUBLED,
};
void test_book_make(struct arena *arena, const struct rule_input *input, enum booked which,
                    struct test_book *ret);
const struct booked_test *test_book_find(const struct test_book *book, str identity); // null: none

#endif
