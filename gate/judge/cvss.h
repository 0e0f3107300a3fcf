// CVSS base scores out of vectors: how bad a vulnerability is by itself.
//
// Sources: FIRST, "A Complete Guide to the Common Vulnerability Scoring System 2.0" section 3.2.1;
// "CVSS v3.0" and "v3.1: Specification Document" section 7.1 and appendix A (round up); "CVSS v4.0:
// Specification Document" section 8 with the table of macrovectors. Temporal, threat, environmental
// and supplemental metrics are checked and otherwise passed over: this is the base score.
//
//     struct cvss score;
//     if (!cvss_base(STR("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), 0, &score, err)) ...
//     score.tenths == 98
#ifndef GATE_JUDGE_CVSS_H
#define GATE_JUDGE_CVSS_H

#include "gate/base/error.h"
#include "gate/base/str.h"

#include <stdint.h>

struct cvss {
    unsigned version; // times 100: 200, 300, 310, 400
    unsigned tenths;  // 0 to 100
    double score;     // the same as a number, 0 to 10
};

// `version`: what a vector without "CVSS:3.1/" before it is; 0 = CVSS 2.0, which has no such
// prefix. Metrics may come in any order. ERROR_INPUT: an unknown version, metric or value, a metric
// twice, a base metric missing.
bool cvss_base(str vector, unsigned version, struct cvss *ret, struct error *err);

#endif
