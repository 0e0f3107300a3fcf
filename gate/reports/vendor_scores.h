// The CVSS scores that several vendors give to one vulnerability, of which one vendor's stand.
//
//     vendor_scores_clear(&scores);
//     vendor_scores_vendor(&scores, STR("nvd"));
//     vendor_scores_score(&scores, 310, 9.8);
//     vendor_scores_vector(&scores, 310, STR("CVSS:3.1/AV:N/…"));
//     vendor_scores_choose(&scores, STR("ghsa"), &draft);
//     vendor_scores_done(&scores);
#ifndef GATE_REPORTS_VENDOR_SCORES_H
#define GATE_REPORTS_VENDOR_SCORES_H

#include "gate/reports/vulnerability_draft.h"

struct vendor;

struct vendor_scores { // all zero is valid and empty
    struct vendor *vendors;
    size_t count, room;
};

void vendor_scores_clear(struct vendor_scores *scores); // memory kept
void vendor_scores_done(struct vendor_scores *scores);

void vendor_scores_vendor(struct vendor_scores *scores, str name); // the following are its
// `version` of CVSS: 200, 300 (or 310), 400. A score of 0 is none: so writers leave it out.
void vendor_scores_score(struct vendor_scores *scores, unsigned version, double score);
void vendor_scores_vector(struct vendor_scores *scores, unsigned version, str vector);

// Into the draft: those of `preferred`, who gave the severity; else of NVD, of GitHub, of Red Hat;
// else of the first vendor that has one.
void vendor_scores_choose(const struct vendor_scores *scores, str preferred,
                          struct vulnerability_draft *draft);

#endif
