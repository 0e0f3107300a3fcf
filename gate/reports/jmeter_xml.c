// JMeter's JTL as XML: <testResults> with a <sample> or <httpSample> for each request. Samples
// inside of a sample (redirects, embedded resources) are part of it and passed over; those inside
// of a transaction are the requests of the run, and the transaction has only a row of its own.
#include "gate/base/limits.h"
#include "gate/base/number.h"
#include "gate/doc/xml.h"
#include "gate/reports/jmeter.h"
#include "gate/reports/registry.h"

struct reading {
    struct evidence *evidence;
    uint32_t report;
    struct xml *xml;
    struct timing_samples *samples;
    unsigned in_sample; // depth of the sample whose children are passed over; 0 = none
    bool rooted;
};

static int recognise(const struct report_head *head)
{
    static const char *const typical[] = {"<httpSample ", "<sample ", "<sampleResult "};
    if (!head->is_xml || !str_is(head->xml.name, "testResults"))
        return 0;
    for (size_t i = 0; i < sizeof typical / sizeof *typical; i++)
        if (str_search(head->xml.after, str_of(typical[i])) != STR_NONE)
            return 90;
    return str_search(head->xml.tag, STR("version=")) != STR_NONE ? 80 : 0;
}

static bool is_sample(const char *name)
{
    return strcmp(name, "httpSample") == 0 || strcmp(name, "sample") == 0 ||
           strcmp(name, "sampleResult") == 0;
}

// Version 1.2 has short names, those before had long ones.
static str attribute(const char **attributes, const char *now, const char *before)
{
    const char *value = xml_attribute(attributes, now);
    return str_of(value ? value : xml_attribute(attributes, before));
}

static bool refuse(const char *what, str value, struct error *err)
{
    return error_set(err, ERROR_INPUT, "a sample has no usable %s%s" STR_FMT, what,
                     value.data ? ": " : "", STR_ARG(str_shorten(value, 40)));
}

static bool read_sample(struct reading *r, const char **attributes, struct error *err)
{
    str label = attribute(attributes, "lb", "label");
    str elapsed = attribute(attributes, "t", "time");
    str success = attribute(attributes, "s", "success");
    str at = attribute(attributes, "ts", "timeStamp");
    struct timing_sample sample = {.name = label.len ? label : STR("(no label)"),
                                   .failed = str_is(success, "false"),
                                   .offset = xml_offset(r->xml)};
    if (!label.data)
        return refuse("label (`lb`)", label, err);
    if (!number_u64(elapsed, &sample.elapsed_ms))
        return refuse("elapsed time (`t`)", elapsed, err);
    if (!str_is(success, "true") && !str_is(success, "false"))
        return refuse("outcome (`s`)", success, err);
    if (at.data && !number_i64(at, &sample.at_ms))
        return refuse("time stamp (`ts`)", at, err);
    sample.part_of_run = !jmeter_is_transaction(attribute(attributes, "rm", "responseMessage"));
    if (sample.part_of_run)
        r->in_sample = xml_depth(r->xml);
    return timing_samples_add(r->samples, &sample, err);
}

static bool on_open(void *context, const char *name, const char **attributes, struct error *err)
{
    struct reading *r = context;
    if (!r->rooted && strcmp(name, "testResults") != 0)
        return error_set(err, ERROR_INPUT, "the root element is <%.60s>, not <testResults>", name);
    r->rooted = true;
    if (r->in_sample || !is_sample(name))
        return true;
    return read_sample(r, attributes, err);
}

static bool on_close(void *context, const char *name, struct error *err)
{
    struct reading *r = context;
    (void)name, (void)err;
    if (r->in_sample == xml_depth(r->xml))
        r->in_sample = 0;
    return true;
}

static bool open_reading(struct evidence *evidence, uint32_t report, struct reading **ret,
                         struct error *err)
{
    (void)err;
    struct reading *r = memory_alloc(sizeof *r);
    struct xml_handler handler = {.open = on_open, .close = on_close, .context = r};
    r->evidence = evidence;
    r->report = report;
    r->samples = timing_samples_open(evidence, report);
    r->xml = xml_open(evidence->reports[report].path, &handler);
    *ret = r;
    return true;
}

static bool feed(struct reading *r, str bytes, struct error *err)
{
    return xml_feed(r->xml, bytes, err);
}

static bool end(struct reading *r, struct error *err)
{
    if (!xml_end(r->xml, err) || !timing_samples_end(r->samples, err))
        return false;
    timing_report_end(r->evidence, r->report, false);
    return true;
}

static void close_reading(struct reading *r)
{
    xml_close(r->xml);
    timing_samples_close(r->samples);
    memory_free(r);
}

const struct report_reader jmeter_xml_reader = {
    .name = "jmeter-xml",
    .title = "JMeter XML",
    .form = REPORT_XML,
    .kind = EVIDENCE_TIMINGS,
    .recognise = recognise,
    .open = open_reading,
    .feed = feed,
    .end = end,
    .close = close_reading,
};
