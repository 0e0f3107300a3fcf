// Structs as JSON maps through field tables: one table both writes and reads. Private to this
// folder.
//
//     static const struct field step_fields[] = {
//         {"share_ppm", FIELD_U32, offsetof(struct plan_step, share_ppm), NULL}, {0}};
//     fields_write(step_fields, step, &out);
//     fields_read(&arena, step_fields, node, step, err);
#ifndef DEPLOY_ENGINE_FIELDS_H
#define DEPLOY_ENGINE_FIELDS_H

#include "gate/doc/json.h"

enum field_kind {
    FIELD_END,
    FIELD_STR,
    FIELD_TEXT, // char[FIELD_TEXT_BYTES]
    FIELD_BOOL,
    FIELD_U32,
    FIELD_I64,
    FIELD_U64,
    FIELD_HEX, // uint64_t that uses all its bits: as a string, which every JSON reader keeps
    FIELD_DOUBLE,
    FIELD_WORD, // an enum, by its name in `words`
};

#define FIELD_TEXT_BYTES 1024

struct field {
    const char *key;
    enum field_kind kind;
    size_t offset;
    const char *const *words; // FIELD_WORD: from 0 on, ends with null
};

// Into the map that is open; fields that are nothing are left out.
void fields_write(const struct field *fields, const void *from, struct json_out *out);
// Absent fields leave *to as it is. Texts are copied into `arena`.
bool fields_read(struct arena *arena, const struct field *fields, const struct node *map, void *to,
                 struct error *err);

// The entries of the list `key`: as many as `least` to `most`; an absent list has none.
bool fields_list(const struct node *map, const char *key, uint32_t least, uint32_t most,
                 const struct node **ret_first, uint32_t *ret_count, struct error *err);
// One number, an entry of a list say, as FIELD_U32, FIELD_I64, FIELD_U64 or FIELD_DOUBLE into *to.
bool field_number(enum field_kind kind, const struct node *node, void *to);

#endif
