// One comment on a pull request, of our own, found again by a marker in its first line: written
// once, then updated in place. What says the same is not sent again. A stranger's copy of the
// marker is no comment of ours.
//
//     struct sticky_comment sticky = {.github = github, .head = {owner, branch, sha}, .key =
//     "gate"}; text_add(&sticky.words, …); chain_begin(&chain, cloud, &sticky);
//     sticky_comment_begin(&sticky, &chain); if (!chain_finish(&chain, err)) …               //
//     sticky.number 0: no such pull request is open sticky_comment_done(&sticky);
#ifndef ACTIONS_GITHUB_STICKY_COMMENT_H
#define ACTIONS_GITHUB_STICKY_COMMENT_H

#include "actions/github/mirror_part.h"
#include "gate/base/text.h"

enum { STICKY_MOST = 65000 }; // GitHub takes 65,536 characters

struct sticky_comment {
    struct github_client *github;
    const char *key; // in the marker
    int64_t number;  // of the pull request; 0: the open one of that branch
    str owner, branch,
        sha;   // of its head; where `sha` is not the newest any more, nothing is written
    str words; // markdown
    // results
    bool outdated; // the pull request has gone on since
    str url;       // of the comment
    // its own
    struct arena arena;
    str body;
    unsigned pages, looks;
    bool lost;
};

void sticky_comment_begin(struct sticky_comment *sticky, struct chain *chain);
void sticky_comment_done(struct sticky_comment *sticky);

#endif
