#include "workspace.h"

#include "gate/intake/go_modules.h"

TestSuite(go_modules, .init = workspace_init, .fini = workspace_done);

Test(go_modules, the_directive)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"module github.com/x/y\n\ngo 1.24\n", "github.com/x/y"},
        {"// Shop.\n\nmodule\texample.org/shop // the shop\r\n", "example.org/shop"},
        {"module \"example.org/shop\"", "example.org/shop"},
        {"module `example.org/shop`", "example.org/shop"},
        {"module (\n\n\t// why not\n\texample.org/shop\n)\n", "example.org/shop"},
        {"module (\n)\n", ""},
        {"go 1.24\nmodule a.b/c\n", "a.b/c"},
        {"modules x\n", ""},
        {"// module x\n", ""},
        {"module\n", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_str(go_module_of(str_of(rows[i].text)), rows[i].want);
}

Test(go_modules, of_a_working_tree)
{
    str paths[] = {STR_INIT("go.mod"), STR_INIT("gone/go.mod"), STR_INIT("linked/go.mod"),
                   STR_INIT("notgo.mod"), STR_INIT("services/desk/go.mod")};
    struct repository_paths all = {paths, 5, 5};
    struct go_modules modules;
    put("go.mod", "module example.org/shop\n");
    put("notgo.mod", "module example.org/not\n");
    put("services/desk/go.mod", "module example.org/desk\n");
    put("linked/a", "");
    cr_assert_eq(symlink("/etc/passwd", workspace_path("linked/go.mod")), 0);
    int folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    go_modules_find(&arena, folder, &all, &modules);
    (void)close(folder);
    cr_assert_eq(modules.count, 2);
    expect_str(modules.items[0].prefix, "example.org/shop");
    expect_str(modules.items[0].folder, "");
    expect_str(modules.items[1].prefix, "example.org/desk");
    expect_str(modules.items[1].folder, "services/desk");
}

// From a cover profile of the usual name to the repository's own path. A file of such a name that
// is none is nobody's report.
Test(go_modules, a_profile_finds_its_files)
{
    str paths[] = {STR_INIT("services/desk/a.go"), STR_INIT("services/desk/go.mod")};
    struct repository_paths all = {paths, 2, 2};
    struct intake_request request = {.root = root, .paths = &all};
    struct intake intake;
    struct error err = {0};
    put("services/desk/go.mod", "module example.org/frontdesk\n");
    put("coverage.out", "mode: set\nexample.org/frontdesk/a.go:3.1,5.2 1 1\n");
    put("coverage.txt", "total: (statements) 80.0%\n");
    cr_assert(intake_run(&request, &evidence, &intake, &err), "%s", err.message);
    cr_assert_eq(evidence.report_count, 1);
    cr_expect_str_eq(evidence.reports[0].path, "coverage.out");
    cr_assert_eq(evidence.coverage.count, 1);
    expect_str(evidence.coverage.files[0].path, "services/desk/a.go");
    cr_expect_eq(intake.unmatched.count, 0);
}

Test(go_modules, a_shared_name_that_is_asked_for_must_be_a_report)
{
    struct evidence_coverage coverage = {0};
    struct evidence_config config = {.coverage = &coverage};
    struct intake_request request = {.root = root, .config = &config};
    struct intake intake;
    struct error err = {0};
    str pattern = STR("coverage.txt");
    coverage.reports.items = &pattern;
    coverage.reports.count = 1;
    put("coverage.txt", "total: (statements) 80.0%\n");
    cr_assert(intake_run(&request, &evidence, &intake, &err), "%s", err.message);
    cr_assert_eq(evidence.report_count, 1);
    cr_expect_eq(evidence.reports[0].error.kind, ERROR_INPUT);
}
