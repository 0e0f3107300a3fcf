#include "gate/doc/json_stream.h"

#include "gate/base/arena.h"
#include "gate/base/limits.h"
#include "gate/base/text.h"
#include "gate/doc/json_escape.h"
#include "gate/doc/json_token.h"

// What may come next. Which containers are open stands in a stack beside it.
enum state {
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

    str chunk; // the bytes at hand, and how many of them are done
    size_t at;
    uint64_t base;       // offset of the chunk in the file
    uint64_t line_start; // offset of the first byte of this line
    uint64_t line_extra; // continuation bytes of UTF-8 in this line: they make no column
    uint32_t line;

    enum state state;
    unsigned depth;
    char open[LIMIT_DOC_DEPTH]; // '{' or '['

    struct text token; // what is gathered of a string or number that one chunk does not hold
    uint64_t token_offset, token_extra; // where it begins, and line_extra there
    bool is_key, has_high_bytes;
    str word; // true, false, null
    size_t word_at;
    struct json_escape escape;
    unsigned passed; // depth inside the container that is passed over; 0 = none
};

static bool refuse(struct json_stream *s, uint64_t offset, struct error *err, enum error_kind kind,
                   const char *sentence)
{
    uint64_t extra = offset == s->token_offset ? s->token_extra : s->line_extra;
    uint64_t column = offset - s->line_start + 1 - extra;
    struct position at = {s->file, s->line, column > UINT32_MAX ? 0 : (uint32_t)column};
    return error_at(err, kind, at, "%s", sentence);
}

static bool refuse_here(struct json_stream *s, struct error *err, const char *sentence)
{
    return refuse(s, s->base + s->at, err, ERROR_INPUT, sentence);
}

static bool tell(struct json_stream *s, const struct json_event *event, struct error *err)
{
    if (s->passed || s->handler(s->context, event, err))
        return true;
    if (!err->at.file) {
        struct error plain;
        (void)refuse(s, event->offset, &plain, err->kind, "");
        err->at = plain.at;
    }
    return false;
}

static bool emit(struct json_stream *s, enum json_event_type type, str text, uint64_t offset,
                 struct error *err)
{
    struct json_event event = {type, text, s->depth, offset, JSON_NOT_DIGITS, s->line};
    return tell(s, &event, err);
}

static void after_value(struct json_stream *s)
{
    s->seen_value = true;
    s->state = s->depth ? WANT_COMMA_OR_CLOSE : WANT_END;
}

static void count_continuations(struct json_stream *s, str run)
{
    for (size_t i = 0; i < run.len; i++)
        s->line_extra += ((unsigned char)run.data[i] & 0xC0) == 0x80;
}

static bool end_string(struct json_stream *s, str text, struct error *err)
{
    if (text.len > LIMIT_TOKEN_BYTES)
        return refuse(s, s->token_offset, err, ERROR_LIMIT, "a text is longer than 1 MiB");
    if (s->has_high_bytes && !str_is_utf8(text))
        return refuse(s, s->token_offset, err, ERROR_INPUT, "this text is not UTF-8");
    if (!emit(s, s->is_key ? JSON_KEY : JSON_STRING, text, s->token_offset, err))
        return false;
    s->at++; // the quote
    if (s->is_key)
        s->state = WANT_COLON;
    else
        after_value(s);
    return true;
}

static bool in_string(struct json_stream *s, struct error *err)
{
    bool high = false;
    str rest = str_from(s->chunk, s->at);
    str run = str_first(rest, json_plain_run(rest, &high));
    s->has_high_bytes = s->has_high_bytes || high;
    if (high)
        count_continuations(s, run);
    s->at += run.len;
    bool ends = s->at < s->chunk.len && s->chunk.data[s->at] == '"';
    if (ends && s->token.len == 0)
        return end_string(s, run, err);
    text_add(&s->token, run);
    if (text_full(&s->token))
        return refuse(s, s->token_offset, err, ERROR_LIMIT, "a text is longer than 1 MiB");
    if (ends)
        return end_string(s, text_str(&s->token), err);
    if (s->at == s->chunk.len)
        return true;
    if (s->chunk.data[s->at] != '\\')
        return refuse_here(s, err, "a control character stands inside a text: it must be escaped");
    s->at++;
    json_escape_begin(&s->escape);
    s->state = IN_ESCAPE;
    return true;
}

static bool in_escape(struct json_stream *s, struct error *err)
{
    const char *why;
    bool ended;
    if (!json_escape_take(&s->escape, s->chunk.data[s->at], &s->token, &ended, &why))
        return refuse_here(s, err, why);
    s->at++;
    if (ended) {
        s->has_high_bytes = true; // perhaps
        s->state = IN_STRING;
    }
    return true;
}

static bool end_number(struct json_stream *s, str text, struct error *err)
{
    if (!json_is_number(text))
        return refuse(s, s->token_offset, err, ERROR_INPUT, "this is not a number of JSON");
    struct json_event event = {JSON_NUMBER,       text,   s->depth, s->token_offset,
                               json_digits(text), s->line};
    if (!tell(s, &event, err))
        return false;
    after_value(s);
    return true;
}

static bool in_a_number(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '.' || c == 'e' || c == 'E' || c == '+';
}

static bool in_number(struct json_stream *s, struct error *err)
{
    size_t start = s->at;
    while (s->at < s->chunk.len && in_a_number(s->chunk.data[s->at]))
        s->at++;
    str run = str_make(s->chunk.data + start, s->at - start);
    if (s->at < s->chunk.len && s->token.len == 0)
        return end_number(s, run, err);
    text_add(&s->token, run);
    if (text_full(&s->token))
        return refuse(s, s->token_offset, err, ERROR_LIMIT, "a number is longer than 1 MiB");
    return s->at == s->chunk.len || end_number(s, text_str(&s->token), err);
}

// Reports are mostly lists of numbers: those that follow each other are told without any detour.
static bool begin_number(struct json_stream *s, struct error *err)
{
    const char *start = s->chunk.data, *end = start + s->chunk.len, *from = start + s->at, *to;
    bool listed = s->depth && s->open[s->depth - 1] == '[';
    struct json_event event = {.type = JSON_NUMBER, .depth = s->depth, .line = s->line};
    for (;;) {
        event.digits = json_short_number(from, end, &to);
        event.offset = s->token_offset = s->base + (size_t)(from - start);
        s->at = (size_t)(from - start);
        if (!to)
            break;
        event.text = str_make(from, (size_t)(to - from));
        if (!tell(s, &event, err))
            return false;
        s->at = (size_t)(to - start);
        from = to + 1;
        if (from < end && *from == ' ')
            from++;
        if (!listed || *to != ',' || from == end || *from < '0' || *from > '9') {
            after_value(s);
            return true;
        }
    }
    text_clear(&s->token);
    s->state = IN_NUMBER;
    return in_number(s, err);
}

static bool end_word(struct json_stream *s, struct error *err)
{
    enum json_event_type type = s->word.data[0] == 't'   ? JSON_TRUE
                                : s->word.data[0] == 'f' ? JSON_FALSE
                                                         : JSON_NULL;
    if (!emit(s, type, s->word, s->token_offset, err))
        return false;
    after_value(s);
    return true;
}

static bool in_word(struct json_stream *s, struct error *err)
{
    for (; s->at < s->chunk.len && s->word_at < s->word.len; s->at++, s->word_at++)
        if (s->chunk.data[s->at] != s->word.data[s->word_at])
            return refuse_here(s, err, "only true, false and null may stand without quotes");
    return s->word_at < s->word.len || end_word(s, err);
}

static bool begin_word(struct json_stream *s, char c, struct error *err)
{
    s->word = c == 't' ? STR("true") : c == 'f' ? STR("false") : STR("null");
    s->word_at = 0;
    s->state = IN_WORD;
    if (!str_starts(str_from(s->chunk, s->at), s->word))
        return in_word(s, err); // in pieces, or wrong
    s->at += s->word.len;
    return end_word(s, err);
}

static bool open_container(struct json_stream *s, char c, struct error *err)
{
    uint64_t offset = s->base + s->at;
    if (s->depth == LIMIT_DOC_DEPTH)
        return refuse(s, offset, err, ERROR_LIMIT, "lists and maps are nested more than 64 deep");
    _Static_assert(LIMIT_DOC_DEPTH == 64 && LIMIT_TOKEN_BYTES == 1 << 20, "the words name them");
    if (!emit(s, c == '{' ? JSON_MAP_OPEN : JSON_LIST_OPEN, (str){NULL, 0}, offset, err))
        return false;
    s->open[s->depth++] = c;
    s->at++;
    s->state = c == '{' ? WANT_KEY_OR_CLOSE : WANT_VALUE_OR_CLOSE;
    return true;
}

static bool close_container(struct json_stream *s, char c, struct error *err)
{
    bool map = c == '}';
    if (!s->depth || s->open[s->depth - 1] != (map ? '{' : '['))
        return refuse_here(s, err, map ? "this `}` closes nothing" : "this `]` closes nothing");
    s->depth--;
    if (s->passed > s->depth)
        s->passed = 0;
    else if (!emit(s, map ? JSON_MAP_CLOSE : JSON_LIST_CLOSE, (str){NULL, 0}, s->base + s->at, err))
        return false;
    s->at++;
    after_value(s);
    return true;
}

static void begin_string(struct json_stream *s, bool is_key)
{
    s->token_offset = s->base + s->at++;
    s->token_extra = s->line_extra;
    s->is_key = is_key;
    s->has_high_bytes = false;
    text_clear(&s->token);
    s->state = IN_STRING;
}

static bool begin_value(struct json_stream *s, char c, struct error *err)
{
    s->token_offset = s->base + s->at;
    s->token_extra = s->line_extra;
    switch (c) {
    case '{':
    case '[':
        return open_container(s, c, err);
    case '"':
        begin_string(s, false);
        return in_string(s, err);
    case 't':
    case 'f':
    case 'n':
        return begin_word(s, c, err);
    default:
        break;
    }
    if (c != '-' && (c < '0' || c > '9')) {
        if (s->base + s->at == 0 && c == '\xEF')
            return refuse_here(s, err, "the file starts with a byte order mark: save it without");
        return refuse_here(s, err, "a value is missing here");
    }
    return begin_number(s, err);
}

static bool after_comma(struct json_stream *s)
{
    s->state = s->open[s->depth - 1] == '{' ? WANT_KEY : WANT_VALUE;
    s->at++;
    return true;
}

// A character that is not inside a token.
static bool take_structure(struct json_stream *s, char c, struct error *err)
{
    switch (s->state) {
    case WANT_VALUE_OR_CLOSE:
        return c == ']' ? close_container(s, c, err) : begin_value(s, c, err);
    case WANT_VALUE:
        return begin_value(s, c, err);
    case WANT_KEY_OR_CLOSE:
    case WANT_KEY:
        if (c == '}' && s->state == WANT_KEY_OR_CLOSE)
            return close_container(s, c, err);
        if (c != '"')
            return refuse_here(s, err, "a key in double quotes is missing here");
        begin_string(s, true);
        return in_string(s, err);
    case WANT_COLON:
        if (c != ':')
            return refuse_here(s, err, "a `:` is missing after the key");
        s->at++;
        s->state = WANT_VALUE;
        return true;
    case WANT_COMMA_OR_CLOSE:
        if (c == ',')
            return after_comma(s);
        if (c == '}' || c == ']')
            return close_container(s, c, err);
        return refuse_here(s, err, "a `,` is missing here");
    case WANT_END:
        return s->many ? begin_value(s, c, err)
                       : refuse_here(s, err, "something follows the end of the JSON");
    case IN_STRING:
    case IN_ESCAPE:
    case IN_NUMBER:
    case IN_WORD:
        break;
    }
    return false;
}

static void skip_white(struct json_stream *s)
{
    const char *start = s->chunk.data, *end = start + s->chunk.len, *at = start + s->at;
    for (; at < end; at++) {
        while (end - at > 8 && memcmp(at, "        ", 8) == 0) // an indented report is mostly this
            at += 8;
        if (*at == '\n') {
            s->line++;
            s->line_start = s->base + (size_t)(at - start) + 1;
            s->line_extra = 0;
        } else if (*at != ' ' && *at != '\t' && *at != '\r') {
            break;
        }
    }
    s->at = (size_t)(at - start);
}

static bool in_token(struct json_stream *s, struct error *err)
{
    if (s->state == IN_STRING)
        return in_string(s, err);
    if (s->state == IN_ESCAPE)
        return in_escape(s, err);
    return s->state == IN_NUMBER ? in_number(s, err) : in_word(s, err);
}

// Up to the end of the chunk, or to a token that it does not hold whole.
static bool run(struct json_stream *s, struct error *err)
{
    while (s->at < s->chunk.len) {
        if (s->state > WANT_END) {
            if (!in_token(s, err))
                return false;
            continue;
        }
        if (s->chunk.data[s->at] <= ' ')
            skip_white(s);
        if (s->at < s->chunk.len && !take_structure(s, s->chunk.data[s->at], err))
            return false;
    }
    return true;
}

struct json_stream *json_stream_open(const char *file, json_handler *handler, void *context)
{
    struct json_stream *s = memory_alloc(sizeof *s);
    s->file = file;
    s->handler = handler;
    s->context = context;
    s->line = 1;
    s->token = text_of(LIMIT_TOKEN_BYTES);
    return s;
}

void json_stream_allow_many(struct json_stream *s)
{
    s->many = true;
}

void json_stream_pass_over(struct json_stream *s)
{
    s->passed = s->depth + 1;
}

void json_stream_allow_mark(struct json_stream *s)
{
    s->mark_allowed = true;
}

// A byte order mark at the very beginning, which may come in pieces. It makes no column.
static bool skip_mark(struct json_stream *s, struct error *err)
{
    static const str mark = STR_INIT("\xef\xbb\xbf");
    while (s->at < s->chunk.len && s->marked < mark.len && s->base + s->at == s->marked &&
           s->chunk.data[s->at] == mark.data[s->marked]) {
        s->at++;
        s->marked++;
    }
    if (s->marked)
        s->line_start = s->marked;
    if (s->marked == 0 || s->marked == mark.len || s->at == s->chunk.len)
        return true;
    return refuse_here(s, err, "a byte order mark begins here, but does not end");
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
    s->chunk = bytes;
    s->at = 0;
    if (s->mark_allowed && s->base < 3 && !skip_mark(s, err))
        return failed(s, err);
    if (!run(s, err))
        return failed(s, err);
    s->base += bytes.len;
    s->at = 0;
    s->chunk = (str){NULL, 0};
    return true;
}

bool json_stream_end(struct json_stream *s, struct error *err)
{
    if (s->failed) {
        *err = s->error;
        return false;
    }
    if (s->state == IN_NUMBER && s->depth == 0 && !end_number(s, text_str(&s->token), err))
        return failed(s, err);
    if (s->state == WANT_END || (s->many && s->state == WANT_VALUE && s->depth == 0))
        return true;
    (void)refuse_here(s, err,
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
