// An issue that this program writes: opened once, its title as it should be, and in it comments of
// its own, each once. It is found again by its number in the ledger, else by a marker at the
// beginning of its body, of our own, under its label.
//
//     struct issue_thread thread = {.github = github, .port = port, .what = "its issue",
//                                   .kind = "issue", .label = "sluice", .name = plan->rollout};
//     issue_thread_open(&thread);
//     (void)snprintf(thread.title, …); text_adds(&thread.body, …); thread.needed = true;
//     text_clear(&thread.note); text_adds(&thread.note, …); issue_thread_note(&thread, "asked-7");
#ifndef ACTIONS_GITHUB_ISSUE_THREAD_H
#define ACTIONS_GITHUB_ISSUE_THREAD_H

#include "actions/github/mirror_part.h"
#include "gate/base/text.h"

enum { THREAD_TITLE = 256, THREAD_TEXT = 60000, THREAD_KEY = 64 }; // GitHub takes 65,536 characters

enum thread_state { THREAD_ANY, THREAD_OPEN, THREAD_CLOSED }; // ANY: people open and close it

struct issue_thread {
    struct mirror_part part; // first
    struct github_client *github;
    struct mirror_port port;
    const char *what;  // for messages
    const char *kind;  // in the ledger
    const char *label; // without spaces
    str name;          // lives as long as it; in the marker
    // How it should be, by the caller at any time. Nothing is opened before it is needed.
    bool needed;
    enum thread_state wanted;
    char title[THREAD_TITLE];
    struct text body;  // when it is opened,
    bool body_follows; // and again whenever its title changes: nobody else writes there
    struct text note;  // the comment that should be in it: issue_thread_note
    // its own
    struct arena arena; // of one row of calls
    int64_t number;     // 0: there is none, as far as is known
    bool looked_at;     // as this row began
    bool searched, lost, closed, comments_read, comment_lost;
    unsigned looks, pages;
    char shown_title[THREAD_TITLE];
    char note_key[THREAD_KEY], noted_key[THREAD_KEY], sent_key[THREAD_KEY];
    int64_t noted_id; // the comment of noted_key
};

void issue_thread_open(struct issue_thread *thread);
void issue_thread_close(struct issue_thread *thread);
// thread->note is to be in it, once, under this key; "" = nothing is.
void issue_thread_note(struct issue_thread *thread, const char *key);
// The id of that comment; 0 = it is not there yet, or there is none to be.
int64_t issue_thread_noted(const struct issue_thread *thread);

#endif
