#include "gate/reports/json_walk.h"

#include "gate/base/arena.h"
#include "gate/base/limits.h"
#include "gate/base/number.h"
#include "gate/base/text.h"

#include <assert.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

enum { NOWHERE = 0, ROOT = 1, PLACE_BITS = 0xff };
_Static_assert(JSON_PLACES <= PLACE_BITS, "a place and what must stand there share a number");

enum { SLOTS = 32 }; // of each place, for the keys that lead from it

struct row {
    str name;
    int to;
    int next; // the row with a key of the same slot, and 0 for none: the first row is not used
};

struct json_walk {
    const char *path;
    struct json_stream *stream;
    const struct json_walk_handler *handler;
    void *context;
    int outermost;
    unsigned char slots[JSON_PLACES][SLOTS]; // the first row of each
    int any[JSON_PLACES];                    // where "*" leads
    int element[JSON_PLACES];                // where an element of a list leads
    struct row *rows;
    int open[LIMIT_DOC_DEPTH + 1]; // place of the container at each depth
    bool is_list[LIMIT_DOC_DEPTH + 1];
    int next; // where the value after this key leads
    str key;  // the member's own name, until its value comes: a row's, or in `kept`
    struct text kept;
};

// By length, first and last letter: enough to tell most keys of a place from each other.
static unsigned slot_of(str key)
{
    if (key.len == 0)
        return 0;
    unsigned first = (unsigned char)key.data[0], last = (unsigned char)key.data[key.len - 1];
    return ((unsigned)key.len * 7 + first * 5 + last) % SLOTS;
}

// The row of a key; null when it leads nowhere, or where "*" does.
static const struct row *row_of(const struct json_walk *walk, int place, str key)
{
    for (int i = walk->slots[place][slot_of(key)]; i; i = walk->rows[i].next)
        if (str_eq(walk->rows[i].name, key))
            return &walk->rows[i];
    return NULL;
}

static __attribute__((cold)) bool refused(const struct json_walk *walk,
                                          const struct json_event *event, struct error *err)
{
    if (!err->at.file)
        err->at = (struct position){walk->path, event->line, 0};
    return false;
}

// The member's own name; empty for the elements of a list and the outermost value.
static str key_of(const struct json_walk *walk, const struct json_event *event)
{
    bool in_map = event->depth && !walk->is_list[event->depth];
    return in_map ? walk->key : (str){"", 0};
}

// What a value is; null is let through everywhere.
static const int kinds[] = {
    [JSON_MAP_OPEN] = JSON_IS_MAP,  [JSON_LIST_OPEN] = JSON_IS_LIST, [JSON_STRING] = JSON_IS_TEXT,
    [JSON_NUMBER] = JSON_IS_NUMBER, [JSON_TRUE] = JSON_IS_BOOL,      [JSON_FALSE] = JSON_IS_BOOL,
    [JSON_NULL] = ~PLACE_BITS};

static const char *kind_name(int some) // of the first of them
{
    static const char *const names[] = {"a map", "a list", "text", "a number", "a boolean"};
    int i = 0;
    while (i < 4 && !(some & (JSON_IS_MAP << i)))
        i++;
    return names[i];
}

// The value is not what it must be.
static bool wrong(const struct json_walk *walk, const struct json_event *event, int to,
                  struct error *err)
{
    str key = str_shorten(key_of(walk, event), 80);
    (void)error_set(err, ERROR_INPUT, "%s" STR_FMT "%s is %s, not %s", key.len ? "`" : "",
                    STR_ARG(key.len        ? key
                            : event->depth ? STR("an element of a list")
                                           : STR("the outermost value")),
                    key.len ? "`" : "",
                    event->type == JSON_NULL ? "null" : kind_name(kinds[event->type]),
                    kind_name(to));
    return refused(walk, event, err);
}

static bool is_right(const struct json_walk *walk, const struct json_event *event, int to,
                     struct error *err)
{
    bool fits = to <= PLACE_BITS || (to & kinds[event->type]);
    if (fits && to > PLACE_BITS && event->type == JSON_NULL)
        fits = event->depth > 0;
    return fits || wrong(walk, event, to, err);
}

static bool on_open(struct json_walk *walk, const struct json_event *event, int place,
                    struct error *err)
{
    if (place == NOWHERE) {
        json_stream_pass_over(walk->stream);
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
        return walk->outermost;
    return walk->is_list[event->depth] ? walk->element[walk->open[event->depth]] : walk->next;
}

static void on_key(struct json_walk *walk, const struct json_event *event)
{
    int place = walk->open[event->depth];
    const struct row *row = row_of(walk, place, event->text);
    walk->next = row ? row->to : walk->any[place];
    if (row) {
        walk->key = row->name;
    } else if (walk->next == NOWHERE) {
        json_stream_pass_over(walk->stream);
    } else {
        text_clear(&walk->kept);
        text_add(&walk->kept, event->text);
        walk->key = text_str(&walk->kept);
    }
}

static inline bool on_value(struct json_walk *walk, const struct json_event *event,
                            struct error *err)
{
    int to = place_of(walk, event);
    if (to > PLACE_BITS && !is_right(walk, event, to, err))
        return false;
    int place = to & PLACE_BITS;
    if (place == NOWHERE || !walk->handler->value)
        return true;
    return walk->handler->value(walk->context, place, key_of(walk, event), event, err) ||
           refused(walk, event, err);
}

// Not inline, so that a value, of which there are many more, has few registers to save.
static __attribute__((noinline)) bool
on_structure(struct json_walk *walk, const struct json_event *event, struct error *err)
{
    if (event->type == JSON_KEY) {
        on_key(walk, event);
        return true;
    }
    if (event->type == JSON_MAP_CLOSE || event->type == JSON_LIST_CLOSE)
        return on_close(walk, event, err);
    int to = place_of(walk, event);
    return is_right(walk, event, to, err) && on_open(walk, event, to & PLACE_BITS, err);
}

static bool on_event(void *context, const struct json_event *event, struct error *err)
{
    _Static_assert(JSON_KEY < JSON_STRING && JSON_LIST_CLOSE < JSON_KEY, "values come last");
    return event->type >= JSON_STRING ? on_value(context, event, err)
                                      : on_structure(context, event, err);
}

static void add_row(struct json_walk *walk, int n, const struct json_step *step)
{
    struct row *row = &walk->rows[n];
    *row = (struct row){.name = str_of(step->key), .to = step->to};
    unsigned char *slot = &walk->slots[step->in][slot_of(row->name)];
    row->next = *slot;
    *slot = (unsigned char)n;
}

static void add_steps(struct json_walk *walk, const struct json_step *steps)
{
    int count = 0, n = 0;
    while (steps[count].in)
        count++;
    assert(count < UCHAR_MAX);
    walk->rows = memory_alloc(((size_t)count + 1) * sizeof *walk->rows);
    for (; steps->in; steps++) {
        if (steps->in == JSON_OUTERMOST)
            walk->outermost = steps->to;
        else if (!steps->key)
            walk->element[steps->in] = steps->to;
        else if (strcmp(steps->key, "*") == 0)
            walk->any[steps->in] = steps->to;
        else
            add_row(walk, ++n, steps);
    }
}

struct json_walk *json_walk_open(const char *path, const struct json_step *steps,
                                 const struct json_walk_handler *handler, void *context)
{
    struct json_walk *walk = memory_alloc(sizeof *walk);
    walk->path = path;
    walk->handler = handler;
    walk->context = context;
    walk->outermost = ROOT;
    walk->kept = text_of(LIMIT_TOKEN_BYTES);
    walk->stream = json_stream_open(path, on_event, walk);
    json_stream_allow_mark(walk->stream);
    add_steps(walk, steps);
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
    text_done(&walk->kept);
    memory_free(walk->rows);
    memory_free(walk);
}

// One that is no short number.
bool json_walk_other_count(const struct json_walk *walk, const struct json_event *event,
                           const char *what, uint64_t *ret, struct error *err)
{
    double large = 0;
    str text = event->text;
    if (event->type == JSON_NUMBER && number_u64_saturating(text, ret))
        return true;
    // JavaScript writes what is past 21 digits as 1e+21.
    if (event->type == JSON_NUMBER && str_search(text, STR("e+")) != STR_NONE &&
        number_double(text, &large) && large >= 0x1p64) {
        *ret = UINT64_MAX;
        return true;
    }
    str shown = event->type == JSON_NUMBER ? str_shorten(text, 40) : STR("something else");
    return json_walk_refuse(walk, event, err,
                            "%s must be a whole number that is not negative, but is " STR_FMT, what,
                            STR_ARG(shown));
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
