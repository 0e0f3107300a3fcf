// requirements.txt as pip reads it: one requirement a line, lines that go on after a backslash,
// comments, options. What has no exact version is listed as such.
#include "gate/base/text.h"
#include "gate/risk/lock_parts.h"

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

// A comment begins the line, or follows white space.
static str without_comment(str line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.data[i] == '#' && (i == 0 || line.data[i - 1] == ' ' || line.data[i - 1] == '\t'))
            return str_trim(str_first(line, i));
    return str_trim(line);
}

// One requirement with all its lines joined.
static bool logical_line(struct lock_reading *r, struct text *joined, uint32_t *ret_line, str *ret)
{
    str line;
    text_clear(joined);
    if (!lock_line(r, &line))
        return false;
    *ret_line = r->line;
    line = without_comment(line);
    while (str_ends(line, STR("\\"))) {
        text_add(joined, str_first(line, line.len - 1));
        text_addc(joined, ' ');
        if (!lock_line(r, &line))
            line = (str){0};
        line = without_comment(line);
    }
    text_add(joined, line);
    *ret = str_trim(text_str(joined));
    return true;
}

// Relative to the file that includes; null when it leads out of the repository or is a URL.
static const char *joined_path(struct arena *arena, const char *from, str named)
{
    str base = str_of(from), parts[64], path = {0};
    size_t count = 0, slash = str_find_last(base, '/');
    base = slash == STR_NONE ? (str){0} : str_first(base, slash);
    if (named.len == 0 || named.data[0] == '/' || str_search(named, STR("://")) != STR_NONE)
        return NULL;
    for (int half = 0; half < 2; half++) {
        str rest = half ? named : base;
        while (rest.len) {
            str part = str_cut(&rest, '/');
            if (part.len == 0 || str_is(part, "."))
                continue;
            if (str_is(part, "..")) {
                if (count == 0)
                    return NULL;
                count--;
            } else if (count < sizeof parts / sizeof *parts) {
                parts[count++] = part;
            } else {
                return NULL;
            }
        }
    }
    for (size_t i = 0; i < count; i++)
        path = arena_format(arena, STR_FMT "%s" STR_FMT, STR_ARG(path), i ? "/" : "",
                            STR_ARG(parts[i]));
    return count ? arena_copy(arena, path) : NULL;
}

static bool add_option(struct lock_reading *r, str line, uint32_t at)
{
    static const char *const including[] = {"--requirement", "--constraint", "-r", "-c"};
    for (size_t i = 0; i < sizeof including / sizeof *including; i++) {
        str option = str_of(including[i]);
        str rest = str_from(line, option.len);
        bool separated = rest.len && (rest.data[0] == ' ' || rest.data[0] == '\t' ||
                                      rest.data[0] == '=' || option.len == 2);
        if (!str_starts(line, option) || !separated)
            continue;
        if (rest.data[0] == '=')
            rest = str_from(rest, 1);
        rest = lock_unquote(rest);
        const char *path = joined_path(r->locks->arena, r->path, rest);
        if (!path)
            return lock_refuse(r, at, "`" STR_FMT "` is not a file of the repository",
                               STR_ARG(str_shorten(rest, 200)));
        struct locks *locks = r->locks;
        locks->includes = arena_grow(locks->arena, locks->includes, locks->include_count,
                                     &locks->include_room, sizeof *locks->includes);
        locks->includes[locks->include_count++] =
            (struct lock_include){.path = path, .from = r->path, .line = at};
        return true;
    }
    return true; // an index, a hash mode, an editable install: nothing that is locked here
}

static bool add_requirement(struct lock_reading *r, str line, uint32_t at)
{
    size_t n = 0;
    while (n < line.len && name_char(line.data[n]))
        n++;
    str rest = str_trim(str_from(line, n));
    bool is_place =
        str_search(line, STR("://")) != STR_NONE && (rest.len == 0 || rest.data[0] != '@');
    if (is_place || str_starts(line, STR("./")) || str_starts(line, STR("../")) ||
        str_starts(line, STR("/")) || (n && rest.len && rest.data[0] == '/'))
        return true; // a folder or an archive: it has neither name nor version
    if (n == 0)
        return lock_refuse(r, at, "`" STR_FMT "` is not a requirement",
                           STR_ARG(str_shorten(line, 80)));
    if (rest.len && rest.data[0] == '[') {
        size_t end = str_find(rest, ']');
        if (end == STR_NONE)
            return lock_refuse(r, at, "`" STR_FMT "` opens `[` and does not close it",
                               STR_ARG(str_shorten(line, 80)));
        rest = str_trim(str_from(rest, end + 1));
    }
    struct locked one = {.ecosystem = STR("pypi"),
                         .name = lock_pypi_name(r->locks->arena, str_first(line, n)),
                         .line = at};
    if (rest.len && rest.data[0] == '@') { // "name @ https://…": which version is not said
        one.pin = PIN_NONE;
        one.written = rest;
        return lock_add(r, &one);
    }
    size_t options = str_search(rest, STR("--"));
    rest = str_trim(str_first(rest, options));
    rest = str_trim(str_cut(&rest, ';'));
    if (rest.len >= 2 && rest.data[0] == '(' && rest.data[rest.len - 1] == ')')
        rest = str_trim(str_make(rest.data + 1, rest.len - 2));
    if (rest.len && !strchr("=<>~!", rest.data[0]))
        return lock_refuse(r, at, "`" STR_FMT "` is not a requirement",
                           STR_ARG(str_shorten(line, 80)));
    lock_specifier(r->locks->arena, rest, false, &one);
    return lock_add(r, &one);
}

bool lock_requirements(struct lock_reading *r)
{
    struct text joined = text_of((size_t)1 << 20);
    str line;
    uint32_t at;
    bool ok = true;
    while (ok && logical_line(r, &joined, &at, &line)) {
        if (text_full(&joined))
            ok = lock_refuse(r, at, "this line is too long");
        else if (line.len && line.data[0] == '-')
            ok = add_option(r, line, at);
        else if (line.len)
            ok = add_requirement(r, line, at);
    }
    text_done(&joined);
    return ok;
}
