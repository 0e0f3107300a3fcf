// Any bytes, as one line: what the short way takes, the streaming reader tells in the same words.
#include "fuzz.h"
#include "gate/base/text.h"
#include "gate/doc/json_flat.h"

static void write_member(struct text *out, enum json_event_type type, str text)
{
    text_addf(out, "%d %zu ", (int)type, text.len);
    text_add(out, text);
}

static bool write_event(void *context, const struct json_event *event, struct error *err)
{
    (void)err;
    if (event->type != JSON_MAP_OPEN && event->type != JSON_MAP_CLOSE)
        write_member(context, event->type, event->text);
    return true;
}

static void read_both(struct json_flat *flat, str line)
{
    struct text told = text_of(16 << 20), taken = text_of(16 << 20);
    struct error err = {0};
    if (json_flat_read(flat, line)) {
        struct json_stream *stream = json_stream_open("f.json", write_event, &told);
        PROMISE(json_stream_feed(stream, line, &err) && json_stream_end(stream, &err), "%s",
                err.message);
        json_stream_close(stream);
        for (size_t i = 0; i < flat->count; i++) {
            const struct json_member *one = &flat->members[i];
            write_member(&taken, JSON_KEY, one->key);
            write_member(&taken, one->type, one->text);
        }
        PROMISE(str_eq(text_str(&told), text_str(&taken)), "stream %s, flat %s", text_c(&told),
                text_c(&taken));
    }
    text_done(&told);
    text_done(&taken);
}

// Line by line with one reader, as reports are read: nothing of a line is left for the next.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_flat flat = json_flat_of();
    str bytes = str_make((const char *)data, size);
    while (bytes.len) {
        str line = str_cut(&bytes, '\n');
        char *copy = malloc(line.len + 1); // of its own size, so that reading past it is seen
        if (line.len)
            memcpy(copy, line.data, line.len);
        read_both(&flat, str_make(copy, line.len));
        free(copy);
    }
    json_flat_done(&flat);
    return 0;
}
