#include "gate/reports/opencover_module.h"

#include "gate/base/limits.h"
#include "gate/base/number.h"
#include "gate/base/text.h"
#include "gate/doc/xml.h"

#include <stdio.h>
#include <stdlib.h>

struct opencover_file {
    uint64_t uid;
    str path;
};

struct opencover_place {
    uint64_t offset, file;
    uint32_t line;
};

bool opencover_files_add(struct opencover_files *files, uint64_t uid, str path, struct error *err)
{
    if (files->count >= LIMIT_SOURCE_FILES)
        return error_set(err, ERROR_LIMIT, "a <Module> names more than %u source files",
                         LIMIT_SOURCE_FILES);
    files->sorted =
        files->count == 0 || (files->sorted && files->items[files->count - 1].uid < uid);
    files->items =
        arena_grow(&files->arena, files->items, files->count, &files->room, sizeof *files->items);
    files->items[files->count++] = (struct opencover_file){uid, arena_str(&files->arena, path)};
    return true;
}

static int by_uid(const void *a, const void *b)
{
    const struct opencover_file *x = a, *y = b;
    if (x->uid != y->uid)
        return x->uid < y->uid ? -1 : 1;
    return str_cmp(x->path, y->path);
}

str opencover_files_find(struct opencover_files *files, uint64_t uid)
{
    size_t low = 0, high = files->count;
    if (!files->sorted && files->count)
        qsort(files->items, files->count, sizeof *files->items, by_uid);
    files->sorted = true;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (files->items[middle].uid < uid)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < files->count && files->items[low].uid == uid;
    return found ? files->items[low].path : (str){NULL, 0};
}

void opencover_files_clear(struct opencover_files *files)
{
    arena_done(&files->arena);
    *files = (struct opencover_files){0};
}

void opencover_method_init(struct opencover_method *method)
{
    *method = (struct opencover_method){.name = text_of(LIMIT_PATH)};
}

void opencover_method_clear(struct opencover_method *method)
{
    text_clear(&method->name);
    method->name_len = method->place_count = 0;
    method->file = method->arms = 0;
}

void opencover_method_done(struct opencover_method *method)
{
    text_done(&method->name);
    arena_done(&method->arena);
}

void opencover_method_name(struct opencover_method *method, str piece)
{
    text_add(&method->name, piece); // what does not fit any more makes no difference
    method->name_len = method->name.len;
}

void opencover_method_point(struct opencover_method *method, uint64_t offset, uint32_t line,
                            uint64_t file)
{
    method->places = arena_grow(&method->arena, method->places, method->place_count,
                                &method->place_room, sizeof *method->places);
    method->places[method->place_count++] = (struct opencover_place){offset, file, line};
}

bool opencover_method_place(const struct opencover_method *method, uint64_t offset, uint64_t *line,
                            uint64_t *file)
{
    const struct opencover_place *best = NULL;
    for (size_t i = 0; i < method->place_count; i++) {
        const struct opencover_place *place = &method->places[i];
        if (place->offset <= offset && (!best || place->offset >= best->offset))
            best = place;
    }
    if (!best)
        return false;
    *line = best->line;
    *file = best->file;
    return true;
}

str opencover_method_arm(struct opencover_method *method, const char *ordinal, const char *path)
{
    struct text *name = &method->name;
    name->len = method->name_len;
    method->arms++;
    if (ordinal || path)
        text_addf(name, "\n%s,%s", ordinal ? ordinal : "", path ? path : "");
    else
        text_addf(name, "\n%llu", (unsigned long long)method->arms);
    return text_str(name);
}

void opencover_scope_init(struct opencover_scope *scope, enum opencover_rank rank, uint32_t at)
{
    *scope = (struct opencover_scope){.rank = rank, .at = at};
}

static const struct {
    const char *total, *visited;
} names[OPENCOVER_SUMS] = {
    [OPENCOVER_POINTS] = {"numSequencePoints", "visitedSequencePoints"},
    [OPENCOVER_BRANCHES] = {"numBranchPoints", "visitedBranchPoints"},
};

void opencover_scope_say(struct opencover_scope *scope, const char **attributes)
{
    for (int i = 0; i < OPENCOVER_SUMS; i++) {
        const char *total = xml_attribute(attributes, names[i].total);
        const char *visited = xml_attribute(attributes, names[i].visited);
        struct opencover_share said;
        if (!total || !visited || !number_u64_saturating(str_of(total), &said.total) ||
            !number_u64_saturating(str_of(visited), &said.visited))
            continue;
        scope->said[i] = said;
        scope->has_said[i] = true;
    }
}

void opencover_scope_point(struct opencover_scope *scope, int sum, bool visited)
{
    scope->held[sum].total++;
    scope->held[sum].visited += visited;
}

static void add(struct opencover_share *sum, struct opencover_share share)
{
    sum->visited += share.visited;
    sum->total += share.total;
}

static bool is_share(struct opencover_share a, struct opencover_share b)
{
    return a.visited == b.visited && a.total == b.total;
}

static void compare(const struct opencover_scope *scope, struct evidence *evidence,
                    struct report *report)
{
    static const char *const ranks[] = {"session", "<Module>", "<Class>", "<Method>"};
    for (int i = 0; i < OPENCOVER_SUMS; i++) {
        struct opencover_share held = scope->held[i], said = scope->said[i], entered = held;
        if (i == OPENCOVER_BRANCHES)
            add(&entered, scope->methods);
        if (!scope->has_said[i] || is_share(said, held) || is_share(said, entered))
            continue;
        char at[40] = "";
        if (scope->at)
            (void)snprintf(at, sizeof at, " at line %u", scope->at);
        report_suspect(
            evidence, report,
            "`%s` of the %s%s says %llu, %llu of them visited, but it holds %llu, %llu of "
            "them visited",
            names[i].total, ranks[scope->rank], at, (unsigned long long)said.total,
            (unsigned long long)said.visited, (unsigned long long)held.total,
            (unsigned long long)held.visited);
    }
}

void opencover_scope_close(struct opencover_scope *scope, struct opencover_scope *outer,
                           struct evidence *evidence, struct report *report)
{
    if (scope->rank == OPENCOVER_METHOD) {
        scope->methods.total = scope->held[OPENCOVER_POINTS].total > 0;
        scope->methods.visited = scope->held[OPENCOVER_POINTS].visited > 0;
    }
    compare(scope, evidence, report);
    if (!outer)
        return;
    for (int i = 0; i < OPENCOVER_SUMS; i++)
        add(&outer->held[i], scope->held[i]);
    add(&outer->methods, scope->methods);
}
