// One entry of the ledger, and its JSON. An event says what happened, when, who did it, under which
// lease, and what it rests on. It is written once and never changed.
//
//     struct event event = {.stream = STREAM_GATE, .type = STR("gate.decided"), .body = json};
//     event_write(&event, &text, err);                  // text_of(LIMIT_EVENT_BYTES)
//     event_read(&arena, text_str(&text), &again, err); // strict: unknown keys are refused
//
// Slices of an event that was read live in the arena that it was read into.
#ifndef DEPLOY_RECORD_EVENT_H
#define DEPLOY_RECORD_EVENT_H

#include "gate/base/limits.h"
#include "gate/base/sha256.h"
#include "gate/base/text.h"
#include "gate/doc/node.h"

#include <stdint.h>

enum {
    EVENT_SCHEMA = 1,
    EVENT_ID = 33,        // 32 hex digits and NUL
    EVENT_PATH = 160,     // "events/2026/11/22/rollout/00000042-command.intended.json" and NUL
    EVENT_NAME_MAX = 200, // bytes of a rollout id, a holder, an environment
    EVENT_TYPE_MAX = 48,
    EVENT_EVIDENCE_MAX = 4096,
};

enum event_stream {
    STREAM_ROLLOUT,
    STREAM_GATE,
    STREAM_INCIDENT,
    STREAM_RELEASE,
    STREAM_BASELINE,
    STREAM_COUNT,
};

struct event_actor { // what is known of who did it; empty slices are absent
    str login;       // of the forge
    str subject;     // workflow: "acme/learn/.github/workflows/release.yml@refs/heads/main"
    str run_url;     // of the workflow's run
    str local_user;  // "ada@laptop" for a command on a machine of one's own
};

struct event_evidence {
    str path;
    char sha256[SHA256_HEX];
    uint64_t size_bytes;
    str kept; // its content, to be kept in the ledger (evidence_store.h); only for writing
};

// How the event stands to the claim and the lease of an environment; lease.h has the rules.
struct event_lease {
    str environment;    // empty = nothing to do with a lease
    str holder;         // the writer: a random name, a new one for each lease that is taken
    uint64_t fence;     // of the lease that it is written under; filled on append
    int64_t expires_ms; // the lease is renewed until then; 0 = it stays as it is
    bool force;         // fences out whoever holds it (rollback)
    bool keep_claim;    // lease.released: the rollout is suspended, not over
    bool late;          // a fact of a writer that had lost its lease meanwhile
    str process;        // lease.taken: which process of which machine, to see that it is gone
    str over;           // lease.taken: the holder whose lease is taken over
    str why;            // and why: "expired", "gone", "forced"
};

struct event {
    char id[EVENT_ID]; // empty = made up on append
    enum event_stream stream;
    uint64_t sequence;        // from 1 in each stream, without gaps; filled on append
    int64_t time_ms;          // 0 = now
    str rollout;              // empty = of none
    str type;                 // "command.intended"
    struct event_actor actor; // all empty = the ledger's own
    struct event_lease lease;
    str key;                   // idempotency key; the same key twice is one event
    str body;                  // a JSON map; empty is "{}". Only for writing
    const struct node *fields; // the same as a tree. After reading; written when `body` is empty
    const struct event_evidence *evidence;
    size_t evidence_count;
};

const char *event_stream_name(enum event_stream stream); // "rollout"
bool event_stream_of(str name, enum event_stream *ret);

// JSON, one key a line, with a final newline. ERROR_INPUT for a malformed name, ERROR_LIMIT past
// the ceiling of `out`.
bool event_write(const struct event *event, struct text *out, struct error *err);

// Strict: ERROR_INPUT for an unknown or a missing key, a wrong kind, another schema.
bool event_read(struct arena *arena, str bytes, struct event *ret, struct error *err);

// "events/2026/11/22/rollout/00000042-command.intended.json". `part` > 1 gives "rollout.2": days
// with very many events are spread over several folders. Returns out.
char *event_path(const struct event *event, unsigned part, char out[EVENT_PATH]);

// The parts of such a path that must agree with the event. False when it is not one.
bool event_path_parse(str path, enum event_stream *ret_stream, uint64_t *ret_sequence,
                      str *ret_type);

#endif
