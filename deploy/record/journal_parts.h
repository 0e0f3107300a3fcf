// What journal.c (taking, lease, turns) and journal_records.c (noting, committing) share. Private
// to them.
#ifndef DEPLOY_RECORD_JOURNAL_PARTS_H
#define DEPLOY_RECORD_JOURNAL_PARTS_H

#include "deploy/record/journal.h"

struct ticket {
    uint64_t number;
    char id[EVENT_ID]; // empty = not on the branch yet
    bool lost;         // refused when it was put there
};

struct noted {
    uint64_t ticket; // 0 = nobody asks for it
    struct event event;
};

struct journal {
    struct ledger *ledger;
    const struct plan *plan;
    char holder[EVENT_ID]; // of the lease
    char taken_id[EVENT_ID];
    enum lease_state lease;
    char words[256];
    bool force, alone; // alone: the remote did not answer, the local ledger counts
    bool proved;       // the lease was seen on the remote
    int64_t force_ms, push_ms;
    int64_t taken_ms, expires_ms, proved_until_ms, now_ms;
    char newest_id[EVENT_ID]; // newest event that renewed the lease, and until when
    int64_t newest_until_ms;
    struct object_id judged_tip; // the tip at which the lease was last looked at
    struct ticket *tickets;      // not answered for good yet
    size_t ticket_count, ticket_room;
    uint64_t next_ticket;
    struct arena group_arena; // of the bodies and keys below
    struct noted *group;      // noted, and not on the branch yet
    size_t group_count, group_room;
    bool kept; // in a file (urgent.h), whole; its name, and how many there were before
    char kept_name[EVENT_ID + 12];
    unsigned kept_count;
};

void look_at_lease(struct journal *journal); // whenever the branch has moved
void follow_lease(struct journal *journal);
bool is_durable(const struct journal *journal, const char *id, bool *ret_lost);

// An event of the rollout under the lease, which it renews when that is due.
struct event under_lease(struct journal *journal);
bool append_renewing(struct journal *journal, const struct event *event, struct error *err);
void group_clear(struct journal *journal);

bool journal_note(void *self, const struct journal_record *record, uint64_t *ret_ticket,
                  struct error *err);
bool journal_commit(void *self, const struct plan *plan, const struct rollout_state *state,
                    const struct placement *placements, enum journal_haste haste, int64_t now_ms,
                    struct error *err);
bool journal_settle(void *self, int64_t now_ms, struct error *err);
enum append_state journal_state(void *self, uint64_t number);

#endif
