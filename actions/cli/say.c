#include "actions/cli/say.h"

#include "actions/report/escape.h"

#include <stdarg.h>
#include <stdio.h>

enum { LINE = 8192, ESCAPED = 4 * LINE };

void say_line(const char *format, ...)
{
    char words[LINE];
    struct text line = text_of(ESCAPED);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(words, sizeof words, format, args);
    va_end(args);
    terminal_escape(str_of(words), &line);
    (void)fprintf(stderr, "%s\n", text_c(&line));
    text_done(&line);
}

str say_shown(struct arena *arena, str words)
{
    struct text line = text_of(4 * words.len + 2);
    terminal_escape(words, &line);
    str made = arena_str(arena, text_str(&line));
    text_done(&line);
    return made;
}
