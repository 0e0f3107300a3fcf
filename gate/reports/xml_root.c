#include "gate/reports/xml_root.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static str after(str s, const char *needle)
{
    size_t at = str_search(s, str_of(needle));
    return at == STR_NONE ? (str){NULL, 0} : str_from(s, at + strlen(needle));
}

// With declarations of its own it is refused later, and said to be what it is.
static str skip_doctype(str s)
{
    size_t close = str_find(s, '>'), subset = str_find(s, '[');
    return subset < close ? after(after(s, "]"), ">") : after(s, ">");
}

// Past declarations, comments, processing instructions and a DOCTYPE, to the '<' of the root.
static str skip_prolog(str s)
{
    if (str_starts(s, STR("\xef\xbb\xbf")))
        s = str_from(s, 3);
    for (;;) {
        while (s.len && is_space(s.data[0]))
            s = str_from(s, 1);
        if (str_starts(s, STR("<!--")))
            s = after(str_from(s, 4), "-->");
        else if (str_starts(s, STR("<?")))
            s = after(s, "?>");
        else if (str_starts(s, STR("<!")))
            s = skip_doctype(s);
        else
            return s;
    }
}

bool xml_root(str first_bytes, struct xml_root *ret)
{
    str s = skip_prolog(first_bytes);
    if (s.len < 2 || s.data[0] != '<')
        return false;
    s = str_from(s, 1);
    size_t n = 0;
    while (n < s.len && !is_space(s.data[n]) && s.data[n] != '>' && s.data[n] != '/')
        n++;
    str name = str_first(s, n);
    size_t colon = str_find(name, ':');
    s = str_from(s, n);
    size_t close = str_find(s, '>');
    ret->name = colon == STR_NONE ? name : str_from(name, colon + 1);
    ret->tag = close == STR_NONE ? s : str_first(s, close);
    ret->after = close == STR_NONE ? (str){NULL, 0} : str_from(s, close + 1);
    return ret->name.len > 0;
}
