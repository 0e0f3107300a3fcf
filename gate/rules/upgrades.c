// Upgrades: how far a change goes with each product that is locked, and how long what it runs on
// is still supported. A jump over a series is a big bang: it cannot be tested, and not be taken
// back, in parts.
#include "gate/rules/figure.h"
#include "gate/rules/registry.h"
#include "gate/rules/upgrade_steps.h"

#define SOON_DAYS 90

static void place_of(struct findings *out, struct finding *finding, const struct locked *one)
{
    finding_place(out, finding, one->path, one->line, 0);
}

// ---- evidence ----
static void say_problems(const struct rule_context *context, struct findings *out)
{
    const struct dependencies *locks = context->in->dependencies;
    for (size_t i = 0; i < locks->problems.count; i++) {
        const struct lock_problem *problem = &locks->problems.items[i];
        struct finding *finding =
            finding_add(out, "evidence", context->in->on_missing, "evidence.dependencies.%s[%s]",
                        problem->missing ? "missing" : "unreadable", problem->path);
        finding->message = problem->sentence;
        finding->advice = "Correct the file, or `locks` under `evidence: dependencies`.";
        finding_place(out, finding, problem->path, problem->line, 0);
    }
    for (size_t i = 0; i < locks->base_problems.count; i++) {
        const struct lock_problem *problem = &locks->base_problems.items[i];
        struct finding *finding = finding_add(out, "upgrades", context->in->on_missing,
                                              "upgrades.base[%s]", problem->path);
        finding->message = finding_text(
            out, "At the base this lock file cannot be read, so what changed is not known: %s",
            problem->sentence);
    }
    if (locks->head.count == 0 && locks->problems.count == 0) {
        struct finding *finding =
            finding_add(out, "evidence", context->in->on_missing, "evidence.dependencies.missing");
        finding->message =
            finding_text(out, "No lock file was found: looked for %s.", locks->looked_for);
        finding->advice = "Name the lock files under `evidence: dependencies: {locks: […]}`.";
    }
    if (locks->base_unknown) {
        struct finding *finding =
            finding_add(out, "upgrades", context->in->on_missing, "upgrades.base");
        finding->message =
            finding_text(out, "Which versions change is not known: %s.", locks->base_unknown);
    }
}

// ---- steps ----
static void say_not_judged(const struct rule_context *context,
                           const struct upgrade_subject *subject, const struct upgrade_step *step,
                           struct findings *out)
{
    if (!subject->demand)
        return;
    if (step->kind == UPGRADE_ABSENT) {
        struct finding *finding =
            finding_add(out, "evidence", context->in->on_missing,
                        "evidence.dependencies.missing[" STR_FMT "]", STR_ARG(subject->product));
        finding->message = finding_text(
            out, "`upgrades` names " STR_FMT ", and no lock file that was read has it.",
            STR_ARG(subject->product));
        finding->advice = "Name the file that has it under `evidence: dependencies: {locks: […]}`, "
                          "or take it out of `upgrades`.";
        return;
    }
    struct finding *finding =
        finding_add(out, "upgrades", context->in->on_missing, "upgrades.unpinned[" STR_FMT "]",
                    STR_ARG(subject->product));
    finding->have = finding_text(out, STR_FMT, STR_ARG(step->after->written));
    finding->want = "one version";
    finding->message = finding_text(out,
                                    "%s:%u does not say which version of " STR_FMT
                                    " there is%s" STR_FMT "%s: no step can be judged.",
                                    step->after->path, step->after->line, STR_ARG(subject->title),
                                    step->after->written.len ? " (`" : "",
                                    STR_ARG(str_shorten(step->after->written, 80)),
                                    step->after->written.len ? "`)" : "");
    finding->advice = "Pin one version, or name the lock file that does.";
    place_of(out, finding, step->after);
}

static const char *steps_text(struct findings *out, uint32_t count, enum step_unit unit)
{
    if (count == STEP_TOO_FAR)
        return "another major version";
    return finding_text(out, "%u %s", count, step_unit_name(unit));
}

// "2 LTS steps", "another major version".
static const char *steps_words(struct findings *out, uint32_t count, enum step_unit unit)
{
    if (count == STEP_TOO_FAR)
        return "another major version";
    if (unit == STEP_SERIES)
        return finding_text(out, "%u series", count);
    return finding_text(out, "%u %s %s", count, unit == STEP_LTS ? "LTS" : step_unit_name(unit),
                        count == 1 ? "step" : "steps");
}

static const char *rungs_text(struct findings *out, const struct upgrade_step *step)
{
    str text = {0};
    for (size_t i = 0; i + 1 < step->rung_count; i++)
        text = arena_format(out->arena, STR_FMT "%s" STR_FMT, STR_ARG(text), i ? ", " : "",
                            STR_ARG(step->rungs[i]->name));
    return text.len ? arena_copy(out->arena, text) : NULL;
}

static void say_upgrade(const struct rule_context *context, const struct upgrade_subject *subject,
                        const struct upgrade_step *step, struct findings *out)
{
    bool far = step->limited && step->countable && step->count > step->most;
    bool unknown = step->limited && !step->countable;
    enum verdict verdict = far ? VERDICT_BLOCK : unknown ? context->in->on_missing : VERDICT_PASS;
    if (!subject->demand && verdict > VERDICT_WARN)
        verdict = VERDICT_WARN; // nobody demanded anything of it
    struct finding *finding = finding_add(out, "upgrades", verdict, "upgrades.step[" STR_FMT "]",
                                          STR_ARG(subject->product));
    const char *way =
        finding_text(out, STR_FMT " goes from " STR_FMT " to " STR_FMT, STR_ARG(subject->title),
                     STR_ARG(step->before->version), STR_ARG(step->after->version));
    if (step->limited && step->countable)
        finding->have = steps_text(out, step->count, step->unit);
    if (step->limited)
        finding->want = steps_text(out, step->most, step->unit);
    place_of(out, finding, step->after);
    if (unknown) {
        finding->message =
            subject->table
                ? finding_text(out,
                               "%s. The lifecycle table of %s does not have both series, so how "
                               "many steps that is cannot be judged.",
                               way, finding_day(out, subject->table->as_of))
                : finding_text(out,
                               "%s. How many steps of `%s` that is cannot be judged: the versions "
                               "say too little, and there is no lifecycle table of it.",
                               way, step_unit_name(step->unit));
        finding->advice = "Limit it by `major`, `minor` or `patch`, which need no table.";
    } else if (far) {
        const char *rungs = rungs_text(out, step);
        finding->message = finding_text(
            out, "%s, a big bang: %s, and at most %s may be made in one change.", way,
            steps_words(out, step->count, step->unit), steps_words(out, step->most, step->unit));
        finding->advice =
            rungs ? finding_text(out,
                                 "Go by way of %s, with a release for each: `sluice explain "
                                 "'%s'` shows the ladder.",
                                 rungs, finding->id)
                  : "Go in smaller steps, with a release for each.";
    } else {
        finding->message =
            step->limited ? finding_text(out, "%s: %s, and at most %s may be made in one change.",
                                         way, steps_words(out, step->count, step->unit),
                                         steps_words(out, step->most, step->unit))
                          : finding_text(out, "%s.", way);
    }
}

static void judge_step(const struct rule_context *context, const struct upgrade_subject *subject,
                       struct findings *out)
{
    struct upgrade_step step = upgrade_step_of(out->arena, context->in, subject);
    if (step.kind == UPGRADE_ABSENT || step.kind == UPGRADE_UNPINNED) {
        say_not_judged(context, subject, &step, out);
        return;
    }
    if (step.kind == UPGRADE_UP) {
        say_upgrade(context, subject, &step, out);
        upgrade_judge_requirements(context, subject, &step, out);
        return;
    }
    bool down = step.kind == UPGRADE_DOWN;
    if ((!subject->demand && !down) || context->in->dependencies->base_unknown)
        return;
    struct finding *finding =
        finding_add(out, "upgrades", down ? VERDICT_WARN : VERDICT_PASS, "upgrades.%s[" STR_FMT "]",
                    down ? "downgrade" : "step", STR_ARG(subject->product));
    finding->have = finding_text(out, STR_FMT, STR_ARG(step.after->version));
    place_of(out, finding, step.after);
    if (down)
        finding->message = finding_text(out, STR_FMT " goes back from " STR_FMT " to " STR_FMT ".",
                                        STR_ARG(subject->title), STR_ARG(step.before->version),
                                        STR_ARG(step.after->version));
    else
        finding->message = finding_text(out, STR_FMT " %s " STR_FMT ".", STR_ARG(subject->title),
                                        step.kind == UPGRADE_NEW ? "is new here, with" : "stays at",
                                        STR_ARG(step.after->version));
}

// ---- ends of life ----
static bool in_series(const struct locks *locks, const struct upgrade_subject *subject,
                      const struct lifecycle_series *series)
{
    struct version version;
    for (size_t i = 0; i < locks->count; i++)
        if (locks->items[i].pin == PIN_EXACT && upgrade_is(subject, &locks->items[i]) &&
            version_parse(locks->items[i].version, &version) &&
            lifecycle_series(subject->table, &version) == series)
            return true;
    return false;
}

static void place_series(const struct rule_context *context, const struct upgrade_subject *subject,
                         const struct lifecycle_series *series, struct finding *finding,
                         struct findings *out)
{
    const struct locks *head = &context->in->dependencies->head;
    struct version version;
    for (size_t i = 0; i < head->count; i++)
        if (head->items[i].pin == PIN_EXACT && upgrade_is(subject, &head->items[i]) &&
            version_parse(head->items[i].version, &version) &&
            lifecycle_series(subject->table, &version) == series)
            place_of(out, finding, &head->items[i]);
}

static void judge_series(const struct rule_context *context, const struct upgrade_subject *subject,
                         const struct lifecycle_series *series, struct findings *out)
{
    const struct dependencies *locks = context->in->dependencies;
    int64_t left = series->end_of_life - context->today_days;
    if (!series->end_of_life || left > SOON_DAYS || !in_series(&locks->head, subject, series))
        return;
    enum verdict verdict =
        subject->demand ? severity_verdict(subject->demand->end_of_life) : VERDICT_WARN;
    bool ended = left < 0;
    struct finding *finding = finding_add(
        out, "upgrades", ended ? verdict : VERDICT_WARN, "upgrades.%s[" STR_FMT " " STR_FMT "]",
        ended ? "end_of_life" : "ending_soon", STR_ARG(subject->product), STR_ARG(series->name));
    bool was_there = locks->base_unknown || in_series(&locks->base, subject, series);
    finding->scope = was_there ? SCOPE_ENVIRONMENT : SCOPE_YOURS;
    finding->have = finding_text(out, STR_FMT, STR_ARG(series->name));
    finding->want = finding_day(out, series->end_of_life);
    finding->message =
        ended
            ? finding_text(out,
                           STR_FMT " " STR_FMT " has had no support since its end of life on %s: "
                                   "nobody mends its security flaws (" STR_FMT ", as of %s).",
                           STR_ARG(subject->title), STR_ARG(series->name), finding->want,
                           STR_ARG(subject->table->source), finding_day(out, subject->table->as_of))
            : finding_text(
                  out,
                  STR_FMT " " STR_FMT " reaches its end of life on %s, in %lld %s (" STR_FMT
                          ", as of %s).",
                  STR_ARG(subject->title), STR_ARG(series->name), finding->want, (long long)left,
                  left == 1 ? "day" : "days", STR_ARG(subject->table->source),
                  finding_day(out, subject->table->as_of));
    finding->advice = finding_text(out,
                                   "Plan the upgrade: `sluice explain '%s'` shows the series "
                                   "that come after it.",
                                   finding->id);
    place_series(context, subject, series, finding, out);
}

static void say_unknown_series(const struct rule_context *context,
                               const struct upgrade_subject *subject, struct findings *out)
{
    const struct locks *head = &context->in->dependencies->head;
    struct version version;
    for (size_t i = 0; i < head->count; i++) {
        const struct locked *one = &head->items[i];
        if (one->pin != PIN_EXACT || !upgrade_is(subject, one) ||
            !version_parse(one->version, &version) || lifecycle_series(subject->table, &version))
            continue;
        const char *id = finding_text(out, "upgrades.unknown[" STR_FMT " " STR_FMT "]",
                                      STR_ARG(subject->product), STR_ARG(one->version));
        if (finding_find(out, id))
            continue;
        struct finding *finding = finding_add(out, "upgrades", VERDICT_WARN, "%s", id);
        finding->scope = SCOPE_ENVIRONMENT;
        finding->have = finding_text(out, STR_FMT, STR_ARG(one->version));
        finding->message = finding_text(
            out,
            STR_FMT " " STR_FMT " belongs to no series of the lifecycle table of %s: whether "
                    "it is still supported is not known.",
            STR_ARG(subject->title), STR_ARG(one->version),
            finding_day(out, subject->table->as_of));
        place_of(out, finding, one);
    }
}

static void judge(const struct rule_context *context, struct findings *out)
{
    struct upgrade_subject *subjects;
    if (!context->in->dependencies)
        return;
    say_problems(context, out);
    size_t count = upgrade_subjects(out->arena, context->in, &subjects);
    for (size_t i = 0; i < count; i++) {
        const struct lifecycle *table = subjects[i].table;
        const struct lifecycle_series *series = table ? table->series.items : NULL;
        judge_step(context, &subjects[i], out);
        for (size_t k = 0; table && k < table->series.count; k++)
            judge_series(context, &subjects[i], &series[k], out);
        if (table)
            say_unknown_series(context, &subjects[i], out);
    }
    upgrade_judge_conflicts(context, out);
}

const struct rule rule_upgrades = {"upgrades", "Upgrades and ends of life", judge};
