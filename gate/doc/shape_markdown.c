#include "gate/base/limits.h"
#include "gate/doc/shape.h"

#include <assert.h>

enum { PATH_MAX_BYTES = 512 };

static void add_rows(const struct shape *shape, const char *prefix, unsigned depth,
                     struct text *out);

// `|` ends a cell of a table, even inside backquotes.
static void add_cell(struct text *out, const char *words)
{
    for (const char *c = words ? words : ""; *c; c++) {
        if (*c == '|')
            text_addc(out, '\\');
        text_add(out, *c == '\n' ? STR(" ") : str_make(c, 1));
    }
}

static void add_kind(struct text *out, const struct shape_field *field)
{
    static const char *const words[] = {[SHAPE_BOOL] = "true or false",
                                        [SHAPE_INT] = "whole number",
                                        [SHAPE_NUMBER] = "number",
                                        [SHAPE_STR] = "text",
                                        [SHAPE_PERCENT] = "percentage",
                                        [SHAPE_POINTS] = "percentage points",
                                        [SHAPE_DURATION] = "duration",
                                        [SHAPE_DATE] = "date",
                                        [SHAPE_CHOICE] = "one of",
                                        [SHAPE_STRUCT] = "map",
                                        [SHAPE_OPTIONAL] = "map",
                                        [SHAPE_LIST] = "list of",
                                        [SHAPE_MAP] = "map of names to",
                                        [SHAPE_NODE] = "map",
                                        [SHAPE_LATER] = ""};
    text_adds(out, words[field->kind]);
    if (field->kind == SHAPE_CHOICE)
        for (int i = 0; field->choices[i]; i++)
            text_addf(out, "%s `%s`", i ? "," : "", field->choices[i]);
    if (field->kind == SHAPE_INT && field->max > field->min)
        text_addf(out, " from %lld to %lld", (long long)field->min, (long long)field->max);
    if ((field->kind == SHAPE_LIST || field->kind == SHAPE_MAP) && field->shape)
        text_addf(out, " %s", field->shape->name);
    bool nested = field->kind == SHAPE_STRUCT || field->kind == SHAPE_OPTIONAL;
    if (nested && field->shape->shorthand)
        text_addf(out, ", or `%s` alone", field->shape->shorthand);
}

static void add_row(const struct shape_field *field, const char *prefix, unsigned depth,
                    struct text *out)
{
    struct text path = text_of(PATH_MAX_BYTES);
    text_addf(&path, "%s%s", prefix, field->key);
    text_adds(out, "| `");
    add_cell(out, text_c(&path));
    text_adds(out, "` | ");
    add_kind(out, field);
    text_adds(out, " | ");
    if (field->required)
        text_adds(out, "required");
    else if (field->fallback)
        text_addf(out, "`%s`", field->fallback);
    text_adds(out, " | ");
    add_cell(out, field->doc);
    text_adds(out, " |\n");
    if (field->shape && !shape_is_scalar(field->shape)) {
        text_adds(&path, field->kind == SHAPE_LIST  ? "[]."
                         : field->kind == SHAPE_MAP ? ".<name>."
                                                    : ".");
        add_rows(field->shape, text_c(&path), depth + 1, out);
    }
    text_done(&path);
}

static void add_rows(const struct shape *shape, const char *prefix, unsigned depth,
                     struct text *out)
{
    assert(depth < LIMIT_DOC_DEPTH); // a shape that holds itself is a programmer's error
    for (const struct shape_field *f = shape->fields; f->kind != SHAPE_END; f++)
        if (f->kind != SHAPE_KEY && f->kind != SHAPE_LATER)
            add_row(f, prefix, depth, out);
}

void shape_markdown(const struct shape *shape, struct text *out)
{
    text_adds(out, "| Key | Value | Default | Meaning |\n|---|---|---|---|\n");
    add_rows(shape, "", 0, out);
}
