#include "gate/git/merge_base.h"

#include "gate/base/arena.h"

#include <git2.h>

enum { SIDE_ONE = 1, SIDE_TWO = 2, BOTH = 3, BEHIND = 4, QUEUED = 8, CANDIDATE = 16 };

struct seen {
    git_oid id;
    int64_t time;
    unsigned marks;
    bool used, missing;
};

struct walk {
    struct arena arena;
    git_repository *repository;
    struct seen *table; // open addressing; grows by rebuilding
    size_t table_room, count;
    git_oid *queue; // a heap: the newest first
    int64_t *times;
    size_t queue_count, queue_room, times_room;
    size_t fresh; // in the queue and not behind a candidate
};

static size_t slot_of(const struct seen *table, size_t room, const git_oid *id)
{
    size_t hash;
    memcpy(&hash, id->id, sizeof hash);
    size_t at = hash & (room - 1);
    while (table[at].used && !git_oid_equal(&table[at].id, id))
        at = (at + 1) & (room - 1);
    return at;
}

static void grow_table(struct walk *walk)
{
    size_t room = walk->table_room ? walk->table_room * 2 : 1024;
    struct seen *table = ARENA_ARRAY(&walk->arena, struct seen, room);
    for (size_t i = 0; i < walk->table_room; i++)
        if (walk->table[i].used)
            table[slot_of(table, room, &walk->table[i].id)] = walk->table[i];
    walk->table = table;
    walk->table_room = room;
}

static struct seen *see(struct walk *walk, const git_oid *id)
{
    if (walk->count * 2 >= walk->table_room)
        grow_table(walk);
    struct seen *seen = &walk->table[slot_of(walk->table, walk->table_room, id)];
    if (!seen->used) {
        seen->used = true;
        seen->id = *id;
        walk->count++;
    }
    return seen;
}

static void swap(struct walk *walk, size_t a, size_t b)
{
    git_oid id = walk->queue[a];
    int64_t time = walk->times[a];
    walk->queue[a] = walk->queue[b];
    walk->times[a] = walk->times[b];
    walk->queue[b] = id;
    walk->times[b] = time;
}

static void push(struct walk *walk, struct seen *seen)
{
    size_t at = walk->queue_count++;
    walk->queue = arena_grow(&walk->arena, walk->queue, at, &walk->queue_room, sizeof *walk->queue);
    walk->times = arena_grow(&walk->arena, walk->times, at, &walk->times_room, sizeof *walk->times);
    walk->queue[at] = seen->id;
    walk->times[at] = seen->time;
    for (; at && walk->times[(at - 1) / 2] < walk->times[at]; at = (at - 1) / 2)
        swap(walk, at, (at - 1) / 2);
    seen->marks |= QUEUED;
    walk->fresh += !(seen->marks & BEHIND);
}

static git_oid pop(struct walk *walk)
{
    git_oid top = walk->queue[0];
    size_t last = --walk->queue_count, at = 0;
    swap(walk, 0, last);
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= last)
            return top;
        if (child + 1 < last && walk->times[child + 1] > walk->times[child])
            child++;
        if (walk->times[child] <= walk->times[at])
            return top;
        swap(walk, at, child);
        at = child;
    }
}

// Adds marks to a commit and puts it into the queue when that tells something new. False when
// libgit2 fails; a commit that is not here keeps its marks and is never visited.
static bool mark(struct walk *walk, const git_oid *id, unsigned marks)
{
    struct seen *seen = see(walk, id);
    if ((seen->marks & marks) == marks)
        return true;
    if (!seen->marks) {
        git_commit *commit;
        int code = git_commit_lookup(&commit, walk->repository, id);
        if (code == GIT_ENOTFOUND) {
            seen->missing = true;
            seen->time = 0;
        } else if (code != 0) {
            return false;
        } else {
            seen->time = git_commit_time(commit);
            git_commit_free(commit);
        }
    }
    if (seen->missing) {
        seen->marks |= marks;
        return true;
    }
    if (seen->marks & QUEUED) {
        walk->fresh -= !(seen->marks & BEHIND) && (marks & BEHIND);
        seen->marks |= marks;
    } else {
        seen->marks |= marks;
        push(walk, seen);
    }
    return true;
}

static bool visit(struct walk *walk, const git_oid *id)
{
    struct seen *seen = see(walk, id);
    unsigned marks = seen->marks & (BOTH | BEHIND);
    walk->fresh -= !(marks & BEHIND);
    seen->marks &= ~(unsigned)QUEUED;
    if (marks == BOTH) {
        seen->marks |= CANDIDATE;
        marks |= BEHIND;
    }
    git_commit *commit;
    if (git_commit_lookup(&commit, walk->repository, id) != 0)
        return false;
    bool ok = true;
    for (unsigned i = 0; ok && i < git_commit_parentcount(commit); i++)
        ok = mark(walk, git_commit_parent_id(commit, i), marks);
    git_commit_free(commit);
    return ok;
}

static bool stands(const struct seen *seen)
{
    return (seen->marks & CANDIDATE) && !(seen->marks & BEHIND);
}

static size_t candidates(const struct walk *walk)
{
    size_t count = 0;
    for (size_t i = 0; i < walk->table_room; i++)
        count += stands(&walk->table[i]);
    return count;
}

// Does a line of history end before it is known to lie behind a candidate? A nearer common ancestor
// may then be where nobody can see it.
static bool cut_off(const struct walk *walk)
{
    for (size_t i = 0; i < walk->table_room; i++)
        if (walk->table[i].missing && !(walk->table[i].marks & BEHIND))
            return true;
    return false;
}

static bool run(struct walk *walk, bool to_the_end)
{
    bool ok = true;
    while (ok && (walk->fresh || (to_the_end && walk->queue_count))) {
        git_oid id = pop(walk);
        ok = visit(walk, &id);
    }
    return ok;
}

enum merge_base_answer merge_base_find(git_repository *repository, const git_oid *one,
                                       const git_oid *two, git_oid *ret)
{
    struct walk walk = {.repository = repository};
    const struct seen *best = NULL;
    bool ok = mark(&walk, one, SIDE_ONE) && mark(&walk, two, SIDE_TWO);
    ok = ok && run(&walk, false);
    // Times lie (clocks differ): one of several candidates may be an ancestor of another, which
    // only shows when the marks have run through.
    if (ok && (candidates(&walk) > 1 || cut_off(&walk)))
        ok = run(&walk, true);
    for (size_t i = 0; i < walk.table_room; i++) {
        const struct seen *seen = &walk.table[i];
        if (stands(seen) && (!best || seen->time > best->time ||
                             (seen->time == best->time && git_oid_cmp(&seen->id, &best->id) < 0)))
            best = seen;
    }
    // One of the two themselves is as near as can be, whatever else is missing: so the merge commit
    // of a pull request can be judged with two commits fetched.
    bool is_one = best && (git_oid_equal(&best->id, one) || git_oid_equal(&best->id, two));
    enum merge_base_answer answer = MERGE_BASE_NONE;
    if (ok && !is_one && cut_off(&walk)) {
        answer = MERGE_BASE_CUT_OFF;
    } else if (!ok) {
        answer = MERGE_BASE_FAILED;
    } else if (best) {
        *ret = best->id;
        answer = MERGE_BASE_FOUND;
    }
    arena_done(&walk.arena);
    return answer;
}
