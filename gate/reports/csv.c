#include "gate/reports/csv.h"

#include "gate/base/limits.h"

// Takes the quotes off the field at *at, in place; *at is then behind it. False: not well-formed.
static bool unquote(char **at, const char *end, char separator, str *ret)
{
    char *in = *at + 1, *out = *at;
    for (;; in++) {
        if (in == end)
            return false;
        if (*in == '"' && (in + 1 == end || in[1] != '"'))
            break;
        in += *in == '"';
        *out++ = *in;
    }
    *ret = str_make(*at, (size_t)(out - *at));
    *at = in + 1;
    return *at == end || **at == separator;
}

size_t csv_split(char *line, size_t len, char separator, str *fields, size_t room)
{
    char *at = line, *end = line + len;
    size_t count = 0;
    for (;;) {
        if (count == room)
            return 0;
        if (at < end && *at == '"') {
            if (!unquote(&at, end, separator, &fields[count++]))
                return 0;
        } else {
            char *stop = at < end ? memchr(at, separator, (size_t)(end - at)) : NULL;
            size_t size = (size_t)((stop ? stop : end) - at);
            fields[count++] = str_make(at, size);
            at += size;
        }
        if (at == end)
            return count;
        at++;
    }
}

// Is a quote still open at the end of these bytes? Quotes inside of a quoted field are doubled, so
// their number tells.
static bool quote_open(str bytes, bool open)
{
    const char *at = bytes.data, *end = bytes.data + bytes.len;
    while (at < end && (at = memchr(at, '"', (size_t)(end - at)))) {
        open = !open;
        at++;
    }
    return open;
}

// The fields of a line in which no quote stands. 0 when there are too many.
static size_t split_plain(str line, char separator, str *fields)
{
    size_t count = 0, from = 0;
    for (size_t i = 0; i <= line.len; i++) {
        if (i < line.len && line.data[i] != separator)
            continue;
        if (count == CSV_FIELDS)
            return 0;
        fields[count++] = str_make(line.data + from, i - from);
        from = i + 1;
    }
    return count;
}

static bool give(struct csv *csv, size_t count, struct error *err)
{
    struct position at = {csv->lines.path, csv->number, 0};
    if (count == 0)
        return error_at(err, ERROR_INPUT, at,
                        "this is no record: a quote stands inside of a field, or there are more "
                        "than %u fields",
                        CSV_FIELDS);
    bool ok = csv->handler(csv->context, csv->fields, count, err);
    if (!ok && !err->at.file)
        err->at = at;
    return ok;
}

static bool give_record(struct csv *csv, struct error *err)
{
    struct position at = {csv->lines.path, csv->number, 0};
    if (text_full(&csv->record))
        return error_at(err, ERROR_LIMIT, at, "a record is longer than %u bytes",
                        LIMIT_TOKEN_BYTES);
    return give(
        csv, csv_split(csv->record.data, csv->record.len, csv->separator, csv->fields, CSV_FIELDS),
        err);
}

static bool on_line(void *context, str line, struct error *err)
{
    struct csv *csv = context;
    while (line.len && line.data[line.len - 1] == '\r') // a line end that was translated twice
        line.len--;
    if (csv->open) {
        text_addc(&csv->record, '\n');
    } else {
        if (line.len == 0)
            return true;
        csv->offset = csv->lines.offset;
        csv->number = csv->lines.number;
        if (!csv->separator) {
            csv->separator = ',';
            if (csv->choose)
                csv->separator = csv->choose(line);
        }
        if (str_find(line, '"') == STR_NONE)
            return give(csv, split_plain(line, csv->separator, csv->fields), err);
        text_clear(&csv->record);
    }
    text_add(&csv->record, line);
    csv->open = quote_open(line, csv->open);
    if (csv->open)
        return !text_full(&csv->record) || give_record(csv, err);
    return give_record(csv, err);
}

struct csv csv_of(const char *path, char separator, csv_handler *handler, void *context)
{
    return (struct csv){.lines = lines_of(path, on_line, NULL),
                        .separator = separator,
                        .handler = handler,
                        .context = context,
                        .record = text_of(LIMIT_TOKEN_BYTES)};
}

bool csv_feed(struct csv *csv, str bytes, struct error *err)
{
    csv->lines.context = csv; // the struct may have been moved since csv_of
    return lines_feed(&csv->lines, bytes, err);
}

bool csv_end(struct csv *csv, struct error *err)
{
    csv->lines.context = csv;
    if (!lines_end(&csv->lines, err))
        return false;
    if (csv->open)
        return error_at(err, ERROR_INPUT, (struct position){csv->lines.path, csv->number, 0},
                        "the file ends inside a quoted field of the record that begins here");
    return true;
}

void csv_done(struct csv *csv)
{
    lines_done(&csv->lines);
    text_done(&csv->record);
}
