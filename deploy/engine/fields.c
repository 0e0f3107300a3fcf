#include "deploy/engine/fields.h"

#include "gate/base/number.h"

#include <stdio.h>

static const void *at(const void *from, const struct field *field)
{
    return (const char *)from + field->offset;
}

// Enums of this folder are of the size of int, whatever their sign.
_Static_assert(sizeof(enum field_kind) == sizeof(unsigned),
               "an enum is read and written as unsigned");

static void write_hex(const char *key, uint64_t value, struct json_out *out)
{
    char digits[17];
    int length = snprintf(digits, sizeof digits, "%llx", (unsigned long long)value);
    json_add_str(out, key, str_make(digits, (size_t)length));
}

static void write_number(const struct field *field, const void *from, struct json_out *out)
{
    uint32_t u32;
    int64_t i64;
    uint64_t u64;
    double number;
    switch (field->kind) {
    case FIELD_U32:
        memcpy(&u32, from, sizeof u32);
        if (u32)
            json_add_u64(out, field->key, u32);
        break;
    case FIELD_I64:
        memcpy(&i64, from, sizeof i64);
        if (i64)
            json_add_i64(out, field->key, i64);
        break;
    case FIELD_U64:
    case FIELD_HEX:
        memcpy(&u64, from, sizeof u64);
        if (u64 && field->kind == FIELD_HEX)
            write_hex(field->key, u64, out);
        else if (u64)
            json_add_u64(out, field->key, u64);
        break;
    case FIELD_DOUBLE:
        memcpy(&number, from, sizeof number);
        if (number < 0 || number > 0)
            json_add_double(out, field->key, number);
        break;
    case FIELD_END:
    case FIELD_STR:
    case FIELD_TEXT:
    case FIELD_BOOL:
    case FIELD_WORD:
        break;
    }
}

void fields_write(const struct field *fields, const void *from, struct json_out *out)
{
    for (const struct field *field = fields; field->kind != FIELD_END; field++) {
        const void *value = at(from, field);
        unsigned word;
        str text;
        switch (field->kind) {
        case FIELD_STR:
            memcpy(&text, value, sizeof text);
            if (text.len)
                json_add_str(out, field->key, text);
            break;
        case FIELD_TEXT:
            text = str_of(value);
            if (text.len)
                json_add_str(out, field->key, text);
            break;
        case FIELD_BOOL:
            if (*(const bool *)value)
                json_add_bool(out, field->key, true);
            break;
        case FIELD_WORD:
            memcpy(&word, value, sizeof word);
            json_add_str(out, field->key, str_of(field->words[word]));
            break;
        case FIELD_U32:
        case FIELD_I64:
        case FIELD_U64:
        case FIELD_HEX:
        case FIELD_DOUBLE:
            write_number(field, value, out);
            break;
        case FIELD_END:
            break;
        }
    }
}

// ---- reading ------------------------------------------------------------------------------------

static bool hex_of(str digits, uint64_t *ret)
{
    uint64_t value = 0;
    if (digits.len == 0 || digits.len > 16)
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.data[i];
        unsigned digit;
        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (unsigned)(c - 'a') + 10;
        else
            return false;
        value = value << 4 | digit;
    }
    *ret = value;
    return true;
}

static bool word_of(const char *const *words, str text, unsigned *ret)
{
    for (unsigned i = 0; words[i]; i++) {
        if (str_is(text, words[i])) {
            *ret = i;
            return true;
        }
    }
    return false;
}

bool field_number(enum field_kind kind, const struct node *node, void *to)
{
    uint32_t u32;
    int64_t i64;
    uint64_t u64;
    double number;
    str text = node && node->kind == NODE_NUMBER ? node->text : (str){NULL, 0};
    if (kind == FIELD_U32 && number_u32(text, &u32))
        memcpy(to, &u32, sizeof u32);
    else if (kind == FIELD_I64 && number_i64(text, &i64))
        memcpy(to, &i64, sizeof i64);
    else if (kind == FIELD_U64 && number_u64(text, &u64))
        memcpy(to, &u64, sizeof u64);
    else if (kind == FIELD_DOUBLE && number_double(text, &number))
        memcpy(to, &number, sizeof number);
    else
        return false;
    return true;
}

static bool read_field(struct arena *arena, const struct field *field, const struct node *map,
                       void *to)
{
    str text;
    unsigned word;
    bool flag;
    uint64_t bits;
    switch (field->kind) {
    case FIELD_STR:
        if (!json_get_str(map, field->key, &text))
            return false;
        text = arena_str(arena, text);
        memcpy(to, &text, sizeof text);
        return true;
    case FIELD_TEXT:
        if (!json_get_str(map, field->key, &text))
            return false;
        snprintf(to, FIELD_TEXT_BYTES, STR_FMT, STR_ARG(text));
        return true;
    case FIELD_BOOL:
        if (!json_get_bool(map, field->key, &flag))
            return false;
        memcpy(to, &flag, sizeof flag);
        return true;
    case FIELD_WORD:
        if (!json_get_str(map, field->key, &text) || !word_of(field->words, text, &word))
            return false;
        memcpy(to, &word, sizeof word);
        return true;
    case FIELD_HEX:
        if (!hex_of(node_text(map, field->key), &bits))
            return false;
        memcpy(to, &bits, sizeof bits);
        return true;
    case FIELD_U32:
    case FIELD_I64:
    case FIELD_U64:
    case FIELD_DOUBLE:
        return field_number(field->kind, node_get(map, field->key), to);
    case FIELD_END:
        break;
    }
    return false;
}

bool fields_read(struct arena *arena, const struct field *fields, const struct node *map, void *to,
                 struct error *err)
{
    if (!map || map->kind != NODE_MAP)
        return error_set(err, ERROR_INPUT, "a map is expected");
    for (const struct field *field = fields; field->kind != FIELD_END; field++) {
        if (!node_get(map, field->key))
            continue;
        if (!read_field(arena, field, map, (char *)to + field->offset))
            return error_at(err, ERROR_INPUT, node_get(map, field->key)->at,
                            "`%s` is not what it should be", field->key);
    }
    return true;
}

bool fields_list(const struct node *map, const char *key, uint32_t least, uint32_t most,
                 const struct node **ret_first, uint32_t *ret_count, struct error *err)
{
    const struct node *list = node_get(map, key);
    if (list && list->kind != NODE_LIST)
        return error_at(err, ERROR_INPUT, list->at, "`%s` is not a list", key);
    size_t count = list ? list->count : 0;
    if (count < least || (least == most && count > most))
        return error_set(err, ERROR_INPUT, "`%s` must be a list of %u", key, (unsigned)least);
    if (count > most)
        return error_at(err, ERROR_LIMIT, list->at, "`%s` has more than %u entries", key,
                        (unsigned)most);
    *ret_first = list ? list->first : NULL;
    *ret_count = (uint32_t)count;
    return true;
}
