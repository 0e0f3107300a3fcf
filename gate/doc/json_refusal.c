#include "gate/doc/json_refusal.h"

#include "gate/doc/json_stream.h"

static bool pass_over(void *context, const struct json_event *event, struct error *err)
{
    (void)context, (void)event, (void)err;
    return true;
}

bool json_refusal(const char *file, str bytes, struct error *err)
{
    struct json_stream *stream = json_stream_open(file, pass_over, NULL);
    bool ok = json_stream_feed(stream, bytes, err) && json_stream_end(stream, err);
    json_stream_close(stream);
    return !ok;
}
