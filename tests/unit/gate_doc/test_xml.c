#include "../expect.h"
#include "gate/base/arena.h"
#include "gate/base/limits.h"
#include "gate/base/text.h"
#include "gate/doc/xml.h"

struct log {
    struct text text;
    struct xml *xml;
};

static bool on_open(void *context, const char *name, const char **attributes, struct error *err)
{
    struct log *log = context;
    (void)err;
    struct position at = xml_position(log->xml);
    text_addf(&log->text, "%u <%s", xml_depth(log->xml), name);
    for (; *attributes; attributes += 2)
        text_addf(&log->text, " %s='%s'", attributes[0], attributes[1]);
    text_addf(&log->text, "> @%llu %u:%u\n", (unsigned long long)xml_offset(log->xml), at.line,
              at.column);
    return true;
}

static bool on_close(void *context, const char *name, struct error *err)
{
    struct log *log = context;
    (void)err;
    text_addf(&log->text, "%u </%s>\n", xml_depth(log->xml), name);
    return true;
}

static bool on_text(void *context, str text, struct error *err)
{
    struct log *log = context;
    (void)err;
    text_add(&log->text, text);
    return true;
}

static bool read_in(str bytes, size_t chunk, bool with_text, struct log *log, struct error *err)
{
    struct xml_handler handler = {on_open, on_close, with_text ? on_text : NULL, log};
    log->text = text_of(1 << 20);
    log->xml = xml_open("f.xml", &handler);
    bool ok = true;
    while (ok && bytes.len) {
        str part = str_first(bytes, chunk);
        ok = xml_feed(log->xml, part, err);
        bytes = str_from(bytes, part.len);
    }
    ok = ok && xml_end(log->xml, err);
    xml_close(log->xml);
    return ok;
}

Test(xml, events_carry_depth_and_place)
{
    struct log log;
    struct error err = {0};
    str bytes =
        STR("<?xml version=\"1.0\"?>\n<a x=\"1&amp;2\">\n \xC3\xA9<ns:b y='&#233;'/></a>\n");
    cr_assert(read_in(bytes, 1000, false, &log, &err), "%s", err.message);
    expect_str(text_str(&log.text), "1 <a x='1&2'> @22 2:1\n"
                                    "2 <ns:b y='\xC3\xA9'> @41 3:3\n"
                                    "2 </ns:b>\n1 </a>\n");
    text_done(&log.text);
}

Test(xml, text_comes_only_when_wanted)
{
    struct log log;
    struct error err = {0};
    str bytes = STR("<a>one &lt; <![CDATA[<two>]]>&#xe9;</a>");
    cr_assert(read_in(bytes, 7, true, &log, &err), "%s", err.message);
    expect_str(text_str(&log.text), "1 <a> @0 1:1\none < <two>\xC3\xA9"
                                    "1 </a>\n");
    text_done(&log.text);
    cr_assert(read_in(bytes, 7, false, &log, &err));
    expect_str(text_str(&log.text), "1 <a> @0 1:1\n1 </a>\n");
    text_done(&log.text);
}

Test(xml, chunk_boundaries_do_not_matter)
{
    str bytes = STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                    "<!DOCTYPE coverage SYSTEM \"http://127.0.0.1:9/c.dtd\">\n"
                    "<coverage a=\"\xC3\xA9&quot;\"><!-- a > b --><line n=\"1\"/>text &gt;"
                    "</coverage>\n<?pi?>\n");
    struct log whole, parts;
    struct error err = {0};
    cr_assert(read_in(bytes, bytes.len, true, &whole, &err), "%s", err.message);
    for (size_t chunk = 1; chunk < bytes.len; chunk++) {
        cr_assert(read_in(bytes, chunk, true, &parts, &err), "chunks of %zu: %s", chunk,
                  err.message);
        cr_assert(str_eq(text_str(&whole.text), text_str(&parts.text)), "chunks of %zu", chunk);
        text_done(&parts.text);
    }
    text_done(&whole.text);
}

Test(xml, an_external_doctype_is_ignored)
{
    static const char *const good[] = {
        "<!DOCTYPE a SYSTEM 'a.dtd'><a b='&lt;&#38;'/>",
        "<!DOCTYPE report PUBLIC '-//JACOCO//DTD Report 1.0//EN' 'report.dtd'><report/>",
        "<!DOCTYPE a><a/>",
        "<?xml version='1.0' encoding='ISO-8859-1'?><a b='\xE9'/>",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct log log;
        struct error err = {0};
        cr_expect(read_in(str_of(good[i]), 1000, true, &log, &err), "%s: %s", good[i], err.message);
        text_done(&log.text);
    }
}

Test(xml, utf_16_is_read)
{
    struct log log;
    struct error err = {0};
    str bytes = STR("\xFF\xFE<\0a\0 \0b\0=\0'\0\xE9\0'\0/\0>\0");
    for (size_t chunk = 1; chunk < 40; chunk += 38) {
        cr_expect(read_in(bytes, chunk, true, &log, &err), "%s", err.message);
        expect_contains(text_str(&log.text), "1 <a b='\xC3\xA9'>");
        text_done(&log.text);
    }
}

Test(xml, the_encoding_does_not_depend_on_the_first_chunk)
{
    static const str rows[] = {STR_INIT(" \0<\0c\0/\0>\0"),
                               STR_INIT("<\0c\0/\0>\0"),
                               STR_INIT("\0<\0c\0/\0>"),
                               STR_INIT("<a"),
                               STR_INIT("a"),
                               STR_INIT("<a/>"),
                               STR_INIT("<a />")};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct log log;
        struct error err = {0};
        bool whole = read_in(rows[i], 1000, true, &log, &err);
        text_done(&log.text);
        for (size_t chunk = 1; chunk < 5; chunk++) {
            cr_expect(read_in(rows[i], chunk, true, &log, &err) == whole, "row %zu by %zu", i,
                      chunk);
            text_done(&log.text);
        }
    }
}

Test(xml, what_is_refused_and_where)
{
    static const struct {
        str text;
        const char *want;
    } rows[] = {
        {STR_INIT(""), "f.xml:1:1: the file is empty"},
        {STR_INIT(" \n"), "f.xml:2:1: the file holds no XML element"},
        {STR_INIT("not xml"), "f.xml:1:1: this is not XML"},
        {STR_INIT("<a>\n<class>\n"), "f.xml:3:1: the file ends inside <class>"},
        {STR_INIT("<a>\n<class na"), "f.xml:2:1: the file ends in the middle of a tag inside <a>"},
        {STR_INIT("<a"), "f.xml:1:1: the file ends in the middle of a tag"},
        {STR_INIT("<a><b></a>"), "f.xml:1:9: this end tag does not match the open <b>"},
        {STR_INIT("<a x='1' x='2'/>"), "f.xml:1:10: an attribute stands twice in this tag"},
        {STR_INIT("<a/><b/>"), "f.xml:1:5: something follows the end of the root element"},
        {STR_INIT("<a>\0</a>"), "f.xml:1:4: a character stands here that XML does not allow"},
        {STR_INIT("<a>\xFF</a>"), "f.xml:1:4: a character stands here that XML does not allow"},
        {STR_INIT("<a>&#0;</a>"),
         "f.xml:1:4: this reference names a character that XML does not allow"},
        {STR_INIT("<a>&e;</a>"), "f.xml:1:4: an entity that XML does not know is not accepted: "
                                 "write the character itself"},
        {STR_INIT("<!-- --><?xml version='1.0'?><a/>"),
         "f.xml:1:9: the XML declaration must be the first thing in the file"},
        {STR_INIT("\r\n \n  <?xml version='1.0'?>\n<a>\n<b>"),
         "f.xml:5:4: the file ends inside <b>"},
        {STR_INIT("\n  <?xml version='1.0'?><a/><b/>"),
         "f.xml:2:28: something follows the end of the root element"},
        {STR_INIT("<?xml version='1.0' encoding='x-unknown'?><a/>"),
         "f.xml:1:31: the encoding is not supported: save the file as UTF-8"},
        {STR_INIT("<a><![CDATA[x"), "f.xml:1:14: the file ends inside a CDATA section"},
        {STR_INIT("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"),
         "f.xml:1:13: a DOCTYPE with declarations of its own (`[…]`) is not accepted: remove it"},
        {STR_INIT("<!DOCTYPE a SYSTEM 'a.dtd' []><a/>"),
         "f.xml:1:28: a DOCTYPE with declarations of its own (`[…]`) is not accepted: remove it"},
        {STR_INIT("<!DOCTYPE a SYSTEM 'a.dtd'><a>&nbsp;</a>"),
         "f.xml:1:31: the entity `&nbsp;` is not accepted: write the character itself"},
        {STR_INIT("<!DOCTYPE a SYSTEM 'a.dtd'><a>\n<b x='1&nbsp;2'/></a>"),
         "f.xml:2:1: the entity `&nbsp;` is not accepted: write the character itself"},
        {STR_INIT(
             "<?xml version='1.0' encoding='ISO-8859-1'?><!DOCTYPE a SYSTEM 'x'><a b='&\xE9;'/>"),
         "f.xml:1:67: the entity `&…;` is not accepted: write the character itself"},
        {STR_INIT("<a>\n<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xC3\xA9>"),
         "f.xml:2:50: the file ends inside <aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa>"},
        {STR_INIT("\xFF\xFE<\0!\0D\0O\0C\0T\0Y\0P\0E\0 \0a\0>\0<\0a\0/\0>\0"),
         "f.xml:1:13: a DOCTYPE is accepted in UTF-8 files only: remove it"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct log log;
        struct error err = {0};
        cr_expect_not(read_in(rows[i].text, 1000, true, &log, &err), "accepted: " STR_FMT,
                      STR_ARG(rows[i].text));
        expect_error(&err, ERROR_INPUT, rows[i].want);
        text_done(&log.text);
        cr_expect_not(read_in(rows[i].text, 1, true, &log, &err), "accepted: " STR_FMT,
                      STR_ARG(rows[i].text));
        text_done(&log.text);
    }
}

Test(xml, depth_is_bounded_exactly)
{
    for (size_t extra = 0; extra < 2; extra++) {
        struct text text = text_of(1 << 16);
        struct log log;
        struct error err = {0};
        for (size_t i = 0; i < LIMIT_DOC_DEPTH + extra; i++)
            text_adds(&text, "<a>");
        for (size_t i = 0; i < LIMIT_DOC_DEPTH + extra; i++)
            text_adds(&text, "</a>");
        cr_expect(read_in(text_str(&text), 1000, true, &log, &err) == (extra == 0));
        if (extra)
            expect_error(&err, ERROR_LIMIT, "f.xml:1:193: elements are nested more than 64 deep");
        text_done(&text);
        text_done(&log.text);
    }
}

Test(xml, a_token_without_end_does_not_fill_memory)
{
    struct text block = text_of(1 << 20);
    struct log log = {.text = text_of(1 << 16)};
    struct error err = {0};
    struct xml_handler handler = {on_open, on_close, on_text, &log};
    for (size_t i = 0; i < 65536; i++)
        text_addc(&block, 'x');
    struct xml *xml = log.xml = xml_open("f.xml", &handler);
    bool ok = xml_feed(xml, STR("<a b='"), &err);
    size_t fed = 0;
    for (; ok && fed < 64 * LIMIT_TOKEN_BYTES; fed += block.len)
        ok = xml_feed(xml, text_str(&block), &err);
    cr_expect_not(ok);
    cr_expect(err.kind == ERROR_LIMIT, "%s", err.message);
    cr_expect(fed <= 4 * LIMIT_TOKEN_BYTES, "%zu bytes were taken", fed);
    xml_close(xml);
    text_done(&block);
    text_done(&log.text);
}

Test(xml, long_text_is_no_long_token)
{
    struct text bytes = text_of(8 << 20);
    struct log log;
    struct error err = {0};
    text_adds(&bytes, "<a>");
    for (size_t i = 0; i < 3 * LIMIT_TOKEN_BYTES / 8; i++)
        text_adds(&bytes, "1234567\n");
    text_adds(&bytes, "</a>");
    cr_expect(read_in(text_str(&bytes), 8 << 20, false, &log, &err), "%s", err.message);
    text_done(&bytes);
    text_done(&log.text);
}

static bool refuse_line(void *context, const char *name, const char **attributes, struct error *err)
{
    int *calls = context;
    (*calls)++;
    return strcmp(name, "line") != 0 ||
           error_set(err, ERROR_INPUT, "line %s is wrong", xml_attribute(attributes, "n"));
}

static bool count_close(void *context, const char *name, struct error *err)
{
    int *calls = context;
    (void)name, (void)err;
    *calls += 100;
    return true;
}

Test(xml, a_handler_that_refuses_stops_it_for_good)
{
    int calls = 0;
    struct error err = {0};
    struct xml_handler handler = {.open = refuse_line, .close = count_close, .context = &calls};
    struct xml *xml = xml_open("f.xml", &handler);
    cr_expect_not(xml_feed(xml, STR("<a>\n <line m='2' n='7'/><b/>"), &err));
    expect_error(&err, ERROR_INPUT, "f.xml:2:2: line 7 is wrong");
    cr_expect(calls == 2, "nothing is called after a refusal");
    err = (struct error){0};
    cr_expect_not(xml_feed(xml, STR("</a>"), &err));
    cr_expect_not(xml_end(xml, &err));
    expect_error(&err, ERROR_INPUT, "f.xml:2:2: line 7 is wrong");
    xml_close(xml);
    xml_close(NULL);
}

Test(xml, attributes_by_name)
{
    const char *attributes[] = {"a", "1", "b", "", NULL};
    cr_expect_str_eq(xml_attribute(attributes, "a"), "1");
    cr_expect_str_eq(xml_attribute(attributes, "b"), "");
    cr_expect_null(xml_attribute(attributes, "c"));
    cr_expect_null(xml_attribute(attributes + 4, "a"));
}
