// Rows and checks of load tests: what golden cases, which show totals, do not.
#include "feed.h"

#include "gate/reports/timing_samples.h"

#include <math.h>

static struct evidence evidence;

static void init(void)
{
    evidence = (struct evidence){0};
}

static void done(void)
{
    evidence_done(&evidence);
}

TestSuite(timings, .init = init, .fini = done);

static const struct timing *row_of(const char *name)
{
    for (size_t i = 0; i < evidence.timings.count; i++)
        if (str_is(evidence.timings.rows[i].name, name))
            return &evidence.timings.rows[i];
    cr_assert_fail("no row %s", name);
    return NULL;
}

static bool same(double have, double want)
{
    return isnan(want) ? isnan(have) : fabs(have - want) < 1e-9;
}

#define EXPORT                                                                                     \
    "{\"metrics\": {\"http_req_duration\": {\"avg\": 4, \"min\": 1, \"med\": 3, \"max\": 9, "      \
    "\"p(90)\": 7, \"p(95)\": 8, \"thresholds\": {\"p(95)<5\": true, \"p(95)<50\": false}}, "      \
    "\"http_req_duration{name:/x,method:GET}\": {\"avg\": 2, \"p(95)\": 3}, "                      \
    "\"http_req_failed\": {\"passes\": 3, \"fails\": 7, \"value\": 0.3}, "                         \
    "\"http_reqs\": {\"count\": 10, \"rate\": 2}, \"db_queries{name:/x,method:GET}\": {\"max\": "  \
    "17}, \"iterations\": {\"count\": 5, \"rate\": 1}}}"

// In a summary export `true` means breached, and a pass of http_req_failed is a failed request.
Test(timings, k6_export_says_it_the_other_way_round)
{
    feed_good(&evidence, "k6.json", EXPORT);
    const struct timing *all = row_of(""), *one = row_of("GET /x");
    cr_assert(evidence.timings.check_count == 2);
    cr_expect(evidence.timings.checks[0].breached && !evidence.timings.checks[1].breached);
    expect_str(evidence.timings.checks[0].name, "http_req_duration: p(95)<5");
    cr_expect(all->counted && all->failures == 3 && all->requests == 10);
    cr_expect(same(all->duration_s, 5) && same(all->p95_ms, 8) && same(all->p50_ms, 3));
    cr_expect(isnan(all->p99_ms) && isnan(all->queries));
    cr_expect(!one->counted && same(one->queries, 17) && isnan(one->p50_ms));
    cr_expect(strncmp(EXPORT + one->offset, "{\"avg\": 2", 9) == 0);
}

Test(timings, k6_handle_summary_says_ok)
{
    feed_good(&evidence, "k6.json",
              "{\"state\": {\"testRunDurationMs\": 7200000}, \"metrics\": {\"http_req_duration\": "
              "{\"type\": \"trend\", \"contains\": \"time\", \"values\": {\"avg\": 4, \"p(95)\": "
              "8}, \"thresholds\": {\"p(95)<5\": {\"ok\": false}, \"p(95)<50\": {\"ok\": true}}}, "
              "\"iterations\": {\"type\": \"counter\", \"values\": {\"count\": 1}}}}");
    cr_expect(evidence.timings.checks[0].breached && !evidence.timings.checks[1].breached);
    cr_expect(same(row_of("")->duration_s, 7200));
}

// Nearest rank: of n requests the one at rank ceil(p * n / 100).
Test(timings, percentiles_are_exact)
{
    static const struct {
        unsigned count; // requests that took 1, 2, … count ms
        double p50, p75, p90, p95, p99;
    } rows[] = {{1, 1, 1, 1, 1, 1},
                {2, 1, 2, 2, 2, 2},
                {4, 2, 3, 4, 4, 4},
                {20, 10, 15, 18, 19, 20},
                {100, 50, 75, 90, 95, 99},
                {101, 51, 76, 91, 96, 100},
                {5000, 2500, 3750, 4500, 4750, 4950}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err;
        uint32_t report;
        init();
        (void)evidence_report(&evidence, "f", NULL, &report);
        struct timing_samples *samples = timing_samples_open(&evidence, report);
        for (unsigned k = rows[i].count; k > 0; k--) {
            struct timing_sample one = {STR("GET /x"), k, k % 2 == 0, true, 1000, 0};
            cr_assert(timing_samples_add(samples, &one, &err));
        }
        cr_assert(timing_samples_end(samples, &err));
        timing_samples_close(samples);
        const struct timing *row = row_of("GET /x");
        cr_expect(same(row->p50_ms, rows[i].p50) && same(row->p75_ms, rows[i].p75) &&
                      same(row->p90_ms, rows[i].p90) && same(row->p95_ms, rows[i].p95) &&
                      same(row->p99_ms, rows[i].p99),
                  "%u: %g %g %g %g %g", rows[i].count, row->p50_ms, row->p75_ms, row->p90_ms,
                  row->p95_ms, row->p99_ms);
        cr_expect(row->requests == rows[i].count && row->failures == rows[i].count / 2);
        cr_expect(same(row->mean_ms, (rows[i].count + 1) / 2.0));
        cr_expect(same(row->max_ms, rows[i].count) && same(row->min_ms, 1));
        if (i + 1 < sizeof rows / sizeof *rows)
            done();
    }
}

Test(timings, a_sample_out_of_range_is_refused)
{
    struct error err;
    uint32_t report;
    (void)evidence_report(&evidence, "f", NULL, &report);
    struct timing_samples *samples = timing_samples_open(&evidence, report);
    struct timing_sample late = {STR("a"), TIMING_SAMPLE_MAX_MS + 1, false, true, 0, 0};
    struct timing_sample garbled = {STR("\xff"), 1, false, true, 0, 0};
    cr_expect(!timing_samples_add(samples, &late, &err));
    cr_expect(!timing_samples_add(samples, &garbled, &err));
    timing_samples_close(samples);
}

Test(timings, parts_of_a_sample_do_not_count)
{
    feed_good(
        &evidence, "a.jtl",
        "<?xml version=\"1.0\"?><testResults version=\"1.2\">"
        "<httpSample t=\"90\" ts=\"1000\" s=\"true\" lb=\"page\" rm=\"OK\">"
        "<httpSample t=\"40\" ts=\"1000\" s=\"false\" lb=\"redirect\" rm=\"OK\"/></httpSample>"
        "<sample t=\"70\" ts=\"2000\" s=\"true\" lb=\"buy\" rm=\"Number of samples in "
        "transaction : 2, number of failing samples : 0\">"
        "<httpSample t=\"30\" ts=\"2000\" s=\"true\" lb=\"step 1\" rm=\"OK\"/>"
        "<httpSample t=\"40\" ts=\"2030\" s=\"true\" lb=\"step 2\" rm=\"OK\"/></sample>"
        "</testResults>");
    cr_expect(row_of("")->requests == 3 && row_of("")->failures == 0);
    cr_expect(row_of("buy")->requests == 1 && same(row_of("buy")->max_ms, 70));
    cr_expect(same(row_of("")->max_ms, 90) && same(row_of("")->duration_s, 1.09 - 0.02));
    cr_expect(evidence.timings.count == 5);
}

Test(timings, records_of_csv_may_span_lines)
{
    feed_good(&evidence, "a.jtl",
              "timeStamp,elapsed,label,responseCode,responseMessage,success,failureMessage\n"
              "1000,5,\"a, \"\"b\"\"\",200,OK,false,\"one\r\ntwo, \"\"three\"\"\"\n"
              "1001,6,\"a, \"\"b\"\"\",200,OK,true,\n");
    cr_expect(row_of("a, \"b\"")->requests == 2 && row_of("a, \"b\"")->failures == 1);
}

Test(timings, locust_duration_and_names)
{
    feed_good(&evidence, "a_stats.csv",
              "Type,Name,Request Count,Failure Count,Median Response Time,Requests/s,95%\n"
              "GET,/a,720,7,30,0.1,40\n,Aggregated,720,7,30,0.1,40\n");
    cr_expect(same(row_of("")->duration_s, 7200) && same(row_of("GET /a")->p50_ms, 30));
    cr_expect(row_of("GET /a")->failures == 7 && isnan(row_of("GET /a")->p99_ms));
}

Test(timings, wrk_units_and_errors)
{
    feed_good(
        &evidence, "wrk.txt",
        "Running 1m test @ http://127.0.0.1/\n    Latency     1.50s   10.00us   2.00m    "
        "70.00%\n  Latency Distribution\n     50%  250.00us\n     99%    5.80ms\n"
        "  500 requests in 1.00m, 1.20MB read\n"
        "  Socket errors: connect 1, read 2, write 3, timeout 4\n"
        "  Non-2xx or 3xx responses: 40\nRequests/sec:      8.33\nTransfer/sec:     1.00KB\n");
    const struct timing *all = row_of("");
    cr_expect(same(all->mean_ms, 1500) && same(all->max_ms, 120000) && same(all->p50_ms, 0.25));
    cr_expect(same(all->p99_ms, 5.8) && same(all->duration_s, 60) && same(all->per_second, 8.33));
    cr_expect(all->requests == 510 && all->failures == 50);
}

Test(timings, gatling_counts_requests_not_groups)
{
    feed_good(&evidence, "simulation.log",
              "RUN\ta.B\tb\t1000\t \t3.9.5\nGROUP\tbuy\t1000\t3000\t900\tOK\n"
              "REQUEST\tbuy,card\tpay\t1000\t1400\tOK\t \nREQUEST\t\thome\t2000\t2500\tKO\twhy\n");
    cr_expect(row_of("")->requests == 2 && row_of("")->failures == 1);
    cr_expect(same(row_of("buy / card / pay")->p50_ms, 400) && same(row_of("home")->p50_ms, 500));
    cr_expect(same(row_of("")->duration_s, 1.5));
}

Test(timings, totals_do_not_add_up_what_overlaps)
{
    feed_good(&evidence, "k6.json", EXPORT);
    struct timing_totals totals = timings_totals(&evidence.timings);
    cr_expect(totals.requests == 10 && totals.failures == 3 && totals.breached == 1);
}
