#include "actions/cli/due.h"

#include "actions/cli/approval_desk.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/plan_calendar.h"
#include "actions/cli/steering_desk.h"
#include "gate/doc/json.h"

static bool is_live(const struct lease *lease, int64_t now_ms)
{
    return lease_is_live(lease, now_ms) && !process_is_gone(lease->process);
}

bool due_steered(struct ledger *ledger, const struct rollout_record *record)
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
    struct approval_read read;
    int64_t asked = step == STEP_STAGE ? -1 : (int64_t)step;
    bool any = false;
    while (!any && mailbox_next(&box, STR(ANSWER_TYPE), &arena, &event))
        any = approval_read(&event, &read) && read.step == asked &&
              (!read.granted || (!rollout_answered(record->state, read.who) &&
                                 !approval_is_withdrawn(ledger, record->plan->rollout, &read)));
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

// Of one that waits for the calendar alone, with nothing out: from when on it may go on, as it was
// planned; 0 = that is not why, or nobody knows. Freezes that came or went since are not asked
// here: whoever resumes it reads them.
static int64_t thaws_ms(const struct rollout_record *record, int64_t now_ms)
{
    struct arena arena = {0};
    struct text words = text_of(4096);
    const struct rollout_state *state = record->state;
    int64_t until_ms = 0;
    if (!state || !state->frozen || state->out || state->cancelled ||
        !plan_calendar_waits(&arena, record->plan, state->phase, now_ms, &until_ms, &words) ||
        until_ms == ZONE_NEVER)
        until_ms = 0;
    text_done(&words);
    arena_done(&arena);
    return until_ms;
}

struct due due_of(struct ledger *ledger, const struct rollout_record *record, int64_t now_ms)
{
    const struct rollout_state *state = record->state;
    struct due due = {DUE_NOW, 0};
    if (is_live(&record->standing.lease, now_ms))
        return (struct due){DUE_LIVE, 0};
    bool rests = state && (state->phase == PHASE_WAITING || state->phase == PHASE_HELD);
    // What has traffic is watched, whoever is waited for.
    if (rests && !rollout_watching(state) && !due_steered(ledger, record))
        due = state->phase == PHASE_HELD ? (struct due){DUE_PEOPLE, 0}
                                         : due_of_question(ledger, record, now_ms);
    if (due.state == DUE_NOW)
        due.at_ms = thaws_ms(record, now_ms);
    return due;
}
