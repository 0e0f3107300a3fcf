#include "workspace.h"

#include "gate/doc/yaml.h"

TestSuite(intake, .init = workspace_init, .fini = workspace_done);

static struct intake intake;

static const struct evidence_config *config(const char *yaml)
{
    const struct node *node;
    struct error err = {0};
    struct evidence_config *value = ARENA_NEW(&arena, struct evidence_config);
    struct problems problems = {.arena = &arena};
    cr_assert(yaml_parse(&arena, "sluice.yml", str_of(yaml), &node, &err), "%s", err.message);
    bool ok = shape_bind(&arena, &evidence_shape, node, value, &problems);
    cr_assert(ok, "%s", problems.count ? problems.items[0].message : "");
    return value;
}

static void take(const char *yaml, const struct repository_paths *paths)
{
    struct error err = {0};
    struct intake_request request = {.root = root, .paths = paths};
    if (yaml)
        request.config = config(yaml);
    cr_assert(intake_run(&request, &evidence, &intake, &err), "%s", err.message);
}

static const char *reports(void)
{
    str all = {"", 0};
    for (size_t i = 0; i < evidence.report_count; i++) {
        const struct report *report = &evidence.reports[i];
        all = arena_format(&arena, STR_FMT "%s%s%s%s%s", STR_ARG(all), i ? " " : "", report->path,
                           report->entry ? "!" : "", report->entry ? report->entry : "",
                           report->error.kind  ? "(error)"
                           : report->duplicate ? "(duplicate)"
                           : report->empty     ? "(empty)"
                                               : "");
    }
    return all.data;
}

Test(intake, usual_names_without_a_word)
{
    put("coverage.xml", "<coverage line-rate=\"1\"><packages><class filename=\"a\"><lines><line "
                        "number=\"1\" hits=\"1\"/></lines></class></packages></coverage>");
    put("web/coverage/lcov.info", LCOV("b.js", "DA:1,0\n"));
    put("reports/junit/unit/a.xml", SUITE("s", CASE("t")));
    put("lib/target/surefire-reports/TEST-x.xml", SUITE("x", CASE("t")));
    put("node_modules/m/coverage/lcov.info", LCOV("no.js", "DA:1,0\n"));
    put("build/web/coverage/lcov.info", LCOV("no.js", "DA:1,0\n"));
    put("unrelated.xml", "<x/>");
    take(NULL, NULL);
    cr_expect_str_eq(reports(), "coverage.xml lib/target/surefire-reports/TEST-x.xml "
                                "reports/junit/unit/a.xml web/coverage/lcov.info");
    cr_expect_not(intake.search[EVIDENCE_COVERAGE].asked);
    cr_expect_eq(intake.search[EVIDENCE_COVERAGE].usable, 2);
    cr_expect_eq(intake.search[EVIDENCE_TESTS].usable, 2);
    expect_contains(str_of(intake.search[EVIDENCE_TESTS].looked_for), "surefire-reports");
    cr_expect_eq(coverage_totals(&evidence.coverage).lines_total, 2);
    cr_expect_eq(tests_totals(&evidence.tests).total, 2);
}

Test(intake, nothing_at_all_is_said_too)
{
    take(NULL, NULL);
    cr_expect_eq(evidence.report_count, 0);
    cr_expect_eq(intake.search[EVIDENCE_COVERAGE].missing_count, 0);
    expect_contains(str_of(intake.search[EVIDENCE_COVERAGE].looked_for), "lcov.info");
    cr_expect_not(evidence.has[EVIDENCE_COVERAGE] || evidence.has[EVIDENCE_TESTS]);
}

Test(intake, only_what_is_named_is_looked_for)
{
    put("coverage.xml", "<not-looked-at/>");
    put("junit.xml", "<not-looked-at/>");
    put("a.info", LCOV("a", "DA:1,1\n"));
    take("coverage: {reports: [./a.info, 'gone/**/b.info'], shards: 2}", NULL);
    cr_expect_str_eq(reports(), "a.info");
    const struct intake_search *search = &intake.search[EVIDENCE_COVERAGE];
    cr_expect(search->asked);
    cr_expect_not(intake.search[EVIDENCE_TESTS].asked);
    cr_expect_eq(search->shards, 2);
    cr_expect_eq(search->usable, 1);
    cr_assert_eq(search->missing_count, 1);
    cr_expect_str_eq(search->missing[0], "gone/**/b.info");
}

Test(intake, a_file_counts_once_however_it_is_found)
{
    put("a.info", LCOV("a", "DA:1,1\n"));
    put("copy.info", LCOV("a", "DA:1,1\n"));
    put("empty.info", "TN:\n");
    take("coverage: ['*.info', a.info]", NULL);
    cr_expect_str_eq(reports(), "a.info copy.info(duplicate) empty.info(empty)");
    cr_expect_eq(intake.search[EVIDENCE_COVERAGE].usable, 1);
}

Test(intake, what_cannot_be_used_stays_known)
{
    put("broken.info", "SF:a\nDA:1,1\n");
    put("junit.xml", SUITE("s", CASE("t")));
    put("secret", "x");
    cr_assert_eq(symlink("/etc/passwd", workspace_path("linked.info")), 0);
    cr_assert_eq(mkdir(workspace_path("folder.info"), 0700), 0);
    take("coverage: [broken.info, junit.xml, linked.info, folder.info]", NULL);
    cr_expect_str_eq(reports(), "broken.info(error) folder.info(error) junit.xml(error) "
                                "linked.info(error)");
    expect_contains(str_of(evidence.reports[2].error.message),
                    "evidence of tests, not of coverage");
    expect_contains(str_of(evidence.reports[3].error.message), "leads out of the workspace");
    cr_expect_eq(evidence.reports[3].error.kind, ERROR_DENIED);
    for (size_t i = 0; i < evidence.report_count; i++)
        cr_expect_eq(evidence.reports[i].kind, EVIDENCE_COVERAGE);
    cr_expect_eq(intake.search[EVIDENCE_COVERAGE].usable, 0);
    cr_expect_eq(evidence.coverage.count, 0);
}

Test(intake, one_pattern_may_stand_for_both_kinds)
{
    put("out/c.info", LCOV("a", "DA:1,1\n"));
    put("out/j.xml", SUITE("s", CASE("t")));
    take("{coverage: 'out/**', tests: 'out/**'}", NULL);
    cr_expect_str_eq(reports(), "out/c.info out/j.xml");
    cr_expect_eq(intake.search[EVIDENCE_COVERAGE].usable, 1);
    cr_expect_eq(intake.search[EVIDENCE_TESTS].usable, 1);
}

Test(intake, entries_of_archives)
{
    put("in/one/c.info", LCOV("a", "DA:1,1\n"));
    put("in/two/c.info", LCOV("a", "DA:1,0\nDA:2,0\n"));
    put("in/two/bad.info", "SF:a\n");
    put("in/readme.txt", "x");
    run("cd %s/in && tar czf ../all.tar.gz . && tar cf ../none.tar readme.txt", root);
    put("cut.tar.gz", "\x1f\x8b\x08 damaged");
    take("coverage: ['*.tar.gz!**/*.info', 'none.tar!**/c.info', 'gone.zip!x']", NULL);
    expect_contains(str_of(reports()), "all.tar.gz!one/c.info");
    expect_contains(str_of(reports()), "all.tar.gz!two/c.info");
    expect_contains(str_of(reports()), "all.tar.gz!two/bad.info(error)");
    expect_contains(str_of(reports()), "cut.tar.gz!**/*.info(error)");
    cr_expect_eq(evidence.report_count, 4);
    struct coverage_totals totals = coverage_totals(&evidence.coverage);
    cr_expect_eq(totals.lines_total, 2);
    cr_expect_eq(totals.lines_covered, 1);
    const struct intake_search *search = &intake.search[EVIDENCE_COVERAGE];
    cr_assert_eq(search->missing_count, 2);
    cr_expect_str_eq(search->missing[0], "gone.zip!x");
    cr_expect_str_eq(search->missing[1], "none.tar!**/c.info");
}

Test(intake, paths_are_those_of_the_repository)
{
    str items[] = {STR("app/models.py"), STR("app/views.py")};
    struct repository_paths paths = {.items = items, .count = 2};
    put("a.info", LCOV("/ci/build/app/models.py", "DA:1,1\n") LCOV("/ci/build/gone.py", "DA:1,1\n")
                      LCOV("/opt/x/app/views.py", "DA:1,0\n"));
    take("coverage: {reports: a.info, strip: /opt/x}", &paths);
    expect_str(evidence.coverage.files[0].path, "app/models.py");
    expect_str(evidence.coverage.files[2].path, "app/views.py");
    cr_assert_eq(intake.unmatched.count, 1);
    expect_str(intake.unmatched.items[0].reported, "/ci/build/gone.py");
}

Test(intake, an_empty_repository_matches_nothing)
{
    struct repository_paths paths = {0};
    put("a.info", LCOV("a.py", "DA:1,1\n"));
    take("coverage: a.info", &paths);
    cr_expect_eq(intake.unmatched.count, 1);
    cr_expect_eq(evidence.coverage.files[0].path.len, 0);
}

Test(intake, a_workspace_that_is_not_there)
{
    struct error err = {0};
    struct intake_request request = {.root = workspace_path("gone")};
    cr_expect_not(intake_run(&request, &evidence, &intake, &err));
    cr_expect_eq(err.kind, ERROR_ABSENT);
}

Test(intake, the_configuration_is_checked)
{
    static const struct {
        const char *yaml, *want;
    } rows[] = {
        {"coverage: {reports: /etc/x.xml}", "`/etc/x.xml` is absolute"},
        {"coverage: {reports: [a.xml, ../x.xml]}", "`../x.xml` leads out of the workspace"},
        {"tests: 'a/../../x.xml'", "leads out of the workspace"},
        {"tests: 'a.zip!b!c'", "is not PATTERN or ARCHIVE!PATTERN"},
        {"tests: '!c'", "is not PATTERN or ARCHIVE!PATTERN"},
        {"tests: 'a.zip!'", "is not PATTERN or ARCHIVE!PATTERN"},
        {"tests: {at_least: 95pp, reports: x}", "at_least"},
        {"coverage: {shards: 2}", "reports"},
        {"coverage: {reports: x, shards: 0}", "shards"},
        {"on_missing: pass", "on_missing"},
        {"dependencies: {locks: '**/x.lock'}", "named one by one"},
        {"dependencies: {locks: ../x.lock}", "leads out of the workspace"},
        {"dependencies: {}", "locks"},
        {"coverag: x", "coverag"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct node *node;
        struct error err = {0};
        struct evidence_config value;
        struct problems problems = {.arena = &arena};
        cr_assert(yaml_parse(&arena, "sluice.yml", str_of(rows[i].yaml), &node, &err));
        cr_expect_not(shape_bind(&arena, &evidence_shape, node, &value, &problems), "%s",
                      rows[i].yaml);
        cr_assert_geq(problems.count, 1, "%s", rows[i].yaml);
        expect_contains(str_of(problems.items[0].message), rows[i].want);
        cr_expect_eq(problems.items[0].at.line, 1);
    }
    cr_expect_eq(config("{}")->on_missing, ON_MISSING_BLOCK);
    cr_expect_eq(config("on_missing: warn")->on_missing, ON_MISSING_WARN);
    expect_str(config("risks: r.yml")->risks, "r.yml");
}
