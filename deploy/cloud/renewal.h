// Inside deploy/cloud: how credentials are kept. A renewal is a row of HTTP exchanges, each tried
// again when it fails in passing; a keeper runs one renewal at a time for all who use the
// credentials, early enough that calls do not meet an expired one.
//
//     switch (keeper_turn(&identity->keeper, err)) {     // by every caller, whenever it waits
//     case PROGRESS_DONE: use(identity->token); …
#ifndef DEPLOY_CLOUD_RENEWAL_H
#define DEPLOY_CLOUD_RENEWAL_H

#include "deploy/cloud/cloud_parts.h"

enum renewal_next {
    RENEWAL_NEXT,     // the stage is done, the next one begins
    RENEWAL_FINISHED, // all are
    RENEWAL_AT_ONCE,  // the same stage again: what was wrong with it is mended
    RENEWAL_THROTTLED,
    RENEWAL_BROKEN, // 5xx: again, after a pause; *err holds the words if that was the last time
    RENEWAL_FAILED,
};

struct renewal {
    struct cloud *cloud;
    void *job;
    struct tries tries;
    bool finished; // from the beginning: there is nothing to ask
    bool (*ask)(struct renewal *renewal, void **ret_job, struct error *err);
    enum renewal_next (*take)(struct renewal *renewal, const struct http_answer *answer,
                              struct error *err);
    // Words around why no answer came at all; null: none.
    void (*unanswered)(struct renewal *renewal, struct error *err);
    void (*close)(struct renewal *renewal); // without the job
};

enum { RENEWAL_TRIES = 5, RENEWAL_STAGE_MS = 60000, RENEWAL_ANSWER_MS = 15000 };

// Before the first stage and by RENEWAL_NEXT. A stage may lower tries.most and the deadline when
// it asks.
void renewal_begin_stage(struct renewal *renewal);
enum progress renewal_step(struct renewal *renewal, struct error *err);
void renewal_drop(struct renewal *renewal); // also while it runs

#define NEVER_EXPIRES INT64_MAX

struct keeper {
    struct cloud *cloud;
    const char *whose;               // "AWS", "Google Cloud": for messages
    unsigned generation;             // 0: there are none yet
    bool refused;                    // the provider does not take the ones we have any more
    int64_t expires_ms, obtained_ms; // by the provider's clock
    int64_t offset_ms;               // the provider's clock, less this machine's
    struct renewal *running;
    int64_t not_before_ms;
    unsigned failures;
    struct error error; // of the newest renewal, while failures > 0
    bool (*open)(struct keeper *keeper, struct renewal **ret, struct error *err);
    // Takes over what a finished renewal has and sets expires_ms. Failing is a failed renewal.
    bool (*adopt)(struct keeper *keeper, struct renewal *renewal, struct error *err);
};

enum progress keeper_turn(struct keeper *keeper, struct error *err);
// The provider said that these have expired; only the newest generation counts.
void keeper_refused(struct keeper *keeper, unsigned generation);
int64_t keeper_wake_ms(const struct keeper *keeper);
// The provider told its time in an answer that refused ours. True when that was far from what it
// was taken for: it is now known, and said.
bool keeper_learn_clock(struct keeper *keeper, int64_t server_date_ms);
int64_t keeper_now(const struct keeper *keeper); // by the provider's clock
void keeper_done(struct keeper *keeper);

#endif
