#include "feed.h"

#include "gate/base/limits.h"
#include "gate/reports/statement_draft.h"

static struct evidence evidence;

static void done(void)
{
    evidence_done(&evidence);
}

TestSuite(statement, .fini = done);

Test(statement, is_copied_with_all_names)
{
    char id[] = "CVE-2026-1", alias[] = "GHSA-aaaa-bbbb-cccc", product[] = "pkg:npm/acme@1";
    str aliases[] = {str_of(alias)}, products[] = {str_of(product)};
    struct error err = {0};
    struct statement one = {.kind = STATEMENT_NOT_AFFECTED,
                            .id = str_of(id),
                            .aliases = aliases,
                            .alias_count = 1,
                            .products = products,
                            .product_count = 1,
                            .justification = STR("code_not_present"),
                            .at_ms = 5,
                            .offset = 9};
    cr_assert(statement_add(&evidence, &one, &err));
    id[0] = alias[0] = product[0] = '?';
    const struct statement *have = &evidence.statements.items[0];
    expect_str(have->id, "CVE-2026-1");
    expect_str(have->aliases[0], "GHSA-aaaa-bbbb-cccc");
    expect_str(have->products[0], "pkg:npm/acme@1");
    expect_str(have->justification, "code_not_present");
    cr_expect(have->at_ms == 5 && have->offset == 9);
}

Test(statement, what_cannot_be_is_refused)
{
    static const struct {
        struct statement one;
        const char *want;
    } rows[] = {
        {{.kind = STATEMENT_FIXED}, "a statement names no vulnerability"},
        {{.id = STR_INIT("CVE-1"), .epss = 1.01}, "the EPSS of CVE-1 is not from 0 to 1"},
        {{.id = STR_INIT("CVE-1"), .epss = -0.01}, "the EPSS of CVE-1 is not from 0 to 1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        cr_expect_not(statement_add(&evidence, &rows[i].one, &err));
        cr_expect_str_eq(err.message, rows[i].want);
        cr_expect_eq(evidence.statements.count, 0);
    }
}

Test(statement, kinds_have_names)
{
    static const char *const names[] = {"not affected", "fixed",     "affected",
                                        "in triage",    "exploited", "probability"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_expect_str_eq(statement_kind_name((enum statement_kind)i), names[i]);
}

Test(statement, limit_is_kept)
{
    struct error err = {0};
    struct statement one = {.kind = STATEMENT_EXPLOITED, .id = STR("CVE-2026-1")};
    evidence.statements.count = LIMIT_STATEMENTS; // as if it were full
    cr_expect_not(statement_add(&evidence, &one, &err));
    cr_expect_eq(err.kind, ERROR_LIMIT);
    evidence.statements.count = 0;
}

Test(statement, draft_passes_over_what_says_nothing)
{
    struct statement_draft draft = {0};
    struct error err = {0};
    uint32_t report;
    (void)evidence_report(&evidence, "v.json", NULL, &report);
    statement_draft_clear(&draft);
    statement_draft_id(&draft, STR(" CVE-2026-1 "));
    statement_draft_alias(&draft, STR(""));
    statement_draft_alias(&draft, STR("CVE-2026-1"));
    statement_draft_alias(&draft, STR("GHSA-1"));
    statement_draft_product(&draft, STR("  "));
    statement_draft_why(&draft, STR("\n first line \nsecond"));
    cr_assert(statement_draft_take(&draft, &evidence, report, 3, &err), "%s", err.message);
    const struct statement *one = &evidence.statements.items[0];
    expect_str(one->id, "CVE-2026-1");
    cr_assert_eq(one->alias_count, 1);
    expect_str(one->aliases[0], "GHSA-1");
    cr_expect_eq(one->product_count, 0);
    expect_str(one->justification, "first line");
    statement_draft_done(&draft);
}

// A catalogue is large enough that its table is taken over, not copied.
Test(statement, large_tables_are_taken_over)
{
    enum { ROWS = 30000 };
    struct text file = text_of(2u << 20);
    text_adds(&file, "cve,epss,percentile\n");
    for (int i = 0; i < ROWS; i++)
        text_addf(&file, "CVE-2026-%05d,0.5,0.9\n", i);
    feed_good(&evidence, "small.csv", "cve,epss,percentile\n");
    feed_good(&evidence, "epss.csv", text_c(&file));
    cr_assert_eq(evidence.statements.count, ROWS);
    cr_expect_eq(evidence.statements.items[ROWS - 1].report, 1);
    expect_str(evidence.statements.items[ROWS - 1].id, "CVE-2026-29999");
    text_done(&file);
}
