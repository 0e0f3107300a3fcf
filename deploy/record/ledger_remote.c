// The ledger and its remote: one exchange at a time, in a worker; losing a race means to fetch, to
// write our own events again on top, and to push once more after a random pause.
#include "deploy/record/ledger.h"

#include "deploy/record/evidence_store.h"
#include "deploy/record/ledger_parts.h"
#include "gate/base/moment.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    REBASE_TRIES = 100,
    BATCH_FROM = 64, // events that are written again as one pack
    RACE_PAUSE_MS = 40,
    RACE_PAUSE_MAX_MS = 1500,
    FAILURE_PAUSE_MS = 1000,
    FAILURE_PAUSE_MAX_MS = 15000,
    IDLE_MS = 60000,
};

// ---- writing again ------------------------------------------------------------------------------

// The newest commit on the way back from `onto` that our branch has as well; none when there is
// none.
static bool common_commit(struct ledger *ledger, const struct object_id *onto,
                          struct object_id *ret, struct error *err)
{
    struct arena scratch = {0};
    struct object_id at = *onto;
    bool ok = true;
    while (!object_is_none(&at) && !index_knows(ledger->index, &at)) {
        struct store_commit_info info;
        if (!(ok = store_read_commit(ledger->store, &scratch, &at, &info, err)))
            break;
        at = info.parent;
    }
    arena_done(&scratch);
    if (ok)
        *ret = at;
    return ok;
}

static bool put_again(struct ledger *ledger, const struct ledger_entry *ours, size_t count,
                      struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct arena arena = {0};
        struct event event;
        struct ledger_entry entry;
        enum put put = ledger_read(ledger, &arena, &ours[i], &event, err) &&
                               evidence_take_along(ledger, &arena, &ours[i].commit, &event, err)
                           ? ledger_put(ledger, &event, &entry, err)
                           : PUT_FAILED;
        arena_done(&arena);
        if (put == PUT_FAILED)
            return false;
    }
    return true;
}

// Leaves the index at what the branch should be moved to: `onto`, and on top of it the events that
// `mine` has and `onto` has not.
static bool write_again(struct ledger *ledger, const struct object_id *mine,
                        const struct object_id *onto, struct error *err)
{
    struct object_id base;
    if (!index_follow(ledger->index, ledger->store, mine, err) ||
        !common_commit(ledger, onto, &base, err))
        return false;
    if (object_eq(&base, onto)) // we have all of it
        return true;
    size_t from = index_position(ledger->index, &base);
    size_t count = index_count(ledger->index) - from;
    struct ledger_entry *ours = memory_alloc((count + 1) * sizeof *ours);
    for (size_t i = 0; i < count; i++)
        ours[i] = *index_at(ledger->index, from + i);
    bool batch = count >= BATCH_FROM;
    bool ok = index_follow(ledger->index, ledger->store, onto, err) &&
              (!batch || store_batch_begin(ledger->store, err));
    if (ok)
        ok = put_again(ledger, ours, count, err);
    if (batch) {
        struct error pack;
        if (!store_batch_end(ledger->store, &pack) && ok) {
            *err = pack;
            ok = false;
        }
    }
    free(ours);
    return ok;
}

// One try. *ret_done is false when another process moved the branch meanwhile.
static bool rebase_once(struct ledger *ledger, const struct object_id *batch,
                        const struct object_id *onto, bool *ret_done, struct error *err)
{
    struct object_id tip;
    if (!store_tip(ledger->store, STORE_LOCAL, &tip, err) ||
        !write_again(ledger, batch ? batch : &tip, onto ? onto : &tip, err))
        return false;
    struct object_id next = index_tip(ledger->index);
    *ret_done = object_eq(&next, &tip);
    if (*ret_done)
        return true;
    enum swap swap = store_swap(ledger->store, STORE_LOCAL, &tip, &next, err);
    *ret_done = swap == SWAP_DONE;
    return swap != SWAP_FAILED;
}

static bool rebase(struct ledger *ledger, const struct object_id *batch,
                   const struct object_id *onto, struct error *err)
{
    for (unsigned try = 0; try < REBASE_TRIES; try++) {
        bool done;
        if (!rebase_once(ledger, batch, onto, &done, err)) {
            struct error ignored;
            (void)ledger_refresh(ledger, &ignored); // the index stands where the branch does
            return false;
        }
        if (done)
            return true;
    }
    return error_set(err, ERROR_TRANSIENT, "other processes write to the ledger without a pause");
}

bool ledger_rebase(struct ledger *ledger, const struct object_id *onto, struct error *err)
{
    return rebase(ledger, NULL, onto, err);
}

bool ledger_rebase_batch(struct ledger *ledger, const struct object_id *batch, struct error *err)
{
    return rebase(ledger, batch, NULL, err);
}

// ---- exchanges ----------------------------------------------------------------------------------

static void run_job(void *context)
{
    struct exchange *exchange = context;
    if (exchange->doing == EXCHANGE_PUSH)
        remote_push(&exchange->job);
    else
        remote_fetch(&exchange->job);
}

static bool start(struct ledger *ledger, enum exchange_kind kind, struct error *err)
{
    struct exchange *exchange = &ledger->exchange;
    struct object_id known, tip = index_tip(ledger->index);
    if (!store_tip(ledger->store, STORE_REMOTE, &known, err))
        return false;
    // Another process has noted what the remote has, and ours is not written on top of it yet: it
    // was killed in between, or is about to.
    if (kind == EXCHANGE_PUSH && !object_is_none(&known) && !index_knows(ledger->index, &known))
        kind = EXCHANGE_FETCH;
    exchange->job = (struct remote_job){.path = store_path(ledger->store),
                                        .url = store_url(ledger->store),
                                        .branch = store_branch(ledger->store),
                                        .remote_ref = store_remote_ref(ledger->store),
                                        .login = ledger->options.login,
                                        .known = known,
                                        .tip = tip};
    exchange->doing = kind;
    if (ledger->options.world)
        return world_work(ledger->options.world, run_job, exchange, &exchange->work, err);
    run_job(exchange);
    return true;
}

static void pause_after_race(struct ledger *ledger, int64_t now_ms)
{
    struct exchange *exchange = &ledger->exchange;
    unsigned shift = exchange->races < 6 ? exchange->races : 6;
    int64_t most = (int64_t)RACE_PAUSE_MS << shift;
    if (most > RACE_PAUSE_MAX_MS)
        most = RACE_PAUSE_MAX_MS;
    exchange->next_ms = now_ms + (int64_t)ledger_dice(ledger, (uint64_t)most + 1);
}

static void fail(struct ledger *ledger, const struct error *why, int64_t now_ms)
{
    struct exchange *exchange = &ledger->exchange;
    unsigned shift = exchange->failures < 4 ? exchange->failures : 4;
    int64_t pause = (int64_t)FAILURE_PAUSE_MS << shift;
    if (pause > FAILURE_PAUSE_MAX_MS)
        pause = FAILURE_PAUSE_MAX_MS;
    exchange->failures++;
    exchange->trouble = *why;
    exchange->next_ms = now_ms + pause + (int64_t)ledger_dice(ledger, 250);
}

// A branch that is only ever appended to has everything that it had when it was last seen.
static bool check_grown(struct ledger *ledger, struct error *err)
{
    const struct remote_job *job = &ledger->exchange.job;
    if (object_is_none(&job->known))
        return true;
    struct arena scratch = {0};
    struct object_id at = job->seen;
    bool ok = true;
    while (ok && !object_is_none(&at) && !object_eq(&at, &job->known)) {
        struct store_commit_info info;
        ok = store_read_commit(ledger->store, &scratch, &at, &info, err);
        if (ok)
            at = info.parent;
    }
    arena_done(&scratch);
    if (!ok)
        return false;
    char hex[OBJECT_HEX];
    ledger->exchange.rewritten = !object_eq(&at, &job->known);
    return object_eq(&at, &job->known)
               ? true
               : error_set(err, ERROR_DENIED,
                           "the ledger on the remote was rewritten: commit %s, which it had, is "
                           "gone; find out who did that before anything else",
                           object_hex(&job->known, hex));
}

static bool note_remote(struct ledger *ledger, struct error *err)
{
    const struct remote_job *job = &ledger->exchange.job;
    struct object_id now;
    if (object_is_none(&job->seen) || !store_tip(ledger->store, STORE_REMOTE, &now, err))
        return object_is_none(&job->seen);
    // Another process of this machine may have noted something newer meanwhile.
    return object_eq(&now, &job->seen) || !object_eq(&now, &job->known) ||
           store_swap(ledger->store, STORE_REMOTE, &now, &job->seen, err) != SWAP_FAILED;
}

static bool take_fetched(struct ledger *ledger, struct error *err)
{
    const struct remote_job *job = &ledger->exchange.job;
    return check_grown(ledger, err) && note_remote(ledger, err) &&
           (object_is_none(&job->seen) || ledger_rebase(ledger, &job->seen, err));
}

static void finish(struct ledger *ledger, int64_t now_ms)
{
    struct exchange *exchange = &ledger->exchange;
    enum exchange_kind was = exchange->doing;
    struct error why = {0};
    work_close(exchange->work);
    exchange->work = NULL;
    exchange->doing = EXCHANGE_NONE;
    if (exchange->job.outcome == REMOTE_FAILED) {
        fail(ledger, &exchange->job.why, now_ms);
        return;
    }
    if (exchange->job.outcome == REMOTE_RACED) {
        exchange->want_fetch = exchange->lost_race = true;
        exchange->races++;
        exchange->next_ms = now_ms;
        return;
    }
    bool ok = was == EXCHANGE_PUSH ? note_remote(ledger, &why) : take_fetched(ledger, &why);
    if (!ok) {
        fail(ledger, &why, now_ms);
        return;
    }
    exchange->failures = 0;
    exchange->trouble = (struct error){0};
    exchange->heard_ms = now_ms;
    if (was == EXCHANGE_PUSH) { // it fitted on what the remote had: there was nothing else
        exchange->races = 0;
        exchange->want_fetch = false;
        exchange->fetched = true;
        exchange->next_ms = now_ms;
    } else {
        exchange->want_fetch = exchange->lost_race = false;
        exchange->fetched = true;
        if (exchange->races)
            pause_after_race(ledger, now_ms);
        else
            exchange->next_ms = now_ms;
    }
}

bool ledger_unpushed(const struct ledger *ledger)
{
    struct object_id tip = index_tip(ledger->index), known;
    struct error ignored;
    if (!ledger_has_remote(ledger) || object_is_none(&tip))
        return false;
    return !store_tip(ledger->store, STORE_REMOTE, &known, &ignored) || !object_eq(&tip, &known);
}

int64_t ledger_turn(struct ledger *ledger, int64_t now_ms)
{
    struct exchange *exchange = &ledger->exchange;
    struct error why;
    if (!ledger_has_remote(ledger))
        return now_ms + IDLE_MS;
    if (exchange->doing != EXCHANGE_NONE) {
        if (exchange->work && !work_done(exchange->work))
            return now_ms + MS_SECOND;
        finish(ledger, now_ms);
    }
    if (!ledger_refresh(ledger, &why)) {
        fail(ledger, &why, now_ms);
        return exchange->next_ms;
    }
    bool due =
        exchange->fetch_every_ms > 0 && now_ms >= exchange->heard_ms + exchange->fetch_every_ms;
    bool push = ledger_unpushed(ledger), fetch = exchange->want_fetch || due;
    if (!push && !fetch) {
        if (!exchange->tidied) // once in a run is enough, and when nothing else is to be done
            (void)store_tidy(ledger->store, NULL, &why);
        exchange->tidied = true;
        return exchange->fetch_every_ms > 0 ? exchange->heard_ms + exchange->fetch_every_ms
                                            : now_ms + IDLE_MS;
    }
    if (now_ms < exchange->next_ms && exchange->next_ms <= now_ms + IDLE_MS)
        return exchange->next_ms;
    if (!start(ledger, push && !exchange->lost_race ? EXCHANGE_PUSH : EXCHANGE_FETCH, &why)) {
        exchange->doing = EXCHANGE_NONE;
        fail(ledger, &why, now_ms);
        return exchange->next_ms;
    }
    return ledger->options.world ? now_ms + MS_SECOND : now_ms;
}

bool ledger_is_durable(const struct ledger *ledger, str id, bool *ret_lost)
{
    const struct ledger_entry *entry = index_by_id(ledger->index, id);
    struct object_id known;
    struct error ignored;
    *ret_lost = !entry;
    if (!entry)
        return false;
    if (!ledger_has_remote(ledger))
        return true;
    return store_tip(ledger->store, STORE_REMOTE, &known, &ignored) &&
           index_place(ledger->index, entry) < index_position(ledger->index, &known);
}

const struct error *ledger_trouble(const struct ledger *ledger)
{
    return ledger->exchange.trouble.kind == ERROR_NONE ? NULL : &ledger->exchange.trouble;
}

bool ledger_was_rewritten(const struct ledger *ledger)
{
    return ledger->exchange.rewritten;
}

void ledger_want_fetch(struct ledger *ledger, int64_t every_ms)
{
    ledger->exchange.want_fetch = true;
    ledger->exchange.fetch_every_ms = every_ms;
}

static void wait_until(struct ledger *ledger, int64_t until_ms)
{
    if (ledger->options.world) {
        world_wait(ledger->options.world, until_ms);
        return;
    }
    int64_t left = until_ms - ledger_now(ledger);
    if (left > 20)
        left = 20;
    if (left > 0)
        (void)nanosleep(&(struct timespec){.tv_nsec = (long)left * 1000000}, NULL);
}

bool ledger_sync(struct ledger *ledger, int64_t timeout_ms, struct error *err)
{
    struct exchange *exchange = &ledger->exchange;
    if (!ledger_has_remote(ledger))
        return ledger_refresh(ledger, err);
    int64_t end_ms = ledger_now(ledger) + timeout_ms;
    exchange->want_fetch = true;
    exchange->fetched = false;
    exchange->next_ms = 0;
    exchange->trouble = (struct error){0};
    for (;;) {
        int64_t now_ms = ledger_now(ledger);
        int64_t wake_ms = ledger_turn(ledger, now_ms);
        if (exchange->fetched && exchange->doing == EXCHANGE_NONE && !ledger_unpushed(ledger))
            return true;
        if (exchange->trouble.kind != ERROR_NONE && exchange->trouble.kind != ERROR_TRANSIENT) {
            *err = exchange->trouble;
            return error_wrap(err, "the ledger's remote %s", store_url(ledger->store));
        }
        if (now_ms >= end_ms) {
            if (exchange->trouble.kind == ERROR_NONE)
                return error_set(err, ERROR_TRANSIENT,
                                 "the ledger's remote %s did not answer within %lld s",
                                 store_url(ledger->store), (long long)(timeout_ms / MS_SECOND));
            *err = exchange->trouble;
            return error_wrap(err, "the ledger's remote %s", store_url(ledger->store));
        }
        wait_until(ledger, wake_ms < end_ms ? wake_ms : end_ms);
    }
}
