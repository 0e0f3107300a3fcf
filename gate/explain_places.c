// Findings that rest on a document rather than on a table of evidence: risks, waivers, quarantine,
// policy, incidents, and reports as a whole.
#include "gate/base/moment.h"
#include "gate/explain_parts.h"

static const struct companion *companion_at(const struct explaining *e, const char *path)
{
    for (int kind = 0; kind < COMPANIONS; kind++) {
        const struct companion *one = &e->gate->companions[kind];
        if (one->found && strcmp(one->path, path) == 0)
            return one;
    }
    return NULL;
}

static const char *exposure_note(const struct explaining *e, const struct risk *risk)
{
    unsigned long long exposure = risk_exposure(risk), points = risk->rating.points;
    long long weight = risk->weight;
    if (risk->likelihood && risk->impact && !risk->inputs)
        return arena_format(e->arena, "exposure %llu = likelihood %lld x impact %lld x weight %lld",
                            exposure, (long long)risk->likelihood, (long long)risk->impact, weight)
            .data;
    return arena_format(
               e->arena, "exposure %llu = %llu points (" STR_FMT " by the matrix %s) x weight %lld",
               exposure, points, STR_ARG(risk->rating.outcome), e->gate->risks.matrix->name, weight)
        .data;
}

void explain_risks(struct explaining *e)
{
    const struct decision *decision = &e->gate->decision;
    str subject = explain_subject(e);
    e->out->unit = "risks";
    for (size_t i = 0; i < e->gate->risks.risks.count; i++) {
        const struct risk *risk = risk_register_at(&e->gate->risks, i);
        if (!risk_counts(risk, decision->time_ms / MS_DAY) ||
            (subject.len && !str_eq(subject, risk->id)))
            continue;
        struct explained_item *item = explain_item(
            e, arena_format(e->arena, STR_FMT ": " STR_FMT, STR_ARG(risk->id), STR_ARG(risk->title))
                   .data);
        item->note = exposure_note(e, risk);
        explain_file(e, item, decision->register_path, decision->register_sha256, risk->at.line);
    }
}

// The finding's own places. Of documents that judge with the policy the digest is known too.
void explain_exceptions(struct explaining *e)
{
    const struct finding *finding = e->finding;
    e->out->unit = "places";
    for (size_t i = 0; i < finding->where_count; i++) {
        const struct place *place = &finding->where[i];
        if (!*place->path)
            continue;
        const struct companion *companion = companion_at(e, place->path);
        struct explained_item *item = explain_item(e, place->path);
        if (companion)
            explain_file(e, item, companion->path, companion->sha256, place->line);
        else if (strcmp(place->path, e->gate->decision.policy_path) == 0)
            explain_file(e, item, place->path, "", place->line);
        else
            item->where = *place;
    }
}

static void add_report(struct explaining *e, size_t number)
{
    const struct report *report = &e->gate->evidence.reports[number];
    struct explained_item *item = explain_item(e, report_shown(e->arena, report));
    struct text note = text_of(4096);
    if (report->error.kind != ERROR_NONE)
        text_adds(&note, report->error.message);
    for (size_t i = 0; i < report->suspicion_count; i++)
        text_addf(&note, "%s%s", note.len ? "; " : "", report->suspicions[i]);
    if (report->scanner_failed)
        text_addf(&note, "%sthe scanner failed: %s", note.len ? "; " : "", report->scanner_failed);
    item->note = note.len ? arena_copy(e->arena, text_str(&note)) : NULL;
    text_done(&note);
    explain_source(e, item, (uint32_t)number, 0, report->size_bytes);
}

// The reports that the id names; else all of its kind ("evidence.tests.at_least").
void explain_reports(struct explaining *e)
{
    const struct evidence *evidence = &e->gate->evidence;
    str rest = str_of(e->finding->id), family = str_cut(&rest, '.'), kind = str_cut(&rest, '.');
    e->out->unit = "reports";
    for (size_t i = 0; i < evidence->report_count; i++)
        if (strstr(e->finding->id, report_shown(e->arena, &evidence->reports[i])))
            add_report(e, i);
    for (size_t i = 0; e->out->count == 0 && i < evidence->report_count; i++)
        if (str_is(family, "evidence") &&
            str_is(kind, evidence_kind_name(evidence->reports[i].kind)))
            for (size_t k = i; k < evidence->report_count; k++)
                if (evidence->reports[k].kind == evidence->reports[i].kind)
                    add_report(e, k);
}
