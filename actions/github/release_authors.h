// Who wrote a release, as GitHub knows them: the logins of the authors, co-authors and committers
// of all commits since what runs now. Asked once, before the first approval is decided on.
#ifndef ACTIONS_GITHUB_RELEASE_AUTHORS_H
#define ACTIONS_GITHUB_RELEASE_AUTHORS_H

#include "actions/github/mirror_part.h"

enum { RELEASE_AUTHORS = 256 };

struct release_authors {
    struct mirror_part part; // first
    struct github_client *github;
    str from, to; // commits; `from` may be empty: then `to` alone counts
    // its own
    struct arena arena, row;
    str logins[RELEASE_AUTHORS];
    size_t count;
    unsigned pages;
    bool known;   // all were asked for
    bool partial; // there may be more than were listed: then nobody counts by this list
};

void release_authors_open(struct release_authors *authors);
void release_authors_close(struct release_authors *authors);

// Adds the logins in `Co-authored-by:` lines, as far as GitHub's own addresses tell them:
// "7+ada@users.noreply.github.com".
void release_authors_trailers(struct release_authors *authors, str message);

#endif
