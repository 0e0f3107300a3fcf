#include "../expect.h"
#include "gate/base/limits.h"
#include "gate/doc/shape.h"

static struct arena arena;

static void done(void)
{
    arena_done(&arena);
}

TestSuite(problems, .fini = done);

Test(problems, none_and_first_with_a_count)
{
    struct problems problems = {.arena = &arena};
    struct error err = {.kind = ERROR_SYSTEM};
    cr_expect(problems_none(&problems, &err));
    cr_expect(err.kind == ERROR_SYSTEM, "untouched");
    problem_at(&problems, (struct position){"a.yml", 3, 4}, "%s is wrong", "x");
    cr_expect_not(problems_none(&problems, &err));
    expect_error(&err, ERROR_INPUT, "a.yml:3:4: x is wrong");
    problem_at(&problems, (struct position){"a.yml", 9, 1}, "y");
    problem_at(&problems, (struct position){"a.yml", 9, 2}, "z");
    cr_expect_not(problems_none(&problems, &err));
    expect_error(&err, ERROR_INPUT, "a.yml:3:4: x is wrong (and 2 more)");
}

Test(problems, sorted_by_file_line_and_column)
{
    static const struct position at[] = {{"b.yml", 5, 2}, {"a.yml", 9, 1}, {"b.yml", 5, 1},
                                         {"b.yml", 1, 7}, {NULL, 0, 0},    {"a.yml", 2, 2},
                                         {"b.yml", 5, 2}};
    static const char *const want[] = {"3", "2", "0", "6", "5", "1", "4"};
    struct problems problems = {.arena = &arena};
    for (int i = 0; i < 7; i++)
        problem_at(&problems, at[i], "%d", i);
    problems_sort(&problems);
    for (int i = 0; i < 7; i++)
        cr_expect_str_eq(problems.items[i].message, want[i], "place %d", i);
}

Test(problems, past_the_limit_they_are_counted)
{
    struct problems problems = {.arena = &arena};
    struct error err;
    for (unsigned i = 0; i < LIMIT_PROBLEMS + 7; i++)
        problem_at(&problems, (struct position){"a.yml", i + 1, 1}, "p%u", i);
    cr_expect(problems.count == LIMIT_PROBLEMS && problems.dropped == 7);
    cr_expect_not(problems_none(&problems, &err));
    expect_error(&err, ERROR_INPUT, "a.yml:1:1: p0 (and 206 more)");
    problems_sort(&problems);
    cr_expect_str_eq(problems.items[LIMIT_PROBLEMS - 1].message, "p199");
}

Test(problems, a_long_message_is_cut)
{
    struct problems problems = {.arena = &arena};
    struct error err;
    char longest[2000];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    problem_at(&problems, (struct position){"a.yml", 1, 1}, "%s", longest);
    problem_at(&problems, (struct position){"a.yml", 1, 1}, "y");
    cr_expect_not(problems_none(&problems, &err));
    cr_expect(strlen(err.message) < sizeof err.message);
    cr_expect(str_is_utf8(str_of(err.message)));
}
