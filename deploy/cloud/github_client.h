// Inside deploy/cloud: what all calls of one client share: who it is, when the next write and the
// next call at all may leave, and what readings were answered last, with their ETags.
#ifndef DEPLOY_CLOUD_GITHUB_CLIENT_H
#define DEPLOY_CLOUD_GITHUB_CLIENT_H

#include "deploy/cloud/github_call.h"
#include "deploy/cloud/github_identity.h"

enum {
    GITHUB_KEPT = 16,     // answers, by ETag
    GITHUB_GAP_MS = 1050, // between two writes; GitHub advises a second
};

struct github_kept { // what a reading was answered last
    struct arena arena;
    str path, etag, body, next;
    uint64_t used;
};

struct github_client {
    struct cloud_part part;
    struct cloud *cloud;
    struct arena arena;
    struct github_account account;
    struct github_identity identity;
    const char *enterprise, *login; // as learnt; null until then
    struct github_call *writes;     // first: the only one that may leave
    int64_t write_after_ms;
    int64_t not_before_ms; // a limit that was met
    unsigned limited;      // secondary limits one after another that named no time
    struct github_kept kept[GITHUB_KEPT];
    uint64_t uses;
};

// Null: nothing of this path is kept.
struct github_kept *github_kept_of(struct github_client *client, str path);
// Copies; in place of what was used longest ago. What has no ETag or is too large is not kept.
void github_keep(struct github_client *client, str path, str etag, str body, str next);

#endif
