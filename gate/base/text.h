// A growing text with a mandatory ceiling. Past the ceiling nothing is added any more and
// text_full() stays true: a caller checks once, at the end.
//
//     struct text out = text_of(LIMIT_SUMMARY_BYTES);
//     text_addf(&out, "%d of %d", done, all);
//     if (text_full(&out)) ...
//     text_done(&out);
#ifndef GATE_BASE_TEXT_H
#define GATE_BASE_TEXT_H

#include "gate/base/str.h"

struct text {
    char *data; // NUL-terminated once anything was added
    size_t len, room, max;
    bool full;
};

static inline struct text text_of(size_t max_bytes)
{
    return (struct text){.max = max_bytes};
}

void text_add(struct text *text, str s);
void text_addc(struct text *text, char c);
void text_adds(struct text *text, const char *c_string);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_clear(struct text *text); // empty again, memory kept
void text_done(struct text *text);

static inline bool text_full(const struct text *text)
{
    return text->full;
}

static inline str text_str(const struct text *text)
{
    return str_make(text->data ? text->data : "", text->len);
}

static inline const char *text_c(const struct text *text)
{
    return text->data ? text->data : "";
}

#endif
