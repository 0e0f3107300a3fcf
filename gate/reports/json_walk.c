#include "gate/reports/json_walk.h"

#include "gate/base/arena.h"
#include "gate/base/limits.h"
#include "gate/base/text.h"

#include <stdarg.h>
#include <stdio.h>

enum { NOWHERE = 0, ROOT = 1 };

struct row {
    str name;
    int to;
};

struct json_walk {
    const char *path;
    struct json_stream *stream;
    const struct json_walk_handler *handler;
    void *context;
    unsigned first[JSON_PLACES]; // of each place its first row, sorted so in `rows`
    unsigned count[JSON_PLACES];
    int any[JSON_PLACES];     // where "*" leads
    int element[JSON_PLACES]; // where an element of a list leads
    struct row *rows;
    int open[LIMIT_DOC_DEPTH + 1]; // place of the container at each depth
    bool is_list[LIMIT_DOC_DEPTH + 1];
    int next;        // where the value after this key leads
    struct text key; // the member's own name, kept until its value comes
    unsigned skip;   // depth of the container that is passed over; 0 = none
};

static int step_from(const struct json_walk *walk, int place, str key)
{
    const struct row *rows = &walk->rows[walk->first[place]];
    for (unsigned i = 0; i < walk->count[place]; i++)
        if (str_eq(rows[i].name, key))
            return rows[i].to;
    return walk->any[place];
}

static bool refused(const struct json_walk *walk, const struct json_event *event, struct error *err)
{
    if (!err->at.file)
        err->at = (struct position){walk->path, event->line, 0};
    return false;
}

// The member's own name; empty for the elements of a list and the outermost value.
static str key_of(const struct json_walk *walk, const struct json_event *event)
{
    bool in_map = event->depth && !walk->is_list[event->depth];
    return in_map ? text_str(&walk->key) : (str){"", 0};
}

static bool on_open(struct json_walk *walk, const struct json_event *event, int place,
                    struct error *err)
{
    if (place == NOWHERE) {
        walk->skip = event->depth + 1;
        return true;
    }
    walk->open[event->depth + 1] = place;
    walk->is_list[event->depth + 1] = event->type == JSON_LIST_OPEN;
    if (!walk->handler->begin)
        return true;
    return walk->handler->begin(walk->context, place, key_of(walk, event), event, err) ||
           refused(walk, event, err);
}

static bool on_close(struct json_walk *walk, const struct json_event *event, struct error *err)
{
    // The depth of a closing event is that of the containers around its container.
    int place = walk->open[event->depth + 1];
    return !walk->handler->end || walk->handler->end(walk->context, place, event, err) ||
           refused(walk, event, err);
}

static int place_of(const struct json_walk *walk, const struct json_event *event)
{
    if (event->depth == 0)
        return ROOT;
    return walk->is_list[event->depth] ? walk->element[walk->open[event->depth]] : walk->next;
}

static void on_key(struct json_walk *walk, const struct json_event *event)
{
    walk->next = step_from(walk, walk->open[event->depth], event->text);
    text_clear(&walk->key);
    if (walk->next != NOWHERE)
        text_add(&walk->key, event->text);
}

static bool on_value(struct json_walk *walk, const struct json_event *event, int place,
                     struct error *err)
{
    if (place == NOWHERE || !walk->handler->value)
        return true;
    return walk->handler->value(walk->context, place, key_of(walk, event), event, err) ||
           refused(walk, event, err);
}

static bool on_event(void *context, const struct json_event *event, struct error *err)
{
    struct json_walk *walk = context;
    switch (event->type) {
    case JSON_MAP_CLOSE:
    case JSON_LIST_CLOSE:
        if (!walk->skip)
            return on_close(walk, event, err);
        if (event->depth + 1 == walk->skip)
            walk->skip = 0;
        return true;
    case JSON_KEY:
        if (!walk->skip)
            on_key(walk, event);
        return true;
    case JSON_MAP_OPEN:
    case JSON_LIST_OPEN:
        return walk->skip || on_open(walk, event, place_of(walk, event), err);
    case JSON_STRING:
    case JSON_NUMBER:
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL:
        return walk->skip || on_value(walk, event, place_of(walk, event), err);
    }
    return true;
}

static unsigned steps_count(const struct json_step *steps)
{
    unsigned count = 0;
    while (steps[count].in)
        count++;
    return count;
}

static void sort_steps(struct json_walk *walk, const struct json_step *steps)
{
    unsigned count = steps_count(steps), n = 0;
    walk->rows = memory_alloc((count + 1) * sizeof *walk->rows);
    for (int place = ROOT; place < JSON_PLACES; place++) {
        walk->first[place] = n;
        for (unsigned i = 0; i < count; i++) {
            if (steps[i].in != place)
                continue;
            if (!steps[i].key)
                walk->element[place] = steps[i].to;
            else if (strcmp(steps[i].key, "*") == 0)
                walk->any[place] = steps[i].to;
            else
                walk->rows[n++] = (struct row){str_of(steps[i].key), steps[i].to};
        }
        walk->count[place] = n - walk->first[place];
    }
}

struct json_walk *json_walk_open(const char *path, const struct json_step *steps,
                                 const struct json_walk_handler *handler, void *context)
{
    struct json_walk *walk = memory_alloc(sizeof *walk);
    walk->path = path;
    walk->handler = handler;
    walk->context = context;
    walk->key = text_of(LIMIT_TOKEN_BYTES);
    walk->stream = json_stream_open(path, on_event, walk);
    sort_steps(walk, steps);
    return walk;
}

void json_walk_allow_many(struct json_walk *walk)
{
    json_stream_allow_many(walk->stream);
}

bool json_walk_feed(struct json_walk *walk, str bytes, struct error *err)
{
    return json_stream_feed(walk->stream, bytes, err);
}

bool json_walk_end(struct json_walk *walk, struct error *err)
{
    return json_stream_end(walk->stream, err);
}

void json_walk_close(struct json_walk *walk)
{
    json_stream_close(walk->stream);
    text_done(&walk->key);
    memory_free(walk->rows);
    memory_free(walk);
}

bool json_walk_refuse(const struct json_walk *walk, const struct json_event *event,
                      struct error *err, const char *format, ...)
{
    char sentence[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    return error_at(err, ERROR_INPUT, (struct position){walk->path, event->line, 0}, "%s",
                    sentence);
}
