// A JSON report as a table of places: the reader lists which keys lead from which place to which,
// and is told only of values at places that it named. All else is passed over.
//
//     enum { ROOT = 1, FILES, FILE, LINES, LINE };
//     static const struct json_step steps[] = {
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
    int in;          // place of the container; 1 is the outermost value
    const char *key; // of a map; "*" = any other key; null = the elements of a list
    int to;          // place of the value, from 1 to JSON_PLACES - 1
};
#define JSON_PLACES 96

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

// ERROR_INPUT with the event's position in `path`.
bool json_walk_refuse(const struct json_walk *walk, const struct json_event *event,
                      struct error *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
