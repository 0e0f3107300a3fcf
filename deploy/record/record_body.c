#include "deploy/record/record_body.h"

#include "deploy/engine/codec.h"
#include "deploy/record/rollouts.h"
#include "gate/base/moment.h"

static void add_if(struct json_out *out, const char *key, str value)
{
    if (value.len)
        json_add_str(out, key, value);
}

void placement_write(const struct placement *placement, const char *key, struct json_out *out)
{
    json_open_map(out, key);
    json_add_str(out, "release", placement->release);
    json_add_str(out, "commit", placement->commit);
    json_add_str(out, "digest", placement->digest);
    json_add_str(out, "revision", placement->revision);
    json_add_str(out, "memory", placement->memory);
    json_close(out);
}

bool placement_read(const struct node *node, struct placement *ret, struct error *err)
{
    struct placement placement;
    if (!json_get_str(node, "release", &placement.release) ||
        !json_get_str(node, "commit", &placement.commit) ||
        !json_get_str(node, "digest", &placement.digest) ||
        !json_get_str(node, "revision", &placement.revision) ||
        !json_get_str(node, "memory", &placement.memory))
        return error_set(err, ERROR_INPUT,
                         "the ledger's note of a release on a target is malformed");
    *ret = placement;
    return true;
}

static void add_plan_words(const struct plan *plan, struct json_out *out)
{
    json_add_str(out, "release", plan->release);
    json_add_str(out, "commit", plan->commit);
    json_add_str(out, "environment", plan->environment);
    json_add_str(out, "stage", plan->stage);
    json_add_str(out, "mode", plan->mode == PLAN_ROLLBACK ? STR("rollback") : STR("forward"));
}

// Why it is not planned as it usually is.
static void add_unusual(const struct plan *plan, struct json_out *out)
{
    const struct plan_emergency *emergency = &plan->emergency;
    struct text words = text_of(LIMIT_TOKEN_BYTES);
    if (emergency->severity.len)
        text_addf(&words, "emergency " STR_FMT " for " STR_FMT ": " STR_FMT,
                  STR_ARG(emergency->severity), STR_ARG(emergency->incident),
                  STR_ARG(emergency->reason));
    if (emergency->overrides.len)
        text_addf(&words, " (past " STR_FMT ")", STR_ARG(emergency->overrides));
    if (plan->season.len)
        text_addf(&words, "season " STR_FMT ": " STR_FMT, STR_ARG(plan->season),
                  STR_ARG(plan->season_why));
    add_if(out, "why", text_str(&words));
    text_done(&words);
}

void body_of_plan(const struct plan *plan, struct text *text)
{
    struct json_out out = json_out_of(text, JSON_COMPACT);
    json_open_map(&out, NULL);
    add_plan_words(plan, &out);
    add_if(&out, "reason", plan->reason);
    add_unusual(plan, &out);
    plan_write(plan, "plan", &out);
    json_close(&out);
}

// What every target serves once the rollout is over.
static void add_serving(const struct journal_record *record, struct json_out *out)
{
    enum record_type type = record->command->record;
    bool back =
        type == RECORD_ROLLED_BACK || (type == RECORD_DONE && record->plan->mode == PLAN_ROLLBACK);
    if (!back && type != RECORD_DONE)
        return;
    json_open_map(out, "serving");
    for (uint32_t i = 0; i < record->plan->target_count; i++) {
        const struct plan_target *target = &record->plan->targets[i];
        const struct placement *next = record->placements ? &record->placements[i] : &target->next;
        struct placement placement = back ? target->good : *next;
        struct text name = text_of(LIMIT_TOKEN_BYTES);
        text_add(&name, target->name);
        placement_write(&placement, text_c(&name), out);
        text_done(&name);
    }
    json_close(out);
}

static bool has_target(enum record_type type)
{
    return type == RECORD_INTENDED || type == RECORD_COMMAND_DONE ||
           type == RECORD_COMMAND_FAILED || type == RECORD_SAMPLE_JUDGED;
}

void body_of_record(const struct journal_record *record, struct text *text)
{
    const struct plan *plan = record->plan;
    const struct rollout_command *command = record->command;
    struct json_out out = json_out_of(text, JSON_COMPACT);
    json_open_map(&out, NULL);
    add_plan_words(plan, &out);
    if (has_target(command->record) && command->target < plan->target_count)
        json_add_str(&out, "target", plan->targets[command->target].name);
    if (command->verb != VERB_NONE) {
        json_add_str(&out, "verb", str_of(verb_name(command->verb)));
        json_add_u64(&out, "share_ppm", command->share_ppm);
    }
    if (command->record == RECORD_SAMPLE_JUDGED && command->metric < plan->metric_count)
        json_add_str(&out, "metric", plan->metrics[command->metric].name);
    if (command->step != UINT32_MAX)
        json_add_u64(&out, "step", command->step);
    add_if(&out, "who", command->who);
    add_if(&out, "text", str_of(command->text));
    if (command->record == RECORD_ROLLED_BACK || command->record == RECORD_STUCK ||
        command->record == RECORD_DENIED || command->record == RECORD_CANCELLED)
        add_if(&out, "why", str_of(record->state->why));
    json_add_str(&out, "phase", str_of(phase_name(record->state->phase)));
    if (record->state->reverting_since_ms)
        json_add_i64(&out, "reverting_since_ms", record->state->reverting_since_ms);
    add_serving(record, &out);
    json_close(&out);
}

void body_add_state(const struct plan *plan, const struct rollout_state *state,
                    const struct placement *placements, struct text *body)
{
    struct text added = text_of(LIMIT_EVENT_BYTES);
    struct json_out out = json_out_of(&added, JSON_COMPACT);
    json_open_map(&out, NULL);
    if (placements) {
        json_open_list(&out, "placements");
        for (uint32_t i = 0; i < plan->target_count; i++)
            placement_write(&placements[i], NULL, &out);
        json_close(&out);
    }
    rollout_state_write(plan, state, "state", &out);
    json_close(&out);
    struct text record = *body;
    *body = text_of(record.max);
    text_add(body, str_first(text_str(&record), record.len - 1)); // two maps become one
    text_addc(body, ',');
    text_add(body, str_from(text_str(&added), 1));
    body->full |= text_full(&added);
    text_done(&record);
    text_done(&added);
}

void body_of_incident(const struct journal_record *record, struct text *text)
{
    struct json_out out = json_out_of(text, JSON_COMPACT);
    char moment[MOMENT_TEXT];
    json_open_map(&out, NULL);
    add_plan_words(record->plan, &out);
    str severity = str_of(record->command->text);
    json_add_str(&out, "severity", severity.len ? severity : STR("P2"));
    json_add_str(&out, "why", str_of(record->state->why));
    json_add_str(&out, "phase", str_of(phase_name(record->state->phase)));
    json_add_str(&out, "opened", str_of(moment_format(record->now_ms, moment)));
    // The timeline is the record of the rollout itself.
    json_open_map(&out, "timeline");
    json_add_str(&out, "rollout", record->plan->rollout);
    json_close(&out);
    json_close(&out);
}

void body_of_bad(str release, str commit, str environment, str why, struct text *text)
{
    struct json_out out = json_out_of(text, JSON_COMPACT);
    json_open_map(&out, NULL);
    json_add_str(&out, "release", release);
    json_add_str(&out, "commit", commit);
    add_if(&out, "environment", environment);
    json_add_str(&out, "why", why);
    json_close(&out);
}

bool body_of_superseded(struct ledger *ledger, struct arena *arena, str rollout, str by,
                        struct text *text, struct error *err)
{
    struct rollout_record record;
    struct json_out out = json_out_of(text, JSON_COMPACT);
    str why = arena_format(arena, "superseded by rollback " STR_FMT, STR_ARG(by));
    if (!rollout_load(ledger, arena, rollout, &record, err)) { // nothing stops a rollback
        json_open_map(&out, NULL);
        json_add_str(&out, "superseded_by", by);
        json_add_str(&out, "why", why);
        json_add_str(&out, "unreadable", str_of(err->message));
        json_close(&out);
        *err = (struct error){0};
        return true;
    }
    struct rollout_state *state =
        record.state ? record.state : rollout_state_new(arena, record.plan);
    state->phase = PHASE_CANCELLED;
    state->fenced = true;
    why = str_first(why, sizeof state->why - 1);
    memcpy(state->why, why.data, why.len);
    state->why[why.len] = '\0';
    json_open_map(&out, NULL);
    add_plan_words(record.plan, &out);
    json_add_str(&out, "superseded_by", by);
    json_add_str(&out, "why", str_of(state->why));
    rollout_state_write(record.plan, state, "state", &out);
    json_close(&out);
    return true;
}
