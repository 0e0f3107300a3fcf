#include "gate/risk/import.h"

#include "gate/base/moment.h"
#include "gate/doc/json.h"

#include <stdlib.h>

enum {
    ID,
    TITLE,
    LIKELIHOOD,
    IMPACT,
    FLOW,
    WEIGHT,
    PATHS,
    OWNER,
    STATUS,
    DUE,
    EFFORT,
    TREATMENT,
    LINK
};

static const struct {
    const char *key;
    const char *headings[8];
} columns[IMPORT_COLUMNS] = {
    [ID] = {"id", {"id", "risk id", "key", "ref", "reference", "no", "number"}},
    [TITLE] = {"title", {"title", "name", "risk", "summary", "description", "risk description"}},
    [LIKELIHOOD] = {"likelihood", {"likelihood", "probability", "chance", "p"}},
    [IMPACT] = {"impact", {"impact", "consequence", "severity", "effect", "i"}},
    [FLOW] = {"flow", {"flow", "business flow", "process"}},
    [WEIGHT] = {"weight", {"weight", "business weight"}},
    [PATHS] = {"paths", {"paths", "path", "files", "component"}},
    [OWNER] = {"owner", {"owner", "risk owner", "assignee", "responsible"}},
    [STATUS] = {"status", {"status", "state"}},
    [DUE] = {"due", {"due", "due date", "deadline", "review date", "target date"}},
    [EFFORT] = {"effort", {"effort", "effort days", "days", "estimate"}},
    [TREATMENT] = {"treatment",
                   {"treatment", "mitigation", "response", "action", "mitigation plan"}},
    [LINK] = {"link", {"link", "url", "ticket", "issue"}},
};

struct word {
    const char *text;
    int value;
};

static const struct word likelihood_words[] = {
    {"rare", 1},      {"very low", 1},       {"unlikely", 2}, {"low", 2},  {"possible", 3},
    {"medium", 3},    {"moderate", 3},       {"likely", 4},   {"high", 4}, {"certain", 5},
    {"very high", 5}, {"almost certain", 5}, {NULL, 0}};
static const struct word impact_words[] = {
    {"negligible", 1}, {"insignificant", 1}, {"very low", 1}, {"minor", 2},        {"low", 2},
    {"moderate", 3},   {"medium", 3},        {"major", 4},    {"high", 4},         {"critical", 5},
    {"severe", 5},     {"very high", 5},     {"extreme", 5},  {"catastrophic", 5}, {NULL, 0}};
enum { OPEN, MITIGATING, ACCEPTED, CLOSED };
static const char *const statuses[] = {"open", "mitigating", "accepted", "closed"};
static const struct word status_words[] = {{"open", OPEN},
                                           {"new", OPEN},
                                           {"identified", OPEN},
                                           {"mitigating", MITIGATING},
                                           {"in progress", MITIGATING},
                                           {"treating", MITIGATING},
                                           {"accepted", ACCEPTED},
                                           {"closed", CLOSED},
                                           {"done", CLOSED},
                                           {"resolved", CLOSED},
                                           {"mitigated", CLOSED},
                                           {NULL, 0}};

// Headings are compared in small letters, with one space where there is `_`, `-` or more spaces.
static str plain(struct arena *arena, str s)
{
    char *out = ARENA_ARRAY(arena, char, s.len + 1);
    size_t n = 0;
    s = str_trim(s);
    for (size_t i = 0; i < s.len; i++) {
        char c = char_lower(s.data[i]);
        if (c == '_' || c == '-' || c == '\n')
            c = ' ';
        if (c == ' ' && n && out[n - 1] == ' ')
            continue;
        out[n++] = c;
    }
    return str_make(out, n);
}

static int column_of(str heading)
{
    for (int i = 0; i < IMPORT_COLUMNS; i++)
        for (size_t k = 0; k < sizeof columns[i].headings / sizeof *columns[i].headings; k++)
            if (columns[i].headings[k] && str_is(heading, columns[i].headings[k]))
                return i;
    return -1;
}

bool import_header(struct risk_import *import, const str *fields, size_t count, struct error *err)
{
    static const int needed[] = {TITLE, LIKELIHOOD, IMPACT};
    import->columns = count;
    import->left_out = ARENA_ARRAY(import->arena, str, count + 1);
    for (size_t i = 0; i < count; i++) {
        str field = fields[i];
        if (i == 0 && str_starts(field, STR("\xEF\xBB\xBF")))
            field = str_from(field, 3);
        int column = column_of(plain(import->arena, field));
        if (column < 0) {
            import->left_out[import->left_out_count++] = arena_str(import->arena, field);
            continue;
        }
        if (import->column[column])
            return error_set(err, ERROR_INPUT,
                             "the columns %zu and %zu (`" STR_FMT "`) both stand for `%s`: rename "
                             "one of them",
                             import->column[column], i + 1, STR_ARG(str_shorten(field, 100)),
                             columns[column].key);
        import->column[column] = i + 1;
    }
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!import->column[needed[i]])
            return error_set(err, ERROR_INPUT,
                             "no column has the heading `%s`, which every risk needs",
                             columns[needed[i]].key);
    text_adds(import->out, "version: 1\n");
    import->yaml_line = 2;
    if (import->left_out_count) {
        text_adds(import->out, "# columns left out:");
        for (size_t i = 0; i < import->left_out_count; i++) {
            struct json_out json = json_out_of(import->out, JSON_COMPACT);
            text_adds(import->out, i ? ", " : " ");
            json_add_str(&json, NULL, import->left_out[i]);
        }
        text_addc(import->out, '\n');
        import->yaml_line++;
    }
    return true;
}

static bool word_value(struct risk_import *import, str value, const struct word *words, int *ret)
{
    str word = plain(import->arena, value);
    for (size_t i = 0; words[i].text; i++)
        if (str_is(word, words[i].text)) {
            *ret = words[i].value;
            return true;
        }
    return false;
}

static void add_key(struct risk_import *import, const char *key, bool first)
{
    text_addf(import->out, "  %s %s: ", first ? "-" : " ", key);
    import->yaml_line++;
}

static void add_quoted(struct risk_import *import, str value)
{
    struct json_out json = json_out_of(import->out, JSON_COMPACT);
    json_add_str(&json, NULL, value);
}

static bool refuse(const char *key, str value, const char *wanted, struct error *err)
{
    return error_set(err, ERROR_INPUT, "`" STR_FMT "` is no %s: %s",
                     STR_ARG(str_shorten(value, 100)), key, wanted);
}

// 1 to 5 as a number or a word.
static bool add_grade(struct risk_import *import, int column, str value, struct error *err)
{
    int64_t number;
    int grade;
    if (number_i64(value, &number) && number >= 1 && number <= 5)
        grade = (int)number;
    else if (!word_value(import, value, column == LIKELIHOOD ? likelihood_words : impact_words,
                         &grade))
        return refuse(columns[column].key, value,
                      column == LIKELIHOOD
                          ? "1 to 5, or rare, unlikely, possible, likely, almost certain"
                          : "1 to 5, or negligible, minor, moderate, major, severe",
                      err);
    text_addf(import->out, "%d", grade);
    return true;
}

static void add_paths(struct risk_import *import, str value)
{
    bool first = true;
    text_addc(import->out, '[');
    while (value.len) {
        str one = str_trim(str_cut(&value, ';'));
        if (one.len == 0)
            continue;
        text_adds(import->out, first ? "" : ", ");
        add_quoted(import, one);
        first = false;
    }
    text_addc(import->out, ']');
}

static bool add_value(struct risk_import *import, int column, str value, struct error *err)
{
    int64_t days;
    double number;
    int status;
    switch (column) {
    case LIKELIHOOD:
    case IMPACT:
        return add_grade(import, column, value, err);
    case STATUS:
        if (!word_value(import, value, status_words, &status))
            return refuse("status", value, "open, mitigating, accepted or closed", err);
        text_adds(import->out, statuses[status]);
        return true;
    case DUE:
        value = str_first(value, 10); // a time of day may follow
        if (!date_parse(value, &days))
            return refuse("date", value, "write it as 2027-01-31", err);
        text_add(import->out, value);
        return true;
    case WEIGHT:
    case EFFORT:
        if (!number_double(value, &number) || number < 0)
            return refuse(columns[column].key, value, "a number is needed", err);
        text_add(import->out, value);
        return true;
    case PATHS:
        add_paths(import, value);
        return true;
    default:
        add_quoted(import, value);
        return true;
    }
}

bool import_record(struct risk_import *import, const str *fields, size_t count, uint32_t line,
                   struct error *err)
{
    if (count != import->columns)
        return error_set(err, ERROR_INPUT, "%zu fields stand under %zu headings", count,
                         import->columns);
    if (import->row_count == 0) {
        text_adds(import->out, "risks:\n");
        import->yaml_line++;
    }
    import->rows = arena_grow(import->arena, import->rows, import->row_count, &import->row_room,
                              sizeof *import->rows);
    import->rows[import->row_count++] =
        (struct import_row){.yaml_line = import->yaml_line, .line = line};
    for (int i = 0; i < IMPORT_COLUMNS; i++) {
        str value = import->column[i] ? str_trim(fields[import->column[i] - 1]) : (str){NULL, 0};
        bool needed = i == TITLE || i == LIKELIHOOD || i == IMPACT;
        if (value.len == 0 && needed)
            return error_set(err, ERROR_INPUT, "the %s is empty", columns[i].key);
        if (value.len == 0 && i != ID)
            continue;
        add_key(import, columns[i].key, i == ID);
        if (i == ID)
            import->rows[import->row_count - 1].id =
                value.len ? arena_str(import->arena, value)
                          : arena_format(import->arena, "R-%zu", import->row_count);
        if (value.len == 0)
            text_add(import->out, import->rows[import->row_count - 1].id);
        else if (!add_value(import, i, value, err))
            return false;
        text_addc(import->out, '\n');
    }
    return true;
}

static int by_id(const void *left, const void *right)
{
    const struct import_row *a = left, *b = right;
    int order = str_cmp(a->id, b->id);
    return order ? order : (a->line > b->line) - (a->line < b->line);
}

bool import_end(struct risk_import *import, struct error *err)
{
    if (import->row_count == 0)
        return true;
    struct import_row *rows = ARENA_ARRAY(import->arena, struct import_row, import->row_count);
    memcpy(rows, import->rows, import->row_count * sizeof *rows);
    qsort(rows, import->row_count, sizeof *rows, by_id);
    for (size_t i = 1; i < import->row_count; i++)
        if (str_eq(rows[i - 1].id, rows[i].id))
            return error_at(err, ERROR_INPUT, (struct position){NULL, rows[i].line, 0},
                            "the id `" STR_FMT "` stands twice: first in line %u",
                            STR_ARG(str_shorten(rows[i].id, 100)), rows[i - 1].line);
    return true;
}

uint32_t import_line(const struct risk_import *import, uint32_t yaml_line)
{
    uint32_t line = 0;
    for (size_t i = 0; i < import->row_count && import->rows[i].yaml_line <= yaml_line; i++)
        line = import->rows[i].line;
    return line;
}
