// Coverage traced back: the files with the most uncovered lines first, and the fewest files and
// lines that would do. Taking the files with the most to give needs the fewest of them; in each the
// longest uncovered runs come first, because one test often covers one run.
#include "gate/explain_parts.h"
#include "gate/rules/figure.h"
#include "gate/rules/scope.h"

#include <stdlib.h>

__extension__ typedef __int128 wide;

#define RUNS 12u // uncovered runs that are listed of one file

struct subject {
    bool branches, changed;
    size_t critical;         // CRITICAL_NONE = all
    const struct risk *risk; // null = not a risk's
};

struct run { // uncovered lines with nothing covered between them
    struct line_range lines;
    uint64_t count; // of the unit
};

struct runs {
    struct run *items;
    size_t count, room;
};

// ---- which files the finding is about ----------------------------------------------------------
static bool is_id(const struct explaining *e, const char *rule, str name, const char *what)
{
    str id = arena_format(e->arena, "%s[" STR_FMT "].%s", rule, STR_ARG(name), what);
    return str_is(id, e->finding->id);
}

static bool find_subject(const struct explaining *e, struct subject *ret)
{
    static const char *const whats[] = {"lines", "branches", "changed"};
    const struct rule_input *in = e->context.in;
    const struct coverage_demands *demands = in->demands->coverage;
    const struct critical_path *paths = demands ? demands->critical.items : NULL;
    const char *id = e->finding->id;
    *ret = (struct subject){.critical = CRITICAL_NONE};
    ret->changed = strcmp(id, "coverage.changed") == 0;
    if (ret->changed || strcmp(id, "coverage.total") == 0 || strcmp(id, "coverage.drop") == 0)
        return true;
    for (size_t i = 0; paths && i < demands->critical.count; i++)
        for (size_t k = 0; k < 3; k++)
            if (is_id(e, "coverage.critical", paths[i].pattern, whats[k])) {
                *ret = (struct subject){k == 1, k == 2, i, NULL};
                return true;
            }
    for (size_t i = 0; in->risks && i < in->risks->risks.count; i++)
        for (size_t k = 0; k < 2; k++) {
            const struct risk *risk = risk_register_at(in->risks, i);
            if (is_id(e, "risk.coverage", risk->id, whats[k])) {
                *ret = (struct subject){k == 1, false, CRITICAL_NONE, risk};
                return true;
            }
        }
    return false;
}

// ---- counting ----------------------------------------------------------------------------------
static void take_files(struct explaining *e, const struct subject *subject)
{
    const struct coverage *coverage = &e->gate->evidence.coverage;
    const struct coverage_scope *scope = &e->context.scope;
    for (size_t i = 0; i < coverage->count; i++) {
        const struct covered_file *file = &coverage->files[i];
        struct coverage_totals totals = {0};
        if (scope->ignored[i] ||
            (subject->critical != CRITICAL_NONE && scope->critical[i] != subject->critical) ||
            (subject->risk && !risk_covers(subject->risk, scope_path(file))))
            continue;
        covered_file_totals(file, &totals);
        struct explained_item *item = explain_item(e, arena_copy(e->arena, scope_path(file)));
        item->covered = subject->branches ? totals.branches_covered : totals.lines_covered;
        item->total = subject->branches ? totals.branches_total : totals.lines_total;
        item->file = file;
    }
}

// Lines that count: all changed ones of a file that no report knows.
static bool line_counts(const struct explained_item *item, uint32_t line, bool *ret_hit)
{
    *ret_hit = item->file && line_hit(item->file, line);
    return !item->file || line_known(item->file, line);
}

static void take_changed(struct explaining *e, const struct subject *subject)
{
    const struct rule_input *in = e->context.in;
    for (size_t i = 0; i < in->changed_count; i++) {
        const struct changed_file *file = &in->changed[i];
        const struct covered_file *covered;
        struct explained_item counted = {.changed = file};
        if (!scope_changed(&e->context, subject->critical, file, &covered))
            continue;
        counted.file = covered;
        for (size_t k = 0; k < file->range_count; k++)
            for (uint32_t line = file->ranges[k].from; line <= file->ranges[k].to; line++) {
                bool hit;
                bool counts = line_counts(&counted, line, &hit);
                counted.total += counts;
                counted.covered += counts && hit;
            }
        if (counted.total == 0)
            continue;
        counted.name = arena_copy(e->arena, file->path);
        counted.note = covered ? NULL : "no report knows this file, so all of it is uncovered";
        *explain_item(e, counted.name) = counted;
    }
}

// ---- runs --------------------------------------------------------------------------------------
static void add_run(struct explaining *e, struct runs *runs, const struct run *run)
{
    if (run->count == 0)
        return;
    runs->items = arena_grow(e->arena, runs->items, runs->count, &runs->room, sizeof *runs->items);
    runs->items[runs->count++] = *run;
}

// Lines without code do not end a run.
static void runs_between(struct explaining *e, const struct explained_item *item,
                         struct line_range range, struct runs *runs)
{
    struct run run = {0};
    for (uint32_t line = range.from; line <= range.to; line++) {
        bool hit;
        if (!line_counts(item, line, &hit))
            continue;
        if (hit) {
            add_run(e, runs, &run);
            run = (struct run){0};
            continue;
        }
        run.lines.from = run.count ? run.lines.from : line;
        run.lines.to = line;
        run.count++;
    }
    add_run(e, runs, &run);
}

static struct runs runs_of_item(struct explaining *e, const struct explained_item *item,
                                bool branches)
{
    struct runs runs = {0};
    const struct covered_file *file = item->file;
    if (branches) {
        struct branch_walk walk = branch_walk_of(&file->branches);
        for (struct branch_count one; branch_next(&walk, &one);)
            if (one.covered < one.total)
                add_run(e, &runs,
                        &(struct run){{one.line, one.line}, (uint64_t)one.total - one.covered});
    } else if (item->changed) {
        for (size_t i = 0; i < item->changed->range_count; i++)
            runs_between(e, item, item->changed->ranges[i], &runs);
    } else {
        runs_between(e, item, (struct line_range){1, file->last_line}, &runs);
    }
    return runs;
}

static int longest_first(const void *a, const void *b)
{
    const struct run *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return (x->lines.from > y->lines.from) - (x->lines.from < y->lines.from);
}

static int by_line(const void *a, const void *b)
{
    const struct line_range *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

// The first `count` uncovered lines of a run that is longer than that.
static struct line_range first_of(const struct explained_item *item, struct line_range lines,
                                  uint64_t count)
{
    uint32_t last = lines.from;
    for (uint32_t line = lines.from; line <= lines.to && count; line++) {
        bool hit;
        if (line_counts(item, line, &hit)) {
            last = line;
            count--;
        }
    }
    return (struct line_range){lines.from, last};
}

static void pick(struct explaining *e, struct explained_item *item, struct runs *runs,
                 bool branches)
{
    uint64_t left = item->take;
    item->pick = ARENA_ARRAY(e->arena, struct line_range, runs->count + 1);
    qsort(runs->items, runs->count, sizeof *runs->items, longest_first);
    for (size_t i = 0; i < runs->count && left; i++) {
        const struct run *run = &runs->items[i];
        uint64_t some = run->count < left ? run->count : left;
        item->pick[item->pick_count++] =
            branches || some == run->count ? run->lines : first_of(item, run->lines, some);
        left -= some;
    }
    if (item->pick_count)
        qsort(item->pick, item->pick_count, sizeof *item->pick, by_line);
}

static void list_runs(struct explaining *e, struct explained_item *item, bool branches)
{
    struct runs runs = runs_of_item(e, item, branches);
    size_t shown = runs.count < RUNS ? runs.count : RUNS;
    item->uncovered = ARENA_ARRAY(e->arena, struct line_range, shown + 1);
    for (size_t i = 0; i < shown; i++)
        item->uncovered[i] = runs.items[i].lines;
    item->uncovered_count = shown;
    item->uncovered_more = runs.count > shown;
    if (item->take && runs.count)
        pick(e, item, &runs, branches);
}

// ---- how many are needed -----------------------------------------------------------------------
// As rule coverage.drop has it: now/total >= before/before_total - drop.
static uint64_t needed_for_drop(const struct rule_input *in, uint64_t total)
{
    const struct baseline *before = in->history ? in->history->baseline : NULL;
    if (!before || !before->has_coverage || !before->lines_total || !in->demands->coverage)
        return 0;
    struct fraction drop = in->demands->coverage->max_drop;
    wide below = (wide)before->lines_total * drop.den;
    wide floor = ((wide)before->lines_covered * drop.den - (wide)drop.num * before->lines_total) *
                 (wide)total;
    return floor <= 0 || below <= 0 ? 0 : (uint64_t)((floor + below - 1) / below);
}

static uint64_t count_needed(const struct explaining *e, const struct subject *subject)
{
    struct share share = {0, 0};
    struct fraction limit;
    uint64_t needed = 0;
    str have = str_of(e->finding->have);
    if (e->finding->judged == VERDICT_PASS || !number_u64(str_cut(&have, '/'), &share.covered) ||
        !number_u64(have, &share.total))
        return 0;
    if (number_percent(str_of(e->finding->want), &limit) && limit.den)
        needed = share_needed(share.total, limit);
    else
        needed = needed_for_drop(e->context.in, share.total);
    if (subject->changed && share.total < FEW_CHANGED_LINES && needed >= share.total)
        needed = share.total - (share.total > 0);
    return needed > share.covered ? needed - share.covered : 0;
}

static int by_missing(const void *a, const void *b)
{
    const struct explained_item *x = a, *y = b;
    uint64_t left = x->total - x->covered, right = y->total - y->covered;
    if (left != right)
        return left > right ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void plan(struct explanation *out)
{
    uint64_t left = out->needed;
    for (size_t i = 0; i < out->count && left; i++) {
        uint64_t gives = out->items[i].total - out->items[i].covered;
        out->items[i].take = gives < left ? gives : left;
        left -= out->items[i].take;
        out->enough = i + 1;
    }
}

// ---- words -------------------------------------------------------------------------------------
static void add_lines(const struct explained_item *item, struct text *text)
{
    for (size_t i = 0; i < item->pick_count && i < 3; i++) {
        bool one = item->pick_count == 1 && item->pick[i].to == item->pick[i].from;
        text_addf(text, "%s%u", i ? ", " : one ? " line " : " lines ", item->pick[i].from);
        if (item->pick[i].to > item->pick[i].from)
            text_addf(text, "-%u", item->pick[i].to);
    }
    if (item->pick_count > 3)
        text_adds(text, ", …");
}

static void add_way(struct explaining *e)
{
    struct explanation *out = e->out;
    struct text text = text_of(4096);
    size_t shown = out->enough < 3 ? out->enough : 3;
    text_addf(&text, "cover %llu more %s%s", (unsigned long long)out->needed,
              out->needed > 1                      ? out->unit
              : strcmp(out->unit, "lines") == 0    ? "line"
              : strcmp(out->unit, "branches") == 0 ? "branch"
                                                   : "changed line",
              shown ? ": " : "");
    for (size_t i = 0; i < shown; i++) {
        const struct explained_item *item = &out->items[i];
        if (out->enough > 1)
            text_addf(&text, "%s%llu in ", i ? "; " : "", (unsigned long long)item->take);
        text_addf(&text, "%s", item->name);
        add_lines(item, &text);
    }
    if (out->enough > shown)
        text_addf(&text, "; and in %zu more files", out->enough - shown);
    out->way = arena_copy(e->arena, text_str(&text));
    text_done(&text);
}

bool explain_coverage(struct explaining *e)
{
    struct explanation *out = e->out;
    struct subject subject;
    if (!find_subject(e, &subject))
        return false;
    out->unit = subject.branches ? "branches" : subject.changed ? "changed lines" : "lines";
    if (subject.changed)
        take_changed(e, &subject);
    else
        take_files(e, &subject);
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, by_missing);
    out->needed = count_needed(e, &subject);
    plan(out);
    size_t shown = out->count < e->most ? out->count : e->most;
    if (shown < out->enough && out->enough <= 3)
        shown = out->enough;
    for (size_t i = 0; i < shown; i++) {
        struct explained_item *item = &out->items[i];
        list_runs(e, item, subject.branches);
        for (size_t k = 0; item->file && k < item->file->range_count; k++) {
            const struct byte_range *range = covered_range(item->file, k);
            explain_source(e, item, range->report, range->from, byte_range_end(range));
        }
    }
    if (out->needed)
        add_way(e);
    return true;
}
