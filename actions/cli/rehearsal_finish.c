#include "actions/cli/rehearsal_finish.h"

#include "actions/cli/rehearsal_halves.h"
#include "actions/cli/rollout_flow.h"
#include "actions/cli/say.h"

static bool again(struct deployment *d, const struct rehearsal_left *left, bool leave,
                  struct rehearsal *ret)
{
    const struct plan *plan = left->half.plan;
    const struct stage_settings *stage = stage_of(&d->settings, left->stage);
    if (!stage)
        return error_set(&d->call->error, ERROR_INPUT,
                         "rehearsal " STR_FMT " is of stage " STR_FMT
                         ", which the configuration does not have any more",
                         STR_ARG(left->back), STR_ARG(left->stage));
    struct stage_settings *narrow = ARENA_NEW(d->arena, struct stage_settings);
    str *names = ARENA_ARRAY(d->arena, str, plan->target_count);
    struct placement *from = ARENA_ARRAY(d->arena, struct placement, plan->target_count);
    struct placement *to = ARENA_ARRAY(d->arena, struct placement, plan->target_count);
    for (uint32_t i = 0; i < plan->target_count; i++) {
        names[i] = plan->targets[i].name;
        if (!target_of(&d->settings, names[i]))
            return error_set(&d->call->error, ERROR_INPUT,
                             "rehearsal " STR_FMT " is of target " STR_FMT
                             ", which the configuration does not have any more",
                             STR_ARG(left->back), STR_ARG(names[i]));
        from[i] = plan->targets[i].next;
        to[i] = plan->targets[i].good;
    }
    *narrow = *stage;
    narrow->targets = (struct shape_list){names, plan->target_count};
    *ret = (struct rehearsal){.d = d,
                              .stage = narrow,
                              .live = rehearsal_left_forth(left) ? to : from,
                              .before = rehearsal_left_forth(left) ? from : to,
                              .back = left->back,
                              .forth = left->forth,
                              .leave = leave};
    return true;
}

// Goes on with a half that is not over.
static int drive_open(struct rehearsal *r, const struct rehearsal_left *left)
{
    struct flow flow = {.d = r->d,
                        .stage = r->stage,
                        .plan = left->half.plan,
                        .state = left->half.state,
                        .placements = left->half.placements,
                        .leave = r->leave};
    int code = flow_prepare_again(&flow) ? flow_drive(&flow) : command_failed(r->d->call);
    bool there = flow.phase == PHASE_ROLLED_BACK;
    flow_done(&flow);
    return there ? 0 : code ? code : 3;
}

// A half that was cancelled has touched nothing, or somebody went another way.
static bool is_lost(const struct rehearsal_left *left)
{
    return !left->open && left->half.state->phase != PHASE_ROLLED_BACK;
}

int rehearsal_finish(struct deployment *d, const struct rehearsal_left *left, bool leave)
{
    struct rehearsal r;
    struct text words = text_of(1 << 18);
    rehearsal_left_words(left, &words);
    if (!left->restored)
        say_line("sluice: ATTENTION: %s; it is brought forward again now", text_c(&words));
    text_done(&words);
    if (!again(d, left, leave, &r))
        return command_failed(d->call);
    int code = left->open ? drive_open(&r, left) : 0;
    if (code == 0 && !rehearsal_left_forth(left) && !is_lost(left))
        code = rehearsal_half(&r, REHEARSAL_FORTH);
    if (code == 0 && !rehearsal_record(&r, !is_lost(left)))
        code = command_failed(d->call);
    return code;
}
