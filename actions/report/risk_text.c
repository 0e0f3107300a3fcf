#include "actions/report/risk_text.h"

#include "actions/report/escape.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

#define ID_MOST 24 // bytes of an id that the columns make room for

static int id_width(const struct risk *const *items, size_t count, size_t least)
{
    size_t width = least;
    for (size_t i = 0; i < count; i++)
        if (items[i]->id.len > width)
            width = items[i]->id.len;
    return (int)(width > ID_MOST ? ID_MOST : width);
}

static void add_padded(str s, int width, struct text *out)
{
    size_t before = out->len;
    terminal_escape(s, out);
    for (size_t n = out->len - before; n < (size_t)width && !text_full(out); n++)
        text_addc(out, ' ');
}

// "Paid twice (payments, ann)"
static void add_what(const struct risk *risk, struct text *out)
{
    terminal_escape(risk->title, out);
    if (risk->flow.len == 0 && risk->owner.len == 0)
        return;
    text_adds(out, " (");
    terminal_escape(risk->flow, out);
    if (risk->flow.len && risk->owner.len)
        text_adds(out, ", ");
    terminal_escape(risk->owner, out);
    text_addc(out, ')');
}

static void add_days(double days, struct text *out)
{
    text_addf(out, "%.10g", days);
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void add_totals(const struct risk_view *view, struct text *out)
{
    struct risk_totals totals = risk_totals(view->risks, view->today_days);
    uint64_t open = 0;
    for (int i = 0; i < RISK_SEVERITIES; i++)
        open += totals.open[i];
    text_addf(out, "%llu open risk%s, exposure %llu:", (unsigned long long)open, plural(open),
              (unsigned long long)totals.exposure);
    for (int i = RISK_SEVERITIES - 1; i >= 0; i--)
        text_addf(out, " %llu %s%s", (unsigned long long)totals.open[i],
                  risk_severity_name((enum risk_severity)i), i ? "," : ";");
    text_addf(out, " %llu accepted, %llu closed, %llu overdue", (unsigned long long)totals.accepted,
              (unsigned long long)totals.closed, (unsigned long long)totals.overdue);
}

// ---- the list ----------------------------------------------------------------------------------

// Of a matrix with a table: what it says beside the severity ("scheduled"). 0 = it has none.
static int outcome_width(const struct risk_view *view)
{
    const struct risk_matrix *matrix = view->risks->matrix;
    const struct matrix_outcome *outcomes = matrix->outcomes.items;
    size_t width = strlen("outcome");
    for (size_t i = 0; i < matrix->outcomes.count; i++)
        if (outcomes[i].name.len > width)
            width = outcomes[i].name.len;
    return matrix->outcomes.count == 0 ? 0 : (int)(width > ID_MOST ? ID_MOST : width);
}

void risk_list_text(const struct risk_view *view, struct text *out)
{
    int width = id_width(view->items, view->count, 2), outcome = outcome_width(view);
    if (view->count)
        text_addf(out, "exposure  severity  %-*s%sstatus      %-*s  due         what\n", outcome,
                  outcome ? "outcome" : "", outcome ? "  " : "", width, "id");
    for (size_t i = 0; i < view->count; i++) {
        const struct risk *risk = view->items[i];
        char due[DATE_TEXT] = "";
        if (risk->due_days)
            (void)date_format(risk->due_days, due);
        text_addf(out, "%8llu  %-8s  ", (unsigned long long)risk_exposure(risk),
                  risk_severity_name(risk_severity(risk)));
        if (outcome) {
            add_padded(risk->rating.outcome, outcome, out);
            text_adds(out, "  ");
        }
        text_addf(out, "%-10s  ", risk_status_name(risk->status));
        add_padded(risk->id, width, out);
        text_addf(out, "  %-10s%s  ", due, risk_overdue(risk, view->today_days) ? "!" : " ");
        if (risk_overdue(risk, view->today_days))
            text_adds(out, "OVERDUE ");
        add_what(risk, out);
        text_addc(out, '\n');
    }
    add_totals(view, out);
    text_adds(out, "\nregister: ");
    terminal_escape(str_of(view->path), out);
    text_adds(out, ", matrix ");
    terminal_escape(str_of(view->risks->matrix->name), out);
    text_addc(out, '\n');
}

static void add_cell(str s, struct text *out)
{
    text_adds(out, " ");
    markdown_escape(s, out);
    text_adds(out, " |");
}

void risk_list_markdown(const struct risk_view *view, struct text *out)
{
    bool outcome = outcome_width(view) != 0;
    text_addf(out,
              "# Risks by exposure\n\n"
              "| exposure | severity |%s status | id | what | flow | owner | due |\n"
              "|---:|---|%s---|---|---|---|---|---|\n",
              outcome ? " outcome |" : "", outcome ? "---|" : "");
    for (size_t i = 0; i < view->count; i++) {
        const struct risk *risk = view->items[i];
        char due[DATE_TEXT] = "";
        if (risk->due_days)
            (void)date_format(risk->due_days, due);
        text_addf(out, "| %llu | %s |", (unsigned long long)risk_exposure(risk),
                  risk_severity_name(risk_severity(risk)));
        if (outcome)
            add_cell(risk->rating.outcome, out);
        text_addf(out, " %s |", risk_status_name(risk->status));
        add_cell(risk->id, out);
        add_cell(risk->title, out);
        add_cell(risk->flow, out);
        add_cell(risk->owner, out);
        text_addf(out, " %s%s |\n", due,
                  risk_overdue(risk, view->today_days) ? " **overdue**" : "");
    }
    text_addc(out, '\n');
    add_totals(view, out);
    text_adds(out, "; matrix ");
    markdown_escape(str_of(view->risks->matrix->name), out);
    text_adds(out, ".\n");
}

static void json_text(struct json_out *out, const char *key, str value)
{
    if (value.len)
        json_add_str(out, key, value);
    else
        json_add_null(out, key);
}

static void json_day(struct json_out *out, const char *key, int64_t days)
{
    char day[DATE_TEXT];
    if (days)
        json_add_str(out, key, str_of(date_format(days, day)));
    else
        json_add_null(out, key);
}

static void json_effort(struct json_out *out, const struct risk *risk)
{
    if (risk->effort_days > 0)
        json_add_double(out, "effort_days", risk->effort_days);
    else
        json_add_null(out, "effort_days");
}

static void json_risk(const struct risk_view *view, const struct risk *risk, struct json_out *out)
{
    json_add_str(out, "id", risk->id);
    json_add_str(out, "title", risk->title);
    json_add_u64(out, "exposure", risk_exposure(risk));
    json_add_str(out, "severity", str_of(risk_severity_name(risk_severity(risk))));
    json_add_str(out, "status", str_of(risk_status_name(risk->status)));
    json_text(out, "owner", risk->owner);
    json_day(out, "due", risk->due_days);
    json_add_bool(out, "overdue", risk_overdue(risk, view->today_days));
    json_effort(out, risk);
}

static void json_grade(struct json_out *out, const char *key, int64_t grade)
{
    if (grade)
        json_add_i64(out, key, grade);
    else
        json_add_null(out, key);
}

static void json_details(const struct risk *risk, struct json_out *out)
{
    const str *paths = risk->paths.items;
    json_add_str(out, "outcome", risk->rating.outcome);
    json_add_u64(out, "points", risk->rating.points);
    json_grade(out, "likelihood", risk->likelihood);
    json_grade(out, "impact", risk->impact);
    if (risk->inputs)
        json_add_node(out, "rating", risk->inputs);
    else
        json_add_null(out, "rating");
    json_add_i64(out, "weight", risk->weight);
    json_text(out, "flow", risk->flow);
    json_open_list(out, "paths");
    for (size_t i = 0; i < risk->paths.count; i++)
        json_add_str(out, NULL, paths[i]);
    json_close(out);
    json_text(out, "treatment", risk->treatment);
    json_text(out, "link", risk->link);
    json_add_u64(out, "line", risk->at.line);
}

static void json_totals(const struct risk_view *view, struct json_out *out)
{
    struct risk_totals totals = risk_totals(view->risks, view->today_days);
    json_open_map(out, "totals");
    json_add_u64(out, "exposure", totals.exposure);
    json_open_map(out, "open");
    for (int i = RISK_SEVERITIES - 1; i >= 0; i--)
        json_add_u64(out, risk_severity_name((enum risk_severity)i), totals.open[i]);
    json_close(out);
    json_add_u64(out, "accepted", totals.accepted);
    json_add_u64(out, "closed", totals.closed);
    json_add_u64(out, "overdue", totals.overdue);
    json_close(out);
}

void risk_list_json(const struct risk_view *view, struct text *text)
{
    struct json_out out = json_out_of(text, JSON_PRETTY);
    json_open_map(&out, NULL);
    json_add_str(&out, "schema", STR("sluice.risks/1"));
    json_add_str(&out, "register", str_of(view->path));
    json_add_str(&out, "matrix", str_of(view->risks->matrix->name));
    json_day(&out, "date", view->today_days);
    json_totals(view, &out);
    json_open_list(&out, "risks");
    for (size_t i = 0; i < view->count; i++) {
        json_open_map(&out, NULL);
        json_risk(view, view->items[i], &out);
        json_details(view->items[i], &out);
        json_close(&out);
    }
    json_close(&out);
    json_close(&out);
    text_addc(text, '\n');
}

// ---- the roadmap -------------------------------------------------------------------------------

static void add_conclusion(const struct roadmap *roadmap, struct text *out)
{
    size_t unknown = roadmap->count - roadmap->estimated;
    uint64_t left = roadmap->estimated ? roadmap->steps[roadmap->estimated - 1].exposure_left
                                       : roadmap->exposure;
    double effort = roadmap->estimated ? roadmap->steps[roadmap->estimated - 1].effort_so_far : 0;
    text_adds(out, "All that is estimated takes ");
    add_days(effort, out);
    text_addf(out, " day%s and brings the exposure from %llu to %llu.", effort == 1 ? "" : "s",
              (unsigned long long)roadmap->exposure, (unsigned long long)left);
    if (unknown)
        text_addf(out, " %zu risk%s ha%s no `effort`: %s at the end, by exposure.", unknown,
                  plural(unknown), unknown == 1 ? "s" : "ve",
                  unknown == 1 ? "it stands" : "they stand");
    text_addc(out, '\n');
}

void roadmap_text(const struct risk_view *view, const struct roadmap *roadmap, struct text *out)
{
    const struct risk *const *items = view->items;
    int width = id_width(items, view->count, 2);
    if (roadmap->count)
        text_addf(out, "   exposure  days  a day  days so far  exposure left  %-*s  what\n", width,
                  "id");
    for (size_t i = 0; i < roadmap->count; i++) {
        const struct roadmap_step *step = &roadmap->steps[i];
        text_addf(out, "%2zu %8llu  ", i + 1, (unsigned long long)risk_exposure(step->risk));
        if (i < roadmap->estimated)
            text_addf(out, "%4.10g  %5.4g  %11.10g  ", step->risk->effort_days,
                      (double)risk_exposure(step->risk) / step->risk->effort_days,
                      step->effort_so_far);
        else
            text_addf(out, "%4s  %5s  %11s  ", "?", "?", "?");
        text_addf(out, "%13llu  ", (unsigned long long)step->exposure_left);
        add_padded(step->risk->id, width, out);
        text_adds(out, "  ");
        add_what(step->risk, out);
        text_addc(out, '\n');
    }
    add_conclusion(roadmap, out);
}

void roadmap_markdown(const struct risk_view *view, const struct roadmap *roadmap, struct text *out)
{
    (void)view;
    text_adds(out, "# Roadmap: exposure per day of effort\n\n"
                   "| | id | what | owner | exposure | days | days so far | exposure left |\n"
                   "|---:|---|---|---|---:|---:|---:|---:|\n");
    for (size_t i = 0; i < roadmap->count; i++) {
        const struct roadmap_step *step = &roadmap->steps[i];
        text_addf(out, "| %zu |", i + 1);
        add_cell(step->risk->id, out);
        add_cell(step->risk->title, out);
        add_cell(step->risk->owner, out);
        text_addf(out, " %llu | ", (unsigned long long)risk_exposure(step->risk));
        if (i < roadmap->estimated) {
            add_days(step->risk->effort_days, out);
            text_adds(out, " | ");
            add_days(step->effort_so_far, out);
        } else {
            text_adds(out, "? | ?");
        }
        text_addf(out, " | %llu |\n", (unsigned long long)step->exposure_left);
    }
    text_addc(out, '\n');
    add_conclusion(roadmap, out);
}

void roadmap_json(const struct risk_view *view, const struct roadmap *roadmap, struct text *text)
{
    struct json_out out = json_out_of(text, JSON_PRETTY);
    json_open_map(&out, NULL);
    json_add_str(&out, "schema", STR("sluice.roadmap/1"));
    json_add_str(&out, "register", str_of(view->path));
    json_day(&out, "date", view->today_days);
    json_add_u64(&out, "exposure", roadmap->exposure);
    json_add_u64(&out, "unestimated", roadmap->count - roadmap->estimated);
    json_open_list(&out, "steps");
    for (size_t i = 0; i < roadmap->count; i++) {
        const struct roadmap_step *step = &roadmap->steps[i];
        json_open_map(&out, NULL);
        json_risk(view, step->risk, &out);
        if (i < roadmap->estimated)
            json_add_double(&out, "effort_so_far", step->effort_so_far);
        else
            json_add_null(&out, "effort_so_far");
        json_add_u64(&out, "exposure_left", step->exposure_left);
        json_close(&out);
    }
    json_close(&out);
    json_close(&out);
    text_addc(text, '\n');
}
