// What the step summary and the comment on a pull request have in common: the verdict, tables of
// findings, totals. Whatever comes from reports is escaped so that it stays text.
#ifndef ACTIONS_REPORT_GATE_MARKDOWN_H
#define ACTIONS_REPORT_GATE_MARKDOWN_H

#include "gate/decision.h"

enum finding_part { PART_STOPS = 1, PART_ASIDE = 2, PART_PASSES = 4 };

struct markdown_totals {
    bool has_coverage, has_branches, has_tests, has_risks;
    struct coverage_totals coverage;
    struct test_totals tests;
    struct risk_totals risks;
};

void markdown_verdict(enum verdict verdict, struct text *out); // "⛔ Block: it may not go"
size_t markdown_count(const struct findings *findings, unsigned parts);
// One table of these; none of nothing. Rows that would make `out` longer than `max_bytes` are left
// out; returns how many are in.
size_t markdown_findings(const struct findings *findings, unsigned parts, size_t max_bytes,
                         struct text *out);
void markdown_totals(const struct markdown_totals *totals, struct text *out);

#endif
