#include "gate/doc/json_machine.h"

#include "gate/doc/json_token.h"

const char *json_refuse(struct json_stream *s, uint64_t offset, struct error *err,
                        enum error_kind kind, const char *sentence)
{
    uint64_t extra = offset == s->token_offset ? s->token_extra : s->line_extra;
    uint64_t column = offset - s->line_start + 1 - extra;
    struct position at = {s->file, s->line, column > UINT32_MAX ? 0 : (uint32_t)column};
    (void)error_at(err, kind, at, "%s", sentence);
    return NULL;
}

const char *json_refuse_at(struct json_stream *s, const char *p, struct error *err,
                           const char *sentence)
{
    return json_refuse(s, json_offset(s, p), err, ERROR_INPUT, sentence);
}

static const char *cut(struct json_stream *s, enum json_state state)
{
    s->state = state;
    s->cut = true;
    return NULL;
}

bool json_not_taken(struct json_stream *s, const struct json_event *event, struct error *err)
{
    if (!err->at.file) {
        struct error plain;
        (void)json_refuse(s, event->offset, &plain, err->kind, "");
        err->at = plain.at;
    }
    return false;
}

static void count_continuations(struct json_stream *s, str run)
{
    s->has_high_bytes = true;
    for (size_t i = 0; i < run.len; i++)
        s->line_extra += ((unsigned char)run.data[i] & 0xC0) == 0x80;
}

// ---- texts -------------------------------------------------------------------------------------

// p: the quote that ends it.
static const char *end_string(struct json_stream *s, str text, const char *p, struct error *err)
{
    if (text.len > LIMIT_TOKEN_BYTES)
        return json_refuse(s, s->token_offset, err, ERROR_LIMIT, "a text is longer than 1 MiB");
    // Escapes are UTF-8 of their own, and cannot mend or break what stands around them.
    if (s->has_high_bytes && !str_is_utf8(text))
        return json_refuse(s, s->token_offset, err, ERROR_INPUT, "this text is not UTF-8");
    if (!json_tell(s, s->is_key ? JSON_KEY : JSON_STRING, text, s->token_offset, err))
        return NULL;
    if (s->is_key)
        s->state = WANT_COLON;
    else
        json_after_value(s);
    return p + 1;
}

static const char *in_escape(struct json_stream *s, const char *p, struct error *err)
{
    const char *why;
    for (bool ended = false; !ended; p++) {
        if (p == s->end)
            return cut(s, IN_ESCAPE);
        if (!json_escape_take(&s->escape, *p, &s->token, &ended, &why))
            return json_refuse_at(s, p, err, why);
    }
    return p;
}

static const char *in_string(struct json_stream *s, const char *p, struct error *err)
{
    for (;;) {
        bool high = false;
        str run = str_make(p, (size_t)(s->end - p));
        run.len = json_plain_run(run, &high);
        if (high)
            count_continuations(s, run);
        p += run.len;
        text_add(&s->token, run);
        if (text_full(&s->token))
            return json_refuse(s, s->token_offset, err, ERROR_LIMIT, "a text is longer than 1 MiB");
        if (p == s->end)
            return cut(s, IN_STRING);
        if (*p == '"')
            return end_string(s, text_str(&s->token), p, err);
        if (*p != '\\')
            return json_refuse_at(s, p, err,
                                  "a control character stands inside a text: it must be escaped");
        json_escape_begin(&s->escape);
        p = in_escape(s, p + 1, err);
        if (!p)
            return NULL;
    }
}

// p: its first quote. Most texts stand in the chunk as they are meant.
const char *json_read_string(struct json_stream *s, bool is_key, const char *p, struct error *err)
{
    bool high = false;
    str run = str_make(p + 1, (size_t)(s->end - p) - 1);
    json_begin_token(s, p);
    s->is_key = is_key;
    s->has_high_bytes = false;
    run.len = json_plain_run(run, &high);
    const char *to = run.data + run.len;
    if (to == s->end || *to != '"') {
        text_clear(&s->token);
        return in_string(s, run.data, err);
    }
    if (high)
        count_continuations(s, run);
    return end_string(s, run, to, err);
}

// ---- numbers and words -------------------------------------------------------------------------

static bool end_number(struct json_stream *s, str text, struct error *err)
{
    if (!json_tell_number(s, text, json_digits(text), err))
        return false;
    json_after_value(s);
    return true;
}

static bool in_a_number(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '.' || c == 'e' || c == 'E' || c == '+';
}

// One that a chunk does not hold whole, or that is none.
static const char *in_number(struct json_stream *s, const char *p, struct error *err)
{
    const char *from = p;
    while (p < s->end && in_a_number(*p))
        p++;
    text_add(&s->token, str_make(from, (size_t)(p - from)));
    if (text_full(&s->token))
        return json_refuse(s, s->token_offset, err, ERROR_LIMIT, "a number is longer than 1 MiB");
    if (p == s->end)
        return cut(s, IN_NUMBER);
    if (!json_is_number(text_str(&s->token)))
        return json_refuse(s, s->token_offset, err, ERROR_INPUT, "this is not a number of JSON");
    return end_number(s, text_str(&s->token), err) ? p : NULL;
}

const char *json_read_number(struct json_stream *s, const char *p, struct error *err)
{
    const char *to = json_number_end(p, s->end);
    if (to && to - p <= LIMIT_TOKEN_BYTES)
        return end_number(s, str_make(p, (size_t)(to - p)), err) ? to : NULL;
    text_clear(&s->token);
    return in_number(s, p, err);
}

static bool end_word(struct json_stream *s, struct error *err)
{
    enum json_event_type type = s->word.data[0] == 't'   ? JSON_TRUE
                                : s->word.data[0] == 'f' ? JSON_FALSE
                                                         : JSON_NULL;
    if (!json_tell(s, type, s->word, s->token_offset, err))
        return false;
    json_after_value(s);
    return true;
}

static const char *in_word(struct json_stream *s, const char *p, struct error *err)
{
    for (; p < s->end && s->word_at < s->word.len; p++, s->word_at++)
        if (*p != s->word.data[s->word_at])
            return json_refuse_at(s, p, err, "only true, false and null may stand without quotes");
    if (s->word_at < s->word.len)
        return cut(s, IN_WORD);
    return end_word(s, err) ? p : NULL;
}

const char *json_read_word(struct json_stream *s, const char *p, struct error *err)
{
    s->word = *p == 't' ? STR("true") : *p == 'f' ? STR("false") : STR("null");
    s->word_at = 0;
    return in_word(s, p, err);
}

const char *json_read_rest(struct json_stream *s, const char *p, struct error *err)
{
    if (s->state == IN_ESCAPE)
        p = in_escape(s, p, err);
    if (s->state == IN_STRING || s->state == IN_ESCAPE)
        return p ? in_string(s, p, err) : NULL;
    return s->state == IN_NUMBER ? in_number(s, p, err) : in_word(s, p, err);
}

bool json_end_number(struct json_stream *s, struct error *err)
{
    if (s->state != IN_NUMBER || s->depth)
        return true;
    if (json_is_number(text_str(&s->token)))
        return end_number(s, text_str(&s->token), err);
    (void)json_refuse(s, s->token_offset, err, ERROR_INPUT, "this is not a number of JSON");
    return false;
}
