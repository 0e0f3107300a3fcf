#include "gate/doc/shape.h"

#include "gate/base/limits.h"
#include "gate/base/moment.h"

#include <assert.h>
#include <stdio.h>

// The element of a list of plain scalars has one field without a name, at offset 0.
static const struct shape_field field_of_str[] = {{"", SHAPE_STR, .doc = NULL}, {0}};
static const struct shape_field field_of_percent[] = {{"", SHAPE_PERCENT, .doc = NULL}, {0}};
static const struct shape_field field_of_duration[] = {{"", SHAPE_DURATION, .doc = NULL}, {0}};
const struct shape shape_of_str = {"text", sizeof(str), .fields = field_of_str};
const struct shape shape_of_percent = {"percentage", sizeof(struct fraction),
                                       .fields = field_of_percent};
const struct shape shape_of_duration = {"duration", sizeof(int64_t), .fields = field_of_duration};

struct binding {
    struct arena *arena;
    struct problems *problems;
    bool failed;
    bool fallback; // the value at hand is a fallback of the field table, not of the document
    unsigned depth;
};

// What an error calls the value: the key, "an item of `steps`" in a list.
struct label {
    const char *before;
    str key;
};

#define LABEL_FMT "%s`" STR_FMT "`"
#define LABEL_ARG(l) (l).before, STR_ARG(str_shorten((l).key, 120))

static bool bind_shape(struct binding *b, const struct shape *shape, const struct node *node,
                       char *value, struct label label);

bool shape_is_scalar(const struct shape *shape)
{
    return shape->fields[0].kind != SHAPE_END && shape->fields[0].kind != SHAPE_KEY &&
           shape->fields[0].key && shape->fields[0].key[0] == '\0';
}

static bool is_scalar(const struct node *node)
{
    return node->kind == NODE_BOOL || node->kind == NODE_NUMBER || node->kind == NODE_STRING;
}

// Notes that a value is not what it "must be"; says what stands there instead.
static bool refuse(struct binding *b, struct label label, const struct node *node,
                   const char *must_be)
{
    assert(!b->fallback);
    b->failed = true;
    if (!is_scalar(node))
        problem_at(b->problems, node->at, LABEL_FMT " must be %s, not %s", LABEL_ARG(label),
                   must_be, node_kind_name(node->kind));
    else
        problem_at(b->problems, node->at, LABEL_FMT " must be %s, not `" STR_FMT "`",
                   LABEL_ARG(label), must_be, STR_ARG(str_shorten(node->text, 120)));
    return false;
}

// The nearest of the words the text could have meant, or null.
struct nearest {
    str text;
    const char *word;
    size_t distance;
};

static void consider(struct nearest *nearest, const char *word)
{
    size_t distance = str_distance(nearest->text, str_of(word));
    size_t allowed = nearest->text.len / 3 > 2 ? nearest->text.len / 3 : 2;
    // A short word is not "near" one that shares no letter with it.
    if (distance <= allowed && distance < strlen(word) && distance < nearest->text.len &&
        (!nearest->word || distance < nearest->distance)) {
        nearest->word = word;
        nearest->distance = distance;
    }
}

static bool bind_choice(struct binding *b, const struct shape_field *field, struct label label,
                        const struct node *node, int *ret)
{
    struct text must = text_of(400);
    struct nearest nearest = {.text = is_scalar(node) ? node->text : (str){NULL, 0}};
    for (int i = 0; field->choices[i]; i++) {
        const char *choice = field->choices[i];
        if (is_scalar(node) && str_is(node->text, choice)) {
            *ret = i;
            text_done(&must);
            return true;
        }
        consider(&nearest, choice);
        const char *joint = i == 0 ? "" : field->choices[i + 1] ? ", " : " or ";
        text_addf(&must, "%s`%s`", joint, choice);
    }
    assert(!b->fallback);
    b->failed = true;
    char got[160];
    if (is_scalar(node))
        (void)snprintf(got, sizeof got, "`" STR_FMT "`", STR_ARG(str_shorten(node->text, 120)));
    else
        (void)snprintf(got, sizeof got, "%s", node_kind_name(node->kind));
    problem_at(b->problems, node->at, LABEL_FMT " must be %s, not %s%s%s%s", LABEL_ARG(label),
               text_c(&must), got, nearest.word ? "; did you mean `" : "",
               nearest.word ? nearest.word : "", nearest.word ? "`?" : "");
    text_done(&must);
    return false;
}

static bool bind_int(struct binding *b, const struct shape_field *field, struct label label,
                     const struct node *node, int64_t *ret)
{
    char must[96];
    bool no_upper = field->max < field->min || (field->max == 0 && field->min == 0);
    int64_t value;
    bool whole = is_scalar(node) && number_i64(node->text, &value);
    if (whole && value >= field->min && (no_upper || value <= field->max)) {
        *ret = value;
        return true;
    }
    const char *noun = whole ? "" : "a whole number ";
    if (no_upper)
        (void)snprintf(must, sizeof must, "a whole number of at least %lld", (long long)field->min);
    else if (field->min == field->max)
        (void)snprintf(must, sizeof must, "%lld", (long long)field->min);
    else
        (void)snprintf(must, sizeof must, "%sbetween %lld and %lld", noun, (long long)field->min,
                       (long long)field->max);
    return refuse(b, label, node, must);
}

static bool bind_str(struct binding *b, struct label label, const struct node *node, str *ret)
{
    if (node->kind == NODE_BOOL)
        return refuse(b, label, node, "a text (in quotes, if it is meant)");
    if (!is_scalar(node))
        return refuse(b, label, node, "a text");
    if (node->text.len == 0) {
        b->failed = true;
        problem_at(b->problems, node->at, LABEL_FMT " must not be empty: give a text, or remove it",
                   LABEL_ARG(label));
        return false;
    }
    *ret = node->text;
    return true;
}

static bool bind_bool(struct binding *b, struct label label, const struct node *node, bool *ret)
{
    if (node->kind == NODE_STRING && node->quoted && node_resolve(node->text) == NODE_BOOL) {
        b->failed = true;
        problem_at(b->problems, node->at,
                   LABEL_FMT " must be true or false, not `" STR_FMT "` in "
                             "quotes",
                   LABEL_ARG(label), STR_ARG(node->text));
        return false;
    }
    if (node->kind != NODE_BOOL)
        return refuse(b, label, node, "true or false");
    *ret = node->text.data[0] == 't' || node->text.data[0] == 'T';
    return true;
}

static bool bind_scalar(struct binding *b, const struct shape_field *field, struct label label,
                        const struct node *node, void *at)
{
    bool scalar = is_scalar(node);
    switch (field->kind) {
    case SHAPE_BOOL:
        return bind_bool(b, label, node, at);
    case SHAPE_INT:
        return bind_int(b, field, label, node, at);
    case SHAPE_STR:
        return bind_str(b, label, node, at);
    case SHAPE_CHOICE:
        return bind_choice(b, field, label, node, at);
    case SHAPE_NUMBER: {
        double value;
        if (!scalar || !number_double(node->text, &value) || value < 0)
            return refuse(b, label, node, "a number such as `1.5`, not negative");
        *(double *)at = value;
        return true;
    }
    case SHAPE_PERCENT:
        return (scalar && number_percent(node->text, at)) ||
               refuse(b, label, node, "a percentage such as `55%`");
    case SHAPE_POINTS:
        return (scalar && number_points(node->text, at)) ||
               refuse(b, label, node, "percentage points such as `0.2pp`");
    case SHAPE_DURATION:
        return (scalar && duration_parse(node->text, at)) ||
               refuse(b, label, node, "a duration such as `30m` or `1h30m`");
    case SHAPE_DATE:
        return (scalar && date_parse(node->text, at)) ||
               refuse(b, label, node, "a date such as `2027-01-10`");
    case SHAPE_END:
    case SHAPE_STRUCT:
    case SHAPE_OPTIONAL:
    case SHAPE_LIST:
    case SHAPE_MAP:
    case SHAPE_KEY:
    case SHAPE_NODE:
    case SHAPE_LATER:
        break;
    }
    assert(false);
    return false;
}

static bool check_count(struct binding *b, const struct shape_field *field, struct label label,
                        const struct node *node, size_t count)
{
    if (field->max <= 0 ||
        (count <= (uint64_t)field->max && (field->min <= 0 || count >= (uint64_t)field->min)))
        return true;
    b->failed = true;
    problem_at(b->problems, node->at, LABEL_FMT " must have between %lld and %lld entries, not %zu",
               LABEL_ARG(label), (long long)field->min, (long long)field->max, count);
    return false;
}

static bool bind_list(struct binding *b, const struct shape_field *field, struct label label,
                      const struct node *node, struct shape_list *ret)
{
    bool alone = node->kind != NODE_LIST;
    size_t count = alone ? 1 : node->count, i = 0;
    if (!check_count(b, field, label, node, count))
        return false;
    char *items = arena_array(b->arena, count, field->shape->size_bytes);
    struct label item = alone ? label : (struct label){"an item of ", label.key};
    bool ok = true;
    for (const struct node *n = alone ? node : node->first; n; n = alone ? NULL : n->next, i++)
        ok &= bind_shape(b, field->shape, n, items + i * field->shape->size_bytes, item);
    *ret = (struct shape_list){items, count};
    return ok;
}

static bool bind_map(struct binding *b, const struct shape_field *field, struct label label,
                     const struct node *node, struct shape_list *ret)
{
    if (node->kind != NODE_MAP)
        return refuse(b, label, node, "a map of names to values");
    if (!check_count(b, field, label, node, node->count))
        return false;
    size_t size = field->shape->size_bytes, i = 0;
    char *items = arena_array(b->arena, node->count, size);
    bool ok = true;
    for (const struct node *n = node->first; n; n = n->next, i++)
        ok &= bind_shape(b, field->shape, n, items + i * size, (struct label){"", n->key});
    *ret = (struct shape_list){items, node->count};
    return ok;
}

static bool bind_field(struct binding *b, const struct shape_field *field, struct label label,
                       const struct node *node, char *at)
{
    if (node->kind == NODE_NULL) {
        b->failed = true;
        problem_at(b->problems, node->at, LABEL_FMT " has no value: give it one, or remove the key",
                   LABEL_ARG(label));
        return false;
    }
    switch (field->kind) {
    case SHAPE_STRUCT:
        return bind_shape(b, field->shape, node, at, label);
    case SHAPE_OPTIONAL: {
        char *made = arena_alloc(b->arena, field->shape->size_bytes);
        *(void **)(void *)at = made;
        return bind_shape(b, field->shape, node, made, label);
    }
    case SHAPE_LIST:
        return bind_list(b, field, label, node, (struct shape_list *)(void *)at);
    case SHAPE_MAP:
        return bind_map(b, field, label, node, (struct shape_list *)(void *)at);
    case SHAPE_NODE:
        *(const struct node **)(void *)at = node;
        return true;
    case SHAPE_LATER:
        b->failed = true;
        problem_at(b->problems, node->key_at.line ? node->key_at : node->at,
                   LABEL_FMT " is not built yet in this version of sluice: remove it",
                   LABEL_ARG(label));
        return false;
    case SHAPE_END:
    case SHAPE_BOOL:
    case SHAPE_INT:
    case SHAPE_NUMBER:
    case SHAPE_STR:
    case SHAPE_PERCENT:
    case SHAPE_POINTS:
    case SHAPE_DURATION:
    case SHAPE_DATE:
    case SHAPE_CHOICE:
    case SHAPE_KEY:
        break;
    }
    return bind_scalar(b, field, label, node, at);
}

static bool bind_fallback(struct binding *b, const struct shape_field *field,
                          const struct node *parent, char *at)
{
    struct node *node = ARENA_NEW(b->arena, struct node);
    node->at = parent->at;
    if (field->fallback) {
        node->text = str_of(field->fallback);
        node->kind = node_resolve(node->text);
        if (node->kind == NODE_NULL)
            node->kind = NODE_STRING;
    } else if (field->kind == SHAPE_STRUCT) {
        node->kind = NODE_MAP;
    } else {
        return true;
    }
    bool outer = b->fallback;
    b->fallback = b->fallback || field->fallback;
    bool ok = bind_field(b, field, (struct label){"", str_of(field->key)}, node, at);
    b->fallback = outer;
    return ok;
}

static const struct shape_field *find_field(const struct shape *shape, str key)
{
    for (const struct shape_field *f = shape->fields; f->kind != SHAPE_END; f++)
        if (f->kind != SHAPE_KEY && str_is(key, f->key))
            return f;
    return NULL;
}

static bool refuse_key(struct binding *b, const struct shape *shape, const struct node *child)
{
    struct nearest nearest = {.text = child->key};
    struct text known = text_of(300);
    for (const struct shape_field *f = shape->fields; f->kind != SHAPE_END; f++) {
        if (f->kind == SHAPE_KEY || f->kind == SHAPE_LATER)
            continue;
        consider(&nearest, f->key);
        text_addf(&known, "%s`%s`", known.len ? ", " : "", f->key);
    }
    b->failed = true;
    str key = str_shorten(child->key, 120);
    if (nearest.word)
        problem_at(b->problems, child->key_at,
                   "`" STR_FMT "` is not a key of `%s`; did you mean `%s`?", STR_ARG(key),
                   shape->name, nearest.word);
    else
        problem_at(b->problems, child->key_at,
                   "`" STR_FMT "` is not a key of `%s`; its keys are %s%s", STR_ARG(key),
                   shape->name, text_c(&known), text_full(&known) ? ", …" : "");
    text_done(&known);
    return false;
}

static bool bind_fields(struct binding *b, const struct shape *shape, const struct node *node,
                        char *value)
{
    bool ok = true;
    for (const struct node *child = node->first; child; child = child->next)
        if (!find_field(shape, child->key))
            ok = refuse_key(b, shape, child);
    for (const struct shape_field *f = shape->fields; f->kind != SHAPE_END; f++) {
        if (f->kind == SHAPE_KEY)
            continue;
        const struct node *child = node_get(node, f->key);
        if (child) {
            ok &= bind_field(b, f, (struct label){"", child->key}, child, value + f->offset);
            if (f->given)
                value[f->given - 1] = true;
        } else if (f->required) {
            b->failed = true;
            ok = false;
            problem_at(b->problems, node->at, "`%s` is missing from `%s`: add it", f->key,
                       shape->name);
        } else {
            ok &= bind_fallback(b, f, node, value + f->offset);
        }
    }
    return ok;
}

// A value that is no map, where the shape has a shorthand: a map with that one key.
static const struct node *expand_shorthand(struct binding *b, const struct shape *shape,
                                           const struct node *node)
{
    struct node *map = ARENA_NEW(b->arena, struct node);
    struct node *only = ARENA_NEW(b->arena, struct node);
    *only = *node;
    only->key = str_of(shape->shorthand);
    only->next = NULL;
    *map = (struct node){.kind = NODE_MAP, .at = node->at, .first = only, .count = 1};
    map->key = node->key;
    map->key_at = node->key_at;
    return map;
}

static bool bind_shape(struct binding *b, const struct shape *shape, const struct node *node,
                       char *value, struct label label)
{
    if (node->kind == NODE_NULL) {
        b->failed = true;
        problem_at(b->problems, node->at, LABEL_FMT " has no value: give it one, or remove it",
                   LABEL_ARG(label));
        return false;
    }
    if (shape_is_scalar(shape))
        return bind_field(b, &shape->fields[0], label, node, value);
    const struct node *map = node;
    if (node->kind != NODE_MAP && shape->shorthand)
        map = expand_shorthand(b, shape, node);
    if (map->kind != NODE_MAP)
        return refuse(b, label, node, "a map of keys and values");
    assert(b->depth < 2 * LIMIT_DOC_DEPTH);
    if (shape->position_offset)
        *(struct position *)(void *)(value + shape->position_offset - 1) = node->at;
    for (const struct shape_field *f = shape->fields; f->kind != SHAPE_END; f++)
        if (f->kind == SHAPE_KEY)
            *(str *)(void *)(value + f->offset) = node->key;
    b->depth++;
    bool ok = bind_fields(b, shape, map, value);
    b->depth--;
    if (ok && shape->check) {
        size_t before = b->problems->count + b->problems->dropped;
        shape->check(value, node, b->problems);
        ok = b->problems->count + b->problems->dropped == before;
        b->failed = b->failed || !ok;
    }
    return ok;
}

bool shape_bind(struct arena *arena, const struct shape *shape, const struct node *node,
                void *value, struct problems *problems)
{
    static const struct node empty = {.kind = NODE_MAP};
    struct binding binding = {.arena = arena, .problems = problems};
    if (!problems->arena)
        problems->arena = arena;
    memset(value, 0, shape->size_bytes);
    struct label label = {"", node && node->key.len ? node->key : str_of(shape->name)};
    return bind_shape(&binding, shape, node ? node : &empty, value, label);
}
