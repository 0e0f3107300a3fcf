// XML reports as events. An external DOCTYPE is ignored and never fetched; an internal subset,
// entities of one's own, NUL, a depth past LIMIT_DOC_DEPTH and truncated input are errors with a
// position. White space before the XML declaration, which some tools write and XML does not allow,
// is passed over.
//
// expat reads what stands around the root element and everything that is unusual or wrong; plain
// content in UTF-8 is scanned by xml_scan.h, which is several times as fast.
//
//     struct xml_handler handler = {.open = on_open, .close = on_close, .context = &reader};
//     struct xml *xml = xml_open("coverage.xml", &handler);
//     ok = xml_feed(xml, chunk, err) && … && xml_end(xml, err);
//     xml_close(xml);
#ifndef GATE_DOC_XML_H
#define GATE_DOC_XML_H

#include "gate/base/error.h"

#include <stdint.h>

struct xml;

// Names and attributes are NUL-terminated UTF-8 and live until the handler returns; `attributes` is
// name, value, name, value, …, null. Returning false stops the parse; *err then says why.
struct xml_handler {
    bool (*open)(void *context, const char *name, const char **attributes, struct error *err);
    bool (*close)(void *context, const char *name, struct error *err);
    bool (*text)(void *context, str text, struct error *err); // in pieces; null: never wanted
    void *context;
};

struct xml *xml_open(const char *file, const struct xml_handler *handler);
bool xml_feed(struct xml *xml, str bytes, struct error *err);
bool xml_end(struct xml *xml, struct error *err);
void xml_close(struct xml *xml);

// From a handler: whether it is told of text from here on, as it is at first.
void xml_want_text(struct xml *xml, bool wanted);

uint64_t xml_offset(struct xml *xml);          // byte offset of the current event in the file
struct position xml_position(struct xml *xml); // of the current event
unsigned xml_depth(const struct xml *xml);     // 0 outside the root; 1 in the root's own handlers
const char *xml_attribute(const char **attributes, const char *name); // null when absent

// Is this name that one? Most are told apart by their first letter.
static inline bool xml_is(const char *name, const char *wanted)
{
    return name[0] == wanted[0] && strcmp(name, wanted) == 0;
}

#endif
