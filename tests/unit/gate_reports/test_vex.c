#include "feed.h"

#include "gate/base/moment.h"

static struct evidence evidence;

static void done(void)
{
    evidence_done(&evidence);
}

TestSuite(vex, .fini = done);

// "not affected CVE-1 (why) of a, b"
static const char *words(size_t i)
{
    const struct statement *one = &evidence.statements.items[i];
    struct arena *arena = &evidence.arena;
    str out = arena_format(arena, "%s " STR_FMT " (" STR_FMT ")", statement_kind_name(one->kind),
                           STR_ARG(one->id), STR_ARG(one->justification));
    for (size_t k = 0; k < one->product_count; k++)
        out = arena_format(arena, STR_FMT "%s" STR_FMT, STR_ARG(out), k ? ", " : " of ",
                           STR_ARG(one->products[k]));
    return out.data;
}

Test(vex, openvex_names_products_and_their_parts)
{
    feed_good(
        &evidence, "v.json",
        "{\"@context\":\"https://openvex.dev/ns/v0.2.0\",\"timestamp\":\"2026-03-01T00:00:00Z\","
        "\"statements\":[{\"vulnerability\":{\"@id\":\"https://x/1\",\"name\":\"CVE-2026-1\","
        "\"aliases\":[\"GHSA-1\"]},\"products\":[{\"@id\":\"shop\",\"identifiers\":{\"purl\":"
        "\"pkg:oci/shop\",\"cpe23\":\"x\"},\"subcomponents\":[{\"@id\":\"pkg:npm/acme\"}]}],"
        "\"status\":\"not_affected\",\"justification\":\"component_not_present\","
        "\"timestamp\":\"2026-03-02T00:00:00Z\"},{\"vulnerability\":\"CVE-2026-2\","
        "\"products\":[\"a\"],\"status\":\"affected\"}]}");
    cr_assert_eq(evidence.statements.count, 2);
    cr_expect_str_eq(words(0), "not affected CVE-2026-1 (component_not_present) of shop, "
                               "pkg:oci/shop, pkg:npm/acme");
    cr_expect_str_eq(words(1), "affected CVE-2026-2 () of a");
    cr_assert_eq(evidence.statements.items[0].alias_count, 2);
    expect_str(evidence.statements.items[0].aliases[0], "GHSA-1");
    // The later one counts: each has its own time, or that of the document.
    cr_expect_eq(evidence.statements.items[0].at_ms - evidence.statements.items[1].at_ms, MS_DAY);
    cr_expect_eq(evidence.reports[0].kind, EVIDENCE_STATEMENTS);
    cr_expect_str_eq(suspicions(&evidence), "");
}

Test(vex, csaf_resolves_parts_of_products)
{
    feed_good(
        &evidence, "c.json",
        "{\"document\":{\"category\":\"csaf_vex\",\"csaf_version\":\"2.0\",\"tracking\":{"
        "\"current_release_date\":\"2026-03-01T00:00:00Z\"}},\"vulnerabilities\":[{\"cve\":"
        "\"CVE-2026-1\",\"product_status\":{\"fixed\":[\"OS:L\"],\"first_fixed\":[\"X\"],"
        "\"known_not_affected\":[\"L\"],\"last_affected\":[\"N\"],\"recommended\":[\"L\"]},"
        "\"flags\":[{\"label\":\"a\"},{\"label\":\"b\"},{\"label\":\"a\"}]}],\"product_tree\":{"
        "\"branches\":[{\"branches\":[{\"product\":{\"product_id\":\"L\","
        "\"product_identification_helper\":{\"purl\":\"pkg:rpm/acme/l@1\"}}}]}],"
        "\"full_product_names\":[{\"product_id\":\"N\",\"name\":\"n\"}],\"relationships\":[{"
        "\"product_reference\":\"L\",\"full_product_name\":{\"product_id\":\"OS:L\"}}]}}");
    cr_assert_eq(evidence.statements.count, 3);
    cr_expect_str_eq(words(0), "affected CVE-2026-1 () of N");
    cr_expect_str_eq(words(1), "fixed CVE-2026-1 () of pkg:rpm/acme/l@1, X");
    cr_expect_str_eq(words(2), "not affected CVE-2026-1 (a, b) of pkg:rpm/acme/l@1");
    cr_expect_str_eq(suspicions(&evidence), "");
}

Test(vex, relationships_in_a_circle_end)
{
    feed_good(
        &evidence, "c.json",
        "{\"document\":{\"category\":\"csaf_vex\",\"csaf_version\":\"2.0\"},\"product_tree\":{"
        "\"relationships\":[{\"full_product_name\":{\"product_id\":\"A\"},"
        "\"product_reference\":\"B\"},{\"full_product_name\":{\"product_id\":\"B\"},"
        "\"product_reference\":\"A\"}]},\"vulnerabilities\":[{\"cve\":\"CVE-1\","
        "\"product_status\":{\"fixed\":[\"A\"]}}]}");
    cr_expect_str_eq(words(0), "fixed CVE-1 () of A");
}

#define BOM "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\""

Test(vex, cyclonedx_states)
{
    static const struct {
        const char *state, *want;
        bool finding; // in a document that lists components
    } rows[] = {
        {"not_affected", "not affected CVE-1 (never called) of pkg:npm/acme@1", false},
        {"false_positive", "not affected CVE-1 (never called) of pkg:npm/acme@1", false},
        {"resolved", "fixed CVE-1 (never called) of pkg:npm/acme@1", false},
        {"resolved_with_pedigree", "fixed CVE-1 (never called) of pkg:npm/acme@1", false},
        {"exploitable", "affected CVE-1 (never called) of pkg:npm/acme@1", true},
        {"in_triage", "in triage CVE-1 (never called) of pkg:npm/acme@1", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int inventory = 0; inventory < 2; inventory++) {
            str text = arena_format(
                &evidence.arena,
                BOM ",\"metadata\":{\"component\":{\"bom-ref\":\"m\",\"name\":\"m\"}},%s"
                    "\"vulnerabilities\":[{\"id\":\"CVE-1\",\"analysis\":{\"state\":\"%s\","
                    "\"detail\":\"never called\"},\"affects\":[{\"ref\":\"%s\"}]}]}",
                inventory ? "\"components\":[{\"bom-ref\":\"c\",\"purl\":\"pkg:npm/acme@1\"}],"
                          : "",
                rows[i].state,
                inventory ? "c" : "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg:npm/acme@1");
            feed_good(&evidence, "b.json", text.data);
            bool finding = inventory && rows[i].finding;
            cr_assert_eq(evidence.statements.count, 1);
            cr_expect_str_eq(words(0), rows[i].want);
            cr_expect_eq(evidence.vulnerabilities.count, finding);
            // A statement about a product is no scan.
            cr_expect_eq(evidence.has[EVIDENCE_VULNERABILITIES], finding, "%s", rows[i].state);
            cr_expect(evidence.has[EVIDENCE_STATEMENTS]);
            evidence_done(&evidence);
        }
    }
}

Test(vex, cyclonedx_findings_name_their_package)
{
    static const struct {
        const char *ref, *package, *version, *ecosystem;
    } rows[] = {
        {"pkg:maven/org.acme/tool@1.2?type=jar", "org.acme:tool", "1.2", "maven"},
        {"pkg:npm/%40acme/tool@1.2", "@acme/tool", "1.2", "npm"},
        {"pkg:golang/example.com/acme/mod@v1.2", "example.com/acme/mod", "v1.2", "golang"},
        {"pkg:deb/debian/libacme1@1.0-1?arch=amd64", "libacme1", "1.0-1", "deb"},
        {"pkg:npm/acme", "acme", "", "npm"},
        {"file-1", "tool.bin", "9", ""},
        {"elsewhere", "elsewhere", "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str text = arena_format(
            &evidence.arena,
            BOM ",\"components\":[{\"bom-ref\":\"file-1\",\"name\":\"tool.bin\",\"version\":"
                "\"9\"}],\"vulnerabilities\":[{\"id\":\"CVE-1\",\"affects\":[{\"ref\":\"%s\"}]}]}",
            rows[i].ref);
        feed_good(&evidence, "b.json", text.data);
        const struct vulnerability *one = &evidence.vulnerabilities.items[0];
        expect_str(one->package, rows[i].package);
        expect_str(one->version, rows[i].version);
        expect_str(one->ecosystem, rows[i].ecosystem);
        expect_str(one->purl, str_starts(str_of(rows[i].ref), STR("pkg:")) ? rows[i].ref : "");
        evidence_done(&evidence);
    }
}

Test(vex, cyclonedx_ratings)
{
    static const struct {
        const char *ratings;
        double score;
        enum severity severity;
    } rows[] = {
        {"{\"score\":5,\"severity\":\"medium\",\"method\":\"CVSSv2\"},{\"score\":7.5,\"severity\":"
         "\"high\",\"method\":\"CVSSv31\"}",
         7.5, SEVERITY_HIGH},
        {"{\"method\":\"CVSSv3\",\"vector\":\"AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\"}", 9.8,
         SEVERITY_CRITICAL},
        {"{\"method\":\"CVSSv4\",\"vector\":\"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/"
         "SC:N/SI:N/SA:N\"}",
         0, SEVERITY_NONE},
        {"{\"score\":55,\"severity\":\"low\",\"method\":\"OWASP\"}", SCORE_UNKNOWN, SEVERITY_LOW},
        {"{\"score\":0,\"severity\":\"low\"}", SCORE_UNKNOWN, SEVERITY_LOW}, // it knows none
        {"", SCORE_UNKNOWN, SEVERITY_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str text = arena_format(&evidence.arena,
                                BOM ",\"vulnerabilities\":[{\"id\":\"CVE-1\",\"ratings\":[%s]}]}",
                                rows[i].ratings);
        feed_good(&evidence, "b.json", text.data);
        const struct vulnerability *one = &evidence.vulnerabilities.items[0];
        cr_expect(one->cvss > rows[i].score - 0.01 && one->cvss < rows[i].score + 0.01, "%s: %g",
                  rows[i].ratings, one->cvss);
        cr_expect_eq(one->severity, rows[i].severity, "%s", rows[i].ratings);
        cr_expect_str_eq(suspicions(&evidence), "");
        evidence_done(&evidence);
    }
}

Test(vex, catalogues_keep_their_dates)
{
    feed_good(&evidence, "kev.json",
              "{\"catalogVersion\":\"2026.03.01\",\"dateReleased\":\"2026-03-01T00:00:00Z\","
              "\"count\":1,\"vulnerabilities\":[{\"cveID\":\"CVE-2026-1\",\"dateAdded\":"
              "\"2026-01-02\",\"dueDate\":\"2026-01-23\"}]}");
    feed_good(&evidence, "epss.csv",
              "#model_version:v2025.03.14,score_date:2026-03-01T12:00:00+0000\r\n"
              "cve,epss,percentile\r\nCVE-2026-1,0.25,0.9\r\n");
    const struct statement *kev = &evidence.statements.items[0];
    const struct statement *epss = &evidence.statements.items[1];
    cr_expect_eq(kev->due_days - kev->at_ms / MS_DAY, 21);
    cr_expect_eq(epss->at_ms / MS_DAY, civil_to_days(2026, 3, 1));
    cr_expect(epss->epss > 0.249 && epss->epss < 0.251);
    cr_expect_str_eq(evidence.reports[0].tool, "KEV 2026.03.01");
    cr_expect_str_eq(evidence.reports[1].tool, "EPSS v2025.03.14");
    cr_expect_eq(evidence.reports[1].made_ms, epss->at_ms);
}
