// What people say in a rollout's issue: each word once, in the order in which it was said, from
// people alone and from those who may, bound to what was asked; recorded, and answered with a
// reaction, a refusal with its reason as well. All that was said is decided on before any of it is
// answered, so that a flood of comments does not keep an approval waiting.
//
// A comment that was edited after it was written does not count: what it said is not known. One
// that is deleted after it was counted has counted: the ledger has it.
#ifndef ACTIONS_GITHUB_COMMENT_DESK_H
#define ACTIONS_GITHUB_COMMENT_DESK_H

#include "actions/github/comment_command.h"
#include "actions/github/release_authors.h"
#include "deploy/engine/engine.h"

enum {
    COMMENT_ANSWERS = 60,    // by one process; what comes after that is not answered
    COMMENT_ANSWERS_ROW = 5, // before other things of the rollout have their turn
};

struct said_word { // somebody's, as GitHub authenticated it
    enum comment_word word;
    str who, reason, url;
    const str *teams; // of those that the question names, "@acme/release", where it was looked
    size_t team_count;
    int64_t comment, said_ms;              // its id, and when it was written
    const struct release_authors *authors; // as of the desk
};

struct comment_port {
    void *self;
    bool (*known)(void *self, int64_t comment); // was it recorded already?
    // Records it. Null: it counts. Else why not; lives in the arena.
    const char *(*take)(void *self, struct arena *arena, const struct said_word *word);
    void *status_self;
    void (*status)(void *status_self, struct text *out); // where it stands, as markdown
};

struct heard;

struct comment_desk {
    struct mirror_part part; // first
    struct github_client *github;
    struct comment_port port;
    str rollout;     // lives as long as it
    int64_t poll_ms; // how often it looks
    // Set by the caller, at any time: the issue; the comment that asks what is asked, and what that
    // is. 0 and null: there is none.
    int64_t issue, asked_id;
    const struct plan_approval *rule;
    // Who may not answer it; nothing is decided on before they are known. Null: anybody may.
    const struct release_authors *authors;
    // its own
    struct arena arena;                   // of one row of calls
    int64_t next_ms, since_ms, newest_ms; // of comments, by GitHub's clock
    int64_t *done;
    size_t done_count, done_room;
    struct heard *first, **end, *at;
    struct role *roles;
    uint32_t team;                     // of the rule's: which is being asked about,
    const struct plan_approval *asked; // and of which rule
    unsigned pages, answers, row_answers;
    bool undecided; // answers wait until it is known who wrote the release
    bool read_once; // all that was said until then is decided on
};

void comment_desk_open(struct comment_desk *desk);
void comment_desk_close(struct comment_desk *desk);

#endif
