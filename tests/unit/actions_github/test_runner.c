#include "actions/github/runner.h"
#include "gate/base/limits.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

static struct arena arena;
static struct text out;
static char path[64];

static void start(void)
{
    out = text_of(1 << 20);
    (void)snprintf(path, sizeof path, "/tmp/sluice-runner-XXXXXX");
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    (void)close(file);
}

static void done(void)
{
    text_done(&out);
    arena_done(&arena);
    (void)unlink(path);
}

TestSuite(runner, .init = start, .fini = done);

struct variable {
    const char *name, *value;
};

static const char *look_up(void *context, const char *name)
{
    for (const struct variable *v = context; v->name; v++)
        if (strcmp(v->name, name) == 0)
            return v->value;
    return NULL;
}

static const char token[RUNNER_TOKEN] = "0123456789abcdef0123456789abcdef";

static void write_file(const char *content)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    (void)fputs(content, file);
    (void)fclose(file);
}

static str read_back(void)
{
    static char bytes[4096];
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    size_t n = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    return str_make(bytes, n);
}

Test(runner, escaping)
{
    static const struct {
        const char *in, *data, *property;
    } rows[] = {
        {"plain", "plain", "plain"},        {"100%", "100%25", "100%25"},
        {"a\r\nb", "a%0D%0Ab", "a%0D%0Ab"}, {"a:b,c", "a:b,c", "a%3Ab%2Cc"},
        {"%0A", "%250A", "%250A"},          {"::error::x", "::error::x", "%3A%3Aerror%3A%3Ax"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        text_clear(&out);
        runner_escape_data(str_of(rows[i].in), &out);
        cr_expect_str_eq(text_c(&out), rows[i].data);
        text_clear(&out);
        runner_escape_property(str_of(rows[i].in), &out);
        cr_expect_str_eq(text_c(&out), rows[i].property);
    }
}

Test(runner, an_annotation_is_one_line)
{
    struct annotation one = {
        ANNOTATION_ERROR, STR("a,b.py"), 3, 9, STR("x: y"), STR("first\n::set-output name=a::b")};
    runner_annotations(&one, 1, &out);
    cr_expect_str_eq(text_c(&out), "::error file=a%2Cb.py,line=3,endLine=9,title=x%3A y::"
                                   "first ::set-output name=a::b\n");
}

static size_t lines_with(str text, const char *start_of_line)
{
    size_t count = 0;
    while (text.len)
        count += str_starts(str_cut(&text, '\n'), str_of(start_of_line));
    return count;
}

Test(runner, at_most_ten_of_each_level)
{
    struct annotation items[40];
    for (size_t i = 0; i < 40; i++) {
        enum annotation_level level = i % 2 ? ANNOTATION_WARNING : ANNOTATION_ERROR;
        items[i] = (struct annotation){.level = level, .message = STR("m")};
    }
    runner_annotations(items, 20, &out);
    cr_expect_eq(lines_with(text_str(&out), "::error"), 10);
    cr_expect_eq(lines_with(text_str(&out), "::warning"), 10);
    cr_expect_not(strstr(text_c(&out), "more"));
    text_clear(&out);
    runner_annotations(items, 40, &out);
    cr_expect_eq(lines_with(text_str(&out), "::error"), 10);
    cr_expect_eq(lines_with(text_str(&out), "::warning"), 10);
    cr_expect(strstr(text_c(&out), "11 more"));
}

Test(runner, outputs_have_a_delimiter_that_the_value_has_not)
{
    runner_output_text("decision", STR("pass"), "abc", &out);
    cr_expect_str_eq(text_c(&out), "decision<<sluice_abc\npass\nsluice_abc\n");
    text_clear(&out);
    runner_output_text("x", STR("a\nsluice_abc\nb"), "abc", &out);
    cr_expect_str_eq(text_c(&out), "x<<sluice_abc_\na\nsluice_abc\nb\nsluice_abc_\n");
}

Test(runner, stop_commands_carry_the_token)
{
    struct runner runner = {0};
    memcpy(runner.token, token, sizeof token);
    runner_stop_commands(&runner, &out);
    runner_resume_commands(&runner, &out);
    cr_expect_str_eq(text_c(&out), "::stop-commands::0123456789abcdef0123456789abcdef\n"
                                   "::0123456789abcdef0123456789abcdef::\n");
}

Test(runner, outside_actions_nothing_is_read)
{
    struct variable none[] = {{"GITHUB_SHA", "x"}, {"GITHUB_OUTPUT", "/y"}, {0}};
    struct runner runner;
    struct error err = {0};
    cr_assert(runner_read(&arena, look_up, none, token, &runner, &err));
    cr_expect_not(runner.is_actions);
    cr_expect_null(runner.head_sha);
    cr_expect(runner_output(&runner, "decision", STR("pass"), &err));
    cr_expect(runner_summary(&runner, STR("text"), &err));
}

Test(runner, a_pull_request_brings_its_base)
{
    struct variable variables[] = {{"GITHUB_ACTIONS", "true"},
                                   {"GITHUB_EVENT_NAME", "pull_request"},
                                   {"GITHUB_SHA", "1111111111111111111111111111111111111111"},
                                   {"GITHUB_EVENT_PATH", path},
                                   {"GITHUB_SERVER_URL", "https://github.example"},
                                   {"GITHUB_REPOSITORY", "o/r"},
                                   {"GITHUB_RUN_ID", "42"},
                                   {"RUNNER_DEBUG", "1"},
                                   {0}};
    struct runner runner;
    struct error err = {0};
    write_file(
        "{\"pull_request\": {\"base\": {\"sha\": \"2222222222222222222222222222222222222222\"},"
        " \"head\": {\"sha\": \"3333333333333333333333333333333333333333\"}}}");
    cr_assert(runner_read(&arena, look_up, variables, token, &runner, &err), "%s", err.message);
    cr_expect(runner.is_actions && runner.debug);
    cr_expect_str_eq(runner.base_sha, "2222222222222222222222222222222222222222");
    cr_expect_str_eq(runner.head_sha, "3333333333333333333333333333333333333333");
    cr_expect_str_eq(runner.run_url, "https://github.example/o/r/actions/runs/42");
    cr_expect_null(runner.summary_path);
    // a sha that is none is not believed
    write_file("{\"pull_request\": {\"base\": {\"sha\": \"--upload-pack=x\"}}}");
    cr_assert(runner_read(&arena, look_up, variables, token, &runner, &err));
    cr_expect_null(runner.base_sha);
    write_file("{\"pull_request\": ");
    cr_expect_not(runner_read(&arena, look_up, variables, token, &runner, &err));
    cr_expect_eq(err.kind, ERROR_INPUT);
}

Test(runner, branches_and_labels)
{
    struct variable variables[] = {{"GITHUB_ACTIONS", "true"},
                                   {"GITHUB_EVENT_PATH", path},
                                   {"GITHUB_HEAD_REF", "fix/cart"},
                                   {"GITHUB_REF", "refs/heads/release/2"},
                                   {0}};
    static const struct {
        const char *ref, *branch;
    } refs[] = {{"refs/heads/release/2", "release/2"},
                {"refs/tags/v1", NULL},
                {"refs/pull/7/merge", NULL},
                {"main", NULL},
                {"", NULL}};
    struct runner runner;
    struct error err = {0};
    write_file("{\"repository\": {\"default_branch\": \"trunk\"}, \"pull_request\": {\"labels\":"
               " [{\"name\": \"bug\"}, {\"id\": 1}, {\"name\": \"size/S\"}]}}");
    for (size_t i = 0; i < sizeof refs / sizeof *refs; i++) {
        variables[3].value = refs[i].ref;
        cr_assert(runner_read(&arena, look_up, variables, token, &runner, &err), "%s", err.message);
        if (refs[i].branch)
            cr_expect_str_eq(runner.branch ? runner.branch : "none", refs[i].branch);
        else
            cr_expect_null(runner.branch, "%s", refs[i].ref);
    }
    cr_expect_str_eq(runner.default_branch, "trunk");
    cr_expect_str_eq(runner.head_ref, "fix/cart");
    cr_expect_str_eq(runner.labels[0], "bug");
    cr_expect_str_eq(runner.labels[1], "size/S");
    cr_expect_null(runner.labels[2]);
    write_file("{\"repository\": {\"default_branch\": 7}, \"pull_request\": {\"labels\": 3}}");
    cr_assert(runner_read(&arena, look_up, variables, token, &runner, &err));
    cr_expect_null(runner.default_branch);
    cr_expect_null(runner.labels[0]);
}

Test(runner, outputs_and_summary_are_appended)
{
    struct runner runner = {.output_path = path, .summary_path = path};
    struct error err = {0};
    (void)snprintf(runner.token, sizeof runner.token, "t");
    write_file("before\n");
    cr_assert(runner_output(&runner, "a", STR("1"), &err));
    cr_assert(runner_summary(&runner, STR("# s\n"), &err));
    cr_expect(str_is(read_back(), "before\na<<sluice_t\n1\nsluice_t\n# s\n"));
    runner.output_path = "/no/such/folder/file";
    cr_expect_not(runner_output(&runner, "a", STR("1"), &err));
    cr_expect(strstr(err.message, "/no/such/folder/file"));
}

Test(runner, a_summary_past_the_limit_is_refused)
{
    struct runner runner = {.summary_path = path};
    struct error err = {0};
    char *large = memory_alloc(LIMIT_SUMMARY_BYTES + 1);
    memset(large, 'a', LIMIT_SUMMARY_BYTES + 1);
    cr_expect_not(runner_summary(&runner, str_make(large, LIMIT_SUMMARY_BYTES + 1), &err));
    cr_expect_eq(err.kind, ERROR_LIMIT);
    free(large);
}

Test(runner, of_a_finished_run_only_what_github_says_is_taken)
{
    static const struct {
        const char *payload;
        bool is;
    } rows[] = {
        {"{\"workflow_run\":{\"head_sha\":\"1111111111111111111111111111111111111111\","
         "\"head_branch\":\"fix\",\"event\":\"pull_request\",\"html_url\":\"https://x/runs/7\","
         "\"head_repository\":{\"owner\":{\"login\":\"mallory\"}}}}",
         true},
        {"{\"workflow_run\":{\"head_sha\":\"--upload-pack=x\",\"head_branch\":\"fix\","
         "\"event\":\"pull_request\",\"html_url\":\"https://x/runs/7\","
         "\"head_repository\":{\"owner\":{\"login\":\"mallory\"}}}}",
         false},
        {"{\"workflow_run\":{\"head_sha\":\"1111111111111111111111111111111111111111\","
         "\"head_branch\":\"fix\",\"event\":\"pull_request\",\"html_url\":\"https://x/runs/7\","
         "\"head_repository\":null}}",
         false},
        {"{\"workflow_run\":7}", false},
    };
    struct variable variables[] = {{"GITHUB_ACTIONS", "true"},
                                   {"GITHUB_EVENT_NAME", "workflow_run"},
                                   {"GITHUB_API_URL", "https://api.example"},
                                   {"GITHUB_EVENT_PATH", path},
                                   {NULL, NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct runner runner;
        struct error err;
        write_file(rows[i].payload);
        cr_assert(runner_read(&arena, look_up, variables, token, &runner, &err), "%s", err.message);
        cr_assert_str_eq(runner.api_url, "https://api.example");
        cr_assert_eq(runner.finished != NULL, rows[i].is, "%s", rows[i].payload);
        if (runner.finished) {
            cr_expect_str_eq(runner.finished->head_owner, "mallory");
            cr_expect_str_eq(runner.finished->head_branch, "fix");
        }
    }
}
