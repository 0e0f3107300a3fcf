// Migrations in SQL, statement by statement: enough of its words to tell what they leave behind.
#include "gate/risk/migration_parts.h"

enum { WORDS = 512 };

struct statement {
    str words[WORDS]; // unquoted names and keywords, and each `,` `(` `)`
    size_t count;
    uint32_t line;
    bool more; // it has more words than are looked at
};

struct reader {
    const char *at, *end;
    uint32_t line;
};

static str rest_of(const struct reader *r)
{
    return str_make(r->at, (size_t)(r->end - r->at));
}

static void pass(struct reader *r, size_t count)
{
    for (; count && r->at < r->end; count--)
        r->line += *r->at++ == '\n';
}

// Past `mark`, or false when it does not come.
static bool pass_through(struct reader *r, str mark)
{
    size_t at = str_search(rest_of(r), mark);
    pass(r, at == STR_NONE ? rest_of(r).len : at + mark.len);
    return at != STR_NONE;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || (unsigned char)c >= 0x80;
}

// `$$` or `$name$`; empty when there is none here.
static str dollar_quote(const struct reader *r)
{
    size_t len = 1;
    while (r->at + len < r->end && is_word(r->at[len]))
        len++;
    return r->at + len < r->end && r->at[len] == '$' ? str_make(r->at, len + 1) : (str){NULL, 0};
}

// Its words are left as they are: a file may be nothing but semicolons.
static void statement_begin(struct statement *statement)
{
    statement->count = statement->line = 0;
    statement->more = false;
}

static void add_word(struct statement *statement, const struct reader *r, str word)
{
    if (statement->count == 0)
        statement->line = r->line;
    if (statement->count < WORDS)
        statement->words[statement->count++] = word;
    else
        statement->more = true;
}

// One piece of a statement: a word, a string, a comment, a sign.
static bool read_piece(struct reader *r, struct statement *statement, struct error *err)
{
    uint32_t from = r->line;
    str rest = rest_of(r), dollar = *r->at == '$' ? dollar_quote(r) : (str){NULL, 0};
    bool whole = true;
    const char *what = "a string";
    if (is_word(*r->at)) {
        size_t len = 0;
        while (len < rest.len && is_word(rest.data[len]))
            len++;
        add_word(statement, r, str_first(rest, len));
        pass(r, len);
    } else if (str_starts(rest, STR("--"))) {
        (void)pass_through(r, STR("\n"));
    } else if (str_starts(rest, STR("/*"))) {
        what = "a comment";
        whole = pass_through(r, STR("*/"));
    } else if (*r->at == '\'' || *r->at == '"') {
        char quote = *r->at;
        if (quote == '"')
            add_word(statement, r, STR("\"\""));
        pass(r, 1);
        whole = pass_through(r, str_make(&quote, 1)); // a doubled one begins the next
    } else if (dollar.len) {
        pass(r, dollar.len);
        whole = pass_through(r, dollar);
    } else {
        if (*r->at == ',' || *r->at == '(' || *r->at == ')')
            add_word(statement, r, str_make(r->at, 1));
        pass(r, 1);
    }
    return whole || error_set(err, ERROR_INPUT, "%u: the file ends within %s that begins here",
                              (unsigned)from, what);
}

static bool is(const struct statement *statement, size_t at, const char *word)
{
    return at < statement->count && str_cmp_any_case(statement->words[at], str_of(word)) == 0;
}

static bool is_one_of(const struct statement *statement, size_t at, const char *const *words)
{
    while (*words && !is(statement, at, *words))
        words++;
    return *words != NULL;
}

// ---- what a statement leaves behind ------------------------------------------------------------

// Older code writes rows without the new column: the database must fill it by itself.
static enum migration_kind kind_of_column(const struct statement *s, size_t at)
{
    bool needed = false, filled = false;
    for (unsigned depth = 0; at < s->count && !(depth == 0 && is(s, at, ",")); at++) {
        depth += is(s, at, "(");
        depth -= depth > 0 && is(s, at, ")");
        needed |= (is(s, at, "not") && is(s, at + 1, "null")) || is(s, at, "primary") ||
                  is(s, at, "unique") || is(s, at, "references") || is(s, at, "check");
        filled |= is(s, at, "default") || is(s, at, "generated") || is(s, at, "serial") ||
                  is(s, at, "bigserial");
    }
    return needed && !filled ? MIGRATION_REVERSIBLE : MIGRATION_ADDITIVE;
}

static enum migration_kind kind_of_action(const struct statement *s, size_t at)
{
    static const char *const constraints[] = {"constraint", "unique",  "check", "foreign",
                                              "primary",    "exclude", NULL};
    static const char *const loosening[] = {"not",      "default",    "constraint",
                                            "identity", "expression", NULL};
    if (is(s, at, "add"))
        return is_one_of(s, at + 1, constraints) ? MIGRATION_REVERSIBLE : kind_of_column(s, at + 1);
    if (is(s, at, "drop"))
        return is_one_of(s, at + 1, loosening) ? MIGRATION_ADDITIVE : MIGRATION_IRREVERSIBLE;
    if (is(s, at, "rename") || is(s, at, "type") ||
        (is(s, at, "set") && (is(s, at + 1, "not") || is(s, at + 1, "schema"))))
        return MIGRATION_REVERSIBLE;
    return MIGRATION_ADDITIVE;
}

static enum migration_kind kind_of_alter(const struct statement *s)
{
    enum migration_kind worst = MIGRATION_ADDITIVE;
    if (!is(s, 1, "table"))
        return is(s, 1, "index") || is(s, 1, "sequence") ? MIGRATION_ADDITIVE
                                                         : MIGRATION_REVERSIBLE;
    unsigned depth = 0;
    for (size_t at = 2; at < s->count; at++) {
        depth += is(s, at, "(");
        depth -= depth > 0 && is(s, at, ")");
        enum migration_kind kind = depth ? MIGRATION_ADDITIVE : kind_of_action(s, at);
        worst = kind > worst ? kind : worst;
    }
    return worst;
}

static enum migration_kind kind_of_statement(const struct statement *s)
{
    static const char *const harmless[] = {
        "insert",  "select", "set",  "begin",   "start",   "commit",    "comment", "grant",
        "analyze", "vacuum", "lock", "reindex", "explain", "savepoint", "release", NULL};
    if (s->more)
        return MIGRATION_IRREVERSIBLE;
    if (is_one_of(s, 0, harmless))
        return MIGRATION_ADDITIVE;
    if (is(s, 0, "create"))
        return is(s, 1, "or") || is(s, 1, "unique") || is(s, 1, "trigger") || is(s, 1, "rule")
                   ? MIGRATION_REVERSIBLE
                   : MIGRATION_ADDITIVE;
    if (is(s, 0, "alter"))
        return kind_of_alter(s);
    if (is(s, 0, "drop") && is(s, 1, "index"))
        return MIGRATION_ADDITIVE;
    return MIGRATION_IRREVERSIBLE;
}

static void add_statement(struct arena *arena, struct migration *migration,
                          const struct statement *s)
{
    if (s->count == 0)
        return;
    str what =
        s->count > 1 && s->words[1].data[0] != '('
            ? arena_format(arena, STR_FMT " " STR_FMT, STR_ARG(s->words[0]), STR_ARG(s->words[1]))
            : s->words[0];
    migration_add(arena, migration, kind_of_statement(s), s->line, what);
}

bool migration_read_sql(struct arena *arena, struct migration *migration, str bytes, uint32_t line,
                        struct error *err)
{
    struct reader r = {bytes.data, bytes.data + bytes.len, line};
    struct statement statement;
    statement_begin(&statement);
    while (r.at < r.end) {
        if (*r.at == ';') {
            add_statement(arena, migration, &statement);
            statement_begin(&statement);
            pass(&r, 1);
        } else if (!read_piece(&r, &statement, err)) {
            return false;
        }
    }
    add_statement(arena, migration, &statement);
    return true;
}
