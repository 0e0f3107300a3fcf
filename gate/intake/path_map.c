#include "gate/intake/path_map.h"

#include "gate/intake/path_index.h"

#include <stdlib.h>

enum quality { NO_MATCH, MATCH_SUFFIX, MATCH_EXACT };

struct match {
    enum quality quality;
    str path;      // of the repository
    str dropped;   // what stands before the suffix; empty for an exact one
    bool doubtful; // only a file name agrees: another file must have come from the same folder
    bool ambiguous;
};

struct guess {
    size_t file;
    struct match match;
};

struct mapping {
    const struct path_map *map;
    struct path_index index;
    struct arena arena; // for the time of the mapping
    str *strip;
    str root;
    bool modules_used;     // some file is one of a Go module that is known
    struct guess *guesses; // of the files that have any, in their order
    size_t guess_count, guess_room;
    str *trusted; // folders that others were found to lie in, sorted
    size_t trusted_count, trusted_room;
};

static bool is_tidy(str path)
{
    for (size_t i = 0, from = 0; i <= path.len; i++) {
        if (i < path.len && path.data[i] == '\\')
            return false;
        if (i < path.len && path.data[i] != '/')
            continue;
        size_t len = i - from;
        bool dots = (len == 1 && path.data[from] == '.') ||
                    (len == 2 && path.data[from] == '.' && path.data[from + 1] == '.');
        if (dots || (len == 0 && i > 0))
            return false;
        from = i + 1;
    }
    return true;
}

str path_tidy(struct arena *arena, str path)
{
    if (is_tidy(path)) // as most are: no copy
        return path;
    char *out = arena_alloc(arena, path.len + 1);
    size_t n = 0, floor;
    if (path.len && (path.data[0] == '/' || path.data[0] == '\\'))
        out[n++] = '/';
    floor = n;
    for (size_t from = 0, to; from <= path.len; from = to + 1) {
        for (to = from; to < path.len && path.data[to] != '/' && path.data[to] != '\\'; to++) {
        }
        str part = str_make(path.data + from, to - from);
        if (part.len == 0 || str_is(part, "."))
            continue;
        if (str_is(part, "..") && n > floor && !str_ends(str_make(out, n), STR(".."))) {
            while (n > floor && out[n - 1] != '/')
                n--;
            n -= n > floor;
            continue;
        }
        if (n > floor)
            out[n++] = '/';
        memcpy(out + n, part.data, part.len);
        n += part.len;
    }
    return str_make(out, n);
}

static bool is_absolute(str path)
{
    return path.len &&
           (path.data[0] == '/' || path.data[0] == '\\' || (path.len > 2 && path.data[1] == ':'));
}

static str join(struct arena *arena, str folder, str path)
{
    str both = arena_format(arena, STR_FMT "/" STR_FMT, STR_ARG(folder), STR_ARG(path));
    return path_tidy(arena, both);
}

// What follows `folder` in `path`; null data when it does not lie there.
static str below(str path, str folder)
{
    if (folder.len == 0 || !str_starts(path, folder) || path.len <= folder.len + 1 ||
        path.data[folder.len] != '/')
        return (str){NULL, 0};
    return str_from(path, folder.len + 1);
}

// Headers of the compiler and of the system are nobody's sources, whatever their names.
static bool is_system(str folder)
{
    static const char *const folders[] = {"/usr/include",       "/usr/lib",
                                          "/usr/local/include", "/Applications/Xcode",
                                          "C:/Program Files",   NULL};
    for (size_t i = 0; folders[i]; i++)
        if (str_starts(folder, str_of(folders[i])))
            return true;
    return false;
}

static struct match match_known_prefix(const struct mapping *m, str path)
{
    for (size_t i = 0; i <= m->map->strip_count; i++) {
        str prefix = i < m->map->strip_count ? m->strip[i] : m->root;
        str rest = below(path, prefix);
        const str *hit = rest.data ? path_index_find(&m->index, rest) : NULL;
        if (hit)
            return (struct match){.quality = MATCH_EXACT, .path = *hit};
    }
    return (struct match){0};
}

// The longest end of `path` that is a whole path of the repository.
static struct match match_end(const struct mapping *m, str path)
{
    for (str rest = path; rest.len;) {
        size_t slash = str_find(rest, '/');
        if (slash == STR_NONE)
            break;
        rest = str_from(rest, slash + 1);
        const str *hit = path_index_find(&m->index, rest);
        if (!hit)
            continue;
        struct match match = {.quality = MATCH_SUFFIX, .path = *hit};
        match.dropped = str_first(path, path.len - rest.len);
        match.doubtful = str_find(*hit, '/') == STR_NONE;
        return is_system(match.dropped) ? (struct match){0} : match;
    }
    return (struct match){0};
}

// The module that a Go file is of: the one with the longest prefix. Null when it is of none.
static const struct path_module *module_of(const struct path_map *map, str path)
{
    const struct path_module *best = NULL;
    for (size_t i = 0; i < map->module_count; i++) {
        const struct path_module *one = &map->modules[i];
        if (below(path, one->prefix).data && (!best || one->prefix.len > best->prefix.len))
            best = one;
    }
    return best;
}

// A Go file of a known module is where the module says, or nowhere. In a report that speaks of
// modules, one that begins with another host's name ("github.com/…") is a dependency's.
static bool match_module(const struct mapping *m, str path, struct match *ret)
{
    if (!m->modules_used || !str_ends(path, STR(".go")))
        return false;
    const struct path_module *module = module_of(m->map, path);
    str host = str_first(path, str_find(path, '/'));
    if (!module && (host.len == path.len || str_find(host, '.') == STR_NONE || host.data[0] == '.'))
        return false;
    *ret = (struct match){0};
    if (!module)
        return true;
    struct arena scratch = {0};
    str rest = below(path, module->prefix);
    if (module->folder.len)
        rest = join(&scratch, module->folder, rest);
    const str *hit = path_index_find(&m->index, rest);
    if (hit)
        *ret = (struct match){.quality = MATCH_EXACT, .path = *hit};
    arena_done(&scratch);
    return true;
}

// Kotlin's folders may leave out the packages that all files have in common.
static struct match match_package_end(const struct mapping *m, str path)
{
    for (str rest = path; rest.len;) {
        size_t slash = str_find(rest, '/');
        if (slash == STR_NONE)
            break;
        rest = str_from(rest, slash + 1);
        const str *hit = NULL;
        size_t count = path_index_ending(&m->index, rest, &hit);
        if (count == 0)
            continue;
        return (struct match){.quality = MATCH_SUFFIX,
                              .path = *hit,
                              .ambiguous = count > 1,
                              .dropped = str_first(path, path.len - rest.len),
                              .doubtful = str_find(rest, '/') == STR_NONE};
    }
    return (struct match){0};
}

static struct match match_one(const struct mapping *m, str path)
{
    struct match match = match_known_prefix(m, path);
    if (match.quality)
        return match;
    if (is_absolute(path))
        return match_end(m, path);
    if (match_module(m, path, &match))
        return match;
    const str *hit = path_index_find(&m->index, path);
    if (hit)
        return (struct match){.quality = MATCH_EXACT, .path = *hit};
    size_t count = path_index_ending(&m->index, path, &hit);
    if (count == 1)
        return (struct match){.quality = MATCH_SUFFIX, .path = *hit};
    if (count > 1)
        return (struct match){.quality = MATCH_SUFFIX, .path = *hit, .ambiguous = true};
    return str_ends(path, STR(".kt")) ? match_package_end(m, path) : match_end(m, path);
}

static struct match better(struct match a, struct match b)
{
    if (a.quality != b.quality)
        return a.quality > b.quality ? a : b;
    if (a.quality == NO_MATCH || (str_eq(a.path, b.path) && !b.ambiguous))
        return a;
    if (a.doubtful != b.doubtful)
        return a.doubtful ? b : a;
    a.ambiguous = true; // two of the report's folders fit, and nothing says which is meant
    return a;
}

static struct match match_file(struct mapping *m, const struct evidence *evidence,
                               const struct covered_file *file)
{
    str path = path_tidy(&m->arena, file->reported);
    struct match match = {0};
    bool system_only = false;
    if (file->origin && !is_absolute(path)) {
        const struct report *report = &evidence->reports[file->origin - 1];
        system_only = true;
        for (size_t i = 0; i < report->source_count; i++) {
            str joined = join(&m->arena, str_of(report->sources[i]), path);
            match = better(match, match_one(m, joined));
            system_only = system_only && is_system(joined);
        }
    }
    return match.quality || system_only ? match : match_one(m, path);
}

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

static void collect_guesses(struct mapping *m, const struct evidence *evidence)
{
    for (size_t i = 0; i < evidence->coverage.count; i++) {
        struct match match = match_file(m, evidence, &evidence->coverage.files[i]);
        if (match.quality == NO_MATCH)
            continue;
        if (m->guess_count == m->guess_room) {
            m->guess_room = m->guess_room ? m->guess_room * 2 : 64;
            m->guesses = memory_grow(m->guesses, m->guess_room * sizeof *m->guesses);
        }
        m->guesses[m->guess_count++] = (struct guess){i, match};
    }
}

static void collect_trusted(struct mapping *m)
{
    for (size_t i = 0; i < m->guess_count; i++) {
        const struct match *match = &m->guesses[i].match;
        if (match->quality != MATCH_SUFFIX || match->doubtful || match->ambiguous ||
            !match->dropped.len)
            continue;
        m->trusted = arena_grow(&m->arena, m->trusted, m->trusted_count, &m->trusted_room,
                                sizeof *m->trusted);
        m->trusted[m->trusted_count++] = match->dropped;
    }
    if (m->trusted_count)
        qsort(m->trusted, m->trusted_count, sizeof *m->trusted, by_bytes);
}

// `match`: null = there is none. Where nothing but names agrees in the whole evidence, the
// repository may simply be flat.
static bool believed(const struct mapping *m, const struct match *match)
{
    if (!match || match->ambiguous)
        return false;
    if (!match->doubtful || m->trusted_count == 0)
        return true;
    return bsearch(&match->dropped, m->trusted, m->trusted_count, sizeof *m->trusted, by_bytes);
}

// The name under which a file unites with others: the repository's; unmatched, the full reported
// one.
static str full_name(struct mapping *m, const struct evidence *evidence,
                     const struct covered_file *file)
{
    if (file->path.len)
        return file->path;
    str path = path_tidy(&m->arena, file->reported);
    if (file->origin && !is_absolute(path)) {
        const struct report *report = &evidence->reports[file->origin - 1];
        if (report->source_count != 1)
            return arena_format(&m->arena, "%u:" STR_FMT, file->origin, STR_ARG(path));
        path = join(&m->arena, str_of(report->sources[0]), path);
    }
    return path; // not a repository's path: that would have matched
}

// Then the files are different ones already: mostly so where no path matches.
static bool all_as_reported(struct mapping *m, const struct evidence *evidence)
{
    const struct coverage *coverage = &evidence->coverage;
    for (size_t i = 0; i < coverage->count; i++) {
        const struct covered_file *file = &coverage->files[i];
        str name = full_name(m, evidence, file);
        if (file->origin != coverage->files[0].origin || name.data != file->reported.data ||
            name.len != file->reported.len)
            return false;
    }
    return true;
}

static bool unite_same(struct mapping *m, struct evidence *evidence, struct error *err)
{
    size_t count = evidence->coverage.count;
    if (all_as_reported(m, evidence))
        return coverage_regroup(evidence, NULL, err);
    str *names = ARENA_ARRAY(&m->arena, str, count + 1);
    for (size_t i = 0; i < count; i++)
        names[i] = full_name(m, evidence, &evidence->coverage.files[i]);
    return coverage_regroup(evidence, names, err);
}

static int by_reported(const void *a, const void *b)
{
    const struct unmatched_path *x = a, *y = b;
    return str_cmp(x->reported, y->reported);
}

// Mostly the end of the reported path: no copy of it then.
static str kept_path(struct arena *arena, const struct covered_file *file,
                     const struct match *match)
{
    if (str_ends(file->reported, match->path))
        return str_from(file->reported, file->reported.len - match->path.len);
    return arena_str(arena, match->path);
}

static bool uses_modules(const struct mapping *m, const struct coverage *coverage)
{
    for (size_t i = 0; m->map->module_count && i < coverage->count; i++) {
        str path = coverage->files[i].reported;
        if (str_ends(path, STR(".go")) && module_of(m->map, path))
            return true;
    }
    return false;
}

static void match_all(struct mapping *m, struct evidence *evidence, struct unmatched *ret)
{
    struct coverage *coverage = &evidence->coverage;
    size_t next = 0, room = coverage->count < UNMATCHED_NAMED ? coverage->count : UNMATCHED_NAMED;
    m->modules_used = uses_modules(m, coverage);
    collect_guesses(m, evidence);
    collect_trusted(m);
    ret->items = ARENA_ARRAY(&evidence->arena, struct unmatched_path, room + 1);
    for (size_t i = 0; i < coverage->count; i++) {
        struct covered_file *file = &coverage->files[i];
        const struct match *match = NULL;
        if (next < m->guess_count && m->guesses[next].file == i)
            match = &m->guesses[next++].match;
        if (believed(m, match)) {
            file->path = kept_path(&evidence->arena, file, match);
            continue;
        }
        if (ret->count++ < UNMATCHED_NAMED)
            ret->items[ret->named++] =
                (struct unmatched_path){file->reported, match && match->ambiguous};
    }
    memory_free(m->guesses); // many files have many: gone before they are united
    if (ret->named)
        qsort(ret->items, ret->named, sizeof *ret->items, by_reported);
}

bool path_map_apply(const struct path_map *map, struct evidence *evidence, struct unmatched *ret,
                    struct error *err)
{
    struct mapping m = {.map = map};
    struct unmatched unmatched = {0};
    m.strip = ARENA_ARRAY(&m.arena, str, map->strip_count + 1);
    for (size_t i = 0; i < map->strip_count; i++)
        m.strip[i] = path_tidy(&m.arena, map->strip[i]);
    m.root = path_tidy(&m.arena, str_of(map->root));
    if (map->paths) {
        path_index_init(&m.index, &m.arena, map->paths, map->path_count);
        match_all(&m, evidence, &unmatched);
    }
    bool ok = unite_same(&m, evidence, err);
    struct coverage *coverage = &evidence->coverage;
    for (size_t i = 0; !map->paths && i < coverage->count; i++)
        coverage->files[i].path = coverage->files[i].reported;
    arena_done(&m.arena);
    if (ok)
        *ret = unmatched;
    return ok;
}
