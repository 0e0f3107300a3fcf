// JSON: configuration-sized documents as trees (jansson inside), and text out.
//
//     struct json_out out = json_out_of(&text, JSON_PRETTY);
//     json_open_map(&out, NULL);
//     json_add_str(&out, "decision", STR("block"));
//     json_open_list(&out, "findings");
//     json_close(&out);
//     json_close(&out);
#ifndef GATE_DOC_JSON_H
#define GATE_DOC_JSON_H

#include "gate/base/limits.h"
#include "gate/base/text.h"
#include "gate/doc/node.h"

#include <stdint.h>

// Strict RFC 8259; duplicate keys, NUL in strings and more than LIMIT_JSON_TREE_BYTES are refused.
// Numbers keep their text as written, whatever their size; values and errors have line and column.
bool json_parse(struct arena *arena, const char *file, str bytes, const struct node **ret,
                struct error *err);

// Typed look-ups in a tree, for documents of our own making. False when absent or of another kind.
bool json_get_i64(const struct node *map, const char *key, int64_t *ret);
bool json_get_u64(const struct node *map, const char *key, uint64_t *ret);
bool json_get_double(const struct node *map, const char *key, double *ret);
bool json_get_bool(const struct node *map, const char *key, bool *ret);
bool json_get_str(const struct node *map, const char *key, str *ret);

enum json_style { JSON_COMPACT, JSON_PRETTY };

struct json_out {
    struct text *text;
    enum json_style style;
    unsigned depth;
    char closers[2 * LIMIT_DOC_DEPTH]; // room for a document inside another
    bool first;                        // nothing yet in the innermost container
};

// Room for a map with a string of so many bytes: each of them may become six.
#define JSON_ROOM(bytes) (6 * (size_t)(bytes) + 1024)

struct json_out json_out_of(struct text *text, enum json_style style);
// In a list, and for the outermost value, `key` is null.
void json_open_map(struct json_out *out, const char *key);
void json_open_list(struct json_out *out, const char *key);
void json_close(struct json_out *out);
void json_add_str(struct json_out *out, const char *key,
                  str value);                                    // ill-formed UTF-8 becomes U+FFFD
void json_add_key_str(struct json_out *out, str key, str value); // a key that is data
void json_add_i64(struct json_out *out, const char *key, int64_t value);
void json_add_u64(struct json_out *out, const char *key, uint64_t value);
void json_add_double(struct json_out *out, const char *key,
                     double value); // shortest that reads back; NaN and infinities are null
void json_add_bool(struct json_out *out, const char *key, bool value);
void json_add_null(struct json_out *out, const char *key);
void json_add_raw(struct json_out *out, const char *key, str json); // already JSON
void json_add_node(struct json_out *out, const char *key, const struct node *node);

#endif
