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

struct lines {
    const char *path;
    lines_handler *handler;
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

// ERROR_INPUT at the line at hand, which is shown when it is text.
bool lines_refuse(const struct lines *lines, str line, struct error *err, const char *what);

#endif
