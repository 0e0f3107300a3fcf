// A JSON report as a table of places: the reader lists which keys lead from which place to which,
// and is told only of values at places that it named. All else is passed over.
//
//     enum { ROOT = 1, FILES, FILE, LINES, LINE };
//     static const struct json_step steps[] = {
//         {JSON_OUTERMOST, NULL, ROOT | JSON_IS_MAP},
//         {ROOT, "files", FILES},   // {"files": …
//         {FILES, "*", FILE},       //   {"any name": …            begin(FILE, key = that name)
//         {FILE, "lines", LINES},
//         {LINES, NULL, LINE},      // elements of a list           value(LINE, event) for scalars
//         {0}};
//     struct json_walk *walk = json_walk_open(path, steps, &handler, reading);
#ifndef GATE_REPORTS_JSON_WALK_H
#define GATE_REPORTS_JSON_WALK_H

#include "gate/doc/json_stream.h"

struct json_step {
    int in;          // place of the container, or JSON_OUTERMOST; 0 ends the list
    const char *key; // of a map; "*" = any other key; null = the elements of a list
    int to;          // place of the value, from 1 to JSON_PLACES - 1, and what it must be
};
#define JSON_PLACES 96
#define JSON_OUTERMOST                                                                             \
    (-1) // where the outermost value leads, and what it must be: else 1, anything

// What a value must be, added to `to`: {RUN, "results", RESULTS | JSON_IS_LIST}. Several mean one
// of them; none: anything. Null is let through, but not as the outermost value. Anything else is
// ERROR_INPUT: "`results` is text, not a list".
enum json_is {
    JSON_IS_MAP = 1 << 8,
    JSON_IS_LIST = 1 << 9,
    JSON_IS_TEXT = 1 << 10,
    JSON_IS_NUMBER = 1 << 11,
    JSON_IS_BOOL = 1 << 12,
};

// `key` is the member's own name (empty in lists). All may be null. Returning false stops; an error
// without a position gets the event's.
struct json_walk_handler {
    // A map or a list begins at a named place. event->type says which.
    bool (*begin)(void *context, int place, str key, const struct json_event *event,
                  struct error *err);
    // A string, number, true, false or null at a named place.
    bool (*value)(void *context, int place, str key, const struct json_event *event,
                  struct error *err);
    // The container that began there ends; event->offset is that of its last byte.
    bool (*end)(void *context, int place, const struct json_event *event, struct error *err);
};

struct json_walk;
// `path` names the file in errors; steps, handler and context outlive the walk.
struct json_walk *json_walk_open(const char *path, const struct json_step *steps,
                                 const struct json_walk_handler *handler, void *context);
void json_walk_allow_many(struct json_walk *walk); // JSON lines
bool json_walk_feed(struct json_walk *walk, str bytes, struct error *err);
bool json_walk_end(struct json_walk *walk, struct error *err);
void json_walk_close(struct json_walk *walk);

bool json_walk_other_count(const struct json_walk *walk, const struct json_event *event,
                           const char *what, uint64_t *ret, struct error *err);
// A count or a line: a whole number, not negative; past 64 bits the largest one. ERROR_INPUT names
// it as `what`, such as "a line number".
static inline bool json_walk_count(const struct json_walk *walk, const struct json_event *event,
                                   const char *what, uint64_t *ret, struct error *err)
{
    if (event->digits == JSON_NOT_DIGITS)
        return json_walk_other_count(walk, event, what, ret, err);
    *ret = event->digits;
    return true;
}

// ERROR_INPUT with the event's position in `path`.
bool json_walk_refuse(const struct json_walk *walk, const struct json_event *event,
                      struct error *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
