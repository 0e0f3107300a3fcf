// One test of an XML report while it is read: its texts come in any order and are copied into the
// evidence at once, where the test before has no equal one. And what such a report says of its own
// sums, beside what it holds.
//
//     xml_test_open(&test, evidence, report);              // once
//     xml_test_begin(&test, offset);                       // where a test begins: all empty
//     xml_test_name(&test, str_of(value));
//     test.one.result = TEST_FAILED;
//     xml_message_add(&test.message, text);
//     if (!xml_test_add(&test, err)) ...                   // where it ends
//     xml_test_end(&test);                                 // where the report ends
//     xml_test_done(&test);                                // with the reading
#ifndef GATE_REPORTS_XML_TEST_H
#define GATE_REPORTS_XML_TEST_H

#include "gate/base/text.h"
#include "gate/reports/evidence.h"

struct xml_test {
    struct evidence *evidence;
    uint32_t report;
    struct test_case one; // its result, line and time; texts are set by the functions below
    struct text message;  // see xml_message_add
    uint64_t unnamed;     // tests without a name so far: they are not one and the same
};

void xml_test_open(struct xml_test *test, struct evidence *evidence, uint32_t report);
void xml_test_begin(struct xml_test *test, uint64_t offset);
void xml_test_suite(struct xml_test *test, str suite);
void xml_test_host(struct xml_test *test, str host);
void xml_test_class(struct xml_test *test, str class_name);
void xml_test_name(struct xml_test *test, str name);
void xml_test_file(struct xml_test *test, str file);
// ERROR_LIMIT as tests_add. All stays until the next xml_test_begin.
bool xml_test_add(struct xml_test *test, struct error *err);
// Says what is missing in the report: all tests, or names.
void xml_test_end(const struct xml_test *test);
void xml_test_done(struct xml_test *test);

// Seconds, with or without a fraction; some tools put commas between thousands. Microseconds, or -1
// where it is no time.
int64_t xml_seconds_us(const char *text);

// A message in pieces, in a text_of(XML_MESSAGE_ROOM); more than fits is passed over.
#define XML_MESSAGE_ROOM 4096u
void xml_message_add(struct text *message, str more);
// Its first line that holds anything, at most XML_MESSAGE_BYTES.
#define XML_MESSAGE_BYTES 300u
str xml_message_line(const struct text *message);

// A count that a report says of itself, and what was counted. Most tools mean one thing by it,
// some another one: it is believed when it is one of both.
struct xml_said {
    bool is; // false: it is not said, or what is said is no number
    uint64_t number;
};
struct xml_said xml_said(const char *value); // null is fine
struct xml_saying {
    const char *name; // of the attribute
    struct xml_said said;
    uint64_t counted, or_counted;
    bool at_most; // it may be smaller, because many writers leave it at 0
};
// `where` is what says it: "<testng-results>". Each difference is a suspicion.
void xml_sayings_compare(struct evidence *evidence, uint32_t report, const char *where,
                         uint32_t line, const struct xml_saying *sayings, size_t count);

// The name of an element without the prefix of its name space.
const char *xml_local(const char *name);

#endif
