#include "gate/base/limits.h"
#include "gate/doc/json.h"
#include "gate/doc/shape.h"

#include <assert.h>

static void add_shape(struct json_out *out, const struct shape *shape);
static void add_value(struct json_out *out, const struct shape_field *field);

static void add_text(struct json_out *out, const char *key, const char *value)
{
    if (value)
        json_add_str(out, key, str_of(value));
}

static void add_pattern(struct json_out *out, const char *pattern)
{
    add_text(out, "type", "string");
    add_text(out, "pattern", pattern);
}

static void add_int(struct json_out *out, const struct shape_field *field)
{
    add_text(out, "type", "integer");
    json_add_i64(out, "minimum", field->min);
    if (field->max >= field->min && (field->max != 0 || field->min != 0))
        json_add_i64(out, "maximum", field->max);
}

static void add_choices(struct json_out *out, const struct shape_field *field)
{
    json_open_list(out, "enum");
    for (int i = 0; field->choices[i]; i++) {
        enum node_kind kind = node_resolve(str_of(field->choices[i]));
        if (kind == NODE_BOOL || kind == NODE_NUMBER) // unquoted in YAML, it is no string
            json_add_raw(out, NULL, str_of(field->choices[i]));
        json_add_str(out, NULL, str_of(field->choices[i]));
    }
    json_close(out);
}

static void add_list(struct json_out *out, const struct shape_field *field)
{
    json_open_list(out, "anyOf");
    if (field->max <= 0 || field->min <= 1) {
        json_open_map(out, NULL);
        add_shape(out, field->shape);
        json_close(out);
    }
    json_open_map(out, NULL);
    add_text(out, "type", "array");
    if (field->max > 0) {
        json_add_i64(out, "minItems", field->min);
        json_add_i64(out, "maxItems", field->max);
    }
    json_open_map(out, "items");
    add_shape(out, field->shape);
    json_close(out);
    json_close(out);
    json_close(out);
}

static void add_map(struct json_out *out, const struct shape_field *field)
{
    add_text(out, "type", "object");
    if (field->max > 0) {
        json_add_i64(out, "minProperties", field->min);
        json_add_i64(out, "maxProperties", field->max);
    }
    json_open_map(out, "additionalProperties");
    add_shape(out, field->shape);
    json_close(out);
}

// What the value of a field may be, into the open map.
static void add_value(struct json_out *out, const struct shape_field *field)
{
    switch (field->kind) {
    case SHAPE_BOOL:
        add_text(out, "type", "boolean");
        return;
    case SHAPE_INT:
        add_int(out, field);
        return;
    case SHAPE_NUMBER:
        add_text(out, "type", "number");
        json_add_i64(out, "minimum", 0);
        return;
    case SHAPE_STR:
        json_open_list(out, "type");
        json_add_str(out, NULL, STR("string"));
        json_add_str(out, NULL, STR("number"));
        json_close(out);
        json_add_i64(out, "minLength", 1);
        return;
    case SHAPE_PERCENT:
        add_pattern(out, "^[0-9]+(\\.[0-9]{1,6})? *%$");
        return;
    case SHAPE_POINTS:
        add_pattern(out, "^[0-9]+(\\.[0-9]{1,6})? *pp$");
        return;
    case SHAPE_DURATION:
        add_pattern(out, "^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$");
        return;
    case SHAPE_DATE:
        add_pattern(out, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$");
        return;
    case SHAPE_CHOICE:
        add_choices(out, field);
        return;
    case SHAPE_STRUCT:
    case SHAPE_OPTIONAL:
        add_shape(out, field->shape);
        return;
    case SHAPE_LIST:
        add_list(out, field);
        return;
    case SHAPE_MAP:
        add_map(out, field);
        return;
    case SHAPE_NODE:
        if (field->shape && field->max > 0)
            add_list(out, field);
        else if (field->shape)
            add_shape(out, field->shape);
        return;
    case SHAPE_END:
    case SHAPE_KEY:
    case SHAPE_LATER:
        return;
    }
}

// The default in the type that the schema asks for.
static void add_default(struct json_out *out, const struct shape_field *field)
{
    if (!field->fallback)
        return;
    bool bare =
        field->kind == SHAPE_BOOL || field->kind == SHAPE_INT || field->kind == SHAPE_NUMBER;
    if (bare)
        json_add_raw(out, "default", str_of(field->fallback));
    else
        json_add_str(out, "default", str_of(field->fallback));
}

static void add_field(struct json_out *out, const char *key, const struct shape_field *field)
{
    json_open_map(out, key);
    if (field->doc)
        add_text(out, "description", field->doc);
    bool described = field->shape && (field->kind == SHAPE_STRUCT ||
                                      field->kind == SHAPE_OPTIONAL || field->kind == SHAPE_NODE);
    if (described && field->doc) { // the shape brings a description of its own
        json_open_list(out, "allOf");
        json_open_map(out, NULL);
        add_value(out, field);
        json_close(out);
        json_close(out);
    } else {
        add_value(out, field);
    }
    add_default(out, field);
    json_close(out);
}

static bool is_hidden(const struct shape_field *field)
{
    return field->kind == SHAPE_KEY || field->kind == SHAPE_LATER;
}

static void add_object(struct json_out *out, const struct shape *shape)
{
    bool required = false;
    add_text(out, "type", "object");
    json_open_map(out, "properties");
    for (const struct shape_field *f = shape->fields; f->kind != SHAPE_END; f++) {
        if (!is_hidden(f))
            add_field(out, f->key, f);
        required = required || f->required;
    }
    json_close(out);
    if (required) {
        json_open_list(out, "required");
        for (const struct shape_field *f = shape->fields; f->kind != SHAPE_END; f++)
            if (f->required && !is_hidden(f))
                json_add_str(out, NULL, str_of(f->key));
        json_close(out);
    }
    json_add_bool(out, "additionalProperties", false);
}

// Into the open map. Shapes that hold themselves are a programmer's error: the depth says so.
static void add_shape(struct json_out *out, const struct shape *shape)
{
    assert(shape && out->depth < LIMIT_DOC_DEPTH);
    if (shape_is_scalar(shape)) {
        add_value(out, &shape->fields[0]);
        return;
    }
    add_text(out, "description", shape->doc);
    const struct shape_field *f = shape->fields;
    while (shape->shorthand && f->kind != SHAPE_END && !str_is(str_of(f->key), shape->shorthand))
        f++;
    if (!shape->shorthand || f->kind == SHAPE_END) {
        add_object(out, shape);
        return;
    }
    json_open_list(out, "anyOf");
    json_open_map(out, NULL);
    add_value(out, f);
    json_close(out);
    json_open_map(out, NULL);
    add_object(out, shape);
    json_close(out);
    json_close(out);
}

void shape_schema(const struct shape *shape, const char *title, struct text *text)
{
    struct json_out out = json_out_of(text, JSON_PRETTY);
    json_open_map(&out, NULL);
    add_text(&out, "$schema", "https://json-schema.org/draft/2020-12/schema");
    add_text(&out, "title", title);
    add_shape(&out, shape);
    json_close(&out);
    text_addc(text, '\n');
}
