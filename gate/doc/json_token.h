// What the tokens of JSON look like: shared by the streaming reader and the writer.
//
//     size_t n = json_plain_run(rest, &high);   // copy n bytes as they are, look at the next one
#ifndef GATE_DOC_JSON_TOKEN_H
#define GATE_DOC_JSON_TOKEN_H

#include "gate/base/text.h"

#include <stdint.h>

// How many bytes at the start of s need no escape: no quote, backslash or control character. Sets
// *high when one of them is not ASCII, and leaves it alone otherwise.
size_t json_plain_run(str s, bool *high);

// RFC 8259, section 6: all of s is one number.
bool json_is_number(str s);

// The value of at most JSON_DIGITS digits; JSON_NOT_DIGITS for anything else.
#define JSON_DIGITS 18
#define JSON_NOT_DIGITS UINT64_MAX
uint64_t json_digits(str s);

// The same of a number that begins at `from`, where it ends before `end` with what may follow one:
// then *ret_to is its end. Null: look at it more closely.
uint64_t json_short_number(const char *from, const char *end, const char **ret_to);

// A code point, which must not be a surrogate, as UTF-8.
void json_add_utf8(struct text *out, unsigned code);

#endif
