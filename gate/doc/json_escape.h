// What follows a backslash in a JSON text, character by character, so that a chunk may end
// anywhere.
//
//     json_escape_begin(&escape);                                   // after the backslash
//     ok = json_escape_take(&escape, c, &token, &ended, &why);      // for each character, till
//     ended
#ifndef GATE_DOC_JSON_ESCAPE_H
#define GATE_DOC_JSON_ESCAPE_H

#include "gate/base/text.h"

struct json_escape {
    enum { JSON_ESCAPE_FIRST, JSON_ESCAPE_HEX, JSON_ESCAPE_SLASH, JSON_ESCAPE_U } state;
    unsigned digits, unit, high; // of \u: the unit at hand, the high surrogate before it
};

void json_escape_begin(struct json_escape *escape);
// Adds to `token` what is meant, once it is known: *ret_ended. False: *ret_why is the sentence.
bool json_escape_take(struct json_escape *escape, char c, struct text *token, bool *ret_ended,
                      const char **ret_why);

#endif
