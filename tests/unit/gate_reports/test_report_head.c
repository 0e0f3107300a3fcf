#include "../expect.h"
#include "gate/base/text.h"
#include "gate/reports/report_head.h"

static struct report_head head;

static void done(void)
{
    report_head_done(&head);
}

TestSuite(report_head, .fini = done);

static void look(const char *bytes, bool whole)
{
    report_head_done(&head);
    report_head_look(str_of(bytes), whole, &head);
}

Test(report_head, members_by_their_place)
{
    look("{\"version\": \"2.1\", \"runs\": [{\"tool\": {\"name\": \"x\"}}, {\"n\": 7}], \"a.b\": "
         "{\"c\": null}}",
         true);
    cr_assert(head.is_json && !head.is_xml && head.whole);
    cr_expect(report_head_has(&head, "runs", NULL));
    cr_expect(report_head_has(&head, "runs", "#", "tool", NULL));
    cr_expect(report_head_has(&head, "runs", "#", "tool", "name", NULL));
    cr_expect(report_head_has(&head, "*", "#", "n", NULL));
    cr_expect(report_head_has(&head, "a.b", "c", NULL));
    cr_expect_not(report_head_has(&head, "a", NULL));
    cr_expect_not(report_head_has(&head, "a", "b", NULL));
    cr_expect_not(report_head_has(&head, "tool", NULL), "only where it stands");
    cr_expect_not(report_head_has(&head, "runs", "tool", NULL), "a list is not skipped");
    cr_expect_not(report_head_has(&head, "#", NULL), "the outermost value is no list");
    expect_str(report_head_text(&head, "version", NULL), "2.1");
    expect_str(report_head_text(&head, "runs", "#", "n", NULL), "7");
    cr_expect_null(report_head_text(&head, "runs", NULL).data, "a list has no text");
    cr_expect_null(report_head_text(&head, "a.b", "c", NULL).data, "null has no text");
    cr_expect_eq(report_head_type(&head, "runs", NULL), JSON_LIST_OPEN);
    cr_expect_eq(report_head_type(&head, "a.b", "c", NULL), JSON_NULL);
    cr_expect_eq(report_head_type(&head, "nowhere", NULL), JSON_KEY);
}

Test(report_head, lists_in_lists)
{
    look("[[1, {\"a\": [2]}], {\"b\": 3}]", true);
    cr_expect(report_head_has(&head, "#", "#", "a", NULL));
    cr_expect(report_head_has(&head, "#", "b", NULL));
    cr_expect_not(report_head_has(&head, "#", "a", NULL));
    expect_str(report_head_text(&head, "#", "#", NULL), "1");
    expect_str(report_head_text(&head, "#", "#", "a", "#", NULL), "2");
}

// Whatever the last byte is, what stood before it is known, and nothing else is.
Test(report_head, cut_anywhere)
{
    static const char text[] = "{\"a\": {\"b\": [1, \"two\"]}, \"c\": true}";
    for (size_t n = 1; n < sizeof text; n++) {
        report_head_done(&head);
        report_head_look(str_make(text, n), false, &head);
        cr_expect(head.is_json && !head.whole, "%zu", n);
        cr_expect_eq(report_head_has(&head, "a", NULL), n >= 7, "%zu", n);
        cr_expect_eq(report_head_has(&head, "a", "b", NULL), n >= 13, "%zu", n);
        cr_expect_eq(report_head_has(&head, "c", NULL), n >= 34, "%zu", n);
        cr_expect_eq(report_head_has(&head, "a", "c", NULL), false, "%zu", n);
    }
}

Test(report_head, broken_further_on_is_still_json)
{
    look("{\"a\": 1, \"b\": nonsense}", true);
    cr_expect(head.is_json && report_head_has(&head, "a", NULL));
    cr_expect_not(report_head_has(&head, "b", NULL));
}

Test(report_head, byte_order_mark_and_white_space)
{
    look("\xef\xbb\xbf \n{\"a\": 1}", true);
    cr_expect(head.is_json && report_head_has(&head, "a", NULL));
}

Test(report_head, json_lines)
{
    look("{\"a\": 1}\n{\"b\": 2}\n{\"c", false);
    cr_expect(head.is_json);
    cr_expect_eq(head.values, 3);
    cr_expect(report_head_has(&head, "a", NULL));
    cr_expect(report_head_has(&head, "b", NULL));
    look("{\"a\": 1}", true);
    cr_expect_eq(head.values, 1);
}

Test(report_head, what_is_no_json)
{
    static const char *const texts[] = {"",      "  ",   "7",           "\"text\"", "plain text",
                                        "TN:\n", "true", "<a b=\"\"/>", "}",        "\xef\xbb\xbf"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        look(texts[i], true);
        cr_expect_not(head.is_json, "%s", texts[i]);
        cr_expect_not(report_head_has(&head, "*", NULL), "%s", texts[i]);
    }
    look("<a b=\"c\"/>", true);
    cr_expect(head.is_xml);
    expect_str(head.xml.name, "a");
}

// Past a depth nothing is noted, and what stands after it is.
Test(report_head, deep_and_long_heads)
{
    look("{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{\"h\":1}}}}}}}, \"z\": 1}", true);
    cr_expect(report_head_has(&head, "a", "b", "c", "d", "e", "f", "g", NULL));
    cr_expect_not(report_head_has(&head, "a", "b", "c", "d", "e", "f", "g", "h", NULL));
    cr_expect(report_head_has(&head, "z", NULL));

    struct text many = text_of(1 << 20);
    text_adds(&many, "{\"first\": [");
    for (int i = 0; i < 20000; i++)
        text_adds(&many, "1,");
    text_adds(&many, "1], \"last\": 1}");
    look(text_c(&many), true);
    cr_expect(report_head_has(&head, "first", NULL));
    cr_expect_not(report_head_has(&head, "last", NULL), "bounded");
    text_done(&many);
}

Test(report_head, lines)
{
    str rest = STR("one\r\n\ntwo"), line;
    cr_assert(report_head_line(&rest, &line));
    expect_str(line, "one");
    cr_assert(report_head_line(&rest, &line));
    expect_str(line, "");
    cr_assert(report_head_line(&rest, &line));
    expect_str(line, "two");
    cr_expect_not(report_head_line(&rest, &line));
}
