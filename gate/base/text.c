#include "gate/base/text.h"

#include "gate/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static bool make_room(struct text *text, size_t more)
{
    if (text->full || more > text->max - text->len) {
        text->full = true;
        return false;
    }
    size_t need = text->len + more + 1;
    if (need > text->room) {
        size_t room = text->room ? text->room * 2 : 256;
        while (room < need)
            room *= 2;
        text->data = memory_grow(text->data, room);
        text->room = room;
    }
    return true;
}

void text_add(struct text *text, str s)
{
    if (!make_room(text, s.len))
        return;
    if (s.len)
        memcpy(text->data + text->len, s.data, s.len);
    text->len += s.len;
    text->data[text->len] = '\0';
}

void text_addc(struct text *text, char c)
{
    text_add(text, str_make(&c, 1));
}

void text_adds(struct text *text, const char *c_string)
{
    text_add(text, str_of(c_string));
}

void text_addf(struct text *text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n >= 0 && make_room(text, (size_t)n)) {
        (void)vsnprintf(text->data + text->len, (size_t)n + 1, format, again);
        text->len += (size_t)n;
    }
    va_end(again);
}

void text_clear(struct text *text)
{
    text->len = 0;
    text->full = false;
    if (text->data)
        text->data[0] = '\0';
}

void text_done(struct text *text)
{
    free(text->data);
    *text = (struct text){.max = text->max};
}
