#include "gate/reports/lines.h"

#include "gate/base/limits.h"

static const str byte_order_mark = STR_INIT("\xef\xbb\xbf");

struct lines lines_of(const char *path, lines_handler *handler, void *context)
{
    return (struct lines){
        .path = path,
        .handler = handler,
        .context = context,
        .carry = text_of(LIMIT_TOKEN_BYTES),
        .ended_whole = true,
    };
}

// `size`: with its line end.
static bool give(struct lines *lines, str line, uint64_t size, struct error *err)
{
    lines->number++;
    lines->size = size;
    if (lines->number == 1 && str_starts(line, byte_order_mark))
        line = str_from(line, byte_order_mark.len);
    if (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    if (!lines->handler(lines->context, line, err)) {
        if (!err->at.file)
            err->at = (struct position){lines->path, lines->number, 1};
        return false;
    }
    lines->offset += size;
    return true;
}

static str take_plain(struct lines *lines, str bytes)
{
    if (!lines->plain || lines->number == 0 || lines->carry.len)
        return bytes;
    size_t size = lines->plain(lines->context, bytes, &lines->number);
    lines->offset += size;
    return str_make(bytes.data + size, bytes.len - size);
}

static bool feed_text(struct lines *lines, str bytes, struct error *err)
{
    if (bytes.len == 0)
        return true;
    lines->ended_whole = bytes.data[bytes.len - 1] == '\n';
    bytes = take_plain(lines, bytes);
    for (size_t end; (end = str_find(bytes, '\n')) != STR_NONE; bytes = take_plain(lines, bytes)) {
        str line = str_make(bytes.data, end);
        if (lines->carry.len) {
            text_add(&lines->carry, line);
            line = text_str(&lines->carry);
        }
        if (text_full(&lines->carry) || line.len > LIMIT_TOKEN_BYTES)
            break;
        if (!give(lines, line, line.len + 1, err))
            return false;
        text_clear(&lines->carry);
        bytes = str_make(bytes.data + end + 1, bytes.len - end - 1);
    }
    text_add(&lines->carry, bytes);
    if (!text_full(&lines->carry))
        return true;
    struct position at = {lines->path, lines->number + 1, 0};
    return error_at(err, ERROR_LIMIT, at, "the line is longer than %u bytes", LIMIT_TOKEN_BYTES);
}

// What stands before a NUL is read first, so that the NUL is refused with its own line.
bool lines_feed(struct lines *lines, str bytes, struct error *err)
{
    const char *nul = bytes.len ? memchr(bytes.data, '\0', bytes.len) : NULL;
    if (!nul)
        return feed_text(lines, bytes, err);
    if (!feed_text(lines, str_first(bytes, (size_t)(nul - bytes.data)), err))
        return false;
    struct position at = {lines->path, lines->number + 1, 0};
    return error_at(err, ERROR_INPUT, at, "a NUL byte stands in this line");
}

bool lines_end(struct lines *lines, struct error *err)
{
    return lines->carry.len == 0 || give(lines, text_str(&lines->carry), lines->carry.len, err);
}

void lines_done(struct lines *lines)
{
    text_done(&lines->carry);
}

bool lines_refuse(const struct lines *lines, str line, struct error *err, const char *what)
{
    struct position at = {lines->path, lines->number, 1};
    str shown = str_shorten(line, 60);
    if (!str_is_utf8(shown))
        return error_at(err, ERROR_INPUT, at, "%s", what);
    return error_at(err, ERROR_INPUT, at, "%s: `" STR_FMT "`", what, STR_ARG(shown));
}
