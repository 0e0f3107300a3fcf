#include "gate/doc/xml.h"

#include "gate/base/arena.h"
#include "gate/base/limits.h"
#include "gate/base/text.h"
#include "gate/doc/xml_scan.h"
#include "gate/doc/xml_words.h"

#include <expat.h>
#include <strings.h>

enum {
    SLICE_BYTES = 64 * 1024,  // handed over at once: a token is measured after each
    HEAD_BYTES = 4,           // expat guesses the encoding from what it is given first
    PROLOG_SLICE = 4 * 1024,  // until the root is found
    PROLOG_BYTES = 64 * 1024, // with more in front of its content a document is all expat's
};

enum stage {
    LEAD,    // white space
    PROLOG,  // to the end of the root's tag, read by expat
    CONTENT, // read by the scan
    REST,    // read by expat
};

struct xml {
    XML_Parser parser;
    struct xml_handler handler;
    const char *file;
    struct error *err;  // the caller's, while a feed runs
    struct error error; // the first failure: every later call repeats it
    enum stage stage;
    bool failed, doctype, wide, text_wanted;
    bool replaying;      // expat is told again how it came to where it goes on: no events
    bool other_encoding; // than UTF-8, as the XML declaration says
    unsigned depth;
    uint64_t fed_bytes;    // to this parser
    char head[HEAD_BYTES]; // the first bytes, until there are enough of them
    size_t head_len;
    char lead_end; // the last byte of white space in front
    struct text prolog;
    size_t root_end;                // where the root's tag ends in it; 0 = not yet known
    struct xml_place origin, inner; // the same place in the file and in what expat was given
    struct xml_scan scan;
    size_t event; // where in the bytes of the scan
    char names[LIMIT_DOC_DEPTH][XML_SCAN_NAME + 1];
    size_t name_lens[LIMIT_DOC_DEPTH];
};

// Of the current event.
static struct xml_place place_of(struct xml *xml)
{
    if (xml->stage == CONTENT)
        return xml_scan_place(&xml->scan, xml->event);
    XML_Index index = XML_GetCurrentByteIndex(xml->parser);
    struct xml_place at = {index > 0 ? (uint64_t)index : 0,
                           (uint32_t)XML_GetCurrentLineNumber(xml->parser),
                           (uint32_t)XML_GetCurrentColumnNumber(xml->parser)};
    if (at.line == xml->inner.line)
        at.column = xml->origin.column + at.column - xml->inner.column;
    at.line = xml->origin.line + at.line - xml->inner.line;
    at.offset = xml->origin.offset + at.offset - xml->inner.offset;
    return at;
}

static struct position here(struct xml *xml)
{
    struct xml_place at = place_of(xml);
    return (struct position){xml->file, at.line, at.column + 1};
}

// *xml->err is set. expat may call a handler or two after this; they look at `failed`.
static void stop(struct xml *xml)
{
    if (!xml->err->at.file)
        xml->err->at = here(xml);
    xml->failed = true;
    if (xml->stage != CONTENT)
        (void)XML_StopParser(xml->parser, XML_FALSE);
}

static bool is_predefined(str name)
{
    return (name.len && name.data[0] == '#') || str_is(name, "amp") || str_is(name, "lt") ||
           str_is(name, "gt") || str_is(name, "quot") || str_is(name, "apos");
}

static void refuse_entity(struct xml *xml, str name)
{
    (void)error_at(xml->err, ERROR_INPUT, here(xml),
                   "the entity `&" STR_FMT ";` is not accepted: write the character itself",
                   STR_ARG(str_shorten(name, 100)));
    stop(xml);
}

// Where an external DOCTYPE is ignored, expat passes over unknown entities in attributes without
// a word, as XML allows. A value with a hole is no evidence: the tag's own bytes are looked at.
static bool check_entities(struct xml *xml)
{
    int offset, size;
    const char *buffer = XML_GetInputContext(xml->parser, &offset, &size);
    int count = XML_GetCurrentByteCount(xml->parser);
    if (!buffer || offset < 0 || count <= 0 || count > size - offset)
        return true;
    str tag = str_make(buffer + offset, (size_t)count);
    for (size_t at; (at = str_find(tag, '&')) != STR_NONE;) {
        tag = str_from(tag, at + 1);
        str name = str_first(tag, str_find(tag, ';'));
        if (!is_predefined(name)) {
            refuse_entity(xml, str_is_utf8(name) ? name : STR("…"));
            return false;
        }
    }
    return true;
}

// `name` ends with a NUL; `kept` is what is kept of it, which an element without content needs not.
static bool open_element(struct xml *xml, const char *name, str kept, const char **attributes)
{
    if (xml->depth == LIMIT_DOC_DEPTH)
        return error_at(xml->err, ERROR_LIMIT, here(xml), "elements are nested more than %u deep",
                        LIMIT_DOC_DEPTH);
    kept = str_shorten(kept, XML_SCAN_NAME);
    memcpy(xml->names[xml->depth], kept.data, kept.len);
    xml->names[xml->depth][kept.len] = '\0';
    xml->name_lens[xml->depth++] = kept.len;
    return !xml->handler.open ||
           xml->handler.open(xml->handler.context, name, attributes, xml->err);
}

static bool close_element(struct xml *xml, const char *name)
{
    if (xml->handler.close && !xml->handler.close(xml->handler.context, name, xml->err))
        return false;
    xml->depth--;
    return true;
}

// The scan takes over behind the root's tag, when that is not all of the document.
static void pause_at_root(struct xml *xml)
{
    str prolog = text_str(&xml->prolog);
    uint64_t end = (uint64_t)XML_GetCurrentByteIndex(xml->parser) +
                   (uint64_t)XML_GetCurrentByteCount(xml->parser);
    bool known = end > 1 && end <= prolog.len && prolog.data[end - 1] == '>';
    if (!known || prolog.data[end - 2] == '/' || xml->wide || xml->other_encoding ||
        xml->name_lens[0] == XML_SCAN_NAME)
        return;
    xml->root_end = (size_t)end;
    (void)XML_StopParser(xml->parser, XML_TRUE);
}

static void XMLCALL on_open(void *data, const XML_Char *name, const XML_Char **attributes)
{
    struct xml *xml = data;
    if (xml->failed || xml->replaying || (xml->doctype && !check_entities(xml)))
        return;
    if (!open_element(xml, name, str_of(name), attributes))
        stop(xml);
    else if (xml->stage == PROLOG && xml->depth == 1)
        pause_at_root(xml);
}

static void XMLCALL on_close(void *data, const XML_Char *name)
{
    struct xml *xml = data;
    if (!xml->failed && !close_element(xml, name))
        stop(xml);
}

static void XMLCALL on_text(void *data, const XML_Char *text, int len)
{
    struct xml *xml = data;
    if (xml->failed || xml->replaying)
        return;
    if (!xml->handler.text(xml->handler.context, str_make(text, (size_t)len), xml->err))
        stop(xml);
}

static void XMLCALL on_doctype(void *data, const XML_Char *name, const XML_Char *system_id,
                               const XML_Char *public_id, int has_internal_subset)
{
    struct xml *xml = data;
    (void)name, (void)system_id, (void)public_id;
    xml->doctype = true;
    if (xml->failed || (!has_internal_subset && !xml->wide))
        return;
    (void)error_at(xml->err, ERROR_INPUT, here(xml), "%s",
                   has_internal_subset
                       ? "a DOCTYPE with declarations of its own (`[…]`) is not accepted: remove it"
                       : "a DOCTYPE is accepted in UTF-8 files only: remove it");
    stop(xml);
}

static void XMLCALL on_skipped_entity(void *data, const XML_Char *name, int is_parameter)
{
    struct xml *xml = data;
    (void)is_parameter;
    if (!xml->failed)
        refuse_entity(xml, str_of(name));
}

static void XMLCALL on_declaration(void *data, const XML_Char *version, const XML_Char *encoding,
                                   int standalone)
{
    struct xml *xml = data;
    (void)version, (void)standalone;
    xml->other_encoding = encoding && strcasecmp(encoding, "UTF-8") != 0;
}

static void listen_to_text(struct xml *xml)
{
    bool wanted = xml->handler.text && xml->text_wanted;
    XML_SetCharacterDataHandler(xml->parser, wanted ? on_text : NULL);
}

static void listen(struct xml *xml)
{
    XML_SetUserData(xml->parser, xml);
    XML_SetElementHandler(xml->parser, on_open, on_close);
    XML_SetStartDoctypeDeclHandler(xml->parser, on_doctype);
    XML_SetSkippedEntityHandler(xml->parser, on_skipped_entity);
    XML_SetXmlDeclHandler(xml->parser, on_declaration);
    listen_to_text(xml);
}

struct xml *xml_open(const char *file, const struct xml_handler *handler)
{
    struct xml *xml = memory_alloc(sizeof *xml);
    xml->handler = *handler;
    xml->file = file;
    xml->text_wanted = true;
    xml->prolog = text_of(PROLOG_BYTES);
    xml->origin = xml->inner = (struct xml_place){0, 1, 0};
    xml->parser = XML_ParserCreate(NULL);
    if (xml->parser) // else the first feed says so
        listen(xml);
    return xml;
}

void xml_want_text(struct xml *xml, bool wanted)
{
    xml->text_wanted = wanted;
    if (xml->stage == CONTENT)
        xml->scan.text_wanted = wanted && xml->handler.text;
    else
        listen_to_text(xml);
}

static void explain(struct xml *xml, struct error *err)
{
    bool empty = xml->fed_bytes == 0 && xml->origin.offset == 0;
    str innermost = xml->depth ? str_of(xml->names[xml->depth - 1]) : (str){NULL, 0};
    struct xml_failure failure = {(int)XML_GetErrorCode(xml->parser), here(xml), innermost, empty};
    xml_explain(&failure, err);
}

static bool failed_before(struct xml *xml, struct error *err)
{
    if (!xml->failed && xml->parser)
        return false;
    if (!xml->parser)
        (void)error_set(err, ERROR_SYSTEM, "no memory left to read %s", xml->file);
    else
        *err = xml->error;
    return true;
}

static bool parse(struct xml *xml, str bytes, bool final, struct error *err)
{
    xml->err = err;
    enum XML_Status status = XML_Parse(xml->parser, bytes.data, (int)bytes.len, final);
    xml->fed_bytes += bytes.len;
    if (status != XML_STATUS_ERROR && !xml->failed)
        return true;
    if (!xml->failed)
        explain(xml, err);
    xml->failed = true;
    xml->error = *err;
    return false;
}

// expat keeps a token until it is whole.
static bool check_token(struct xml *xml, struct error *err)
{
    XML_Index start = XML_GetCurrentByteIndex(xml->parser); // -1: it waits for more bytes
    if (start < 0 || xml->fed_bytes - (uint64_t)start <= LIMIT_TOKEN_BYTES)
        return true;
    (void)error_at(err, ERROR_LIMIT, here(xml), "one tag or comment is larger than %u bytes",
                   LIMIT_TOKEN_BYTES);
    xml->failed = true;
    xml->error = *err;
    return false;
}

static bool feed_expat(struct xml *xml, str bytes, struct error *err)
{
    while (bytes.len) {
        str slice = str_first(bytes, SLICE_BYTES);
        if (!parse(xml, slice, false, err) || !check_token(xml, err))
            return false;
        bytes = str_from(bytes, slice.len);
    }
    return true;
}

// What brings expat to where the scan is: the prolog with the root's tag, and the elements that are
// open. In one piece, because expat puts off what comes in small ones.
static void replay_text(const struct xml *xml, bool in_cdata, struct text *out)
{
    text_add(out, str_first(text_str(&xml->prolog), xml->root_end));
    for (unsigned i = 1; i < xml->depth; i++) {
        text_addc(out, '<');
        text_adds(out, xml->names[i]);
        text_addc(out, '>');
    }
    text_adds(out, in_cdata ? "<![CDATA[" : "");
}

// expat goes on with the next token of the scan.
static bool hand_over(struct xml *xml, struct error *err)
{
    struct xml_scan scan = xml->scan;
    struct text replay = text_of(2 * (size_t)PROLOG_BYTES);
    _Static_assert(sizeof xml->names + 2 * (size_t)LIMIT_DOC_DEPTH < PROLOG_BYTES,
                   "all of it has room");
    xml->scan = (struct xml_scan){0};
    xml->stage = REST;
    xml->fed_bytes = 0;
    xml->origin = xml_scan_place(&scan, scan.at);
    xml->inner = (struct xml_place){0, 1, 0};
    replay_text(xml, scan.in_cdata, &replay);
    xml_place_pass(&xml->inner, text_str(&replay));
    xml->replaying = true;
    bool ok = XML_ParserReset(xml->parser, NULL) == XML_TRUE ||
              error_set(err, ERROR_SYSTEM, "no memory left to read %s", xml->file);
    if (ok)
        listen(xml);
    ok = ok && parse(xml, text_str(&replay), false, err);
    xml->replaying = false;
    ok = ok && feed_expat(xml, xml_scan_rest(&scan), err);
    text_done(&replay);
    xml_scan_done(&scan);
    return ok;
}

static bool take_piece(struct xml *xml, enum xml_piece piece)
{
    struct xml_scan *scan = &xml->scan;
    xml->event = scan->from;
    if (piece == XML_TEXT)
        return xml->handler.text(xml->handler.context, scan->text, xml->err);
    if (piece == XML_CLOSE)
        return close_element(xml, xml->names[xml->depth - 1]);
    str kept = piece == XML_OPEN ? str_make(scan->name, scan->name_len) : STR("");
    if (!open_element(xml, scan->name, kept, scan->attributes))
        return false;
    if (piece == XML_OPEN)
        return true;
    xml->event = scan->to;
    return close_element(xml, scan->name);
}

static bool scan(struct xml *xml, str bytes, struct error *err)
{
    xml->err = err;
    xml_scan_add(&xml->scan, bytes);
    for (;;) {
        unsigned i = xml->depth - 1;
        str innermost = i ? str_make(xml->names[i], xml->name_lens[i]) : (str){NULL, 0};
        enum xml_piece piece = xml_scan_next(&xml->scan, innermost);
        if (piece == XML_ODD)
            return hand_over(xml, err);
        if (piece == XML_MORE) // expat says that a token is too long
            return xml_scan_rest(&xml->scan).len <= LIMIT_TOKEN_BYTES || hand_over(xml, err);
        if (take_piece(xml, piece))
            continue;
        stop(xml);
        xml->error = *err;
        return false;
    }
}

static bool start_scan(struct xml *xml, struct error *err)
{
    str prolog = text_str(&xml->prolog);
    struct xml_place place = xml->origin;
    xml_place_pass(&place, str_first(prolog, xml->root_end));
    xml->stage = CONTENT;
    xml_scan_open(&xml->scan, place, xml->handler.text && xml->text_wanted);
    return scan(xml, str_from(prolog, xml->root_end), err);
}

static bool feed_prolog(struct xml *xml, str slice, struct error *err)
{
    text_add(&xml->prolog, slice);
    if (text_full(&xml->prolog))
        xml->stage = REST;
    if (!feed_expat(xml, slice, err))
        return false;
    return xml->root_end == 0 || start_scan(xml, err);
}

// expat's guess would depend on the first chunk, were it shorter than this.
static bool feed_head(struct xml *xml, str *bytes, struct error *err)
{
    while (xml->head_len < HEAD_BYTES && bytes->len) {
        xml->head[xml->head_len++] = bytes->data[0];
        *bytes = str_from(*bytes, 1);
        if (xml->head_len < HEAD_BYTES)
            continue;
        unsigned char first = (unsigned char)xml->head[0];
        xml->wide = first >= 0xFE || first == 0 || xml->head[1] == '\0';
        return feed_prolog(xml, str_make(xml->head, HEAD_BYTES), err);
    }
    return true;
}

static void skip_lead(struct xml *xml, str *bytes)
{
    struct xml_place *place = &xml->origin;
    size_t n = 0;
    for (; n < bytes->len; n++) {
        char c = bytes->data[n];
        bool line = c == '\r' || (c == '\n' && xml->lead_end != '\r');
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
            break;
        xml->lead_end = c;
        place->offset++;
        place->line += line;
        place->column = c == ' ' || c == '\t' ? place->column + 1 : 0;
    }
    *bytes = str_from(*bytes, n);
    if (bytes->len)
        xml->stage = PROLOG;
}

bool xml_feed(struct xml *xml, str bytes, struct error *err)
{
    if (failed_before(xml, err))
        return false;
    if (xml->stage == LEAD)
        skip_lead(xml, &bytes);
    if (!feed_head(xml, &bytes, err))
        return false;
    while (bytes.len) {
        str slice = str_first(bytes, xml->stage == PROLOG ? PROLOG_SLICE : SLICE_BYTES);
        if (!(xml->stage == PROLOG    ? feed_prolog(xml, slice, err)
              : xml->stage == CONTENT ? scan(xml, slice, err)
                                      : feed_expat(xml, slice, err)))
            return false;
        bytes = str_from(bytes, slice.len);
    }
    return true;
}

bool xml_end(struct xml *xml, struct error *err)
{
    str rest = str_make(xml->head, xml->head_len < HEAD_BYTES ? xml->head_len : 0);
    if (failed_before(xml, err) || (xml->stage == CONTENT && !hand_over(xml, err)))
        return false;
    xml->stage = REST;
    return parse(xml, rest, true, err);
}

void xml_close(struct xml *xml)
{
    if (!xml)
        return;
    XML_ParserFree(xml->parser); // null is fine
    xml_scan_done(&xml->scan);
    text_done(&xml->prolog);
    memory_free(xml);
}

uint64_t xml_offset(struct xml *xml)
{
    if (xml->stage == CONTENT)
        return xml_scan_offset(&xml->scan, xml->event);
    return xml->parser ? place_of(xml).offset : 0;
}

struct position xml_position(struct xml *xml)
{
    return xml->parser ? here(xml) : (struct position){xml->file, 0, 0};
}

unsigned xml_depth(const struct xml *xml)
{
    return xml->depth;
}

const char *xml_attribute(const char **attributes, const char *name)
{
    for (; *attributes; attributes += 2)
        if (xml_is(attributes[0], name))
            return attributes[1];
    return NULL;
}
