// Who wrote a release, as GitHub knows them: the logins of the authors, co-authors and committers
// of all commits since what runs now, and of who pushed them. Asked once, before the first approval
// is decided on.
//
// Who pressed the button of a pull request's merge is no author: nothing of theirs came in by it.
#ifndef ACTIONS_GITHUB_RELEASE_AUTHORS_H
#define ACTIONS_GITHUB_RELEASE_AUTHORS_H

#include "actions/github/mirror_part.h"

enum { RELEASE_AUTHORS = 256, RELEASE_COMMITS = 2000, RELEASE_ADDRESSES = 64 };

struct release_authors {
    struct mirror_part part; // first
    struct github_client *github;
    str from, to; // commits; `from` may be empty: then `to` alone counts
    // its own
    struct arena arena, row;
    str logins[RELEASE_AUTHORS];
    size_t count;
    str *commits; // of the row: that are looked for among what was pushed
    size_t commit_count, commit_room;
    str addresses[RELEASE_ADDRESSES]; // of co-authors, whose login is asked for
    size_t address_count, address_at;
    str branch; // on which the release was pushed; empty: not seen yet
    unsigned pages;
    bool known;   // all were asked for
    bool partial; // there may be more than were listed: then nobody counts by this list
};

void release_authors_open(struct release_authors *authors);
void release_authors_close(struct release_authors *authors);

// Reads the `Co-authored-by:` lines: adds the logins that GitHub's own addresses tell
// ("7+ada@users.noreply.github.com"), and keeps the other addresses to be asked for.
void release_authors_trailers(struct release_authors *authors, str message);

#endif
