// A line that is one map of texts, numbers and words, as lines of JSON mostly are: taken apart at
// once, without events and mostly without a copy.
//
//     struct json_flat flat = json_flat_of();
//     if (json_flat_read(&flat, line)) // flat.members[0 … flat.count - 1]
//     json_flat_done(&flat);
//
// What it takes means the same as what json_stream.h tells of it. It refuses everything that is not
// as plain as that (white space, lists and maps, a long list of members, mistakes) and says nothing
// of it: such a line is one for json_stream.h, which knows what may be wrong.
#ifndef GATE_DOC_JSON_FLAT_H
#define GATE_DOC_JSON_FLAT_H

#include "gate/doc/json_stream.h"

#define JSON_FLAT_MEMBERS 16

struct json_member {
    enum json_event_type type; // JSON_STRING or one that comes after it
    str key, text;             // text: decoded; of a number or word as it is written
};

struct json_flat {
    struct json_member members[JSON_FLAT_MEMBERS]; // in the order of the line; keys may repeat
    size_t count;
    char *decoded;       // the texts that have escapes, one after another
    size_t size, room;   // of it
    struct text escaped; // what one escape means
};

struct json_flat json_flat_of(void);
// The line comes without its end. Texts live until the next call, and no
// longer than the line.
bool json_flat_read(struct json_flat *flat, str line);
void json_flat_done(struct json_flat *flat);

#endif
