// Django's migrations: the list `operations` of the file, call by call, as text.
#include "gate/risk/migration_parts.h"

enum { ARGUMENTS = 24, NESTED = 4 };

struct reader {
    const char *at, *end;
    uint32_t line;
};

struct argument {
    str keyword; // empty: by its place
    str value;
    uint32_t line;
};

struct call { // migrations.AddField(model_name='order', name='note', field=…)
    str name; // behind the last dot
    struct argument arguments[ARGUMENTS];
    size_t count;
    uint32_t line;
    bool plain; // a name and its arguments, and nothing else; at most ARGUMENTS of them
};

static void pass(struct reader *r, size_t count)
{
    for (; count && r->at < r->end; count--)
        r->line += *r->at++ == '\n';
}

static str rest_of(const struct reader *r)
{
    return str_make(r->at, (size_t)(r->end - r->at));
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\\';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static void skip_space(struct reader *r)
{
    while (r->at < r->end) {
        if (is_space(*r->at)) {
            pass(r, 1);
        } else if (*r->at == '#') {
            size_t to_end = str_find(rest_of(r), '\n');
            pass(r, to_end == STR_NONE ? rest_of(r).len : to_end);
        } else {
            break;
        }
    }
}

static bool cut_off(uint32_t from, const char *what, struct error *err)
{
    return error_set(err, ERROR_INPUT, "%u: the file ends within %s that begins here",
                     (unsigned)from, what);
}

// From a quote to the one that ends it.
static bool skip_string(struct reader *r, struct error *err)
{
    uint32_t from = r->line;
    char quote = *r->at;
    char triple[3] = {quote, quote, quote};
    bool is_triple = str_starts(rest_of(r), str_make(triple, 3));
    str mark = str_make(triple, is_triple ? 3 : 1);
    pass(r, mark.len);
    while (r->at < r->end && !str_starts(rest_of(r), mark)) {
        if (*r->at == '\n' && !is_triple)
            return cut_off(from, "a string", err);
        pass(r, *r->at == '\\' ? 2 : 1);
    }
    if (r->at >= r->end)
        return cut_off(from, "a string", err);
    pass(r, mark.len);
    return true;
}

// Up to the first of `stops` that stands in no bracket and no string.
static bool skip_until(struct reader *r, const char *stops, struct error *err)
{
    uint32_t from = r->line, depth = 0;
    while (r->at < r->end) {
        char c = *r->at;
        if (depth == 0 && c != '\0' && strchr(stops, c)) // strchr finds the end of `stops` as well
            return true;
        if (c == '"' || c == '\'') {
            if (!skip_string(r, err))
                return false;
            continue;
        }
        if (c == '#') {
            skip_space(r);
            continue;
        }
        depth += c == '(' || c == '[' || c == '{';
        depth -= depth > 0 && (c == ')' || c == ']' || c == '}');
        pass(r, 1);
    }
    return cut_off(from, "a bracket", err);
}

static str word(struct reader *r)
{
    const char *from = r->at;
    while (r->at < r->end && is_word(*r->at))
        r->at++;
    return str_make(from, (size_t)(r->at - from));
}

// `name =`, but not `name ==`.
static str keyword_of(struct reader *r)
{
    struct reader ahead = *r;
    str name = word(&ahead);
    skip_space(&ahead);
    bool given = name.len && ahead.at < ahead.end && *ahead.at == '=' &&
                 !(ahead.at + 1 < ahead.end && ahead.at[1] == '=');
    if (!given)
        return (str){NULL, 0};
    pass(&ahead, 1);
    skip_space(&ahead);
    *r = ahead;
    return name;
}

static bool read_arguments(struct reader *r, struct call *call, struct error *err)
{
    for (skip_space(r); r->at < r->end && *r->at != ')'; skip_space(r)) {
        struct argument argument = {.keyword = keyword_of(r), .line = r->line};
        const char *from = r->at;
        if (!skip_until(r, ",)", err))
            return false;
        argument.value = str_trim(str_make(from, (size_t)(r->at - from)));
        if (call->count < ARGUMENTS)
            call->arguments[call->count++] = argument;
        else
            call->plain = false;
        if (*r->at == ',')
            pass(r, 1);
    }
    if (r->at >= r->end)
        return cut_off(call->line, "a call", err);
    pass(r, 1);
    return true;
}

static bool read_call(struct reader *r, struct call *ret, struct error *err)
{
    *ret = (struct call){.line = r->line, .plain = true};
    while (r->at < r->end && (is_word(*r->at) || *r->at == '.')) {
        if (*r->at == '.')
            pass(r, 1);
        ret->name = word(r);
    }
    skip_space(r);
    ret->plain = ret->name.len && r->at < r->end && *r->at == '(';
    pass(r, ret->plain);
    return !ret->plain || read_arguments(r, ret, err);
}

// One entry of a list, up to the comma or bracket behind it.
static bool read_entry(struct reader *r, struct call *ret, struct error *err)
{
    if (!read_call(r, ret, err))
        return false;
    const char *behind = r->at;
    if (!skip_until(r, ",]", err))
        return false;
    ret->plain = ret->plain && str_trim(str_make(behind, (size_t)(r->at - behind))).len == 0;
    return true;
}

// By its keyword or its place; null when it is not there, or None.
static const struct argument *argument_of(const struct call *call, const char *keyword,
                                          size_t place)
{
    const struct argument *found = NULL;
    for (size_t i = 0; i < call->count; i++) {
        const struct argument *argument = &call->arguments[i];
        if (argument->keyword.len ? str_is(argument->keyword, keyword) : i == place)
            found = argument;
    }
    return found && !str_is(found->value, "None") ? found : NULL;
}

// ---- operations --------------------------------------------------------------------------------

static const struct {
    const char *name;
    enum migration_kind kind;
} operations[] = {
    {"CreateModel", MIGRATION_ADDITIVE},
    {"AddIndex", MIGRATION_ADDITIVE},
    {"AddIndexConcurrently", MIGRATION_ADDITIVE},
    {"RemoveIndex", MIGRATION_ADDITIVE},
    {"RemoveIndexConcurrently", MIGRATION_ADDITIVE},
    {"RenameIndex", MIGRATION_ADDITIVE},
    {"RemoveConstraint", MIGRATION_ADDITIVE},
    {"AlterModelOptions", MIGRATION_ADDITIVE},
    {"AlterModelManagers", MIGRATION_ADDITIVE},
    {"AlterModelTableComment", MIGRATION_ADDITIVE},
    {"AlterOrderWithRespectTo", MIGRATION_REVERSIBLE},
    {"CreateExtension", MIGRATION_ADDITIVE},
    {"CreateCollation", MIGRATION_ADDITIVE},
    {"ValidateConstraint", MIGRATION_ADDITIVE},
    {"AddConstraint", MIGRATION_REVERSIBLE},
    {"AddConstraintNotValid", MIGRATION_REVERSIBLE},
    {"AlterConstraint", MIGRATION_REVERSIBLE},
    {"AlterUniqueTogether", MIGRATION_REVERSIBLE},
    {"AlterIndexTogether", MIGRATION_ADDITIVE},
    {"AlterField", MIGRATION_REVERSIBLE},
    {"AlterModelTable", MIGRATION_REVERSIBLE},
    {"RenameField", MIGRATION_REVERSIBLE},
    {"RenameModel", MIGRATION_REVERSIBLE},
    {"RemoveField", MIGRATION_IRREVERSIBLE},
    {"DeleteModel", MIGRATION_IRREVERSIBLE},
};

// Older code writes rows without the new column: the database must fill it by itself.
static enum migration_kind kind_of_field(const struct call *call)
{
    const struct argument *given = argument_of(call, "field", 2);
    struct error ignored;
    struct call field;
    if (!given)
        return MIGRATION_IRREVERSIBLE;
    struct reader r = {given->value.data, given->value.data + given->value.len, given->line};
    if (!read_call(&r, &field, &ignored) || !field.plain || r.at != r.end)
        return MIGRATION_REVERSIBLE;
    const struct argument *null = argument_of(&field, "null", ARGUMENTS);
    bool fits = str_is(field.name, "ManyToManyField") ||
                argument_of(&field, "db_default", ARGUMENTS) ||
                (null && str_is(null->value, "True"));
    return fits ? MIGRATION_ADDITIVE : MIGRATION_REVERSIBLE;
}

// The text between the quotes, when there is nothing else.
static bool literal_of(const struct argument *argument, str *ret)
{
    struct error ignored;
    str value = argument->value;
    if (value.len && (value.data[0] == 'r' || value.data[0] == 'R'))
        value = str_from(value, 1);
    if (value.len < 2 || (value.data[0] != '"' && value.data[0] != '\''))
        return false;
    struct reader r = {value.data, value.data + value.len, 1};
    bool triple =
        value.len >= 6 && value.data[1] == value.data[0] && value.data[2] == value.data[0];
    if (!skip_string(&r, &ignored) || r.at != r.end)
        return false;
    size_t mark = triple ? 3 : 1;
    *ret = str_make(value.data + mark, value.len - 2 * mark);
    return true;
}

static bool add_sql(struct arena *arena, struct migration *migration, const struct call *call,
                    struct error *err)
{
    const struct argument *sql = argument_of(call, "sql", 0);
    struct migration inner = {.path = migration->path};
    str statements;
    bool back = argument_of(call, "reverse_sql", 1) != NULL;
    if (!sql || !literal_of(sql, &statements)) {
        migration_add(arena, migration, back ? MIGRATION_REVERSIBLE : MIGRATION_IRREVERSIBLE,
                      call->line, call->name);
        return true;
    }
    if (!migration_read_sql(arena, &inner, statements, sql->line, err))
        return false;
    if (back && inner.kind == MIGRATION_IRREVERSIBLE)
        inner.kind = MIGRATION_REVERSIBLE;
    str what = arena_format(arena, "RunSQL: " STR_FMT, STR_ARG(inner.what));
    migration_add(arena, migration, inner.kind, inner.line ? inner.line : call->line, what);
    return true;
}

static bool read_list(struct arena *arena, struct migration *migration, struct reader *r,
                      unsigned depth, struct error *err);

static bool add_nested(struct arena *arena, struct migration *migration, const struct call *call,
                       unsigned depth, struct error *err)
{
    const struct argument *list = argument_of(call, "database_operations", 0);
    if (!list)
        return true; // only what Django believes is changed
    struct reader r = {list->value.data, list->value.data + list->value.len, list->line};
    if (depth >= NESTED || list->value.len == 0 || *r.at != '[') {
        migration_add(arena, migration, MIGRATION_IRREVERSIBLE, call->line, call->name);
        return true;
    }
    pass(&r, 1);
    return read_list(arena, migration, &r, depth + 1, err);
}

static bool add_operation(struct arena *arena, struct migration *migration, const struct call *call,
                          unsigned depth, struct error *err)
{
    enum migration_kind kind = MIGRATION_IRREVERSIBLE;
    str name = call->name.len ? call->name : STR("what is no call");
    if (call->plain && str_is(name, "RunSQL"))
        return add_sql(arena, migration, call, err);
    if (call->plain && str_is(name, "SeparateDatabaseAndState"))
        return add_nested(arena, migration, call, depth, err);
    if (call->plain && str_is(name, "AddField")) {
        kind = kind_of_field(call);
    } else if (call->plain && str_is(name, "RunPython")) {
        kind = argument_of(call, "reverse_code", 1) ? MIGRATION_REVERSIBLE : MIGRATION_IRREVERSIBLE;
    } else {
        for (size_t i = 0; call->plain && i < sizeof operations / sizeof operations[0]; i++)
            if (str_is(name, operations[i].name))
                kind = operations[i].kind;
    }
    migration_add(arena, migration, kind, call->line, name);
    return true;
}

// Behind its bracket.
static bool read_list(struct arena *arena, struct migration *migration, struct reader *r,
                      unsigned depth, struct error *err)
{
    uint32_t from = r->line;
    for (skip_space(r); r->at < r->end && *r->at != ']'; skip_space(r)) {
        struct call call;
        if (!read_entry(r, &call, err) || !add_operation(arena, migration, &call, depth, err))
            return false;
        if (r->at < r->end && *r->at == ',')
            pass(r, 1);
    }
    return r->at < r->end || cut_off(from, "a list", err);
}

bool migration_read_django(struct arena *arena, struct migration *migration, str bytes,
                           struct error *err)
{
    struct reader r = {bytes.data, bytes.data + bytes.len, 1};
    while (r.at < r.end) {
        skip_space(&r);
        if (r.at >= r.end)
            break;
        if (*r.at == '"' || *r.at == '\'') {
            if (!skip_string(&r, err))
                return false;
        } else if (is_word(*r.at)) {
            str name = word(&r);
            skip_space(&r);
            bool more = r.at < r.end && *r.at == '+'; // operations += […]
            struct reader ahead = r;
            pass(&ahead, more);
            if (!str_is(name, "operations") || ahead.at >= ahead.end || *ahead.at != '=')
                continue;
            r = ahead;
            pass(&r, 1);
            skip_space(&r);
            if (r.at >= r.end || *r.at != '[') {
                migration_add(arena, migration, MIGRATION_IRREVERSIBLE, r.line,
                              STR("operations that are no list"));
                continue;
            }
            pass(&r, 1);
            if (!read_list(arena, migration, &r, 0, err))
                return false;
        } else {
            pass(&r, 1);
        }
    }
    return true;
}
