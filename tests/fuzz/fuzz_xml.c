// Any bytes: events or an error with a place, and where the chunks end makes no difference.
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
    text_addf(&log->text, "<%s @%llu", name, (unsigned long long)xml_offset(log->xml));
    for (; *attributes; attributes += 2)
        text_addf(&log->text, " %s=%s", attributes[0], attributes[1]);
    return true;
}

static bool on_close(void *context, const char *name, struct error *err)
{
    struct log *log = context;
    (void)err;
    PROMISE(xml_depth(log->xml) == log->depth--, "%u", log->depth);
    text_addf(&log->text, "</%s", name);
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
    return 0;
}
