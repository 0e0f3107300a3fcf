#include "gate/reports/tap_line.h"

#include "gate/base/number.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static str cut_blanks(str s)
{
    while (s.len && is_blank(s.data[0]))
        s = str_from(s, 1);
    return s;
}

// Digits at the start of *s, which moves past them.
static bool take_number(str *s, uint64_t *ret)
{
    size_t n = 0;
    while (n < s->len && is_digit(s->data[n]))
        n++;
    if (!number_u64(str_first(*s, n), ret))
        return false;
    *s = str_make(s->data + n, s->len - n);
    return true;
}

// Is it the word, whatever the case of its letters?
static bool starts_like(str s, const char *word)
{
    for (size_t i = 0; word[i]; i++)
        if (i >= s.len || (s.data[i] | 0x20) != word[i])
            return false;
    return true;
}

static enum tap_directive directive_of(str comment, str *ret_reason)
{
    size_t n = 4;
    enum tap_directive directive = starts_like(comment, "todo")   ? TAP_TODO
                                   : starts_like(comment, "skip") ? TAP_SKIP
                                                                  : TAP_NONE;
    while (directive == TAP_SKIP && n < comment.len && !is_blank(comment.data[n]) &&
           comment.data[n] != ':')
        n++; // "skipped"
    if (directive == TAP_NONE ||
        (n < comment.len && !is_blank(comment.data[n]) && comment.data[n] != ':'))
        return TAP_NONE;
    str reason = str_from(comment, n);
    *ret_reason = str_trim(reason.len && reason.data[0] == ':' ? str_from(reason, 1) : reason);
    return directive;
}

// The first `#` from there on that has no odd number of backslashes before it, or STR_NONE.
static size_t find_comment(str s, size_t from)
{
    size_t slashes = 0;
    for (size_t at = from; at < s.len; at++) {
        if (s.data[at] == '#' && slashes % 2 == 0)
            return at;
        slashes = s.data[at] == '\\' ? slashes + 1 : 0;
    }
    return STR_NONE;
}

// "# time=12.5ms", as node-tap writes it.
static bool time_comment(str comment, str *ret_ms)
{
    if (!str_starts(comment, STR("time=")) || !str_ends(comment, STR("ms")) || comment.len < 8)
        return false;
    *ret_ms = str_make(comment.data + 5, comment.len - 7);
    return true;
}

// "… in 12ms", as Bats writes it with --timing.
static void cut_bats_time(struct tap_line *line)
{
    size_t at = line->name.len;
    if (!str_ends(line->name, STR("ms")))
        return;
    at -= 2;
    size_t end = at;
    while (at && is_digit(line->name.data[at - 1]))
        at--;
    if (at == end || at < 5 || !str_ends(str_first(line->name, at), STR(" in ")))
        return;
    line->time_ms = str_make(line->name.data + at, end - at);
    line->name = str_trim(str_first(line->name, at - 4));
}

// What stands behind the number: "- a name # SKIP why {".
static void read_description(struct tap_line *line, str rest)
{
    rest = str_trim(rest);
    if (rest.len && rest.data[rest.len - 1] == '{' &&
        (rest.len == 1 || is_blank(rest.data[rest.len - 2]))) {
        line->opens = true;
        rest = str_trim(str_first(rest, rest.len - 1));
    }
    // A `#` may be a part of the name ("issue #12"), and one may stand in a reason.
    for (size_t at = find_comment(rest, 0); at != STR_NONE; at = find_comment(rest, at + 1)) {
        str comment = str_trim(str_from(rest, at + 1));
        line->directive = directive_of(comment, &line->reason);
        if (line->directive == TAP_NONE && !time_comment(comment, &line->time_ms))
            continue;
        rest = str_trim(str_first(rest, at));
        break;
    }
    if (str_is(rest, "-"))
        rest = (str){NULL, 0};
    else if (str_starts(rest, STR("- ")))
        rest = str_trim(str_from(rest, 2));
    line->name = rest;
    cut_bats_time(line);
}

static bool read_point(struct tap_line *line, str s)
{
    if (str_starts(s, STR("not ok"))) {
        s = str_from(s, 6);
    } else if (str_starts(s, STR("ok"))) {
        line->ok = true;
        s = str_from(s, 2);
    } else {
        return false;
    }
    if (s.len && !is_blank(s.data[0]))
        return false; // "okay"
    s = cut_blanks(s);
    str after = s;
    uint64_t number;
    if (take_number(&after, &number) && (after.len == 0 || is_blank(after.data[0]))) {
        line->numbered = true;
        line->number = number;
        s = after;
    }
    line->kind = TAP_POINT;
    read_description(line, s);
    return true;
}

static bool read_plan(struct tap_line *line, str s)
{
    if (!str_starts(s, STR("1..")))
        return false;
    s = str_from(s, 3);
    if (!take_number(&s, &line->number) || line->number > TAP_PLAN_MAX)
        return false;
    s = str_trim(s);
    if (s.len && s.data[0] != '#')
        return false;
    line->directive = directive_of(str_trim(str_from(s, 1)), &line->reason);
    line->kind = TAP_PLAN;
    return true;
}

static bool read_version(struct tap_line *line, str s)
{
    if (!starts_like(s, "tap") || !str_starts(str_from(s, 3), STR(" version ")))
        return false;
    s = str_from(s, 12);
    if (!take_number(&s, &line->number) || str_trim(s).len)
        return false;
    line->kind = TAP_VERSION;
    return true;
}

struct tap_line tap_line_of(str whole)
{
    struct tap_line line = {.kind = TAP_OTHER};
    str s = whole;
    for (; s.len && is_blank(s.data[0]); s = str_from(s, 1))
        line.indent += s.data[0] == '\t' ? 4 : 1;
    if (read_point(&line, s) || read_plan(&line, s) || read_version(&line, s))
        return line;
    str trimmed = str_trim(s);
    if (str_starts(s, STR("Bail out!"))) {
        line.kind = TAP_BAIL;
        line.name = str_trim(str_from(s, 9));
    } else if (str_starts(s, STR("#"))) {
        line.kind = TAP_COMMENT;
        line.name = str_trim(str_from(s, 1));
    } else if (str_is(trimmed, "---")) {
        line.kind = TAP_YAML;
    } else if (str_is(trimmed, "...")) {
        line.kind = TAP_YAML_END;
    } else if (str_is(trimmed, "}")) {
        line.kind = TAP_CLOSE;
    }
    return line;
}

str tap_name(str name, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '\\' && i + 1 < name.len &&
            (name.data[i + 1] == '#' || name.data[i + 1] == '\\'))
            i++;
        out[n++] = name.data[i];
    }
    return str_make(out, n);
}
