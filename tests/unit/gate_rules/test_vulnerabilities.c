#include "gate/rules/flaws.h"
#include "world.h"

TestSuite(vulnerabilities, .init = world_init, .fini = world_done);

static struct vulnerability flaw(const char *id, double cvss)
{
    struct vulnerability one = {.id = str_of(id),
                                .package = STR("django"),
                                .version = STR("4.2.1"),
                                .ecosystem = STR("pypi"),
                                .purl = STR("pkg:pypi/django@4.2.1"),
                                .path = STR("requirements.txt"),
                                .cvss = cvss,
                                .epss = SCORE_UNKNOWN};
    one.severity = severity_of_score(cvss);
    return one;
}

static void add(struct vulnerability one)
{
    struct error err = {0};
    if (!world.evidence.has[EVIDENCE_VULNERABILITIES])
        (void)world_report(EVIDENCE_VULNERABILITIES, "trivy.json");
    cr_assert(vulnerability_add(&world.evidence, &one, &err), "%s", err.message);
}

static void state(enum statement_kind kind, const char *id, const char *product, int64_t at_ms)
{
    struct error err = {0};
    str products[1] = {str_of(product)};
    struct statement one = {.kind = kind,
                            .id = str_of(id),
                            .products = products,
                            .product_count = product ? 1 : 0,
                            .epss = 0.25,
                            .at_ms = at_ms};
    uint32_t index;
    struct report *report = evidence_report(&world.evidence, "product.openvex.json", NULL, &index);
    report->kind = EVIDENCE_STATEMENTS;
    report->format = "openvex";
    world.evidence.has[EVIDENCE_STATEMENTS] = true;
    one.report = index;
    cr_assert(statement_add(&world.evidence, &one, &err), "%s", err.message);
}

static void expect(const char *id, int verdict) // -1: not there
{
    const struct finding *finding = finding_find(&world.findings, id);
    if (verdict < 0) {
        cr_expect_null(finding, "%s: %s", id, finding ? finding->message : "");
        return;
    }
    cr_assert_not_null(finding, "%s", id);
    cr_expect_eq((int)finding->verdict, verdict, "%s: %s", id, finding->message);
}

Test(vulnerabilities, conditions_are_conjunctions_and_one_is_enough)
{
    static const struct {
        const char *block;
        bool blocks;
    } rows[] = {
        {"[{cvss: '>= 9'}]", true},
        {"[{cvss: '>= 9.8'}]", true},
        {"[{cvss: '> 9.8'}]", false},
        {"[{cvss: 9.9}]", false},
        {"[{cvss: '>= 9', fix: available}]", false},
        {"[{cvss: '>= 9', fix: available}, {cvss: '>= 9'}]", true},
        {"[{cvss: '>= 9', epss: '>= 0.1'}]", false},
        {"[known_exploited]", false},
        {"[{severity: high}]", true},
        {"[{severity: critical}]", true},
        {"[{severity: critical, ecosystem: npm}]", false},
        {"[{severity: critical, ecosystem: PyPI}]", true},
        {"[{severity: critical, package: 'dj*'}]", true},
        {"[{severity: critical, package: 'flask'}]", false},
        {"[]", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_done();
        world_init();
        world_demand(
            arena_format(&world.arena, "vulnerabilities: {block: %s}", rows[i].block).data);
        add(flaw("CVE-2024-1", 9.8));
        world_judge();
        expect("vulnerabilities.block[CVE-2024-1]", rows[i].blocks ? VERDICT_BLOCK : -1);
        expect("vulnerabilities.total", rows[i].blocks ? -1 : VERDICT_PASS);
    }
}

Test(vulnerabilities, names_of_one_flaw_make_one_finding_named_by_its_cve)
{
    static str aliases[] = {STR_INIT("cve-2024-1"), STR_INIT("PYSEC-2024-9")};
    struct vulnerability one = flaw("GHSA-aaaa", 5.0), two = flaw("CVE-2024-1", 9.8);
    one.aliases = aliases;
    one.alias_count = 2;
    world_demand("vulnerabilities: {block: [{cvss: '>= 9'}]}");
    add(one);
    add(two);
    world_judge();
    expect("vulnerabilities.block[cve-2024-1]", VERDICT_BLOCK);
    const struct finding *finding = &world.findings.items[0];
    cr_expect_eq(finding->name_count, 3);
    cr_expect_eq(world.findings.count, 1);
}

Test(vulnerabilities, catalogues_tell_of_exploited_and_of_likely_ones)
{
    world_demand("vulnerabilities: {block: [known_exploited, {cvss: '>= 7', epss: '>= 0.2'}]}");
    add(flaw("CVE-2024-1", 1.0));
    add(flaw("CVE-2024-2", 7.5));
    add(flaw("CVE-2024-3", 7.5));
    state(STATEMENT_EXPLOITED, "cve-2024-1", NULL, 0);
    state(STATEMENT_PROBABILITY, "CVE-2024-2", NULL, 0);
    world_judge();
    expect("vulnerabilities.block[CVE-2024-1]", VERDICT_BLOCK);
    expect("vulnerabilities.block[CVE-2024-2]", VERDICT_BLOCK);
    expect("vulnerabilities.block[CVE-2024-3]", -1);
    expect("vulnerabilities.vex.unused", -1);
}

Test(vulnerabilities, vex_clears_by_product_and_the_newest_statement_counts)
{
    static const struct {
        enum statement_kind first, second;
        const char *product;
        int64_t second_ms;
        bool cleared, unused;
    } rows[] = {
        {STATEMENT_NOT_AFFECTED, STATEMENT_NOT_AFFECTED, NULL, 2, true, false},
        {STATEMENT_NOT_AFFECTED, STATEMENT_FIXED, "pkg:pypi/django@4.2.1", 2, true, false},
        {STATEMENT_NOT_AFFECTED, STATEMENT_FIXED, "pkg:pypi/Django", 2, true, false},
        {STATEMENT_NOT_AFFECTED, STATEMENT_FIXED, "django", 2, true, false},
        {STATEMENT_NOT_AFFECTED, STATEMENT_FIXED, "pkg:pypi/django@4.2.2", 2, false, true},
        {STATEMENT_NOT_AFFECTED, STATEMENT_FIXED, "pkg:npm/django", 2, false, true},
        {STATEMENT_NOT_AFFECTED, STATEMENT_AFFECTED, NULL, 2, false, false},
        {STATEMENT_AFFECTED, STATEMENT_NOT_AFFECTED, NULL, 2, true, false},
        {STATEMENT_NOT_AFFECTED, STATEMENT_AFFECTED, NULL, 0, true, false},
        {STATEMENT_IN_TRIAGE, STATEMENT_IN_TRIAGE, NULL, 2, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_done();
        world_init();
        world_demand("vulnerabilities: {block: [{cvss: '>= 9'}]}");
        add(flaw("CVE-2024-1", 9.8));
        state(rows[i].first, "CVE-2024-1", rows[i].product, 1);
        state(rows[i].second, "CVE-2024-1", rows[i].product, rows[i].second_ms);
        world_judge();
        expect("vulnerabilities.block[CVE-2024-1]", rows[i].cleared ? -1 : VERDICT_BLOCK);
        expect("vulnerabilities.vex[CVE-2024-1]", rows[i].cleared ? VERDICT_PASS : -1);
        expect("vulnerabilities.vex.unused", rows[i].unused ? VERDICT_WARN : -1);
    }
}

Test(vulnerabilities, a_statement_that_matches_nothing_is_reported)
{
    world_demand("vulnerabilities: {block: [{cvss: '>= 9'}]}");
    add(flaw("CVE-2024-1", 1.0));
    state(STATEMENT_NOT_AFFECTED, "CVE-1999-1", NULL, 0);
    world_judge();
    expect("vulnerabilities.vex.unused", VERDICT_WARN);
}

Test(vulnerabilities, the_clock_runs_from_the_first_record_of_any_name)
{
    static const struct {
        int64_t known_days;
        bool overdue;
    } rows[] = {{0, false}, {7, false}, {8, true}};
    for (size_t i = 0; i < 3; i++) {
        world_done();
        world_init();
        struct history_seen seen = {STR("ghsa-aaaa"),
                                    world.input.now_ms - rows[i].known_days * MS_DAY};
        struct history history = {.seen = &seen, .seen_count = rows[i].known_days ? 1 : 0};
        static str aliases[] = {STR_INIT("GHSA-aaaa")};
        struct vulnerability one = flaw("CVE-2024-1", 9.8);
        one.aliases = aliases;
        one.alias_count = 1;
        world.input.history = &history;
        world_demand("vulnerabilities: {sla: {critical: 7d, high: 30d}}");
        add(one);
        world_judge();
        expect("vulnerabilities.sla[CVE-2024-1]", rows[i].overdue ? VERDICT_BLOCK : -1);
    }
}

Test(vulnerabilities, an_unknown_score_is_said_and_never_meets_a_limit)
{
    world_demand("vulnerabilities: {block: [{cvss: '>= 0'}]}");
    add(flaw("X-1", SCORE_UNKNOWN));
    world_judge();
    expect("vulnerabilities.block[X-1]", -1);
    expect("vulnerabilities.unscored", VERDICT_WARN);
}

Test(vulnerabilities, whose_it_is)
{
    static const struct {
        bool recorded, manifest, in_code, line;
        enum scope scope;
    } rows[] = {
        {true, true, false, false, SCOPE_INHERITED},     {false, true, false, false, SCOPE_YOURS},
        {false, false, false, false, SCOPE_ENVIRONMENT}, {false, false, true, true, SCOPE_YOURS},
        {false, false, true, false, SCOPE_INHERITED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_done();
        world_init();
        struct history_seen seen = {STR("cve-2024-1"), 1000};
        struct history history = {.seen = &seen, .seen_count = rows[i].recorded};
        struct vulnerability one = flaw("CVE-2024-1", 9.8);
        if (rows[i].in_code) {
            one.package = one.purl = (str){"", 0};
            one.path = STR("app/a.py");
            one.line = 7;
        }
        world.input.history = &history;
        world_demand("vulnerabilities: {block: [{cvss: '>= 9'}]}");
        world_change(rows[i].manifest ? "web/package-lock.json" : "app/a.py", rows[i].line ? 7 : 1,
                     rows[i].line ? 9 : 3);
        add(one);
        world_judge();
        const struct finding *finding =
            finding_find(&world.findings, "vulnerabilities.block[CVE-2024-1]");
        cr_assert_not_null(finding);
        cr_expect_eq(finding->scope, rows[i].scope, "row %zu: %s", i, scope_name(finding->scope));
    }
}

Test(vulnerabilities, failed_nothing_scanned_and_clean_are_three_things)
{
    for (int i = 0; i < 3; i++) {
        world_done();
        world_init();
        world_demand("vulnerabilities: {block: [known_exploited]}");
        struct report *report = world_report(EVIDENCE_VULNERABILITIES, "scan.json");
        world.input.needs[EVIDENCE_VULNERABILITIES].asked = true;
        world.evidence.has[EVIDENCE_VULNERABILITIES] = i == 2;
        if (i == 0)
            report_scanner_failed(&world.evidence, report, STR("no database"));
        if (i == 1)
            report_nothing_audited(&world.evidence, report, "no lock file");
        world_judge();
        expect("evidence.vulnerabilities.failed[scan.json]", i == 0 ? VERDICT_BLOCK : -1);
        expect("evidence.vulnerabilities.nothing[scan.json]", i == 1 ? VERDICT_BLOCK : -1);
        expect("vulnerabilities.total", i == 2 ? VERDICT_PASS : -1);
    }
}

Test(vulnerabilities, a_stale_scan_is_missing_evidence)
{
    static const struct {
        int64_t age_ms;
        bool stale;
    } rows[] = {{0, false}, {24 * MS_HOUR, false}, {24 * MS_HOUR + 1, true}, {-MS_DAY, true}};
    for (size_t i = 0; i < 4; i++) {
        world_done();
        world_init();
        world.input.scanner_max_age_ms = 24 * MS_HOUR;
        world_report(EVIDENCE_VULNERABILITIES, "scan.json")->made_ms =
            world.input.now_ms - rows[i].age_ms;
        world_judge();
        expect("evidence.vulnerabilities.stale[scan.json]", rows[i].stale ? VERDICT_BLOCK : -1);
    }
}

Test(vulnerabilities, limits_that_are_none_are_refused)
{
    static const char *const rows[] = {"{block: [{cvss: '>= 11'}]}", "{block: [{cvss: high}]}",
                                       "{block: [{epss: '>= 2'}]}",  "{block: [{}]}",
                                       "{block: [exploited]}",       "{block: [{cvss: '= 9'}]}",
                                       "{sla: {critical: 7}}",       "{sla: {urgent: 7d}}"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct problems problems = {.arena = &world.arena};
        struct vulnerability_demands demands;
        cr_expect_not(shape_bind(&world.arena, &vulnerability_demands_shape, world_yaml(rows[i]),
                                 &demands, &problems),
                      "%s", rows[i]);
        cr_assert_geq(problems.count, 1);
        cr_expect_eq(problems.items[0].at.line, 1);
    }
}
