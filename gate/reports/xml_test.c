#include "gate/reports/xml_test.h"

#include "gate/base/number.h"

void xml_test_open(struct xml_test *test, struct evidence *evidence, uint32_t report)
{
    *test = (struct xml_test){.evidence = evidence, .report = report};
    test->message = text_of(XML_MESSAGE_ROOM);
}

void xml_test_begin(struct xml_test *test, uint64_t offset)
{
    test->one = (struct test_case){.time_us = -1, .report = test->report, .offset = offset};
    if (test->message.len || test->message.full)
        text_clear(&test->message);
}

static const struct test_case *before(const struct xml_test *test)
{
    static const struct test_case none = {.time_us = -1};
    const struct tests *tests = &test->evidence->tests;
    return tests->count ? &tests->cases[tests->count - 1] : &none;
}

void xml_test_suite(struct xml_test *test, str suite)
{
    test->one.suite = tests_text(test->evidence, suite, before(test)->suite);
}

void xml_test_host(struct xml_test *test, str host)
{
    test->one.host = tests_text(test->evidence, host, before(test)->host);
}

void xml_test_class(struct xml_test *test, str class_name)
{
    test->one.class_name = tests_text(test->evidence, class_name, before(test)->class_name);
}

void xml_test_name(struct xml_test *test, str name)
{
    test->one.name = tests_text(test->evidence, name, (str){NULL, 0});
}

void xml_test_file(struct xml_test *test, str file)
{
    test->one.file = tests_text(test->evidence, file, before(test)->file);
}

bool xml_test_add(struct xml_test *test, struct error *err)
{
    struct test_case *one = &test->one;
    struct arena *arena = &test->evidence->arena;
    if (one->name.len == 0)
        one->name = arena_format(arena, "(unnamed %llu)", (unsigned long long)++test->unnamed);
    if (test->message.len)
        one->message = tests_text(test->evidence, xml_message_line(&test->message), (str){NULL, 0});
    return tests_take(test->evidence, one, err);
}

void xml_test_end(const struct xml_test *test)
{
    struct evidence *evidence = test->evidence;
    struct report *noted = &evidence->reports[test->report];
    noted->empty = evidence->tests.count == 0;
    if (noted->empty)
        report_suspect(evidence, noted, "the report holds no test");
    if (test->unnamed)
        report_suspect(evidence, noted, "%llu tests have no name",
                       (unsigned long long)test->unnamed);
}

void xml_test_done(struct xml_test *test)
{
    text_done(&test->message);
}

// What nearly every file says: digits, a point, digits. -1 where it is anything else.
static int64_t plain_seconds_us(const char *text)
{
    int64_t whole = 0, us = 0, unit = 1000000;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && at - text < 9; at++)
        whole = whole * 10 + (*at - '0');
    if (at == text)
        return -1;
    if (*at == '.') {
        for (at++; *at >= '0' && *at <= '9' && unit > 1; at++) {
            unit /= 10;
            us += (*at - '0') * unit;
        }
        us += *at >= '5' && *at <= '9'; // what is smaller than a microsecond is rounded
        while (*at >= '0' && *at <= '9')
            at++;
    }
    return *at == '\0' ? whole * 1000000 + us : -1;
}

int64_t xml_seconds_us(const char *text)
{
    char plain[32];
    size_t n = 0;
    double seconds;
    int64_t fast = plain_seconds_us(text);
    if (fast >= 0)
        return fast;
    for (; *text && n < sizeof plain; text++)
        if (*text != ',')
            plain[n++] = *text;
    if (*text || !number_double(str_make(plain, n), &seconds) || seconds < 0 || seconds > 1e9)
        return -1;
    return (int64_t)(seconds * 1e6 + 0.5);
}

void xml_message_add(struct text *message, str more)
{
    size_t room = XML_MESSAGE_ROOM - message->len;
    text_add(message, str_shorten(more, room));
    message->full |= more.len > room; // wherever the pieces end
}

str xml_message_line(const struct text *message)
{
    str kept = str_trim(text_str(message));
    str line = str_first(kept, str_find(kept, '\n'));
    return str_shorten(str_trim(line), XML_MESSAGE_BYTES);
}

struct xml_said xml_said(const char *value)
{
    struct xml_said said = {0};
    said.is = value && number_u64(str_of(value), &said.number);
    return said;
}

void xml_sayings_compare(struct evidence *evidence, uint32_t report, const char *where,
                         uint32_t line, const struct xml_saying *sayings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct xml_saying *one = &sayings[i];
        uint64_t said = one->said.number;
        if (!one->said.is || said == one->counted || said == one->or_counted ||
            (one->at_most && said < one->counted))
            continue;
        report_suspect(evidence, &evidence->reports[report],
                       "line %u: %s says %s=\"%llu\", but holds %llu", line, where, one->name,
                       (unsigned long long)said, (unsigned long long)one->counted);
    }
}

const char *xml_local(const char *name)
{
    const char *colon = strchr(name, ':');
    return colon ? colon + 1 : name;
}
