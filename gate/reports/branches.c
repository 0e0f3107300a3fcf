// Branches of one source file: how many of a line were taken, and, where a report names each of
// them (an arm), which. Arms unite by name; without names the larger count of a line stands.
#include "gate/base/limits.h"
#include "gate/reports/coverage_table.h"

#include <stdlib.h>

#define ARMS_MAX 254u // of one line; past that only the count is kept

uint32_t branch_arm_of(str name, bool taken)
{
    uint32_t hash = 2166136261u; // FNV-1a
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.data[i]) * 16777619u;
    hash ^= hash >> 15;
    return hash << 1 | (taken ? 1u : 0u);
}

static uint16_t larger(uint16_t a, size_t b)
{
    return b > BRANCHES_MAX ? BRANCHES_MAX : a > b ? a : (uint16_t)b;
}

// Room for that many entries, exactly at first, doubled later. `arm_counts` follows `branches`.
static void reserve(struct arena *arena, struct covered_file *file, size_t branches, size_t arms)
{
    if (branches > file->branch_room) {
        size_t room = file->branch_room ? file->branch_room * 2 : branches;
        room = room < branches ? branches : room;
        struct branch_count *wider = ARENA_ARRAY(arena, struct branch_count, room);
        if (file->branch_count)
            memcpy(wider, file->branches, file->branch_count * sizeof *wider);
        if (file->arm_counts) {
            uint8_t *counts = ARENA_ARRAY(arena, uint8_t, room);
            memcpy(counts, file->arm_counts, file->branch_count);
            file->arm_counts = counts;
        }
        file->branches = wider;
        file->branch_room = room;
    }
    if (arms > file->arm_room) {
        size_t room = file->arm_room ? file->arm_room * 2 : arms;
        room = room < arms ? arms : room;
        uint32_t *wider = ARENA_ARRAY(arena, uint32_t, room);
        if (file->arm_count)
            memcpy(wider, file->arms, file->arm_count * sizeof *wider);
        file->arms = wider;
        file->arm_room = room;
    }
    if (arms && !file->arm_counts)
        file->arm_counts = ARENA_ARRAY(arena, uint8_t, file->branch_room);
}

static int count_cmp(const void *a, const void *b)
{
    const struct branch_count *x = a, *y = b;
    return (x->line > y->line) - (x->line < y->line);
}

void covered_counts(struct arena *arena, struct covered_file *stage, struct branch_count *counts,
                    size_t count)
{
    bool sorted = true;
    for (size_t i = 1; i < count && sorted; i++)
        sorted = counts[i - 1].line <= counts[i].line;
    if (!sorted)
        qsort(counts, count, sizeof *counts, count_cmp);
    reserve(arena, stage, count, 0);
    for (size_t i = 0; i < count; i++) {
        struct branch_count *last =
            stage->branch_count ? &stage->branches[stage->branch_count - 1] : NULL;
        if (last && last->line == counts[i].line) {
            last->covered = larger(last->covered, counts[i].covered);
            last->total = larger(last->total, counts[i].total);
        } else {
            if (stage->arm_counts)
                stage->arm_counts[stage->branch_count] = 0;
            stage->branches[stage->branch_count++] = counts[i];
        }
    }
}

static int arm_cmp(const void *a, const void *b)
{
    const struct branch_arm *x = a, *y = b;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return (x->arm > y->arm) - (x->arm < y->arm);
}

static void arms_sort(struct branch_arm *arms, size_t count)
{
    bool by_line = true;
    for (size_t i = 1; i < count && by_line; i++)
        by_line = arms[i - 1].line <= arms[i].line;
    if (!by_line)
        qsort(arms, count, sizeof *arms, arm_cmp);
    for (size_t from = 0, to; by_line && from < count; from = to) {
        for (to = from + 1; to < count && arms[to].line == arms[from].line; to++) {
        }
        if (to - from == 2 && arms[from].arm > arms[from + 1].arm) {
            struct branch_arm first = arms[from];
            arms[from] = arms[from + 1];
            arms[from + 1] = first;
        } else if (to - from > 2) {
            qsort(arms + from, to - from, sizeof *arms, arm_cmp);
        }
    }
}

void covered_arms(struct arena *arena, struct covered_file *stage, struct branch_arm *arms,
                  size_t count)
{
    if (count == 0)
        return;
    arms_sort(arms, count);
    size_t lines = 1;
    for (size_t i = 1; i < count; i++)
        lines += arms[i].line != arms[i - 1].line;
    reserve(arena, stage, lines, count);
    for (size_t i = 0; i < count;) {
        struct branch_count branch = {arms[i].line, 0, 0};
        size_t first = stage->arm_count;
        for (; i < count && arms[i].line == branch.line; i++) {
            // Of one name's rows the last is a taken one, if any is.
            if (i + 1 < count && arms[i + 1].line == branch.line &&
                arms[i + 1].arm >> 1 == arms[i].arm >> 1)
                continue;
            branch.total = larger(branch.total, branch.total + 1u);
            branch.covered = larger(branch.covered, branch.covered + (arms[i].arm & 1));
            stage->arms[stage->arm_count++] = arms[i].arm;
        }
        bool named = branch.total <= ARMS_MAX;
        if (!named)
            stage->arm_count = first;
        stage->arm_counts[stage->branch_count] = named ? (uint8_t)branch.total : 0;
        stage->branches[stage->branch_count++] = branch;
    }
}

// Two sorted rows of arms become one in `out`; returns how many.
static size_t arms_unite(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count,
                         uint32_t *out)
{
    size_t i = 0, j = 0, n = 0;
    while (i < a_count || j < b_count) {
        if (j == b_count || (i < a_count && a[i] >> 1 < b[j] >> 1))
            out[n++] = a[i++];
        else if (i == a_count || b[j] >> 1 < a[i] >> 1)
            out[n++] = b[j++];
        else
            out[n++] = a[i++] | b[j++];
    }
    return n;
}

struct cursor { // over the branches of a file and their arms
    const struct covered_file *file;
    size_t branch, arm;
};

static uint32_t cursor_line(const struct cursor *at)
{
    return at->branch < at->file->branch_count ? at->file->branches[at->branch].line : UINT32_MAX;
}

static size_t cursor_arms(const struct cursor *at)
{
    return at->file->arm_counts ? at->file->arm_counts[at->branch] : 0;
}

static const uint32_t *cursor_at(const struct cursor *at)
{
    return at->file->arms ? at->file->arms + at->arm : NULL;
}

static void cursor_next(struct cursor *at)
{
    at->arm += cursor_arms(at);
    at->branch++;
}

static void put_copy(struct covered_file *out, struct cursor *at)
{
    size_t arms = cursor_arms(at);
    if (arms)
        memcpy(out->arms + out->arm_count, cursor_at(at), arms * sizeof *out->arms);
    out->arm_count += arms;
    if (out->arm_counts)
        out->arm_counts[out->branch_count] = (uint8_t)arms;
    out->branches[out->branch_count++] = at->file->branches[at->branch];
    cursor_next(at);
}

static void put_united(struct covered_file *out, struct cursor *a, struct cursor *b)
{
    struct branch_count branch = a->file->branches[a->branch];
    const struct branch_count *other = &b->file->branches[b->branch];
    branch.covered = larger(branch.covered, other->covered);
    branch.total = larger(branch.total, other->total);
    uint32_t *arms = out->arms ? out->arms + out->arm_count : NULL;
    size_t count = 0;
    if (cursor_arms(a) + cursor_arms(b))
        count = arms_unite(cursor_at(a), cursor_arms(a), cursor_at(b), cursor_arms(b), arms);
    uint32_t taken = 0;
    for (size_t i = 0; i < count; i++)
        taken += arms[i] & 1;
    branch.covered = larger(branch.covered, taken);
    branch.total = larger(branch.total, count);
    if (count > ARMS_MAX)
        count = 0;
    out->arm_count += count;
    if (out->arm_counts)
        out->arm_counts[out->branch_count] = (uint8_t)count;
    out->branches[out->branch_count++] = branch;
    cursor_next(a);
    cursor_next(b);
}

void covered_unite_branches(struct arena *arena, struct covered_file *file,
                            const struct covered_file *from)
{
    struct cursor b = {.file = from};
    if (from->branch_count == 0)
        return;
    bool append = file->branch_count == 0 ||
                  file->branches[file->branch_count - 1].line < from->branches[0].line;
    if (append) {
        reserve(arena, file, file->branch_count + from->branch_count,
                file->arm_count + from->arm_count);
        while (b.branch < from->branch_count)
            put_copy(file, &b);
        return;
    }
    struct arena scratch = {0};
    struct covered_file out = {0};
    struct cursor a = {.file = file};
    reserve(&scratch, &out, file->branch_count + from->branch_count,
            file->arm_count + from->arm_count);
    while (a.branch < file->branch_count || b.branch < from->branch_count) {
        if (cursor_line(&a) == cursor_line(&b))
            put_united(&out, &a, &b);
        else
            put_copy(&out, cursor_line(&a) < cursor_line(&b) ? &a : &b);
    }
    reserve(arena, file, out.branch_count, out.arm_count);
    memcpy(file->branches, out.branches, out.branch_count * sizeof *out.branches);
    if (out.arm_count)
        memcpy(file->arms, out.arms, out.arm_count * sizeof *out.arms);
    if (file->arm_counts && out.arm_counts)
        memcpy(file->arm_counts, out.arm_counts, out.branch_count);
    file->branch_count = out.branch_count;
    file->arm_count = out.arm_count;
    arena_done(&scratch);
}

bool coverage_branches(struct evidence *evidence, struct covered_file *file, uint32_t line,
                       uint32_t covered, uint32_t total, struct error *err)
{
    struct branch_count branch = {line, larger(0, covered), larger(0, total)};
    struct covered_file one = {.branches = &branch, .branch_count = 1};
    if (line == 0 || line > LIMIT_SOURCE_LINE)
        return error_set(err, ERROR_INPUT, "line number %u is out of range (1 to %u)", line,
                         LIMIT_SOURCE_LINE);
    return coverage_unite(evidence, file, &one, err);
}
