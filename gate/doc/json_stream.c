#include "gate/doc/json_machine.h"

#include "gate/base/arena.h"
#include "gate/doc/json_token.h"

static inline const char *past_white(struct json_stream *s, const char *p)
{
    for (; p < s->end && *p <= ' '; p++) {
        if (*p == '\n') {
            s->line++;
            s->line_start = json_offset(s, p) + 1;
            s->line_extra = 0;
            p = json_past_spaces(p + 1, s->end) - 1;
        } else if (*p != ' ' && *p != '\t' && *p != '\r') {
            break;
        }
    }
    return p;
}

static const char *open_container(struct json_stream *s, const char *p, struct error *err)
{
    uint64_t offset = json_offset(s, p);
    bool map = *p == '{';
    json_begin_token(s, p);
    if (s->depth == LIMIT_DOC_DEPTH)
        return json_refuse(s, offset, err, ERROR_LIMIT,
                           "lists and maps are nested more than 64 deep");
    _Static_assert(LIMIT_DOC_DEPTH == 64 && LIMIT_TOKEN_BYTES == 1 << 20, "the words name them");
    if (!json_tell(s, map ? JSON_MAP_OPEN : JSON_LIST_OPEN, (str){NULL, 0}, offset, err))
        return NULL;
    s->open[++s->depth] = *p;
    s->state = map ? WANT_KEY_OR_CLOSE : WANT_VALUE_OR_CLOSE;
    return p + 1;
}

static const char *close_container(struct json_stream *s, const char *p, struct error *err)
{
    bool map = *p == '}';
    if (s->open[s->depth] != (map ? '{' : '['))
        return json_refuse_at(s, p, err,
                              map ? "this `}` closes nothing" : "this `]` closes nothing");
    s->depth--;
    if (s->quiet && s->quiet_depth == s->depth)
        s->quiet = false;
    else if (!json_tell(s, map ? JSON_MAP_CLOSE : JSON_LIST_CLOSE, (str){NULL, 0},
                        json_offset(s, p), err))
        return NULL;
    json_after_value(s);
    return p + 1;
}

// Most numbers are short and whole: those are read here, where it takes no call.
static inline __attribute__((always_inline)) const char *
read_number(struct json_stream *s, const char *p, struct error *err)
{
    const char *to;
    uint64_t digits = json_short_number(p, s->end, &to);
    json_begin_token(s, p);
    if (!to)
        return json_read_number(s, p, err);
    if (!json_tell_number(s, str_make(p, (size_t)(to - p)), digits, err))
        return NULL;
    json_after_value(s);
    return to;
}

static inline const char *read_word(struct json_stream *s, const char *p, struct error *err)
{
    enum json_event_type type = JSON_NULL;
    str word = STR("null");
    if (*p == 't') {
        type = JSON_TRUE;
        word = STR("true");
    } else if (*p == 'f') {
        type = JSON_FALSE;
        word = STR("false");
    }
    json_begin_token(s, p);
    // Four letters are compared as a number, without a call.
    if (s->end - p < 5 || memcmp(p, word.data, 4) != 0 || (type == JSON_FALSE && p[4] != 'e'))
        return json_read_word(s, p, err);
    if (!json_tell(s, type, word, s->token_offset, err))
        return NULL;
    json_after_value(s);
    return p + word.len;
}

static inline __attribute__((always_inline)) const char *
read_value(struct json_stream *s, const char *p, struct error *err)
{
    if (*p >= '0' && *p <= '9')
        return read_number(s, p, err);
    switch (*p) {
    case '{':
    case '[':
        return open_container(s, p, err);
    case '"':
        return json_read_string(s, false, p, err);
    case 't':
    case 'f':
    case 'n':
        return read_word(s, p, err);
    case '-':
        return read_number(s, p, err);
    default:
        break;
    }
    if (s->base == 0 && p == s->start && *p == '\xEF')
        return json_refuse_at(s, p, err, "the file starts with a byte order mark: save it without");
    return json_refuse_at(s, p, err, "a value is missing here");
}

// From the quote of a key on: members, one after another, as long as nothing special happens.
static const char *read_members(struct json_stream *s, const char *p, struct error *err)
{
    for (;;) {
        p = json_read_string(s, true, p, err);
        if (!p || p == s->end || *p != ':')
            return p;
        s->state = WANT_VALUE;
        p++;
        p += p < s->end && *p == ' ';
        if (p == s->end || *p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')
            return p;
        p = read_value(s, p, err);
        if (!p || p == s->end || *p != ',' || s->state != WANT_COMMA_OR_CLOSE)
            return p;
        s->state = WANT_KEY;
        p = past_white(s, p + 1);
        if (p == s->end || *p != '"')
            return p;
    }
}

// Reports are mostly lists of numbers: those from p on that are short and have one behind them are
// told without any detour.
static const char *read_numbers(struct json_stream *s, const char *p, struct error *err)
{
    struct json_event event = {.type = JSON_NUMBER, .depth = s->depth, .line = s->line};
    s->token_extra = s->line_extra;
    for (const char *to, *next = p;; p = next) {
        event.digits = json_short_number(next, s->end, &to);
        if (!to || *to != ',')
            return p;
        event.offset = s->token_offset = json_offset(s, next);
        event.text = str_make(next, (size_t)(to - next));
        if (!s->quiet && !s->handler(s->context, &event, err)) {
            (void)json_not_taken(s, &event, err);
            return NULL;
        }
        next = to + 1;
        next += next < s->end && *next == ' ';
    }
}

// From an element of a list on, likewise.
static const char *read_elements(struct json_stream *s, const char *p, struct error *err)
{
    for (;;) {
        p = read_value(s, p, err);
        if (!p || p == s->end || *p != ',' || s->state != WANT_COMMA_OR_CLOSE ||
            s->open[s->depth] != '[')
            return p;
        s->state = WANT_VALUE;
        p++;
        p += p < s->end && *p == ' ';
        if (p < s->end && *p >= '0' && *p <= '9') {
            p = read_numbers(s, p, err);
            if (!p)
                return NULL;
        }
        p = past_white(s, p);
        if (p == s->end)
            return p;
    }
}

static const char *read_key(struct json_stream *s, const char *p, struct error *err)
{
    if (*p != '"')
        return json_refuse_at(s, p, err, "a key in double quotes is missing here");
    return read_members(s, p, err);
}

// A character that is not inside a token.
static const char *read_structure(struct json_stream *s, const char *p, struct error *err)
{
    switch (s->state) {
    case WANT_VALUE_OR_CLOSE:
        return *p == ']' ? close_container(s, p, err) : read_elements(s, p, err);
    case WANT_VALUE:
        return read_elements(s, p, err);
    case WANT_KEY_OR_CLOSE:
        return *p == '}' ? close_container(s, p, err) : read_key(s, p, err);
    case WANT_KEY:
        return read_key(s, p, err);
    case WANT_COLON:
        if (*p != ':')
            return json_refuse_at(s, p, err, "a `:` is missing after the key");
        s->state = WANT_VALUE;
        return p + 1;
    case WANT_COMMA_OR_CLOSE:
        if (*p == ',') {
            s->state = s->open[s->depth] == '{' ? WANT_KEY : WANT_VALUE;
            return p + 1;
        }
        if (*p == '}' || *p == ']')
            return close_container(s, p, err);
        return json_refuse_at(s, p, err, "a `,` is missing here");
    case WANT_END:
        return s->many ? read_value(s, p, err)
                       : json_refuse_at(s, p, err, "something follows the end of the JSON");
    case IN_STRING:
    case IN_ESCAPE:
    case IN_NUMBER:
    case IN_WORD:
        break;
    }
    return NULL;
}

// Up to the end of the chunk, or to a token that it does not hold whole.
static bool run(struct json_stream *s, const char *p, struct error *err)
{
    s->cut = false;
    if (p < s->end && s->state > WANT_END)
        p = json_read_rest(s, p, err);
    while (p && p < s->end) {
        p = past_white(s, p);
        if (p < s->end)
            p = read_structure(s, p, err);
    }
    return p || s->cut;
}

struct json_stream *json_stream_open(const char *file, json_handler *handler, void *context)
{
    struct json_stream *s = memory_alloc(sizeof *s);
    s->file = file;
    s->handler = handler;
    s->context = context;
    s->line = 1;
    s->token = text_of(LIMIT_TOKEN_BYTES);
    s->quiet_depth = LIMIT_DOC_DEPTH + 1;
    return s;
}

void json_stream_allow_many(struct json_stream *s)
{
    s->many = true;
}

void json_stream_pass_over(struct json_stream *s)
{
    s->quiet = true;
    s->quiet_depth = s->depth;
}

void json_stream_allow_mark(struct json_stream *s)
{
    s->mark_allowed = true;
}

// A byte order mark at the very beginning, which may come in pieces. It makes no column.
static const char *past_mark(struct json_stream *s, struct error *err)
{
    static const str mark = STR_INIT("\xef\xbb\xbf");
    const char *p = s->start;
    while (p < s->end && s->marked < mark.len && json_offset(s, p) == s->marked &&
           *p == mark.data[s->marked]) {
        p++;
        s->marked++;
    }
    if (s->marked)
        s->line_start = s->marked;
    if (s->marked == 0 || s->marked == mark.len || p == s->end)
        return p;
    return json_refuse_at(s, p, err, "a byte order mark begins here, but does not end");
}

static bool failed(struct json_stream *s, const struct error *err)
{
    s->failed = true;
    s->error = *err;
    return false;
}

bool json_stream_feed(struct json_stream *s, str bytes, struct error *err)
{
    if (s->failed) {
        *err = s->error;
        return false;
    }
    if (bytes.len == 0)
        return true;
    s->start = bytes.data;
    s->end = bytes.data + bytes.len;
    const char *p = s->mark_allowed && s->base < 3 ? past_mark(s, err) : s->start;
    if (!p || !run(s, p, err))
        return failed(s, err);
    s->base += bytes.len;
    s->start = s->end = NULL;
    return true;
}

bool json_stream_end(struct json_stream *s, struct error *err)
{
    if (s->failed) {
        *err = s->error;
        return false;
    }
    if (!json_end_number(s, err))
        return failed(s, err);
    if (s->state == WANT_END || (s->many && s->state == WANT_VALUE && s->depth == 0))
        return true;
    (void)json_refuse(s, s->base, err, ERROR_INPUT,
                      s->seen_value || s->depth || s->state != WANT_VALUE
                          ? "the file ends in the middle of its JSON"
                          : "the file is empty: there is no JSON in it");
    return failed(s, err);
}

void json_stream_close(struct json_stream *s)
{
    if (!s)
        return;
    text_done(&s->token);
    memory_free(s);
}
