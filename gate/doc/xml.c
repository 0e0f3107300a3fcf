#include "gate/doc/xml.h"

#include "gate/base/arena.h"
#include "gate/base/limits.h"

#include <expat.h>

enum {
    SLICE_BYTES = 256 * 1024, // handed to expat at once: a token is measured after each
    NAME_BYTES = 48,          // what is kept of an element's name, for messages only
    HEAD_BYTES = 4,           // expat guesses the encoding from what it is given first
};

struct xml {
    XML_Parser parser;
    struct xml_handler handler;
    const char *file;
    struct error *err;  // the caller's, while a feed runs
    struct error error; // the first failure: every later call repeats it
    bool failed, doctype, wide;
    unsigned depth;
    uint64_t fed_bytes;
    char head[HEAD_BYTES]; // the first bytes, until there are enough of them
    size_t head_len;
    char names[LIMIT_DOC_DEPTH][NAME_BYTES];
};

static struct position here(const struct xml *xml)
{
    return (struct position){xml->file, (uint32_t)XML_GetCurrentLineNumber(xml->parser),
                             (uint32_t)XML_GetCurrentColumnNumber(xml->parser) + 1};
}

// *xml->err is set. expat may call a handler or two after this; they look at `failed`.
static void stop(struct xml *xml)
{
    if (!xml->err->at.file)
        xml->err->at = here(xml);
    xml->failed = true;
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

static void XMLCALL on_open(void *data, const XML_Char *name, const XML_Char **attributes)
{
    struct xml *xml = data;
    if (xml->failed || (xml->doctype && !check_entities(xml)))
        return;
    if (xml->depth == LIMIT_DOC_DEPTH) {
        (void)error_at(xml->err, ERROR_LIMIT, here(xml), "elements are nested more than %u deep",
                       LIMIT_DOC_DEPTH);
        stop(xml);
        return;
    }
    size_t len = str_shorten(str_make(name, strnlen(name, NAME_BYTES)), NAME_BYTES - 1).len;
    char *kept = xml->names[xml->depth++];
    memcpy(kept, name, len);
    kept[len] = '\0';
    if (xml->handler.open && !xml->handler.open(xml->handler.context, name, attributes, xml->err))
        stop(xml);
}

static void XMLCALL on_close(void *data, const XML_Char *name)
{
    struct xml *xml = data;
    if (xml->failed)
        return;
    if (xml->handler.close && !xml->handler.close(xml->handler.context, name, xml->err)) {
        stop(xml);
        return;
    }
    xml->depth--;
}

static void XMLCALL on_text(void *data, const XML_Char *text, int len)
{
    struct xml *xml = data;
    if (xml->failed)
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

struct xml *xml_open(const char *file, const struct xml_handler *handler)
{
    struct xml *xml = memory_alloc(sizeof *xml);
    xml->handler = *handler;
    xml->file = file;
    xml->parser = XML_ParserCreate(NULL);
    if (!xml->parser)
        return xml; // the first feed says so
    XML_SetUserData(xml->parser, xml);
    XML_SetElementHandler(xml->parser, on_open, on_close);
    if (handler->text)
        XML_SetCharacterDataHandler(xml->parser, on_text);
    XML_SetStartDoctypeDeclHandler(xml->parser, on_doctype);
    XML_SetSkippedEntityHandler(xml->parser, on_skipped_entity);
    return xml;
}

// What expat's code means for the person who reads it; null: see `explain`.
static const char *sentence(enum XML_Error code)
{
    static const struct {
        enum XML_Error code;
        const char *words;
    } sentences[] = {
        {XML_ERROR_SYNTAX, "this is not XML"},
        {XML_ERROR_INVALID_TOKEN, "a character stands here that XML does not allow"},
        {XML_ERROR_PARTIAL_CHAR, "the file ends in the middle of a character"},
        {XML_ERROR_DUPLICATE_ATTRIBUTE, "an attribute stands twice in this tag"},
        {XML_ERROR_JUNK_AFTER_DOC_ELEMENT, "something follows the end of the root element"},
        {XML_ERROR_UNDEFINED_ENTITY,
         "an entity that XML does not know is not accepted: write the character itself"},
        {XML_ERROR_BAD_CHAR_REF, "this reference names a character that XML does not allow"},
        {XML_ERROR_MISPLACED_XML_PI, "the XML declaration must be the first thing in the file"},
        {XML_ERROR_XML_DECL, "the XML declaration is not well-formed"},
        {XML_ERROR_UNKNOWN_ENCODING, "the encoding is not supported: save the file as UTF-8"},
        {XML_ERROR_INCORRECT_ENCODING,
         "the file is not in the encoding that its XML declaration names"},
        {XML_ERROR_UNCLOSED_CDATA_SECTION, "the file ends inside a CDATA section"},
    };
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
        if (sentences[i].code == code)
            return sentences[i].words;
    return NULL;
}

static void explain(struct xml *xml, struct error *err)
{
    enum XML_Error code = XML_GetErrorCode(xml->parser);
    const char *innermost = xml->depth ? xml->names[xml->depth - 1] : NULL;
    const char *words = sentence(code);
    struct position at = here(xml);
    if (words)
        (void)error_at(err, ERROR_INPUT, at, "%s", words);
    else if (code == XML_ERROR_NO_MEMORY)
        (void)error_set(err, ERROR_SYSTEM, "no memory left to read %s", xml->file);
    else if (code == XML_ERROR_NO_ELEMENTS && xml->fed_bytes == 0)
        (void)error_at(err, ERROR_INPUT, at, "the file is empty");
    else if (code == XML_ERROR_NO_ELEMENTS && innermost)
        (void)error_at(err, ERROR_INPUT, at, "the file ends inside <%s>", innermost);
    else if (code == XML_ERROR_NO_ELEMENTS)
        (void)error_at(err, ERROR_INPUT, at, "the file holds no XML element");
    else if (code == XML_ERROR_UNCLOSED_TOKEN && innermost)
        (void)error_at(err, ERROR_INPUT, at, "the file ends in the middle of a tag inside <%s>",
                       innermost);
    else if (code == XML_ERROR_UNCLOSED_TOKEN)
        (void)error_at(err, ERROR_INPUT, at, "the file ends in the middle of a tag");
    else if (code == XML_ERROR_TAG_MISMATCH && innermost)
        (void)error_at(err, ERROR_INPUT, at, "this end tag does not match the open <%s>",
                       innermost);
    else
        (void)error_at(err, ERROR_INPUT, at, "this is not well-formed XML: %s",
                       XML_ErrorString(code));
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
    if (status == XML_STATUS_OK && !xml->failed)
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
        return parse(xml, str_make(xml->head, HEAD_BYTES), false, err);
    }
    return true;
}

bool xml_feed(struct xml *xml, str bytes, struct error *err)
{
    if (failed_before(xml, err) || !feed_head(xml, &bytes, err))
        return false;
    while (bytes.len) {
        str slice = str_first(bytes, SLICE_BYTES);
        if (!parse(xml, slice, false, err) || !check_token(xml, err))
            return false;
        bytes = str_from(bytes, slice.len);
    }
    return true;
}

bool xml_end(struct xml *xml, struct error *err)
{
    str rest = str_make(xml->head, xml->head_len < HEAD_BYTES ? xml->head_len : 0);
    return !failed_before(xml, err) && parse(xml, rest, true, err);
}

void xml_close(struct xml *xml)
{
    if (!xml)
        return;
    if (xml->parser)
        XML_ParserFree(xml->parser);
    memory_free(xml);
}

uint64_t xml_offset(const struct xml *xml)
{
    XML_Index index = xml->parser ? XML_GetCurrentByteIndex(xml->parser) : 0;
    return index > 0 ? (uint64_t)index : 0;
}

struct position xml_position(const struct xml *xml)
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
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    return NULL;
}
