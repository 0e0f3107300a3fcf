#include "gate/rules/score.h"

#include "gate/base/glob.h"
#include "gate/base/moment.h"
#include "gate/risk/risk_paths.h"
#include "gate/rules/scope.h"

#include <stdlib.h>

#define COMMITS_FULL 20u
#define MIGRATIONS_FULL 2u
#define HOTSPOTS_FULL 2u
#define HOTSPOT_COMMITS 10u
#define CLASS_MEDIUM 30 // points from which on, unless the policy says
#define CLASS_HIGH 60

const char *score_class_name(enum score_class class)
{
    static const char *const names[] = {"low", "medium", "high"};
    return names[class];
}

// ---- touched risks -----------------------------------------------------------------------------

struct file_list {
    str *items;
    size_t count, room;
};

struct touching {
    struct arena *arena;
    const struct rule_input *in;
    int64_t today_days;
    str path;                // of the changed file at hand
    uint32_t *place;         // for each risk of the register: place in `numbers` + 1
    uint32_t *numbers;       // of the touched risks
    struct file_list *lists; // of each
    size_t count, number_room, list_room;
};

static void on_touch(void *context, uint32_t number)
{
    struct touching *t = context;
    if (!risk_counts(risk_register_at(t->in->risks, number), t->today_days))
        return;
    if (t->place[number] == 0) {
        t->numbers =
            arena_grow(t->arena, t->numbers, t->count, &t->number_room, sizeof *t->numbers);
        t->lists = arena_grow(t->arena, t->lists, t->count, &t->list_room, sizeof *t->lists);
        t->lists[t->count] = (struct file_list){0};
        t->numbers[t->count++] = number;
        t->place[number] = (uint32_t)t->count;
    }
    struct file_list *list = &t->lists[t->place[number] - 1];
    if (list->count && str_eq(list->items[list->count - 1], t->path))
        return; // by another of its patterns
    list->items = arena_grow(t->arena, list->items, list->count, &list->room, sizeof *list->items);
    list->items[list->count++] = t->path;
}

static int by_exposure(const void *left, const void *right)
{
    const struct touched_risk *a = left, *b = right;
    uint64_t one = risk_exposure(a->risk), other = risk_exposure(b->risk);
    if (one != other)
        return one < other ? 1 : -1;
    return (a->risk > b->risk) - (a->risk < b->risk);
}

size_t risks_touched(struct arena *arena, const struct rule_input *input, int64_t today_days,
                     struct touched_risk **ret)
{
    struct touching t = {.arena = arena, .in = input, .today_days = today_days};
    struct risk_paths paths;
    *ret = NULL;
    if (!input->risks || input->changed_count == 0)
        return 0;
    risk_paths_make(arena, input->risks, &paths);
    t.place = ARENA_ARRAY(arena, uint32_t, input->risks->risks.count + 1);
    for (size_t i = 0; i < input->changed_count; i++) {
        t.path = input->changed[i].path;
        risk_paths_each(&paths, t.path, on_touch, &t);
    }
    struct touched_risk *items = ARENA_ARRAY(arena, struct touched_risk, t.count + 1);
    for (size_t i = 0; i < t.count; i++)
        items[i] = (struct touched_risk){
            .risk = risk_register_at(input->risks, t.numbers[i]),
            .files = t.lists[i].items,
            .file_count = t.lists[i].count,
        };
    if (t.count)
        qsort(items, t.count, sizeof *items, by_exposure);
    *ret = items;
    return t.count;
}

// ---- the addends -------------------------------------------------------------------------------

struct scoring {
    struct arena *arena;
    const struct score_input *input;
    const struct rule_input *in;
    struct rule_context context;
    struct risk_score *score;
};

static void measure(struct score_addend *addend, uint64_t value, uint64_t full)
{
    addend->value = value;
    addend->full = full;
    if (value >= full)
        addend->points = value ? addend->most : 0;
    else
        addend->points = (unsigned)((value * addend->most + full - 1) / full);
}

static void add_evidence(struct scoring *s, struct score_addend *addend, str path, const char *says)
{
    addend->evidence = arena_grow(s->arena, addend->evidence, addend->count, &addend->room,
                                  sizeof *addend->evidence);
    addend->evidence[addend->count++] = (struct score_evidence){path, says};
}

static void unknown(struct score_addend *addend, const char *why)
{
    addend->known = false;
    addend->points = addend->most;
    addend->says = why;
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

#define SAY(s, ...) (arena_format((s)->arena, __VA_ARGS__).data)

static void score_risks(struct scoring *s, struct score_addend *addend)
{
    uint64_t exposure = 0;
    if (!s->in->risks) {
        unknown(addend, "there is no risk register");
        return;
    }
    for (size_t i = 0; i < s->score->touched_count; i++) {
        const struct touched_risk *touched = &s->score->touched[i];
        exposure += risk_exposure(touched->risk);
        add_evidence(s, addend, touched->files[0],
                     SAY(s, STR_FMT " " STR_FMT ", exposure %llu, %zu file%s",
                         STR_ARG(touched->risk->id), STR_ARG(touched->risk->title),
                         (unsigned long long)risk_exposure(touched->risk), touched->file_count,
                         plural(touched->file_count)));
    }
    measure(addend, exposure, risk_exposure_most(s->in->risks));
    addend->says =
        SAY(s, "%zu open risk%s touched, exposure %llu together", s->score->touched_count,
            plural(s->score->touched_count), (unsigned long long)exposure);
}

// The largest exposure that a file stands under, for each changed file.
static uint64_t *exposures(struct scoring *s)
{
    const struct rule_input *in = s->in;
    uint64_t *largest = ARENA_ARRAY(s->arena, uint64_t, in->changed_count + 1);
    for (size_t i = 0; i < s->score->touched_count; i++) {
        const struct touched_risk *touched = &s->score->touched[i];
        uint64_t exposure = risk_exposure(touched->risk);
        size_t at = 0; // both lists are by path
        for (size_t k = 0; k < touched->file_count; k++) {
            while (!str_eq(in->changed[at].path, touched->files[k]))
                at++;
            if (exposure > largest[at])
                largest[at] = exposure;
        }
    }
    return largest;
}

struct line_count {
    uint64_t uncovered, total;
};

static struct line_count count_lines(const struct changed_file *file,
                                     const struct covered_file *covered)
{
    struct line_count count = {0};
    for (size_t i = 0; i < file->range_count; i++) {
        for (uint32_t line = file->ranges[i].from; line <= file->ranges[i].to; line++) {
            if (covered && !line_known(covered, line))
                continue;
            count.total++;
            count.uncovered += !covered || !line_hit(covered, line);
        }
    }
    return count;
}

static void score_uncovered(struct scoring *s, struct score_addend *addend)
{
    const struct rule_input *in = s->in;
    struct line_count weighed = {0}, plain = {0};
    if (!in->evidence->has[EVIDENCE_COVERAGE]) {
        unknown(addend, "no coverage report was read: every changed line may be uncovered");
        return;
    }
    const uint64_t *exposure = exposures(s);
    const uint64_t unit = in->risks ? in->risks->matrix->most : 1;
    for (size_t i = 0; i < in->changed_count; i++) {
        const struct covered_file *covered;
        if (!scope_changed(&s->context, CRITICAL_NONE, &in->changed[i], &covered))
            continue;
        struct line_count count = count_lines(&in->changed[i], covered);
        uint64_t weight = unit + exposure[i];
        plain.total += count.total;
        plain.uncovered += count.uncovered;
        weighed.total += count.total * weight;
        weighed.uncovered += count.uncovered * weight;
        if (count.uncovered)
            add_evidence(s, addend, in->changed[i].path,
                         SAY(s, "%llu of %llu changed lines uncovered%s",
                             (unsigned long long)count.uncovered, (unsigned long long)count.total,
                             exposure[i] ? ", under a risk" : ""));
    }
    measure(addend, weighed.uncovered, weighed.total);
    addend->says = SAY(s, "%llu of %llu changed lines that can be covered are not%s",
                       (unsigned long long)plain.uncovered, (unsigned long long)plain.total,
                       s->score->touched_count ? "; lines under risks weigh more" : "");
}

struct score_size score_size_of(const struct rule_input *in)
{
    struct score_size size = {0};
    for (size_t i = 0; i < in->changed_count; i++) {
        const struct changed_file *file = &in->changed[i];
        if (file->generated)
            continue;
        size.files++;
        for (size_t k = 0; k < file->range_count; k++)
            size.lines += (uint64_t)file->ranges[k].to - file->ranges[k].from + 1;
    }
    return size;
}

static void score_size(struct scoring *s, struct score_addend *addend)
{
    struct score_size size = s->input->size ? *s->input->size : score_size_of(s->in);
    if (size.unknown) {
        unknown(addend, size.unknown);
        return;
    }
    measure(addend, size.lines, SCORE_LINES_FULL);
    addend->says =
        SAY(s, "%s%llu line%s changed in %zu file%s", size.at_least ? "at least " : "",
            (unsigned long long)size.lines, plural(size.lines), size.files, plural(size.files));
}

static uint32_t commits_of(const struct score_input *input, str path)
{
    size_t low = 0, high = input->churn_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(input->churn[middle].path, path);
        if (order == 0)
            return input->churn[middle].commits;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

static void score_churn(struct scoring *s, struct score_addend *addend)
{
    uint32_t most = 0;
    str path = {NULL, 0};
    if (s->input->churn_unknown) {
        unknown(addend, s->input->churn_unknown);
        return;
    }
    for (size_t i = 0; i < s->in->changed_count; i++) {
        uint32_t commits = commits_of(s->input, s->in->changed[i].path);
        if (s->in->changed[i].generated || commits <= most)
            continue;
        most = commits;
        path = s->in->changed[i].path;
    }
    if (path.len)
        add_evidence(s, addend, path,
                     SAY(s, "%u commit%s in %u days", most, plural(most), s->input->window_days));
    measure(addend, most, COMMITS_FULL);
    addend->says = SAY(s, "the most-changed file had %u commit%s in %u days", most, plural(most),
                       s->input->window_days);
}

// Where the usual tools keep changes of a database.
static bool is_migration(str path)
{
    static const char *const patterns[] = {
        "**/migrations/**", "**/migrate/**",   "**/*.sql",           "**/alembic/**",
        "**/flyway/**",     "**/liquibase/**", "**/db/changelog/**", NULL};
    for (size_t i = 0; patterns[i]; i++)
        if (glob_match(str_of(patterns[i]), path))
            return true;
    return false;
}

static void score_migrations(struct scoring *s, struct score_addend *addend)
{
    for (size_t i = 0; i < s->in->changed_count; i++)
        if (is_migration(s->in->changed[i].path))
            add_evidence(s, addend, s->in->changed[i].path, "migrates a database");
    measure(addend, addend->count, MIGRATIONS_FULL);
    addend->says = SAY(s, "%zu changed file%s migrate%s a database", addend->count,
                       plural(addend->count), addend->count == 1 ? "s" : "");
}

static void score_hotspots(struct scoring *s, struct score_addend *addend)
{
    if (s->input->churn_unknown || !s->in->evidence->has[EVIDENCE_COVERAGE]) {
        unknown(addend,
                s->input->churn_unknown ? s->input->churn_unknown : "no coverage report was read");
        return;
    }
    for (size_t i = 0; i < s->in->changed_count; i++) {
        str path = s->in->changed[i].path;
        uint32_t commits = commits_of(s->input, path);
        const struct covered_file *covered = scope_find(&s->context, path);
        struct coverage_totals totals = {0};
        if (!covered || commits < HOTSPOT_COMMITS)
            continue;
        covered_file_totals(covered, &totals);
        if (totals.lines_covered * 2 < totals.lines_total)
            add_evidence(s, addend, path,
                         SAY(s, "%u commits, %llu of %llu lines covered", commits,
                             (unsigned long long)totals.lines_covered,
                             (unsigned long long)totals.lines_total));
    }
    measure(addend, addend->count, HOTSPOTS_FULL);
    addend->says = SAY(s, "%zu changed file%s often changed and hardly covered", addend->count,
                       addend->count == 1 ? " is" : "s are");
}

static enum score_class class_of(const struct rule_input *in, unsigned points)
{
    const struct risk_limits *limits = in->demands->risk;
    const struct score_classes *classes = limits ? limits->classes : NULL;
    if (points >= (classes ? (uint64_t)classes->high : CLASS_HIGH))
        return SCORE_HIGH;
    return points >= (classes ? (uint64_t)classes->medium : CLASS_MEDIUM) ? SCORE_MEDIUM
                                                                          : SCORE_LOW;
}

void risk_score_make(struct arena *arena, const struct score_input *input, struct risk_score *ret)
{
    static const struct {
        const char *name;
        unsigned most;
        void (*score)(struct scoring *s, struct score_addend *addend);
    } parts[SCORE_ADDENDS] = {
        [SCORE_RISKS] = {"risks", 35, score_risks},
        [SCORE_UNCOVERED] = {"uncovered", 25, score_uncovered},
        [SCORE_SIZE] = {"size", 15, score_size},
        [SCORE_CHURN] = {"churn", 10, score_churn},
        [SCORE_MIGRATIONS] = {"migrations", 10, score_migrations},
        [SCORE_HOTSPOTS] = {"hotspots", 5, score_hotspots},
    };
    const struct rule_input *in = input->rules;
    struct risk_score score = {0};
    int64_t today = in->now_ms / MS_DAY - (in->now_ms % MS_DAY < 0);
    struct scoring s = {
        .arena = arena,
        .input = input,
        .in = in,
        .context = {.in = in, .scope = scope_make(arena, in), .today_days = today},
        .score = &score,
    };
    score.touched_count = risks_touched(arena, in, today, &score.touched);
    for (int i = 0; i < SCORE_ADDENDS; i++) {
        struct score_addend *addend = &score.addends[i];
        *addend =
            (struct score_addend){.name = parts[i].name, .most = parts[i].most, .known = true};
        if (in->changed_unknown)
            unknown(addend, in->changed_unknown);
        else
            parts[i].score(&s, addend);
        score.points += addend->points;
    }
    score.class = class_of(in, score.points);
    *ret = score;
}
