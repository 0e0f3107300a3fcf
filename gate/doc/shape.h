// Shapes: field tables that say what a document may hold. One table drives parsing into a struct,
// the errors for unknown keys and bad values (with file, line, column and a suggestion), the JSON
// schema, and the list of keys in the documentation.
//
//     struct probe { str url; int64_t every_ms; int64_t max_failures; struct position at; };
//     static const struct shape_field probe_fields[] = {
//         {"url", SHAPE_STR, offsetof(struct probe, url), .required = true, .doc = "What is
//         asked."},
//         {"every", SHAPE_DURATION, offsetof(struct probe, every_ms), .fallback = "5s"},
//         {"max_failures", SHAPE_INT, offsetof(struct probe, max_failures), .min = 1, .max = 1000},
//         {0}};
//     const struct shape probe_shape = {"probe", sizeof(struct probe), probe_fields,
//                                       .position_offset = offsetof(struct probe, at) + 1};
//     struct probe probe;
//     shape_bind(&arena, &probe_shape, node, &probe, problems);
#ifndef GATE_DOC_SHAPE_H
#define GATE_DOC_SHAPE_H

#include "gate/base/number.h"
#include "gate/base/text.h"
#include "gate/doc/node.h"

#include <stdint.h>

enum shape_kind {
    SHAPE_END,      // closes a field table
    SHAPE_BOOL,     // bool
    SHAPE_INT,      // int64_t within [min, max] (both 0: any not negative)
    SHAPE_NUMBER,   // double, not negative
    SHAPE_STR,      // str, not empty; a number is taken as its text
    SHAPE_PERCENT,  // struct fraction: "43.95%"
    SHAPE_POINTS,   // struct fraction: "0.2pp"
    SHAPE_DURATION, // int64_t milliseconds: "30m"
    SHAPE_DATE,     // int64_t days since 1970-01-01: "2027-01-10"
    SHAPE_CHOICE,   // int: index into `choices`
    SHAPE_STRUCT,   // the struct of `shape`, in place
    SHAPE_OPTIONAL, // pointer to the struct of `shape`, null when absent
    SHAPE_LIST,     // struct shape_list of `shape`; one value alone is a list of one
    SHAPE_MAP,      // struct shape_list of `shape`, whose field table has a SHAPE_KEY
    SHAPE_KEY,      // str: the key under which this struct stands in its SHAPE_MAP
    SHAPE_NODE,     // const struct node *: bound later by whoever knows its shape
    SHAPE_LATER,    // a key that is agreed but not built: refused by name
};

struct shape_list {
    void *items; // array of the element's struct
    size_t count;
};

struct problems;

struct shape_field {
    const char *key;
    enum shape_kind kind;
    size_t offset;
    const struct shape *shape;  // STRUCT, OPTIONAL, LIST, MAP
    const char *const *choices; // CHOICE: null-terminated
    int64_t min, max;           // INT; LIST and MAP: number of elements when max > 0
    bool required;
    const char *fallback; // the default as one would write it: scalars, lists of one, shorthands
    const char *doc;      // one sentence for documentation and schema
    size_t given;         // offset + 1 of a bool: true when the document has the key; 0 = none
};

struct shape {
    const char *name;
    size_t size_bytes;
    const struct shape_field *fields; // ends with SHAPE_END
    const char *shorthand;            // a value that is no map stands for a map with only this key
    size_t position_offset;           // offset + 1 of a `struct position` to fill; 0 = none
    // Looks at the finished struct: rules between fields. May be null.
    void (*check)(void *value, const struct node *node, struct problems *problems);
    const char *doc;
};

// Shapes of list elements that are plain scalars: the element is `str`, `struct fraction`, …
// itself.
extern const struct shape shape_of_str;
extern const struct shape shape_of_percent;
extern const struct shape shape_of_duration;
bool shape_is_scalar(const struct shape *shape); // one of these: a single field without a name

// Everything wrong with a document, in the order of the file, at most LIMIT_PROBLEMS.
struct problems {
    struct arena *arena;
    struct error *items;
    size_t count, room;
    size_t dropped; // past the limit
};

void problem_at(struct problems *problems, struct position at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// True when there is none; otherwise *err is the first, with "(and N more)".
bool problems_none(const struct problems *problems, struct error *err);
void problems_sort(struct problems *problems); // by file (first seen first), line, column

// Fills *value (size_bytes of the shape, zeroed first) with what `node` says and with fallbacks.
// Returns false when it added to `problems`; *value is then usable only for looking further.
// A missing required key is reported at the node. A null node stands for an empty map. A key that
// is absent and has no fallback leaves zero: for a fraction that is 0/0, so den == 0 says "not
// given". A key without a value (`total:`) is an error, as it would otherwise be ignored. `check`
// is called only for a struct whose own fields are all right.
bool shape_bind(struct arena *arena, const struct shape *shape, const struct node *node,
                void *value, struct problems *problems);

// JSON schema (draft 2020-12) of a document of this shape. SHAPE_NODE fields accept anything unless
// their `shape` is set, which is then used for the schema alone: for a list of it when `max` is set
// too.
void shape_schema(const struct shape *shape, const char *title, struct text *out);

// The keys as a markdown table: key, kind, default, sentence.
void shape_markdown(const struct shape *shape, struct text *out);

#endif
