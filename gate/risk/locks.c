#include "gate/risk/locks.h"

#include "gate/base/glob.h"
#include "gate/risk/lock_parts.h"
#include "gate/risk/version.h"

#include <stdio.h>

const char *const lock_usual_names[] = {
    "requirements.txt",
    "poetry.lock",
    "uv.lock",
    "Pipfile.lock",
    "pyproject.toml",
    ".python-version",
    "runtime.txt",
    "Dockerfile",
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "package.json",
    ".tool-versions",
    ".nvmrc",
    ".node-version",
    "go.mod",
    NULL,
};

// Of several patterns that fit, the first one counts.
static const struct {
    const char *pattern; // of the file's name
    const char *kind;    // null = it is only known to name dependencies
    bool (*read)(struct lock_reading *r);
    bool any_name; // the pattern fits files that have nothing to do with dependencies
} kinds[] = {
    {"poetry.lock", "poetry.lock", lock_toml, false},
    {"uv.lock", "uv.lock", lock_toml, false},
    {"Pipfile.lock", "Pipfile.lock", lock_pipfile, false},
    {"pyproject.toml", "pyproject.toml", lock_pyproject, false},
    {"package-lock.json", "package-lock.json", lock_npm, false},
    {"npm-shrinkwrap.json", "package-lock.json", lock_npm, false},
    {"package.json", "package.json", lock_package_json, false},
    {"yarn.lock", "yarn.lock", lock_yarn, false},
    {"pnpm-lock.yaml", "pnpm-lock.yaml", lock_pnpm, false},
    {"go.mod", "go.mod", lock_go_mod, false},
    {".tool-versions", ".tool-versions", lock_tool_versions, false},
    {".python-version", ".python-version", lock_python_version, false},
    {"runtime.txt", "runtime.txt", lock_runtime_txt, false},
    {".nvmrc", ".nvmrc", lock_nvmrc, false},
    {".node-version", ".nvmrc", lock_nvmrc, false},
    {"Dockerfile", "Dockerfile", lock_dockerfile, false},
    {"Dockerfile.*", "Dockerfile", lock_dockerfile, false},
    {"*.Dockerfile", "Dockerfile", lock_dockerfile, false},
    {"Containerfile", "Dockerfile", lock_dockerfile, false},
    {"*compose*.yml", "compose file", lock_compose, false},
    {"*compose*.yaml", "compose file", lock_compose, false},
    {"requirements*.txt", "requirements file", lock_requirements, false},
    {"requirements*.in", "requirements file", lock_requirements, false},
    {"constraints*.txt", "requirements file", lock_requirements, false},
    // What pip is given may have any name.
    {"*.txt", "requirements file", lock_requirements, true},
    {"*.in", "requirements file", lock_requirements, true},
    {"pdm.lock", NULL, NULL, false},
    {"Pipfile", NULL, NULL, false},
    {"setup.py", NULL, NULL, false},
    {"setup.cfg", NULL, NULL, false},
    {"environment.y*ml", NULL, NULL, false},
    {"bun.lock", NULL, NULL, false},
    {"go.sum", NULL, NULL, false},
    {"Cargo.toml", NULL, NULL, false},
    {"Cargo.lock", NULL, NULL, false},
    {"Gemfile", NULL, NULL, false},
    {"Gemfile.lock", NULL, NULL, false},
    {"*.gemspec", NULL, NULL, false},
    {"pom.xml", NULL, NULL, false},
    {"build.gradle*", NULL, NULL, false},
    {"gradle.lockfile", NULL, NULL, false},
    {"libs.versions.toml", NULL, NULL, false},
    {"composer.json", NULL, NULL, false},
    {"composer.lock", NULL, NULL, false},
    {"packages.lock.json", NULL, NULL, false},
    {"*.csproj", NULL, NULL, false},
    {"Directory.Packages.props", NULL, NULL, false},
    {"mix.lock", NULL, NULL, false},
    {"pubspec.lock", NULL, NULL, false},
    {"Dockerfile*", NULL, NULL, false},
    {"Containerfile*", NULL, NULL, false},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static str last_name(str path)
{
    size_t slash = str_find_last(path, '/');
    return slash == STR_NONE ? path : str_from(path, slash + 1);
}

static size_t kind_of(const char *path)
{
    str name = last_name(str_of(path));
    size_t i = 0;
    while (i < KINDS && (!kinds[i].read || !glob_match(str_of(kinds[i].pattern), name)))
        i++;
    return i;
}

bool names_dependencies(str path)
{
    str name = last_name(path);
    if (str_starts(path, STR("requirements/")))
        return true;
    for (size_t i = 0; i < KINDS; i++)
        if (!kinds[i].any_name && glob_match(str_of(kinds[i].pattern), name))
            return true;
    return false;
}

const char *lock_kind(const char *path)
{
    size_t kind = kind_of(path);
    return kind < KINDS ? kinds[kind].kind : NULL;
}

bool lock_line(struct lock_reading *r, str *ret)
{
    if (r->rest.len == 0)
        return false;
    str line = str_cut(&r->rest, '\n');
    if (str_ends(line, STR("\r")))
        line.len--;
    r->line++;
    *ret = line;
    return true;
}

bool lock_refuse(struct lock_reading *r, uint32_t at_line, const char *format, ...)
{
    char sentence[600];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    struct position at = {.file = r->path, .line = at_line ? at_line : r->line};
    return error_at(r->err, ERROR_INPUT, at, "%s", sentence);
}

bool lock_add(struct lock_reading *r, const struct locked *one)
{
    struct locks *locks = r->locks;
    if (locks->count >= LOCKS_MOST)
        return error_set(r->err, ERROR_LIMIT, "%s: more than %u packages are locked", r->path,
                         LOCKS_MOST);
    locks->items =
        arena_grow(locks->arena, locks->items, locks->count, &locks->room, sizeof *locks->items);
    struct locked *item = &locks->items[locks->count++];
    *item = *one;
    item->name = arena_str(locks->arena, one->name);
    item->version = arena_str(locks->arena, one->version);
    item->written = arena_str(locks->arena, one->written.len ? one->written : one->version);
    item->path = r->path;
    item->line = one->line ? one->line : r->line;
    return true;
}

str lock_unquote(str text)
{
    text = str_trim(text);
    if (text.len >= 2 && (text.data[0] == '"' || text.data[0] == '\'') &&
        text.data[text.len - 1] == text.data[0])
        return str_make(text.data + 1, text.len - 2);
    return text;
}

str lock_pypi_name(struct arena *arena, str name)
{
    char *out = ARENA_ARRAY(arena, char, name.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool separator = c == '-' || c == '_' || c == '.';
        if (separator && len && out[len - 1] == '-')
            continue;
        if (c >= 'A' && c <= 'Z')
            c = "abcdefghijklmnopqrstuvwxyz"[c - 'A'];
        if (separator)
            c = '-';
        out[len++] = c;
    }
    return str_make(out, len);
}

static bool operator_char(char c)
{
    return c == '=' || c == '<' || c == '>' || c == '~' || c == '!' || c == '^';
}

// Of several clauses an exact one counts first, then the one that says from where on.
void lock_specifier(struct arena *arena, str text, bool bare_is_exact, struct locked *one)
{
    str rest = str_trim(text);
    one->written = rest;
    one->version = (str){0};
    one->pin = PIN_NONE;
    while (rest.len && one->pin != PIN_EXACT) {
        str clause = str_trim(str_cut(&rest, ','));
        size_t n = 0;
        while (n < clause.len && operator_char(clause.data[n]))
            n++;
        str relation = str_first(clause, n), version = str_trim(str_from(clause, n));
        size_t space = str_find(version, ' ');
        version = str_first(version, space); // ">=18 <21"
        bool exact = str_is(relation, "==") || str_is(relation, "===") || str_is(relation, "=") ||
                     (n == 0 && bare_is_exact);
        bool from = str_is(relation, ">=") || str_is(relation, "~=") || str_is(relation, "^") ||
                    str_is(relation, "~") || str_is(relation, ">") || n == 0;
        struct version parsed;
        if ((!exact && !from) || !version_parse(version, &parsed) ||
            (!exact && one->pin == PIN_FROM))
            continue;
        one->pin = exact ? PIN_EXACT : PIN_FROM;
        one->version = arena_str(arena, version);
    }
}

bool locks_read(struct locks *locks, const char *path, str bytes, struct error *err)
{
    size_t kind = kind_of(path);
    struct lock_reading r = {
        .locks = locks, .path = arena_copy(locks->arena, str_of(path)), .rest = bytes, .err = err};
    if (kind == KINDS)
        return lock_refuse(&r, 0,
                           "this is none of the lock files that are read: requirements files, "
                           "poetry.lock, uv.lock, Pipfile.lock, pyproject.toml, .python-version, "
                           "runtime.txt, Dockerfiles, compose files, package-lock.json, yarn.lock, "
                           "pnpm-lock.yaml, package.json, .nvmrc, .tool-versions, go.mod");
    if (!str_is_utf8(bytes) || str_find(bytes, '\0') != STR_NONE)
        return lock_refuse(&r, 0, "this is no %s: it is not text", kinds[kind].kind);
    if (str_trim(bytes).len == 0)
        return lock_refuse(&r, 0, "this %s is empty", kinds[kind].kind);
    size_t before = locks->count, includes = locks->include_count;
    if (kinds[kind].read(&r))
        return true;
    locks->count = before;
    locks->include_count = includes;
    return false;
}

const struct locked *locks_find(const struct locks *locks, str ecosystem, str name,
                                const char *path)
{
    const struct locked *best = NULL;
    struct version best_version = {0}, version;
    for (size_t i = 0; i < locks->count; i++) {
        const struct locked *one = &locks->items[i];
        if (one->nested || !str_eq(one->ecosystem, ecosystem) || !str_eq(one->name, name) ||
            (path && strcmp(path, one->path) != 0))
            continue;
        bool known = version_parse(one->version, &version);
        if (best && (!known || version_cmp(&version, &best_version) <= 0))
            continue;
        best = one;
        if (known)
            best_version = version;
    }
    return best;
}
