// What scanners' reports become, entry by entry: SARIF, Trivy, Grype, Snyk, Dependabot.
#include "feed.h"

static struct evidence evidence;

static void done(void)
{
    evidence_done(&evidence);
}

TestSuite(scanners, .fini = done);

static const char *const fixes[] = {"", " fixed", " unfixed"};

// "CVE-1=GHSA-1 high 7.5 django@4.2 in path:3 fixed 4.2.1 exploited suppressed (why)"
static str words_of(struct arena *arena, const struct vulnerability *one)
{
    str out = arena_format(arena, STR_FMT, STR_ARG(one->id));
    for (size_t i = 0; i < one->alias_count; i++)
        out = arena_format(arena, STR_FMT "=" STR_FMT, STR_ARG(out), STR_ARG(one->aliases[i]));
    out = arena_format(arena, STR_FMT " %s", STR_ARG(out), severity_name(one->severity));
    if (one->cvss != SCORE_UNKNOWN)
        out = arena_format(arena, STR_FMT " %g", STR_ARG(out), one->cvss);
    if (one->epss != SCORE_UNKNOWN)
        out = arena_format(arena, STR_FMT " epss %g", STR_ARG(out), one->epss);
    if (one->package.len)
        out = arena_format(arena, STR_FMT " %s" STR_FMT "@" STR_FMT, STR_ARG(out),
                           one->ecosystem.len
                               ? arena_format(arena, STR_FMT ":", STR_ARG(one->ecosystem)).data
                               : "",
                           STR_ARG(one->package), STR_ARG(one->version));
    if (one->path.len)
        out = arena_format(arena, STR_FMT " in " STR_FMT, STR_ARG(out), STR_ARG(one->path));
    if (one->line)
        out = arena_format(arena, STR_FMT ":%u", STR_ARG(out), one->line);
    out = arena_format(arena, STR_FMT "%s", STR_ARG(out), fixes[one->fix]);
    if (one->fixed.len)
        out = arena_format(arena, STR_FMT " " STR_FMT, STR_ARG(out), STR_ARG(one->fixed));
    if (one->known_exploited)
        out = arena_format(arena, STR_FMT " exploited", STR_ARG(out));
    if (one->suppressed)
        out = arena_format(arena, STR_FMT " suppressed (" STR_FMT ")", STR_ARG(out),
                           STR_ARG(one->suppressed_why));
    return out;
}

static void expect(const char *text, const char *want)
{
    str all = {"", 0};
    evidence = (struct evidence){0};
    feed_good(&evidence, "report", text);
    for (size_t i = 0; i < evidence.vulnerabilities.count; i++)
        all = arena_format(&evidence.arena, STR_FMT "%s" STR_FMT, STR_ARG(all), i ? "\n" : "",
                           STR_ARG(words_of(&evidence.arena, &evidence.vulnerabilities.items[i])));
    cr_expect(str_is(all, want), "%s\nis\n" STR_FMT "\nnot\n%s", text, STR_ARG(all), want);
    cr_expect_str_eq(suspicions(&evidence), "", "%s: %s", text, suspicions(&evidence));
    evidence_done(&evidence);
}

#define RUN(results, more) "{\"version\":\"2.1.0\",\"runs\":[{\"results\":[" results "]" more "}]}"
#define RULES(rules) ",\"tool\":{\"driver\":{\"name\":\"T\",\"rules\":[" rules "]}}"
#define AT(location) "\"locations\":[{\"physicalLocation\":{" location "}}]"

Test(scanners, sarif_levels_and_ratings)
{
    expect(RUN("{\"ruleId\":\"A\"}", ""), "A medium");
    expect(RUN("{\"ruleId\":\"A\",\"level\":\"error\"}", ""), "A high");
    expect(RUN("{\"ruleId\":\"A\",\"level\":\"none\"}", ""), "A none");
    expect(RUN("{\"ruleId\":\"A\",\"kind\":\"open\"}", ""), "A none");
    expect(RUN("{\"ruleId\":\"A\",\"kind\":\"review\",\"level\":\"error\"}", ""), "A high");
    expect(RUN("{\"ruleId\":\"A\"}", RULES("{\"id\":\"A\",\"defaultConfiguration\":{\"level\":"
                                           "\"error\"}}")),
           "A high");
    expect(RUN("{\"ruleId\":\"A\",\"level\":\"note\"}",
               RULES("{\"id\":\"A\",\"properties\":{\"security-severity\":\"9.8\"}}")),
           "A critical 9.8");
    expect(RUN("{\"ruleId\":\"A\",\"properties\":{\"security-severity\":\"2.0\"}}",
               RULES("{\"id\":\"A\",\"properties\":{\"security-severity\":\"9.8\"}}")),
           "A low 2");
    expect(RUN("{\"ruleId\":\"A\"}",
               RULES("{\"id\":\"A\",\"properties\":{\"security-severity\":\"HIGH\"}}")),
           "A high");
    expect(RUN("{\"ruleId\":\"A\"}",
               RULES("{\"id\":\"A\",\"properties\":{\"security-severity\":\"\"}}")),
           "A medium");
}

Test(scanners, sarif_rules_are_found_by_place_and_by_name)
{
    static const char rules[] =
        RUN("{\"ruleIndex\":1},{\"ruleId\":\"B/1/x\"},{\"ruleId\":\"C\",\"ruleIndex\":-1},"
            "{\"ruleId\":\"Z\",\"ruleIndex\":9}",
            RULES("{\"id\":\"A\"},{\"id\":\"B\",\"properties\":{\"tags\":[\"CVE-2024-1234\","
                  "\"external/cwe/cwe-79\"]}}"));
    expect(rules, "B=CVE-2024-1234 medium\nB/1/x=CVE-2024-1234 medium\nC medium\nZ medium");
    // Prose in a long property may speak of other flaws; a short description is no more than that.
    expect(RUN("{\"ruleId\":\"S\"},{\"ruleId\":\"T\"}",
               RULES("{\"id\":\"S\",\"shortDescription\":{\"text\":\"Low - CVE-2011-3374\"}},"
                     "{\"id\":\"T\",\"properties\":{\"help\":\"is not like CVE-2024-1234, which "
                     "has been known for a long time to everybody\"}}")),
           "S=CVE-2011-3374 medium\nT medium");
}

Test(scanners, sarif_paths)
{
    static const struct {
        const char *at, *bases, *want;
    } rows[] = {
        {"\"artifactLocation\":{\"uri\":\"src/a.c\"},\"region\":{\"startLine\":7}", "",
         "src/a.c:7"},
        {"\"artifactLocation\":{\"uri\":\"./src/a%20b.c\"}", "", "src/a b.c"},
        {"\"artifactLocation\":{\"uri\":\"a%zz%00b\"}", "", "a%zz%00b"},
        {"\"artifactLocation\":{\"uri\":\"a%ff\"}", "", "a%ff"},
        {"\"artifactLocation\":{\"uri\":\"file:///w/app/src/a.c\"}", "", "/w/app/src/a.c"},
        {"\"artifactLocation\":{\"uri\":\"file:///w/app/src/a.c\"}",
         "\"R\":{\"uri\":\"file:///w/app/\"}", "src/a.c"},
        {"\"artifactLocation\":{\"uri\":\"file:///C:/w/a.c\"}", "", "C:/w/a.c"},
        {"\"artifactLocation\":{\"uri\":\"a.c\",\"uriBaseId\":\"S\"}",
         "\"S\":{\"uri\":\"src/\",\"uriBaseId\":\"R\"},\"R\":{\"uri\":\"file:///w/\"}", "src/a.c"},
        {"\"artifactLocation\":{\"uri\":\"a.c\",\"uriBaseId\":\"S\"}",
         "\"S\":{\"uri\":\"s\",\"uriBaseId\":\"S\"}", "s/s/s/s/s/s/s/s/a.c"}, // for ever
        {"\"artifactLocation\":{\"uri\":\"a.c\",\"uriBaseId\":\"NONE\"}", "", "a.c"},
        {"\"artifactLocation\":{\"uri\":\"https://host/a.c\"}", "", "https://host/a.c"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1024], want[256];
        (void)snprintf(
            text, sizeof text,
            "{\"version\":\"2.1.0\",\"runs\":[{\"results\":[{\"ruleId\":\"A\","
            "\"locations\":[{\"physicalLocation\":{%s}}]}],\"originalUriBaseIds\":{%s}}]}",
            rows[i].at, rows[i].bases);
        (void)snprintf(want, sizeof want, "A medium in %s", rows[i].want);
        expect(text, want);
    }
    // Only the first location is shown, and artifacts may stand behind the results.
    expect(RUN("{\"ruleId\":\"A\",\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{"
               "\"index\":1}}},{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"b.c\"},"
               "\"region\":{\"startLine\":9}}}]}",
               ",\"artifacts\":[{\"location\":{\"uri\":\"x\"}},{\"location\":{\"uri\":\"y\"}}]"),
           "A medium in y");
}

#define TRIVY(results) "{\"SchemaVersion\":2,\"ArtifactName\":\"a\",\"Results\":[" results "]}"

Test(scanners, trivy_entries)
{
    expect(
        TRIVY(
            "{\"Vulnerabilities\":[{\"VulnerabilityID\":\"CVE-2024-1\",\"VendorIDs\":[\"DSA-1-1\","
            "\"GHSA-aaaa-bbbb-cccc\"],\"PkgName\":\"p\",\"InstalledVersion\":\"1\","
            "\"FixedVersion\":\"2, 3\",\"Severity\":\"LOW\",\"CVSS\":{\"redhat\":{\"V3Score\":4.4},"
            "\"nvd\":{\"V2Score\":9,\"V3Score\":5.5}},\"SeveritySource\":\"redhat\"}],"
            "\"Type\":\"poetry\",\"Target\":\"poetry.lock\"}"),
        "CVE-2024-1=GHSA-aaaa-bbbb-cccc low 4.4 pypi:p@1 in poetry.lock fixed 2, 3");
    expect(TRIVY("{\"Target\":\"t\",\"Vulnerabilities\":[{\"VulnerabilityID\":\"A\",\"Status\":"
                 "\"will_not_fix\",\"Severity\":\"UNKNOWN\",\"CVSS\":{\"nvd\":{\"V40Score\":9.3,"
                 "\"V3Score\":7}}}]}"),
           "A critical 9.3 in t unfixed");
    expect(TRIVY("{\"Target\":\"t\",\"ExperimentalModifiedFindings\":[{\"Finding\":{\"ID\":\"DS1\","
                 "\"Severity\":\"HIGH\"},\"Status\":\"ignored\"}]}"),
           "DS1 high in t suppressed (ignored)");
    expect(
        TRIVY("{\"Target\":\"t\",\"Misconfigurations\":[{\"ID\":\"DS1\",\"AVDID\":\"AVD-DS-0001\","
              "\"Status\":\"FAIL\",\"CauseMetadata\":{\"StartLine\":3}},{\"ID\":\"DS2\","
              "\"Status\":\"PASS\"},{\"ID\":\"DS3\",\"Status\":\"EXCEPTION\"}]}"),
        "DS1=AVD-DS-0001 unknown in t:3\nDS3 unknown in t suppressed ()");
    expect(TRIVY("{\"Target\":\"t\",\"Licenses\":[{\"Name\":\"MIT\",\"PkgName\":\"p\",\"Severity\":"
                 "\"LOW\",\"FilePath\":\"LICENSE\"},{\"Name\":\"\",\"PkgName\":\"q\"}]}"),
           "MIT low p@ in LICENSE\nunknown license unknown q@ in t");
}

#define GRYPE(match) "{\"matches\":[" match "],\"source\":null,\"distro\":null}"

Test(scanners, grype_matches)
{
    expect(
        GRYPE("{\"vulnerability\":{\"id\":\"CVE-2024-1\",\"severity\":\"Unknown\",\"cvss\":[{"
              "\"vector\":\"AV:N/AC:L/Au:N/C:P/I:P/A:P\",\"version\":\"2.0\"}],\"epss\":[{"
              "\"epss\":0.1},{\"epss\":0.3}],\"knownExploited\":[{}]},\"artifact\":{\"name\":\"p\","
              "\"version\":\"1\",\"type\":\"deb\"}}"),
        "CVE-2024-1 high 7.5 epss 0.3 deb:p@1 exploited");
    // Its own score comes before a related one's, though that is of a higher version.
    expect(
        GRYPE("{\"vulnerability\":{\"id\":\"GHSA-1\",\"severity\":\"Low\",\"cvss\":[{\"version\":"
              "\"2.0\",\"metrics\":{\"baseScore\":3}}]},\"relatedVulnerabilities\":[{\"id\":"
              "\"CVE-1\",\"cvss\":[{\"version\":\"3.1\",\"metrics\":{\"baseScore\":9}}]}]}"),
        "GHSA-1=CVE-1 low 3");
    expect(GRYPE("{\"relatedVulnerabilities\":[{\"id\":\"CVE-1\",\"cvss\":[{\"version\":\"3.1\","
                 "\"metrics\":{\"baseScore\":9.1}}]}],\"vulnerability\":{\"id\":\"CVE-1\",\"fix\":{"
                 "\"versions\":[],\"state\":\"wont-fix\"}}}"),
           "CVE-1 critical 9.1 unfixed");
}

#define SNYK(entry, more)                                                                          \
    "{\"vulnerabilities\":[" entry "],\"ok\":false,\"dependencyCount\":3" more "}"

Test(scanners, snyk_entries)
{
    expect(
        SNYK("{\"id\":\"S\",\"severity\":\"high\",\"severityWithCritical\":\"critical\","
             "\"packageManager\":\"debian:12\",\"packageName\":\"p\",\"name\":\"p/q\",\"version\":"
             "\"1\",\"CVSSv3\":\"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\",\"fixedIn\":[],"
             "\"identifiers\":{\"CVE\":[\"CVE-2024-1234\"],\"CWE\":[\"CWE-79\"],\"NSP\":[\"17\"]},"
             "\"epssDetails\":{\"probability\":\"0.5\"}}",
             ",\"displayTargetFile\":\"Dockerfile\""),
        "S=CVE-2024-1234 critical 9.8 epss 0.5 deb:p@1 in Dockerfile unfixed");
    expect(SNYK("{\"id\":\"S\",\"severity\":\"low\",\"cvssScore\":null,\"fixedIn\":[\"2\"],"
                "\"nearestFixedInVersion\":\"2\",\"filePath\":\"pom.xml\"}",
                ",\"path\":\"/w\",\"uniqueCount\":1,\"filtered\":{\"patch\":[{\"id\":\"P\"}]}"),
           "S low in pom.xml fixed 2\nP unknown in /w suppressed (patched)");
}

Test(scanners, failed_unscanned_and_clean_are_three_things)
{
    static const struct {
        const char *text, *suspicion;
        bool failed, unscanned;
    } rows[] = {
        {RUN("", ""), "", false, false},
        {RUN("", ",\"invocations\":[{\"executionSuccessful\":true}]"), "", false, false},
        {RUN("", ",\"invocations\":[{\"executionSuccessful\":false}]"),
         "the scanner failed: it says `executionSuccessful` false", true, false},
        {RUN("{\"ruleId\":\"A\"}",
             ",\"invocations\":[{\"toolConfigurationNotifications\":[{\"message\":{\"text\":\"no "
             "rules\"},\"level\":\"error\"}],\"executionSuccessful\":true}]"),
         "the scanner failed: no rules", true, false},
        {RUN("",
             ",\"invocations\":[{\"toolExecutionNotifications\":[{\"message\":{\"text\":\"slow\"}"
             "}]}]"),
         "", false, false},
        {"{\"version\":\"2.1.0\",\"runs\":[]}", "nothing was scanned: there is no run in it", false,
         true},
        {"{\"version\":\"2.1.0\",\"runs\":[{\"results\":null}]}",
         "nothing was scanned: no run has a list of results, not even an empty one", false, true},
        {"{\"version\":\"2.1.0\",\"runs\":[{\"externalPropertyFileReferences\":{\"results\":[{}]}}]"
         "}",
         "nothing was scanned: results stand in other files (externalPropertyFileReferences)",
         false, true},
        {TRIVY("{\"Target\":\"t\"}"), "", false, false},
        {TRIVY(""), "nothing was scanned: it names no target that was looked at", false, true},
        {GRYPE(""), "", false, false},
        {"{\"matches\":[],\"descriptor\":{\"name\":\"grype\",\"db\":{\"error\":{}}}}",
         "the scanner failed: its database has an error", true, false},
        {"{\"vulnerabilities\":[],\"ok\":true,\"dependencyCount\":3}", "", false, false},
        {"{\"vulnerabilities\":[],\"ok\":true,\"dependencyCount\":0}",
         "nothing was scanned: no project has a dependency", false, true},
        {"{\"ok\":false,\"error\":{\"code\":401},\"path\":\"/w\"}",
         "the scanner failed: it gives an error instead of a result", true, false},
        {"{\"ok\":false,\"vulnerabilities\":[],\"dependencyCount\":3,\"path\":\"/w\"}",
         "/w says that it is not ok, and lists nothing", false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        evidence = (struct evidence){0};
        feed_good(&evidence, "report", rows[i].text);
        const struct report *report = &evidence.reports[0];
        cr_expect_str_eq(suspicions(&evidence), rows[i].suspicion, "%s: %s", rows[i].text,
                         suspicions(&evidence));
        cr_expect_eq(report->scanner_failed != NULL, rows[i].failed, "%s", rows[i].text);
        cr_expect_eq(report->nothing_audited, rows[i].unscanned, "%s", rows[i].text);
        cr_expect_eq(report->empty, rows[i].failed || rows[i].unscanned, "%s", rows[i].text);
        cr_expect_eq(evidence.has[EVIDENCE_VULNERABILITIES], !report->empty, "%s", rows[i].text);
        evidence_done(&evidence);
    }
}

Test(scanners, dependabot_alerts)
{
    expect("[{\"state\":\"dismissed\",\"dismissed_reason\":\"no_bandwidth\",\"dependency\":{"
           "\"package\":{\"ecosystem\":\"pip\",\"name\":\"p\"},\"manifest_path\":\"r.txt\"},"
           "\"security_advisory\":{\"ghsa_id\":\"GHSA-1\",\"cve_id\":\"CVE-1\",\"severity\":"
           "\"medium\",\"cvss\":{\"score\":0.0,\"vector_string\":null},\"epss\":{\"percentage\":0."
           "25}},"
           "\"security_vulnerability\":{\"first_patched_version\":null}},{\"state\":\"fixed\"}]",
           "GHSA-1=CVE-1 medium epss 0.25 pypi:p@ in r.txt unfixed suppressed (no_bandwidth)");
}

Test(scanners, an_empty_list_is_no_evidence)
{
    struct error err = {0};
    cr_expect_not(feed(&evidence, "alerts.json", "[]", &err));
    cr_expect_eq(err.kind, ERROR_INPUT);
}
