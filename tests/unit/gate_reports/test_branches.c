#include "feed.h"

#include "gate/reports/branches.h"

// What is packed, beside a plain table that says the same. Rows of both are lines.
enum { LINES = 40, NAMES = 300, SPREAD = 37 };

struct plain {
    bool known[LINES][NAMES], taken[LINES][NAMES];
    uint32_t covered[LINES], total[LINES]; // by counts only
};

static struct plain plain;
static struct arena arena;
static unsigned long long state;

static void begin(void)
{
    plain = (struct plain){0};
    state = 20261122;
}

static void done(void)
{
    arena_done(&arena);
}

TestSuite(branches, .init = begin, .fini = done);

static uint32_t chance(uint32_t below)
{
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(state >> 33) % below;
}

static uint32_t line_of(uint32_t row) // some neighbours, some far apart
{
    return row % 4 == 3 ? row * SPREAD * SPREAD + 1 : row * SPREAD + 1;
}

static void expect_same(const struct branches *branches)
{
    struct branch_walk walk = branch_walk_of(branches);
    struct branch_count have = {0};
    bool any[LINES] = {false};
    uint64_t all_covered = 0, all_total = 0;
    for (uint32_t before = 0; branch_next(&walk, &have); before = have.line) {
        cr_assert_gt(have.line, before);
        uint32_t row = 0, named = 0, taken = 0;
        while (row < LINES && line_of(row) != have.line)
            row++;
        cr_assert_lt(row, LINES);
        any[row] = true;
        all_covered += have.covered;
        all_total += have.total;
        for (int i = 0; i < NAMES; i++) {
            named += plain.known[row][i];
            taken += plain.taken[row][i];
        }
        cr_assert_eq(have.total, named > plain.total[row] ? named : plain.total[row]);
        cr_assert_eq(have.covered, taken > plain.covered[row] ? taken : plain.covered[row]);
    }
    uint64_t covered = 0, total = 0;
    branches_sum(branches, &covered, &total);
    cr_assert_eq(covered, all_covered);
    cr_assert_eq(total, all_total);
    for (uint32_t row = 0; row < LINES; row++)
        for (int i = 0; i < NAMES; i++)
            cr_assert(any[row] || !plain.known[row][i]);
}

// Lines in any order; few different names, as tools have them, or many.
static void unite_arms(struct branches *into, uint32_t names)
{
    struct branches stage = {0};
    struct branch_arm arms[200];
    uint32_t count = 0;
    bool own = names > 9; // names that no other line has
    for (uint32_t row = chance(LINES); row < LINES && count < 180; row += 1 + chance(4)) {
        uint32_t of_row = names == 2 ? 2 : 1 + chance(names);
        for (uint32_t i = 0; i < of_row; i++) {
            char name[16];
            bool taken = chance(4) == 0;
            (void)snprintf(name, sizeof name, "%u,%u", own ? row + 1 : 0, i);
            arms[count++] = (struct branch_arm){line_of(row), branch_arm_of(str_of(name), taken)};
            plain.known[row][own ? 100 + i : i] = true;
            plain.taken[row][own ? 100 + i : i] |= taken;
        }
    }
    branches_of_arms(&arena, &stage, arms, count);
    branches_unite(&arena, into, &stage);
}

static void unite_counts(struct branches *into)
{
    struct branches stage = {0};
    struct branch_count counts[LINES];
    size_t count = 0;
    for (uint32_t row = chance(LINES); row < LINES; row += 1 + chance(4)) {
        uint32_t total = 1 + chance(3) * chance(400), covered = chance(total + 1);
        counts[count++] = (struct branch_count){line_of(row), (uint16_t)covered, (uint16_t)total};
        plain.total[row] = total > plain.total[row] ? total : plain.total[row];
        plain.covered[row] = covered > plain.covered[row] ? covered : plain.covered[row];
    }
    branches_of_counts(&arena, &stage, counts, count);
    branches_unite(&arena, into, &stage);
}

Test(branches, whatever_is_united_a_plain_table_says_the_same)
{
    static const uint32_t names[] = {2, 2, 3, 9, 12};
    for (uint32_t world = 0; world < 60; world++) {
        struct branches branches = {0};
        plain = (struct plain){0};
        for (int round = 0; round < 12; round++) {
            if (chance(4) == 0 && world % 2)
                unite_counts(&branches);
            else
                unite_arms(&branches, names[chance(world % 5 + 1)]);
            expect_same(&branches);
        }
        arena_done(&arena);
    }
}

static void put_pair(struct branches *into, uint32_t line, const char *a, const char *b,
                     unsigned taken)
{
    struct branches stage = {0};
    struct branch_arm arms[] = {{line, branch_arm_of(str_of(a), taken & 1)},
                                {line, branch_arm_of(str_of(b), taken & 2)}};
    branches_of_arms(&arena, &stage, arms, 2);
    branches_unite(&arena, into, &stage);
}

static void expect_count(const struct branches *branches, uint32_t line, int covered, int total)
{
    struct branch_walk walk = branch_walk_of(branches);
    for (struct branch_count one; branch_next(&walk, &one);)
        if (one.line == line) {
            cr_expect_eq(one.covered, covered, "line %u: %u", line, one.covered);
            cr_expect_eq(one.total, total, "line %u: %u", line, one.total);
            return;
        }
    cr_assert_fail("line %u is missing", line);
}

// What is added behind the rest refers to names before it; what is added in between must not
// change what those behind it refer to.
Test(branches, names_stay_those_of_their_line)
{
    struct branches branches = {0};
    put_pair(&branches, 10, "0,0", "0,1", 1);
    put_pair(&branches, 20, "0,0", "0,1", 1);
    put_pair(&branches, 15, "7,0", "7,1", 1);
    put_pair(&branches, 20, "0,0", "0,1", 2);
    put_pair(&branches, 15, "0,0", "0,1", 2);
    expect_count(&branches, 10, 1, 2);
    expect_count(&branches, 15, 2, 4);
    expect_count(&branches, 20, 2, 2);
}

Test(branches, two_without_names_stay_without)
{
    struct branches branches = {0}, counts = {0}, more = {0};
    struct branch_count two[] = {{5, 1, 2}, {6, 2, 2}};
    branches_of_counts(&arena, &counts, two, 2);
    branches_unite(&arena, &branches, &counts);
    put_pair(&branches, 4, "0,0", "0,1", 3);
    branches_of_counts(&arena, &more, &(struct branch_count){5, 1, 2}, 1);
    branches_unite(&arena, &branches, &more); // the same one, for all that is known
    expect_count(&branches, 4, 2, 2);
    expect_count(&branches, 5, 1, 2);
    expect_count(&branches, 6, 2, 2);
}

Test(branches, a_line_takes_a_byte)
{
    struct branches branches = {0};
    struct branch_arm arms[2000];
    for (uint32_t i = 0; i < 1000; i++)
        for (uint32_t k = 0; k < 2; k++)
            arms[2 * i + k] = (struct branch_arm){
                5 * i + 1, branch_arm_of(k ? STR("0,1") : STR("0,0"), i % 3 > 0)};
    branches_of_arms(&arena, &branches, arms, 2000);
    cr_expect_lt(branches.size, 1020);
}
