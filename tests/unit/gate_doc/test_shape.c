#include "../expect.h"
#include "gate/base/limits.h"
#include "gate/doc/shape.h"
#include "gate/doc/yaml.h"

static struct arena arena;

static void done(void)
{
    arena_done(&arena);
}

TestSuite(shape, .fini = done);

struct flow {
    str name;
    struct fraction lines, branches;
    struct position at;
};

struct step {
    struct fraction to;
    int64_t bake_ms;
};

struct probe {
    str url;
    int64_t every_ms, max_failures;
    struct position at;
};

struct config {
    int64_t version, days;
    bool enforce, has_failures;
    int64_t failures;
    double ratio;
    struct fraction total, drop;
    int on_missing;
    struct probe probe;
    struct probe *extra;
    struct shape_list reports, critical, steps;
    const struct node *upgrades;
    struct position at;
};

static const struct shape_field flow_fields[] = {
    {"", SHAPE_KEY, offsetof(struct flow, name), .doc = "The paths."},
    {"lines", SHAPE_PERCENT, offsetof(struct flow, lines), .required = true},
    {"branches", SHAPE_PERCENT, offsetof(struct flow, branches), .fallback = "10%"},
    {0}};
static const struct shape flow_shape = {"critical", sizeof(struct flow), flow_fields,
                                        .shorthand = "lines",
                                        .position_offset = offsetof(struct flow, at) + 1};

static const struct shape_field step_fields[] = {
    {"to", SHAPE_PERCENT, offsetof(struct step, to), .required = true},
    {"bake", SHAPE_DURATION, offsetof(struct step, bake_ms), .fallback = "10m"},
    {0}};
static const struct shape step_shape = {"step", sizeof(struct step), step_fields,
                                        .shorthand = "to"};

static void check_probe(void *value, const struct node *node, struct problems *problems)
{
    const struct probe *probe = value;
    if (probe->every_ms > 60000 && probe->max_failures > 10)
        problem_at(problems, node->at, "this probe would take too long to fail");
}

static const struct shape_field probe_fields[] = {
    {"url", SHAPE_STR, offsetof(struct probe, url), .fallback = "http://localhost/"},
    {"every", SHAPE_DURATION, offsetof(struct probe, every_ms), .fallback = "5s"},
    {"max_failures", SHAPE_INT, offsetof(struct probe, max_failures), .min = 1, .max = 1000,
     .fallback = "3"},
    {0}};
static const struct shape probe_shape = {"probe", sizeof(struct probe), probe_fields,
                                         .position_offset = offsetof(struct probe, at) + 1,
                                         .check = check_probe};

static const char *const verdicts[] = {"block", "hold", "warn", "off", NULL};

static const struct shape_field config_fields[] = {
    {"version", SHAPE_INT, offsetof(struct config, version), .min = 1, .max = 1, .required = true},
    {"until", SHAPE_DATE, offsetof(struct config, days), .fallback = "1970-01-02"},
    {"enforce", SHAPE_BOOL, offsetof(struct config, enforce), .fallback = "true"},
    {"failures", SHAPE_INT, offsetof(struct config, failures),
     .given = offsetof(struct config, has_failures) + 1},
    {"ratio", SHAPE_NUMBER, offsetof(struct config, ratio), .fallback = "1.5"},
    {"total", SHAPE_PERCENT, offsetof(struct config, total), .doc = NULL},
    {"drop", SHAPE_POINTS, offsetof(struct config, drop), .fallback = "0.2pp"},
    {"on_missing", SHAPE_CHOICE, offsetof(struct config, on_missing), .choices = verdicts,
     .fallback = "hold"},
    {"probe", SHAPE_STRUCT, offsetof(struct config, probe), .shape = &probe_shape},
    {"extra", SHAPE_OPTIONAL, offsetof(struct config, extra), .shape = &probe_shape},
    {"reports", SHAPE_LIST, offsetof(struct config, reports), .shape = &shape_of_str},
    {"critical", SHAPE_MAP, offsetof(struct config, critical), .shape = &flow_shape},
    {"steps", SHAPE_LIST, offsetof(struct config, steps), .shape = &step_shape, .min = 1, .max = 4,
     .fallback = "100%"},
    {"upgrades", SHAPE_NODE, offsetof(struct config, upgrades), .doc = NULL},
    {"windows", SHAPE_LATER, .doc = NULL},
    {0}};
static const struct shape config_shape = {"configuration", sizeof(struct config), config_fields,
                                          .position_offset = offsetof(struct config, at) + 1};

static bool bind(const char *yaml, struct config *config, struct problems *problems)
{
    const struct node *root = NULL;
    struct error err = {0};
    cr_assert(yaml_parse(&arena, "f.yml", str_of(yaml), &root, &err), "%s", err.message);
    *problems = (struct problems){.arena = &arena};
    bool ok = shape_bind(&arena, &config_shape, root, config, problems);
    cr_assert(ok == (problems->count == 0), "the answer and the problems agree");
    return ok;
}

static void bind_well(const char *yaml, struct config *config)
{
    struct problems problems;
    struct error err = {0};
    cr_assert(bind(yaml, config, &problems) || problems_none(&problems, &err), "%s", err.message);
}

Test(shape, fallbacks_and_zeroes)
{
    struct config c;
    memset(&c, 0xAA, sizeof c);
    bind_well("version: 1\n", &c);
    cr_expect(c.version == 1 && c.days == 1 && c.enforce && c.on_missing == 1);
    cr_expect(c.total.den == 0, "a percentage that is not given");
    cr_expect(c.drop.num == 2 && c.drop.den == 1000);
    cr_expect(!c.has_failures && c.failures == 0);
    cr_expect(c.ratio > 1.49 && c.ratio < 1.51);
    expect_str(c.probe.url, "http://localhost/");
    cr_expect(c.probe.every_ms == 5000 && c.probe.max_failures == 3);
    cr_expect_null(c.extra);
    cr_expect_null(c.upgrades);
    cr_expect(c.reports.count == 0 && c.critical.count == 0);
    cr_expect(c.steps.count == 1, "a list of one from its fallback");
    const struct step *step = c.steps.items;
    cr_expect(fraction_cmp(step->to, (struct fraction){1, 1}) == 0 && step->bake_ms == 600000);
    cr_expect(c.at.line == 1 && c.probe.at.line == 1,
              "an absent struct stands where its parent does");
}

Test(shape, all_kinds)
{
    struct config c;
    bind_well("version: 1\n"
              "until: 2027-01-10\n"
              "enforce: False\n"
              "failures: 0\n"
              "ratio: 1.2\n"
              "total: 43.95%\n"
              "drop: 1pp\n"
              "on_missing: off\n"
              "probe: {url: 8080, every: 1h30m}\n"
              "extra:\n"
              "  max_failures: 1000\n"
              "reports: coverage.xml\n"
              "critical:\n"
              "  \"payments/**\": {lines: 90%, branches: 75%}\n"
              "  \"enrolment/**\": 68%\n"
              "steps: [5%, {to: 25%, bake: 1s}]\n"
              "upgrades: {django: {max_step: 1 lts}}\n",
              &c);
    cr_expect(c.days == 20828, "%lld", (long long)c.days);
    cr_expect(!c.enforce && c.has_failures && c.on_missing == 3);
    cr_expect(c.total.num == 4395 && c.total.den == 10000);
    expect_str(c.probe.url, "8080");
    cr_expect(c.probe.every_ms == 5400000);
    cr_assert_not_null(c.extra);
    cr_expect(c.extra->max_failures == 1000 && c.extra->every_ms == 5000);
    cr_expect(c.extra->at.line == 11);
    cr_assert(c.reports.count == 1);
    expect_str(*(const str *)c.reports.items, "coverage.xml");
    cr_assert(c.critical.count == 2 && c.steps.count == 2);
    const struct flow *flows = c.critical.items;
    expect_str(flows[0].name, "payments/**");
    expect_str(flows[1].name, "enrolment/**");
    cr_expect(flows[1].lines.num == 68 && flows[1].branches.num == 10);
    cr_expect(flows[1].at.line == 15);
    const struct step *steps = c.steps.items;
    cr_expect(steps[0].to.num == 5 && steps[0].bake_ms == 600000 && steps[1].bake_ms == 1000);
    expect_str(node_text(node_get(c.upgrades, "django"), "max_step"), "1 lts");
}

Test(shape, each_mistake_is_one_sentence)
{
    static const struct {
        const char *yaml, *want;
    } rows[] = {
        {"vershun: 1\nversion: 1\n",
         "f.yml:1:1: `vershun` is not a key of `configuration`; did you mean `version`?"},
        {"version: 1\nprobe: {speed: 1}\n",
         "f.yml:2:9: `speed` is not a key of `probe`; its keys are `url`, `every`, `max_failures`"},
        {"enforce: true\n", "f.yml:1:1: `version` is missing from `configuration`: add it"},
        {"version: 2\n", "f.yml:1:10: `version` must be 1, not `2`"},
        {"version: x\n", "f.yml:1:10: `version` must be 1, not `x`"},
        {"version: [1]\n", "f.yml:1:10: `version` must be 1, not a list"},
        {"version: 1\nfailures: -1\n",
         "f.yml:2:11: `failures` must be a whole number of at least 0, not `-1`"},
        {"version: 1\nfailures: 1.5\n",
         "f.yml:2:11: `failures` must be a whole number of at least 0, not `1.5`"},
        {"version: 1\nratio: many\n",
         "f.yml:2:8: `ratio` must be a number such as `1.5`, not negative, not `many`"},
        {"version: 1\ntotal: abc\n",
         "f.yml:2:8: `total` must be a percentage such as `55%`, not `abc`"},
        {"version: 1\ntotal: 0.55\n",
         "f.yml:2:8: `total` must be a percentage such as `55%`, not `0.55`"},
        {"version: 1\ndrop: 0.2%\n",
         "f.yml:2:7: `drop` must be percentage points such as `0.2pp`, not `0.2%`"},
        {"version: 1\nuntil: 2027-02-30\n",
         "f.yml:2:8: `until` must be a date such as `2027-01-10`, not `2027-02-30`"},
        {"version: 1\nprobe: {every: 30}\n",
         "f.yml:2:16: `every` must be a duration such as `30m` or `1h30m`, not `30`"},
        {"version: 1\nenforce: yes\n", "f.yml:2:10: `enforce` must be true or false, not `yes`"},
        {"version: 1\nenforce: \"true\"\n",
         "f.yml:2:10: `enforce` must be true or false, not `true` in quotes"},
        {"version: 1\non_missing: blok\n",
         "f.yml:2:13: `on_missing` must be `block`, `hold`, `warn` or `off`, not `blok`; did you "
         "mean `block`?"},
        {"version: 1\non_missing: {a: 1}\n",
         "f.yml:2:13: `on_missing` must be `block`, `hold`, `warn` or `off`, not a map"},
        {"version: 1\nprobe: 5\n", "f.yml:2:8: `probe` must be a map of keys and values, not `5`"},
        {"version: 1\nprobe: {url: true}\n",
         "f.yml:2:14: `url` must be a text (in quotes, if it is meant), not `true`"},
        {"version: 1\nprobe: {url: ''}\n",
         "f.yml:2:14: `url` must not be empty: give a text, or remove it"},
        {"version: 1\nprobe: {url: [a]}\n", "f.yml:2:14: `url` must be a text, not a list"},
        {"version: 1\nreports: [a, [b]]\n",
         "f.yml:2:14: an item of `reports` must be a text, not a list"},
        {"version: 1\nreports: {a: b}\n", "f.yml:2:10: `reports` must be a text, not a map"},
        {"version: 1\nsteps: []\n", "f.yml:2:8: `steps` must have between 1 and 4 entries, not 0"},
        {"version: 1\nsteps: [1%, 2%, 3%, 4%, 5%]\n",
         "f.yml:2:8: `steps` must have between 1 and 4 entries, not 5"},
        {"version: 1\nsteps: [1%, x]\n",
         "f.yml:2:13: `to` must be a percentage such as `55%`, not `x`"},
        {"version: 1\nsteps:\n", "f.yml:2:7: `steps` has no value: give it one, or remove the key"},
        {"version: 1\ntotal:\n", "f.yml:2:7: `total` has no value: give it one, or remove the key"},
        {"version: 1\nprobe: ~\n",
         "f.yml:2:8: `probe` has no value: give it one, or remove the key"},
        {"version: 1\nreports: [a, ~]\n",
         "f.yml:2:14: an item of `reports` has no value: give it one, or remove it"},
        {"version: 1\ncritical: [a]\n",
         "f.yml:2:11: `critical` must be a map of names to values, not a list"},
        {"version: 1\ncritical: {\"a/**\": {branches: 1%}}\n",
         "f.yml:2:20: `lines` is missing from `critical`: add it"},
        {"version: 1\ncritical: {a: ~}\n",
         "f.yml:2:15: `a` has no value: give it one, or remove it"},
        {"version: 1\nwindows: [x]\n",
         "f.yml:2:1: `windows` is not built yet in this version of sluice: remove it"},
        {"version: 1\nwindow: x\n",
         "f.yml:2:1: `window` is not a key of `configuration`; its keys are `version`, `until`, "
         "`enforce`, `failures`, `ratio`, `total`, `drop`, `on_missing`, `probe`, `extra`, "
         "`reports`, `critical`, `steps`, `upgrades`"},
        {"version: 1\nextra: {every: 2m, max_failures: 11}\n",
         "f.yml:2:8: this probe would take too long to fail"},
        {"[1]\n", "f.yml:1:1: `configuration` must be a map of keys and values, not a list"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct config c;
        struct problems problems;
        cr_expect_not(bind(rows[i].yaml, &c, &problems), "accepted: %s", rows[i].yaml);
        cr_assert(problems.count >= 1, "%s", rows[i].yaml);
        cr_expect(problems.count == 1, "%zu problems for %s: %s", problems.count, rows[i].yaml,
                  problems.items[problems.count - 1].message);
        expect_error(&problems.items[0], ERROR_INPUT, rows[i].want);
    }
}

Test(shape, all_problems_are_collected)
{
    struct config c;
    struct problems problems;
    cr_expect_not(bind("version: 9\ntotl: 5%\nprobe: {every: x, max_failures: 0}\nsteps: [a, b]\n"
                       "critical: {p: {line: 1%}}\n",
                       &c, &problems));
    problems_sort(&problems);
    static const unsigned lines[] = {1, 2, 3, 3, 4, 4, 5, 5};
    cr_assert(problems.count == 8, "%zu", problems.count);
    for (size_t i = 0; i < 8; i++)
        cr_expect(problems.items[i].at.line == lines[i], "%zu: %s", i, problems.items[i].message);
}

Test(shape, a_value_of_wrong_fields_is_not_checked)
{
    struct config c;
    struct problems problems;
    cr_expect_not(bind("version: 1\nprobe: {every: 2m, max_failures: 5000}\n", &c, &problems));
    cr_expect(problems.count == 1, "the check between fields would see half a struct");
}

Test(shape, no_document_at_all)
{
    struct probe probe;
    struct problems problems = {0};
    cr_expect(shape_bind(&arena, &probe_shape, NULL, &probe, &problems));
    cr_expect(probe.every_ms == 5000);
    struct config c;
    cr_expect_not(shape_bind(&arena, &config_shape, NULL, &c, &problems));
    cr_assert(problems.count == 1);
    cr_expect_str_eq(problems.items[0].message,
                     "`version` is missing from `configuration`: add it");
}

Test(shape, lists_of_plain_scalars)
{
    static const struct shape_field fields[] = {
        {"p", SHAPE_LIST, 0, .shape = &shape_of_percent},
        {"d", SHAPE_LIST, sizeof(struct shape_list), .shape = &shape_of_duration},
        {0}};
    static const struct shape shape = {"lists", 2 * sizeof(struct shape_list), .fields = fields};
    struct shape_list lists[2];
    struct problems problems = {0};
    const struct node *root;
    struct error err;
    cr_assert(yaml_parse(&arena, "f", STR("p: [1%, 2.5%]\nd: [1s, 2m]\n"), &root, &err));
    cr_assert(shape_bind(&arena, &shape, root, lists, &problems));
    const struct fraction *p = lists[0].items;
    const int64_t *d = lists[1].items;
    cr_expect(lists[0].count == 2 && p[1].num == 25 && p[1].den == 1000);
    cr_expect(lists[1].count == 2 && d[0] == 1000 && d[1] == 120000);
    cr_assert(yaml_parse(&arena, "f", STR("p: [1, 2%]\n"), &root, &err));
    cr_expect_not(shape_bind(&arena, &shape, root, lists, &problems));
    cr_expect_str_eq(problems.items[0].message,
                     "an item of `p` must be a percentage such as `55%`, not `1`");
}
