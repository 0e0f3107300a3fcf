#include "gate/decision_risk.h"

#include "gate/rules/rollout_demands.h"
#include "gate/rules/score.h"

static void add_part(const struct score_addend *addend, struct json_out *out)
{
    json_open_map(out, NULL);
    json_add_str(out, "name", str_of(addend->name));
    if (addend->known) {
        json_add_u64(out, "value", addend->value);
        json_add_u64(out, "full", addend->full);
    } else {
        json_add_null(out, "value");
        json_add_null(out, "full");
    }
    json_add_u64(out, "weight", addend->most);
    json_add_u64(out, "points", addend->points);
    json_add_str(out, "because", str_of(addend->says));
    json_close(out);
}

static void add_score(const struct risk_score *score, struct json_out *out)
{
    json_open_map(out, "score");
    json_add_u64(out, "points", score->points);
    json_add_u64(out, "most", 100);
    json_add_str(out, "class", str_of(score_class_name(score->class)));
    json_open_list(out, "parts");
    for (int i = 0; i < SCORE_ADDENDS; i++)
        add_part(&score->addends[i], out);
    json_close(out);
    json_close(out);
}

static void add_steps(const struct fraction *steps, size_t count, struct json_out *out)
{
    json_open_list(out, "steps");
    for (size_t i = 0; i < count; i++) {
        struct text percent = text_of(64);
        text_add_fraction_percent(&percent, steps[i]);
        json_add_str(out, NULL, text_str(&percent));
        text_done(&percent);
    }
    json_close(out);
}

static void add_demands(const struct rollout_demands *demands, struct json_out *out)
{
    json_open_map(out, "demands");
    json_add_i64(out, "approvals", demands->approvals);
    json_add_double(out, "slower", demands->slower);
    add_steps(demands->steps, demands->step_count, out);
    if (demands->unknown)
        json_add_str(out, "unknown", str_of(demands->unknown));
    else
        json_add_null(out, "unknown");
    json_open_list(out, "because");
    for (size_t i = 0; i < demands->because_count; i++) {
        json_open_map(out, NULL);
        json_add_str(out, "risk", demands->because[i].risk->id);
        json_add_str(out, "title", demands->because[i].risk->title);
        json_add_str(out, "what", str_of(demands->because[i].what));
        json_close(out);
    }
    json_close(out);
    json_close(out);
}

void decision_risk_json(const struct decision *decision, struct json_out *out)
{
    const struct risk_score *score = decision->score;
    if (!score)
        return;
    add_score(score, out);
    json_open_map(out, "rollout");
    json_open_map(out, "risk");
    json_add_u64(out, "score", score->points);
    json_add_str(out, "class", str_of(score_class_name(score->class)));
    json_close(out);
    add_demands(decision->rollout, out);
    json_close(out);
}
