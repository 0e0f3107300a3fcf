// The table of covered files, and the lines of one file.
#include "gate/base/limits.h"
#include "gate/reports/coverage_table.h"
#include "gate/reports/line_fives.h"

#include <assert.h>
#include <stdlib.h>

// Of a file's key: its name and its origin.
static uint64_t hash_of(str reported, uint32_t origin)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ origin; // FNV-1a
    for (size_t i = 0; i < reported.len; i++)
        hash = (hash ^ (unsigned char)reported.data[i]) * UINT64_C(1099511628211);
    return hash ^ (hash >> 29);
}

static uint32_t *slot_of(const struct coverage *coverage, str reported, uint32_t origin)
{
    size_t mask = coverage->index_room - 1;
    for (size_t at = hash_of(reported, origin) & mask;; at = (at + 1) & mask) {
        uint32_t *slot = &coverage->index[at];
        if (*slot == 0)
            return slot;
        const struct covered_file *file = &coverage->files[*slot - 1];
        if (file->origin == origin && str_eq(file->reported, reported))
            return slot;
    }
}

// Of a hash table that is at most three quarters full.
static size_t room_for(size_t count)
{
    size_t room = 64;
    while (room * 3 < count * 4)
        room *= 2;
    return room;
}

static void index_again(struct coverage *coverage, size_t room)
{
    memory_free(coverage->index);
    coverage->index = memory_alloc(room * sizeof *coverage->index);
    coverage->index_room = room;
    for (size_t i = 0; i < coverage->count; i++)
        *slot_of(coverage, coverage->files[i].reported, coverage->files[i].origin) =
            (uint32_t)i + 1;
}

struct covered_file *coverage_file_of(struct evidence *evidence, str reported, uint32_t origin,
                                      struct arena *arena, bool *ret_fresh)
{
    struct coverage *coverage = &evidence->coverage;
    if (coverage->count * 4 >= coverage->index_room * 3)
        index_again(coverage, room_for(coverage->count + 1));
    uint32_t *slot = slot_of(coverage, reported, origin);
    *ret_fresh = *slot == 0;
    if (*slot)
        return &coverage->files[*slot - 1];
    if (coverage->count == coverage->room) {
        coverage->room = coverage->room ? coverage->room * 2 : 16;
        coverage->files = memory_grow(coverage->files, coverage->room * sizeof *coverage->files);
    }
    struct covered_file *file = &coverage->files[coverage->count++];
    *file = (struct covered_file){.origin = origin};
    file->reported = arena ? arena_str(arena, reported) : reported;
    *slot = (uint32_t)coverage->count;
    return file;
}

struct covered_file *coverage_file(struct evidence *evidence, str reported)
{
    bool fresh;
    return coverage_file_of(evidence, reported, 0, &evidence->arena, &fresh);
}

void coverage_take(struct evidence *evidence, struct coverage *from, uint32_t origin)
{
    struct coverage *coverage = &evidence->coverage;
    bool has_branches = coverage->has_branches;
    size_t room = room_for(from->count);
    memory_free(coverage->files);
    memory_free(coverage->index);
    *coverage = *from;
    coverage->has_branches = has_branches || from->has_branches;
    *from = (struct coverage){0};
    if (origin == 0)
        return;
    for (size_t i = 0; i < coverage->count; i++)
        coverage->files[i].origin = origin;
    index_again(coverage, room);
}

// Room for `line` in both maps of a stage: exactly that much at first, doubled later.
static void lines_reserve(struct arena *arena, struct covered_file *file, uint32_t line)
{
    if (line < file->lines_room)
        return;
    uint32_t room = (line + 64) / 64 * 64;
    if (file->lines_room && room < file->lines_room * 2)
        room = file->lines_room * 2;
    size_t words = room / 64, old = (size_t)file->lines_room / 64;
    uint64_t *maps = ARENA_ARRAY(arena, uint64_t, words * 2);
    if (old) {
        memcpy(maps, file->known, old * sizeof *maps);
        memcpy(maps + words, covered_hit(file), old * sizeof *maps);
    }
    file->known = maps;
    file->lines_room = room & INT32_MAX;
}

// The same for a file of the table.
static void fives_reserve(struct arena *arena, struct covered_file *file, uint32_t line)
{
    if (line < file->lines_room)
        return;
    size_t old = (size_t)file->lines_room / LINE_FIVE, bytes = line / LINE_FIVE + 1;
    if (bytes < old * 2)
        bytes = old * 2;
    uint8_t *fives = arena_bytes(arena, bytes);
    if (old)
        memcpy(fives, file->fives, old);
    file->fives = fives;
    file->in_fives = true;
    file->lines_room = (uint32_t)(bytes * LINE_FIVE) & INT32_MAX;
}

static unsigned five_bits(const uint64_t *map, size_t words, size_t from)
{
    size_t word = from / 64, shift = from % 64;
    uint64_t bits = map[word] >> shift;
    if (shift > 64 - LINE_FIVE && word + 1 < words)
        bits |= map[word + 1] << (64 - shift);
    return (unsigned)bits & 31;
}

// The n-th five lines, which begin before the last known one.
static void five_of(const struct covered_file *file, size_t n, unsigned *ret_known,
                    unsigned *ret_hit)
{
    size_t words = (size_t)file->lines_room / 64;
    if (file->in_fives) {
        line_fives_unpack(file->fives[n], ret_known, ret_hit);
        return;
    }
    *ret_known = five_bits(file->known, words, n * LINE_FIVE);
    *ret_hit = five_bits(covered_hit(file), words, n * LINE_FIVE);
}

bool covered_line(struct arena *arena, struct covered_file *stage, uint32_t line, uint64_t hits,
                  struct error *err)
{
    if (line == 0 || line > LIMIT_SOURCE_LINE)
        return error_set(err, ERROR_INPUT, "line number %u is out of range (1 to %u)", line,
                         LIMIT_SOURCE_LINE);
    if (line >= stage->lines_room)
        lines_reserve(arena, stage, line);
    uint64_t bit = UINT64_C(1) << (line % 64);
    stage->known[line / 64] |= bit;
    if (hits)
        covered_hit(stage)[line / 64] |= bit;
    if (line > stage->last_line)
        stage->last_line = line;
    return true;
}

static void fill(uint64_t *map, uint32_t first, uint32_t last)
{
    uint64_t head = ~UINT64_C(0) << (first % 64), tail = ~UINT64_C(0) >> (63 - last % 64);
    if (first / 64 == last / 64) {
        map[first / 64] |= head & tail;
        return;
    }
    map[first / 64] |= head;
    for (uint32_t i = first / 64 + 1; i < last / 64; i++)
        map[i] = ~UINT64_C(0);
    map[last / 64] |= tail;
}

bool covered_lines(struct arena *arena, struct covered_file *stage, uint32_t first, uint32_t last,
                   uint64_t hits, struct error *err)
{
    if (first == 0 || last > LIMIT_SOURCE_LINE || first > last)
        return error_set(err, ERROR_INPUT, "lines %u to %u are out of range (1 to %u)", first, last,
                         LIMIT_SOURCE_LINE);
    if (last >= stage->lines_room)
        lines_reserve(arena, stage, last);
    fill(stage->known, first, last);
    if (hits)
        fill(covered_hit(stage), first, last);
    if (last > stage->last_line)
        stage->last_line = last;
    return true;
}

void covered_arms(struct arena *arena, struct covered_file *stage, struct branch_arm *arms,
                  size_t count)
{
    branches_of_arms(arena, &stage->branches, arms, count);
}

void covered_counts(struct arena *arena, struct covered_file *stage, struct branch_count *counts,
                    size_t count)
{
    branches_of_counts(arena, &stage->branches, counts, count);
}

static bool within_limits(const struct evidence *evidence, struct error *err)
{
    if (evidence->arena.used_bytes > LIMIT_EVIDENCE_BYTES)
        return error_set(err, ERROR_LIMIT, "the reports hold more than %u MiB of evidence",
                         LIMIT_EVIDENCE_BYTES >> 20);
    if (evidence->coverage.count > LIMIT_SOURCE_FILES)
        return error_set(err, ERROR_LIMIT, "the reports name more than %u source files",
                         LIMIT_SOURCE_FILES);
    return true;
}

bool coverage_line(struct evidence *evidence, struct covered_file *file, uint32_t line,
                   uint64_t hits, struct error *err)
{
    struct arena scratch = {0};
    struct covered_file one = {0};
    bool ok =
        covered_line(&scratch, &one, line, hits, err) && coverage_unite(evidence, file, &one, err);
    arena_done(&scratch);
    return ok;
}

void covered_clear(struct covered_file *stage)
{
    if (stage->lines_room) {
        size_t words = stage->last_line / 64 + 1;
        memset(stage->known, 0, words * sizeof *stage->known);
        memset(covered_hit(stage), 0, words * sizeof *stage->known);
    }
    stage->last_line = 0;
    stage->branches.size = stage->branches.last_line = stage->branches.pair = 0;
    stage->range_count = 0;
}

// Classes of one file that follow each other in a report share a range.
#define RANGE_GAP 256u

static uint32_t size_of(uint64_t from, uint64_t to)
{
    return to - from > UINT32_MAX ? UINT32_MAX : (uint32_t)(to - from);
}

void coverage_range(struct evidence *evidence, struct covered_file *file, uint32_t report,
                    uint64_t from, uint64_t to)
{
    uint32_t count = file->range_count;
    struct byte_range *ranges = covered_ranges(file);
    if (count) {
        struct byte_range *last = &ranges[count - 1];
        uint64_t end = byte_range_end(last);
        if (last->report == report && from >= end && from - end <= RANGE_GAP) {
            last->size = size_of(last->from, to);
            return;
        }
    }
    if (count && (count & (count - 1)) == 0) { // the room is used up: it is a power of two
        struct byte_range *wider =
            ARENA_ARRAY(&evidence->arena, struct byte_range, (size_t)count * 2);
        memcpy(wider, ranges, count * sizeof *ranges);
        file->more_ranges = ranges = wider;
    }
    ranges[count] = (struct byte_range){from, size_of(from, to), report};
    file->range_count = count + 1;
}

static void unite_lines(struct covered_file *file, const struct covered_file *from)
{
    for (size_t n = 0; n <= from->last_line / LINE_FIVE; n++) {
        unsigned known, hit, before_known = 0, before_hit = 0;
        five_of(from, n, &known, &hit);
        if (file->fives[n])
            line_fives_unpack(file->fives[n], &before_known, &before_hit);
        file->fives[n] = line_fives_pack(known | before_known, hit | before_hit);
    }
    if (from->last_line > file->last_line)
        file->last_line = from->last_line;
}

bool coverage_unite(struct evidence *evidence, struct covered_file *file,
                    const struct covered_file *from, struct error *err)
{
    if (from->last_line) {
        assert(file->in_fives || !file->lines_room);
        fives_reserve(&evidence->arena, file, from->last_line);
        unite_lines(file, from);
    }
    branches_unite(&evidence->arena, &file->branches, &from->branches);
    evidence->coverage.has_branches |= from->branches.size > 0;
    for (size_t i = 0; i < from->range_count; i++) {
        const struct byte_range *range = covered_range(from, i);
        coverage_range(evidence, file, range->report, range->from, byte_range_end(range));
    }
    return within_limits(evidence, err);
}

static uint16_t at_most(uint32_t count)
{
    return count > BRANCHES_MAX ? BRANCHES_MAX : (uint16_t)count;
}

bool coverage_branches(struct evidence *evidence, struct covered_file *file, uint32_t line,
                       uint32_t covered, uint32_t total, struct error *err)
{
    struct arena scratch = {0};
    struct covered_file one = {0};
    struct branch_count branch = {line, at_most(covered), at_most(total)};
    if (line == 0 || line > LIMIT_SOURCE_LINE)
        return error_set(err, ERROR_INPUT, "line number %u is out of range (1 to %u)", line,
                         LIMIT_SOURCE_LINE);
    covered_counts(&scratch, &one, &branch, 1);
    bool ok = coverage_unite(evidence, file, &one, err);
    arena_done(&scratch);
    return ok;
}

bool line_known(const struct covered_file *file, uint32_t line)
{
    unsigned known, hit;
    if (line > file->last_line || file->last_line == 0)
        return false;
    five_of(file, line / LINE_FIVE, &known, &hit);
    return known >> (line % LINE_FIVE) & 1;
}

bool line_hit(const struct covered_file *file, uint32_t line)
{
    unsigned known, hit;
    if (line > file->last_line || file->last_line == 0)
        return false;
    five_of(file, line / LINE_FIVE, &known, &hit);
    return hit >> (line % LINE_FIVE) & 1;
}

static void sum_fives(const struct covered_file *file, struct coverage_totals *add_to)
{
    enum { AT_ONCE = 12 }; // sixty bits
    size_t count = file->last_line ? file->last_line / LINE_FIVE + 1 : 0;
    for (size_t n = 0; n < count;) {
        uint64_t known = 0, hit = 0;
        for (unsigned i = 0; i < AT_ONCE && n < count; i++, n++) {
            unsigned one_known, one_hit;
            line_fives_unpack(file->fives[n], &one_known, &one_hit);
            known = known << LINE_FIVE | one_known;
            hit = hit << LINE_FIVE | one_hit;
        }
        add_to->lines_total += (uint64_t)__builtin_popcountll(known);
        add_to->lines_covered += (uint64_t)__builtin_popcountll(hit);
    }
}

static void sum_maps(const struct covered_file *stage, struct coverage_totals *add_to)
{
    const uint64_t *hit = covered_hit(stage);
    size_t words = stage->last_line ? stage->last_line / 64 + 1 : 0;
    for (size_t i = 0; i < words; i++) {
        add_to->lines_total += (uint64_t)__builtin_popcountll(stage->known[i]);
        add_to->lines_covered += (uint64_t)__builtin_popcountll(hit[i]);
    }
}

void covered_file_totals(const struct covered_file *file, struct coverage_totals *add_to)
{
    if (file->in_fives)
        sum_fives(file, add_to);
    else
        sum_maps(file, add_to);
    branches_sum(&file->branches, &add_to->branches_covered, &add_to->branches_total);
    add_to->files++;
}

struct coverage_totals coverage_totals(const struct coverage *coverage)
{
    struct coverage_totals totals = {0};
    for (size_t i = 0; i < coverage->count; i++)
        covered_file_totals(&coverage->files[i], &totals);
    return totals;
}

// Files with one origin have different names already; mostly these are the names.
static bool all_differ(const struct coverage *coverage, const str *names)
{
    for (size_t i = 0; i < coverage->count; i++) {
        const struct covered_file *file = &coverage->files[i];
        if (file->origin != coverage->files[0].origin || names[i].data != file->reported.data ||
            names[i].len != file->reported.len)
            return false;
    }
    return true;
}

bool coverage_regroup(struct evidence *evidence, const str *names, struct error *err)
{
    struct coverage *coverage = &evidence->coverage;
    // Mostly no file is looked up by its reported name any more: it is made anew when one is.
    memory_free(coverage->index);
    coverage->index = NULL;
    coverage->index_room = 0;
    if (!names || all_differ(coverage, names))
        return true;
    size_t room = room_for(coverage->count), kept = 0;
    bool ok = true;
    uint32_t *index = memory_alloc(room * sizeof *index); // file before regrouping + 1
    uint32_t *place = memory_alloc((coverage->count + 1) * sizeof *place);
    for (size_t i = 0; i < coverage->count; i++) {
        size_t at = hash_of(names[i], 0) & (room - 1);
        while (index[at] && !str_eq(names[index[at] - 1], names[i]))
            at = (at + 1) & (room - 1);
        if (index[at]) {
            struct covered_file *first = &coverage->files[place[index[at] - 1]];
            ok = ok && coverage_unite(evidence, first, &coverage->files[i], err);
            continue;
        }
        index[at] = (uint32_t)i + 1;
        place[i] = (uint32_t)kept;
        coverage->files[kept++] = coverage->files[i];
    }
    coverage->count = kept;
    memory_free(index);
    memory_free(place);
    return ok;
}
