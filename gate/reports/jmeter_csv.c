// JMeter's JTL as CSV: one record for each sample, with or without a header. Samples are summed up
// by label. A transaction controller's record sums up others of the file, so it has a row of its
// own but is no part of the whole run.
#include "gate/base/limits.h"
#include "gate/base/number.h"
#include "gate/reports/csv.h"
#include "gate/reports/jmeter.h"
#include "gate/reports/registry.h"

enum column { TIME, ELAPSED, LABEL, MESSAGE, SUCCESS, COLUMNS };
static const char *const column_names[COLUMNS] = {"timeStamp", "elapsed", "label",
                                                  "responseMessage", "success"};
#define NOT_THERE SIZE_MAX

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct csv csv;
    struct timing_samples *samples;
    size_t at[COLUMNS]; // which field it is
    size_t width;       // fields of each record; 0 = the first one has not come yet
};

static const char separators[] = ",;\t|";

static size_t find_column(const str *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(str_trim(fields[i]), name))
            return i;
    return NOT_THERE;
}

static bool is_truth(str s)
{
    return str_is(s, "true") || str_is(s, "false");
}

// Without a header, JMeter's own order: timeStamp, elapsed, label, responseCode, responseMessage,
// threadName, dataType, success, …
static bool is_plain_record(const str *fields, size_t count)
{
    uint64_t number;
    return count >= 8 && number_u64(fields[0], &number) && number_u64(fields[1], &number) &&
           is_truth(fields[7]);
}

static bool is_header(const str *fields, size_t count)
{
    unsigned known = 0;
    for (int i = 0; i < COLUMNS; i++)
        known += find_column(fields, count, column_names[i]) != NOT_THERE;
    return known >= 3 && find_column(fields, count, "elapsed") != NOT_THERE;
}

// The separator that makes a line one of JMeter's; 0 = none does.
static char separator_of(str line)
{
    char copy[4096];
    str fields[CSV_FIELDS];
    if (line.len == 0 || line.len > sizeof copy)
        return '\0';
    for (const char *separator = separators; *separator; separator++) {
        memcpy(copy, line.data, line.len);
        size_t count = csv_split(copy, line.len, *separator, fields, CSV_FIELDS);
        if (is_header(fields, count) || is_plain_record(fields, count))
            return *separator;
    }
    return '\0';
}

static char choose(str line)
{
    char separator = separator_of(line);
    if (!separator)
        separator = ',';
    return separator;
}

static str first_line(str bytes)
{
    str line = {NULL, 0};
    if (str_starts(bytes, STR("\xef\xbb\xbf")))
        bytes = str_from(bytes, 3);
    while (line.len == 0 && report_head_line(&bytes, &line))
        ;
    return line;
}

static int recognise(const struct report_head *head)
{
    if (head->is_xml || head->is_json)
        return 0;
    return separator_of(first_line(head->bytes)) ? 90 : 0;
}

static bool read_header(struct reading *r, const str *fields, size_t count, struct error *err)
{
    static const enum column needed[] = {ELAPSED, LABEL, SUCCESS};
    for (int i = 0; i < COLUMNS; i++)
        r->at[i] = find_column(fields, count, column_names[i]);
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (r->at[needed[i]] == NOT_THERE)
            return error_set(err, ERROR_INPUT,
                             "this header of JMeter has no column `%s`: let JMeter write it "
                             "(jmeter.save.saveservice)",
                             column_names[needed[i]]);
    r->width = count;
    return true;
}

static bool read_record(struct reading *r, const str *fields, size_t count, struct error *err)
{
    str label = fields[r->at[LABEL]], success = fields[r->at[SUCCESS]];
    str elapsed = fields[r->at[ELAPSED]];
    struct timing_sample sample = {.name = label.len ? label : STR("(no label)"),
                                   .failed = str_is(success, "false"),
                                   .part_of_run = true,
                                   .offset = r->csv.offset};
    if (count != r->width)
        return error_set(err, ERROR_INPUT, "this record has %zu fields, not %zu", count, r->width);
    if (!number_u64(elapsed, &sample.elapsed_ms))
        return error_set(err, ERROR_INPUT, "`elapsed` is no count of milliseconds: `" STR_FMT "`",
                         STR_ARG(str_shorten(elapsed, 40)));
    if (!is_truth(success))
        return error_set(err, ERROR_INPUT, "`success` is neither true nor false: `" STR_FMT "`",
                         STR_ARG(str_shorten(success, 40)));
    if (r->at[MESSAGE] != NOT_THERE)
        sample.part_of_run = !jmeter_is_transaction(fields[r->at[MESSAGE]]);
    // Written as a date, its zone and order are not known: then it is not said.
    if (r->at[TIME] == NOT_THERE || !number_i64(fields[r->at[TIME]], &sample.at_ms))
        sample.at_ms = 0;
    return timing_samples_add(r->samples, &sample, err);
}

static bool on_record(void *context, const str *fields, size_t count, struct error *err)
{
    static const size_t plain[COLUMNS] = {0, 1, 2, 4, 7};
    struct reading *r = context;
    if (r->width && count == r->width &&
        str_is(str_trim(fields[r->at[ELAPSED]]), column_names[ELAPSED]))
        return true; // the header of a run that was appended to the file
    if (r->width) {
        if (count <= r->at[ELAPSED] || count <= r->at[LABEL] || count <= r->at[SUCCESS])
            return error_set(err, ERROR_INPUT, "this record has %zu fields, not %zu", count,
                             r->width);
        return read_record(r, fields, count, err);
    }
    if (is_header(fields, count))
        return read_header(r, fields, count, err);
    if (!is_plain_record(fields, count))
        return error_set(err, ERROR_INPUT, "this is no record of JMeter");
    memcpy(r->at, plain, sizeof plain);
    r->width = count;
    return read_record(r, fields, count, err);
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    (void)err;
    struct reading *r = memory_alloc(sizeof *r);
    r->evidence = evidence;
    r->report = report;
    r->samples = timing_samples_open(evidence, report);
    r->csv = csv_of(evidence->reports[report].path, '\0', on_record, r);
    r->csv.choose = choose;
    *ret = r;
    return true;
}

static bool feed(struct reading *r, str bytes, struct error *err)
{
    return csv_feed(&r->csv, bytes, err);
}

static bool end(struct reading *r, struct error *err)
{
    if (!csv_end(&r->csv, err) || !timing_samples_end(r->samples, err))
        return false;
    timing_report_end(r->evidence, r->report, !r->csv.lines.ended_whole);
    return true;
}

static void close_reading(struct reading *r)
{
    csv_done(&r->csv);
    timing_samples_close(r->samples);
    memory_free(r);
}

const struct report_reader jmeter_csv_reader = {
    .name = "jmeter-csv",
    .title = "JMeter CSV",
    .form = REPORT_LINES,
    .kind = EVIDENCE_TIMINGS,
    .record_end = "\n",
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
