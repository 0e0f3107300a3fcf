#include "gate/reports/purl.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Without %XX; what would not be text stays as it is.
static str decoded(struct arena *arena, str s)
{
    char *out = arena_alloc(arena, s.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        int high = s.data[i] == '%' && i + 2 < s.len ? hex(s.data[i + 1]) : -1;
        int low = high >= 2 && high < 8 ? hex(s.data[i + 2]) : -1;
        if (low < 0) {
            out[n++] = s.data[i];
            continue;
        }
        out[n++] = (char)(high * 16 + low);
        i += 2;
    }
    return str_make(out, n);
}

static bool is_distribution(str type)
{
    return str_is(type, "deb") || str_is(type, "rpm") || str_is(type, "apk") ||
           str_is(type, "alpm");
}

bool purl_parse(struct arena *arena, str text, struct purl *ret)
{
    str rest = text;
    if (!str_starts(rest, STR("pkg:")))
        return false;
    rest = str_from(rest, 4);
    while (rest.len && rest.data[0] == '/')
        rest = str_from(rest, 1);
    rest = str_cut(&rest, '#');
    rest = str_cut(&rest, '?');
    str type = str_cut(&rest, '/');
    size_t slash = str_find_last(rest, '/');
    str space = slash == STR_NONE ? (str){NULL, 0} : str_first(rest, slash);
    str name = slash == STR_NONE ? rest : str_from(rest, slash + 1);
    size_t at = str_find_last(name, '@');
    str version = at == STR_NONE || at == 0 ? (str){NULL, 0} : str_from(name, at + 1);
    if (version.data)
        name = str_first(name, at);
    if (type.len == 0 || name.len == 0)
        return false;
    if (is_distribution(type))
        space.len = 0; // the distribution's own name
    const char *between = str_is(type, "maven") ? ":" : "/";
    str whole = space.len ? arena_format(arena, STR_FMT "%s" STR_FMT, STR_ARG(space), between,
                                         STR_ARG(name))
                          : name;
    char *lower = arena_alloc(arena, type.len + 1);
    for (size_t i = 0; i < type.len; i++)
        lower[i] = char_lower(type.data[i]);
    *ret = (struct purl){str_make(lower, type.len), decoded(arena, whole), decoded(arena, version)};
    return true;
}
