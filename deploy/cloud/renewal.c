#include "deploy/cloud/renewal.h"

#include "gate/base/moment.h"

#include <stdlib.h>

enum {
    SLACK_MS = 10000,        // a call in flight needs the credentials that long
    EARLY_MOST_MS = 300000,  // renewed so long before they expire, or at a quarter of their life
    CLOCK_OFF_MS = 240000,   // AWS and Google take signatures that are five minutes off
    AFTER_FAILURE_MS = 5000, // doubled with each failure
    AFTER_FAILURE_MOST_MS = 60000,
};

// ---- one renewal --------------------------------------------------------------------------------

void renewal_begin_stage(struct renewal *renewal)
{
    int64_t now = cloud_now(renewal->cloud);
    renewal->tries = (struct tries){.most = RENEWAL_TRIES, .deadline_ms = now + RENEWAL_STAGE_MS};
}

static void drop_job(struct renewal *renewal)
{
    const struct http_port *http = renewal->cloud->ports.http;
    if (renewal->job)
        http->drop(http->self, renewal->job);
    renewal->job = NULL;
}

static enum progress after(struct renewal *renewal, enum renewal_next next, int64_t retry_after_ms)
{
    switch (next) {
    case RENEWAL_NEXT:
        renewal_begin_stage(renewal);
        return PROGRESS_PENDING;
    case RENEWAL_AT_ONCE:
        return PROGRESS_PENDING;
    case RENEWAL_FINISHED:
        return PROGRESS_DONE;
    case RENEWAL_THROTTLED:
    case RENEWAL_BROKEN:
        return tries_again(&renewal->tries, renewal->cloud,
                           next == RENEWAL_THROTTLED ? AGAIN_THROTTLED : AGAIN_BROKEN,
                           retry_after_ms)
                   ? PROGRESS_PENDING
                   : PROGRESS_FAILED;
    case RENEWAL_FAILED:
        break;
    }
    return PROGRESS_FAILED;
}

enum progress renewal_step(struct renewal *renewal, struct error *err)
{
    const struct http_port *http = renewal->cloud->ports.http;
    if (renewal->finished)
        return PROGRESS_DONE;
    for (;;) {
        struct http_answer answer = {0};
        struct error why = {0};
        if (!renewal->job) {
            if (cloud_now(renewal->cloud) < renewal->tries.next_ms)
                return PROGRESS_PENDING;
            renewal->tries.made++;
            if (!renewal->ask(renewal, &renewal->job, err))
                return PROGRESS_FAILED;
        }
        enum progress p = http->poll(http->self, renewal->job, &answer, &why);
        if (p == PROGRESS_PENDING)
            return p;
        enum renewal_next next = RENEWAL_BROKEN;
        if (p == PROGRESS_DONE)
            next = renewal->take(renewal, &answer, &why);
        else if (why.kind != ERROR_TRANSIENT)
            next = RENEWAL_FAILED;
        if (p == PROGRESS_FAILED && renewal->unanswered)
            renewal->unanswered(renewal, &why);
        p = after(renewal, next, answer.retry_after_ms);
        drop_job(renewal);
        if (p == PROGRESS_FAILED)
            *err = why;
        if (p != PROGRESS_PENDING)
            return p;
    }
}

void renewal_drop(struct renewal *renewal)
{
    if (!renewal)
        return;
    drop_job(renewal);
    renewal->close(renewal);
}

// ---- keeping ------------------------------------------------------------------------------------

int64_t keeper_now(const struct keeper *keeper)
{
    return cloud_now(keeper->cloud) + keeper->offset_ms;
}

static bool is_usable(const struct keeper *keeper)
{
    return keeper->generation && !keeper->refused &&
           (keeper->expires_ms == NEVER_EXPIRES ||
            keeper_now(keeper) < keeper->expires_ms - SLACK_MS);
}

static bool is_due(const struct keeper *keeper)
{
    if (!is_usable(keeper))
        return true;
    if (keeper->expires_ms == NEVER_EXPIRES)
        return false;
    int64_t early_ms = (keeper->expires_ms - keeper->obtained_ms) / 4;
    if (early_ms > EARLY_MOST_MS)
        early_ms = EARLY_MOST_MS;
    return keeper_now(keeper) >= keeper->expires_ms - early_ms;
}

static void note_failure(struct keeper *keeper, const struct error *why)
{
    int64_t pause_ms = AFTER_FAILURE_MS;
    for (unsigned i = 0; i < keeper->failures && pause_ms < AFTER_FAILURE_MOST_MS; i++)
        pause_ms *= 2;
    keeper->error = *why;
    keeper->failures++;
    keeper->not_before_ms =
        cloud_now(keeper->cloud) +
        (pause_ms < AFTER_FAILURE_MOST_MS ? pause_ms : (int64_t)AFTER_FAILURE_MOST_MS);
    if (is_usable(keeper))
        cloud_say(keeper->cloud, "the %s credentials could not be renewed, the old ones hold: %s",
                  keeper->whose, why->message);
}

static void run(struct keeper *keeper)
{
    struct error why = {0};
    enum progress p = renewal_step(keeper->running, &why);
    if (p == PROGRESS_PENDING)
        return;
    bool ok = p == PROGRESS_DONE && keeper->adopt(keeper, keeper->running, &why);
    renewal_drop(keeper->running);
    keeper->running = NULL;
    if (ok) {
        keeper->generation++;
        keeper->refused = false;
        keeper->obtained_ms = keeper_now(keeper);
        ok = is_usable(keeper) ||
             error_set(&why, ERROR_REMOTE,
                       "the %s credentials that were given have expired already", keeper->whose);
    }
    if (ok)
        keeper->failures = 0;
    else
        note_failure(keeper, &why);
}

enum progress keeper_turn(struct keeper *keeper, struct error *err)
{
    struct error why = {0};
    if (!keeper->running && is_due(keeper) && cloud_now(keeper->cloud) >= keeper->not_before_ms) {
        if (keeper->open(keeper, &keeper->running, &why))
            renewal_begin_stage(keeper->running);
        else
            note_failure(keeper, &why);
    }
    if (keeper->running)
        run(keeper);
    if (is_usable(keeper))
        return PROGRESS_DONE;
    if (keeper->running)
        return PROGRESS_PENDING;
    *err = keeper->error;
    return PROGRESS_FAILED;
}

void keeper_refused(struct keeper *keeper, unsigned generation)
{
    if (generation != keeper->generation)
        return; // newer ones are there already
    keeper->refused = true;
    keeper->not_before_ms = 0;
}

int64_t keeper_wake_ms(const struct keeper *keeper)
{
    return keeper->running && !keeper->running->job ? keeper->running->tries.next_ms : INT64_MAX;
}

bool keeper_learn_clock(struct keeper *keeper, int64_t server_date_ms)
{
    char words[32];
    if (server_date_ms < 0)
        return false;
    int64_t offset_ms = server_date_ms - cloud_now(keeper->cloud);
    if (llabs(offset_ms - keeper->offset_ms) < CLOCK_OFF_MS)
        return false;
    keeper->offset_ms = offset_ms;
    cloud_say(keeper->cloud,
              "this machine's clock is %s %s that of %s, whose time is used from here on",
              duration_words(llabs(offset_ms), words), offset_ms < 0 ? "ahead of" : "behind",
              keeper->whose);
    return true;
}

void keeper_done(struct keeper *keeper)
{
    renewal_drop(keeper->running);
    keeper->running = NULL;
}
