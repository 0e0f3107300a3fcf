#include "actions/report/escape.h"

#include "gate/base/visible.h"

#include <stdint.h>

#define BREAK "&#8203;" // a zero-width space: nothing that GitHub looks for goes across it

// ---- markdown -----------------------------------------------------------------------------------

static bool is_digit_of_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool follows(str s, size_t at, const char *words) // in any case
{
    size_t n = strlen(words);
    for (size_t i = 0; i < n; i++)
        if (at + i >= s.len || (s.data[at + i] | (is_word(s.data[at + i]) ? 0x20 : 0)) != words[i])
            return false;
    return true;
}

// GitHub makes a link of what looks like a commit: 7 to 40 digits by themselves. Of 64 it does not.
static bool looks_like_commit(str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.len && is_digit_of_hex(s.data[at + n]))
        n++;
    return n >= 7 && n <= 40 && (at + n == s.len || !is_word(s.data[at + n]));
}

// ":name:" is a picture.
static bool looks_like_emoji(str s, size_t at)
{
    size_t n = at + 1;
    while (n < s.len && (is_word(s.data[n]) || memchr("_+-", s.data[n], 3)))
        n++;
    return n > at + 1 && n < s.len && s.data[n] == ':';
}

// Of "www.", "GH-12", a commit: how many bytes stand before the break; 0 = no such word.
static size_t break_in_word(str s, size_t at)
{
    if (at > 0 && is_word(s.data[at - 1]))
        return 0;
    if (follows(s, at, "www."))
        return 3;
    if (follows(s, at, "gh-"))
        return 2;
    return looks_like_commit(s, at) ? 6 : 0;
}

static void add_mark(str s, size_t i, struct text *out)
{
    char c = s.data[i];
    if (c == '<')
        text_adds(out, "&lt;");
    else if (c == '>')
        text_adds(out, "&gt;");
    else if (c == '&')
        text_adds(out, "&amp;");
    else if (c == '|')
        text_adds(out, "&#124;"); // a backslash before it would be taken off with the cell
    else if (c == '$')
        text_adds(out, "<span>$</span>"); // what GitHub documents against mathematics
    else if (c == '@' || c == '#') // an entity does not help here: it is looked for after decoding
        text_addf(out, "&#%u;" BREAK, (unsigned)c);
    else if (c == ':' && (looks_like_emoji(s, i) || follows(s, i, "://")))
        text_adds(out, ":" BREAK);
    else if (memchr("\\`*_{}[]()!~", c, 12))
        text_addf(out, "\\%c", c);
    else
        text_addc(out, c);
}

void markdown_escape(str s, struct text *out)
{
    size_t broken = SIZE_MAX, n;
    for (size_t i = 0; i < s.len; i += n) {
        char c = s.data[i];
        n = 1;
        if (i == broken) {
            text_adds(out, BREAK);
            broken = looks_like_commit(s, i) ? i + 6 : SIZE_MAX; // the rest is long enough for one
        }
        if (c == '\n' || c == '\r' || c == '\t') {
            text_addc(out, ' ');
        } else if (is_word(c)) {
            size_t most = break_in_word(s, i);
            if (most)
                broken = i + most;
            text_addc(out, c);
        } else if (c >= 0x20 && c < 0x7f) {
            add_mark(s, i, out);
        } else if (visible_at(s, i, &n)) {
            text_add(out, str_first(str_from(s, i), n));
        } else {
            text_adds(out, "\xef\xbf\xbd");
        }
    }
}

void markdown_words(str s, struct text *out)
{
    size_t open, close;
    while ((open = str_find(s, '`')) != STR_NONE) {
        str inside = str_from(s, open + 1);
        close = str_find(inside, '`');
        if (close == STR_NONE || close == 0)
            break;
        markdown_escape(str_first(s, open), out);
        text_adds(out, "<code>");
        markdown_escape(str_first(inside, close), out);
        text_adds(out, "</code>");
        s = str_from(inside, close + 1);
    }
    markdown_escape(s, out);
}

// ---- terminals and logs -------------------------------------------------------------------------

void terminal_escape(str s, struct text *out)
{
    size_t n;
    for (size_t i = 0; i < s.len; i += n) {
        char c = s.data[i];
        n = 1;
        if (c == '\n' || c == '\t')
            text_addc(out, ' ');
        else if (c == '[' && i >= 2 && s.data[i - 1] == '#' && s.data[i - 2] == '#')
            text_adds(out, " ["); // "##[" anywhere in a line is a command to GitHub's runner
        else if (c >= 0x20 && c < 0x7f)
            text_addc(out, c);
        else if (visible_at(s, i, &n))
            text_add(out, str_first(str_from(s, i), n));
        else
            text_addc(out, '?');
    }
}
