#include "actions/cli/rehearsal_left.h"

static bool reads(struct deployment *d, const struct ledger_entry *entry, struct event *ret)
{
    return ledger_read(d->ledger, d->arena, entry, ret, &d->call->error);
}

// The newest rehearsal.begun of the environment.
static bool find_begun(struct deployment *d, str environment, struct rehearsal_left *left,
                       size_t *ret_position, bool *ret_found)
{
    *ret_found = false;
    for (size_t i = ledger_count(d->ledger); i-- > 0;) {
        struct event event;
        if (!str_is(ledger_at(d->ledger, i)->type, REHEARSAL_BEGUN))
            continue;
        if (!reads(d, ledger_at(d->ledger, i), &event))
            return false;
        if (!str_eq(node_text(event.fields, "environment"), environment))
            continue;
        left->environment = environment;
        left->stage = node_text(event.fields, "stage");
        left->back = node_text(event.fields, "back");
        left->forth = node_text(event.fields, "forth");
        *ret_position = i;
        *ret_found = true;
        return true;
    }
    return true;
}

// Whether this entry, written after it was begun, ends it: its own record, or a decision of
// somebody about the same environment.
static bool ends_it(struct deployment *d, const struct ledger_entry *entry,
                    const struct rehearsal_left *left, bool *ret)
{
    struct event event;
    bool planned = str_is(entry->type, "rollout.planned");
    bool own = str_eq(entry->rollout, left->back) || str_eq(entry->rollout, left->forth);
    *ret = str_is(entry->type, REHEARSAL_DONE) && own;
    if (own || !(planned || str_is(entry->type, "release.adopted")))
        return true;
    if (!reads(d, entry, &event))
        return false;
    *ret = str_eq(planned ? event.lease.environment : node_text(event.fields, "environment"),
                  left->environment);
    return true;
}

static bool is_over(struct deployment *d, const struct rehearsal_left *left, size_t begun,
                    bool *ret)
{
    *ret = false;
    for (size_t i = begun + 1; !*ret && i < ledger_count(d->ledger); i++)
        if (!ends_it(d, ledger_at(d->ledger, i), left, ret))
            return false;
    return true;
}

// ERROR_ABSENT is an answer here.
static bool load(struct deployment *d, str rollout, struct rollout_record *ret, bool *ret_found)
{
    struct error why;
    *ret_found = rollout_load(d->ledger, d->arena, rollout, ret, &why);
    if (*ret_found || why.kind == ERROR_ABSENT)
        return true;
    d->call->error = why;
    return false;
}

// Between the halves nobody has the lease for a moment: then its last holder counts, where one can
// know, and else the time since it wrote something.
static bool is_driven(const struct deployment *d, const struct rehearsal_left *left)
{
    const struct lease *lease = &left->half.standing.lease;
    int64_t now_ms = deployment_now(d);
    if (process_is_gone(lease->process) || str_eq(lease->process, process_self(d->arena)))
        return false; // one that this process has just driven itself is its own to go on with
    return lease_is_live(lease, now_ms) || now_ms < left->half.newest_ms + LEASE_TTL_MS;
}

bool rehearsal_left_forth(const struct rehearsal_left *left)
{
    return str_eq(left->half.plan->rollout, left->forth);
}

bool rehearsal_left_in(struct deployment *d, str environment, struct rehearsal_left *ret,
                       bool *ret_found)
{
    struct rehearsal_left left = {0};
    size_t begun = 0;
    bool over = false, found = false;
    *ret_found = false;
    if (!find_begun(d, environment, &left, &begun, &found) ||
        (found && !is_over(d, &left, begun, &over)))
        return false;
    if (!found || over)
        return true;
    if (!load(d, left.forth, &left.half, &found) ||
        (!found && !load(d, left.back, &left.half, &found)))
        return false;
    if (!found)
        return true; // it has touched nothing
    left.open = !left.half.state || !phase_terminal(left.half.state->phase);
    left.restored =
        rehearsal_left_forth(&left) && !left.open && left.half.state->phase == PHASE_ROLLED_BACK;
    left.driven = is_driven(d, &left);
    *ret = left;
    *ret_found = true;
    return true;
}

void rehearsal_left_words(const struct rehearsal_left *left, struct text *out)
{
    const struct plan *plan = left->half.plan;
    text_addf(out, "rehearsal " STR_FMT " was left half-way:", STR_ARG(left->back));
    for (uint32_t i = 0; i < plan->target_count; i++) {
        const struct plan_target *target = &plan->targets[i];
        str live = rehearsal_left_forth(left) ? target->good.release : target->next.release;
        str before = rehearsal_left_forth(left) ? target->next.release : target->good.release;
        text_addf(out, "%s " STR_FMT " may be on " STR_FMT ", where " STR_FMT " belongs",
                  i ? "," : "", STR_ARG(target->name), STR_ARG(before), STR_ARG(live));
    }
}
