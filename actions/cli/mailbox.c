#include "actions/cli/mailbox.h"

// The rollout's own words begin with its plan.
static size_t first_of(const struct mailbox *box)
{
    size_t at = ledger_count(box->ledger);
    while (at > 0) {
        const struct ledger_entry *entry = ledger_at(box->ledger, at - 1);
        if (str_eq(entry->rollout, box->rollout) && str_is(entry->type, "rollout.planned"))
            break;
        at--;
    }
    return at;
}

bool mailbox_next(struct mailbox *box, str type, struct arena *arena, struct event *ret)
{
    size_t count = ledger_count(box->ledger);
    const struct ledger_entry *newest = count ? ledger_at(box->ledger, count - 1) : NULL;
    if (!newest || object_eq(&newest->commit, &box->tip))
        return false;
    struct object_id tip = newest->commit;
    for (size_t i = first_of(box); i < count; i++) {
        const struct ledger_entry *entry = ledger_at(box->ledger, i);
        struct error ignored;
        if (!str_eq(entry->rollout, box->rollout) || !str_eq(entry->type, type) ||
            !names_put(&box->read, str_of(entry->id), 1))
            continue;
        if (ledger_read(box->ledger, arena, entry, ret, &ignored))
            return true;
    }
    box->tip = tip;
    return false;
}

void mailbox_done(struct mailbox *box)
{
    names_done(&box->read);
    *box = (struct mailbox){.ledger = box->ledger, .rollout = box->rollout};
}

uint64_t mailbox_token(str id)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t token = 0;
    for (size_t i = 0; i < 16 && i < id.len; i++) {
        const char *at = strchr(digits, id.data[i]);
        token = token << 4 | (at ? (uint64_t)(at - digits) : 0);
    }
    return token ? token : 1;
}
