#include "workspace.h"

#include "gate/intake/find.h"

static int folder;

static void init(void)
{
    workspace_init();
    folder = open(root, O_RDONLY | O_DIRECTORY);
    cr_assert_geq(folder, 0);
}

static void done(void)
{
    (void)close(folder);
    workspace_done();
}

TestSuite(find, .init = init, .fini = done);

// What the patterns (separated by blanks) find, separated by blanks.
static const char *find(const char *patterns, enum find_where where)
{
    str list[8];
    size_t count = 0;
    struct found found = {0};
    struct error err = {0};
    for (str rest = str_of(patterns); rest.data;)
        list[count++] = str_cut(&rest, ' ');
    cr_assert(files_find(&arena, folder, list, count, where, &found, &err), "%s", err.message);
    str all = {"", 0};
    for (size_t i = 0; i < found.count; i++)
        all = arena_format(&arena, STR_FMT "%s%s", STR_ARG(all), i ? " " : "", found.items[i]);
    return all.data;
}

Test(find, patterns)
{
    static const char *const files[] = {"coverage.xml",  "a/coverage.xml",  "a/b/coverage.xml",
                                        "a/b/other.xml", "reports/x/y.xml", "reports/z.txt"};
    static const struct {
        const char *patterns, *want;
    } rows[] = {
        {"coverage.xml", "coverage.xml"},
        {"gone.xml", ""},
        {"gone/**/x.xml", ""},
        {"*.xml", "coverage.xml"},
        {"**/coverage.xml", "a/b/coverage.xml a/coverage.xml coverage.xml"},
        {"a/**/*.xml", "a/b/coverage.xml a/b/other.xml a/coverage.xml"},
        {"a/*/other.xml", "a/b/other.xml"},
        {"reports/**", "reports/x/y.xml reports/z.txt"},
        {"coverage.xml **/other.xml", "a/b/other.xml coverage.xml"},
        {"a/b", "a/b"}, // a folder of that very name: it is looked at, and refused, when read
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        put(files[i], "x");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_str_eq(find(rows[i].patterns, FIND_NAMED), rows[i].want, "%s: %s",
                         rows[i].patterns, find(rows[i].patterns, FIND_NAMED));
}

Test(find, folders_that_are_passed_over)
{
    static const char *const files[] = {".git/junit.xml",
                                        "node_modules/m/junit.xml",
                                        "target/surefire-reports/TEST-a.xml",
                                        "target/x/TEST-b.xml",
                                        "build/test-results/t/TEST-c.xml",
                                        "venv/junit.xml",
                                        "sub/junit.xml"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        put(files[i], "x");
    cr_expect_str_eq(find("**/junit.xml", FIND_NAMED), "sub/junit.xml venv/junit.xml");
    cr_expect_str_eq(find("**/junit.xml", FIND_USUAL), "sub/junit.xml");
    cr_expect_str_eq(find("**/node_modules/**/junit.xml", FIND_NAMED), "node_modules/m/junit.xml");
    cr_expect_str_eq(
        find("**/target/surefire-reports/TEST-*.xml **/build/test-results/**/TEST-*.xml "
             "**/TEST-*.xml",
             FIND_USUAL),
        "build/test-results/t/TEST-c.xml target/surefire-reports/TEST-a.xml");
}

Test(find, links_to_folders_are_not_followed)
{
    put("real/a.xml", "x");
    cr_assert_eq(symlink("real", workspace_path("linked")), 0);
    cr_assert_eq(symlink("..", workspace_path("real/up")), 0);
    cr_assert_eq(symlink("real/a.xml", workspace_path("b.xml")), 0);
    cr_expect_str_eq(find("**/*.xml", FIND_NAMED), "b.xml real/a.xml");
}

Test(find, a_file_is_opened_inside_only)
{
    struct error err = {0};
    int file;
    put("a/real.xml", "x");
    cr_assert_eq(symlink("real.xml", workspace_path("a/inside.xml")), 0);
    cr_assert_eq(symlink("/etc/passwd", workspace_path("a/absolute.xml")), 0);
    cr_assert_eq(symlink("../../../../etc/passwd", workspace_path("a/climbs.xml")), 0);
    cr_assert_eq(symlink("/", workspace_path("top")), 0);
    cr_assert(file_open(folder, "a/real.xml", &file, &err), "%s", err.message);
    (void)close(file);
    cr_assert(file_open(folder, "a/inside.xml", &file, &err), "%s", err.message);
    (void)close(file);
    static const char *const out[] = {"a/absolute.xml", "a/climbs.xml", "top/etc/passwd",
                                      "../../etc/passwd", "/etc/passwd"};
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
        cr_expect_not(file_open(folder, out[i], &file, &err), "%s", out[i]);
        cr_expect_eq(err.kind, ERROR_DENIED);
    }
    cr_expect_not(file_open(folder, "a/gone.xml", &file, &err));
    expect_error(&err, ERROR_ABSENT, "opening a/gone.xml: No such file or directory");
}
