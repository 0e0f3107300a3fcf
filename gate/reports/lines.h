// A report made of lines, fed in pieces: whole lines come out, with their number and offset.
//
//     struct lines lines = lines_of("go.out", on_line, reading);
//     ok = lines_feed(&lines, bytes, err) && lines_end(&lines, err);
//     lines_done(&lines);
#ifndef GATE_REPORTS_LINES_H
#define GATE_REPORTS_LINES_H

#include "gate/base/error.h"
#include "gate/base/text.h"

#include <stdint.h>

// `line` has no line end (LF, CRLF) and no byte order mark, and lives until the handler returns.
// Returning false stops; an error without a position gets the line's.
typedef bool lines_handler(void *context, str line, struct error *err);

// For a reader that reads its plain lines faster than they can be handed out one by one: it is
// shown what is left of a piece, from where a line begins, and takes as many whole lines with their
// LF as it likes. Returns how many bytes that are and adds the lines to *lines; 0 is fine, and what
// it does not take comes to the handler. It is never shown the first line, nor a NUL.
typedef size_t lines_plain(void *context, str bytes, uint32_t *lines);

struct lines {
    const char *path;
    lines_handler *handler;
    lines_plain *plain; // null: every line comes to the handler
    void *context;
    struct text carry; // a line whose end has not come yet
    uint64_t offset;   // of the line at hand, in the file
    uint64_t size;     // of the line at hand, with what its end took
    uint32_t number;   // of the line at hand, from 1
    bool ended_whole;  // the last byte was a line end
};

struct lines lines_of(const char *path, lines_handler *handler, void *context);
// ERROR_INPUT for a NUL byte, ERROR_LIMIT for a line past LIMIT_TOKEN_BYTES.
bool lines_feed(struct lines *lines, str bytes, struct error *err);
bool lines_end(struct lines *lines, struct error *err); // the last line may lack its end
void lines_done(struct lines *lines);

// At most so many digits as fit into 64 bits; the number, 0 without any, and where they end. For
// lines_plain: the caller knows that LINES_DIGITS + 1 bytes may be read from `at`.
enum { LINES_DIGITS = 19 };
static inline const char *lines_number(const char *at, uint64_t *ret)
{
    uint64_t value = 0;
    for (int n = 0; n < LINES_DIGITS; n++, at++) {
        unsigned digit = (unsigned)(unsigned char)*at - '0';
        if (digit > 9)
            break;
        value = value * 10 + digit;
    }
    *ret = value;
    return at;
}

// ERROR_INPUT at the line at hand, which is shown when it is text.
bool lines_refuse(const struct lines *lines, str line, struct error *err, const char *what);

#endif
