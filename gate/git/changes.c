#include "gate/git/changes.h"

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

static void drop_blob(git_blob **blob)
{
    git_blob_free(*blob);
}

// ---- kinds of files ----------------------------------------------------------------------------
static str kind_of(str path)
{
    size_t slash = str_find_last(path, '/');
    str leaf = slash == STR_NONE ? path : str_from(path, slash + 1);
    size_t dot = str_find_last(leaf, '.');
    return dot == STR_NONE || dot == 0 ? leaf : str_from(leaf, dot);
}

// Where the kind is, or where it belongs.
static size_t kind_place(const struct file_kinds *kinds, str kind)
{
    size_t low = 0, high = kinds->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_cmp(kinds->items[middle], kind) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool file_kinds_has(const struct file_kinds *kinds, str path)
{
    str kind = kind_of(path);
    size_t at = kind_place(kinds, kind);
    return at < kinds->count && str_eq(kinds->items[at], kind);
}

void file_kinds_add(struct arena *arena, struct file_kinds *kinds, str path)
{
    str kind = kind_of(path);
    size_t at = kind_place(kinds, kind);
    if (at < kinds->count && str_eq(kinds->items[at], kind))
        return;
    kinds->items = arena_grow(arena, kinds->items, kinds->count, &kinds->room, sizeof(str));
    memmove(&kinds->items[at + 1], &kinds->items[at], (kinds->count - at) * sizeof(str));
    kinds->items[at] = arena_str(arena, kind);
    kinds->count++;
}

// ---- collecting --------------------------------------------------------------------------------

// Collects the lines of a diff before it is known which of them only moved.
struct collector {
    struct arena *arena;
    struct arena scratch;
    git_repository *repository;
    git_diff_options options; // of the comparison of two contents
    const struct file_kinds *kinds;
    struct changes changes;
    struct moved_line *added, *removed;
    size_t added_count, added_room, removed_count, removed_room;
    bool full;
};

static bool is_file(uint16_t mode)
{
    return mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE;
}

static bool asked_for(const struct collector *collector, const char *path)
{
    return !collector->kinds || file_kinds_has(collector->kinds, str_of(path));
}

static struct change *add_change(struct collector *collector, const char *path)
{
    struct changes *changes = &collector->changes;
    changes->items = arena_grow(collector->arena, changes->items, changes->count, &changes->room,
                                sizeof *changes->items);
    struct change *change = &changes->items[changes->count++];
    *change = (struct change){.path = arena_str(collector->arena, str_of(path))};
    return change;
}

// Keeps what nobody asks about out of the diff, where renames would be looked for in its content.
// What was deleted stays: a file that is asked about may be what it was renamed to.
static int on_notice(const git_diff *diff, const git_diff_delta *delta, const char *matched,
                     void *payload)
{
    struct collector *collector = payload;
    (void)diff;
    (void)matched;
    if (delta->status == GIT_DELTA_DELETED)
        return 0;
    if (is_file(delta->new_file.mode) && asked_for(collector, delta->new_file.path))
        return 0;
    if (is_file(delta->new_file.mode))
        add_change(collector, delta->new_file.path);
    return 1;
}

static bool is_blank(str s)
{
    return str_trim(s).len == 0;
}

static bool add_removed(struct collector *collector, str content, uint32_t line)
{
    collector->removed =
        arena_grow(&collector->scratch, collector->removed, collector->removed_count,
                   &collector->removed_room, sizeof *collector->removed);
    collector->removed[collector->removed_count++] =
        moved_line(content, (uint32_t)collector->changes.count, line);
    collector->full = collector->added_count + collector->removed_count >= LIMIT_CHANGED_LINES;
    return !collector->full;
}

static bool add_added(struct collector *collector, str content, uint32_t line)
{
    collector->added = arena_grow(&collector->scratch, collector->added, collector->added_count,
                                  &collector->added_room, sizeof *collector->added);
    struct moved_line *one = &collector->added[collector->added_count++];
    *one = moved_line(content, (uint32_t)collector->changes.count - 1, line);
    one->blank = is_blank(content);
    collector->full = collector->added_count + collector->removed_count >= LIMIT_CHANGED_LINES;
    return !collector->full;
}

static int on_line(const git_diff_delta *delta, const git_diff_hunk *hunk,
                   const git_diff_line *line, void *payload)
{
    struct collector *collector = payload;
    str content = str_make(line->content, line->content_len);
    bool ok = true;
    (void)delta;
    (void)hunk;
    if (line->origin == GIT_DIFF_LINE_DELETION)
        ok = add_removed(collector, content, (uint32_t)line->old_lineno);
    else if (line->origin == GIT_DIFF_LINE_ADDITION)
        ok = add_added(collector, content, (uint32_t)line->new_lineno);
    return ok ? 0 : GIT_EUSER;
}

// ---- contents ----------------------------------------------------------------------------------

static bool read_blob(struct collector *collector, const git_diff_file *file, git_blob **ret,
                      struct error *err)
{
    return git_blob_lookup(ret, collector->repository, &file->id) == 0 ||
           repository_failed(err, "reading a changed file");
}

// All lines of a file that stands on one side only.
static bool take_whole(struct collector *collector, const git_blob *blob, bool added)
{
    str rest = str_make(git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob));
    bool ok = true;
    for (uint32_t line = 1; ok && rest.len; line++) {
        str content = str_cut(&rest, '\n');
        ok = added ? add_added(collector, content, line) : add_removed(collector, content, line);
    }
    return ok;
}

static bool compare(struct collector *collector, const git_blob *old, const git_blob *new,
                    struct error *err)
{
    bool binary =
        !collector->kinds && ((old && git_blob_is_binary(old)) || (new &&git_blob_is_binary(new)));
    bool ok = true;
    if (binary)
        return true;
    if (old && new)
        ok = git_diff_blobs(old, NULL, new, NULL, &collector->options, NULL, NULL, NULL, on_line,
                            collector) == 0;
    else
        ok = take_whole(collector, new ? new : old, new != NULL);
    if (collector->full)
        return error_set(err, ERROR_LIMIT, "the change has more than %u lines",
                         LIMIT_CHANGED_LINES);
    return ok || repository_failed(err, "comparing a changed file");
}

static bool take_delta(struct collector *collector, const git_diff_delta *delta, struct error *err)
{
    git_blob *old __attribute__((cleanup(drop_blob))) = NULL;
    git_blob *new __attribute__((cleanup(drop_blob))) = NULL;
    bool has_old = delta->status != GIT_DELTA_ADDED && is_file(delta->old_file.mode);
    bool has_new = delta->status != GIT_DELTA_DELETED && is_file(delta->new_file.mode);
    if (!has_new && (!has_old || !asked_for(collector, delta->old_file.path)))
        return true;
    if (has_new) {
        struct change *change = add_change(collector, delta->new_file.path);
        if (delta->status == GIT_DELTA_RENAMED)
            change->old_path = arena_str(collector->arena, str_of(delta->old_file.path));
    }
    if (has_old && has_new && git_oid_equal(&delta->old_file.id, &delta->new_file.id))
        return true;
    return (!has_old || read_blob(collector, &delta->old_file, &old, err)) &&
           (!has_new || read_blob(collector, &delta->new_file, &new, err)) &&
           compare(collector, old, new, err);
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

static bool make_diff(struct collector *collector, git_tree *base, git_tree *head, git_diff **ret,
                      struct error *err)
{
    git_diff_options options;
    git_diff_find_options find;
    git_diff *diff __attribute__((cleanup(drop_diff))) = NULL;
    if (git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION) != 0 ||
        git_diff_find_options_init(&find, GIT_DIFF_FIND_OPTIONS_VERSION) != 0)
        return repository_failed(err, "preparing the comparison");
    collector->options = options;
    collector->options.context_lines = 0;
    collector->options.flags = GIT_DIFF_INDENT_HEURISTIC; // git's default: what developers see
    if (collector->kinds)
        collector->options.flags |= GIT_DIFF_FORCE_TEXT;
    options.flags = GIT_DIFF_IGNORE_SUBMODULES;
    options.notify_cb = on_notice;
    options.payload = collector;
    find.flags = GIT_DIFF_FIND_RENAMES;
    find.rename_limit = RENAME_LIMIT;
    if (git_diff_tree_to_tree(&diff, collector->repository, base, head, &options) != 0)
        return repository_failed(err, "comparing the commits");
    if (git_diff_find_similar(diff, &find) != 0)
        return repository_failed(err, "looking for renamed files");
    *ret = diff;
    diff = NULL;
    return true;
}

static bool collect(struct collector *collector, git_diff *diff, struct error *err)
{
    for (size_t i = 0; i < git_diff_num_deltas(diff); i++)
        if (!take_delta(collector, git_diff_get_delta(diff, i), err))
            return false;
    moved_mark(&collector->scratch, collector->added, collector->added_count, collector->removed,
               collector->removed_count);
    for (size_t i = 0; i < collector->added_count; i++) {
        const struct moved_line *one = &collector->added[i];
        if (!one->moved && !one->blank)
            add_line(collector->arena, &collector->changes.items[one->file], one->line);
    }
    return true;
}

bool changes_between(struct arena *arena, struct repository *repository, const char *base,
                     const char *head, const struct file_kinds *kinds, struct changes *ret,
                     struct error *err)
{
    git_tree *old __attribute__((cleanup(drop_tree))) = NULL;
    git_tree *new __attribute__((cleanup(drop_tree))) = NULL;
    git_diff *diff __attribute__((cleanup(drop_diff))) = NULL;
    if ((base && !repository_tree(repository, base, &old, err)) ||
        !repository_tree(repository, head, &new, err))
        return false;
    struct collector collector = {
        .arena = arena, .repository = repository_handle(repository), .kinds = kinds};
    bool ok = make_diff(&collector, old, new, &diff, err) && collect(&collector, diff, err);
    arena_done(&collector.scratch);
    if (!ok)
        return false;
    if (collector.changes.count)
        qsort(collector.changes.items, collector.changes.count, sizeof(struct change), by_path);
    *ret = collector.changes;
    return true;
}
