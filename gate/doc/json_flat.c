#include "gate/doc/json_flat.h"

#include "gate/base/arena.h"
#include "gate/doc/json_escape.h"

// The functions take the place of the next byte and return that of the one where to go on; null
// where the line is none for them.

// From behind the backslash. What is meant is never longer than how it is written.
static const char *past_escape(struct json_flat *flat, const char *at, const char *end)
{
    struct json_escape escape;
    const char *why;
    if (at < end && *at == 'n') { // as nearly all of them
        flat->decoded[flat->size++] = '\n';
        return at + 1;
    }
    text_clear(&flat->escaped);
    json_escape_begin(&escape);
    for (bool ended = false; !ended; at++)
        if (at == end || !json_escape_take(&escape, *at, &flat->escaped, &ended, &why))
            return NULL;
    memcpy(flat->decoded + flat->size, flat->escaped.data, flat->escaped.len);
    flat->size += flat->escaped.len;
    return at;
}

// From where a run without escapes ended at a backslash.
static const char *past_escaped(struct json_flat *flat, str run, bool high, const char *end,
                                str *ret)
{
    const char *from = flat->decoded + flat->size, *at;
    for (;;) {
        memcpy(flat->decoded + flat->size, run.data, run.len);
        flat->size += run.len;
        at = run.data + run.len;
        if (at == end || *at != '\\')
            break;
        at = past_escape(flat, at + 1, end);
        if (!at)
            return NULL;
        run = str_make(at, (size_t)(end - at));
        run.len = json_plain_run(run, &high);
    }
    *ret = str_make(from, (size_t)(flat->decoded + flat->size - from));
    return at == end || *at != '"' || (high && !str_is_utf8(*ret)) ? NULL : at + 1;
}

// From behind the quote.
static inline const char *past_text(struct json_flat *flat, const char *at, const char *end,
                                    str *ret)
{
    bool high = false;
    str run = str_make(at, (size_t)(end - at));
    run.len = json_plain_run(run, &high);
    at += run.len;
    if (at == end || *at != '"')
        return past_escaped(flat, run, high, end, ret);
    *ret = run;
    return high && !str_is_utf8(run) ? NULL : at + 1;
}

static const char *past_word(struct json_member *member, const char *at, const char *end)
{
    static const struct {
        str word;
        enum json_event_type type;
    } words[] = {{STR_INIT("true"), JSON_TRUE},
                 {STR_INIT("false"), JSON_FALSE},
                 {STR_INIT("null"), JSON_NULL}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (str_starts(str_make(at, (size_t)(end - at)), words[i].word)) {
            member->type = words[i].type;
            member->text = words[i].word;
            return at + words[i].word.len;
        }
    }
    return NULL;
}

static const char *past_value(struct json_flat *flat, struct json_member *member, const char *at,
                              const char *end)
{
    if (at == end)
        return NULL;
    if (*at == '"') {
        member->type = JSON_STRING;
        return past_text(flat, at + 1, end, &member->text);
    }
    if (*at != '-' && (*at < '0' || *at > '9'))
        return past_word(member, at, end);
    const char *to = json_number_end(at, end);
    member->type = JSON_NUMBER;
    member->text = str_make(at, to ? (size_t)(to - at) : 0);
    return to;
}

// From the quote of its key.
static const char *past_member(struct json_flat *flat, const char *at, const char *end)
{
    struct json_member *member = &flat->members[flat->count];
    if (flat->count == JSON_FLAT_MEMBERS || at == end || *at != '"')
        return NULL;
    at = past_text(flat, at + 1, end, &member->key);
    if (!at || at == end || *at != ':')
        return NULL;
    flat->count++;
    return past_value(flat, member, at + 1, end);
}

bool json_flat_read(struct json_flat *flat, str line)
{
    const char *at = line.data, *end = line.data + line.len;
    flat->count = flat->size = 0;
    if (line.len < 2 || *at != '{')
        return false;
    if (flat->room < line.len) {
        flat->room = line.len * 2;
        flat->decoded = memory_grow(flat->decoded, flat->room);
    }
    do {
        at = past_member(flat, at + 1, end);
        if (!at || at == end)
            return false;
    } while (*at == ',');
    return *at == '}' && at + 1 == end;
}

struct json_flat json_flat_of(void)
{
    return (struct json_flat){.escaped = text_of(8)};
}

void json_flat_done(struct json_flat *flat)
{
    memory_free(flat->decoded);
    text_done(&flat->escaped);
}
