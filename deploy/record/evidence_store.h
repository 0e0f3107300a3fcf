// Evidence that the ledger keeps itself, beside the events that rest on it: `evidence/ab/<sha256>`,
// 64 digits, the file as it is (git packs it). Written with its event and never changed; the name
// says what the content must be. What is too large is not kept: the event has its digest.
//
//     if (evidence_wanted(bytes, &room)) one->kept = bytes;            // before ledger_append
//     if (evidence_find(ledger, &arena, sha256, &bytes, err)) ...      // later
#ifndef DEPLOY_RECORD_EVIDENCE_STORE_H
#define DEPLOY_RECORD_EVIDENCE_STORE_H

#include "deploy/record/ledger.h"

#define EVIDENCE_FILE_BYTES (256u << 10) // of one file, packed
#define EVIDENCE_RUN_BYTES (4u << 20)    // of one event, packed
#define EVIDENCE_FILES 200u              // of one event
#define EVIDENCE_PLAIN_BYTES (64u << 20) // of one file as it is

struct evidence_room { // all zero at first: what one event has taken so far
    size_t bytes, files;
};

// Is there room to keep this? Takes it from `room` then.
bool evidence_wanted(str bytes, struct evidence_room *room);

// "evidence/ab/abcd…"; `sha256` must be 64 hex digits.
const char *evidence_path(struct arena *arena, const char *sha256);
bool evidence_path_is(str path); // of such a file, whatever its name

// ERROR_ABSENT: it was not kept. ERROR_SYSTEM: it is damaged.
bool evidence_find(struct ledger *ledger, struct arena *arena, const char *sha256, str *ret,
                   struct error *err);

// Before an event of `commit` is written again somewhere else: takes up what was kept with it.
bool evidence_take_along(struct ledger *ledger, struct arena *arena, const struct object_id *commit,
                         struct event *event, struct error *err);

#endif
