// By which sign a change is a fix.
#include "gate/fix.h"

#include <criterion/criterion.h>

static struct arena arena;

static void done(void)
{
    arena_done(&arena);
}

TestSuite(fix, .fini = done);

static const char *ask(const struct fix_signs *signs, const char *branch, const char *label,
                       const char *message)
{
    str messages[] = {str_of("first"), str_of(message)};
    struct authors commits = {.messages = messages, .message_count = 2};
    const char *labels[] = {"size/S", label, NULL};
    return fix_sign(&arena,
                    &(struct fix_question){
                        .signs = signs, .branch = branch, .labels = labels, .commits = &commits});
}

Test(fix, the_usual_signs)
{
    static const struct {
        const char *branch, *label, *message, *why; // why null = it is no fix
    } rows[] = {
        {"fix/cart", NULL, "m", "branch fix/cart"},
        {"hotfix/a/b", NULL, "m", "branch hotfix/a/b"},
        {"bugfix/x", NULL, "m", "branch bugfix/x"},
        {"fixes", NULL, "m", NULL},
        {"feature/fix/x", NULL, "m", NULL},
        {NULL, "bug", "m", "label bug"},
        {"main", "bugs", "m", NULL},
        {"main", NULL, "Round up.\n\nFixes #12", "Fixes #12"},
        {"main", NULL, "closes: #7, and more", "closes #7"},
        {"main", NULL, "resolved #7", "resolved #7"},
        {"main", NULL, "see #12", NULL},
        {"main", NULL, "prefixes #12", NULL},
        {"main", NULL, "fixes # 12", NULL},
        {"main", NULL, "fixes #", NULL},
        {"main", NULL, "#1", NULL},
        {"main", NULL, "", NULL},
    };
    static const struct fix_signs signs = {.issues = true};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *why = ask(&signs, rows[i].branch, rows[i].label, rows[i].message);
        if (rows[i].why)
            cr_expect_str_eq(why ? why : "nothing", rows[i].why, "row %zu", i);
        else
            cr_expect_null(why, "row %zu: %s", i, why);
    }
}

Test(fix, signs_of_ones_own_replace_the_usual_ones)
{
    str branches[] = {STR("defect-*")}, labels[] = {STR("kind/defect")};
    struct fix_signs signs = {.branches = {branches, 1}, .labels = {labels, 1}};
    cr_expect_str_eq(ask(&signs, "defect-12", NULL, "m"), "branch defect-12");
    cr_expect_str_eq(ask(&signs, "main", "kind/defect", "m"), "label kind/defect");
    cr_expect_null(ask(&signs, "fix/cart", "bug", "fixes #12"), "issues are off");
}

Test(fix, nothing_is_known_of_the_change)
{
    static const struct fix_signs signs = {.issues = true};
    cr_expect_null(fix_sign(&arena, &(struct fix_question){.signs = &signs}));
}
