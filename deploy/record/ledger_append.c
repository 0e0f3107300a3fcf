// Appending to the ledger's branch: one event, several as one, and batches.
#include "deploy/record/ledger_parts.h"

#include <unistd.h>

enum {
    APPEND_TRIES = 200,
    PACK_FROM = 16, // events: fewer are written as single objects, as each of these files would be
    PACK_MOST = 64, // until it is written, a pack is held in memory, with a tree for each event
};

// Puts them one after another on top of the branch as it was last read.
static bool put_all(struct ledger *ledger, const struct event *events, size_t count,
                    struct ledger_entry *ret, size_t *ret_denied, struct error *err)
{
    *ret_denied = 0;
    for (size_t i = 0; i < count; i++) {
        struct error why = {0};
        enum put put = ledger_put(ledger, &events[i], &ret[i], &why);
        if (put == PUT_DONE || put == PUT_KNOWN)
            continue;
        ret[i] = (struct ledger_entry){0};
        if (put == PUT_FAILED || (*ret_denied)++ == 0)
            *err = why;
        if (put == PUT_FAILED)
            return false;
    }
    return true;
}

static bool append_pack(struct ledger *ledger, const struct event *events, size_t count,
                        struct ledger_entry *ret, size_t *ret_denied, struct error *err)
{
    struct error denied;
    if (!ledger_batch_begin(ledger, err))
        return false;
    bool ok = put_all(ledger, events, count, ret, ret_denied, err);
    denied = *err;
    if (!ok) { // nothing of it is written
        struct error ignored;
        store_batch_drop(ledger->store);
        ledger->batch = false;
        (void)ledger_refresh(ledger, &ignored);
        return false;
    }
    ok = ledger_batch_end(ledger, err);
    if (ok && *ret_denied)
        *err = denied;
    return ok;
}

// Tries again on top of what a faster process wrote.
static bool append_group(struct ledger *ledger, const struct event *events, size_t count,
                         struct ledger_entry *ret, size_t *ret_denied, struct error *err)
{
    for (unsigned try = 0; try < APPEND_TRIES; try++) {
        if (!ledger_refresh(ledger, err))
            return false;
        struct object_id tip = index_tip(ledger->index);
        if (!put_all(ledger, events, count, ret, ret_denied, err))
            return false;
        struct object_id next = index_tip(ledger->index);
        struct error why = *err;
        enum swap swap = object_eq(&tip, &next) // each of them was known or denied
                             ? SWAP_DONE
                             : store_swap(ledger->store, STORE_LOCAL, &tip, &next, err);
        if (swap == SWAP_FAILED)
            return false;
        if (swap == SWAP_DONE) {
            *err = why;
            return true;
        }
        (void)usleep((useconds_t)ledger_dice(ledger, 1000 * (uint64_t)(try < 20 ? try + 1 : 20)));
    }
    return error_set(err, ERROR_TRANSIENT, "other processes write to the ledger without a pause");
}

bool ledger_append(struct ledger *ledger, const struct event *event, struct ledger_entry *ret,
                   struct error *err)
{
    struct ledger_entry entry;
    struct event named = *event;
    size_t denied = 0;
    if (!named.id[0])
        ledger_random(ledger, named.id);
    bool ok = ledger->batch ? put_all(ledger, &named, 1, &entry, &denied, err)
                            : append_group(ledger, &named, 1, &entry, &denied, err);
    if (!ok || denied)
        return false;
    if (ret)
        *ret = entry;
    return true;
}

bool ledger_append_all(struct ledger *ledger, const struct event *events, size_t count,
                       struct ledger_entry *ret, size_t *ret_denied, struct error *err)
{
    struct error first = {0};
    *ret_denied = 0;
    for (size_t done = 0, some; done < count; done += some) {
        size_t denied = 0;
        some = count - done < PACK_MOST ? count - done : PACK_MOST;
        bool ok = some >= PACK_FROM
                      ? append_pack(ledger, events + done, some, ret + done, &denied, err)
                      : append_group(ledger, events + done, some, ret + done, &denied, err);
        if (!ok) {
            memset(ret + done, 0, (count - done) * sizeof *ret);
            return false;
        }
        if (denied && !*ret_denied)
            first = *err;
        *ret_denied += denied;
    }
    if (*ret_denied)
        *err = first;
    return true;
}

bool ledger_batch_begin(struct ledger *ledger, struct error *err)
{
    if (!ledger_refresh(ledger, err) || !store_batch_begin(ledger->store, err))
        return false;
    ledger->batch = true;
    ledger->batch_base = index_tip(ledger->index);
    return true;
}

bool ledger_batch_end(struct ledger *ledger, struct error *err)
{
    struct object_id next = index_tip(ledger->index);
    ledger->batch = false;
    if (!store_batch_end(ledger->store, err))
        return false;
    if (object_eq(&next, &ledger->batch_base))
        return true;
    switch (store_swap(ledger->store, STORE_LOCAL, &ledger->batch_base, &next, err)) {
    case SWAP_DONE:
        return true;
    case SWAP_FAILED:
        return false;
    case SWAP_LOST:
        break;
    }
    // Others wrote meanwhile: the batch is written again on top of theirs.
    return ledger_rebase_batch(ledger, &next, err);
}
