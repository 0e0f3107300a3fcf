// What wrk and wrk2 print: one row, the whole run. Percentiles are there with `--latency` only.
#include "gate/base/number.h"
#include "gate/reports/lines.h"
#include "gate/reports/registry.h"

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct lines input;
    struct timing row;
    uint64_t broken, refused;                // no answer came; one that is no success
    bool begun, counted, rated, transferred; // lines that were there
    bool in_distribution, distributed;
};

static int recognise(const struct report_head *head)
{
    str rest = head->bytes, line;
    if (head->is_xml || head->is_json)
        return 0;
    for (int i = 0; i < 20 && report_head_line(&rest, &line); i++)
        if (str_starts(line, STR("Running ")) && str_search(line, STR(" test @ ")) != STR_NONE)
            return 90;
    return 0;
}

// "123.45us", "1.20ms", "2.00s", "1.50m", "0.10h" as milliseconds.
static bool read_time(str s, double *ret)
{
    static const struct {
        str unit;
        double ms;
    } units[] = {{STR_INIT("us"), 1e-3},
                 {STR_INIT("ms"), 1},
                 {STR_INIT("s"), 1e3},
                 {STR_INIT("m"), 6e4},
                 {STR_INIT("h"), 36e5}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        double value;
        if (str_ends(s, units[i].unit) &&
            number_double(str_first(s, s.len - units[i].unit.len), &value) && value >= 0) {
            *ret = value * units[i].ms;
            return true;
        }
    }
    return false;
}

static str next_word(str *rest)
{
    *rest = str_trim(*rest);
    size_t end = 0;
    while (end < rest->len && !memchr(" \t", rest->data[end], 2))
        end++;
    str word = str_first(*rest, end);
    *rest = str_from(*rest, end);
    return word;
}

static bool refuse(struct reading *r, str line, struct error *err)
{
    return lines_refuse(&r->input, line, err, "this line of wrk cannot be read");
}

// "  Thread Stats   Avg      Stdev     Max   +/- Stdev" is above "    Latency   635.91us    0.89ms
// 12.92ms   93.69%".
static bool read_latency(struct reading *r, str line, struct error *err)
{
    str rest = str_from(line, sizeof "Latency" - 1);
    double deviation;
    str mean = next_word(&rest), spread = next_word(&rest), most = next_word(&rest);
    if (str_is(mean, "Distribution")) {
        r->in_distribution = !r->distributed; // wrk2 may print another one, of uncorrected times
        r->distributed = true;
        return true;
    }
    if (!read_time(mean, &r->row.mean_ms) || !read_time(spread, &deviation) ||
        !read_time(most, &r->row.max_ms))
        return refuse(r, line, err);
    return true;
}

// "50%  250.00us", "99.000%   12.34ms"
static bool read_percentile(struct reading *r, str line, struct error *err)
{
    str rest = line, word = next_word(&rest);
    double percent, ms;
    if (!number_double(str_first(word, word.len - 1), &percent) || !read_time(str_trim(rest), &ms))
        return refuse(r, line, err);
    if (percent == 50)
        r->row.p50_ms = ms;
    else if (percent == 75)
        r->row.p75_ms = ms;
    else if (percent == 90)
        r->row.p90_ms = ms;
    else if (percent == 95)
        r->row.p95_ms = ms;
    else if (percent == 99)
        r->row.p99_ms = ms;
    return true;
}

// "  22464657 requests in 30.00s, 17.76GB read"
static bool read_counts(struct reading *r, str line, struct error *err)
{
    str rest = line;
    str count = next_word(&rest);
    double ms;
    rest = str_from(str_trim(rest), sizeof "requests in" - 1);
    str time = str_trim(str_cut(&rest, ','));
    if (r->counted || !number_u64(count, &r->row.requests) || !read_time(time, &ms))
        return refuse(r, line, err);
    r->row.duration_s = ms / 1e3;
    r->counted = true;
    return true;
}

// "  Socket errors: connect 0, read 12, write 0, timeout 3"
static bool read_failures(struct reading *r, str line, uint64_t *sum, struct error *err)
{
    str rest = str_from(line, str_find(line, ':') + 1);
    while (rest.len) {
        str part = str_trim(str_cut(&rest, ','));
        size_t blank = str_find_last(part, ' ');
        uint64_t count;
        if (!number_u64(str_from(part, blank == STR_NONE ? 0 : blank + 1), &count) ||
            __builtin_add_overflow(*sum, count, sum))
            return refuse(r, line, err);
    }
    return true;
}

static bool read_rate(struct reading *r, str line, struct error *err)
{
    str value = str_trim(str_from(line, sizeof "Requests/sec:" - 1));
    if (r->rated || !number_double(value, &r->row.per_second) || r->row.per_second < 0)
        return refuse(r, line, err);
    r->rated = true;
    return true;
}

static bool on_line(void *context, str bytes, struct error *err)
{
    struct reading *r = context;
    str line = str_trim(bytes), rest = line, word = next_word(&rest);
    if (str_starts(line, STR("Running ")) && str_search(line, STR(" test @ ")) != STR_NONE) {
        if (r->begun)
            return lines_refuse(&r->input, line, err, "a second run begins: give one file each");
        r->begun = true;
        r->row.offset = r->input.offset;
    } else if (str_is(word, "Latency"))
        return read_latency(r, line, err);
    else if (r->in_distribution && str_ends(word, STR("%")))
        return read_percentile(r, line, err);
    else if (str_search(line, STR(" requests in ")) != STR_NONE && !r->counted)
        return read_counts(r, line, err);
    else if (str_starts(line, STR("Socket errors:")))
        return read_failures(r, line, &r->broken, err);
    else if (str_starts(line, STR("Non-2xx or 3xx responses:")))
        return read_failures(r, line, &r->refused, err);
    else if (str_starts(line, STR("Requests/sec:")))
        return read_rate(r, line, err);
    else if (str_starts(line, STR("Transfer/sec:")))
        r->transferred = true;
    else if (line.len == 0 || !str_ends(word, STR("%")))
        r->in_distribution = false; // wrk2 goes on with its whole spectrum
    return true;
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    (void)err;
    struct reading *r = memory_alloc(sizeof *r);
    r->evidence = evidence;
    r->report = report;
    r->row = timing_unknown((str){"", 0});
    r->row.report = report;
    r->input = lines_of(evidence->reports[report].path, on_line, r);
    *ret = r;
    return true;
}

static bool feed(struct reading *r, str bytes, struct error *err)
{
    return lines_feed(&r->input, bytes, err);
}

static bool end(struct reading *r, struct error *err)
{
    if (!lines_end(&r->input, err))
        return false;
    if (!r->begun || !r->counted || !r->rated || !r->transferred)
        return error_at(err, ERROR_INPUT, (struct position){r->input.path, r->input.number, 0},
                        "the output of wrk ends before its last line (%s)",
                        !r->begun     ? "Running …"
                        : !r->counted ? "… requests in …"
                        : !r->rated   ? "Requests/sec"
                                      : "Transfer/sec");
    r->row.counted = true;
    // wrk counts answers: a request that got none is not among them.
    if (__builtin_add_overflow(r->row.requests, r->broken, &r->row.requests) ||
        __builtin_add_overflow(r->refused, r->broken, &r->row.failures))
        return error_set(err, ERROR_INPUT, "the requests do not fit into 64 bits");
    if (!timing_add(r->evidence, &r->row, err))
        return false;
    timing_report_end(r->evidence, r->report, !r->input.ended_whole);
    return true;
}

static void close_reading(struct reading *r)
{
    lines_done(&r->input);
    memory_free(r);
}

const struct report_reader wrk_reader = {
    .name = "wrk",
    .title = "wrk's output",
    .form = REPORT_LINES,
    .kind = EVIDENCE_TIMINGS,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
