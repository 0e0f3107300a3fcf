#include "gate/judge/cvss.h"

#include "gate/base/text.h"

#include <criterion/criterion.h>

#include <math.h>

// Base scores that FIRST publishes: the guide to CVSS 2.0 (section 3.3), the examples of 3.0, 3.1
// and 4.0; and the edges of each scale.
static const struct {
    const char *vector;
    unsigned tenths;
    const char *of;
} published[] = {
    {"AV:N/AC:L/Au:N/C:N/I:N/A:C", 78, "CVE-2002-0392"},
    {"AV:N/AC:L/Au:N/C:C/I:C/A:C", 100, "CVE-2003-0818"},
    {"AV:L/AC:H/Au:N/C:C/I:C/A:C", 62, "CVE-2003-0062"},
    {"AV:N/AC:M/Au:N/C:N/I:P/A:N", 43, "CVE-2013-1937"},
    {"AV:N/AC:L/Au:S/C:P/I:P/A:N", 55, "CVE-2013-0375"},
    {"AV:N/AC:M/Au:N/C:P/I:N/A:N", 43, "CVE-2014-3566"},
    {"AV:N/AC:L/Au:S/C:C/I:C/A:C", 90, "CVE-2012-1516"},
    {"AV:L/AC:L/Au:N/C:P/I:P/A:P", 46, "CVE-2009-0783"},
    {"AV:N/AC:M/Au:S/C:C/I:C/A:C", 85, "CVE-2012-0384"},
    {"AV:A/AC:L/Au:N/C:C/I:C/A:C", 83, "CVE-2011-1265"},
    {"AV:L/AC:L/Au:N/C:N/I:C/A:N", 49, "CVE-2014-2019"},
    {"AV:L/AC:H/Au:M/C:N/I:N/A:N", 0, "no impact"},
    {"CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 61, "CVE-2013-1937"},
    {"CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 64, "CVE-2013-0375"},
    {"CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 31, "CVE-2014-3566"},
    {"CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 99, "CVE-2012-1516"},
    {"CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L", 42, "CVE-2009-0783"},
    {"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 88, "CVE-2012-0384"},
    {"CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", 78, "CVE-2015-1098"},
    {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 75, "CVE-2014-0160"},
    {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 98, "CVE-2014-6271"},
    {"CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:C/C:N/I:H/A:N", 68, "CVE-2008-1447"},
    {"CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 68, "CVE-2014-2005"},
    {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:L/I:N/A:N", 58, "CVE-2010-0467"},
    {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:N/I:L/A:N", 58, "CVE-2012-1342"},
    {"CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:H", 93, "CVE-2013-6014"},
    {"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 61, "the same in 3.1"},
    {"CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 88, "CVE-2011-1265"},
    {"CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N", 46, "CVE-2014-2019"},
    {"CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N", 74, "CVE-2014-0224"},
    {"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:H/I:H/A:H", 96, "CVE-2012-5376"},
    {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 100, "the worst"},
    {"CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N", 0, "no impact"},
    {"CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:C/C:L/I:N/A:N", 18, "the smallest with another scope"},
    {"CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:L/A:N", 16, "the smallest"},
    {"CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 73, "CVE-2022-41741"},
    {"CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 77, "CVE-2020-3549"},
    {"CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N", 83, "CVE-2023-3089"},
    {"CVSS:4.0/AV:L/AC:L/AT:N/PR:N/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N", 46, "CVE-2021-44714"},
    {"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N", 51, "CVE-2022-21830"},
    {"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N", 69, "CVE-2022-22186"},
    {"CVSS:4.0/AV:L/AC:L/AT:N/PR:H/UI:N/VC:N/VI:N/VA:N/SC:H/SI:N/SA:N", 59, "CVE-2023-21989"},
    {"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 100, "CVE-2021-44228"},
    {"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N", 87, "CVE-2014-0160"},
    {"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 93, "CVE-2014-6271"},
    {"CVSS:4.0/AV:P/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 70, "physical"},
    {"CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 88,
     "later systems as well"},
    {"CVSS:4.0/AV:P/AC:H/AT:P/PR:H/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N", 10, "the smallest"},
    {"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 0, "no impact"},
    {"CVSS:4.0/AV:A/AC:H/AT:N/PR:L/UI:P/VC:H/VI:N/VA:H/SC:L/SI:N/SA:H", 58,
     "between two worst vectors"},
    {"CVSS:4.0/AV:N/AC:H/AT:P/PR:N/UI:P/VC:N/VI:H/VA:L/SC:N/SI:L/SA:N", 60, "integrity first"},
};

Test(cvss, published_scores)
{
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        struct cvss score;
        struct error err = {0};
        cr_assert(cvss_base(str_of(published[i].vector), 0, &score, &err), "%s", err.message);
        cr_expect_eq(score.tenths, published[i].tenths, "%s (%s) gives %u", published[i].vector,
                     published[i].of, score.tenths);
        cr_expect(fabs(score.score * 10 - published[i].tenths) < 1e-9);
    }
}

Test(cvss, other_metrics_change_nothing)
{
    static const struct {
        const char *vector;
        unsigned version, want, tenths;
    } rows[] = {
        {"(AV:N/AC:L/Au:N/C:N/I:N/A:C)", 0, 200, 78},
        {"AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:H", 0, 200, 78},
        {"A:C/I:N/C:N/Au:N/AC:L/AV:N", 200, 200, 78}, // any order
        {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:U/RL:O/RC:U", 0, 310, 98},
        {"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N/CR:X/IR:X/AR:X/MAV:X/MC:N/MI:N/MA:N", 0, 300,
         75},
        {"AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 310, 310, 98}, // the version stands elsewhere
        {"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 310, 300,
         98}, // what it says itself counts
        {"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U/CR:L/MSI:S/U:Amber/"
         "RE:L/V:C/R:I/AU:Y/S:P",
         0, 400, 93},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cvss score;
        struct error err = {0};
        cr_assert(cvss_base(str_of(rows[i].vector), rows[i].version, &score, &err), "%s",
                  err.message);
        cr_expect_eq(score.version, rows[i].want, "%s", rows[i].vector);
        cr_expect_eq(score.tenths, rows[i].tenths, "%s gives %u", rows[i].vector, score.tenths);
    }
}

Test(cvss, what_is_no_vector_is_refused)
{
    static const struct {
        const char *vector;
        unsigned version;
        const char *want;
    } rows[] = {
        {"", 0, "has no metric"},
        {"()", 0, "has no metric"},
        {"CVSS:3.1", 0, "has no metric"},
        {"CVSS:3.1/", 0, "has no metric"},
        {"CVSS:3.2/AV:N", 0, "is of a version that is unknown: `3.2`"},
        {"CVSS:2.0/AV:N/AC:L/Au:N/C:N/I:N/A:C", 0, "is of a version that is unknown: `2.0`"},
        {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", 0, "lacks `A`"},
        {"CVSS:3.1/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 0, "lacks `AV`"},
        {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/A:H", 0, "says twice: `A`"},
        {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:X/E:X", 0, "says twice: `E`"},
        {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:C", 0, "value that is unknown: `A:C`"},
        {"CVSS:3.1/AV:n/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 0, "value that is unknown: `AV:n`"},
        {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/", 0, "metric that is unknown: ``"},
        {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/Au:N", 0, "metric that is unknown: `Au:N`"},
        {"CVSS:3.1/AV:N//AC:L", 0, "metric that is unknown: ``"},
        {"CVSS:3.1/AV", 0, "value that is unknown: `AV`"},
        {"CVSS:4.0/AV:N/AC:L/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 0, "lacks `AT`"},
        {"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:S/SA:N", 0, "unknown: `SI:S`"},
        {"AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 0, "metric that is unknown: `PR:N`"},
        {"AV:N/AC:L/Au:N/C:N/I:N/A:C", 310, "metric that is unknown: `Au:N`"},
        {"AV:N/AC:L/Au:N/C:N/I:N/A:C", 330, "CVSS 3.3 is unknown"},
        {"7.5", 0, "metric that is unknown: `7.5`"},
        {"\xff\xfe", 0, "the CVSS vector has a metric that is unknown:"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cvss score = {7, 7, 7};
        struct error err = {0};
        cr_expect_not(cvss_base(str_of(rows[i].vector), rows[i].version, &score, &err), "%s",
                      rows[i].vector);
        cr_expect(strstr(err.message, rows[i].want), "%s: %s", rows[i].vector, err.message);
        cr_expect_eq(err.kind, ERROR_INPUT);
        cr_expect_eq(score.tenths, 7); // untouched
    }
}

// A worse value never lowers the score: every step of every base metric, from every vector of 4.0
// that differs from the worst in at most two metrics.
Test(cvss, worse_is_never_less)
{
    static const char *const names[] = {"AV", "AC", "AT", "PR", "UI", "VC",
                                        "VI", "VA", "SC", "SI", "SA"};
    static const char *const values[] = {"NALP", "LH",  "NP",  "NLH", "NPA", "HLN",
                                         "HLN",  "HLN", "HLN", "HLN", "HLN"};
    enum { METRICS = 11 };
    for (size_t a = 0; a < METRICS; a++) {
        for (size_t b = 0; b < METRICS; b++) {
            unsigned before = 100;
            for (size_t step = 0; values[a][step]; step++) {
                struct text vector = text_of(200);
                struct cvss score;
                struct error err = {0};
                text_adds(&vector, "CVSS:4.0");
                for (size_t i = 0; i < METRICS; i++)
                    text_addf(&vector, "/%s:%c", names[i],
                              values[i][i == a   ? step
                                        : i == b ? strlen(values[b]) - 1
                                                 : 0]);
                cr_assert(cvss_base(text_str(&vector), 0, &score, &err), "%s", err.message);
                cr_expect(score.tenths <= before, "%s", text_c(&vector));
                before = score.tenths;
                text_done(&vector);
            }
        }
    }
}
