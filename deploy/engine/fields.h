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
    FIELD_TEXT, // char[256]
    FIELD_BOOL,
    FIELD_U32,
    FIELD_I64,
    FIELD_U64,
    FIELD_HEX, // uint64_t that uses all its bits: as a string, which every JSON reader keeps
    FIELD_DOUBLE,
    FIELD_WORD, // an enum, by its name in `words`
};

#define FIELD_TEXT_BYTES 256

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

#endif
