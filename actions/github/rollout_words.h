// What GitHub shows of a rollout, as words: the state of its deployment, the title and the text of
// its issue, the questions in it. Pure: the same state gives the same words, whichever process
// writes them. Names that come from a repository are escaped.
#ifndef ACTIONS_GITHUB_ROLLOUT_WORDS_H
#define ACTIONS_GITHUB_ROLLOUT_WORDS_H

#include "actions/github/issue_thread.h"
#include "deploy/engine/engine.h"

enum { DEPLOYMENT_WORDS = 141 }; // bytes, with NUL: GitHub's limit

struct deployment_face {
    const char *state; // "queued", "in_progress", "success", "failure", "inactive"
    char words[DEPLOYMENT_WORDS];
};
void deployment_face(const struct plan *plan, const struct rollout_state *state,
                     struct deployment_face *ret);

// Does it need a place where people talk about it? Once one was opened it goes on until the end.
bool rollout_needs_people(const struct rollout_state *state);
// "⏸ v812 in production at 5 %: waiting for you"
void rollout_issue_title(const struct plan *plan, const struct rollout_state *state,
                         char ret[THREAD_TITLE]);

struct issue_source {
    const struct plan *plan;
    const struct rollout_state *state;
    str marker;          // a line of HTML comment by which it is found again
    str run_url;         // may be empty, as the next
    str deployments_url; // of the environment: who has to let its jobs begin is asked there
    str judged;          // markdown, a few words: what the gate said of it; may be empty
    str facts; // markdown of what is decided on (risks, migrations, …); folded; may be empty
};
void rollout_issue_body(const struct issue_source *source, struct text *out);

// What is asked now, in a comment that mentions those who may answer; false when nothing is.
// *ret_key names the question: the same one has the same.
bool rollout_issue_question(const struct issue_source *source, struct text *out,
                            char ret_key[THREAD_KEY]);
// What came of it, at the end.
void rollout_issue_end(const struct issue_source *source, struct text *out);

// Where it stands, for /status.
void rollout_issue_status(const struct issue_source *source, struct text *out);

// May this address stand between the brackets of a link?
bool rollout_is_link(str address);

// "@ada", "@acme/release", to be notified; anything else stays text.
void rollout_mention(str name, struct text *out);

#endif
