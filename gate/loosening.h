// What a change loosens in what judges it: the configuration, the risk register, the waivers and
// the quarantine of the working tree beside those of the base. Nothing of it counts for the change
// itself; once merged it would, so it is listed and asks for an approver who is not its author.
//
// The two trees are compared leaf by leaf. A table says for each key which direction is stricter. A
// key that the table does not know is loosened by any change of it: better one question too many.
//
//     loosening_list(&arena, LOOSENING_POLICY, base_tree, head_tree, &list);
//     for (size_t i = 0; i < list.count; i++) say(list.items[i].path, list.items[i].before);
#ifndef GATE_LOOSENING_H
#define GATE_LOOSENING_H

#include "gate/doc/node.h"

enum loosening_document {
    LOOSENING_POLICY,
    LOOSENING_RISKS,
    LOOSENING_WAIVERS,
    LOOSENING_QUARANTINE,
};

#define LOOSENED_CONTAINER "…" // a map or a list stands there

struct loosened {
    const char *path;   // "gate.coverage.total", "risks[R-1].likelihood"
    const char *before; // as written; "" = was not there
    const char *after;  // "" = is gone
    struct position at; // in the head's file where it stands there; else in the base's
};

struct loosenings {
    struct loosened *items; // in the order of the base's document, then what is new
    size_t count, room;
};

// Either tree may be null: then the document is not there. Adds to *ret.
void loosening_list(struct arena *arena, enum loosening_document document, const struct node *base,
                    const struct node *head, struct loosenings *ret);

#endif
