#include "actions/cli/due.h"

#include "actions/cli/approval_desk.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/steering_desk.h"
#include "gate/doc/json.h"

static bool is_live(const struct lease *lease, int64_t now_ms)
{
    return lease_is_live(lease, now_ms) && !process_is_gone(lease->process);
}

// A word that the newest state has not counted.
static bool any_steering(struct ledger *ledger, const struct rollout_record *record)
{
    struct mailbox box = {.ledger = ledger, .rollout = record->plan->rollout};
    struct arena arena = {0};
    struct event event;
    struct steering word;
    bool any = false;
    while (!any && mailbox_next(&box, STR(STEERING_TYPE), &arena, &event))
        any = steering_read(&event, &word) && !rollout_heard(record->state, word.token);
    mailbox_done(&box);
    arena_done(&arena);
    return any;
}

static bool any_answer(struct ledger *ledger, const struct rollout_record *record, uint32_t step)
{
    struct mailbox box = {.ledger = ledger, .rollout = record->plan->rollout};
    struct arena arena = {0};
    struct event event;
    int64_t asked = step == STEP_STAGE ? -1 : (int64_t)step, about = -2;
    bool any = false;
    while (!any && mailbox_next(&box, STR(ANSWER_TYPE), &arena, &event))
        any = json_get_i64(event.fields, "step", &about) && about == asked &&
              !rollout_answered(record->state, facts_person(&event.actor));
    mailbox_done(&box);
    arena_done(&arena);
    return any;
}

static struct due due_of_question(struct ledger *ledger, const struct rollout_record *record,
                                  int64_t now_ms)
{
    const struct rollout_state *state = record->state;
    struct due due = {DUE_PEOPLE, 0};
    uint32_t step = 0;
    const struct plan_approval *rule = rollout_question(record->plan, state, &step);
    if (!rule || state->answers >= rule->count) {
        due.state = rule && state->hold ? DUE_PEOPLE : DUE_NOW;
        return due;
    }
    if (rule->expires_after_ms)
        due.at_ms = state->phase_since_ms + rule->expires_after_ms;
    if (any_answer(ledger, record, step) || (due.at_ms && now_ms >= due.at_ms))
        due.state = DUE_NOW;
    return due;
}

struct due due_of(struct ledger *ledger, const struct rollout_record *record, int64_t now_ms)
{
    const struct rollout_state *state = record->state;
    struct due due = {DUE_NOW, 0};
    if (is_live(&record->standing.lease, now_ms))
        return (struct due){DUE_LIVE, 0};
    bool rests = state && (state->phase == PHASE_WAITING || state->phase == PHASE_HELD);
    // What has traffic is watched, whoever is waited for.
    if (!rests || rollout_watching(state) || any_steering(ledger, record))
        return due;
    if (state->phase == PHASE_HELD)
        return (struct due){DUE_PEOPLE, 0};
    return due_of_question(ledger, record, now_ms);
}
