// What the parts of `sluice verify` share: verify.c (one commit after another, shape, signature),
// verify_lease.c (claims and leases), verify_content.c (what the entries say). Private to them.
#ifndef DEPLOY_RECORD_VERIFY_PARTS_H
#define DEPLOY_RECORD_VERIFY_PARTS_H

#include "deploy/record/index.h"
#include "deploy/record/names.h"
#include "deploy/record/verify.h"

struct lease_files { // claim and lease files of an environment, as the newest commit has them
    str environment, claim, lease;
};

struct audit {
    const struct verify_request *request;
    struct store *store;
    struct arena *arena;  // of the results
    struct arena scratch; // of one commit
    struct verify_result result;
    struct names ids, keys, phases;
    struct names decided; // "id commit" of gate.decided: did it pass?
    uint64_t sequences[STREAM_COUNT];
    struct arena places_arena;
    struct lease_files *places;
    size_t place_count, place_room;
    struct sign_public key; // the only one, without a list
    bool signing;           // a signature was seen
    bool expected;          // the expected commit was seen
};

struct step { // the commit that is looked at
    struct object_id commit, parent;
    struct store_commit_info info;
    struct ledger_entry entry;
    struct event event;
    struct store_difference differences[STORE_DIFFERENCES + 1];
    size_t difference_count;
    size_t kept; // of them, evidence
};

// False, for the caller to return: the entry is bad, and why.
bool verify_note_bad(struct audit *audit, const struct step *step, const char *why);
#define bad(audit, step, ...)                                                                      \
    verify_note_bad(audit, step, arena_format((audit)->arena, __VA_ARGS__).data)

// Of the commit; null = it leaves that file as it was.
const struct store_difference *verify_difference(const struct step *step, const char *path);

// False: the entry is bad, and that is noted.
bool verify_lease(struct audit *audit, struct step *step);
bool verify_kept(struct audit *audit, struct step *step);     // evidence in the ledger
bool verify_phase(struct audit *audit, struct step *step);    // of the rollout
bool verify_evidence(struct audit *audit, struct step *step); // in the folder that was given
bool verify_baseline(struct audit *audit, struct step *step);

#endif
