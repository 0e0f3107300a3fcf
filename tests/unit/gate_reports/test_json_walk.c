#include "../expect.h"
#include "gate/base/arena.h"
#include "gate/base/limits.h"
#include "gate/base/text.h"
#include "gate/reports/json_walk.h"

#include <stdio.h>

// {"files": {NAME: {"lines": [1, [2, 3]], "sum": {"a.b": 1}}}, "name": "x"}, or a list of such.
enum { ROOT = 1, FILES, FILE_MAP, LINES, LINE, PAIR_ITEM, SUM, DOTTED, NAME, ITEM };
static const struct json_step steps[] = {{ROOT, "files", FILES | JSON_IS_MAP},
                                         {FILES, "*", FILE_MAP | JSON_IS_MAP},
                                         {FILES, "fixed", NAME},
                                         {FILE_MAP, "lines", LINES | JSON_IS_LIST},
                                         {LINES, NULL, LINE | JSON_IS_NUMBER | JSON_IS_LIST},
                                         {LINE, NULL, PAIR_ITEM},
                                         {FILE_MAP, "sum", SUM | JSON_IS_MAP},
                                         {SUM, "a.b", DOTTED},
                                         {ROOT, "name", NAME | JSON_IS_TEXT},
                                         {ROOT, NULL, ITEM},
                                         {0}};

struct log {
    struct text text;
    struct json_walk *walk;
    int refuse_at; // a place
};

static bool begin(void *context, int place, str key, const struct json_event *event,
                  struct error *err)
{
    struct log *log = context;
    text_addf(&log->text, "%c%d " STR_FMT "@%llu\n", event->type == JSON_MAP_OPEN ? '{' : '[',
              place, STR_ARG(key), (unsigned long long)event->offset);
    if (place == log->refuse_at)
        return error_set(err, ERROR_INPUT, "not here");
    return true;
}

static bool value(void *context, int place, str key, const struct json_event *event,
                  struct error *err)
{
    struct log *log = context;
    text_addf(&log->text, "%d " STR_FMT "=" STR_FMT "\n", place, STR_ARG(key),
              STR_ARG(event->text));
    if (place == log->refuse_at)
        return json_walk_refuse(log->walk, event, err, "%s is refused", "this");
    return true;
}

static bool end(void *context, int place, const struct json_event *event, struct error *err)
{
    struct log *log = context;
    (void)err;
    text_addf(&log->text, "}%d @%llu\n", place, (unsigned long long)event->offset);
    return true;
}

static bool walk_in(str bytes, size_t piece, bool many, struct log *log, struct error *err)
{
    static const struct json_walk_handler handler = {begin, value, end};
    log->text = text_of(1 << 16);
    log->walk = json_walk_open("f.json", steps, &handler, log);
    if (many)
        json_walk_allow_many(log->walk);
    bool ok = true;
    while (ok && bytes.len) {
        size_t n = bytes.len < piece ? bytes.len : piece;
        char *copy = memory_alloc(n); // of exact size, so that a read past it is seen
        memcpy(copy, bytes.data, n);
        ok = json_walk_feed(log->walk, str_make(copy, n), err);
        memory_free(copy);
        bytes = str_from(bytes, n);
    }
    ok = ok && json_walk_end(log->walk, err);
    json_walk_close(log->walk);
    return ok;
}

static void expect_walk(const char *json, bool many, const char *want)
{
    static const size_t pieces[] = {1, 2, 7, 4096};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct log log = {0};
        struct error err = {0};
        cr_expect(walk_in(str_of(json), pieces[i], many, &log, &err), "%s: %s", json, err.message);
        cr_expect_str_eq(text_c(&log.text), want, "%s in pieces of %zu:\n%s", json, pieces[i],
                         text_c(&log.text));
        text_done(&log.text);
    }
}

Test(json_walk, tells_what_the_steps_name)
{
    expect_walk("{\"files\": {\"a\": {\"lines\": [1, [2, 3], 4]}}, \"name\": \"x\"}", false,
                "{1 @0\n{2 files@10\n{3 a@16\n[4 lines@26\n5 =1\n[5 @30\n6 =2\n6 =3\n}5 @35\n5 =4\n"
                "}4 @39\n}3 @40\n}2 @41\n9 name=x\n}1 @55\n");
}

Test(json_walk, a_fixed_key_goes_before_any_key)
{
    expect_walk("{\"files\":{\"fixed\":7,\"fixe\":{}}}", false,
                "{1 @0\n{2 files@9\n9 fixed=7\n{3 fixe@27\n}3 @28\n}2 @29\n}1 @30\n");
}

Test(json_walk, keys_with_dots_and_escapes_are_keys)
{
    expect_walk("{\"files\":{\"a.b\":{\"sum\":{\"a.b\":1,\"a\":{\"b\":2}}},\"\\u00e9\":{}}}", false,
                "{1 @0\n{2 files@9\n{3 a.b@16\n{7 sum@23\n8 a.b=1\n}7 @43\n}3 @44\n"
                "{3 \xC3\xA9@55\n}3 @56\n}2 @57\n}1 @58\n");
}

Test(json_walk, passes_over_all_else_however_deep)
{
    // What is skipped holds keys that are known elsewhere, and lists of lists.
    expect_walk("{\"x\": {\"files\": [[{\"name\": 1}], {}], \"y\": []}, \"z\": [{}], \"name\":"
                " \"n\"}",
                false, "{1 @0\n9 name=n\n}1 @69\n");
}

Test(json_walk, lists_in_lists_and_outermost_lists)
{
    expect_walk("[1, [2], {\"a\": 3}]", false,
                "[1 @0\n10 =1\n[10 @4\n}10 @6\n{10 @9\n}10 @16\n}1 @17\n");
    expect_walk("7", false, "1 =7\n");
    expect_walk("[]", false, "[1 @0\n}1 @1\n");
}

Test(json_walk, json_lines)
{
    expect_walk("{\"name\":\"a\"}\n{\"name\":\"b\"}\n", true,
                "{1 @0\n9 name=a\n}1 @11\n{1 @13\n9 name=b\n}1 @24\n");
    expect_walk("", true, "");
}

Test(json_walk, a_byte_order_mark_is_passed_over)
{
    expect_walk("\xef\xbb\xbf{\"name\":\"a\"}", false, "{1 @3\n9 name=a\n}1 @14\n");
}

Test(json_walk, null_fits_everywhere)
{
    expect_walk("{\"files\": null, \"name\": null}", false,
                "{1 @0\n2 files=null\n9 name=null\n}1 @28\n");
}

// Where the outermost value has to be a list.
Test(json_walk, the_outermost_value_may_have_to_be_something)
{
    static const struct json_step outermost[] = {
        {JSON_OUTERMOST, NULL, NAME | JSON_IS_LIST}, {NAME, NULL, ITEM}, {0}};
    static const struct json_walk_handler handler = {begin, value, end};
    static const struct {
        const char *json, *want; // the log, or the error
        bool ok;
    } rows[] = {
        {"[1]", "[9 @0\n10 =1\n}9 @2\n", true},
        {"\n{}", "f.json:2: the outermost value is a map, not a list", false},
        {"7", "f.json:1: the outermost value is a number, not a list", false},
        {"null", "f.json:1: the outermost value is null, not a list", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct log log = {.text = text_of(1 << 12)};
        struct error err = {0};
        char have[1024];
        log.walk = json_walk_open("f.json", outermost, &handler, &log);
        bool ok =
            json_walk_feed(log.walk, str_of(rows[i].json), &err) && json_walk_end(log.walk, &err);
        cr_expect(ok == rows[i].ok, "%s", rows[i].json);
        cr_expect_str_eq(ok ? text_c(&log.text) : error_text(&err, have, sizeof have),
                         rows[i].want);
        json_walk_close(log.walk);
        text_done(&log.text);
    }
}

// Keys that share a slot of the table, and keys that are none of it.
Test(json_walk, each_key_leads_to_its_own_place)
{
    enum { KEYS = 90, FIRST = 2 };
    static char names[KEYS][8];
    struct json_step many[KEYS + 1] = {{0}};
    static const struct json_walk_handler handler = {NULL, value, NULL};
    struct text json = text_of(1 << 14), want = text_of(1 << 14);
    struct log log = {.text = text_of(1 << 14)};
    struct error err = {0};
    for (int i = 0; i < KEYS; i++) {
        (void)snprintf(names[i], sizeof names[i], "k%dk", i);
        many[i] = (struct json_step){ROOT, names[i], FIRST + i};
        text_addf(&json, "%s\"k%dk\": %d, \"k%dx\": {\"k1k\": 1}", i ? ", " : "{", i, i, i);
        text_addf(&want, "%d k%dk=%d\n", FIRST + i, i, i);
    }
    text_adds(&json, "}");
    log.walk = json_walk_open("f.json", many, &handler, &log);
    cr_expect(json_walk_feed(log.walk, text_str(&json), &err) && json_walk_end(log.walk, &err));
    cr_expect_str_eq(text_c(&log.text), text_c(&want));
    json_walk_close(log.walk);
    text_done(&log.text);
    text_done(&json);
    text_done(&want);
}

Test(json_walk, what_is_refused_and_where)
{
    static const struct {
        const char *json, *want;
    } rows[] = {
        {"{\"files\": []}", "f.json:1: `files` is a list, not a map"},
        {"{\n\"name\": 1}", "f.json:2: `name` is a number, not text"},
        {"{\"files\":{\"a\":\n{\"lines\": [\"1\"]}}}",
         "f.json:2: an element of a list is text, not a list"},
        {"{\"files\":{\"a\":{\"lines\": [true]}}}",
         "f.json:1: an element of a list is a boolean, not a list"},
        {"{\"files\":{\"a\":", "f.json:1:15: the file ends in the middle of its JSON"},
        {"{\"name\":\"a\"} {}", "f.json:1:14: something follows the end of the JSON"},
        {"", "f.json:1:1: the file is empty: there is no JSON in it"},
        {"\xef\xbb", "f.json:1:1: the file is empty: there is no JSON in it"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t piece = 1; piece < 100; piece += 98) {
            struct log log = {0};
            struct error err = {0};
            char have[1024];
            cr_expect_not(walk_in(str_of(rows[i].json), piece, false, &log, &err), "%s",
                          rows[i].json);
            (void)error_text(&err, have, sizeof have);
            bool same = strcmp(have, rows[i].want) == 0;
            cr_expect(same, "%s: %s", rows[i].json, have);
            text_done(&log.text);
        }
    }
}

Test(json_walk, a_handler_stops_the_walk)
{
    static const struct {
        int place;
        const char *want;
    } rows[] = {{FILE_MAP, "f.json:2: not here"}, {NAME, "f.json:3: this is refused"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct log log = {.refuse_at = rows[i].place};
        struct error err = {0};
        char have[1024];
        cr_expect_not(
            walk_in(STR("{\"files\":\n{\"a\":{}},\n\"name\":\"x\"}"), 3, false, &log, &err));
        cr_expect_str_eq(error_text(&err, have, sizeof have), rows[i].want);
        text_done(&log.text);
    }
}

Test(json_walk, the_depth_has_a_limit)
{
    struct text deep = text_of(4096);
    struct log log = {0};
    struct error err = {0};
    for (unsigned i = 0; i <= LIMIT_DOC_DEPTH; i++)
        text_adds(&deep, "{\"x\":");
    cr_expect_not(walk_in(text_str(&deep), 5, false, &log, &err));
    cr_expect_eq(err.kind, ERROR_LIMIT);
    text_done(&log.text);
    text_done(&deep);
}

struct counting {
    struct json_walk *walk;
    uint64_t number;
    bool ok;
};

static bool count_value(void *context, int place, str key, const struct json_event *event,
                        struct error *err)
{
    struct counting *counting = context;
    (void)key;
    if (place == ITEM)
        counting->ok = json_walk_count(counting->walk, event, "a count", &counting->number, err);
    return place != ITEM || counting->ok;
}

Test(json_walk, counts)
{
    static const struct {
        const char *json;
        uint64_t want;
        const char *why; // it is none
    } rows[] = {
        {"[0]", 0, NULL},
        {"[ 12 ]", 12, NULL},
        {"[999999999999999999]", UINT64_C(999999999999999999), NULL},
        {"[1000000000000000000]", UINT64_C(1000000000000000000), NULL},
        {"[18446744073709551615]", UINT64_MAX, NULL},
        {"[18446744073709551616]", UINT64_MAX, NULL},
        {"[1e+21]", UINT64_MAX, NULL},
        {"[1e+2]", 0, "a count must be a whole number that is not negative, but is 1e+2"},
        {"[1.0]", 0, "a count must be a whole number that is not negative, but is 1.0"},
        {"[-1]", 0, "a count must be a whole number that is not negative, but is -1"},
        {"[\"1\"]", 0,
         "a count must be a whole number that is not negative, but is something else"},
        {"[null]", 0, "a count must be a whole number that is not negative, but is something else"},
    };
    static const struct json_walk_handler handler = {.value = count_value};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t piece = 1; piece < 100; piece += 98) {
            struct counting counting = {.number = 77};
            struct error err = {0};
            str rest = str_of(rows[i].json);
            bool ok = true;
            counting.walk = json_walk_open("f.json", steps, &handler, &counting);
            for (; ok && rest.len; rest = str_from(rest, piece))
                ok = json_walk_feed(counting.walk, str_first(rest, piece), &err);
            json_walk_close(counting.walk);
            cr_expect_eq(ok, !rows[i].why, "%s: %s", rows[i].json, err.message);
            cr_expect_eq(counting.number, ok ? rows[i].want : 77, "%s", rows[i].json);
            if (!ok)
                cr_expect_str_eq(err.message, rows[i].why);
        }
    }
}
