#include "gate/reports/test_draft.h"

#include "gate/base/limits.h"
#include "gate/base/number.h"

enum { ESCAPE = 0x1b };

void test_draft_clear(struct test_draft *draft, uint64_t offset)
{
    for (int i = 0; i < TEST_FIELDS; i++) {
        draft->fields[i].max = i == TEST_MESSAGE ? TEST_MESSAGE_BYTES + 4 : LIMIT_TOKEN_BYTES;
        text_clear(&draft->fields[i]);
    }
    draft->offset = offset;
    draft->line = 0;
    draft->time_us = -1;
}

void test_draft_done(struct test_draft *draft)
{
    for (int i = 0; i < TEST_FIELDS; i++)
        text_done(&draft->fields[i]);
}

void test_draft_set(struct test_draft *draft, enum test_field field, str value)
{
    text_clear(&draft->fields[field]);
    text_add(&draft->fields[field], value);
}

str test_draft_get(const struct test_draft *draft, enum test_field field)
{
    return text_str(&draft->fields[field]);
}

void test_draft_suite(struct test_draft *draft, str inner)
{
    struct text *suite = &draft->fields[TEST_SUITE];
    if (inner.len && suite->len)
        text_adds(suite, " › ");
    text_add(suite, inner);
}

// A terminal's colour or cursor command at the start of s: its length, 0 when there is none.
static size_t escape_length(str s)
{
    size_t n = 2;
    if (s.len == 0 || s.data[0] != ESCAPE)
        return 0;
    if (s.len < 2 || s.data[1] != '[')
        return 1;
    while (n < s.len && (unsigned char)s.data[n] >= 0x20 && (unsigned char)s.data[n] < 0x40)
        n++;
    return n < s.len ? n + 1 : n;
}

// One line as text for people: no escapes, no control characters, at most `max` bytes.
static void add_plain(struct text *out, str line)
{
    while (line.len && out->len < TEST_MESSAGE_BYTES) {
        size_t skip = escape_length(line), n = 0;
        line = str_from(line, skip);
        while (n < line.len && line.data[n] != ESCAPE)
            n++;
        str plain = str_shorten(str_first(line, n), TEST_MESSAGE_BYTES - out->len);
        size_t from = out->len;
        text_add(out, plain);
        for (size_t i = from; i < out->len; i++)
            if ((unsigned char)out->data[i] < 0x20 || out->data[i] == 0x7f)
                out->data[i] = ' ';
        if (plain.len < n)
            return;
        line = str_from(line, n);
    }
}

void test_draft_message(struct test_draft *draft, str message)
{
    struct text *kept = &draft->fields[TEST_MESSAGE];
    while (message.len && str_trim(text_str(kept)).len == 0) {
        str line = str_trim(str_cut(&message, '\n'));
        text_clear(kept);
        add_plain(kept, line);
    }
}

void test_draft_time(struct test_draft *draft, str number, double unit_us)
{
    double value;
    if (number_double(number, &value) && value >= 0 && value * unit_us < 1e15)
        draft->time_us = (int64_t)(value * unit_us + 0.5);
}

void test_draft_line(struct test_draft *draft, str number)
{
    uint32_t line;
    if (number_u32(number, &line) && line <= LIMIT_SOURCE_LINE)
        draft->line = line;
}

bool test_draft_take(struct test_draft *draft, struct evidence *evidence, uint32_t report,
                     enum test_result result, struct error *err)
{
    if (str_trim(test_draft_get(draft, TEST_NAME)).len == 0) {
        text_clear(&draft->fields[TEST_NAME]); // tests without a name are not one and the same test
        text_addf(&draft->fields[TEST_NAME], "(unnamed %llu)",
                  (unsigned long long)++draft->unnamed);
    }
    for (int i = 0; i < TEST_FIELDS; i++)
        if (text_full(&draft->fields[i]))
            return error_set(err, ERROR_LIMIT, "the name of a test is longer than 1 MiB");
    _Static_assert(LIMIT_TOKEN_BYTES == 1 << 20, "the words name it");
    bool bad = result == TEST_FAILED || result == TEST_ERROR || result == TEST_FLAKY;
    struct test_case one = {
        .suite = test_draft_get(draft, TEST_SUITE),
        .class_name = test_draft_get(draft, TEST_CLASS),
        .name = test_draft_get(draft, TEST_NAME),
        .file = test_draft_get(draft, TEST_FILE),
        .line = draft->line,
        .result = result,
        .report = report,
        .offset = draft->offset,
        .time_us = draft->time_us,
        .message = bad ? str_trim(test_draft_get(draft, TEST_MESSAGE)) : (str){NULL, 0},
    };
    return tests_add(evidence, &one, err);
}

void test_draft_end(const struct test_draft *draft, struct evidence *evidence, uint32_t report)
{
    struct report *noted = &evidence->reports[report];
    noted->empty = evidence->tests.count == 0;
    if (noted->empty)
        report_suspect(evidence, noted, "the report holds no test");
    if (draft->unnamed)
        report_suspect(evidence, noted, "%llu tests have no name",
                       (unsigned long long)draft->unnamed);
}

uint64_t test_draft_united(const struct evidence *evidence)
{
    struct tests some = {.count = evidence->tests.count};
    some.cases = memory_alloc((some.count + 1) * sizeof *some.cases);
    if (some.count)
        memcpy(some.cases, evidence->tests.cases, some.count * sizeof *some.cases);
    tests_settle(&some);
    memory_free(some.cases);
    return some.count;
}

bool test_saying_read(struct test_saying *saying, const struct json_event *event, struct error *err)
{
    uint64_t number;
    if (event->type == JSON_NULL)
        return true;
    if (event->type != JSON_NUMBER || !number_u64(event->text, &number))
        return error_set(err, ERROR_INPUT, "%s is no count", saying->name);
    saying->has = true;
    saying->said = number;
    return true;
}

void test_saying_compare(const struct test_saying *saying, struct evidence *evidence,
                         uint32_t report, uint64_t counted, uint64_t or_counted)
{
    if (!saying->has || saying->said == counted || saying->said == or_counted)
        return;
    report_suspect(evidence, &evidence->reports[report], "%s says %llu, but the report holds %llu",
                   saying->name, (unsigned long long)saying->said, (unsigned long long)counted);
}
