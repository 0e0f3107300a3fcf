#include "gate/doc/xml_words.h"

#include <expat.h>

enum { SHOWN_BYTES = 47 }; // of an element's name

// Null: it depends on where it happened.
static const char *words_of(int code)
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
        if ((int)sentences[i].code == code)
            return sentences[i].words;
    return NULL;
}

void xml_explain(const struct xml_failure *failure, struct error *err)
{
    const char *words = words_of(failure->code);
    struct position at = failure->at;
    str element = str_shorten(failure->innermost, SHOWN_BYTES);
    int code = failure->code;
    if (words)
        (void)error_at(err, ERROR_INPUT, at, "%s", words);
    else if (code == XML_ERROR_NO_MEMORY)
        (void)error_set(err, ERROR_SYSTEM, "no memory left to read %s", at.file);
    else if (code == XML_ERROR_NO_ELEMENTS && failure->empty)
        (void)error_at(err, ERROR_INPUT, at, "the file is empty");
    else if (code == XML_ERROR_NO_ELEMENTS && element.data)
        (void)error_at(err, ERROR_INPUT, at, "the file ends inside <" STR_FMT ">",
                       STR_ARG(element));
    else if (code == XML_ERROR_NO_ELEMENTS)
        (void)error_at(err, ERROR_INPUT, at, "the file holds no XML element");
    else if (code == XML_ERROR_UNCLOSED_TOKEN && element.data)
        (void)error_at(err, ERROR_INPUT, at,
                       "the file ends in the middle of a tag inside <" STR_FMT ">",
                       STR_ARG(element));
    else if (code == XML_ERROR_UNCLOSED_TOKEN)
        (void)error_at(err, ERROR_INPUT, at, "the file ends in the middle of a tag");
    else if (code == XML_ERROR_TAG_MISMATCH && element.data)
        (void)error_at(err, ERROR_INPUT, at, "this end tag does not match the open <" STR_FMT ">",
                       STR_ARG(element));
    else
        (void)error_at(err, ERROR_INPUT, at, "this is not well-formed XML: %s",
                       XML_ErrorString((enum XML_Error)code));
}
