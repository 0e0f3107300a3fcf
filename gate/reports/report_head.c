#include "gate/reports/report_head.h"

#include <stdarg.h>

enum { SEEN_MAX = 4096, SEEN_DEPTH = 8 };

struct look {
    struct report_head *head;
    int open[SEEN_DEPTH + 1]; // of each depth the container's index in `seen`
    str key;
    bool full;
};

static bool is_container(enum json_event_type type)
{
    return type == JSON_MAP_OPEN || type == JSON_LIST_OPEN;
}

static bool look_at(void *context, const struct json_event *event, struct error *err)
{
    struct look *look = context;
    struct report_head *head = look->head;
    (void)err;
    if (event->type == JSON_MAP_CLOSE || event->type == JSON_LIST_CLOSE)
        return true;
    if (event->depth >= SEEN_DEPTH)
        return true;
    if (event->type == JSON_KEY) {
        look->key = arena_str(&head->arena, event->text);
        return true;
    }
    if (event->depth == 0)
        head->values++;
    if (head->seen_count >= SEEN_MAX) {
        look->full = true;
        return true;
    }
    head->seen = arena_grow(&head->arena, head->seen, head->seen_count, &head->seen_room,
                            sizeof *head->seen);
    int parent = event->depth ? look->open[event->depth] : -1;
    bool in_map = parent >= 0 && head->seen[parent].type == JSON_MAP_OPEN;
    bool texted = event->type == JSON_STRING || event->type == JSON_NUMBER;
    head->seen[head->seen_count] = (struct json_seen){
        .parent = parent,
        .key = in_map ? look->key : (str){NULL, 0},
        .type = event->type,
        .text = texted ? arena_str(&head->arena, event->text) : (str){NULL, 0},
    };
    if (is_container(event->type))
        look->open[event->depth + 1] = (int)head->seen_count;
    head->seen_count++;
    return true;
}

static void look_at_json(struct report_head *head)
{
    struct look look = {.head = head};
    struct error err;
    str s = head->bytes;
    if (str_starts(s, STR("\xef\xbb\xbf")))
        s = str_from(s, 3);
    str start = str_trim(s);
    if (start.len == 0 || (start.data[0] != '{' && start.data[0] != '['))
        return;
    struct json_stream *stream = json_stream_open("", look_at, &look);
    json_stream_allow_many(stream);
    // What is broken further on is for the reader to say, with its place.
    (void)json_stream_feed(stream, s, &err);
    json_stream_close(stream);
    head->is_json = head->seen_count > 0;
}

void report_head_look(str bytes, bool whole, struct report_head *ret)
{
    *ret = (struct report_head){.bytes = bytes, .whole = whole};
    ret->is_xml = xml_root(bytes, &ret->xml);
    if (!ret->is_xml)
        look_at_json(ret);
}

void report_head_done(struct report_head *head)
{
    arena_done(&head->arena);
    *head = (struct report_head){0};
}

enum { KEYS_MAX = SEEN_DEPTH };

struct place {
    const char *keys[KEYS_MAX];
    int count;
};

static struct place place_of(va_list keys)
{
    struct place place = {.count = 0};
    const char *key;
    while (place.count < KEYS_MAX && (key = va_arg(keys, const char *)))
        place.keys[place.count++] = key;
    return place;
}

static bool key_fits(const struct json_seen *seen, const char *key)
{
    if (strcmp(key, "#") == 0)
        return seen->key.data == NULL;
    return seen->key.data && (strcmp(key, "*") == 0 || str_is(seen->key, key));
}

static bool stands_at(const struct report_head *head, size_t index, const struct place *place)
{
    const struct json_seen *seen = &head->seen[index];
    for (int i = place->count; i-- > 0;) {
        if (seen->parent < 0 || !key_fits(seen, place->keys[i]))
            return false;
        seen = &head->seen[seen->parent];
    }
    return seen->parent < 0;
}

static const struct json_seen *find(const struct report_head *head, const struct place *place,
                                    bool texted)
{
    for (size_t i = 0; i < head->seen_count; i++)
        if ((!texted || head->seen[i].text.data) && stands_at(head, i, place))
            return &head->seen[i];
    return NULL;
}

bool report_head_has(const struct report_head *head, ...)
{
    va_list keys;
    va_start(keys, head);
    struct place place = place_of(keys);
    va_end(keys);
    return find(head, &place, false) != NULL;
}

str report_head_text(const struct report_head *head, ...)
{
    va_list keys;
    va_start(keys, head);
    struct place place = place_of(keys);
    va_end(keys);
    const struct json_seen *seen = find(head, &place, true);
    return seen ? seen->text : (str){NULL, 0};
}

enum json_event_type report_head_type(const struct report_head *head, ...)
{
    va_list keys;
    va_start(keys, head);
    struct place place = place_of(keys);
    va_end(keys);
    const struct json_seen *seen = find(head, &place, false);
    return seen ? seen->type : JSON_KEY;
}

bool report_head_line(str *rest, str *ret_line)
{
    if (rest->len == 0)
        return false;
    str line = str_cut(rest, '\n');
    if (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    *ret_line = line;
    return true;
}
