#include "../expect.h"
#include "gate/doc/json.h"
#include "gate/doc/json_token.h"
#include "gate/doc/yaml.h"

#include <math.h>

static struct text text;

static void init(void)
{
    text = text_of(1 << 20);
}

static void done(void)
{
    text_done(&text);
}

TestSuite(json_out, .init = init, .fini = done);

static void one_of_each(struct json_out *out)
{
    json_open_map(out, NULL);
    json_add_str(out, "decision", STR("block"));
    json_open_list(out, "findings");
    json_close(out);
    json_open_list(out, "list");
    json_add_i64(out, NULL, INT64_MIN);
    json_add_u64(out, NULL, UINT64_MAX);
    json_open_map(out, NULL);
    json_add_bool(out, "t", true);
    json_add_null(out, "n");
    json_close(out);
    json_close(out);
    json_add_key_str(out, STR("payments/**\""), STR("x"));
    json_add_raw(out, "raw", STR("{\"a\":1}"));
    json_open_map(out, "empty");
    json_close(out);
    json_close(out);
}

Test(json_out, compact)
{
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    one_of_each(&out);
    expect_str(text_str(&text),
               "{\"decision\":\"block\",\"findings\":[],\"list\":[-9223372036854775808,"
               "18446744073709551615,{\"t\":true,\"n\":null}],\"payments/**\\\"\":\"x\","
               "\"raw\":{\"a\":1},\"empty\":{}}");
}

Test(json_out, pretty)
{
    struct json_out out = json_out_of(&text, JSON_PRETTY);
    one_of_each(&out);
    expect_str(text_str(&text),
               "{\n  \"decision\": \"block\",\n  \"findings\": [],\n  \"list\": [\n"
               "    -9223372036854775808,\n    18446744073709551615,\n    {\n"
               "      \"t\": true,\n      \"n\": null\n    }\n  ],\n"
               "  \"payments/**\\\"\": \"x\",\n  \"raw\": {\"a\":1},\n  \"empty\": {}\n}");
}

Test(json_out, strings_are_always_valid)
{
    static const struct {
        str have;
        const char *want;
    } rows[] = {
        {STR_INIT(""), "\"\""},
        {STR_INIT("a\"\\/\b\f\n\r\t\x01\x1f\x7f"),
         "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\""},
        {STR_INIT("nul\0here"), "\"nul\\u0000here\""},
        {STR_INIT("\xC3\xA9\xF0\x9F\x98\x80"), "\"\xC3\xA9\xF0\x9F\x98\x80\""},
        {STR_INIT("\xFFx"), "\"\xEF\xBF\xBDx\""},
        {STR_INIT("\xC3"), "\"\xEF\xBF\xBD\""},
        {STR_INIT("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {STR_INIT("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {STR_INIT("12345678\x80"), "\"12345678\xEF\xBF\xBD\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        text_clear(&text);
        struct json_out out = json_out_of(&text, JSON_COMPACT);
        json_add_str(&out, NULL, rows[i].have);
        expect_str(text_str(&text), rows[i].want);
    }
    text_clear(&text);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    json_add_str(&out, NULL, (str){NULL, 0});
    expect_str(text_str(&text), "\"\"");
}

Test(json_out, doubles_are_the_shortest_that_read_back)
{
    static const struct {
        double have;
        const char *want;
    } rows[] = {{0.1, "0.1"},
                {1.0 / 3, "0.3333333333333333"},
                {5, "5"},
                {1e21, "1e+21"},
                {-2.5, "-2.5"},
                {5e-324, "4.94065645841247e-324"},
                {0.30000000000000004, "0.30000000000000004"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        text_clear(&text);
        struct json_out out = json_out_of(&text, JSON_COMPACT);
        json_add_double(&out, NULL, rows[i].have);
        expect_str(text_str(&text), rows[i].want);
    }
    text_clear(&text);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    json_open_list(&out, NULL);
    json_add_double(&out, NULL, (double)NAN);
    json_add_double(&out, NULL, (double)-INFINITY);
    json_close(&out);
    expect_str(text_str(&text), "[null,null]");
}

Test(json_out, numbers_that_only_yaml_knows_become_strings)
{
    struct arena arena = {0};
    const struct node *root;
    struct error err;
    cr_assert(yaml_parse(&arena, "f", STR("[1, 0x10, +1, .5, 5., .inf, 007, 1e3, True, ~, -0.50]"),
                         &root, &err));
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    json_add_node(&out, NULL, root);
    expect_str(text_str(&text), "[1,\"0x10\",\"+1\",\".5\",\"5.\",\".inf\",\"007\",1e3,true,null,"
                                "-0.50]");
    arena_done(&arena);
}

Test(json_out, a_deep_tree_fits_into_a_deep_document)
{
    struct arena arena = {0};
    struct text deep = text_of(1 << 16);
    const struct node *root;
    struct error err;
    for (int i = 0; i < 64; i++)
        text_addc(&deep, '[');
    for (int i = 0; i < 64; i++)
        text_addc(&deep, ']');
    cr_assert(yaml_parse(&arena, "f", text_str(&deep), &root, &err));
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    for (int i = 0; i < 10; i++)
        json_open_list(&out, NULL);
    json_add_node(&out, NULL, root);
    for (int i = 0; i < 10; i++)
        json_close(&out);
    cr_expect(text.len == 2 * 74);
    text_done(&deep);
    arena_done(&arena);
}

Test(json_out, past_the_ceiling_the_text_says_so)
{
    struct text small = text_of(8);
    struct json_out out = json_out_of(&small, JSON_COMPACT);
    json_add_str(&out, NULL, STR("longer than eight"));
    cr_expect(text_full(&small));
    text_done(&small);
}

Test(json_token, numbers_by_rfc_8259)
{
    static const char *const good[] = {
        "0", "-0", "1", "10", "-1.5", "1e5", "1E+5", "0.0e-0", "123456789012345678901234567890"};
    static const char *const bad[] = {"",   "-",   "01",    "-01",  "1.",   ".5",
                                      "+1", "1e",  "1e+",   "0x1",  "1.e3", "1 ",
                                      " 1", "--1", "1.2.3", "1e5e", "NaN",  "Infinity"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        cr_expect(json_is_number(str_of(good[i])), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_not(json_is_number(str_of(bad[i])), "%s", bad[i]);
}

// The path for many bytes at once against the plain rule, for every stop byte at every place.
Test(json_token, plain_runs_stop_where_they_must)
{
    for (int c = 0; c < 256; c++) {
        for (size_t at = 0; at < 40; at++) {
            char bytes[40];
            memset(bytes, 'a', sizeof bytes);
            bytes[at] = (char)c;
            bool high = false;
            size_t n = json_plain_run(str_make(bytes, sizeof bytes), &high);
            bool stops = c == '"' || c == '\\' || c < 0x20;
            cr_assert(n == (stops ? at : sizeof bytes), "byte %d at %zu gives %zu", c, at, n);
            cr_assert(high == (c >= 0x80));
        }
    }
}

Test(json_token, spaces_end_where_they_must)
{
    for (size_t at = 0; at <= 40; at++) {
        char bytes[40];
        memset(bytes, ' ', sizeof bytes);
        if (at < sizeof bytes)
            bytes[at] = '\t';
        cr_assert(json_past_spaces(bytes, bytes + sizeof bytes) == bytes + at, "%zu", at);
    }
}

// Short ones are read several digits at once: against the plain rule, with all that may follow.
Test(json_token, short_numbers_of_each_length)
{
    static const char after[] = ",]} \n.e-x\"\xff";
    for (size_t digits = 0; digits <= 20; digits++) {
        for (size_t room = 0; room < 12; room++) {
            for (const char *c = after; *c; c++) {
                char bytes[40];
                const char *to;
                memset(bytes, ',', sizeof bytes);
                memcpy(bytes, "98765432109876543210", digits);
                bytes[digits] = *c;
                uint64_t value = json_short_number(bytes, bytes + digits + room, &to);
                bool plain = digits && digits <= JSON_DIGITS && room && memchr(",]} \n", *c, 5);
                cr_assert((to != NULL) == plain, "%zu digits, %zu bytes behind, %x", digits, room,
                          (unsigned)*c);
                if (plain)
                    cr_assert(to == bytes + digits && value == json_digits(str_make(bytes, digits)),
                              "%llu", (unsigned long long)value);
            }
        }
    }
    const char *to;
    static const char zeros[] = "0,1,2,3,4,5", wrong[] = "01,2,3,4,5,6";
    cr_expect(json_short_number(zeros, zeros + 11, &to) == 0 && to == zeros + 1);
    (void)json_short_number(wrong, wrong + 12, &to);
    cr_expect(to == NULL);
}
