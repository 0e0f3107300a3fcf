#include "peer_json_stream.h"

#include <jansson.h>

static void write_value(json_t *value, struct text *out);

static void write_object(json_t *value, struct text *out)
{
    text_adds(out, "{");
    for (void *i = json_object_iter(value); i; i = json_object_iter_next(value, i)) {
        text_adds(out, "k");
        text_add(out, str_make(json_object_iter_key(i), json_object_iter_key_len(i)));
        write_value(json_object_iter_value(i), out);
    }
    text_adds(out, "}");
}

static void write_value(json_t *value, struct text *out)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        write_object(value, out);
        return;
    case JSON_ARRAY:
        text_adds(out, "[");
        for (size_t i = 0; i < json_array_size(value); i++)
            write_value(json_array_get(value, i), out);
        text_adds(out, "]");
        return;
    case JSON_STRING:
        text_adds(out, "s");
        text_add(out, str_make(json_string_value(value), json_string_length(value)));
        return;
    case JSON_INTEGER:
    case JSON_REAL:
        text_adds(out, "n");
        return;
    case JSON_TRUE:
        text_adds(out, "t");
        return;
    case JSON_FALSE:
        text_adds(out, "f");
        return;
    case JSON_NULL:
        text_adds(out, "0");
        return;
    }
}

enum peer_verdict peer_read(str bytes, struct text *values)
{
    const char *data = bytes.len ? bytes.data : "";
    size_t flags = JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL;
    json_error_t why;
    json_t *value = json_loadb(data, bytes.len, flags | JSON_REJECT_DUPLICATES, &why);
    if (value) {
        write_value(value, values);
        json_decref(value);
        return PEER_ACCEPTS;
    }
    value = json_loadb(data, bytes.len, flags, &why);
    if (value) {
        json_decref(value);
        return PEER_DUPLICATES;
    }
    bool too_large = json_error_code(&why) == json_error_numeric_overflow;
    return too_large ? PEER_NUMBER_TOO_LARGE : PEER_REFUSES;
}
