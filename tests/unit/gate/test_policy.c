#include "gate/policy.h"

#include "gate/doc/json.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct arena arena;
static char folder[64];

static void start(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/sluice-policy-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    (void)strcat(folder, "/");
}

static const char *const names[] = {"sluice.yml", "own.yml", "other.yml"};

static void done(void)
{
    for (size_t i = 0; i < 3; i++)
        (void)unlink(arena_format(&arena, "%s%s", folder, names[i]).data);
    (void)rmdir(folder);
    arena_done(&arena);
}

TestSuite(policy, .init = start, .fini = done);

static void put(const char *name, const char *content)
{
    FILE *file = fopen(arena_format(&arena, "%s%s", folder, name).data, "w");
    cr_assert_not_null(file);
    (void)fputs(content, file);
    (void)fclose(file);
}

static bool load(struct policy *ret, struct error *err)
{
    struct policy_request request = {
        .tree = {.root = folder}, .base = {.root = folder}, .path = "sluice.yml"};
    return policy_load(&arena, &request, ret, err);
}

static str total(const struct policy *policy)
{
    return node_text(node_get(node_get(policy->tree, "gate"), "coverage"), "total");
}

Test(policy, what_extends_nothing_extends_default)
{
    struct policy policy;
    struct error err = {0};
    put("sluice.yml", "version: 1\ngate: {coverage: {total: 55%}}\n");
    cr_assert(load(&policy, &err), "%s", err.message);
    cr_expect(str_is(total(&policy), "55%"));
    cr_expect(str_is(node_text(node_get(node_get(policy.tree, "gate"), "tests"), "failures"), "0"));
    cr_expect(policy.tighten, "there is no base");
    cr_expect(policy.asked[EVIDENCE_COVERAGE]);
    cr_expect_not(policy.asked[EVIDENCE_TESTS], "only the implied default speaks of tests");
    cr_expect_not(policy.risks_asked);
}

Test(policy, later_ones_and_its_own_words_win)
{
    struct policy policy;
    struct error err = {0};
    put("own.yml", "gate: {coverage: {total: 20%, changed: 70%}}\n");
    put("other.yml", "gate: {coverage: {total: 30%}}\n");
    put("sluice.yml", "version: 1\nextends: [legacy-django, own.yml, other.yml]\n");
    cr_assert(load(&policy, &err), "%s", err.message);
    cr_expect(str_is(total(&policy), "30%"));
    const struct node *coverage = node_get(node_get(policy.tree, "gate"), "coverage");
    cr_expect(str_is(node_text(coverage, "changed"), "70%"));
    cr_expect(policy.asked[EVIDENCE_TESTS], "a named policy asks");
    cr_expect_str_eq(node_get(coverage, "changed")->at.file, "own.yml");
}

Test(policy, the_digest_is_that_of_the_meaning)
{
    struct policy one, two, three;
    struct error err = {0};
    put("sluice.yml", "version: 1\ngate: {coverage: {total: 55%}}\n");
    cr_assert(load(&one, &err));
    put("sluice.yml", "# said otherwise\nversion: 1\ngate:\n  coverage:\n    total: 55%\n");
    cr_assert(load(&two, &err));
    put("sluice.yml", "version: 1\ngate: {coverage: {total: 54%}}\n");
    cr_assert(load(&three, &err));
    cr_expect_str_eq(one.sha256, two.sha256);
    cr_expect_str_neq(one.sha256, three.sha256);
}

Test(policy, what_is_wrong_is_said)
{
    static const struct {
        const char *yaml, *says;
        uint32_t line;
    } rows[] = {
        {"version: 1\nextends: [legacy-djang]\n", "no policy `legacy-djang`", 2},
        {"version: 1\nextends: [nowhere.yml]\n", "not there", 2},
        {"version: 1\nextends: [../x.yml]\n", "not a path inside", 2},
        {"version: 1\nextends:\n  - {a: b}\n", "names of policies", 3},
        {"version: 1\nextends: sluice.yml\n", "circle", 2},
        {"- a\n", "not a map", 1},
        {"a: [", "", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct policy policy;
        struct error err = {0};
        put("sluice.yml", rows[i].yaml);
        cr_assert_not(load(&policy, &err), "row %zu", i);
        cr_expect(strstr(err.message, rows[i].says), "row %zu: %s", i, err.message);
        cr_expect_eq(err.kind, ERROR_INPUT, "row %zu", i);
        cr_expect(rows[i].line == 0 || err.at.line == rows[i].line, "row %zu: %u", i, err.at.line);
    }
}

Test(policy, none_at_all_is_an_error)
{
    struct policy policy;
    struct error err = {0};
    cr_assert_not(load(&policy, &err));
    cr_expect_eq(err.kind, ERROR_ABSENT);
}

Test(policy, every_built_in_one_can_be_read)
{
    struct error err = {0};
    static const char *const built_in[] = {"default", "legacy-django"};
    for (size_t i = 0; i < 2; i++)
        cr_expect_not_null(policy_preset(&arena, str_of(built_in[i]), &err), "%s", err.message);
    cr_expect_null(policy_preset(&arena, STR("none"), &err));
}

Test(policy, paths_that_stay)
{
    static const struct {
        const char *path;
        bool stays;
    } rows[] = {{"a", true},   {"a/b", true}, {"..a", true},   {"a/..b", true},   {"", false},
                {"/a", false}, {"..", false}, {"../a", false}, {"a/../b", false}, {"a/..", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(source_path_stays(rows[i].path), rows[i].stays, "%s", rows[i].path);
}
