// Upgrades traced back: the ladder from the version before to the one after, with the dates of each
// series; of a series that ends, those that come after it.
#include "gate/base/moment.h"
#include "gate/explain_parts.h"
#include "gate/rules/upgrade_steps.h"

static str day_text(struct explaining *e, const char *before, int64_t days)
{
    char day[DATE_TEXT];
    return days ? arena_format(e->arena, "%s%s", before, date_format(days, day)) : STR("");
}

static const char *series_note(struct explaining *e, const struct lifecycle_series *series)
{
    const struct lifecycle_need *needs = series->needs.items;
    str note = arena_format(e->arena, "%s" STR_FMT STR_FMT STR_FMT,
                            series->lts ? ", long-term support" : "",
                            STR_ARG(day_text(e, ", released ", series->released)),
                            STR_ARG(day_text(e, ", active support until ", series->active_until)),
                            STR_ARG(day_text(e, ", end of life ", series->end_of_life)));
    for (size_t i = 0; i < series->needs.count; i++)
        note = arena_format(e->arena, STR_FMT ", needs " STR_FMT " " STR_FMT "%s" STR_FMT,
                            STR_ARG(note), STR_ARG(needs[i].product), STR_ARG(needs[i].from),
                            needs[i].to.len ? " to " : " or later", STR_ARG(needs[i].to));
    return note.len ? str_from(note, 2).data : "no dates are known";
}

static void add_series(struct explaining *e, const struct lifecycle *table,
                       const struct lifecycle_series *series)
{
    const char *name =
        arena_format(e->arena, STR_FMT " " STR_FMT, STR_ARG(table->title), STR_ARG(series->name))
            .data;
    explain_item(e, name)->note = series_note(e, series);
}

static void add_locked(struct explaining *e, const struct locked *one, const char *what)
{
    if (!one)
        return;
    struct explained_item *item =
        explain_item(e, arena_format(e->arena, STR_FMT " " STR_FMT, STR_ARG(one->name),
                                     STR_ARG(one->version.len ? one->version : one->written))
                            .data);
    item->note = what;
    explain_file(e, item, one->path, "", one->line);
}

static bool find_subject(struct explaining *e, struct upgrade_subject *ret)
{
    struct upgrade_subject *subjects;
    str product = explain_subject(e);
    product = str_first(product, str_find(product, ' ')); // "python 3.8"
    size_t count = upgrade_subjects(e->arena, e->context.in, &subjects);
    for (size_t i = 0; i < count; i++)
        if (str_eq(subjects[i].product, product)) {
            *ret = subjects[i];
            return true;
        }
    return false;
}

// The series that the advice speaks of are those that are shown here.
static void shorten_way(struct explaining *e)
{
    str advice = str_of(e->finding->advice);
    size_t command = str_search(advice, STR(": `sluice explain"));
    if (command != STR_NONE && e->finding->judged > VERDICT_PASS && !e->finding->waived_by)
        e->out->way = arena_format(e->arena, STR_FMT ".", STR_ARG(str_first(advice, command))).data;
}

static void explain_step(struct explaining *e, const struct upgrade_subject *subject)
{
    struct upgrade_step step = upgrade_step_of(e->arena, e->context.in, subject);
    e->out->unit = "versions";
    add_locked(e, step.before, "before");
    for (size_t i = 0; i < step.rung_count; i++)
        add_series(e, subject->table, step.rungs[i]);
    add_locked(e, step.after, "after");
}

static void explain_end(struct explaining *e, const struct upgrade_subject *subject)
{
    const struct lifecycle_series *series = subject->table ? subject->table->series.items : NULL;
    str name = explain_subject(e);
    size_t space = str_find(name, ' ');
    bool after = false;
    name = space == STR_NONE ? (str){0} : str_from(name, space + 1);
    e->out->unit = "series";
    for (size_t i = 0; subject->table && i < subject->table->series.count; i++) {
        after |= str_eq(series[i].name, name);
        if (after)
            add_series(e, subject->table, &series[i]);
    }
}

void explain_upgrades(struct explaining *e)
{
    static const struct {
        const char *prefix;
        void (*explain)(struct explaining *e, const struct upgrade_subject *subject);
    } rows[] = {{"upgrades.step[", explain_step},
                {"upgrades.downgrade[", explain_step},
                {"upgrades.end_of_life[", explain_end},
                {"upgrades.ending_soon[", explain_end}};
    struct upgrade_subject subject;
    shorten_way(e);
    bool found = e->context.in->dependencies && find_subject(e, &subject);
    for (size_t i = 0; found && i < sizeof rows / sizeof *rows; i++)
        if (strncmp(e->finding->id, rows[i].prefix, strlen(rows[i].prefix)) == 0)
            rows[i].explain(e, &subject);
    if (e->out->count == 0)
        explain_exceptions(e); // a conflict: where its two sides stand
}
