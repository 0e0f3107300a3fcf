#include "gate/doc/json.h"

#include "gate/base/number.h"
#include "gate/doc/json_refusal.h"

#include <jansson.h>

// jansson checks and decodes; it keeps neither positions nor numbers as they were written. Its
// objects keep the order of the file, so a walk over the bytes in step with its tree gives both.
struct walk {
    struct arena *arena;
    const char *file;
    str bytes;
    size_t at;
    struct position position; // of bytes[at]
    size_t nodes;
    struct error *err;
};

static void step(struct walk *w)
{
    unsigned char c = (unsigned char)w->bytes.data[w->at++];
    if (c == '\n') {
        w->position.line++;
        w->position.column = 1;
    } else if ((c & 0xC0) != 0x80) {
        w->position.column++;
    }
}

// Past white space, commas and colons, to the next token.
static void skip_to_token(struct walk *w)
{
    while (w->at < w->bytes.len && str_find(STR(" \t\r\n,:"), w->bytes.data[w->at]) != STR_NONE)
        step(w);
}

static void skip_string(struct walk *w)
{
    step(w);
    while (w->at < w->bytes.len && w->bytes.data[w->at] != '"') {
        if (w->bytes.data[w->at] == '\\')
            step(w);
        step(w);
    }
    step(w);
}

static str skip_word(struct walk *w)
{
    size_t start = w->at;
    while (w->at < w->bytes.len && str_find(STR(" \t\r\n,:]}"), w->bytes.data[w->at]) == STR_NONE)
        step(w);
    return str_make(w->bytes.data + start, w->at - start);
}

static void append(struct node *parent, struct node **last, struct node *child)
{
    if (*last)
        (*last)->next = child;
    else
        parent->first = child;
    *last = child;
    parent->count++;
}

static struct node *make_node(struct walk *w, json_t *value, unsigned depth);

static bool fill_list(struct walk *w, struct node *node, json_t *value, unsigned depth)
{
    struct node *last = NULL;
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct node *child = make_node(w, json_array_get(value, i), depth + 1);
        if (!child)
            return false;
        append(node, &last, child);
    }
    return true;
}

static bool fill_map(struct walk *w, struct node *node, json_t *value, unsigned depth)
{
    struct node *last = NULL;
    for (void *i = json_object_iter(value); i; i = json_object_iter_next(value, i)) {
        skip_to_token(w);
        struct position key_at = w->position;
        skip_string(w);
        struct node *child = make_node(w, json_object_iter_value(i), depth + 1);
        if (!child)
            return false;
        child->key =
            arena_str(w->arena, str_make(json_object_iter_key(i), json_object_iter_key_len(i)));
        child->key_at = key_at;
        append(node, &last, child);
    }
    return true;
}

static struct node *make_node(struct walk *w, json_t *value, unsigned depth)
{
    skip_to_token(w);
    if (++w->nodes > LIMIT_DOC_NODES) {
        (void)error_at(w->err, ERROR_LIMIT, w->position, "more than %u values in one document",
                       LIMIT_DOC_NODES);
        return NULL;
    }
    struct node *node = ARENA_NEW(w->arena, struct node);
    node->at = w->position;
    bool container = json_is_object(value) || json_is_array(value);
    if (json_is_string(value)) {
        node->kind = NODE_STRING;
        node->quoted = true;
        node->text =
            arena_str(w->arena, str_make(json_string_value(value), json_string_length(value)));
        skip_string(w);
        return node;
    }
    if (!container) {
        node->kind = json_is_number(value)    ? NODE_NUMBER
                     : json_is_boolean(value) ? NODE_BOOL
                                              : NODE_NULL;
        node->text = arena_str(w->arena, skip_word(w));
        return node;
    }
    if (depth >= LIMIT_DOC_DEPTH) {
        (void)error_at(w->err, ERROR_LIMIT, w->position,
                       "lists and maps are nested more than %u deep", LIMIT_DOC_DEPTH);
        return NULL;
    }
    node->kind = json_is_object(value) ? NODE_MAP : NODE_LIST;
    step(w);
    bool ok =
        json_is_object(value) ? fill_map(w, node, value, depth) : fill_list(w, node, value, depth);
    skip_to_token(w);
    if (w->at < w->bytes.len)
        step(w);
    return ok ? node : NULL;
}

// What only a tree has trouble with; all else is said by the streaming reader.
static bool refuse(const char *file, str bytes, const json_error_t *why, struct error *err)
{
    struct position at = {file, why->line > 0 ? (uint32_t)why->line : 1,
                          why->column > 0 ? (uint32_t)why->column : 1};
    enum json_error_code code = json_error_code(why);
    if (code == json_error_out_of_memory)
        return error_set(err, ERROR_SYSTEM, "no memory left to read %s", file);
    if (json_refusal(file, bytes, err))
        return false;
    if (code == json_error_duplicate_key)
        return error_at(err, ERROR_INPUT, at, "a key stands twice in one map: keep one of them");
    if (code == json_error_numeric_overflow)
        return error_at(err, ERROR_INPUT, at, "a number is too large");
    return error_at(err, ERROR_INPUT, at, "this is not valid JSON");
}

static void drop(json_t **value)
{
    json_decref(*value);
}

bool json_parse(struct arena *arena, const char *file, str bytes, const struct node **ret,
                struct error *err)
{
    if (bytes.len > LIMIT_JSON_TREE_BYTES)
        return error_at(err, ERROR_LIMIT, (struct position){file, 0, 0},
                        "the JSON is larger than %u bytes", LIMIT_JSON_TREE_BYTES);
    json_error_t why;
    // Whole numbers as reals: those past 63 bits are read too, their text is taken from the file.
    size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL;
    __attribute__((cleanup(drop))) json_t *value =
        json_loadb(bytes.len ? bytes.data : "", bytes.len, flags, &why);
    // jansson passes over a NUL byte after a number.
    bool has_nul = bytes.len && memchr(bytes.data, '\0', bytes.len);
    if (!value || (has_nul && json_refusal(file, bytes, err)))
        return value ? false : refuse(file, bytes, &why, err);
    struct walk walk = {
        .arena = arena, .file = file, .bytes = bytes, .err = err, .position = {file, 1, 1}};
    struct node *root = make_node(&walk, value, 0);
    if (!root)
        return false;
    *ret = root;
    return true;
}

bool json_get_i64(const struct node *map, const char *key, int64_t *ret)
{
    const struct node *n = node_get(map, key);
    return n && n->kind == NODE_NUMBER && number_i64(n->text, ret);
}

bool json_get_u64(const struct node *map, const char *key, uint64_t *ret)
{
    const struct node *n = node_get(map, key);
    return n && n->kind == NODE_NUMBER && number_u64(n->text, ret);
}

bool json_get_double(const struct node *map, const char *key, double *ret)
{
    const struct node *n = node_get(map, key);
    return n && n->kind == NODE_NUMBER && number_double(n->text, ret);
}

bool json_get_bool(const struct node *map, const char *key, bool *ret)
{
    const struct node *n = node_get(map, key);
    if (!n || n->kind != NODE_BOOL)
        return false;
    *ret = str_is(n->text, "true");
    return true;
}

bool json_get_str(const struct node *map, const char *key, str *ret)
{
    const struct node *n = node_get(map, key);
    if (!n || n->kind != NODE_STRING)
        return false;
    *ret = n->text;
    return true;
}
