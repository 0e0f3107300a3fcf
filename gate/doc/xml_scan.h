// What stands inside the root element of a document in UTF-8, scanned several times as fast as
// expat reads it. Only what is plain and well-formed is taken: tags of ASCII names, text, CDATA,
// comments, the five entities of XML and references to characters. At the first token that is
// anything else, right or wrong, the scan says XML_ODD and has passed over nothing of it: expat
// goes on from there, and finds the words for what is wrong.
//
//     xml_scan_add(&scan, bytes);
//     while ((piece = xml_scan_next(&scan, innermost)) > XML_ODD)
//         ...                                  // scan.name, .attributes, .text
//     xml_scan_done(&scan);
//
// What a piece points to is valid until the next call.
#ifndef GATE_DOC_XML_SCAN_H
#define GATE_DOC_XML_SCAN_H

#include "gate/doc/xml_place.h"

enum xml_piece {
    XML_MORE, // the next token does not end in the bytes that are there
    XML_ODD,  // the next token is not for this scan
    XML_OPEN,
    XML_EMPTY, // <a/>: opened and closed at once
    XML_CLOSE, // of the innermost element, which is not the root
    XML_TEXT,
};

#define XML_SCAN_ATTRIBUTES 32 // a tag with more is odd
#define XML_SCAN_NAME 255      // and so is an element with a longer name

struct xml_scan {
    char *data; // ends with a NUL
    size_t len, room;
    size_t at;              // what stands before was passed over
    size_t patience;        // while there are fewer bytes, they are not looked at again
    struct xml_place place; // of data[place_at]
    size_t place_at;
    bool in_cdata, text_wanted;
    size_t from, to;  // where the piece stands
    const char *name; // of the element; NUL-terminated when it is opened
    size_t name_len;
    const char *attributes[2 * XML_SCAN_ATTRIBUTES + 1]; // name, value, …, null
    str text;
    char character[4]; // that a reference stands for
    char *copy;        // of a tag in which something has to be replaced
    size_t copy_room;
};

// `place`: of the first byte that will be added.
void xml_scan_open(struct xml_scan *scan, struct xml_place place, bool text_wanted);
void xml_scan_add(struct xml_scan *scan, str bytes);
// `innermost` is the name of the innermost open element, empty when that is the root.
enum xml_piece xml_scan_next(struct xml_scan *scan, str innermost);
// The place of data[at], which is not before that of an earlier call.
struct xml_place xml_scan_place(struct xml_scan *scan, size_t at);
uint64_t xml_scan_offset(const struct xml_scan *scan, size_t at); // of data[at] in the file
str xml_scan_rest(const struct xml_scan *scan);                   // what was not passed over
void xml_scan_done(struct xml_scan *scan);

#endif
