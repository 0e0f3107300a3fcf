// OSV-Scanner, pip-audit and npm audit: what golden cases show only as totals.
#include "feed.h"

static struct evidence evidence;

static void done(void)
{
    evidence_done(&evidence);
}

TestSuite(audits, .fini = done);

static void expect_finding(size_t i, const char *id, const char *package, const char *version,
                           const char *fixed, enum fix_state fix, enum severity severity)
{
    cr_assert_gt(evidence.vulnerabilities.count, i);
    const struct vulnerability *one = &evidence.vulnerabilities.items[i];
    expect_str(one->id, id);
    expect_str(one->package, package);
    expect_str(one->version, version);
    expect_str(one->fixed, fixed);
    cr_expect_eq(one->fix, fix);
    cr_expect_eq(one->severity, severity);
}

#define OSV_HEAD                                                                                   \
    "{\"results\":[{\"source\":{\"path\":\"go.mod\"},\"packages\":[{\"package\":{\"name\":"        \
    "\"Acme_Http\",\"version\":\"1.0\",\"ecosystem\":\"PyPI\"},\"vulnerabilities\":["
#define OSV_TAIL "]}]}]}"

Test(audits, osv_takes_the_versions_of_its_own_package)
{
    feed_good(
        &evidence, "o.json",
        OSV_HEAD
        "{\"id\":\"GHSA-aaaa-bbbb-cccc\",\"aliases\":[\"CVE-2026-1\"],\"severity\":[{\"type\":"
        "\"CVSS_V2\",\"score\":\"AV:N/AC:L/Au:N/C:C/I:C/A:C\"},{\"type\":\"CVSS_V3\",\"score\":"
        "\"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N\"}],\"affected\":[{\"package\":{"
        "\"name\":\"other\"},\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{\"fixed\":"
        "\"9.9\"}]}]},{\"package\":{\"name\":\"acme-http\"},\"ranges\":[{\"type\":\"GIT\","
        "\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"abcdef\"}]},{\"type\":\"ECOSYSTEM\","
        "\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"1.1\"},{\"introduced\":\"2\"},"
        "{\"fixed\":\"2.1\"}]}]}]},"
        "{\"id\":\"PYSEC-2\",\"affected\":[{\"package\":{\"name\":\"acme-http\"},\"ranges\":[{"
        "\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"}]}]}]}" OSV_TAIL);
    expect_finding(0, "GHSA-aaaa-bbbb-cccc", "Acme_Http", "1.0", "1.1, 2.1", FIX_AVAILABLE,
                   SEVERITY_HIGH); // the highest version's score, not the highest
    expect_finding(1, "PYSEC-2", "Acme_Http", "1.0", "", FIX_NONE, SEVERITY_UNKNOWN);
    expect_str(evidence.vulnerabilities.items[1].path, "go.mod");
    expect_str(evidence.vulnerabilities.items[1].ecosystem, "pypi");
    cr_expect_str_eq(suspicions(&evidence), "");
}

Test(audits, osv_groups_give_names_and_scores)
{
    feed_good(&evidence, "o.json",
              OSV_HEAD "{\"id\":\"A-1\"},{\"id\":\"B-1\"},{\"id\":\"C-1\"}],\"groups\":[{\"ids\":["
                       "\"A-1\",\"B-1\"],\"aliases\":[\"CVE-2026-1\"],\"max_severity\":\"9.8\"},{"
                       "\"ids\":[\"C-1\"],\"max_severity\":\"\",\"experimentalAnalysis\":{\"C-1\":{"
                       "\"called\":false}}}" OSV_TAIL);
    struct vulnerability_totals totals = vulnerabilities_totals(&evidence.vulnerabilities);
    cr_expect_eq(totals.total, 2);
    cr_expect_eq(totals.groups, 1);
    cr_expect_eq(totals.suppressed, 1);
    cr_expect_eq(evidence.vulnerabilities.items[1].severity, SEVERITY_CRITICAL);
    cr_expect(vulnerability_named(&evidence.vulnerabilities.items[1], STR("cve-2026-1")));
    cr_expect(str_search(evidence.vulnerabilities.items[2].suppressed_why, STR("not called")) !=
              STR_NONE);
}

Test(audits, a_scan_of_nothing_is_not_clean)
{
    static const struct {
        const char *text;
        bool audited;
    } rows[] = {
        {"{\"results\":[]}", false},
        {"{\"results\":null,\"experimental_config\":{}}", false},
        {"{\"results\":[{\"source\":{\"path\":\"a\"},\"packages\":[]}]}", false},
        {"{\"results\":[{\"source\":{},\"packages\":[{\"package\":{\"name\":\"a\"}}]}]}", true},
        {"{\"results\":[],\"license_summary\":[{\"name\":\"MIT\",\"count\":0}]}", false},
        {"{\"results\":[],\"license_summary\":[{\"name\":\"MIT\",\"count\":1}]}", true},
        {"{\"dependencies\":[],\"fixes\":[]}", false},
        {"{\"dependencies\":[{\"name\":\"a\",\"skip_reason\":\"x\"}],\"fixes\":[]}", false},
        {"{\"dependencies\":[{\"name\":\"a\",\"version\":\"1\",\"vulns\":[]}],\"fixes\":[]}", true},
        {"{\"auditReportVersion\":2,\"vulnerabilities\":{},\"metadata\":{\"dependencies\":{"
         "\"total\":0}}}",
         false},
        {"{\"auditReportVersion\":2,\"vulnerabilities\":{},\"metadata\":{\"dependencies\":{"
         "\"total\":1}}}",
         true},
        {"{\"actions\":[],\"advisories\":{},\"metadata\":{\"dependencies\":0,\"devDependencies\":3,"
         "\"totalDependencies\":3}}",
         true},
        {"{\"type\":\"auditSummary\",\"data\":{\"vulnerabilities\":{},\"totalDependencies\":0}}",
         false},
        {"{\"bomFormat\":\"CycloneDX\",\"vulnerabilities\":[]}", false},
        {"{\"bomFormat\":\"CycloneDX\",\"components\":[]}", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        feed_good(&evidence, "a.json", rows[i].text);
        const struct report *report = &evidence.reports[0];
        cr_expect_eq(report->nothing_audited, !rows[i].audited, "%s", rows[i].text);
        cr_expect_eq(evidence.has[EVIDENCE_VULNERABILITIES], rows[i].audited, "%s", rows[i].text);
        cr_expect_eq(report->suspicion_count, !rows[i].audited, "%s", rows[i].text);
        evidence_done(&evidence);
    }
}

Test(audits, npm_names_and_mends)
{
    feed_good(
        &evidence, "n.json",
        "{\"auditReportVersion\":2,\"vulnerabilities\":{"
        "\"a\":{\"via\":[{\"source\":7,\"url\":\"https://github.com/advisories/"
        "GHSA-aaaa-bbbb-cccc\","
        "\"title\":\"T\",\"severity\":\"moderate\",\"cvss\":{\"score\":0,\"vectorString\":null}}],"
        "\"nodes\":[\"node_modules/"
        "a\",\"x\"],\"fixAvailable\":{\"name\":\"a\",\"version\":\"2.0\"}},"
        "\"b\":{\"via\":[\"a\"],\"fixAvailable\":true},"
        "\"c\":{\"via\":[{\"source\":8,\"title\":\"no link\",\"severity\":\"critical\"}],"
        "\"fixAvailable\":{\"name\":\"top\",\"version\":\"3.0\"}},"
        "\"d\":{\"via\":[{\"source\":9,\"severity\":\"low\"}],\"fixAvailable\":false}},"
        "\"metadata\":{\"vulnerabilities\":{\"low\":1,\"moderate\":2,\"critical\":1,\"total\":4},"
        "\"dependencies\":{\"total\":10}}}");
    expect_finding(0, "GHSA-aaaa-bbbb-cccc", "a", "", "2.0", FIX_AVAILABLE, SEVERITY_MEDIUM);
    expect_finding(1, "npm:8", "c", "", "", FIX_AVAILABLE, SEVERITY_CRITICAL);
    expect_finding(2, "npm:9", "d", "", "", FIX_NONE, SEVERITY_LOW);
    cr_expect_eq(evidence.vulnerabilities.count, 3); // b only depends on a
    cr_expect(vulnerability_named(&evidence.vulnerabilities.items[0], STR("npm:7")));
    expect_str(evidence.vulnerabilities.items[0].path, "node_modules/a");
    cr_expect_str_eq(suspicions(&evidence), "");
}

Test(audits, yarn_repeats_itself)
{
#define LINE                                                                                       \
    "{\"type\":\"auditAdvisory\",\"data\":{\"resolution\":{\"path\":\"p\"},\"advisory\":{\"id\":"  \
    "5,"                                                                                           \
    "\"module_name\":\"a\",\"severity\":\"high\",\"cves\":[\"CVE-2026-5\"],\"patched_versions\":"  \
    "\"<0.0.0\",\"findings\":[{\"version\":\"1.0\",\"paths\":[\"p\"]},{\"version\":\"1.1\","       \
    "\"paths\":[\"q\"]}]}}}\n"
    feed_good(&evidence, "y.json",
              LINE LINE LINE
              "{\"type\":\"auditSummary\",\"data\":{\"vulnerabilities\":{\"high\":3},"
              "\"dependencies\":20,\"totalDependencies\":20}}\n");
    cr_assert_eq(evidence.vulnerabilities.count, 1);
    expect_finding(0, "CVE-2026-5", "a", "1.0, 1.1", "", FIX_NONE, SEVERITY_HIGH);
    cr_expect_str_eq(suspicions(&evidence), "");
}

Test(audits, a_scanner_that_failed_says_so)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"{\"error\":{\"code\":\"ENOAUDIT\",\"summary\":\"Your configured registry does not "
         "support "
         "audit requests.\"}}",
         "the scanner failed: ENOAUDIT: Your configured registry does not support audit requests."},
        {"{\"error\":{\"code\":\"ERR_PNPM_AUDIT_NO_LOCKFILE\",\"message\":\"No lockfile\"}}",
         "the scanner failed: ERR_PNPM_AUDIT_NO_LOCKFILE: No lockfile"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        feed_good(&evidence, "n.json", rows[i].text);
        cr_expect_str_eq(suspicions(&evidence), rows[i].want);
        cr_expect_not(evidence.has[EVIDENCE_VULNERABILITIES]);
        evidence_done(&evidence);
    }
}
