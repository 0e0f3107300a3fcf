// Any bytes: events or an error with a place, and where the chunks end makes no difference. Inside
// of a root element they are the same whether expat reads them or the scan does.
#include "fuzz.h"
#include "gate/base/limits.h"
#include "gate/base/text.h"
#include "gate/doc/xml.h"

struct log {
    struct text text;
    struct xml *xml;
    unsigned depth;
};

static bool on_open(void *context, const char *name, const char **attributes, struct error *err)
{
    struct log *log = context;
    (void)err;
    PROMISE(xml_depth(log->xml) == ++log->depth && log->depth <= LIMIT_DOC_DEPTH, "%u", log->depth);
    struct position at = xml_position(log->xml);
    text_addf(&log->text, "<%s @%llu %u:%u", name, (unsigned long long)xml_offset(log->xml),
              at.line, at.column);
    for (; *attributes; attributes += 2)
        text_addf(&log->text, " %s=%s", attributes[0], attributes[1]);
    return true;
}

static bool on_close(void *context, const char *name, struct error *err)
{
    struct log *log = context;
    (void)err;
    PROMISE(xml_depth(log->xml) == log->depth--, "%u", log->depth);
    text_addf(&log->text, "</%s @%llu", name, (unsigned long long)xml_offset(log->xml));
    return true;
}

static bool on_text(void *context, str text, struct error *err)
{
    struct log *log = context;
    (void)err;
    PROMISE(str_is_utf8(text) && (text.len == 0 || !memchr(text.data, '\0', text.len)), "%zu bytes",
            text.len);
    text_add(&log->text, text);
    return true;
}

static bool read_in(str bytes, size_t chunk, struct log *log, struct error *err)
{
    struct xml_handler handler = {on_open, on_close, on_text, log};
    *log = (struct log){.text = text_of(16 << 20), .xml = xml_open("f.xml", &handler)};
    bool ok = true;
    while (ok && bytes.len) {
        str part = str_first(bytes, chunk);
        ok = xml_feed(log->xml, part, err);
        bytes = str_from(bytes, part.len);
    }
    ok = ok && xml_end(log->xml, err);
    PROMISE(!ok || log->depth == 0, "%u", log->depth);
    xml_close(log->xml);
    return ok;
}

// The mark is a comment, which the scan reads, or as long and none of its business.
static bool read_inside(str mark, str bytes, struct log *log, struct error *err)
{
    struct text all = text_of(16 << 20);
    text_adds(&all, "<r a='1'>");
    text_add(&all, mark);
    text_add(&all, bytes);
    text_adds(&all, "</r>\n");
    bool ok = read_in(text_str(&all), all.len, log, err);
    text_done(&all);
    return ok;
}

static void compare_inside(str bytes)
{
    struct log scanned, read;
    struct error scan_err = {0}, read_err = {0};
    bool ok = read_inside(STR("<!--xx-->"), bytes, &scanned, &scan_err);
    PROMISE(ok == read_inside(STR("<?pqrst?>"), bytes, &read, &read_err), "%s / %s",
            scan_err.message, read_err.message);
    PROMISE(str_eq(text_str(&scanned.text), text_str(&read.text)), "%s\n%s", text_c(&scanned.text),
            text_c(&read.text));
    PROMISE(strcmp(scan_err.message, read_err.message) == 0 &&
                scan_err.at.line == read_err.at.line && scan_err.at.column == read_err.at.column,
            "%u:%u: %s / %u:%u: %s", scan_err.at.line, scan_err.at.column, scan_err.message,
            read_err.at.line, read_err.at.column, read_err.message);
    text_done(&scanned.text);
    text_done(&read.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str bytes = str_make((const char *)data, size);
    struct log whole, parts;
    struct error err = {0}, part_err = {0};
    bool ok = read_in(bytes, size ? size : 1, &whole, &err);
    PROMISE(ok || (err.at.file && err.at.line && err.message[0]), "%s", err.message);
    PROMISE(str_is_utf8(str_of(err.message)), "%s", err.message);
    bool part_ok = read_in(bytes, 1, &parts, &part_err);
    PROMISE(ok == part_ok, "%s / %s", err.message, part_err.message);
    PROMISE(!ok || str_eq(text_str(&whole.text), text_str(&parts.text)), "%s\n%s",
            text_c(&whole.text), text_c(&parts.text));
    text_done(&whole.text);
    text_done(&parts.text);
    compare_inside(bytes);
    return 0;
}
