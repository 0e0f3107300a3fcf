// A document as a tree with positions: what YAML and JSON files become before a shape binds them.
// Nodes live in the arena that the reader was given; they are not changed after reading, but by
// node_merge, which makes a new tree.
//
//     const struct node *gate = node_get(root, "gate");
//     for (const struct node *n = gate->first; n; n = n->next) use(n->key, n->text);
#ifndef GATE_DOC_NODE_H
#define GATE_DOC_NODE_H

#include "gate/base/arena.h"
#include "gate/base/error.h"

enum node_kind { NODE_NULL, NODE_BOOL, NODE_NUMBER, NODE_STRING, NODE_LIST, NODE_MAP };

struct node {
    enum node_kind kind;
    bool quoted;        // a YAML scalar in quotes or a block: always NODE_STRING
    struct position at; // of the value
    str text;           // scalars: as written, escapes resolved
    str key;            // in a map: the name under which it stands
    struct position key_at;
    struct node *first; // children of a list or map, in the order of the file
    struct node *next;  // the next sibling
    size_t count;       // number of children
};

const struct node *node_get(const struct node *map, const char *key); // null when absent or no map
str node_text(const struct node *map, const char *key); // a scalar's text, empty when absent
const char *node_kind_name(enum node_kind kind);        // "a list", "a number", …

// What a plain scalar is by the core schema of YAML 1.2: null, true, 0x1F, 1.5e3, or a string.
enum node_kind node_resolve(str plain);

// The children of a map as an array of `count`, ordered by key; equal keys in the order of the
// file.
const struct node **node_index(struct arena *arena, const struct node *map);

// `over` on top of `under`: maps merge key by key, everything else replaces. A null in `over`
// removes the key. Positions stay those of the file that a value came from.
const struct node *node_merge(struct arena *arena, const struct node *under,
                              const struct node *over);

#endif
