#include "actions/report/told_decision.h"
#include "gate/base/limits.h"

#include <criterion/criterion.h>

static struct arena arena;
static struct text out;
static const struct told_source source = {
    .head_sha = STR_INIT("0123456789abcdef0123456789abcdef01234567"),
    .run_url = STR_INIT("https://github.example/a/b/actions/runs/7")};

static void start(void)
{
    out = text_of(LIMIT_SUMMARY_BYTES);
}

static void done(void)
{
    text_done(&out);
    arena_done(&arena);
}

TestSuite(told_decision, .init = start, .fini = done);

static const char *shown(const char *json, size_t most)
{
    struct told_decision told;
    struct error err;
    cr_assert(told_decision_read(&arena, "decision.json", str_of(json), &told, &err), "%s",
              err.message);
    text_clear(&out);
    told_decision_markdown(&told, &source, most, &out);
    return text_c(&out);
}

Test(told_decision, what_stops_it_comes_first_and_the_rest_is_folded)
{
    static const char json[] =
        "{\"schema\":\"sluice.decision/1\",\"decision\":\"block\","
        "\"totals\":{\"tests\":{\"total\":3,\"passed\":2,\"failed\":1}},\"findings\":["
        "{\"id\":\"tests.failures\",\"verdict\":\"block\",\"message\":\"m\",\"advice\":\"mend it\","
        "\"where\":[{\"path\":\"a.py\",\"line\":3,\"end_line\":5}]},"
        "{\"id\":\"risk.review\",\"verdict\":\"warn\",\"scope\":\"environment\"},"
        "{\"id\":\"coverage.total\",\"verdict\":\"pass\"}]}";
    const char *text = shown(json, 60000);
    const char *stops = strstr(text, "tests.failures"), *aside = strstr(text, "risk.review"),
               *passed = strstr(text, "coverage.total"), *folded = strstr(text, "<details>");
    cr_assert(stops && aside && passed && folded, "%s", text);
    cr_expect(stops < folded && folded < aside && aside < passed, "%s", text);
    cr_expect(strstr(text, "### ⛔ Block: it may not go"));
    cr_expect(strstr(text, "at <code>a.py:3-5</code>") && strstr(text, "→ mend it"), "%s", text);
    cr_expect(strstr(text, "Tests: 3, passed 2, failed 1"));
    cr_expect(
        strstr(text, "(https://github.example/a/b/actions/runs/7) told it of `0123456789ab`."));
}

Test(told_decision, hostile_text_stays_text)
{
    static const char json[] =
        "{\"schema\":\"sluice.decision/1\",\"decision\":\"block\",\"findings\":["
        "{\"id\":\"x](http://evil)<img src=x>\",\"verdict\":\"block\","
        "\"where\":[{\"path\":\"@everyone `a` | b\\n# c\"}]}]}";
    const char *text = shown(json, 60000);
    cr_expect_null(strstr(text, "<img"), "%s", text);
    cr_expect_null(strstr(text, "](http://evil"), "%s", text);
    cr_expect_null(strstr(text, "@everyone"), "%s", text);
    cr_expect_null(strstr(text, "\n# c"), "%s", text);
}

Test(told_decision, what_is_no_decision_is_refused)
{
    static const char *const rows[] = {
        "",
        "[]",
        "{}",
        "{\"schema\":\"sluice.decision/2\",\"decision\":\"pass\",\"findings\":[]}",
        "{\"schema\":\"sluice.decision/1\",\"decision\":\"fine\",\"findings\":[]}",
        "{\"schema\":\"sluice.decision/1\",\"decision\":\"pass\",\"findings\":{}}",
        "{\"schema\":\"sluice.decision/1\",\"decision\":\"pass\",\"findings\":[7]}",
        "{\"schema\":\"sluice.decision/1\",\"decision\":\"pass\",\"findings\":[{\"id\":\"a\"}]}",
        "{\"schema\":\"sluice.decision/1\",\"decision\":\"pass\"",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct told_decision told;
        struct error err;
        cr_expect_not(told_decision_read(&arena, "decision.json", str_of(rows[i]), &told, &err),
                      "%s", rows[i]);
        cr_expect_eq(err.kind, ERROR_INPUT, "%s: %s", rows[i], err.message);
    }
}

Test(told_decision, odd_figures_do_no_harm)
{
    const char *text = shown("{\"schema\":\"sluice.decision/1\",\"decision\":\"pass\",\"totals\":{"
                             "\"coverage\":{\"lines\":7,\"branches\":[]},\"tests\":[],"
                             "\"risk\":{\"open\":\"x\"}},\"findings\":[{\"id\":\"a\",\"verdict\":"
                             "\"block\",\"where\":[7,{\"line\":-1},{\"path\":\"p\",\"line\":"
                             "99999999999}],\"have\":{},\"message\":7}]}",
                             60000);
    cr_expect(strstr(text, "Lines covered: 0 of 0"), "%s", text);
    cr_expect(strstr(text, "at <code>p</code>"), "%s", text);
}

Test(told_decision, what_does_not_fit_is_counted)
{
    struct text json = text_of(1 << 20);
    text_adds(&json, "{\"schema\":\"sluice.decision/1\",\"decision\":\"block\",\"findings\":[");
    for (int i = 0; i < 2000; i++)
        text_addf(&json, "%s{\"id\":\"tests.%d\",\"verdict\":\"block\",\"message\":\"m\"}",
                  i ? "," : "", i);
    text_adds(&json, "]}");
    const char *text = shown(text_c(&json), 20000);
    text_done(&json);
    cr_expect_leq(strlen(text), 20000);
    cr_expect(strstr(text, "more findings** do not fit here"), "%s", text);
}
