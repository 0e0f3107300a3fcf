// A part of what GitHub shows of a rollout: a deployment, an issue, what people say in it. Each is
// brought, by one row of calls after another, to how it should be; nothing blocks, and nothing of
// it is ever in a release's way.
//
// A part that fails in passing is begun again after a pause, and looks before it writes; one that
// is refused is off, and that is said once.
#ifndef ACTIONS_GITHUB_MIRROR_PART_H
#define ACTIONS_GITHUB_MIRROR_PART_H

#include "deploy/cloud/chain.h"
#include "gate/base/arena.h"

struct mirror_part {
    const char *what; // "its deployment": for messages
    // Starts what is to be done next and returns true; false when all is as it should be. Sets
    // *wake_ms lower when it wants to be asked again by then.
    bool (*begin)(struct mirror_part *part, struct chain *chain, int64_t now_ms, int64_t *wake_ms);
    // After a failure: what was known may not hold any more.
    void (*failed)(struct mirror_part *part);
    // its own, of rollout_mirror.c
    bool off;
    unsigned failures;
    int64_t next_ms;
};

// What is kept in the ledger, so that the next process knows it.
struct mirror_port {
    void *self;
    int64_t (*known)(void *self, const char *kind); // "deployment", "issue": its number; 0 = none
    void (*record)(void *self, const char *kind, int64_t number, str url);
};

// Was it written under our own login? Anybody else may copy a marker, other robots too.
bool mirror_is_own(const struct github_client *github, const struct node *user);

// Is it known by whom what we write is written? False: that is asked, and `then` has the answer,
// which it hands to mirror_learns.
bool mirror_knows_itself(struct github_client *github, struct chain *chain, chain_next then);
// False: the chain is failed, as nothing could be told from a stranger's.
bool mirror_learns(struct github_client *github, struct chain *chain,
                   const struct chain_reply *reply);
// The first line of what we write, by which it is found again; `what` may be empty.
str mirror_marker(struct arena *arena, str rollout, const char *what);

#endif
