// The products that a document defines in one place and names by a reference in others: components
// of a bill of materials, the product tree of an advisory.
//
//     struct product *one = products_add(&products);   // valid until the next one
//     one->ref = arena_str(&products.arena, text);
//     products_index(&products);                       // once all are known
//     str name = products_name(&products, ref);        // its package URL, or the reference itself
#ifndef GATE_REPORTS_PRODUCTS_H
#define GATE_REPORTS_PRODUCTS_H

#include "gate/base/arena.h"

#include <stdint.h>

struct product {
    str ref;           // what it is named by; empty: it cannot be named
    str purl;          // empty = not said
    str name, version; // empty = not said
    str of;            // the reference of the product whose part or version it is; empty = none
};

struct products {
    struct arena arena;
    struct product *items;
    size_t count, room;
    uint32_t *index; // hash table over `ref`: number + 1
    size_t index_room;
};

struct product *products_add(struct products *products);
void products_index(struct products *products);
const struct product *products_find(const struct products *products, str ref); // null: unknown
// The package URL of the product, or of the one that it is part of; otherwise `ref` itself.
str products_name(const struct products *products, str ref);
void products_done(struct products *products);

#endif
