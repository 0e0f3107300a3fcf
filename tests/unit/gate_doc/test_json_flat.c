#include "../expect.h"
#include "gate/doc/json_flat.h"

static const char *read_line(const char *line, struct text *out)
{
    struct json_flat flat = json_flat_of();
    text_clear(out);
    if (!json_flat_read(&flat, str_of(line)))
        text_adds(out, "no");
    else
        for (size_t i = 0; i < flat.count; i++)
            text_addf(out, "%d " STR_FMT "=" STR_FMT ";", (int)flat.members[i].type - JSON_STRING,
                      STR_ARG(flat.members[i].key), STR_ARG(flat.members[i].text));
    json_flat_done(&flat);
    return text_c(out);
}

Test(json_flat, members_of_a_line)
{
    static const struct {
        const char *line, *want;
    } rows[] = {
        {"{\"a\":\"b\"}", "0 a=b;"},
        {"{\"a\":\"\",\"\":\"\"}", "0 a=;0 =;"},
        {"{\"a\":-2.5e+3,\"b\":0,\"c\":true,\"d\":false,\"e\":null}",
         "1 a=-2.5e+3;1 b=0;2 c=true;3 d=false;4 e=null;"},
        {"{\"a\":\"1\\n\\t\\u00e9\\ud83d\\ude00\",\"\\u0061\":\"2\\\\\"}",
         "0 a=1\n\t\xC3\xA9\xF0\x9F\x98\x80;0 a=2\\;"},
        {"{\"a\":\"\xC3\xA9\"}", "0 a=\xC3\xA9;"},
        {"{\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,\"8\":1,\"9\":1,\"10\":1,\"11\":"
         "1,"
         "\"12\":1,\"13\":1,\"14\":1,\"15\":1,\"16\":1,\"17\":1}",
         "no"},
    };
    struct text out = text_of(1 << 12);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_str_eq(read_line(rows[i].line, &out), rows[i].want, "%s", rows[i].line);
    text_done(&out);
}

// They may be right or wrong: the streaming reader tells.
Test(json_flat, what_is_not_plain_is_left_alone)
{
    static const char *const rows[] = {
        "",
        "{",
        "{}",
        "[1]",
        "{\"a\":1} ",
        " {\"a\":1}",
        "{ \"a\":1}",
        "{\"a\": 1}",
        "{\"a\":1,}",
        "{\"a\":1,\"b\"}",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":\"b",
        "{\"a\":\"b\\",
        "{\"a\":\"b\\u00",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\":\"\t\"}",
        "{\"a\":\"\xC3\"}",
        "{\"a\":\"\\n\xC3\"}",
        "{\"\xC3\":1}",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":-}",
        "{\"a\":tru}",
        "{\"a\":truer}",
        "{\"a\":[]}",
        "{\"a\":{}}",
        "{\"a\":1}{\"a\":1}",
        "{a:1}",
    };
    struct text out = text_of(1 << 12);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_str_eq(read_line(rows[i], &out), "no", "%s", rows[i]);
    text_done(&out);
}
