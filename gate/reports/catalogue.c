#include "gate/reports/catalogue.h"

#include <stdarg.h>
#include <stdio.h>

enum { LEAD_MAX = 4096 };

void catalogue_open(struct catalogue *catalogue, struct evidence *evidence, uint32_t report)
{
    *catalogue = (struct catalogue){.evidence = evidence,
                                    .report = report,
                                    .path = evidence->reports[report].path,
                                    .lead = text_of(LEAD_MAX)};
}

static bool give(struct catalogue *catalogue, str bytes, struct error *err)
{
    if (bytes.len == 0)
        return true;
    return catalogue->json ? json_walk_feed(catalogue->json, bytes, err)
                           : csv_feed(&catalogue->csv, bytes, err);
}

bool catalogue_feed(struct catalogue *catalogue, const struct catalogue_syntax *syntax,
                    void *context, str bytes, struct error *err)
{
    if (catalogue->decided)
        return give(catalogue, bytes, err);
    size_t n = 0;
    while (n < bytes.len && memchr(" \t\r\n\xef\xbb\xbf", bytes.data[n], 7))
        n++;
    if (n == bytes.len) {
        text_add(&catalogue->lead, bytes); // given on before what decides
        return !text_full(&catalogue->lead) ||
               error_at(err, ERROR_INPUT, (struct position){catalogue->path, 1, 1},
                        "the file begins with nothing but white space");
    }
    catalogue->decided = true;
    if (bytes.data[n] == '{')
        catalogue->json = json_walk_open(catalogue->path, syntax->steps, syntax->json, context);
    else
        catalogue->csv = csv_of(catalogue->path, ',', syntax->record, context);
    return give(catalogue, text_str(&catalogue->lead), err) && give(catalogue, bytes, err);
}

bool catalogue_end(struct catalogue *catalogue, struct error *err)
{
    if (catalogue->json)
        return json_walk_end(catalogue->json, err);
    if (!catalogue->decided)
        return error_at(err, ERROR_INPUT, (struct position){catalogue->path, 1, 1},
                        "the file holds nothing");
    struct position at = {catalogue->path, catalogue->csv.lines.number + 1, 0};
    if (!catalogue->csv.lines.ended_whole)
        return error_at(err, ERROR_INPUT, at, "the last line has no end: the file is cut");
    return csv_end(&catalogue->csv, err);
}

void catalogue_close(struct catalogue *catalogue)
{
    if (catalogue->json)
        json_walk_close(catalogue->json);
    csv_done(&catalogue->csv);
    text_done(&catalogue->lead);
}

bool catalogue_refuse(const struct catalogue *catalogue, struct error *err, const char *format, ...)
{
    char sentence[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    return error_at(err, ERROR_INPUT, (struct position){catalogue->path, catalogue->csv.number, 0},
                    "%s", sentence);
}

size_t catalogue_column(const str *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(str_trim(fields[i]), name))
            return i;
    return STR_NONE;
}

bool catalogue_first_line(const struct report_head *head, str *ret)
{
    str rest = head->bytes;
    if (head->is_json || head->is_xml)
        return false;
    if (str_starts(rest, STR("\xef\xbb\xbf")))
        rest = str_from(rest, 3);
    return report_head_line(&rest, ret);
}
