#include "../expect.h"
#include "gate/base/limits.h"
#include "gate/doc/json.h"

static struct arena arena;

static void done(void)
{
    arena_done(&arena);
}

TestSuite(json, .fini = done);

static const struct node *parse(const char *bytes)
{
    const struct node *root = NULL;
    struct error err = {0};
    cr_assert(json_parse(&arena, "f.json", str_of(bytes), &root, &err), "%s", err.message);
    return root;
}

static void again(const char *bytes, const char *want)
{
    struct text text = text_of(1 << 20);
    struct json_out out = json_out_of(&text, JSON_COMPACT);
    json_add_node(&out, NULL, parse(bytes));
    expect_str(text_str(&text), want);
    text_done(&text);
}

Test(json, reads_what_it_writes)
{
    again(" { \"b\" : [ 1 , -2.50e+3 , true , false , null , \"x\\n\\u00e9\\ud83d\\ude00\" ] , "
          "\"a\" : { } , \"\" : [ ] } ",
          "{\"b\":[1,-2.50e+3,true,false,null,\"x\\n\xC3\xA9\xF0\x9F\x98\x80\"],\"a\":{},\"\":[]}");
    again("\"alone\"", "\"alone\"");
    again("0", "0");
    again("18446744073709551615", "18446744073709551615");
    again("[9007199254740993, 0.1000, 1E5]", "[9007199254740993,0.1000,1E5]");
    again("{\"a,b:]\\\"}\": \"]}\\\\\", \"c\": 7}", "{\"a,b:]\\\"}\":\"]}\\\\\",\"c\":7}");
}

Test(json, values_have_places)
{
    const struct node *root =
        parse("{\n  \"\xC3\xA9\": 1,\n  \"b\": [true,\n   {\"c\": \"x\"}]\n}");
    const struct node *b = node_get(root, "b");
    cr_expect(root->first->at.line == 2 && root->first->at.column == 8, "%u:%u",
              root->first->at.line, root->first->at.column);
    cr_expect(b->key_at.line == 3 && b->key_at.column == 3 && b->at.column == 8);
    const struct node *c = node_get(b->first->next, "c");
    cr_expect(c->at.line == 4 && c->at.column == 10);
    cr_expect_str_eq(c->at.file, "f.json");
}

Test(json, typed_lookups)
{
    const struct node *m = parse("{\"i\":-5,\"u\":18446744073709551615,\"d\":1.5,\"t\":true,"
                                 "\"f\":false,\"s\":\"x\",\"n\":null,\"e\":1e3,\"q\":\"7\"}");
    int64_t i = 42;
    uint64_t u;
    double d;
    bool b;
    str s;
    cr_expect(json_get_i64(m, "i", &i) && i == -5);
    cr_expect_not(json_get_i64(m, "u", &i), "past 63 bits");
    cr_expect_not(json_get_i64(m, "e", &i), "no whole number");
    cr_expect_not(json_get_i64(m, "q", &i), "a text");
    cr_expect(i == -5, "untouched on failure");
    cr_expect(json_get_u64(m, "u", &u) && u == UINT64_MAX);
    cr_expect_not(json_get_u64(m, "i", &u));
    cr_expect(json_get_double(m, "d", &d) && d > 1.49 && d < 1.51);
    cr_expect(json_get_double(m, "e", &d) && d > 999 && d < 1001);
    cr_expect(json_get_bool(m, "t", &b) && b);
    cr_expect(json_get_bool(m, "f", &b) && !b);
    cr_expect_not(json_get_bool(m, "n", &b));
    cr_expect(json_get_str(m, "s", &s));
    expect_str(s, "x");
    cr_expect_not(json_get_str(m, "i", &s));
    cr_expect_not(json_get_str(m, "absent", &s));
    cr_expect_not(json_get_str(NULL, "s", &s));
}

Test(json, errors_say_where_and_what)
{
    static const struct {
        str text;
        const char *want;
    } rows[] = {
        {STR_INIT(""), "f.json:1:1: the file is empty: there is no JSON in it"},
        {STR_INIT("{\"a\": [1,\n 2"), "f.json:2:3: the file ends in the middle of its JSON"},
        {STR_INIT("{} x"), "f.json:1:4: something follows the end of the JSON"},
        {STR_INIT("{\"a\":1,\"a\":2}"),
         "f.json:1:10: a key stands twice in one map: keep one of them"},
        {STR_INIT("[\"\\u0000\"]"), "f.json:1:8: a text may not hold a NUL character (`\\u0000`)"},
        {STR_INIT("[\"\\ud800\"]"),
         "f.json:1:9: half of a surrogate pair (`\\uD800` to `\\uDFFF`) stands alone"},
        {STR_INIT("[\"\xFF\"]"), "f.json:1:2: this text is not UTF-8"},
        {STR_INIT("[01]"), "f.json:1:2: this is not a number of JSON"},
        {STR_INIT("[1,]"), "f.json:1:4: a value is missing here"},
        {STR_INIT("{'a':1}"), "f.json:1:2: a key in double quotes is missing here"},
        {STR_INIT("\xEF\xBB\xBF{}"),
         "f.json:1:1: the file starts with a byte order mark: save it without"},
        {STR_INIT("[1e999]"), "f.json:1:6: a number is too large"},
        {STR_INIT("nul"), "f.json:1:4: the file ends in the middle of its JSON"},
        {STR_INIT("[1\0]"), "f.json:1:3: a `,` is missing here"},
        {STR_INIT("1\0"), "f.json:1:2: something follows the end of the JSON"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct node *root = NULL;
        struct error err = {0};
        cr_expect_not(json_parse(&arena, "f.json", rows[i].text, &root, &err), "row %zu", i);
        expect_error(&err, ERROR_INPUT, rows[i].want);
        cr_expect_null(root);
    }
}

static bool parse_nested(size_t depth, struct error *err)
{
    struct text text = text_of(1 << 20);
    for (size_t i = 0; i < depth; i++)
        text_addc(&text, '[');
    for (size_t i = 0; i < depth; i++)
        text_addc(&text, ']');
    const struct node *root;
    bool ok = json_parse(&arena, "f.json", text_str(&text), &root, err);
    text_done(&text);
    return ok;
}

Test(json, depth_is_bounded)
{
    struct error err = {0};
    cr_expect(parse_nested(LIMIT_DOC_DEPTH, &err));
    cr_expect_not(parse_nested(LIMIT_DOC_DEPTH + 1, &err));
    expect_error(&err, ERROR_LIMIT, "f.json:1:65: lists and maps are nested more than 64 deep");
    cr_expect_not(parse_nested(100000, &err));
    cr_expect(err.kind == ERROR_LIMIT);
}

Test(json, the_number_of_values_is_bounded)
{
    struct text text = text_of(4 << 20);
    text_addc(&text, '[');
    for (size_t i = 0; i < LIMIT_DOC_NODES; i++)
        text_adds(&text, i ? ",1" : "1");
    text_addc(&text, ']');
    const struct node *root;
    struct error err = {0};
    cr_expect_not(json_parse(&arena, "f.json", text_str(&text), &root, &err));
    cr_expect(err.kind == ERROR_LIMIT, "%s", err.message);
    text_done(&text);
}

// Whatever the bytes are, a body with one string of them has room.
Test(json, room_is_enough_for_bytes_that_all_become_escapes)
{
    enum { BYTES = 5000 };
    static const char worst[] = {'"', '\\', '\n', 0x01, 0x1f, 0x7f, 'a'};
    char bytes[BYTES];
    for (size_t i = 0; i < sizeof worst; i++) {
        memset(bytes, worst[i], sizeof bytes);
        struct text text = text_of(JSON_ROOM(BYTES));
        struct json_out out = json_out_of(&text, JSON_COMPACT);
        json_open_map(&out, NULL);
        json_add_str(&out, "body", str_make(bytes, sizeof bytes));
        json_close(&out);
        cr_expect_not(text_full(&text), "%d", worst[i]);
        text_done(&text);
    }
}
