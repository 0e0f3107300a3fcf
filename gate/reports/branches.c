// How branches are packed. An entry for each line, by rising line; its first byte is
//
//     gap << 2 | taken   gap 1 to 63: so many lines behind the entry before. Two branches, which of
//                        them were taken, first and second. Their names are those of the newest
//                        entry with two names; before there is one they have none.
//     FORM               without a gap, which follows as a number, as do
//       FORM_COUNTS        covered, total: no names
//       FORM_AGAIN         n, bits: n arms named like those of the newest entry with n names
//       FORM_NAMED         n, names: each 4 bytes, an arm as in struct branch_arm, by rising name
//       FORM_MORE          covered, total, n, names: counts beyond those of the arms
//
// Numbers have seven bits a byte, the lowest first; the highest bit says that more follow.
#include "gate/reports/branches.h"

#include <stdlib.h>

#define ARMS_MAX 254u // of one line; past that only the count is kept
enum { FORM_COUNTS, FORM_AGAIN, FORM_NAMED, FORM_MORE };
enum { GAP_MAX = 63, ENTRY_BYTES = 32 + 4 * ARMS_MAX };

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

struct entry {
    struct branch_count count;
    uint32_t arm_count; // 0 = known by count only
    uint32_t arms[ARMS_MAX];
};

// ---- reading ------------------------------------------------------------------------------------

static uint32_t take_number(struct branch_walk *walk)
{
    uint32_t value = 0, shift = 0;
    uint8_t byte;
    do {
        byte = walk->branches->bytes[walk->at++];
        value |= (uint32_t)(byte & 127) << shift;
        shift += 7;
    } while (byte & 128);
    return value;
}

static uint32_t arm_at(const uint8_t *bytes)
{
    uint32_t arm;
    memcpy(&arm, bytes, sizeof arm);
    return arm;
}

// Names that stood before, with other bits of what was taken.
static void take_again(const struct branch_walk *walk, uint32_t n, uint32_t taken,
                       struct entry *ret)
{
    const uint8_t *names = walk->branches->bytes + walk->named[n];
    ret->count.total = (uint16_t)n;
    ret->count.covered = 0;
    for (uint32_t i = 0; i < n; i++)
        ret->count.covered = (uint16_t)(ret->count.covered + (taken >> i & 1));
    ret->arm_count = walk->named[n] ? n : 0;
    for (uint32_t i = 0; i < ret->arm_count; i++)
        ret->arms[i] = (arm_at(names + 4 * (size_t)i) & ~1u) | (taken >> i & 1);
}

static void take_names(struct branch_walk *walk, bool more, struct entry *ret)
{
    uint32_t covered = more ? take_number(walk) : 0, total = more ? take_number(walk) : 0;
    uint32_t n = take_number(walk), taken = 0;
    if (n <= BRANCH_NAMED_MAX)
        walk->named[n] = walk->at;
    for (uint32_t i = 0; i < n; i++, walk->at += 4) {
        ret->arms[i] = arm_at(walk->branches->bytes + walk->at);
        taken += ret->arms[i] & 1;
    }
    ret->arm_count = n;
    ret->count.covered = (uint16_t)(more ? covered : taken);
    ret->count.total = (uint16_t)(more ? total : n);
}

static bool next_entry(struct branch_walk *walk, struct entry *ret)
{
    if (walk->at >= walk->branches->size)
        return false;
    uint8_t first = walk->branches->bytes[walk->at++];
    if (first >> 2) {
        walk->line += first >> 2;
        take_again(walk, 2, first & 3, ret);
        ret->count.line = walk->line;
        return true;
    }
    walk->line += take_number(walk);
    ret->count.line = walk->line;
    if (first == FORM_COUNTS) {
        ret->arm_count = 0;
        ret->count.covered = (uint16_t)take_number(walk);
        ret->count.total = (uint16_t)take_number(walk);
    } else if (first == FORM_AGAIN) {
        uint32_t n = take_number(walk);
        take_again(walk, n, walk->branches->bytes[walk->at++], ret);
    } else {
        take_names(walk, first == FORM_MORE, ret);
    }
    return true;
}

bool branch_next(struct branch_walk *walk, struct branch_count *ret)
{
    struct entry entry;
    bool any = next_entry(walk, &entry);
    if (any)
        *ret = entry.count;
    return any;
}

void branches_sum(const struct branches *branches, uint64_t *covered, uint64_t *total)
{
    static const uint8_t taken[] = {0, 1, 1, 2};
    struct branch_walk walk = branch_walk_of(branches);
    struct entry entry;
    while (walk.at < branches->size) {
        uint8_t first = branches->bytes[walk.at];
        if (first >> 2) { // as nearly all of them; the line does not matter
            *covered += taken[first & 3];
            *total += 2;
            walk.at++;
        } else if (next_entry(&walk, &entry)) {
            *covered += entry.count.covered;
            *total += entry.count.total;
        }
    }
}

// ---- writing ------------------------------------------------------------------------------------

struct packing { // on the heap, because it is short-lived and nobody knows how long it gets
    uint8_t *bytes;
    size_t size, room;
    uint32_t line;
    uint32_t named[BRANCH_NAMED_MAX + 1];
};

static void put_number(struct packing *out, uint32_t value)
{
    for (; value > 127; value >>= 7)
        out->bytes[out->size++] = (uint8_t)(value | 128);
    out->bytes[out->size++] = (uint8_t)value;
}

// Do the arms of the entry bear the names that stand there?
static bool same_names(const struct packing *out, uint32_t at, const struct entry *entry)
{
    for (uint32_t i = 0; i < entry->arm_count; i++)
        if ((arm_at(out->bytes + at + 4 * (size_t)i) ^ entry->arms[i]) > 1)
            return false;
    return true;
}

static void put_names(struct packing *out, const struct entry *entry)
{
    put_number(out, entry->arm_count);
    if (entry->arm_count <= BRANCH_NAMED_MAX)
        out->named[entry->arm_count] = (uint32_t)out->size;
    memcpy(out->bytes + out->size, entry->arms, entry->arm_count * sizeof *entry->arms);
    out->size += entry->arm_count * sizeof *entry->arms;
}

static void put_counts(struct packing *out, const struct branch_count *count)
{
    put_number(out, count->covered);
    put_number(out, count->total);
}

static void put_long(struct packing *out, const struct entry *entry, uint32_t gap, bool again,
                     bool plain, uint32_t taken)
{
    uint8_t *first = &out->bytes[out->size++];
    put_number(out, gap);
    if (entry->arm_count == 0) {
        *first = FORM_COUNTS;
        put_counts(out, &entry->count);
    } else if (again) {
        *first = FORM_AGAIN;
        put_number(out, entry->arm_count);
        out->bytes[out->size++] = (uint8_t)taken;
    } else {
        *first = plain ? FORM_NAMED : FORM_MORE;
        if (!plain)
            put_counts(out, &entry->count);
        put_names(out, entry);
    }
}

static void put(struct packing *out, const struct entry *entry)
{
    static const uint8_t first_of_two[] = {0, 1, 3}; // which of two without names: the first ones
    uint32_t gap = entry->count.line - out->line, n = entry->arm_count, taken = 0, covered = 0;
    if (out->room - out->size < ENTRY_BYTES) {
        out->room = out->room ? out->room * 2 : (size_t)2 * ENTRY_BYTES;
        out->bytes = memory_grow(out->bytes, out->room);
    }
    for (uint32_t i = 0; i < n; i++) {
        taken |= i < BRANCH_NAMED_MAX ? (entry->arms[i] & 1) << i : 0;
        covered += entry->arms[i] & 1;
    }
    bool near = gap >= 1 && gap <= GAP_MAX;
    bool plain = entry->count.total == n && entry->count.covered == covered;
    bool again = plain && n && n <= BRANCH_NAMED_MAX && out->named[n] &&
                 same_names(out, out->named[n], entry);
    bool nameless =
        n == 0 && entry->count.total == 2 && entry->count.covered <= 2 && out->named[2] == 0;
    out->line = entry->count.line;
    if (near && nameless)
        out->bytes[out->size++] = (uint8_t)(gap << 2 | first_of_two[entry->count.covered]);
    else if (near && again && n == 2)
        out->bytes[out->size++] = (uint8_t)(gap << 2 | taken);
    else
        put_long(out, entry, gap, again, plain, taken);
}

static void store(struct arena *arena, struct branches *branches, const struct packing *from)
{
    if (from->size > branches->room) {
        size_t room = branches->room ? (size_t)branches->room * 2 : from->size;
        room = room < from->size ? from->size : room;
        branches->room = (uint32_t)(room < UINT32_MAX ? room : UINT32_MAX);
        branches->bytes = arena_bytes(arena, branches->room);
    }
    if (from->size)
        memcpy(branches->bytes, from->bytes, from->size);
    branches->size = (uint32_t)from->size;
    branches->last_line = from->line;
    branches->pair = from->named[2];
}

// ---- what a report says of one file -------------------------------------------------------------

static int count_cmp(const void *a, const void *b)
{
    const struct branch_count *x = a, *y = b;
    return (x->line > y->line) - (x->line < y->line);
}

void branches_of_counts(struct arena *arena, struct branches *branches, struct branch_count *counts,
                        size_t count)
{
    struct packing out = {0};
    bool sorted = true;
    for (size_t i = 1; i < count && sorted; i++)
        sorted = counts[i - 1].line <= counts[i].line;
    if (!sorted)
        qsort(counts, count, sizeof *counts, count_cmp);
    for (size_t i = 0; i < count;) {
        struct entry entry;
        entry.arm_count = 0;
        entry.count = counts[i];
        for (i++; i < count && counts[i].line == entry.count.line; i++) {
            entry.count.covered = larger(entry.count.covered, counts[i].covered);
            entry.count.total = larger(entry.count.total, counts[i].total);
        }
        put(&out, &entry);
    }
    store(arena, branches, &out);
    memory_free(out.bytes);
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

void branches_of_arms(struct arena *arena, struct branches *branches, struct branch_arm *arms,
                      size_t count)
{
    struct packing out = {0};
    arms_sort(arms, count);
    for (size_t i = 0; i < count;) {
        struct entry entry;
        entry.count = (struct branch_count){arms[i].line, 0, 0};
        entry.arm_count = 0;
        for (; i < count && arms[i].line == entry.count.line; i++) {
            // Of one name's rows the last is a taken one, if any is.
            if (i + 1 < count && arms[i + 1].line == entry.count.line &&
                arms[i + 1].arm >> 1 == arms[i].arm >> 1)
                continue;
            if (entry.count.total < ARMS_MAX)
                entry.arms[entry.arm_count++] = arms[i].arm;
            entry.count.total = larger(entry.count.total, entry.count.total + 1u);
            entry.count.covered =
                larger(entry.count.covered, entry.count.covered + (size_t)(arms[i].arm & 1));
        }
        if (entry.count.total > ARMS_MAX)
            entry.arm_count = 0;
        put(&out, &entry);
    }
    store(arena, branches, &out);
    memory_free(out.bytes);
}

// ---- uniting ------------------------------------------------------------------------------------

// Two sorted rows of arms become one in `out`; returns how many, which may be more than are kept.
static uint32_t arms_unite(const struct entry *a, const struct entry *b, uint32_t *out)
{
    uint32_t i = 0, j = 0, n = 0;
    while (i < a->arm_count || j < b->arm_count) {
        if (j == b->arm_count || (i < a->arm_count && a->arms[i] >> 1 < b->arms[j] >> 1))
            out[n++] = a->arms[i++];
        else if (i == a->arm_count || b->arms[j] >> 1 < a->arms[i] >> 1)
            out[n++] = b->arms[j++];
        else
            out[n++] = a->arms[i++] | b->arms[j++];
    }
    return n;
}

static void put_united(struct packing *out, const struct entry *a, const struct entry *b)
{
    uint32_t arms[2 * ARMS_MAX], taken = 0, n = arms_unite(a, b, arms);
    struct entry entry;
    for (uint32_t i = 0; i < n; i++)
        taken += arms[i] & 1;
    entry.count.line = a->count.line;
    entry.count.covered = larger(larger(a->count.covered, b->count.covered), taken);
    entry.count.total = larger(larger(a->count.total, b->count.total), n);
    entry.arm_count = n <= ARMS_MAX ? n : 0;
    if (entry.arm_count)
        memcpy(entry.arms, arms, n * sizeof *arms);
    put(out, &entry);
}

static struct packing packing_of(const struct branches *branches)
{
    struct packing out = {.size = branches->size, .room = (size_t)branches->size + ENTRY_BYTES};
    out.bytes = memory_grow(NULL, out.room);
    memcpy(out.bytes, branches->bytes, branches->size);
    out.line = branches->last_line;
    out.named[2] = branches->pair;
    return out;
}

static void merge(struct packing *out, struct branch_walk *a, struct branch_walk *b)
{
    struct entry x, y;
    bool more_x = next_entry(a, &x), more_y = next_entry(b, &y);
    while (more_x || more_y) {
        bool same = more_x && more_y && x.count.line == y.count.line;
        bool first = more_x && (!more_y || x.count.line < y.count.line);
        if (same)
            put_united(out, &x, &y);
        else
            put(out, first ? &x : &y);
        if (same || first)
            more_x = next_entry(a, &x);
        if (same || !first)
            more_y = next_entry(b, &y);
    }
}

void branches_unite(struct arena *arena, struct branches *branches, const struct branches *from)
{
    struct branch_walk b = branch_walk_of(from);
    struct entry first;
    if (!next_entry(&b, &first))
        return;
    b = branch_walk_of(from);
    if (branches->size == 0) { // as it is
        const struct packing same = {.bytes = from->bytes,
                                     .size = from->size,
                                     .line = from->last_line,
                                     .named[2] = from->pair};
        store(arena, branches, &same);
        return;
    }
    if (branches->size == from->size && memcmp(branches->bytes, from->bytes, from->size) == 0)
        return;
    struct packing out = {0};
    if (branches->last_line < first.count.line) { // behind what is there
        out = packing_of(branches);
        struct branch_walk nothing = {.branches = &(struct branches){0}};
        merge(&out, &nothing, &b);
    } else {
        struct branch_walk a = branch_walk_of(branches);
        merge(&out, &a, &b);
    }
    store(arena, branches, &out);
    memory_free(out.bytes);
}
