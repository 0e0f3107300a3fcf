#include "workspace.h"

static void done(void)
{
    evidence_done(&evidence);
    arena_done(&arena);
}

TestSuite(path_map, .fini = done);

Test(path_map, tidy_paths)
{
    static const struct {
        const char *path, *want;
    } rows[] = {
        {"a/b.c", "a/b.c"},
        {"./a//b.c", "a/b.c"},
        {"a/./b/../c.c", "a/c.c"},
        {"/a/b/", "/a/b"},
        {"C:\\temp\\a.c", "C:/temp/a.c"},
        {"../a.c", "../a.c"},
        {"../../a.c", "../../a.c"},
        {"/a/../b", "/b"},
        {"", ""},
        {"a/..", ""},
        {"\\\\host\\x", "/host/x"},
        {".", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        expect_str(path_tidy(&arena, str_of(rows[i].path)), rows[i].want);
    }
}

static const str repository[] = {
    STR_INIT("Makefile"),           STR_INIT("app/__init__.py"),
    STR_INIT("app/models.py"),      STR_INIT("app/pay/__init__.py"),
    STR_INIT("app/pay/card.py"),    STR_INIT("front/index.js"),
    STR_INIT("front/lib/index.js"), STR_INIT("setup.py"),
    STR_INIT("sys/types.h"),        STR_INIT("tool/main.c"),
};

// One covered file for each name, from a report with these sources; one line each.
static void report(const char *const *sources, const char *const *names)
{
    struct error err = {0};
    uint32_t index;
    struct evidence part = {0};
    struct report *report = evidence_report(&part, "r", NULL, &index);
    for (; *sources; sources++)
        report_source(&part, report, str_of(*sources));
    for (uint32_t i = 0; names[i]; i++)
        cr_assert(coverage_line(&part, coverage_file(&part, str_of(names[i])), i + 1, 1, &err));
    evidence_absorb(&evidence, &part);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static struct unmatched map(const char *strip)
{
    struct error err = {0};
    struct unmatched unmatched;
    str prefix = str_of(strip);
    struct path_map map = {.paths = repository,
                           .path_count = sizeof repository / sizeof *repository,
                           .strip = &prefix,
                           .strip_count = strip != NULL,
                           .root = "/srv/checkout"};
    cr_assert(path_map_apply(&map, &evidence, &unmatched, &err), "%s", err.message);
    return unmatched;
}

static const char *path_of(const char *reported)
{
    for (size_t i = 0; i < evidence.coverage.count; i++)
        if (str_is(evidence.coverage.files[i].reported, reported))
            return arena_copy(&arena, evidence.coverage.files[i].path);
    return "(not there)";
}

Test(path_map, absolute_paths_of_another_machine)
{
    report(LIST(), LIST("/home/runner/work/x/x/app/models.py", "/home/runner/work/x/x/setup.py",
                        "/home/runner/work/x/x/gone.py", "/usr/include/sys/types.h",
                        "/elsewhere/setup.py"));
    struct unmatched unmatched = map(NULL);
    cr_expect_str_eq(path_of("/home/runner/work/x/x/app/models.py"), "app/models.py");
    cr_expect_str_eq(path_of("/home/runner/work/x/x/setup.py"), "setup.py");
    cr_expect_str_eq(path_of("/usr/include/sys/types.h"), "");
    cr_expect_str_eq(path_of("/elsewhere/setup.py"), ""); // only its name agrees
    cr_assert_eq(unmatched.count, 3);
    expect_str(unmatched.items[0].reported, "/elsewhere/setup.py");
    cr_expect_not(unmatched.items[0].ambiguous);
}

Test(path_map, a_flat_repository)
{
    report(LIST(), LIST("/builds/x/setup.py", "/builds/x/Makefile"));
    cr_expect_eq(map(NULL).count, 0);
    cr_expect_str_eq(path_of("/builds/x/setup.py"), "setup.py");
}

Test(path_map, the_root_and_configured_prefixes_are_exact)
{
    report(LIST(), LIST("/srv/checkout/setup.py", "/srv/build/app/app/models.py"));
    cr_expect_eq(map("/srv/build/app/").count, 0);
    cr_expect_str_eq(path_of("/srv/checkout/setup.py"), "setup.py");
    cr_expect_str_eq(path_of("/srv/build/app/app/models.py"), "app/models.py");
}

Test(path_map, sources_are_joined)
{
    report(LIST("/home/runner/work/x/x/app"),
           LIST("__init__.py", "pay/__init__.py", "pay/gone.py"));
    struct unmatched unmatched = map(NULL);
    cr_expect_str_eq(path_of("__init__.py"), "app/__init__.py");
    cr_expect_str_eq(path_of("pay/__init__.py"), "app/pay/__init__.py");
    cr_assert_eq(unmatched.count, 1);
    expect_str(unmatched.items[0].reported, "pay/gone.py");
}

Test(path_map, the_end_that_fits_one_file_only)
{
    report(LIST(), LIST("pay/card.py", "models.py", "lib/index.js", "index.js", "__init__.py",
                        "app\\pay\\__init__.py"));
    struct unmatched unmatched = map(NULL);
    cr_expect_str_eq(path_of("pay/card.py"), "app/pay/card.py");
    cr_expect_str_eq(path_of("models.py"), "app/models.py");
    cr_expect_str_eq(path_of("lib/index.js"), "front/lib/index.js");
    cr_expect_str_eq(path_of("app\\pay\\__init__.py"), "app/pay/__init__.py");
    cr_assert_eq(unmatched.count, 2);
    expect_str(unmatched.items[0].reported, "__init__.py");
    cr_expect(unmatched.items[0].ambiguous);
    expect_str(unmatched.items[1].reported, "index.js");
    cr_expect(unmatched.items[1].ambiguous);
}

Test(path_map, two_sources_that_both_fit_are_ambiguous)
{
    report(LIST("/x/app", "/x/app/pay"), LIST("__init__.py", "card.py"));
    struct unmatched unmatched = map(NULL);
    cr_expect_str_eq(path_of("card.py"), "app/pay/card.py");
    cr_expect_str_eq(path_of("__init__.py"), ""); // app's, or app/pay's: nothing says which
    cr_assert_eq(unmatched.count, 1);
    cr_expect(unmatched.items[0].ambiguous);
}

Test(path_map, a_source_of_the_system_is_not_ours)
{
    report(LIST("/usr/lib/python3/dist-packages"), LIST("setup.py"));
    cr_expect_eq(map(NULL).count, 1);
}

Test(path_map, reports_of_one_file_unite_under_its_path)
{
    report(LIST("/home/runner/x/app"), LIST("models.py"));
    report(LIST(), LIST("/home/runner/x/app/models.py"));
    report(LIST(), LIST("app/gone.py", "app/models.py"));
    report(LIST("/home/runner/x/app"), LIST("gone2.py"));
    report(LIST(), LIST("/home/runner/x/app/gone2.py"));
    struct unmatched unmatched = map(NULL);
    cr_expect_eq(evidence.coverage.count, 3);
    cr_expect_eq(unmatched.count, 3); // each report's own word for it
    struct coverage_totals totals = coverage_totals(&evidence.coverage);
    cr_expect_eq(totals.lines_total, 4);
}

Test(path_map, of_many_that_do_not_match_some_are_named_and_all_are_counted)
{
    char name[32];
    struct error err = {0};
    struct evidence part = {0};
    uint32_t index;
    (void)evidence_report(&part, "r", NULL, &index);
    for (unsigned i = 0; i < UNMATCHED_NAMED + 500; i++) {
        (void)snprintf(name, sizeof name, "/elsewhere/%04u.c", 5000 - i);
        cr_assert(coverage_line(&part, coverage_file(&part, str_of(name)), 1, 1, &err));
    }
    evidence_absorb(&evidence, &part);
    struct unmatched unmatched = map(NULL);
    cr_expect_eq(unmatched.count, UNMATCHED_NAMED + 500);
    cr_assert_eq(unmatched.named, UNMATCHED_NAMED);
    for (size_t i = 1; i < unmatched.named; i++)
        cr_expect(str_cmp(unmatched.items[i - 1].reported, unmatched.items[i].reported) < 0);
}

Test(path_map, without_a_repository_paths_stand_as_reported)
{
    struct error err = {0};
    struct unmatched unmatched;
    struct path_map map = {0};
    report(LIST("/home/x/app"), LIST("models.py"));
    report(LIST(), LIST("/home/x/app/models.py", "other.py"));
    cr_assert(path_map_apply(&map, &evidence, &unmatched, &err));
    cr_expect_eq(unmatched.count, 0);
    cr_expect_eq(evidence.coverage.count, 2);
    cr_expect_str_eq(path_of("models.py"), "models.py");
    cr_expect_str_eq(path_of("other.py"), "other.py");
}

// The same with other files in the repository, and with Go modules.
static struct unmatched map_in(const char *const *files, const struct path_module *modules,
                               size_t module_count)
{
    struct error err = {0};
    struct unmatched unmatched;
    str paths[32];
    size_t count = 0;
    for (; files[count]; count++)
        paths[count] = str_of(files[count]);
    struct path_map map = {
        .paths = paths, .path_count = count, .modules = modules, .module_count = module_count};
    cr_assert(path_map_apply(&map, &evidence, &unmatched, &err), "%s", err.message);
    return unmatched;
}

Test(path_map, java_reports_packages_not_folders)
{
    report(LIST(), LIST("org/x/Foo.java", "org/x/Bar.java", "org/x/gen/Made.java"));
    struct unmatched unmatched =
        map_in(LIST("a/src/main/java/org/x/Bar.java", "b/src/main/java/org/x/Bar.java",
                    "src/main/java/org/x/Foo.java", "src/main/java/x/gen/Made.java"),
               NULL, 0);
    cr_expect_str_eq(path_of("org/x/Foo.java"), "src/main/java/org/x/Foo.java");
    cr_assert_eq(unmatched.count, 2);
    expect_str(unmatched.items[0].reported, "org/x/Bar.java");
    cr_expect(unmatched.items[0].ambiguous);
    expect_str(unmatched.items[1].reported, "org/x/gen/Made.java"); // Java has no short folders
}

Test(path_map, kotlin_folders_may_leave_out_the_common_package)
{
    report(LIST(), LIST("com/acme/app/ui/Screen.kt", "com/acme/app/Main.kt", "com/acme/app/Full.kt",
                        "com/acme/app/db/Dao.kt", "com/other/lib/Main.kt"));
    struct unmatched unmatched =
        map_in(LIST("app/src/main/java/com/acme/app/Full.kt", "app/src/main/kotlin/Main.kt",
                    "app/src/main/kotlin/db/Dao.kt", "app/src/main/kotlin/ui/Screen.kt",
                    "core/src/main/kotlin/db/Dao.kt"),
               NULL, 0);
    cr_expect_str_eq(path_of("com/acme/app/ui/Screen.kt"), "app/src/main/kotlin/ui/Screen.kt");
    cr_expect_str_eq(path_of("com/acme/app/Full.kt"), "app/src/main/java/com/acme/app/Full.kt");
    cr_expect_str_eq(path_of("com/acme/app/Main.kt"), "app/src/main/kotlin/Main.kt");
    cr_assert_eq(unmatched.count, 2);
    expect_str(unmatched.items[0].reported, "com/acme/app/db/Dao.kt");
    cr_expect(unmatched.items[0].ambiguous);
    expect_str(unmatched.items[1].reported, "com/other/lib/Main.kt"); // only its name agrees
    cr_expect_not(unmatched.items[1].ambiguous);
}

Test(path_map, go_files_of_known_modules)
{
    static const struct path_module modules[] = {
        {STR_INIT("github.com/x/shop"), {NULL, 0}},
        {STR_INIT("github.com/x/shop/tools"), STR_INIT("build/tools")},
        {STR_INIT("example.org/desk"), STR_INIT("services/desk-svc")},
    };
    report(LIST(), LIST("github.com/x/shop/main.go", "github.com/x/shop/pay/card.go",
                        "github.com/x/shop/tools/gen.go", "example.org/desk/main.go",
                        "github.com/y/lib/pay/card.go", "github.com/x/shop/pay/made.go",
                        "github.com/x/shopping/pay/card.go", "pay/card.go"));
    struct unmatched unmatched =
        map_in(LIST("build/tools/gen.go", "main.go", "pay/card.go", "services/desk-svc/main.go",
                    "tools/gen.go", "vendor/x/pay/made.go"),
               modules, 3);
    cr_expect_str_eq(path_of("github.com/x/shop/main.go"), "main.go");
    cr_expect_str_eq(path_of("github.com/x/shop/pay/card.go"), "pay/card.go");
    cr_expect_str_eq(path_of("github.com/x/shop/tools/gen.go"), "build/tools/gen.go");
    cr_expect_str_eq(path_of("example.org/desk/main.go"), "services/desk-svc/main.go");
    cr_assert_eq(unmatched.count, 3);
    expect_str(unmatched.items[0].reported, "github.com/x/shop/pay/made.go");
    expect_str(unmatched.items[1].reported, "github.com/x/shopping/pay/card.go");
    expect_str(unmatched.items[2].reported, "github.com/y/lib/pay/card.go");
}

Test(path_map, go_files_without_a_known_module)
{
    static const struct path_module other = {STR_INIT("example.org/tools"), STR_INIT("tools")};
    for (size_t modules = 0; modules < 2; modules++) {
        report(LIST(), LIST("github.com/x/shop/main.go", "github.com/x/shop/pay/card.go",
                            "github.com/y/lib/main.go"));
        struct unmatched unmatched = map_in(LIST("main.go", "pay/card.go"), &other, modules);
        cr_expect_str_eq(path_of("github.com/x/shop/main.go"), "main.go");
        cr_expect_str_eq(path_of("github.com/x/shop/pay/card.go"), "pay/card.go");
        cr_assert_eq(unmatched.count, 1); // only its name agrees
        expect_str(unmatched.items[0].reported, "github.com/y/lib/main.go");
        evidence_done(&evidence);
    }
}
