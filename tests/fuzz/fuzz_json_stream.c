// Any bytes: where the chunks end makes no difference, and jansson accepts the same documents with
// the same values in the same order.
#include "fuzz.h"
#include "gate/base/limits.h"
#include "gate/base/text.h"
#include "gate/doc/json_stream.h"
#include "peer_json_stream.h"

static const char *const types[] = {"{", "}", "[", "]", "k", "s", "n", "t", "f", "0"};

struct log {
    struct text full, values; // with places; as jansson can say it too
};

static bool write_event(void *context, const struct json_event *event, struct error *err)
{
    struct log *log = context;
    (void)err;
    text_addf(&log->full, "%s%u@%llu:%u ", types[event->type], event->depth,
              (unsigned long long)event->offset, event->line);
    text_add(&log->full, event->text);
    text_adds(&log->values, types[event->type]);
    if (event->type == JSON_KEY || event->type == JSON_STRING)
        text_add(&log->values, event->text);
    PROMISE(str_is_utf8(event->text), "event at %llu", (unsigned long long)event->offset);
    if (event->digits != JSON_NOT_DIGITS) {
        char digits[24];
        (void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)event->digits);
        PROMISE(event->type == JSON_NUMBER && str_is(event->text, digits), "%s", digits);
    }
    return true;
}

static bool read_in(str bytes, size_t chunk, struct log *log, struct error *err)
{
    log->full = log->values = text_of(16 << 20);
    struct json_stream *s = json_stream_open("f.json", write_event, log);
    bool ok = true;
    while (ok && bytes.len) {
        str part = str_first(bytes, chunk);
        ok = json_stream_feed(s, part, err);
        bytes = str_from(bytes, part.len);
    }
    ok = ok && json_stream_end(s, err);
    json_stream_close(s);
    return ok;
}

static void drop(struct log *log)
{
    text_done(&log->full);
    text_done(&log->values);
}

// jansson's own verdict stands in peer_json_stream.c: its names and ours are the same.
static void compare(str bytes, bool ok, const struct log *log, const struct error *err)
{
    struct text values = text_of(16 << 20);
    enum peer_verdict verdict = peer_read(bytes, &values);
    bool has_nul = bytes.len && memchr(bytes.data, '\0', bytes.len);
    PROMISE(!ok || !has_nul, "a NUL byte was accepted");
    // jansson passes over a NUL byte after a number
    if (verdict != PEER_NUMBER_TOO_LARGE && err->kind != ERROR_LIMIT && !has_nul)
        PROMISE(ok == (verdict != PEER_REFUSES), "stream %s (%s), jansson %s", ok ? "yes" : "no",
                err->message, ok ? "no" : "yes");
    if (ok && verdict == PEER_ACCEPTS)
        PROMISE(str_eq(text_str(&values), text_str(&log->values)), "jansson %s, stream %s",
                text_c(&values), text_c(&log->values));
    text_done(&values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t chunks[] = {1, 3, 17};
    str bytes = str_make((const char *)data, size);
    struct log whole, parts;
    struct error err = {0}, part_err = {0};
    bool ok = read_in(bytes, size ? size : 1, &whole, &err);
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        bool part_ok = read_in(bytes, chunks[i], &parts, &part_err);
        PROMISE(part_ok == ok, "chunks of %zu: %s / %s", chunks[i], err.message, part_err.message);
        PROMISE(str_eq(text_str(&whole.full), text_str(&parts.full)), "chunks of %zu", chunks[i]);
        PROMISE(ok || (strcmp(err.message, part_err.message) == 0 &&
                       err.at.line == part_err.at.line && err.at.column == part_err.at.column),
                "%u:%u %s / %u:%u %s", err.at.line, err.at.column, err.message, part_err.at.line,
                part_err.at.column, part_err.message);
        drop(&parts);
    }
    compare(bytes, ok, &whole, &err);
    drop(&whole);
    return 0;
}
