#include "gate/doc/json.h"

#include "gate/doc/json_token.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct json_out json_out_of(struct text *text, enum json_style style)
{
    return (struct json_out){.text = text, .style = style, .first = true};
}

// Bytes of the character at the start of s, or 0 when it is ill-formed.
static size_t character(str s)
{
    for (size_t n = 1; n <= 4 && n <= s.len; n++)
        if (str_is_utf8(str_first(s, n)))
            return n;
    return 0;
}

static void add_escaped(struct text *text, unsigned char c)
{
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; i + 1 < sizeof short_forms; i += 2) {
        if ((unsigned char)short_forms[i] == c) {
            text_addc(text, '\\');
            text_addc(text, short_forms[i + 1]);
            return;
        }
    }
    text_addf(text, "\\u%04x", c);
}

static void add_string(struct text *text, str s)
{
    text_addc(text, '"');
    while (s.len) {
        size_t plain = 0;
        while (plain < s.len && (unsigned char)s.data[plain] >= 0x20 &&
               (unsigned char)s.data[plain] < 0x80 && s.data[plain] != '"' && s.data[plain] != '\\')
            plain++;
        text_add(text, str_first(s, plain));
        s = str_from(s, plain);
        if (s.len == 0)
            break;
        unsigned char c = (unsigned char)s.data[0];
        size_t n = 1;
        if (c < 0x80) {
            add_escaped(text, c);
        } else if ((n = character(s)) > 0) {
            text_add(text, str_first(s, n));
        } else {
            text_adds(text, "\xEF\xBF\xBD");
            n = 1;
        }
        s = str_from(s, n);
    }
    text_addc(text, '"');
}

static void new_line(struct json_out *out)
{
    if (out->style != JSON_PRETTY)
        return;
    text_addc(out->text, '\n');
    for (unsigned i = 0; i < out->depth; i++)
        text_adds(out->text, "  ");
}

// Comma, line break and key: what stands before every value.
static void begin(struct json_out *out, const str *key)
{
    bool in_map = out->depth && out->closers[out->depth - 1] == '}';
    assert(in_map == (key != NULL));
    if (!out->first)
        text_addc(out->text, ',');
    if (out->depth)
        new_line(out);
    out->first = false;
    if (key) {
        add_string(out->text, *key);
        text_adds(out->text, out->style == JSON_PRETTY ? ": " : ":");
    }
}

static void begin_named(struct json_out *out, const char *key)
{
    str name = str_of(key);
    begin(out, key ? &name : NULL);
}

static void open_with(struct json_out *out, const char *key, char opener, char closer)
{
    begin_named(out, key);
    assert(out->depth < sizeof out->closers);
    text_addc(out->text, opener);
    out->closers[out->depth++] = closer;
    out->first = true;
}

void json_open_map(struct json_out *out, const char *key)
{
    open_with(out, key, '{', '}');
}

void json_open_list(struct json_out *out, const char *key)
{
    open_with(out, key, '[', ']');
}

void json_close(struct json_out *out)
{
    assert(out->depth);
    char closer = out->closers[--out->depth];
    if (!out->first)
        new_line(out);
    text_addc(out->text, closer);
    out->first = false;
}

void json_add_str(struct json_out *out, const char *key, str value)
{
    begin_named(out, key);
    add_string(out->text, value);
}

void json_add_key_str(struct json_out *out, str key, str value)
{
    begin(out, &key);
    add_string(out->text, value);
}

void json_add_i64(struct json_out *out, const char *key, int64_t value)
{
    begin_named(out, key);
    text_addf(out->text, "%lld", (long long)value);
}

void json_add_u64(struct json_out *out, const char *key, uint64_t value)
{
    begin_named(out, key);
    text_addf(out->text, "%llu", (unsigned long long)value);
}

void json_add_double(struct json_out *out, const char *key, double value)
{
    char digits[40];
    begin_named(out, key);
    if (!isfinite(value)) {
        text_adds(out->text, "null");
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        (void)snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    text_adds(out->text, digits);
}

void json_add_bool(struct json_out *out, const char *key, bool value)
{
    begin_named(out, key);
    text_adds(out->text, value ? "true" : "false");
}

void json_add_null(struct json_out *out, const char *key)
{
    begin_named(out, key);
    text_adds(out->text, "null");
}

void json_add_raw(struct json_out *out, const char *key, str json)
{
    begin_named(out, key);
    text_add(out->text, json);
}

static void add_scalar(struct json_out *out, const struct node *node)
{
    if (node->kind == NODE_NULL)
        text_adds(out->text, "null");
    else if (node->kind == NODE_BOOL)
        text_adds(out->text, (node->text.data[0] | 0x20) == 't' ? "true" : "false");
    else if (node->kind == NODE_NUMBER && json_is_number(node->text))
        text_add(out->text, node->text);
    else
        add_string(out->text, node->text); // also what only YAML calls a number: +1, 0x10, .inf
}

// As deep as the document, which its reader keeps within LIMIT_DOC_DEPTH.
static void add_node(struct json_out *out, const str *key, const struct node *node)
{
    begin(out, key);
    if (node->kind != NODE_MAP && node->kind != NODE_LIST) {
        add_scalar(out, node);
        return;
    }
    bool map = node->kind == NODE_MAP;
    assert(out->depth < sizeof out->closers);
    text_addc(out->text, map ? '{' : '[');
    out->closers[out->depth++] = map ? '}' : ']';
    out->first = true;
    for (const struct node *child = node->first; child; child = child->next)
        add_node(out, map ? &child->key : NULL, child);
    json_close(out);
}

void json_add_node(struct json_out *out, const char *key, const struct node *node)
{
    str name = str_of(key);
    add_node(out, key ? &name : NULL, node);
}
