#include "deploy/notify/notice.h"

const char *const notice_event_names[] = {
    [NOTICE_STARTED] = "started",         [NOTICE_WAITING] = "waiting",     [NOTICE_HELD] = "held",
    [NOTICE_ROLLED_BACK] = "rolled_back", [NOTICE_STUCK] = "stuck",         [NOTICE_DONE] = "done",
    [NOTICE_DENIED] = "denied",           [NOTICE_CANCELLED] = "cancelled", [NOTICE_COUNT] = NULL,
};

const char *notice_event_name(enum notice_event event)
{
    return notice_event_names[event];
}

bool notice_ends(enum notice_event event)
{
    return event == NOTICE_ROLLED_BACK || event == NOTICE_DONE || event == NOTICE_DENIED ||
           event == NOTICE_CANCELLED;
}

bool notice_of_state(const struct plan *plan, const struct rollout_state *state,
                     enum notice_event *ret)
{
    switch (state->phase) {
    case PHASE_WAITING:
        *ret = NOTICE_WAITING;
        return true;
    case PHASE_HELD:
        *ret = NOTICE_HELD;
        return true;
    case PHASE_ROLLED_BACK:
        *ret = NOTICE_ROLLED_BACK;
        return true;
    case PHASE_STUCK:
        *ret = NOTICE_STUCK;
        return true;
    case PHASE_DONE:
        *ret = NOTICE_DONE;
        return true;
    case PHASE_DENIED:
        *ret = NOTICE_DENIED;
        return true;
    case PHASE_CANCELLED:
        *ret = NOTICE_CANCELLED;
        return true;
    case PHASE_PREPARING:
    case PHASE_SHIFTING:
    case PHASE_STEP_BAKE:
    case PHASE_BAKE:
    case PHASE_PROMOTING:
    case PHASE_VERIFYING:
        *ret = NOTICE_STARTED;
        return plan->mode == PLAN_FORWARD;
    case PHASE_NEW:
    case PHASE_REVERTING:
        break;
    }
    return false;
}

// A rollout starts once and ends once, and one whose way back is tried again and again is told to
// be stuck once. A question is named by its token, a hold by when it began: both are in the ledger
// with every later state.
str notice_id(struct arena *arena, const struct plan *plan, const struct rollout_state *state,
              enum notice_event event)
{
    const char *name = notice_event_name(event);
    if (event == NOTICE_WAITING)
        return arena_format(arena, STR_FMT "/%s/%llu", STR_ARG(plan->rollout), name,
                            (unsigned long long)state->asked);
    if (event == NOTICE_HELD)
        return arena_format(arena, STR_FMT "/%s/%lld", STR_ARG(plan->rollout), name,
                            (long long)state->phase_since_ms);
    return arena_format(arena, STR_FMT "/%s", STR_ARG(plan->rollout), name);
}

struct phrase { // before RELEASE between ENVIRONMENT after; of a rollback by hand the other way
    const char *before, *between, *after;
};

static str title_words(struct arena *arena, const struct plan *plan, enum notice_event event)
{
    static const struct phrase forward[NOTICE_COUNT] = {
        [NOTICE_STARTED] = {"", " is going out to ", ""},
        [NOTICE_WAITING] = {"", " waits for an approval in ", ""},
        [NOTICE_HELD] = {"", " is held in ", ": a person must decide"},
        [NOTICE_ROLLED_BACK] = {"", " was taken back in ", ""},
        [NOTICE_STUCK] = {"the way back from ", " in ", " is stuck"},
        [NOTICE_DONE] = {"", " is out in ", ""},
        [NOTICE_DENIED] = {"", " was denied in ", ""},
        [NOTICE_CANCELLED] = {"", " was cancelled in ", ""},
    };
    static const struct phrase back[NOTICE_COUNT] = {
        [NOTICE_ROLLED_BACK] = {"", " was rolled back to ", ""},
        [NOTICE_STUCK] = {"the rollback of ", " to ", " is stuck"},
    };
    bool other_way = plan->mode == PLAN_ROLLBACK && back[event].between;
    const struct phrase *phrase = other_way ? &back[event] : &forward[event];
    str first = other_way ? plan->environment : plan->release;
    str second = other_way ? plan->release : plan->environment;
    return arena_format(arena, "%s" STR_FMT "%s" STR_FMT "%s", phrase->before, STR_ARG(first),
                        phrase->between, STR_ARG(second), phrase->after);
}

// One line: it becomes the subject of a mail.
static str title_of(struct arena *arena, const struct plan *plan, enum notice_event event)
{
    str title = title_words(arena, plan, event);
    char *line = arena_alloc(arena, title.len + 1);
    for (size_t i = 0; i < title.len; i++)
        line[i] = (char)((unsigned char)title.data[i] < 0x20 ? ' ' : title.data[i]);
    return str_make(line, title.len);
}

// "25 % (step 1 of 3)": the step that is asked about, or that it stands at.
static str where_of(struct arena *arena, const struct plan *plan, const struct rollout_state *state,
                    enum notice_event event)
{
    bool of_step =
        event == NOTICE_HELD || (event == NOTICE_WAITING && state->held_from == PHASE_SHIFTING);
    if (!of_step || plan->mode == PLAN_ROLLBACK || state->step >= plan->step_count)
        return (str){NULL, 0};
    uint32_t share_ppm = plan->steps[state->step].share_ppm;
    return arena_format(arena, "%g %% (step %u of %u)", share_ppm / 10000.0, state->step + 1,
                        plan->step_count);
}

// Where each target goes, as a person tells it: of what was taken back, from the release to good.
static void add_targets(struct arena *arena, const struct plan *plan, struct notice *notice)
{
    bool back = plan->mode == PLAN_ROLLBACK || notice->event == NOTICE_ROLLED_BACK ||
                notice->event == NOTICE_STUCK;
    struct notice_target *targets = ARENA_ARRAY(arena, struct notice_target, plan->target_count);
    for (uint32_t i = 0; i < plan->target_count; i++) {
        const struct plan_target *target = &plan->targets[i];
        str next = target->next.release, good = target->good.release;
        targets[i] = (struct notice_target){
            .name = arena_str(arena, target->name),
            .from = arena_str(arena, back ? next : good),
            .to = arena_str(arena, back ? good : next),
        };
    }
    notice->targets = targets;
    notice->target_count = plan->target_count;
}

static void add_question(struct arena *arena, const struct notice_source *source,
                         struct notice *notice)
{
    uint32_t step;
    const struct plan_approval *rule = rollout_question(source->plan, source->state, &step);
    if (source->event != NOTICE_WAITING || !rule)
        return;
    str *asked = ARENA_ARRAY(arena, str, rule->from_count);
    for (uint32_t i = 0; i < rule->from_count; i++)
        asked[i] = arena_str(arena, rule->from[i]);
    notice->asked = asked;
    notice->asked_count = rule->from_count;
    notice->answers_needed =
        rule->count - (source->state->answers < rule->count ? source->state->answers : rule->count);
}

// The runbooks of the metrics that the reason names, each once.
static void add_runbooks(struct arena *arena, const struct notice_source *source,
                         struct notice *notice)
{
    str *found = ARENA_ARRAY(arena, str, source->runbook_count);
    size_t count = 0;
    for (size_t i = 0; i < source->runbook_count; i++) {
        const struct notice_runbook *runbook = &source->runbooks[i];
        bool known = !runbook->runbook.len || str_search(notice->why, runbook->metric) == STR_NONE;
        for (size_t k = 0; k < count; k++)
            known |= str_eq(found[k], runbook->runbook);
        if (!known)
            found[count++] = arena_str(arena, runbook->runbook);
    }
    notice->runbooks = found;
    notice->runbook_count = count;
}

static void add_commands(struct arena *arena, const struct notice_source *source,
                         struct notice *notice)
{
    size_t count = 0;
    while (source->steps && source->steps[count])
        count++;
    str *commands = ARENA_ARRAY(arena, str, count);
    for (size_t i = 0; i < count; i++)
        commands[i] = arena_str(arena, str_of(source->steps[i]));
    notice->commands = commands;
    notice->command_count = count;
}

static str why_of(const struct notice_source *source)
{
    if (source->event == NOTICE_STARTED || source->event == NOTICE_WAITING ||
        source->event == NOTICE_DONE)
        return (str){NULL, 0}; // of these the state's reason is an older one
    return str_of(source->state->why);
}

void notice_make(struct arena *arena, const struct notice_source *source, struct notice *ret)
{
    const struct plan *plan = source->plan;
    const struct rollout_state *state = source->state;
    struct notice notice = {
        .event = source->event,
        .id = notice_id(arena, plan, state, source->event),
        .thread = arena_format(arena, "sluice/" STR_FMT "/" STR_FMT, STR_ARG(plan->rollout),
                               STR_ARG(str_first(plan->commit, 12))),
        .time_ms = source->time_ms,
        .late = source->late,
        .title = title_of(arena, plan, source->event),
        .why = arena_str(arena, why_of(source)),
        .rollout = arena_str(arena, plan->rollout),
        .release = arena_str(arena, plan->release),
        .commit = arena_str(arena, plan->commit),
        .environment = arena_str(arena, plan->environment),
        .stage = arena_str(arena, plan->stage),
        .phase = str_of(phase_name(state->phase)),
        .where = where_of(arena, plan, state, source->event),
        .link = arena_str(arena, source->link),
    };
    add_targets(arena, plan, &notice);
    add_question(arena, source, &notice);
    add_runbooks(arena, source, &notice);
    add_commands(arena, source, &notice);
    *ret = notice;
}
