#include "gate/intake/go_modules.h"

#include "gate/intake/find.h"

#include <unistd.h>

enum { GO_MOD_BYTES = 64 * 1024 }; // the directive stands near the top

static str without_comment(str line)
{
    size_t at = str_search(line, STR("//"));
    return str_trim(at == STR_NONE ? line : str_first(line, at));
}

static str without_quotes(str s)
{
    bool quoted =
        s.len > 2 && (s.data[0] == '"' || s.data[0] == '`') && s.data[s.len - 1] == s.data[0];
    return quoted ? str_make(s.data + 1, s.len - 2) : s;
}

str go_module_of(str go_mod)
{
    bool in_block = false;
    while (go_mod.data) {
        str line = without_comment(str_cut(&go_mod, '\n'));
        if (in_block && line.len)
            return str_is(line, ")") ? (str){NULL, 0} : without_quotes(line);
        if (in_block || !str_starts(line, STR("module")))
            continue;
        str rest = str_from(line, strlen("module"));
        if (rest.len == 0 || !memchr(" \t(\"`", rest.data[0], 5))
            continue; // another word
        rest = str_trim(rest);
        if (!str_is(rest, "("))
            return without_quotes(rest);
        in_block = true;
    }
    return (str){NULL, 0};
}

static str read_start(struct arena *arena, int root, const char *path)
{
    struct error absent;
    int file;
    size_t len = 0;
    if (!file_open(root, path, &file, &absent))
        return (str){NULL, 0};
    char *bytes = arena_alloc(arena, GO_MOD_BYTES);
    for (ssize_t got; len < GO_MOD_BYTES; len += (size_t)got) {
        got = read(file, bytes + len, GO_MOD_BYTES - len);
        if (got <= 0)
            break;
    }
    (void)close(file);
    return str_make(bytes, len);
}

void go_modules_find(struct arena *arena, int root, const struct repository_paths *paths,
                     struct go_modules *ret)
{
    *ret = (struct go_modules){0};
    for (size_t i = 0; i < paths->count && ret->count < GO_MODULES_MAX; i++) {
        str path = paths->items[i];
        if (!str_is(path, "go.mod") && !str_ends(path, STR("/go.mod")))
            continue;
        struct arena scratch = {0};
        str module = go_module_of(read_start(&scratch, root, arena_copy(&scratch, path)));
        size_t slash = str_find_last(path, '/');
        if (module.len && str_is_utf8(module)) {
            ret->items = arena_grow(arena, ret->items, ret->count, &ret->room, sizeof *ret->items);
            ret->items[ret->count++] =
                (struct path_module){arena_str(arena, module),
                                     slash == STR_NONE ? (str){NULL, 0} : str_first(path, slash)};
        }
        arena_done(&scratch);
    }
}
