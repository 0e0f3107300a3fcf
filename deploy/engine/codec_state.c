// States of rollouts as JSON.
#include "deploy/engine/codec.h"
#include "deploy/engine/fields.h"

#include <stddef.h>

#define STATE(key, kind)                                                                           \
    {                                                                                              \
#key, kind, offsetof(struct rollout_state, key), NULL                                      \
    }
static const struct field state_fields[] = {STATE(step, FIELD_U32),
                                            STATE(answers, FIELD_U32),
                                            STATE(asked, FIELD_U64),
                                            STATE(extended, FIELD_U32),
                                            STATE(phase_since_ms, FIELD_I64),
                                            STATE(bake_from_ms, FIELD_I64),
                                            STATE(bake_until_ms, FIELD_I64),
                                            STATE(reverting_since_ms, FIELD_I64),
                                            STATE(breach_at_ms, FIELD_I64),
                                            STATE(token, FIELD_U64),
                                            STATE(newest_token, FIELD_U64),
                                            STATE(awaiting, FIELD_BOOL),
                                            STATE(awaiting_since_ms, FIELD_I64),
                                            STATE(passed, FIELD_BOOL),
                                            STATE(steered, FIELD_HEX),
                                            STATE(heard_count, FIELD_U32),
                                            STATE(hold, FIELD_BOOL),
                                            STATE(automatic, FIELD_BOOL),
                                            STATE(accepted, FIELD_BOOL),
                                            STATE(last_ms, FIELD_I64),
                                            STATE(wake_ms, FIELD_I64),
                                            STATE(judged_ms, FIELD_I64),
                                            STATE(cancelled, FIELD_BOOL),
                                            STATE(fenced, FIELD_BOOL),
                                            STATE(frozen, FIELD_BOOL),
                                            STATE(out, FIELD_BOOL),
                                            STATE(why, FIELD_TEXT),
                                            {0}};
_Static_assert(sizeof(((struct rollout_state *)0)->why) == FIELD_TEXT_BYTES, "FIELD_TEXT");

#define TARGET(key, kind)                                                                          \
    {                                                                                              \
#key, kind, offsetof(struct target_state, key), NULL                                       \
    }
static const struct field target_fields[] = {TARGET(share_ppm, FIELD_U32),
                                             TARGET(recorded, FIELD_BOOL),
                                             TARGET(settled, FIELD_BOOL),
                                             TARGET(failed, FIELD_BOOL),
                                             TARGET(touched, FIELD_BOOL),
                                             TARGET(attempts, FIELD_U32),
                                             TARGET(since_ms, FIELD_I64),
                                             TARGET(unknown, FIELD_BOOL),
                                             TARGET(seen_ms, FIELD_I64),
                                             TARGET(look_ms, FIELD_I64),
                                             TARGET(command_token, FIELD_U64),
                                             TARGET(look_token, FIELD_U64),
                                             {0}};

#define WATCH(key, kind)                                                                           \
    {                                                                                              \
#key, kind, offsetof(struct watch_state, key), NULL                                        \
    }
static const struct field watch_fields[] = {
    WATCH(step_exposure, FIELD_DOUBLE),
    WATCH(step_baseline, FIELD_DOUBLE),
    WATCH(baseline_bad, FIELD_DOUBLE),
    WATCH(baseline_total, FIELD_DOUBLE),
    WATCH(blind_in_row, FIELD_U32),
    WATCH(newest_ms, FIELD_I64),
    {"measured", FIELD_U32, offsetof(struct watch_state, threshold.measured), NULL},
    {"bad", FIELD_U32, offsetof(struct watch_state, threshold.bad), NULL},
    {"errors_in_row", FIELD_U32, offsetof(struct watch_state, threshold.errors_in_row), NULL},
    {"errors", FIELD_U32, offsetof(struct watch_state, threshold.errors), NULL},
    {"dispersion_sum", FIELD_DOUBLE, offsetof(struct watch_state, dispersion.sum), NULL},
    {"dispersion_freedom", FIELD_DOUBLE, offsetof(struct watch_state, dispersion.freedom), NULL},
    WATCH(phi, FIELD_DOUBLE),
    WATCH(worse, FIELD_BOOL),
    {"seen", FIELD_U32, offsetof(struct watch_state, series.seen), NULL},
    {"extra_looks", FIELD_U32, offsetof(struct watch_state, series.extra), NULL},
    {0}};

// ---- writing ------------------------------------------------------------------------------------

static void write_doubles(const char *key, const double *numbers, uint32_t count,
                          struct json_out *out)
{
    json_open_list(out, key);
    for (uint32_t i = 0; i < count; i++)
        json_add_double(out, NULL, numbers[i]);
    json_close(out);
}

static void write_watch(const struct watch_state *watch, struct json_out *out)
{
    json_open_map(out, NULL);
    fields_write(watch_fields, watch, out);
    write_doubles("sums", watch->process.sum, EPROCESS_RATIOS, out);
    if (watch->dispersion.filled > 0) {
        write_doubles("block_bad", watch->dispersion.bad, watch->dispersion.filled, out);
        write_doubles("block_total", watch->dispersion.total, watch->dispersion.filled, out);
    }
    if (watch->series.canary_count > 0)
        write_doubles("canary", watch->series.canary, watch->series.canary_count, out);
    if (watch->series.baseline_count > 0)
        write_doubles("baseline", watch->series.baseline, watch->series.baseline_count, out);
    json_close(out);
}

static const struct field heard_field[] = {{"token", FIELD_HEX, 0, NULL}, {0}};
static const struct field answered_field[] = {{"by", FIELD_HEX, 0, NULL}, {0}};
static const struct field word_field[] = {{"word", FIELD_HEX, 0, NULL}, {0}};

void rollout_state_write(const struct plan *plan, const struct rollout_state *state,
                         const char *key, struct json_out *out)
{
    json_open_map(out, key);
    json_add_str(out, "phase", str_of(phase_name(state->phase)));
    json_add_str(out, "held_from", str_of(phase_name(state->held_from)));
    fields_write(state_fields, state, out);
    json_open_list(out, "answered");
    for (uint32_t i = 0; i < state->answers; i++) {
        json_open_map(out, NULL);
        fields_write(answered_field, &state->answered[i], out);
        fields_write(word_field, &state->answers_by_word[i], out);
        json_close(out);
    }
    json_close(out);
    if (state->heard_count)
        json_open_list(out, "heard");
    for (uint32_t i = 0; i < state->heard_count; i++) {
        json_open_map(out, NULL);
        fields_write(heard_field, &state->heard[i], out);
        json_close(out);
    }
    if (state->heard_count)
        json_close(out);
    json_open_list(out, "targets");
    for (uint32_t i = 0; i < plan->target_count; i++) {
        json_open_map(out, NULL);
        json_add_str(out, "name", plan->targets[i].name); // for people; the order is what counts
        json_add_str(out, "verb", str_of(verb_name(state->targets[i].verb)));
        fields_write(target_fields, &state->targets[i], out);
        json_close(out);
    }
    json_close(out);
    json_open_list(out, "watches");
    for (uint32_t i = 0; i < plan_watch_count(plan); i++)
        write_watch(&state->watches[i], out);
    json_close(out);
    json_close(out);
}

// ---- reading ------------------------------------------------------------------------------------

static bool read_phase(const struct node *node, const char *key, enum rollout_phase *ret,
                       struct error *err)
{
    return phase_of(node_text(node, key), ret) ||
           error_set(err, ERROR_INPUT, "`%s` is no phase: " STR_FMT, key,
                     STR_ARG(node_text(node, key)));
}

static bool read_doubles(const struct node *map, const char *key, uint32_t least, uint32_t most,
                         double *numbers, uint32_t *ret_count, struct error *err)
{
    const struct node *item = NULL;
    if (!fields_list(map, key, least, most, &item, ret_count, err))
        return false;
    for (uint32_t i = 0; item && i < *ret_count; i++, item = item->next)
        if (!field_number(FIELD_DOUBLE, item, &numbers[i]))
            return error_at(err, ERROR_INPUT, item->at, "`%s` holds what is not a number", key);
    return true;
}

// Lists that are longer than they may be are refused. Those of the baseline's four are of one
// length, and never full.
static bool read_watch(struct arena *arena, const struct node *node, struct watch_state *ret,
                       struct error *err)
{
    struct dispersion *d = &ret->dispersion;
    struct compare_series *s = &ret->series;
    uint32_t count = 0;
    return fields_read(arena, watch_fields, node, ret, err) &&
           read_doubles(node, "sums", EPROCESS_RATIOS, EPROCESS_RATIOS, ret->process.sum, &count,
                        err) &&
           read_doubles(node, "block_bad", 0, DISPERSION_BLOCK - 1, d->bad, &d->filled, err) &&
           read_doubles(node, "block_total", d->filled, d->filled, d->total, &count, err) &&
           read_doubles(node, "canary", 0, COMPARE_MOST, s->canary, &s->canary_count, err) &&
           read_doubles(node, "baseline", 0, COMPARE_MOST, s->baseline, &s->baseline_count, err);
}

static bool read_answered(struct arena *arena, const struct node *node, struct rollout_state *state,
                          struct error *err)
{
    const struct node *item = NULL;
    uint32_t count = 0;
    if (state->answers > ROLLOUT_ANSWERS)
        return error_set(err, ERROR_LIMIT, "more than %d answers", ROLLOUT_ANSWERS);
    if (!fields_list(node, "answered", state->answers, state->answers, &item, &count, err))
        return false;
    for (uint32_t i = 0; item && i < state->answers; i++, item = item->next)
        if (!fields_read(arena, answered_field, item, &state->answered[i], err) ||
            !fields_read(arena, word_field, item, &state->answers_by_word[i], err))
            return false;
    return true;
}

static bool read_heard(struct arena *arena, const struct node *node, struct rollout_state *state,
                       struct error *err)
{
    const struct node *item = NULL;
    uint32_t count = 0;
    if (state->heard_count > ROLLOUT_STEERS)
        return error_set(err, ERROR_LIMIT, "more than %d words of people", ROLLOUT_STEERS);
    if (!fields_list(node, "heard", state->heard_count, state->heard_count, &item, &count, err))
        return false;
    for (uint32_t i = 0; item && i < state->heard_count; i++, item = item->next)
        if (!fields_read(arena, heard_field, item, &state->heard[i], err))
            return false;
    return true;
}

static bool read_all(struct arena *arena, const struct plan *plan, const struct node *node,
                     struct rollout_state *state, struct error *err)
{
    const struct node *item = NULL;
    uint32_t count = 0;
    if (!fields_read(arena, state_fields, node, state, err) ||
        !read_phase(node, "phase", &state->phase, err) ||
        !read_phase(node, "held_from", &state->held_from, err) ||
        !read_answered(arena, node, state, err) || !read_heard(arena, node, state, err) ||
        !fields_list(node, "targets", plan->target_count, plan->target_count, &item, &count, err))
        return false;
    if (state->step > 0 && state->step >= plan->step_count)
        return error_set(err, ERROR_INPUT, "`step` is past the plan's steps");
    for (uint32_t i = 0; item && i < plan->target_count; i++, item = item->next) {
        if (!fields_read(arena, target_fields, item, &state->targets[i], err))
            return false;
        if (!verb_of(node_text(item, "verb"), &state->targets[i].verb))
            return error_at(err, ERROR_INPUT, item->at, "`verb` is none");
    }
    if (!fields_list(node, "watches", plan_watch_count(plan), plan_watch_count(plan), &item, &count,
                     err))
        return false;
    for (uint32_t i = 0; item && i < plan_watch_count(plan); i++, item = item->next)
        if (!read_watch(arena, item, &state->watches[i], err))
            return false;
    return true;
}

bool rollout_state_read(struct arena *arena, const struct plan *plan, const struct node *node,
                        struct rollout_state **ret, struct error *err)
{
    struct rollout_state *state = rollout_state_new(arena, plan);
    if (!read_all(arena, plan, node, state, err))
        return error_wrap(err, "reading the state of a rollout");
    state->asleep = state->phase != PHASE_NEW;
    *ret = state;
    return true;
}
