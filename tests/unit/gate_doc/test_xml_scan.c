// The scan beside expat: a mark behind the root's tag is a comment, which leaves the scan in
// charge, or as long and none of its business, so that expat reads the rest. Both must tell the
// same.
#include "../expect.h"
#include "gate/base/arena.h"
#include "gate/base/limits.h"
#include "gate/base/text.h"
#include "gate/doc/xml.h"
#include "gate/doc/xml_scan.h"

struct log {
    struct text text;
    struct xml *xml;
    struct error err;
};

static void add_place(struct log *log)
{
    struct position at = xml_position(log->xml);
    text_addf(&log->text, "@%llu %u:%u %u\n", (unsigned long long)xml_offset(log->xml), at.line,
              at.column, xml_depth(log->xml));
}

static bool on_open(void *context, const char *name, const char **attributes, struct error *err)
{
    struct log *log = context;
    (void)err;
    text_addf(&log->text, "<%s", name);
    for (; *attributes; attributes += 2)
        text_addf(&log->text, " %s={%s}", attributes[0], attributes[1]);
    add_place(log);
    return true;
}

static bool on_close(void *context, const char *name, struct error *err)
{
    struct log *log = context;
    (void)err;
    text_addf(&log->text, "</%s", name);
    add_place(log);
    return true;
}

static bool on_text(void *context, str text, struct error *err)
{
    struct log *log = context;
    (void)err;
    text_add(&log->text, text);
    return true;
}

// "<r a='1'>", the mark, the bytes, "</r>", in chunks.
static void read_in(str mark, str bytes, size_t chunk, struct log *log)
{
    struct xml_handler handler = {on_open, on_close, on_text, log};
    struct text all = text_of(4 << 20);
    text_adds(&all, "\n<?xml version='1.0'?>\n<r a='1'>");
    text_add(&all, mark);
    text_add(&all, bytes);
    text_adds(&all, "</r>\n<!-- end -->\n");
    *log = (struct log){.text = text_of(8 << 20), .xml = xml_open("f.xml", &handler)};
    bool ok = true;
    for (str rest = text_str(&all); ok && rest.len; rest = str_from(rest, chunk))
        ok = xml_feed(log->xml, str_first(rest, chunk), &log->err);
    (void)(ok && xml_end(log->xml, &log->err));
    xml_close(log->xml);
    text_done(&all);
}

static void log_done(struct log *log)
{
    text_done(&log->text);
}

// How much of the text before a failure is told depends on the chunks, with expat too.
static str told(const struct log *log)
{
    str all = text_str(&log->text);
    return log->err.kind == ERROR_NONE ? all : str_first(all, str_find_last(all, '\n'));
}

static void compare(str bytes, size_t chunk)
{
    struct log scanned, read;
    read_in(STR("<!--xx-->"), bytes, chunk, &scanned);
    read_in(STR("<?pqrst?>"), bytes, chunk, &read);
    cr_expect(str_eq(told(&scanned), told(&read)), STR_FMT ":\n%s\nexpat tells\n%s", STR_ARG(bytes),
              text_c(&scanned.text), text_c(&read.text));
    cr_expect_str_eq(scanned.err.message, read.err.message, STR_FMT, STR_ARG(bytes));
    cr_expect(scanned.err.at.line == read.err.at.line &&
                  scanned.err.at.column == read.err.at.column,
              STR_FMT ": %u:%u, expat says %u:%u", STR_ARG(bytes), scanned.err.at.line,
              scanned.err.at.column, read.err.at.line, read.err.at.column);
    log_done(&scanned);
    log_done(&read);
}

static const char sample[] =
    "\r\n  <test-case name=\"a &lt;b&gt; &#38; &#xe9;\" x:y = 'q\"q' n='1\n2\r\n3\t4\r5' e=\"\"/>\n"
    "<a><b\n  c='\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80'\n>t &amp; u]] ]> v\r\nw\rx \xC3\xA9</b >"
    "<![CDATA[<x> & ]] ]]]>\r\n]]></a><!-- - a -> < & \xE2\x82\xAC\r\n --><c/><c />&quot;&apos;";

Test(xml_scan, it_tells_what_expat_tells)
{
    static const char *const rows[] = {
        "",
        "plain",
        "<a/>",
        "<a></a>",
        "<a b='1'/>",
        sample,
        "<a>\n<b>\n</b>\n</a>\n",
        // what is odd, and what is wrong
        "<a>&unknown;</a>",
        "<a b='&unknown;'/>",
        "&#0;",
        "&#xD800;",
        "&#x110000;",
        "&#;",
        "&#x;",
        "&#65536;",
        "&#xfffe;",
        "&#00000000000065;",
        "&",
        "&amp",
        "& amp;",
        "]]>",
        "a]]>",
        "a]]",
        "<a b='1'c='2'/>",
        "<a b='1' b='2'/>",
        "<a b=1/>",
        "<a b/>",
        "<a b='<'/>",
        "<a b='1'",
        "<",
        "<a",
        "< a/>",
        "<a/ >",
        "<a / >",
        "<1/>",
        "<a 1='2'/>",
        "<a></b>",
        "<a><b></a></b>",
        "</a>",
        "<\xC3\xA9/>",
        "<a\xC3\xA9='1'/>",
        "<a \xC3\xA9='1'/>",
        "<a.b-c:d_e/>",
        "<:/>",
        "<-/>",
        "<!-- a -- b -->",
        "<!-->-->",
        "<!--->",
        "<!---->",
        "<!-",
        "<!x>",
        "<!DOCTYPE a>",
        "<?p?>",
        "<?xml version='1.0'?>",
        "<![CDATA[",
        "<![CDATA[]]>",
        "<![CDATA[]]]]>",
        "<![cdata[x]]>",
        "<![CDATA[a]]>b<![CDATA[c]]>",
        "\xFF",
        "\xC3",
        "\xC0\x80",
        "\xED\xA0\x80",
        "\xEF\xBF\xBE",
        "\xEF\xBF\xBD",
        "\xF4\x90\x80\x80",
        "\xF4\x8F\xBF\xBF",
        "\xF0\x80\x80\x80",
        "\xE0\x80\x80",
        "\x01",
        "\x7f",
        "a\x0b",
        "<a b='\x01'/>",
        "<a b='\xED\xA0\x80'/>",
        "<a\x01/>",
        "</r><r>",
        "</r",
        "<a></a x>",
        "<a></a\n>",
        "<a></ a>",
        "\r",
        "\r\r\n\n",
        "x\r",
        "<a b='\r'/>",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t chunk = 1; chunk < 4; chunk++)
            compare(str_of(rows[i]), chunk == 3 ? 4096 : chunk);
}

Test(xml_scan, any_changed_byte_is_the_same_to_both)
{
    static const char bytes[] = "\n\r <>/='\"&;]-!?[a1\x80\xC3\xFF\x7f";
    str good = str_make(sample, sizeof sample - 1);
    char *changed = memory_alloc(good.len);
    for (size_t i = 0; i < good.len; i++) {
        memcpy(changed, good.data, good.len);
        for (size_t k = 0; k < sizeof bytes; k++) { // with its NUL
            changed[i] = bytes[k];
            compare(str_make(changed, good.len), 4096);
        }
        compare(str_first(good, i), 4096);
    }
    memory_free(changed);
}

Test(xml_scan, large_content_in_any_chunks)
{
    struct text large = text_of(2 << 20);
    for (int i = 0; i < 4000; i++)
        text_addf(&large, "<suite n='%d'>\n <case name='t%d \xC3\xA9 &amp;'/>%s</suite>\n", i, i,
                  i % 7 ? "" : "<out><![CDATA[line\nline]]></out>");
    compare(text_str(&large), 4096);
    compare(text_str(&large), 100000);
    compare(text_str(&large), 1 << 20);
    text_done(&large);
}

Test(xml_scan, what_is_too_large_for_it_is_not_for_expat)
{
    struct text many = text_of(1 << 20), name = text_of(1 << 12), deep = text_of(1 << 16);
    text_adds(&many, "<a");
    for (unsigned i = 0; i <= XML_SCAN_ATTRIBUTES; i++)
        text_addf(&many, " b%u='1'", i);
    text_adds(&many, "/>");
    text_adds(&name, "<");
    for (unsigned i = 0; i < XML_SCAN_NAME + 20; i++)
        text_addc(&name, 'n');
    text_adds(&name, "/>");
    for (unsigned i = 0; i < LIMIT_DOC_DEPTH; i++)
        text_addf(&deep, "<d%u>", i);
    compare(text_str(&many), 4096);
    compare(text_str(&name), 4096);
    compare(text_str(&deep), 4096);
    text_done(&many);
    text_done(&name);
    text_done(&deep);
}

// The prolog is told to expat again when the scan ends, and is no reason for other places.
Test(xml_scan, a_prolog_of_any_kind)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"\xEF\xBB\xBF<a>\n<b></c></a>", "2:6: this end tag does not match the open <b>"},
        {"<!DOCTYPE a SYSTEM 'a.dtd'>\n<a>\n<b/>&x;</a>",
         "3:5: the entity `&x;` is not accepted: write the character itself"},
        {"<!DOCTYPE a SYSTEM 'a.dtd'>\n<a>\n<b c='&x;'/></a>",
         "3:1: the entity `&x;` is not accepted: write the character itself"},
        {"<?xml version='1.0' standalone='yes'?><!DOCTYPE a SYSTEM 'a.dtd'>\n<a>\n<b/>&x;</a>",
         "3:5: an entity that XML does not know is not accepted: write the character itself"},
        {"<?xml version='1.0' encoding='us-ascii'?><a><b/>\xC3\xA9</a>",
         "1:49: a character stands here that XML does not allow"},
        {"<a>\n<b>\n</b></a>\n<c/>", "4:1: something follows the end of the root element"},
        {"<a>\n<b><![CDATA[x\n", "3:1: the file ends inside a CDATA section"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t chunk = 1; chunk < 100; chunk += 98) {
            struct log log = {.text = text_of(1 << 16)};
            struct xml_handler handler = {on_open, on_close, on_text, &log};
            char line[1024];
            log.xml = xml_open("f.xml", &handler);
            bool ok = true;
            for (str rest = str_of(rows[i].text); ok && rest.len; rest = str_from(rest, chunk))
                ok = xml_feed(log.xml, str_first(rest, chunk), &log.err);
            cr_expect_not(ok && xml_end(log.xml, &log.err), "%s", rows[i].text);
            cr_expect_str_eq(error_text(&log.err, line, sizeof line) + strlen("f.xml:"),
                             rows[i].want, "%s", rows[i].text);
            xml_close(log.xml);
            log_done(&log);
        }
    }
}

static bool want_inside_b(void *context, const char *name, const char **attributes,
                          struct error *err)
{
    struct log *log = context;
    (void)attributes, (void)err;
    xml_want_text(log->xml, strcmp(name, "b") == 0);
    return true;
}

static bool want_no_more(void *context, const char *name, struct error *err)
{
    struct log *log = context;
    (void)name, (void)err;
    xml_want_text(log->xml, false);
    return true;
}

Test(xml_scan, text_is_told_where_it_is_wanted)
{
    static const char *const marks[] = {"<!--xx-->", "<?pqrst?>"};
    for (size_t i = 0; i < 2; i++) {
        struct log log = {.text = text_of(1 << 16)};
        struct xml_handler handler = {want_inside_b, want_no_more, on_text, &log};
        log.xml = xml_open("f.xml", &handler);
        str body = STR("no<b>yes &amp; <![CDATA[more]]></b>no<c>no</c><b>!</b></a>");
        cr_expect(xml_feed(log.xml, STR("<a>no"), &log.err) &&
                  xml_feed(log.xml, str_of(marks[i]), &log.err) &&
                  xml_feed(log.xml, body, &log.err) && xml_end(log.xml, &log.err));
        expect_str(text_str(&log.text), "yes & more!");
        xml_close(log.xml);
        log_done(&log);
    }
}

Test(xml_place, lines_end_in_three_ways)
{
    static const struct {
        const char *text;
        struct xml_place want;
    } rows[] = {
        {"", {10, 2, 5}},        {"ab", {12, 2, 7}},      {"\n", {11, 3, 0}},
        {"a\r\nb", {14, 3, 1}},  {"\r\r\n", {13, 4, 0}},  {"\xC3\xA9", {12, 2, 6}},
        {"a\nb\rc", {15, 4, 1}}, {"a\rb\nc", {15, 4, 1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct xml_place place = {10, 2, 5};
        xml_place_pass(&place, str_of(rows[i].text));
        cr_expect(place.offset == rows[i].want.offset && place.line == rows[i].want.line &&
                      place.column == rows[i].want.column,
                  "row %zu: %u:%u", i, place.line, place.column);
    }
}
