#include "run.h"

#include <criterion/criterion.h>

struct run run_open(struct scene *s, const char *remote, const struct plan *plan)
{
    struct run run = {.ledger = scene_ledger(s, NULL, remote, NULL), .plan = plan};
    run.journal = journal_open(run.ledger);
    run.port = journal_port(run.journal);
    run.state = rollout_state_new(&s->arena, plan);
    return run;
}

void run_close(struct run *run)
{
    journal_close(run->journal);
    ledger_close(run->ledger);
}

enum lease_state run_lease(struct scene *s, struct run *run)
{
    char text[256];
    (void)run->port.turn(run->port.self, s->now_ms);
    return run->port.lease(run->port.self, s->now_ms, text);
}

bool run_take(struct scene *s, struct run *run, bool force)
{
    cr_assert(run->port.take(run->port.self, run->plan, force, s->now_ms, &s->err), "%s",
              s->err.message);
    for (int i = 0; i < 20 && run_lease(s, run) == LEASE_PENDING; i++)
        s->now_ms += 100;
    return run_lease(s, run) == LEASE_HELD;
}

bool run_note(struct scene *s, struct run *run, enum record_type type, enum rollout_phase phase,
              enum target_verb verb, uint64_t *ret_ticket)
{
    struct rollout_command command = {.type = RC_RECORD,
                                      .record = type,
                                      .verb = verb,
                                      .share_ppm = SHARE_ALL,
                                      .durable = ret_ticket != NULL,
                                      .token = ++run->token};
    struct placement placement = run->plan->targets[0].next;
    uint64_t ticket;
    placement.revision = STR("r2");
    run->state->phase = phase;
    struct journal_record entry = {.plan = run->plan,
                                   .state = run->state,
                                   .command = &command,
                                   .placements = &placement,
                                   .now_ms = s->now_ms};
    return run->port.note(run->port.self, &entry, ret_ticket ? ret_ticket : &ticket, &s->err);
}

bool run_commit(struct scene *s, struct run *run, enum journal_haste haste)
{
    struct placement placement = run->plan->targets[0].next;
    placement.revision = STR("r2");
    return run->port.commit(run->port.self, run->plan, run->state, &placement, haste, s->now_ms,
                            &s->err);
}

bool run_record(struct scene *s, struct run *run, enum record_type type, enum rollout_phase phase,
                enum target_verb verb, uint64_t *ret_ticket)
{
    return run_note(s, run, type, phase, verb, ret_ticket) && run_commit(s, run, JOURNAL_ORDINARY);
}

enum append_state run_settle(struct scene *s, struct run *run, uint64_t ticket)
{
    enum append_state state = APPEND_PENDING;
    for (int i = 0; i < 50 && state == APPEND_PENDING; i++) {
        s->now_ms += 100;
        (void)run->port.turn(run->port.self, s->now_ms);
        state = run->port.state(run->port.self, ticket);
    }
    return state;
}
