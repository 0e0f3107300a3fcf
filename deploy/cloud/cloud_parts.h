// Inside deploy/cloud: what clients, identities and calls share. Nothing outside this folder
// includes this header.
#ifndef DEPLOY_CLOUD_CLOUD_PARTS_H
#define DEPLOY_CLOUD_CLOUD_PARTS_H

#include "deploy/cloud/cloud.h"
#include "gate/base/arena.h"

// First member of what belongs to the cloud and is closed with it.
struct cloud_part {
    struct cloud_part *next;
    const char *kind; // one string for each kind: compared by address
    void (*close)(struct cloud_part *part);
};

struct pace;

struct cloud {
    struct cloud_ports ports;
    struct cloud_part *parts; // newest first: clients before the identities they use
    struct pace *paces;
    uint64_t random;
};

void cloud_add(struct cloud *cloud, struct cloud_part *part);
int64_t cloud_now(const struct cloud *cloud);
void cloud_say(const struct cloud *cloud, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
double cloud_random(struct cloud *cloud); // 0 to 1, without 1: for spreading, not for secrets

// The URL that `endpoints` give a service, else null.
const char *cloud_endpoint_of(const struct cloud_endpoint *endpoints, const char *service);
const struct cloud_endpoint *cloud_endpoints_copy(struct arena *arena,
                                                  const struct cloud_endpoint *endpoints);
bool cloud_endpoints_equal(const struct cloud_endpoint *a, const struct cloud_endpoint *b);
bool cloud_same(const char *a, const char *b); // both null, or the same letters

// Wipes bytes that lie in an arena of ours.
void cloud_wipe(str bytes);

// ---- how fast --------------------------------------------------------------------------------
// The moment at which the next call of this bucket may leave; it is then taken, so that callers
// leave in the order in which they asked. After throttling a bucket is slower for a while.
int64_t pace_take(struct cloud *cloud, const char *bucket, const char *place,
                  double calls_per_second, unsigned burst);
void pace_close(struct pace *pace); // and those behind it
void pace_throttled(struct cloud *cloud, const char *bucket, const char *place);
void pace_went_well(struct cloud *cloud, const char *bucket, const char *place);

// ---- trying again ----------------------------------------------------------------------------
struct tries {
    unsigned made, most;
    int64_t deadline_ms; // wall clock
    int64_t next_ms;     // not before
};

enum again { AGAIN_THROTTLED, AGAIN_BROKEN };

// After a failed try: sets next_ms, or returns false when there is none left before the deadline.
// retry_after_ms <= 0: the provider did not say.
bool tries_again(struct tries *tries, struct cloud *cloud, enum again why, int64_t retry_after_ms);

#endif
