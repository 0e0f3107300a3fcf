// Gatling's simulation.log, as text (before 3.12; later ones are binary and refused). A REQUEST
// line has its outcome behind its two moments, and before them its name and the groups that it is
// in; what comes before these has changed with the versions.
#include "gate/base/limits.h"
#include "gate/base/number.h"
#include "gate/reports/lines.h"
#include "gate/reports/registry.h"
#include "gate/reports/timing_samples.h"

#define FIELDS 16u

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct lines input;
    struct timing_samples *samples;
    struct text name;
    bool begun; // the RUN line was there
};

// A binary log begins with the mark of its first record, the length of the version and the version.
static bool is_binary(str bytes)
{
    static const char start[] = {0, 0, 0, 0};
    return bytes.len > 8 && memcmp(bytes.data, start, 4) == 0 && bytes.data[4] > 4 &&
           bytes.data[4] < 32 && bytes.data[5] == '3' && bytes.data[6] == '.';
}

static bool is_run(str line)
{
    unsigned tabs = 0;
    for (size_t i = 0; i < line.len; i++)
        tabs += line.data[i] == '\t';
    return tabs >= 3 &&
           (str_starts(line, STR("RUN\t")) || str_search(line, STR("\tRUN\t")) != STR_NONE);
}

static int recognise(const struct report_head *head)
{
    str rest = head->bytes, line;
    if (is_binary(head->bytes))
        return 90;
    if (head->is_xml || head->is_json || memchr(rest.data ? rest.data : "", '\0', rest.len))
        return 0;
    // Assertions may come before the run.
    for (int i = 0; i < 100 && report_head_line(&rest, &line); i++) {
        if (is_run(line))
            return 90;
        if (!str_starts(line, STR("ASSERTION\t")))
            return 0;
    }
    return 0;
}

static size_t split(str line, str *fields)
{
    size_t count = 0, from = 0;
    for (size_t i = 0; i < line.len && count < FIELDS; i++) {
        if (line.data[i] != '\t')
            continue;
        fields[count++] = str_make(line.data + from, i - from);
        from = i + 1;
    }
    if (count < FIELDS)
        fields[count++] = str_make(line.data + from, line.len - from);
    return count;
}

static bool refuse(struct reading *r, str line, struct error *err)
{
    return lines_refuse(&r->input, line, err, "this line of Gatling's log cannot be read");
}

// "outer,inner" and "name" are "outer / inner / name", as in stats.json.
static str full_name(struct reading *r, str groups, str name)
{
    if (groups.len == 0)
        return name;
    text_clear(&r->name);
    while (groups.len) {
        text_add(&r->name, str_cut(&groups, ','));
        text_adds(&r->name, " / ");
    }
    text_add(&r->name, name);
    return text_str(&r->name);
}

static bool read_request(struct reading *r, str line, const str *fields, size_t count,
                         struct error *err)
{
    for (size_t i = 4; i < count; i++) {
        int64_t from, to;
        bool failed = str_is(fields[i], "KO");
        if ((!failed && !str_is(fields[i], "OK")) || !number_i64(fields[i - 2], &from) ||
            !number_i64(fields[i - 1], &to))
            continue;
        if (to < from || from <= 0 || fields[i - 3].len == 0)
            return refuse(r, line, err);
        struct timing_sample sample = {.name = full_name(r, fields[i - 4], fields[i - 3]),
                                       .elapsed_ms = (uint64_t)(to - from),
                                       .failed = failed,
                                       .part_of_run = true,
                                       .at_ms = from,
                                       .offset = r->input.offset};
        return timing_samples_add(r->samples, &sample, err);
    }
    return refuse(r, line, err);
}

static bool on_line(void *context, str line, struct error *err)
{
    static const char *const others[] = {"USER", "GROUP", "ERROR", "ASSERTION", NULL};
    struct reading *r = context;
    str fields[FIELDS];
    if (line.len == 0)
        return true;
    size_t count = split(line, fields);
    if (r->begun && str_is(fields[0], "REQUEST")) // most are; one may be named RUN
        return read_request(r, line, fields, count, err);
    // Version 2.0 and before had the kind of the record third.
    str kind = count > 2 && (str_is(fields[2], "REQUEST") || str_is(fields[2], "USER") ||
                             str_is(fields[2], "RUN") || str_is(fields[2], "GROUP"))
                   ? fields[2]
                   : fields[0];
    if (is_run(line)) {
        if (r->begun)
            return lines_refuse(&r->input, line, err, "a second run begins: give one file each");
        r->begun = true;
        return true;
    }
    for (size_t i = 0; others[i]; i++)
        if (str_is(kind, others[i]))
            return r->begun || i == 3 || refuse(r, line, err);
    if (!r->begun || !str_is(kind, "REQUEST"))
        return refuse(r, line, err);
    return read_request(r, line, fields, count, err);
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    (void)err;
    struct reading *r = memory_alloc(sizeof *r);
    r->evidence = evidence;
    r->report = report;
    r->name = text_of((size_t)LIMIT_TOKEN_BYTES * 4);
    r->samples = timing_samples_open(evidence, report);
    r->input = lines_of(evidence->reports[report].path, on_line, r);
    *ret = r;
    return true;
}

static bool feed(struct reading *r, str bytes, struct error *err)
{
    if (bytes.len && !r->begun && r->input.number == 0 && r->input.carry.len == 0 &&
        bytes.data[0] == '\0')
        return error_set(err, ERROR_INPUT,
                         "a binary simulation.log, as Gatling writes it since 3.12, is not read: "
                         "give js/stats.json of its report");
    return lines_feed(&r->input, bytes, err);
}

static bool end(struct reading *r, struct error *err)
{
    if (!lines_end(&r->input, err) || !timing_samples_end(r->samples, err))
        return false;
    timing_report_end(r->evidence, r->report, !r->input.ended_whole);
    return true;
}

static void close_reading(struct reading *r)
{
    lines_done(&r->input);
    timing_samples_close(r->samples);
    text_done(&r->name);
    memory_free(r);
}

const struct report_reader gatling_log_reader = {
    .name = "gatling-log",
    .title = "Gatling's simulation.log",
    .form = REPORT_LINES,
    .kind = EVIDENCE_TIMINGS,
    .record_end = "\n",
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
