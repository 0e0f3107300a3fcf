// One test while its report is read: the fields come in any order and are copied as they come. And
// what a report says of its own sums, beside what it holds.
//
//     test_draft_clear(&draft, event->offset);              // where a test begins
//     test_draft_set(&draft, TEST_NAME, event->text);
//     test_draft_suite(&draft, STR("outer"));               // once for each suite around it
//     test_draft_message(&draft, event->text);
//     if (!test_draft_take(&draft, evidence, report, TEST_FAILED, err)) ... // where it ends
//     test_draft_done(&draft);                              // with the reading
//
// All zero is a valid draft, once test_draft_clear was called on it. Memory is bounded: a field
// holds LIMIT_TOKEN_BYTES.
#ifndef GATE_REPORTS_TEST_DRAFT_H
#define GATE_REPORTS_TEST_DRAFT_H

#include "gate/base/text.h"
#include "gate/doc/json_stream.h"
#include "gate/reports/evidence.h"

enum test_field { TEST_SUITE, TEST_CLASS, TEST_NAME, TEST_FILE, TEST_MESSAGE, TEST_FIELDS };
#define TEST_MESSAGE_BYTES 300u
#define TEST_OUTSIDE "(outside of any test)" // the name of what broke beside the tests

struct test_draft {
    struct text fields[TEST_FIELDS];
    uint64_t offset;
    uint32_t line;
    int64_t time_us;  // -1 = unknown
    uint64_t unnamed; // tests without a name so far, in all of the report
};

void test_draft_clear(struct test_draft *draft, uint64_t offset); // empty again, memory kept
void test_draft_done(struct test_draft *draft);

void test_draft_set(struct test_draft *draft, enum test_field field, str value); // replaces
str test_draft_get(const struct test_draft *draft, enum test_field field);
void test_draft_suite(struct test_draft *draft, str inner); // "outer › inner"
// The first line of the first message that says something stays, without colours, and bounded.
void test_draft_message(struct test_draft *draft, str message);
// `unit_us`: how many microseconds one is. What is no number, or a negative one, is unknown.
void test_draft_time(struct test_draft *draft, str number, double unit_us);
// The line of the source; what is none is unknown.
void test_draft_line(struct test_draft *draft, str number);

// Into the evidence, which copies. A test without a name gets one of its own.
bool test_draft_take(struct test_draft *draft, struct evidence *evidence, uint32_t report,
                     enum test_result result, struct error *err);
// Where a report ends: says what is missing in it (names, or all tests).
void test_draft_end(const struct test_draft *draft, struct evidence *evidence, uint32_t report);
// How many tests there are once those of one identity are united.
uint64_t test_draft_united(const struct evidence *evidence);

// One of a report's own sums, and what it may be: of all runs as they are listed, or another count
// that is as good.
struct test_saying {
    const char *name; // as the report has it: "stats.passes"
    bool has;
    uint64_t said;
};
// A count: digits. ERROR_INPUT for anything else; null is none.
bool test_saying_read(struct test_saying *saying, const struct json_event *event,
                      struct error *err);
// Equal to either is well; a difference is a suspicion.
void test_saying_compare(const struct test_saying *saying, struct evidence *evidence,
                         uint32_t report, uint64_t counted, uint64_t or_counted);

#endif
