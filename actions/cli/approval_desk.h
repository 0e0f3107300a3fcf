// Where approvals come in during a rollout: answers in the ledger (events approval.answered), which
// another process wrote (`sluice approve`, `sluice deny`, a comment on GitHub) or this one, when a
// key was pressed on its terminal.
// Until enough have agreed an approval may be taken back (`sluice approve --withdraw`: events
// answer.withdrawn, which name the answer).
//
// An answer counts once for each person, only of those whom the rule names, and not of who started
// the rollout or wrote one of its commits when the rule prevents self-review. Answers that do not
// count are said and passed over.
//
//     struct approval_desk desk = {.ledger = ledger, .me = me, .terminal = true, …};
//     setup.approver = approval_desk_port(&desk);
#ifndef ACTIONS_CLI_APPROVAL_DESK_H
#define ACTIONS_CLI_APPROVAL_DESK_H

#include "actions/cli/keyboard.h"
#include "actions/cli/mailbox.h"
#include "actions/cli/progress.h"
#include "actions/cli/release_brief.h"
#include "deploy/record/ledger.h"
#include "deploy/run/driver.h"

#define ANSWER_TYPE "approval.answered"
#define WITHDRAWAL_TYPE "answer.withdrawn"

struct approval_desk {
    struct ledger *ledger;
    struct progress_display *progress; // its living line is taken away before the prompt
    str me;                            // who sits here
    struct release_people people;      // may not answer where self-review is prevented
    const struct release_brief *brief; // what is said of the release where it is asked
    bool terminal;                     // a person can press a key here
    // its own
    struct arena arena;
    struct approval_question question;
    bool asking;
    struct keyboard keyboard; // open while a key of mine would count
    int64_t next_ms;
    struct mailbox box, withdrawals; // answers to the open question, and what of them is undone
    bool pressed;                    // a key of mine was
};

struct approver_port approval_desk_port(struct approval_desk *desk);
void approval_desk_done(struct approval_desk *desk);

// Why this person's answer does not count; null when it does. `teams`: of those that the rule names
// in place of logins ("@acme/release"), the ones that the person was seen to belong to.
struct approval_person {
    str who;
    const str *teams;
    size_t team_count;
};
const char *approval_refusal(struct arena *arena, const struct plan_approval *rule,
                             const struct approval_person *person,
                             const struct release_people *people);

// An answer as it stands in the ledger. `source` tells a comment on GitHub that it was read from.
struct approval_word {
    struct approval_person person;
    bool granted;
    str comment;
    const struct approval_source *source; // null: by whoever runs this command
};
struct approval_source {
    int64_t comment, said_ms; // its id, and when it was written
    str url;
};
// The key under which the word of such a comment is recorded, whatever it says.
#define COMMENT_KEY "github/comment/%lld"
// ERROR kinds of ledger_append. The same comment twice is one answer.
bool approval_write(struct ledger *ledger, const struct plan *plan, uint32_t step,
                    const struct approval_word *word, struct error *err);

// Why an answer that was given then does not count any more; null: it was in time.
const char *approval_late(const struct plan_approval *rule, const struct rollout_state *state,
                          int64_t said_ms);

struct approval_read { // an answer out of the ledger
    str id, who, comment;
    uint64_t word;
    int64_t step;    // -1: of the stage
    int64_t said_ms; // when; of a comment when that was written, not when it was read
    bool granted;
};
bool approval_read(const struct event *event, struct approval_read *ret);
// Did who gave that answer take it back?
bool approval_is_withdrawn(struct ledger *ledger, str rollout, const struct approval_read *answer);
// Takes back the newest approval of this person to what is asked. ERROR_ABSENT: there is none.
// ERROR_DENIED: nothing is asked, or enough have agreed. ERROR kinds of ledger_append.
bool approval_withdraw(struct ledger *ledger, const struct plan *plan,
                       const struct rollout_state *state, const struct approval_word *word,
                       struct error *err);

#endif
