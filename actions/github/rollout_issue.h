// The issue in which people talk about a rollout: opened when it first needs one, its title always
// the state, each question a comment that mentions those who may answer, closed at the end. It is
// found again by its number in the ledger, else by a marker in its body, of our own, under the
// label `sluice`.
#ifndef ACTIONS_GITHUB_ROLLOUT_ISSUE_H
#define ACTIONS_GITHUB_ROLLOUT_ISSUE_H

#include "actions/github/mirror_part.h"
#include "actions/github/rollout_words.h"

struct rollout_issue {
    struct mirror_part part; // first
    struct github_client *github;
    struct mirror_port port;
    const struct plan *plan; // lives as long as it
    str run_url, facts;      // likewise
    // its own
    struct arena arena; // of one row of calls
    int64_t number;     // 0: there is none, as far as is known
    bool searched, lost, needed, closed;
    unsigned looks, pages;
    char title[ISSUE_TITLE], shown_title[ISSUE_TITLE];
    struct text body, question;
    bool is_end, comments_read, comment_lost;
    char question_key[64], asked_key[64], sent_key[64];
    int64_t asked_id; // the comment of asked_key
};

void rollout_issue_open(struct rollout_issue *issue);
// How it stands now; `state` is only read.
void rollout_issue_want(struct rollout_issue *issue, const struct rollout_state *state);
void rollout_issue_close(struct rollout_issue *issue);
// The id of the comment that asks the open question; 0 = it is not there (yet), or nothing is
// asked.
int64_t rollout_issue_asked(const struct rollout_issue *issue);

#endif
