#include "gate/reports/json_walk.h"

#include "gate/base/arena.h"
#include "gate/base/limits.h"
#include "gate/base/number.h"
#include "gate/base/text.h"

#include <stdarg.h>
#include <stdio.h>

enum { NOWHERE = 0, ROOT = 1, PLACE_BITS = 0xff };
_Static_assert(JSON_PLACES <= PLACE_BITS, "a place and what must stand there share a number");

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
};

// The place that a key leads to, with what must stand there.
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
    int must = to & ~PLACE_BITS, is = kinds[event->type];
    str key = str_shorten(key_of(walk, event), 80);
    (void)error_set(err, ERROR_INPUT, "%s" STR_FMT "%s is %s, not %s", key.len ? "`" : "",
                    STR_ARG(key.len ? key : STR("an element of a list")), key.len ? "`" : "",
                    kind_name(is), kind_name(must));
    return refused(walk, event, err);
}

static bool is_right(const struct json_walk *walk, const struct json_event *event, int to,
                     struct error *err)
{
    return to <= PLACE_BITS || (to & kinds[event->type]) || wrong(walk, event, to, err);
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
    int to;
    switch (event->type) {
    case JSON_MAP_CLOSE:
    case JSON_LIST_CLOSE:
        return on_close(walk, event, err);
    case JSON_KEY:
        on_key(walk, event);
        return true;
    case JSON_MAP_OPEN:
    case JSON_LIST_OPEN:
        to = place_of(walk, event);
        return is_right(walk, event, to, err) && on_open(walk, event, to & PLACE_BITS, err);
    case JSON_STRING:
    case JSON_NUMBER:
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL:
        to = place_of(walk, event);
        return is_right(walk, event, to, err) && on_value(walk, event, to & PLACE_BITS, err);
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
    json_stream_allow_mark(walk->stream);
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

bool json_walk_count(const struct json_walk *walk, const struct json_event *event, const char *what,
                     uint64_t *ret, struct error *err)
{
    double large = 0;
    str text = event->text;
    if (event->digits != JSON_NOT_DIGITS) {
        *ret = event->digits;
        return true;
    }
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

bool json_walk_fits(const struct json_walk *walk, const struct json_form *forms, int place,
                    const struct json_event *event, struct error *err)
{
    const struct json_form *form = &forms[place];
    bool fits = event->type == JSON_NULL;
    const char *wanted = "";
    switch (form->type) {
    case 'm':
        fits |= event->type == JSON_MAP_OPEN;
        wanted = "a map";
        break;
    case 'l':
        fits |= event->type == JSON_LIST_OPEN;
        wanted = "a list";
        break;
    case 's':
        fits |= event->type == JSON_STRING;
        wanted = "a text";
        break;
    case 'n':
        fits |= event->type == JSON_NUMBER;
        wanted = "a number";
        break;
    case 'b':
        fits |= event->type == JSON_TRUE || event->type == JSON_FALSE;
        wanted = "true or false";
        break;
    default:
        return true;
    }
    return fits || json_walk_refuse(walk, event, err, "%s is not %s", form->name, wanted);
}
