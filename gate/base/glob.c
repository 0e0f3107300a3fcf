#include "gate/base/glob.h"

size_t glob_literal(str pattern)
{
    size_t n = 0;
    while (n < pattern.len && str_find(STR("*?["), pattern.data[n]) == STR_NONE)
        n++;
    return n;
}

bool glob_is_pattern(str s)
{
    return glob_literal(s) < s.len;
}

// Matches one "[…]" at *p against c, moving *p past it. An unclosed set is a literal '['.
static bool match_set(str pattern, size_t *p, char c)
{
    size_t i = *p + 1;
    bool negated = i < pattern.len && (pattern.data[i] == '!' || pattern.data[i] == '^');
    bool hit = false;
    i += negated;
    for (size_t start = i; i < pattern.len && (pattern.data[i] != ']' || i == start); i++) {
        unsigned char low = (unsigned char)pattern.data[i], high = low;
        if (i + 2 < pattern.len && pattern.data[i + 1] == '-' && pattern.data[i + 2] != ']') {
            high = (unsigned char)pattern.data[i + 2];
            i += 2;
        }
        hit |= (unsigned char)c >= low && (unsigned char)c <= high;
    }
    if (i >= pattern.len) {
        (*p)++;
        return c == '[';
    }
    *p = i + 1;
    return hit != negated && c != '/';
}

// One step of a literal, '?' or set; false when it does not match.
static bool match_one(str pattern, size_t *p, char c)
{
    char want = pattern.data[*p];
    if (want == '[')
        return match_set(pattern, p, c);
    (*p)++;
    return want == '?' ? c != '/' : want == c;
}

struct retry { // where to go on when what follows a star does not match
    size_t pattern, path;
    bool set;
    bool folders; // of "**/": only where a folder begins
};

// The next place for a `**`: one byte on, or behind the next '/'. False when there is none.
static bool retry_deep(struct retry *deep, str path)
{
    if (!deep->set || deep->path >= path.len)
        return false;
    size_t slash = deep->folders ? str_find(str_from(path, deep->path), '/') : 0;
    if (slash == STR_NONE)
        return false;
    deep->path += slash + 1;
    return true;
}

// Linear backtracking: only the last `*` and the last `**` need to be tried again.
bool glob_match(str pattern, str path)
{
    size_t p = 0, s = 0;
    struct retry star = {0}, deep = {0};
    while (s < path.len || p < pattern.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            bool two = p + 1 < pattern.len && pattern.data[p + 1] == '*';
            p += two ? 2 : 1;
            // "**/" where a folder begins also matches no folder at all
            bool folders = two && p < pattern.len && pattern.data[p] == '/' &&
                           (s == 0 || path.data[s - 1] == '/');
            p += folders;
            if (two)
                deep = (struct retry){p, s, true, folders};
            star = (struct retry){p, s, !two, false};
            continue;
        }
        if (p < pattern.len && s < path.len && match_one(pattern, &p, path.data[s])) {
            s++;
            continue;
        }
        if (star.set && star.path < path.len && path.data[star.path] != '/') {
            p = star.pattern;
            s = ++star.path;
        } else if (retry_deep(&deep, path)) {
            p = deep.pattern;
            s = deep.path;
            star.set = false;
        } else {
            return false;
        }
    }
    return true;
}
