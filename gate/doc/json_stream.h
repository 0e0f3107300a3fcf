// JSON of any size, as events, in constant memory: for large reports. Written by hand, checked
// against jansson and the rules of RFC 8259. Strings arrive decoded and whole; one longer than
// LIMIT_TOKEN_BYTES is an error. Depth is bounded by LIMIT_DOC_DEPTH.
//
//     struct json_stream *s = json_stream_open("coverage.json", on_event, &context);
//     ok = json_stream_feed(s, chunk, err) && … && json_stream_end(s, err);
//     json_stream_close(s);
#ifndef GATE_DOC_JSON_STREAM_H
#define GATE_DOC_JSON_STREAM_H

#include "gate/base/error.h"
#include "gate/doc/json_token.h"

#include <stdint.h>

enum json_event_type {
    JSON_MAP_OPEN,
    JSON_MAP_CLOSE,
    JSON_LIST_OPEN,
    JSON_LIST_CLOSE,
    JSON_KEY,
    JSON_STRING,
    JSON_NUMBER, // text as written
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
};

struct json_event {
    enum json_event_type type;
    str text;        // of keys, strings, numbers; lives until the handler returns
    unsigned depth;  // of the containers around it: 0 for the outermost value
    uint64_t offset; // byte offset of its first byte
    uint64_t digits; // of a number that is at most 18 digits its value; else JSON_NOT_DIGITS
    uint32_t line;
};

// Returns false to stop: *err then says why.
typedef bool json_handler(void *context, const struct json_event *event, struct error *err);

struct json_stream;
struct json_stream *json_stream_open(const char *file, json_handler *handler, void *context);
// Any number of values one after another, as in JSON lines; none is then no error.
void json_stream_allow_many(struct json_stream *stream);
// A byte order mark before all else is passed over, as Windows' tools write it; refused otherwise.
void json_stream_allow_mark(struct json_stream *stream);
// From a handler, at JSON_MAP_OPEN or JSON_LIST_OPEN: what stands in that container, and its end,
// is checked but not told. At JSON_KEY: so is the member's value, whatever it is.
void json_stream_pass_over(struct json_stream *stream);
bool json_stream_feed(struct json_stream *stream, str bytes, struct error *err);
bool json_stream_end(struct json_stream *stream, struct error *err); // truncated input is an error
void json_stream_close(struct json_stream *stream);

#endif
