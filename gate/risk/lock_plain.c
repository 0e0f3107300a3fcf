// Files of a few words: which python or node a project runs on; go.mod;
// yarn.lock; pnpm-lock.yaml.
#include "gate/risk/lock_parts.h"
#include "gate/risk/version.h"

static bool add_runtime(struct lock_reading *r, str name, str text)
{
    struct version version;
    bool known = version_parse(text, &version);
    return lock_add(r, &(struct locked){.ecosystem = STR("runtime"),
                                        .name = name,
                                        .version = known ? text : (str){0},
                                        .written = text,
                                        .pin = known ? PIN_EXACT : PIN_NONE});
}

static bool first_words(struct lock_reading *r, str name, str prefix)
{
    str line;
    bool any = false;
    while (lock_line(r, &line)) {
        line = str_trim(str_first(line, str_find(line, '#')));
        if (line.len == 0)
            continue;
        if (str_search(line, STR(" ")) != STR_NONE || line.len > 64)
            return lock_refuse(r, 0, "`" STR_FMT "` is not a version of " STR_FMT,
                               STR_ARG(str_shorten(line, 80)), STR_ARG(name));
        if (str_starts(line, prefix))
            line = str_from(line, prefix.len);
        any = true;
        if (!add_runtime(r, name, line))
            return false;
    }
    return any || lock_refuse(r, 1, "this names no version of " STR_FMT, STR_ARG(name));
}

bool lock_python_version(struct lock_reading *r)
{
    return first_words(r, STR("python"), STR("python-"));
}

bool lock_runtime_txt(struct lock_reading *r)
{
    return first_words(r, STR("python"), STR("python-"));
}

bool lock_nvmrc(struct lock_reading *r)
{
    return first_words(r, STR("node"), STR("node/"));
}

// ---- go.mod ----
static bool add_module(struct lock_reading *r, str line)
{
    line = str_trim(str_first(line, str_search(line, STR("//"))));
    if (line.len == 0)
        return true;
    str version = line, name = str_cut(&version, ' ');
    version = str_trim(version);
    if (version.len == 0 || version.data[0] != 'v')
        return lock_refuse(r, 0, "`" STR_FMT "` is no module with its version",
                           STR_ARG(str_shorten(line, 80)));
    return lock_add(r, &(struct locked){.ecosystem = STR("go"),
                                        .name = lock_unquote(name),
                                        .version = version,
                                        .pin = PIN_EXACT});
}

bool lock_go_mod(struct lock_reading *r)
{
    str line;
    bool any = false, inside = false, other = false;
    while (lock_line(r, &line)) {
        line = str_trim(line);
        bool ends = str_is(line, ")"), ok = true;
        any |= str_starts(line, STR("module "));
        if (inside && !ends)
            ok = add_module(r, line);
        else if (!inside && !other && str_starts(line, STR("go ")))
            ok = add_runtime(r, STR("go"), str_trim(str_from(line, 3)));
        else if (!other && str_starts(line, STR("require ")) && !str_ends(line, STR("(")))
            ok = add_module(r, str_trim(str_from(line, 8)));
        if (!ok)
            return false;
        if (ends)
            inside = other = false;
        else if (!inside && str_ends(line, STR("(")))
            *(str_starts(line, STR("require")) ? &inside : &other) = true;
    }
    return any || lock_refuse(r, 1, "this is no go.mod: it has no `module`");
}

// ---- yarn.lock ----
// `"@babel/core@^7.0.0", "@babel/core@npm:^7.1":` is @babel/core.
static str yarn_name(str line)
{
    str first = lock_unquote(str_trim(str_first(line, str_find(line, ','))));
    if (str_ends(first, STR(":")))
        first = lock_unquote(str_first(first, first.len - 1));
    if (first.len && first.data[0] == '"')
        first = str_from(first, 1);
    size_t at = str_find(str_from(first, 1), '@');
    return at == STR_NONE ? (str){0} : str_first(first, at + 1);
}

bool lock_yarn(struct lock_reading *r)
{
    str line, name = {0};
    bool any = false;
    while (lock_line(r, &line)) {
        any |= str_starts(line, STR("# yarn lockfile")) || str_starts(line, STR("__metadata:"));
        if (line.len == 0 || line.data[0] == '#')
            continue;
        if (line.data[0] != ' ') {
            name = yarn_name(line);
            continue;
        }
        if (name.len == 0 || !str_starts(line, STR("  version")) || line.len < 10)
            continue;
        str version = str_trim(str_from(line, 9));
        version =
            lock_unquote(version.len && version.data[0] == ':' ? str_from(version, 1) : version);
        if (!str_starts(version, STR("0.0.0-use.local")) &&
            !lock_add(r, &(struct locked){.ecosystem = STR("npm"),
                                          .name = name,
                                          .version = version,
                                          .pin = PIN_EXACT}))
            return false;
        name = (str){0};
    }
    return any || lock_refuse(r, 1, "this is no yarn.lock: its head is not there");
}

// ---- pnpm-lock.yaml ----
// "'@babel/core@7.24.0(peer@1)':", "/left-pad@1.3.0:", and of old "/left-pad/1.3.0:".
static struct locked pnpm_package(str line)
{
    str key = lock_unquote(str_first(line, line.len - 1));
    if (str_starts(key, STR("/")))
        key = str_from(key, 1);
    key = str_first(key, str_find(key, '('));
    size_t at = str_find_last(key, '@');
    if (at == STR_NONE || at == 0)
        at = str_find_last(key, '/');
    if (at == STR_NONE)
        return (struct locked){0};
    return (struct locked){.ecosystem = STR("npm"),
                           .name = str_first(key, at),
                           .version = str_from(key, at + 1),
                           .pin = PIN_EXACT};
}

bool lock_pnpm(struct lock_reading *r)
{
    str line;
    bool any = false, inside = false;
    while (lock_line(r, &line)) {
        any |= str_starts(line, STR("lockfileVersion:"));
        if (line.len && line.data[0] != ' ' && line.data[0] != '#')
            inside = str_is(str_trim(line), "packages:");
        bool entry = str_starts(line, STR("  ")) && !str_starts(line, STR("   "));
        line = str_trim(line);
        if (!inside || !entry || !str_ends(line, STR(":")))
            continue;
        struct locked one = pnpm_package(line);
        struct version version;
        if (one.name.len && version_parse(one.version, &version) && !lock_add(r, &one))
            return false;
    }
    return any || lock_refuse(r, 1, "this is no pnpm-lock.yaml: it has no `lockfileVersion`");
}

// ---- .tool-versions ----
bool lock_tool_versions(struct lock_reading *r)
{
    str line;
    while (lock_line(r, &line)) {
        str version = str_trim(str_first(line, str_find(line, '#'))), name = str_cut(&version, ' ');
        version = str_trim(version);
        version = str_first(version, str_find(version, ' ')); // those after it are second choices
        if (name.len == 0)
            continue;
        if (version.len == 0)
            return lock_refuse(r, 0, "`" STR_FMT "` is no tool with its version",
                               STR_ARG(str_shorten(name, 80)));
        if (!add_runtime(r, str_is(name, "nodejs") ? STR("node") : name, version))
            return false;
    }
    return true;
}
