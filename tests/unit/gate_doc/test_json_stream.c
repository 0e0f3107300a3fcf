#include "../expect.h"
#include "gate/base/arena.h"
#include "gate/base/limits.h"
#include "gate/base/text.h"
#include "gate/doc/json_stream.h"

// Every event as one line "depth type text @offset:line".
static bool write_event(void *context, const struct json_event *event, struct error *err)
{
    static const char *const types[] = {"{",   "}",   "[",    "]",     "key",
                                        "str", "num", "true", "false", "null"};
    (void)err;
    text_addf(context, "%u %s " STR_FMT " @%llu:%u\n", event->depth, types[event->type],
              STR_ARG(event->text), (unsigned long long)event->offset, event->line);
    return true;
}

static bool read_in(str bytes, size_t chunk, bool many, struct text *log, struct error *err)
{
    struct json_stream *s = json_stream_open("f.json", write_event, log);
    if (many)
        json_stream_allow_many(s);
    bool ok = true;
    while (ok && bytes.len) {
        // A copy of exact size, so that a read past the chunk is seen by the sanitizer.
        size_t n = bytes.len < chunk ? bytes.len : chunk;
        char *copy = memory_alloc(n);
        memcpy(copy, bytes.data, n);
        ok = json_stream_feed(s, str_make(copy, n), err);
        memory_free(copy);
        bytes = str_from(bytes, n);
    }
    ok = ok && json_stream_end(s, err);
    json_stream_close(s);
    return ok;
}

static const char sample[] =
    "{\"files\": {\"a\\u00e9\\ud83d\\ude00.py\": {\"lines\": [1, -2.5e+3, 0],\r\n"
    "  \"ok\": true, \"bad\":false ,\"none\" : null}},\n"
    "\"\xC3\xA9t\xC3\xA9\": \"tab\\tquote\\\"\\/ and sixteen plain bytes\", \"e\": [], \"m\": "
    "{}}\n";

Test(json_stream, events_carry_text_depth_and_place)
{
    struct text log = text_of(1 << 16);
    struct error err = {0};
    cr_assert(read_in(str_of(sample), sizeof sample, false, &log, &err), "%s", err.message);
    expect_str(text_str(&log), "0 {  @0:1\n"
                               "1 key files @1:1\n"
                               "1 {  @10:1\n"
                               "2 key a\xC3\xA9\xF0\x9F\x98\x80.py @11:1\n"
                               "2 {  @37:1\n"
                               "3 key lines @38:1\n"
                               "3 [  @47:1\n"
                               "4 num 1 @48:1\n"
                               "4 num -2.5e+3 @51:1\n"
                               "4 num 0 @60:1\n"
                               "3 ]  @61:1\n"
                               "3 key ok @67:2\n"
                               "3 true true @73:2\n"
                               "3 key bad @79:2\n"
                               "3 false false @85:2\n"
                               "3 key none @92:2\n"
                               "3 null null @101:2\n"
                               "2 }  @105:2\n"
                               "1 }  @106:2\n"
                               "1 key \xC3\xA9t\xC3\xA9 @109:3\n"
                               "1 str tab\tquote\"/ and sixteen plain bytes @118:3\n"
                               "1 key e @160:3\n"
                               "1 [  @165:3\n"
                               "1 ]  @166:3\n"
                               "1 key m @169:3\n"
                               "1 {  @174:3\n"
                               "1 }  @175:3\n"
                               "0 }  @176:3\n");
    text_done(&log);
}

Test(json_stream, chunk_boundaries_do_not_matter)
{
    struct text whole = text_of(1 << 16), parts = text_of(1 << 16);
    struct error err = {0};
    cr_assert(read_in(str_of(sample), sizeof sample, false, &whole, &err));
    for (size_t chunk = 1; chunk <= sizeof sample; chunk++) {
        text_clear(&parts);
        cr_assert(read_in(str_of(sample), chunk, false, &parts, &err), "chunks of %zu: %s", chunk,
                  err.message);
        cr_assert(str_eq(text_str(&whole), text_str(&parts)), "chunks of %zu", chunk);
    }
    text_done(&whole);
    text_done(&parts);
}

Test(json_stream, any_outermost_value)
{
    static const char *const good[] = {"0",
                                       "-1.5e3",
                                       "\"\"",
                                       "true",
                                       "false",
                                       "null",
                                       "[]",
                                       "{}",
                                       " \t\r\n 1 \n",
                                       "[[],{}]",
                                       "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
                                       "[\"\xF4\x8F\xBF\xBF\"]",
                                       "\"\x7F\""};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        for (size_t chunk = 1; chunk < 100; chunk += 98) {
            struct text log = text_of(1 << 16);
            struct error err = {0};
            cr_expect(read_in(str_of(good[i]), chunk, false, &log, &err), "%s: %s", good[i],
                      err.message);
            text_done(&log);
        }
    }
}

Test(json_stream, what_is_refused_and_where)
{
    static const struct {
        str text;
        const char *want;
    } rows[] = {
        {STR_INIT(""), "f.json:1:1: the file is empty: there is no JSON in it"},
        {STR_INIT(" \n"), "f.json:2:1: the file is empty: there is no JSON in it"},
        {STR_INIT("{\"a\": [1,\n 2"), "f.json:2:3: the file ends in the middle of its JSON"},
        {STR_INIT("{\"a\""), "f.json:1:5: the file ends in the middle of its JSON"},
        {STR_INIT("\"ab"), "f.json:1:4: the file ends in the middle of its JSON"},
        {STR_INIT("tru"), "f.json:1:4: the file ends in the middle of its JSON"},
        {STR_INIT("1 2"), "f.json:1:3: something follows the end of the JSON"},
        {STR_INIT("{}}"), "f.json:1:3: something follows the end of the JSON"},
        {STR_INIT("truex"), "f.json:1:5: something follows the end of the JSON"},
        {STR_INIT("[1,]"), "f.json:1:4: a value is missing here"},
        {STR_INIT("[,1]"), "f.json:1:2: a value is missing here"},
        {STR_INIT("{\"a\":}"), "f.json:1:6: a value is missing here"},
        {STR_INIT("[nul]"), "f.json:1:5: only true, false and null may stand without quotes"},
        {STR_INIT("[NaN]"), "f.json:1:2: a value is missing here"},
        {STR_INIT("{\"a\":1,}"), "f.json:1:8: a key in double quotes is missing here"},
        {STR_INIT("{a:1}"), "f.json:1:2: a key in double quotes is missing here"},
        {STR_INIT("{\"a\" 1}"), "f.json:1:6: a `:` is missing after the key"},
        {STR_INIT("[1 2]"), "f.json:1:4: a `,` is missing here"},
        {STR_INIT("[1}"), "f.json:1:3: this `}` closes nothing"},
        {STR_INIT("{\"a\":1]"), "f.json:1:7: this `]` closes nothing"},
        {STR_INIT("]"), "f.json:1:1: a value is missing here"},
        {STR_INIT("[01]"), "f.json:1:2: this is not a number of JSON"},
        {STR_INIT("[1.]"), "f.json:1:2: this is not a number of JSON"},
        {STR_INIT("[-]"), "f.json:1:2: this is not a number of JSON"},
        {STR_INIT("-"), "f.json:1:1: this is not a number of JSON"},
        {STR_INIT("[1e+]"), "f.json:1:2: this is not a number of JSON"},
        {STR_INIT("[+1]"), "f.json:1:2: a value is missing here"},
        {STR_INIT("[\"\\x\"]"), "f.json:1:4: this escape is not known in JSON"},
        {STR_INIT("[\"\\\0\"]"), "f.json:1:4: this escape is not known in JSON"},
        {STR_INIT("[\"\\u12G4\"]"), "f.json:1:7: four hexadecimal digits must follow `\\u`"},
        {STR_INIT("[\"\\u0000\"]"), "f.json:1:8: a text may not hold a NUL character (`\\u0000`)"},
        {STR_INIT("[\"\\uD800x\"]"),
         "f.json:1:9: half of a surrogate pair (`\\uD800` to `\\uDFFF`) stands alone"},
        {STR_INIT("[\"\\uD800\\n\"]"),
         "f.json:1:10: half of a surrogate pair (`\\uD800` to `\\uDFFF`) stands alone"},
        {STR_INIT("[\"\\uD800\\uD800\"]"),
         "f.json:1:14: half of a surrogate pair (`\\uD800` to `\\uDFFF`) stands alone"},
        {STR_INIT("[\"\\uDC00\"]"),
         "f.json:1:8: half of a surrogate pair (`\\uD800` to `\\uDFFF`) stands alone"},
        {STR_INIT("[\"\\uD800\"]"),
         "f.json:1:9: half of a surrogate pair (`\\uD800` to `\\uDFFF`) stands alone"},
        {STR_INIT("[\"a\nb\"]"),
         "f.json:1:4: a control character stands inside a text: it must be escaped"},
        {STR_INIT("[\"a\0b\"]"),
         "f.json:1:4: a control character stands inside a text: it must be escaped"},
        {STR_INIT("\n[\"\xC3\xA9\", \"\xC3\"]"), "f.json:2:7: this text is not UTF-8"},
        {STR_INIT("[\"\xC3\\u00e9\"]"), "f.json:1:2: this text is not UTF-8"},
        {STR_INIT("[\"\\u00e9\xA9\"]"), "f.json:1:2: this text is not UTF-8"},
        {STR_INIT("[\"\xED\xA0\x80\"]"), "f.json:1:2: this text is not UTF-8"},
        {STR_INIT("[\"\xC3\xA9\", \"\xC3\xA9\", x]"), "f.json:1:12: a value is missing here"},
        {STR_INIT("\xEF\xBB\xBF{}"),
         "f.json:1:1: the file starts with a byte order mark: save it without"},
        {STR_INIT("[1]\0"), "f.json:1:4: something follows the end of the JSON"},
        {STR_INIT("\x0B[]"), "f.json:1:1: a value is missing here"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t chunk = 1; chunk < 100; chunk += 98) {
            struct text log = text_of(1 << 16);
            struct error err = {0};
            cr_expect_not(read_in(rows[i].text, chunk, false, &log, &err), "accepted: " STR_FMT,
                          STR_ARG(rows[i].text));
            expect_error(&err, ERROR_INPUT, rows[i].want);
            text_done(&log);
        }
    }
}

Test(json_stream, depth_is_bounded_exactly)
{
    for (size_t extra = 0; extra < 2; extra++) {
        struct text text = text_of(1 << 16), log = text_of(1 << 20);
        struct error err = {0};
        for (size_t i = 0; i < LIMIT_DOC_DEPTH + extra; i++)
            text_addc(&text, '[');
        for (size_t i = 0; i < LIMIT_DOC_DEPTH + extra; i++)
            text_addc(&text, ']');
        cr_expect(read_in(text_str(&text), 1000, false, &log, &err) == (extra == 0));
        if (extra)
            expect_error(&err, ERROR_LIMIT,
                         "f.json:1:65: lists and maps are nested more than 64 deep");
        text_done(&text);
        text_done(&log);
    }
}

Test(json_stream, tokens_are_bounded_exactly)
{
    static const size_t chunks[] = {1 << 22, 70000};
    for (size_t extra = 0; extra < 2; extra++) {
        struct text text = text_of(4 << 20);
        text_addc(&text, '"');
        for (size_t i = 0; i < LIMIT_TOKEN_BYTES + extra; i++)
            text_addc(&text, 'x');
        text_addc(&text, '"');
        for (size_t c = 0; c < 2; c++) {
            struct text log = text_of(4 << 20);
            struct error err = {0};
            bool ok = read_in(text_str(&text), chunks[c], false, &log, &err);
            cr_expect(ok == (extra == 0), "%zu more in chunks of %zu", extra, chunks[c]);
            if (extra)
                expect_error(&err, ERROR_LIMIT, "f.json:1:1: a text is longer than 1 MiB");
            text_done(&log);
        }
        text_done(&text);
    }
}

Test(json_stream, many_values_one_after_another)
{
    struct text log = text_of(1 << 16);
    struct error err = {0};
    cr_expect(read_in(STR("{\"a\":1}\n{\"a\":2}\n\n3 4\n"), 3, true, &log, &err));
    expect_contains(text_str(&log), "0 num 3 @17:4\n0 num 4 @19:4\n");
    cr_expect(read_in(STR(""), 1, true, &log, &err), "no value at all is no error here");
    cr_expect_not(read_in(STR("{}\n{\n"), 3, true, &log, &err));
    expect_error(&err, ERROR_INPUT, "f.json:3:1: the file ends in the middle of its JSON");
    text_done(&log);
}

static bool refuse_third(void *context, const struct json_event *event, struct error *err)
{
    int *count = context;
    (void)event;
    return ++*count < 3 || error_set(err, ERROR_INPUT, "enough");
}

Test(json_stream, a_handler_that_refuses_stops_it_for_good)
{
    int count = 0;
    struct error err = {0};
    struct json_stream *s = json_stream_open("f.json", refuse_third, &count);
    cr_expect_not(json_stream_feed(s, STR("[1,\n22,3,4"), &err));
    expect_error(&err, ERROR_INPUT, "f.json:2:1: enough");
    err = (struct error){0};
    cr_expect_not(json_stream_feed(s, STR("]"), &err));
    expect_error(&err, ERROR_INPUT, "f.json:2:1: enough");
    cr_expect_not(json_stream_end(s, &err));
    cr_expect(count == 3);
    json_stream_close(s);
    json_stream_close(NULL);
}

// Passed over where that is allowed, whole and at the very beginning only.
Test(json_stream, a_byte_order_mark)
{
    static const struct {
        const char *bytes, *want; // the log, or the error
        bool ok;
    } rows[] = {
        {"\xef\xbb\xbf{}", "0 {  @3:1\n0 }  @4:1\n", true},
        {"\xef\xbb\xbf\n[1]", "0 [  @4:2\n1 num 1 @5:2\n0 ]  @6:2\n", true},
        {"[1]", "0 [  @0:1\n1 num 1 @1:1\n0 ]  @2:1\n", true},
        {"\n\n\n[x", "f.json:4:2: a value is missing here", false},
        {"\xef\xbb\xbf[x", "f.json:1:2: a value is missing here", false},
        {"\xef\xbb{}", "f.json:1:1: a byte order mark begins here, but does not end", false},
        {"\xef{}", "f.json:1:1: a byte order mark begins here, but does not end", false},
        {"\xef\xbb\xbf\xef\xbb\xbf{}", "f.json:1:1: a value is missing here", false},
        {" \xef\xbb\xbf{}", "f.json:1:2: a value is missing here", false},
        {"\xef\xbb\xbf", "f.json:1:1: the file is empty: there is no JSON in it", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t piece = 1; piece < 6; piece++) {
            struct text log = text_of(4096);
            struct error err = {0};
            struct json_stream *s = json_stream_open("f.json", write_event, &log);
            json_stream_allow_mark(s);
            str rest = str_of(rows[i].bytes);
            bool ok = true;
            for (; ok && rest.len; rest = str_from(rest, piece))
                ok = json_stream_feed(s, str_first(rest, piece), &err);
            ok = ok && json_stream_end(s, &err);
            json_stream_close(s);
            cr_expect_eq(ok, rows[i].ok, "row %zu in pieces of %zu", i, piece);
            if (rows[i].ok)
                expect_str(text_str(&log), rows[i].want);
            else
                expect_error(&err, ERROR_INPUT, rows[i].want);
            text_done(&log);
        }
    }
}

struct passing {
    struct json_stream *stream;
    struct text log;
};

// Passes over the containers that follow the key "skip".
static bool pass_some(void *context, const struct json_event *event, struct error *err)
{
    struct passing *passing = context;
    bool opens = event->type == JSON_MAP_OPEN || event->type == JSON_LIST_OPEN;
    (void)err;
    if (opens && text_str(&passing->log).len && str_ends(text_str(&passing->log), STR("skip ")))
        json_stream_pass_over(passing->stream);
    else if (opens || event->text.len)
        text_addf(&passing->log, STR_FMT " ", STR_ARG(opens ? STR("(") : event->text));
    else
        text_adds(&passing->log, ") ");
    return true;
}

static bool pass_in(str bytes, size_t chunk, json_handler *handler, struct passing *passing,
                    struct error *err)
{
    bool ok = true;
    passing->log = text_of(1 << 12);
    passing->stream = json_stream_open("f.json", handler, passing);
    for (; ok && bytes.len; bytes = str_from(bytes, chunk))
        ok = json_stream_feed(passing->stream, str_first(bytes, chunk), err);
    ok = ok && json_stream_end(passing->stream, err);
    json_stream_close(passing->stream);
    return ok;
}

Test(json_stream, what_is_passed_over_is_still_checked)
{
    static const struct {
        const char *text, *want; // null: refused
    } rows[] = {
        {"{\"skip\": {\"a\": [1, {\"b\": []}], \"skip\": [[]]}, \"c\": [2]}", "( skip c ( 2 ) ) "},
        {"[{\"skip\": []}, {\"skip\": {}}, 3]", "( ( skip ) ( skip ) 3 ) "},
        {"{\"skip\": {\"a\": nul}}", NULL},
        {"{\"skip\": {\"a\": 1]}", NULL},
        {"{\"skip\": [\"\\ud800\"]}", NULL},
        {"{\"skip\": [1", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t chunk = 1; chunk < 100; chunk += 33) {
            struct passing passing;
            struct error err = {0};
            bool ok = pass_in(str_of(rows[i].text), chunk, pass_some, &passing, &err);
            cr_expect_eq(ok, rows[i].want != NULL, "%s: %s", rows[i].text, err.message);
            if (ok)
                cr_expect_str_eq(text_c(&passing.log), rows[i].want);
            text_done(&passing.log);
        }
    }
}

// Passes over the value of the key "skip", whatever it is.
static bool pass_member(void *context, const struct json_event *event, struct error *err)
{
    struct passing *passing = context;
    bool opens = event->type == JSON_MAP_OPEN || event->type == JSON_LIST_OPEN;
    (void)err;
    text_addf(&passing->log, STR_FMT " ",
              STR_ARG(opens             ? STR("(")
                      : event->text.len ? event->text
                                        : STR(")")));
    if (event->type == JSON_KEY && str_is(event->text, "skip"))
        json_stream_pass_over(passing->stream);
    return true;
}

Test(json_stream, the_value_of_a_key_can_be_passed_over)
{
    static const struct {
        const char *text, *want; // null: refused
    } rows[] = {
        {"{\"skip\": 1, \"c\": 2}", "( skip c 2 ) "},
        {"{\"skip\": \"a\\nb\", \"c\": 2}", "( skip c 2 ) "},
        {"{\"skip\": null}", "( skip ) "},
        {"[{\"skip\": [1, 2, [3]]}, {\"skip\": {\"skip\": {}}}, 3]", "( ( skip ) ( skip ) 3 ) "},
        {"{\"skip\": tru}", NULL},
        {"{\"skip\": \"\x80\"}", NULL},
        {"{\"skip\": 01}", NULL},
        {"{\"skip\": }", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t chunk = 1; chunk < 100; chunk += 33) {
            struct passing passing;
            struct error err = {0};
            bool ok = pass_in(str_of(rows[i].text), chunk, pass_member, &passing, &err);
            cr_expect_eq(ok, rows[i].want != NULL, "%s: %s", rows[i].text, err.message);
            if (ok)
                cr_expect_str_eq(text_c(&passing.log), rows[i].want);
            text_done(&passing.log);
        }
    }
}

static bool add_digits(void *context, const struct json_event *event, struct error *err)
{
    (void)err;
    if (event->digits != JSON_NOT_DIGITS)
        text_addf(context, "%llu ", (unsigned long long)event->digits);
    else if (event->type == JSON_NUMBER)
        text_adds(context, "- ");
    return true;
}

Test(json_stream, short_numbers_come_with_their_value)
{
    str text = STR("[0,12 , 999999999999999999,1000000000000000000,-1,1.5,1e3,\"7\",{\"8\":9}]");
    for (size_t chunk = 1; chunk <= text.len; chunk++) {
        struct text log = text_of(1 << 12);
        struct error err;
        struct json_stream *s = json_stream_open("f.json", add_digits, &log);
        for (str rest = text; rest.len; rest = str_from(rest, chunk))
            cr_expect(json_stream_feed(s, str_first(rest, chunk), &err));
        cr_expect(json_stream_end(s, &err));
        json_stream_close(s);
        expect_str(text_str(&log), "0 12 999999999999999999 - - - - 9 ");
        text_done(&log);
    }
}
