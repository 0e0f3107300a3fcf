// YAML as configuration files need it: one document, block and flow style, plain and quoted
// scalars. Refused with line and column: aliases, anchors, merge keys, tags, duplicate keys, a
// second document, bytes that are not UTF-8, NUL, tabs that YAML refuses, more than
// LIMIT_CONFIG_BYTES or LIMIT_DOC_DEPTH. Plain scalars resolve by the core schema: null ~, true,
// false, numbers; "yes", "on" and "no" are strings, as in YAML 1.2.
#ifndef GATE_DOC_YAML_H
#define GATE_DOC_YAML_H

#include "gate/doc/node.h"

// `file` names the source in positions and must outlive the tree. An empty document is an empty
// map.
bool yaml_parse(struct arena *arena, const char *file, str bytes, const struct node **ret,
                struct error *err);

// The same with limits of its own.
bool yaml_parse_large(struct arena *arena, const char *file, str bytes, size_t max_bytes,
                      size_t max_nodes, const struct node **ret, struct error *err);

#endif
