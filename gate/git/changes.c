#include "gate/git/changes.h"

#include "gate/base/glob.h"
#include "gate/base/limits.h"
#include "gate/git/handle.h"
#include "gate/git/moved.h"

#include <git2.h>
#include <stdlib.h>

#define RENAME_LIMIT 2000u // pairs looked at, per side; libgit2's own default is 200
#define LIMIT_CHANGED_LINES (8u << 20)

static void drop_tree(git_tree **tree)
{
    git_tree_free(*tree);
}

static void drop_diff(git_diff **diff)
{
    git_diff_free(*diff);
}

// Collects the lines of a diff before it is known which of them only moved.
struct collector {
    struct arena *arena;
    struct arena scratch;
    const str *paths;
    size_t path_count;
    struct changes changes;
    struct moved_line *added, *removed;
    size_t added_count, added_room, removed_count, removed_room;
    bool wanted; // of the file under way
    bool full;
};

static bool path_wanted(const struct collector *collector, str path)
{
    for (size_t i = 0; i < collector->path_count; i++)
        if (glob_match(collector->paths[i], path))
            return true;
    return collector->path_count == 0;
}

static bool is_file(uint16_t mode)
{
    return mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE;
}

static int on_file(const git_diff_delta *delta, float progress, void *payload)
{
    struct collector *collector = payload;
    (void)progress;
    str path = str_of(delta->new_file.path);
    collector->wanted = delta->status != GIT_DELTA_DELETED && is_file(delta->new_file.mode) &&
                        path_wanted(collector, path);
    if (!collector->wanted)
        return 0;
    struct changes *changes = &collector->changes;
    changes->items = arena_grow(collector->arena, changes->items, changes->count, &changes->room,
                                sizeof *changes->items);
    struct change *change = &changes->items[changes->count++];
    *change = (struct change){.path = arena_str(collector->arena, path)};
    if (delta->status == GIT_DELTA_RENAMED)
        change->old_path = arena_str(collector->arena, str_of(delta->old_file.path));
    return 0;
}

static bool is_blank(str s)
{
    return str_trim(s).len == 0;
}

// Removed lines are kept of every file, also of those that are not wanted: they may have moved
// here.
static int on_line(const git_diff_delta *delta, const git_diff_hunk *hunk,
                   const git_diff_line *line, void *payload)
{
    struct collector *collector = payload;
    str content = str_make(line->content, line->content_len);
    (void)delta;
    (void)hunk;
    if (collector->added_count + collector->removed_count >= LIMIT_CHANGED_LINES) {
        collector->full = true;
        return GIT_EUSER;
    }
    if (line->origin == GIT_DIFF_LINE_DELETION) {
        collector->removed =
            arena_grow(&collector->scratch, collector->removed, collector->removed_count,
                       &collector->removed_room, sizeof *collector->removed);
        collector->removed[collector->removed_count++] =
            moved_line(content, (uint32_t)collector->changes.count, (uint32_t)line->old_lineno);
    } else if (line->origin == GIT_DIFF_LINE_ADDITION && collector->wanted) {
        collector->added = arena_grow(&collector->scratch, collector->added, collector->added_count,
                                      &collector->added_room, sizeof *collector->added);
        struct moved_line *one = &collector->added[collector->added_count++];
        *one =
            moved_line(content, (uint32_t)collector->changes.count - 1, (uint32_t)line->new_lineno);
        one->blank = is_blank(content);
    }
    return 0;
}

static void add_line(struct arena *arena, struct change *change, uint32_t line)
{
    struct change_range *last =
        change->range_count ? &change->ranges[change->range_count - 1] : NULL;
    if (last && last->to + 1 == line) {
        last->to = line;
        return;
    }
    change->ranges = arena_grow(arena, change->ranges, change->range_count, &change->range_room,
                                sizeof *change->ranges);
    change->ranges[change->range_count++] = (struct change_range){line, line};
}

static int by_path(const void *a, const void *b)
{
    return str_cmp(((const struct change *)a)->path, ((const struct change *)b)->path);
}

static bool make_diff(git_repository *repository, git_tree *base, git_tree *head, git_diff **ret,
                      struct error *err)
{
    git_diff_options options;
    git_diff_find_options find;
    git_diff *diff __attribute__((cleanup(drop_diff))) = NULL;
    if (git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION) != 0 ||
        git_diff_find_options_init(&find, GIT_DIFF_FIND_OPTIONS_VERSION) != 0)
        return repository_failed(err, "preparing the comparison");
    options.context_lines = 0;
    options.flags = GIT_DIFF_IGNORE_SUBMODULES;
    find.flags = GIT_DIFF_FIND_RENAMES;
    find.rename_limit = RENAME_LIMIT;
    if (git_diff_tree_to_tree(&diff, repository, base, head, &options) != 0)
        return repository_failed(err, "comparing the commits");
    if (git_diff_find_similar(diff, &find) != 0)
        return repository_failed(err, "looking for renamed files");
    *ret = diff;
    diff = NULL;
    return true;
}

static bool collect(struct collector *collector, git_diff *diff, struct error *err)
{
    if (git_diff_foreach(diff, on_file, NULL, NULL, on_line, collector) != 0) {
        if (collector->full)
            return error_set(err, ERROR_LIMIT, "the change has more than %u lines",
                             LIMIT_CHANGED_LINES);
        return repository_failed(err, "reading the changed lines");
    }
    moved_mark(&collector->scratch, collector->added, collector->added_count, collector->removed,
               collector->removed_count);
    return true;
}

bool changes_between(struct arena *arena, struct repository *repository, const char *base,
                     const char *head, const str *paths, size_t path_count, struct changes *ret,
                     struct error *err)
{
    git_tree *old __attribute__((cleanup(drop_tree))) = NULL;
    git_tree *new __attribute__((cleanup(drop_tree))) = NULL;
    git_diff *diff __attribute__((cleanup(drop_diff))) = NULL;
    if ((base && !repository_tree(repository, base, &old, err)) ||
        !repository_tree(repository, head, &new, err))
        return false;
    if (!make_diff(repository_handle(repository), old, new, &diff, err))
        return false;
    struct collector collector = {.arena = arena, .paths = paths, .path_count = path_count};
    bool ok = collect(&collector, diff, err);
    for (size_t i = 0; ok && i < collector.added_count; i++)
        if (!collector.added[i].moved && !collector.added[i].blank)
            add_line(arena, &collector.changes.items[collector.added[i].file],
                     collector.added[i].line);
    arena_done(&collector.scratch);
    if (!ok)
        return false;
    if (collector.changes.count)
        qsort(collector.changes.items, collector.changes.count, sizeof(struct change), by_path);
    *ret = collector.changes;
    return true;
}
