#include "feed.h"

#include "gate/base/limits.h"

#include <stdlib.h>

static struct evidence evidence;

static void done(void)
{
    evidence_done(&evidence);
}

TestSuite(coverage, .fini = done);

Test(coverage, a_line_hit_once_is_hit)
{
    struct error err = {0};
    struct covered_file *file = coverage_file(&evidence, STR("a.c"));
    cr_assert(coverage_line(&evidence, file, 1, 0, &err));
    cr_assert(coverage_line(&evidence, file, 64, 3, &err));
    cr_assert(coverage_line(&evidence, file, 64, 0, &err));
    cr_assert(coverage_line(&evidence, file, 1000, 0, &err));
    cr_expect(line_known(file, 1) && !line_hit(file, 1));
    cr_expect(line_known(file, 64) && line_hit(file, 64));
    cr_expect(line_known(file, 1000));
    cr_expect_not(line_known(file, 2));
    cr_expect_not(line_known(file, 100000000));
    cr_expect_str_eq(coverage_words(&evidence), "lines 1/3 branches 0/0 files 1");
}

// Lines are packed by five in the table and stand in words of 64 while they are read: each of them
// comes back, wherever it lies, and so do its neighbours.
Test(coverage, random_lines_against_a_table)
{
    enum { LINES = 400 };
    static unsigned char known[LINES], hit[LINES];
    struct error err = {0};
    srand(5);
    struct covered_file *file = coverage_file(&evidence, STR("a.c"));
    for (int round = 0; round < 60; round++) {
        struct arena arena = {0};
        struct covered_file stage = {0};
        for (int i = 0; i < 8; i++) {
            uint32_t line = (uint32_t)(rand() % (round * 6 + 40)) + 1;
            uint64_t hits = (uint64_t)(rand() % 2);
            cr_assert(covered_line(&arena, &stage, line, hits, &err));
            known[line] = 1;
            hit[line] |= hits > 0;
        }
        for (uint32_t line = 0; line <= stage.last_line; line++)
            cr_expect(line_known(&stage, line) >= line_hit(&stage, line));
        cr_assert(coverage_unite(&evidence, file, &stage, &err));
        arena_done(&arena);
        struct coverage_totals totals = {0};
        uint64_t all = 0, covered = 0;
        for (uint32_t line = 0; line < LINES; line++) {
            cr_assert_eq(line_known(file, line), known[line], "line %u", line);
            cr_assert_eq(line_hit(file, line), hit[line], "line %u", line);
            all += known[line];
            covered += hit[line];
        }
        covered_file_totals(file, &totals);
        cr_assert_eq(totals.lines_total, all);
        cr_assert_eq(totals.lines_covered, covered);
    }
}

Test(coverage, lines_outside_of_a_file_are_refused)
{
    struct error err = {0};
    struct covered_file *file = coverage_file(&evidence, STR("a.c"));
    cr_expect_not(coverage_line(&evidence, file, 0, 1, &err));
    cr_expect_eq(err.kind, ERROR_INPUT);
    cr_expect_not(coverage_line(&evidence, file, LIMIT_SOURCE_LINE + 1, 1, &err));
    cr_expect_not(coverage_branches(&evidence, file, 0, 1, 2, &err));
    cr_expect(coverage_line(&evidence, file, LIMIT_SOURCE_LINE, 1, &err));
    cr_expect_str_eq(coverage_words(&evidence), "lines 1/1 branches 0/0 files 1");
}

Test(coverage, a_file_is_found_again_among_many)
{
    struct error err = {0};
    char name[32];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3000; i++) {
            (void)snprintf(name, sizeof name, "f%d.c", i);
            struct covered_file *file = coverage_file(&evidence, str_of(name));
            cr_assert(coverage_line(&evidence, file, (uint32_t)i % 200 + 1, (uint64_t)round, &err));
        }
    }
    cr_expect_str_eq(coverage_words(&evidence), "lines 3000/3000 branches 0/0 files 3000");
}

Test(coverage, the_larger_count_of_branches_stands)
{
    struct error err = {0};
    struct covered_file *file = coverage_file(&evidence, STR("a.c"));
    static const struct branch_count given[] = {{5, 1, 2}, {9, 0, 4}, {5, 2, 2}, {7, 1, 2},
                                                {9, 3, 4}, {5, 0, 2}, {1, 1, 1}, {8, 1, 3}};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        cr_assert(coverage_branches(&evidence, file, given[i].line, given[i].covered,
                                    given[i].total, &err));
    static const struct branch_count wanted[] = {
        {1, 1, 1}, {5, 2, 2}, {7, 1, 2}, {8, 1, 3}, {9, 3, 4}};
    struct branch_walk walk = branch_walk_of(&file->branches);
    struct branch_count have;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        cr_assert(branch_next(&walk, &have));
        cr_expect_eq(have.line, wanted[i].line);
        cr_expect_eq(have.covered, wanted[i].covered);
        cr_expect_eq(have.total, wanted[i].total);
    }
    cr_expect_not(branch_next(&walk, &have));
    cr_expect_str_eq(coverage_words(&evidence), "lines 0/0 branches 8/12 files 1");
    cr_expect(evidence.coverage.has_branches);
}

// ---- arms: branches with a name -----------------------------------------------------------------

static void unite_arms(struct covered_file *file, const struct branch_arm *arms, size_t count)
{
    struct arena arena = {0};
    struct covered_file stage = {0};
    struct branch_arm copy[1024];
    struct error err = {0};
    memcpy(copy, arms, count * sizeof *arms);
    covered_arms(&arena, &stage, copy, count);
    cr_assert(coverage_unite(&evidence, file, &stage, &err));
    arena_done(&arena);
}

static struct branch_count first_of(const struct covered_file *file)
{
    struct branch_walk walk = branch_walk_of(&file->branches);
    struct branch_count first;
    cr_assert(branch_next(&walk, &first));
    return first;
}

static struct branch_arm arm(uint32_t line, const char *name, bool taken)
{
    return (struct branch_arm){line, branch_arm_of(str_of(name), taken)};
}

Test(coverage, arms_unite_by_name)
{
    struct covered_file *file = coverage_file(&evidence, STR("a.c"));
    unite_arms(file, (struct branch_arm[]){arm(3, "0,0", true), arm(3, "0,1", false)}, 2);
    cr_expect_str_eq(coverage_words(&evidence), "lines 0/0 branches 1/2 files 1");
    // Another shard took the other arm: by count it would stay at 1.
    unite_arms(file, (struct branch_arm[]){arm(3, "0,1", true), arm(3, "0,0", false)}, 2);
    cr_expect_str_eq(coverage_words(&evidence), "lines 0/0 branches 2/2 files 1");
    // A third one knows one more arm, and a line before.
    unite_arms(file, (struct branch_arm[]){arm(3, "0,2", false), arm(1, "0,0", true)}, 2);
    cr_expect_str_eq(coverage_words(&evidence), "lines 0/0 branches 3/4 files 1");
    cr_expect_eq(first_of(file).line, 1);
}

Test(coverage, an_arm_listed_twice_is_one)
{
    struct covered_file *file = coverage_file(&evidence, STR("a.c"));
    unite_arms(file,
               (struct branch_arm[]){arm(3, "0,0", false), arm(3, "0,1", false),
                                     arm(3, "0,0", true), arm(3, "0,0", false)},
               4);
    cr_expect_str_eq(coverage_words(&evidence), "lines 0/0 branches 1/2 files 1");
}

Test(coverage, arms_and_counts_of_one_line_agree_in_any_order)
{
    struct error err = {0};
    for (int order = 0; order < 2; order++) {
        struct covered_file *file = coverage_file(&evidence, order ? STR("a") : STR("b"));
        if (order)
            cr_assert(coverage_branches(&evidence, file, 3, 2, 4, &err));
        unite_arms(file, (struct branch_arm[]){arm(3, "0,0", true), arm(3, "0,1", false)}, 2);
        if (!order)
            cr_assert(coverage_branches(&evidence, file, 3, 2, 4, &err));
        cr_expect_eq(first_of(file).covered, 2);
        cr_expect_eq(first_of(file).total, 4);
        unite_arms(file, (struct branch_arm[]){arm(3, "0,1", true)}, 1);
        cr_expect_eq(first_of(file).covered, 2);
    }
}

Test(coverage, more_arms_than_are_kept_still_count)
{
    struct covered_file *file = coverage_file(&evidence, STR("a.c"));
    struct branch_arm arms[600];
    char name[16];
    for (uint32_t i = 0; i < 600; i++) {
        (void)snprintf(name, sizeof name, "0,%u", i % 300);
        arms[i] = arm(7, name, i % 3 == 0);
    }
    unite_arms(file, arms, 600);
    cr_expect_eq(first_of(file).total, 300);
    cr_expect_eq(first_of(file).covered, 100);
    unite_arms(file, arms, 300);
    cr_expect_eq(first_of(file).total, 300);
    cr_expect_eq(first_of(file).covered, 100);
}

// Whatever is united in whatever order, a plain table of (line, name) says the same.
Test(coverage, random_arms_against_a_table)
{
    enum { LINES = 30, NAMES = 6 };
    bool known[LINES][NAMES] = {{false}}, taken[LINES][NAMES] = {{false}};
    unsigned random = 20261122;
    struct covered_file *file = coverage_file(&evidence, STR("a.c"));
    for (int round = 0; round < 300; round++) {
        struct branch_arm arms[40];
        random = random * 1103515245U + 12345U;
        size_t count = 1 + (random >> 16) % 40;
        for (size_t i = 0; i < count; i++) {
            char name[16];
            random = random * 1103515245U + 12345U;
            unsigned line = (random >> 8) % LINES, which = (random >> 16) % NAMES;
            bool hit = (random >> 24) % 8 == 0;
            (void)snprintf(name, sizeof name, "0,%u", which);
            arms[i] = arm(line + 1, name, hit);
            known[line][which] = true;
            taken[line][which] |= hit;
        }
        unite_arms(file, arms, count);
        uint32_t total = 0, covered = 0, have_total = 0, have_covered = 0;
        for (size_t line = 0; line < LINES; line++)
            for (size_t i = 0; i < NAMES; i++) {
                total += known[line][i];
                covered += taken[line][i];
            }
        struct branch_walk walk = branch_walk_of(&file->branches);
        for (struct branch_count one; branch_next(&walk, &one);) {
            have_total += one.total;
            have_covered += one.covered;
        }
        cr_assert_eq(have_total, total);
        cr_assert_eq(have_covered, covered);
    }
}

Test(coverage, byte_ranges_that_follow_each_other_are_one)
{
    struct covered_file *file = coverage_file(&evidence, STR("a.c"));
    coverage_range(&evidence, file, 0, 100, 200);
    coverage_range(&evidence, file, 0, 210, 300);
    coverage_range(&evidence, file, 0, 5000, 5100);
    coverage_range(&evidence, file, 1, 5100, 5200);
    cr_assert_eq(file->range_count, 3);
    cr_expect_eq(byte_range_end(covered_range(file, 0)), 300);
    cr_expect_eq(covered_range(file, 2)->report, 1);
}

Test(coverage, byte_ranges_stay_as_they_were_while_more_come)
{
    struct covered_file *file = coverage_file(&evidence, STR("a.c"));
    for (uint32_t count = 0; count < 40; count++) {
        coverage_range(&evidence, file, count % 3, count * 1000, count * 1000 + count + 1);
        cr_assert_eq(file->range_count, count + 1);
        for (uint32_t i = 0; i <= count; i++) {
            const struct byte_range *range = covered_range(file, i);
            cr_assert(range == &covered_ranges(file)[i]);
            cr_assert_eq(range->from, i * 1000, "%u of %u", i, count);
            cr_assert_eq(range->size, i + 1);
            cr_assert_eq(range->report, i % 3);
        }
    }
}

Test(coverage, regrouping_unites_what_is_the_same)
{
    struct error err = {0};
    static const char *const names[] = {"a/x.c", "x.c", "y.c", "b/x.c"};
    const str keys[] = {STR("x"), STR("x"), STR("y"), STR("other")};
    for (uint32_t i = 0; i < 4; i++)
        cr_assert(
            coverage_line(&evidence, coverage_file(&evidence, str_of(names[i])), i + 1, 1, &err));
    cr_assert(coverage_regroup(&evidence, keys, &err));
    cr_expect_str_eq(coverage_words(&evidence), "lines 4/4 branches 0/0 files 3");
    cr_expect(line_hit(&evidence.coverage.files[0], 1));
    cr_expect(line_hit(&evidence.coverage.files[0], 2));
    expect_str(evidence.coverage.files[2].reported, "b/x.c");
    cr_expect_eq(coverage_file(&evidence, STR("y.c")), &evidence.coverage.files[1]);
}

Test(coverage, regrouping_without_names_leaves_all_files)
{
    struct error err = {0};
    cr_assert(coverage_line(&evidence, coverage_file(&evidence, STR("a.c")), 1, 1, &err));
    cr_assert(coverage_line(&evidence, coverage_file(&evidence, STR("b.c")), 1, 1, &err));
    cr_assert(coverage_regroup(&evidence, NULL, &err));
    cr_expect_str_eq(coverage_words(&evidence), "lines 2/2 branches 0/0 files 2");
    cr_expect_eq(coverage_file(&evidence, STR("b.c")), &evidence.coverage.files[1]);
}
