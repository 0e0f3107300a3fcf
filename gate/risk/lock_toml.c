// The parts of TOML that lock files are written in: tables, and keys with a string or an array.
// What stands inside of an array or a long string is passed over.
#include "gate/risk/lock_parts.h"

struct toml {
    struct lock_reading *r;
    str table; // "[package]", as written, without the outer brackets
    bool array_of_tables;
    int depth;       // of open brackets and braces
    char long_quote; // of an open string of several lines; 0 = none
};

// Looks at one line for what it opens and closes; false for a string that does not end.
static bool balance(struct toml *t, str line)
{
    char quote = 0;
    for (size_t i = 0; i < line.len; i++) {
        char c = line.data[i];
        bool triple = i + 2 < line.len && (c == '"' || c == '\'') && line.data[i + 1] == c &&
                      line.data[i + 2] == c;
        if (t->long_quote) {
            if (triple && c == t->long_quote) {
                t->long_quote = 0;
                i += 2;
            }
        } else if (quote) {
            if (c == '\\' && quote == '"')
                i++;
            else if (c == quote)
                quote = 0;
        } else if (triple) {
            t->long_quote = c;
            i += 2;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '#') {
            break;
        } else if (c == '[' || c == '{') {
            t->depth++;
        } else if (c == ']' || c == '}') {
            t->depth--;
        }
    }
    return quote == 0 && t->depth >= 0;
}

// The next key of a table, or (key empty) the beginning of a table.
static bool next_entry(struct toml *t, str *ret_key, str *ret_value, bool *ret_end)
{
    str line;
    *ret_end = false;
    for (;;) {
        bool inside = t->depth > 0 || t->long_quote;
        if (!lock_line(t->r, &line)) {
            *ret_end = true;
            return !inside || lock_refuse(t->r, 0, "the file ends inside of a value");
        }
        str trimmed = str_trim(line);
        if (!inside && trimmed.len && trimmed.data[0] == '[') {
            size_t comment = str_search(trimmed, STR(" #"));
            trimmed = str_trim(str_first(trimmed, comment));
            t->array_of_tables = str_starts(trimmed, STR("[["));
            size_t n = t->array_of_tables ? 2 : 1;
            if (trimmed.len < 2 * n + 1 || trimmed.data[trimmed.len - 1] != ']')
                return lock_refuse(t->r, 0, "this table's name does not end");
            t->table = str_trim(str_make(trimmed.data + n, trimmed.len - 2 * n));
            *ret_key = (str){0};
            return true;
        }
        if (!balance(t, line))
            return lock_refuse(t->r, 0, "this is not TOML: a string or a bracket does not fit");
        if (inside || trimmed.len == 0 || trimmed.data[0] == '#')
            continue;
        size_t equals = str_find(trimmed, '=');
        if (equals == STR_NONE)
            return lock_refuse(t->r, 0, "this is not TOML: a key and a value are wanted");
        *ret_key = lock_unquote(str_first(trimmed, equals));
        *ret_value = str_trim(str_from(trimmed, equals + 1));
        return true;
    }
}

// A string in quotes, whatever follows it.
static bool string_value(str value, str *ret)
{
    if (value.len < 2 || (value.data[0] != '"' && value.data[0] != '\''))
        return false;
    size_t end = str_find(str_from(value, 1), value.data[0]);
    if (end == STR_NONE)
        return false;
    *ret = str_make(value.data + 1, end);
    return true;
}

static bool end_package(struct toml *t, struct locked *one)
{
    bool whole = one->name.len > 0;
    // A project's own entry in uv.lock may lack a version, or be a folder: it is no dependency.
    if (whole && one->pin == PIN_EXACT && !one->nested && !lock_add(t->r, one))
        return false;
    *one = (struct locked){0};
    return true;
}

bool lock_toml(struct lock_reading *r)
{
    struct toml t = {.r = r};
    struct locked one = {0};
    bool end = false, any = false;
    while (!end) {
        str key = {0}, value = {0}, text;
        if (!next_entry(&t, &key, &value, &end))
            return false;
        if (end)
            break;
        bool package = t.array_of_tables && str_is(t.table, "package");
        if (key.len == 0 && !str_starts(t.table, STR("package."))) {
            if (!end_package(&t, &one))
                return false;
            one.ecosystem = STR("pypi");
            any |= package || str_is(t.table, "metadata");
        } else if (key.len == 0) {
            continue;
        } else if (package && str_is(key, "name") && string_value(value, &text)) {
            one.name = lock_pypi_name(r->locks->arena, text);
        } else if (package && str_is(key, "version") && string_value(value, &text)) {
            one.version = text;
            one.pin = PIN_EXACT;
            one.line = r->line;
        } else if (package && str_is(key, "source")) {
            one.nested = str_search(value, STR("editable =")) != STR_NONE ||
                         str_search(value, STR("virtual =")) != STR_NONE;
        } else if (t.table.len == 0 && str_is(key, "version")) {
            any = true; // uv.lock of a project without any dependency
        }
    }
    if (!end_package(&t, &one))
        return false;
    return any || lock_refuse(r, 1, "this is no lock file of poetry or uv: it has no package");
}

// What the project says that it needs: the interpreter from which version on, and nothing locked.
bool lock_pyproject(struct lock_reading *r)
{
    struct toml t = {.r = r};
    bool end = false;
    while (!end) {
        str key = {0}, value = {0}, text;
        if (!next_entry(&t, &key, &value, &end))
            return false;
        bool project = str_is(t.table, "project") && str_is(key, "requires-python");
        bool poetry = str_is(t.table, "tool.poetry.dependencies") && str_is(key, "python");
        if (end || (!project && !poetry) || !string_value(value, &text))
            continue;
        struct locked one = {.ecosystem = STR("runtime"), .name = STR("python")};
        lock_specifier(r->locks->arena, text, false, &one);
        if (!lock_add(r, &one))
            return false;
    }
    return true;
}
