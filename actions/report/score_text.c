#include "actions/report/score_text.h"

#include "actions/report/escape.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"
#include "gate/rules/rollout_demands.h"
#include "gate/rules/score.h"

#define EVIDENCE 5u // shown of one addend when not verbose

static void add_evidence(const struct score_view *view, const struct score_addend *addend,
                         struct text *out)
{
    size_t most = view->verbose ? addend->count : EVIDENCE;
    for (size_t i = 0; i < addend->count && i < most; i++) {
        text_adds(out, "             ");
        if (addend->evidence[i].path.len) {
            terminal_escape(addend->evidence[i].path, out);
            text_adds(out, ": ");
        }
        terminal_escape(str_of(addend->evidence[i].says), out);
        text_addc(out, '\n');
    }
    if (addend->count > most)
        text_addf(out, "             and %zu more (--verbose)\n", addend->count - most);
}

static void add_demands(const struct rollout_demands *demands, struct text *out)
{
    const char *joint = " ";
    if (demands->approvals) {
        text_addf(out, "%s%lld approval%s", joint, (long long)demands->approvals,
                  demands->approvals == 1 ? "" : "s");
        joint = ", ";
    }
    if (demands->slower > 1) {
        text_addf(out, "%sbakes %.10g times as long", joint, demands->slower);
        joint = ", ";
    }
    for (size_t i = 0; i < demands->step_count; i++) {
        text_adds(out, i ? ", " : joint);
        text_adds(out, i ? "" : demands->step_count == 1 ? "a step at " : "steps at ");
        text_add_fraction_percent(out, demands->steps[i]);
    }
}

// "rollout: 2 approvals, bakes 2 times as long, steps at 5%, 25%", and why.
static void add_rollout(const struct rollout_demands *demands, const char *indent, struct text *out)
{
    if (demands->because_count == 0)
        return;
    text_addf(out, "%srollout:", indent);
    add_demands(demands, out);
    text_addc(out, '\n');
    for (size_t i = 0; i < demands->because_count; i++) {
        text_addf(out, "%s  ", indent);
        terminal_escape(demands->because[i].risk->id, out);
        text_addc(out, ' ');
        terminal_escape(demands->because[i].risk->title, out);
        text_addf(out, ": %s\n", demands->because[i].what);
    }
    if (demands->unknown) {
        text_addf(out, "%s  every open risk counts: ", indent);
        terminal_escape(str_of(demands->unknown), out);
        text_addc(out, '\n');
    }
}

static void add_parts(const struct risk_score *score, struct text *out)
{
    for (int i = 0; i < SCORE_ADDENDS; i++)
        text_addf(out, "%s %s %u of %u%s", i ? "," : ":", score->addends[i].name,
                  score->addends[i].points, score->addends[i].most,
                  score->addends[i].known ? "" : " (unknown)");
}

void score_lines(const struct decision *decision, struct text *out)
{
    const struct risk_score *score = decision->score;
    if (!score)
        return;
    text_addf(out, "  risk score %u of 100 (%s)", score->points, score_class_name(score->class));
    add_parts(score, out);
    text_addc(out, '\n');
    add_rollout(decision->rollout, "  ", out);
}

void score_lines_markdown(const struct decision *decision, struct text *out)
{
    const struct risk_score *score = decision->score;
    const struct rollout_demands *demands = decision->rollout;
    if (!score)
        return;
    text_addf(out, "Risk score: %u of 100 (%s)", score->points, score_class_name(score->class));
    add_parts(score, out);
    text_adds(out, ".  \n");
    if (demands->because_count == 0)
        return;
    text_adds(out, "Rollout:");
    add_demands(demands, out);
    for (size_t i = 0; i < demands->because_count; i++) {
        text_adds(out, i ? "; " : " — ");
        markdown_escape(demands->because[i].risk->id, out);
        text_addc(out, ' ');
        markdown_escape(demands->because[i].risk->title, out);
    }
    text_adds(out, ".  \n");
}

void score_text(const struct score_view *view, struct text *out)
{
    const struct decision *decision = view->decision;
    text_addf(out, "risk score %u of 100 (%s)", view->decision->score->points,
              score_class_name(view->decision->score->class));
    if (decision->commit)
        text_addf(out, ", commit %.10s", decision->commit);
    if (decision->base)
        text_addf(out, ", base %.10s", decision->base);
    text_addc(out, '\n');
    for (int i = 0; i < SCORE_ADDENDS; i++) {
        const struct score_addend *addend = &view->decision->score->addends[i];
        text_addf(out, "  %2u of %2u  %-10s  ", addend->points, addend->most, addend->name);
        if (!addend->known)
            text_adds(out, "unknown, so in full: ");
        terminal_escape(str_of(addend->says), out);
        text_addc(out, '\n');
        add_evidence(view, addend, out);
    }
    add_rollout(view->decision->rollout, "", out);
}

void score_markdown(const struct score_view *view, struct text *out)
{
    text_addf(out,
              "# Risk score: %u of 100 (%s)\n\n| | points | of | because |\n|---|---:|---:|---|\n",
              view->decision->score->points, score_class_name(view->decision->score->class));
    for (int i = 0; i < SCORE_ADDENDS; i++) {
        const struct score_addend *addend = &view->decision->score->addends[i];
        text_addf(out, "| %s | %u | %u | %s", addend->name, addend->points, addend->most,
                  addend->known ? "" : "unknown, so in full: ");
        markdown_escape(str_of(addend->says), out);
        for (size_t k = 0; k < addend->count && k < EVIDENCE; k++) {
            text_adds(out, "<br>");
            markdown_escape(addend->evidence[k].path, out);
            text_adds(out, addend->evidence[k].path.len ? ": " : "");
            markdown_escape(str_of(addend->evidence[k].says), out);
        }
        if (addend->count > EVIDENCE)
            text_addf(out, "<br>and %zu more", addend->count - EVIDENCE);
        text_adds(out, " |\n");
    }
}

static void json_text(struct json_out *out, const char *key, const char *value)
{
    if (value)
        json_add_str(out, key, str_of(value));
    else
        json_add_null(out, key);
}

static void json_addend(const struct score_addend *addend, struct json_out *out)
{
    json_open_map(out, NULL);
    json_text(out, "name", addend->name);
    json_add_u64(out, "points", addend->points);
    json_add_u64(out, "most", addend->most);
    json_add_bool(out, "known", addend->known);
    if (addend->known) {
        json_add_u64(out, "value", addend->value);
        json_add_u64(out, "full", addend->full);
    }
    json_text(out, "because", addend->says);
    json_open_list(out, "evidence");
    for (size_t i = 0; i < addend->count; i++) {
        json_open_map(out, NULL);
        json_add_str(out, "path", addend->evidence[i].path);
        json_text(out, "says", addend->evidence[i].says);
        json_close(out);
    }
    json_close(out);
    json_close(out);
}

static void json_touched(const struct touched_risk *touched, struct json_out *out)
{
    json_open_map(out, NULL);
    json_add_str(out, "id", touched->risk->id);
    json_add_str(out, "title", touched->risk->title);
    json_add_u64(out, "exposure", risk_exposure(touched->risk));
    json_open_list(out, "files");
    for (size_t i = 0; i < touched->file_count; i++)
        json_add_str(out, NULL, touched->files[i]);
    json_close(out);
    json_close(out);
}

void score_json(const struct score_view *view, struct text *text)
{
    const struct risk_score *score = view->decision->score;
    char moment[MOMENT_TEXT];
    struct json_out out = json_out_of(text, JSON_PRETTY);
    json_open_map(&out, NULL);
    json_text(&out, "schema", "sluice.risk-score/1");
    json_add_u64(&out, "score", score->points);
    json_text(&out, "class", score_class_name(score->class));
    json_text(&out, "commit", view->decision->commit);
    json_text(&out, "base", view->decision->base);
    json_text(&out, "time", moment_format(view->decision->time_ms, moment));
    json_open_list(&out, "addends");
    for (int i = 0; i < SCORE_ADDENDS; i++)
        json_addend(&score->addends[i], &out);
    json_close(&out);
    json_open_list(&out, "risks");
    for (size_t i = 0; i < score->touched_count; i++)
        json_touched(&score->touched[i], &out);
    json_close(&out);
    json_close(&out);
    text_addc(text, '\n');
}
