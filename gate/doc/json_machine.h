// The state of the streaming reader of JSON, for the two files that it is made of: json_stream.c
// knows which token may come where, json_machine.c what each token looks like.
//
// The functions take the place of the next byte and return that of the one where to go on. Null:
// *err says what is wrong, or the chunk ends inside of a token (`cut`).
#ifndef GATE_DOC_JSON_MACHINE_H
#define GATE_DOC_JSON_MACHINE_H

#include "gate/base/limits.h"
#include "gate/base/text.h"
#include "gate/doc/json_escape.h"
#include "gate/doc/json_stream.h"

// What may come next. Which containers are open stands in a stack beside it.
enum json_state {
    WANT_VALUE,
    WANT_VALUE_OR_CLOSE, // after '['
    WANT_KEY,            // after ',' in a map
    WANT_KEY_OR_CLOSE,   // after '{'
    WANT_COLON,
    WANT_COMMA_OR_CLOSE,
    WANT_END,  // the outermost value is whole
    IN_STRING, // this one and those after it: inside a token
    IN_ESCAPE, // after '\'
    IN_NUMBER,
    IN_WORD,
};

struct json_stream {
    const char *file;
    json_handler *handler;
    void *context;
    bool many, mark_allowed, failed, seen_value;
    unsigned marked; // bytes of a byte order mark that were passed over
    struct error error;

    const char *start, *end; // of the chunk at hand
    uint64_t base;           // offset of the chunk in the file
    uint64_t line_start;     // offset of the first byte of this line
    uint64_t line_extra;     // continuation bytes of UTF-8 in this line: they make no column
    uint32_t line;

    enum json_state state;
    bool cut; // the chunk ends inside of a token
    unsigned depth;
    char open[LIMIT_DOC_DEPTH + 1]; // by depth: '{' or '['; 0 around the outermost value

    struct text
        token; // what is gathered of a string or number that does not stand whole in a chunk
    uint64_t token_offset, token_extra; // where it begins, and line_extra there
    bool is_key, has_high_bytes;
    str word; // true, false, null
    size_t word_at;
    struct json_escape escape;
    bool quiet; // nothing is told, until a value ends at this depth
    unsigned quiet_depth;
};

static inline uint64_t json_offset(const struct json_stream *s, const char *p)
{
    return s->base + (size_t)(p - s->start);
}

// Both return null, for a function that ends with it.
const char *json_refuse(struct json_stream *s, uint64_t offset, struct error *err,
                        enum error_kind kind, const char *sentence);
const char *json_refuse_at(struct json_stream *s, const char *p, struct error *err,
                           const char *sentence);

// The handler refused it: gives the error a place when it has none. False.
bool json_not_taken(struct json_stream *s, const struct json_event *event, struct error *err);

static inline bool json_tell_number(struct json_stream *s, str text, uint64_t digits,
                                    struct error *err)
{
    struct json_event event = {JSON_NUMBER, text, s->depth, s->token_offset, digits, s->line};
    return s->quiet || s->handler(s->context, &event, err) || json_not_taken(s, &event, err);
}

static inline bool json_tell(struct json_stream *s, enum json_event_type type, str text,
                             uint64_t offset, struct error *err)
{
    struct json_event event = {type, text, s->depth, offset, JSON_NOT_DIGITS, s->line};
    return s->quiet || s->handler(s->context, &event, err) || json_not_taken(s, &event, err);
}

static inline void json_after_value(struct json_stream *s)
{
    s->seen_value = true;
    s->state = s->depth ? WANT_COMMA_OR_CLOSE : WANT_END;
    if (s->depth == s->quiet_depth)
        s->quiet = false;
}

static inline void json_begin_token(struct json_stream *s, const char *p)
{
    s->token_offset = json_offset(s, p);
    s->token_extra = s->line_extra;
}

// p: the quote.
const char *json_read_string(struct json_stream *s, bool is_key, const char *p, struct error *err);
// Numbers and words of which json_stream.c does not know at once what they are; the token began.
const char *json_read_number(struct json_stream *s, const char *p, struct error *err);
const char *json_read_word(struct json_stream *s, const char *p, struct error *err);
// The rest of a token that the chunk before did not hold whole.
const char *json_read_rest(struct json_stream *s, const char *p, struct error *err);
// A number has no end of its own: at the end of the file.
bool json_end_number(struct json_stream *s, struct error *err);

#endif
