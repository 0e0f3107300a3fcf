#include "deploy/world/world.h"
#include "gate/base/limits.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static struct world *world;
static struct exec_port port;

static void open_world(void)
{
    struct error err;
    alarm(60); // Criterion's own time limits leak now and then
    cr_assert(world_open(&(struct world_options){.user_agent = "test"}, &world, &err), "%s",
              err.message);
    port = world_exec(world);
}

static void close_world(void)
{
    world_close(world);
}

TestSuite(exec_local, .init = open_world, .fini = close_world);

static int64_t now_ms(void)
{
    struct clock_port clock = world_clock(world);
    return clock.now_ms(clock.self);
}

static enum progress finish(void *job, struct exec_result *result, struct error *err)
{
    enum progress p;
    while ((p = port.poll(port.self, job, result, err)) == PROGRESS_PENDING)
        world_wait(world, now_ms() + 1000);
    return p;
}

static void *begin(const char *script, int64_t timeout_ms)
{
    struct error err;
    void *job = NULL;
    struct exec_request request = {.script = script, .timeout_ms = timeout_ms};
    cr_assert(port.start(port.self, &request, &job, &err), "%s", err.message);
    return job;
}

Test(exec_local, status_and_both_outputs)
{
    static const struct {
        const char *script, *output, *errors;
        int status;
    } rows[] = {
        {"echo good", "good\n", "", 0},
        {"echo bad >&2; exit 7", "", "bad\n", 7},
        {"printf a; printf b >&2; printf c", "ac", "b", 0},
        {"kill -9 $$", "", "", 128 + SIGKILL},
        {"exit 255", "", "", 255},
        {"nosuchcommand 2>/dev/null", "", "", 127},
        {"cat", "", "", 0}, // standard input is empty, not the test's own
        {"trap", "", "", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct exec_result result;
        struct error err;
        void *job = begin(rows[i].script, 10000);
        cr_assert_eq(finish(job, &result, &err), PROGRESS_DONE, "%s", rows[i].script);
        cr_expect_eq(result.status, rows[i].status, "%s: %d", rows[i].script, result.status);
        cr_expect(str_is(result.output, rows[i].output), "%s", rows[i].script);
        cr_expect(str_is(result.errors, rows[i].errors), "%s", rows[i].script);
        port.drop(port.self, job);
    }
}

Test(exec_local, variables_pass_and_tokens_do_not)
{
    struct exec_result result;
    struct error err;
    void *job;
    setenv("GITHUB_TOKEN", "must-not-be-seen", 1);
    struct exec_variable variables[] = {{"NAME", STR_INIT("it's \"a\" $value\nwith lines")},
                                        {"PATH", STR_INIT("/usr/bin:/bin")},
                                        {0}};
    struct exec_request request = {.script =
                                       "printf '%s|%s|%s' \"$NAME\" \"$PATH\" \"$GITHUB_TOKEN\"",
                                   .variables = variables,
                                   .timeout_ms = 10000};
    cr_assert(port.start(port.self, &request, &job, &err));
    cr_assert_eq(finish(job, &result, &err), PROGRESS_DONE);
    cr_expect(str_is(result.output, "it's \"a\" $value\nwith lines|/usr/bin:/bin|"));
    port.drop(port.self, job);
    variables[0].name = "A B";
    cr_expect_not(port.start(port.self, &request, &job, &err));
    cr_expect_eq(err.kind, ERROR_INPUT);
}

Test(exec_local, input_comes_from_a_file)
{
    char path[] = "/tmp/sluice-test-XXXXXX";
    struct exec_result result;
    struct error err;
    void *job;
    int fd = mkstemp(path);
    for (int i = 0; i < 300000; i++)
        cr_assert_eq(write(fd, "0123456789", 10), 10);
    close(fd);
    struct exec_request request = {.script = "wc -c", .input_path = path, .timeout_ms = 10000};
    cr_assert(port.start(port.self, &request, &job, &err));
    cr_assert_eq(finish(job, &result, &err), PROGRESS_DONE);
    cr_expect(str_starts(str_trim(result.output), STR("3000000")));
    port.drop(port.self, job);
    unlink(path);
    cr_expect_not(port.start(port.self, &request, &job, &err));
    cr_expect_eq(err.kind, ERROR_ABSENT);
}

Test(exec_local, keeps_the_newest_of_a_large_output)
{
    struct exec_result result;
    struct error err;
    void *job = begin("i=0; while [ $i -lt 60 ]; do head -c 100000 /dev/zero | tr '\\0' x; "
                      "i=$((i+1)); done; echo the end",
                      30000);
    cr_assert_eq(finish(job, &result, &err), PROGRESS_DONE);
    cr_expect_eq(result.output.len, LIMIT_COMMAND_OUTPUT);
    cr_expect(str_ends(result.output, STR("xxxthe end\n")));
    port.drop(port.self, job);
}

static pid_t pid_in(const char *path)
{
    char line[32] = "";
    FILE *file = fopen(path, "r");
    cr_assert(file && fgets(line, sizeof line, file));
    fclose(file);
    return (pid_t)atoi(line);
}

static bool is_gone(pid_t pid)
{
    for (int i = 0; i < 200; i++) {
        char path[64], line[128] = "";
        snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
        FILE *file = fopen(path, "r");
        if (!file)
            return true;
        bool read = fgets(line, sizeof line, file) != NULL;
        fclose(file);
        if (read && strstr(line, ") Z "))
            return true; // ended, and its new parent has not looked yet
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    }
    return false;
}

Test(exec_local, timeout_ends_the_whole_group)
{
    char path[] = "/tmp/sluice-test-XXXXXX", script[256];
    struct exec_result result;
    struct error err;
    close(mkstemp(path));
    // The child of the shell ignores TERM: only KILL ends it.
    snprintf(script, sizeof script,
             "echo before >&2; sh -c 'trap \"\" TERM; echo $$ > %s; sleep 60' & wait; sleep 60",
             path);
    void *job = begin(script, 300);
    int64_t started = now_ms();
    cr_assert_eq(finish(job, &result, &err), PROGRESS_FAILED);
    cr_expect_eq(err.kind, ERROR_TRANSIENT);
    cr_expect(strstr(err.message, "before"), "%s", err.message);
    cr_expect_lt(now_ms() - started, 5000);
    port.drop(port.self, job);
    cr_expect(is_gone(pid_in(path)));
    unlink(path);
}

Test(exec_local, a_command_that_ignores_term_is_killed)
{
    struct exec_result result;
    struct error err;
    void *job = begin("trap '' TERM; while :; do sleep 1; done", 200);
    int64_t started = now_ms();
    cr_assert_eq(finish(job, &result, &err), PROGRESS_FAILED);
    cr_expect_geq(now_ms() - started, 2000);
    cr_expect_lt(now_ms() - started, 8000);
    port.drop(port.self, job);
}

Test(exec_local, a_server_that_is_left_running_does_not_hold_the_command)
{
    struct exec_result result;
    struct error err;
    void *job = begin("sleep 20 & echo $!", 10000);
    int64_t started = now_ms();
    cr_assert_eq(finish(job, &result, &err), PROGRESS_DONE);
    cr_expect_lt(now_ms() - started, 5000);
    pid_t pid = (pid_t)atoi(result.output.data);
    cr_assert_gt(pid, 1);
    cr_expect_eq(kill(pid, 0), 0, "it is still there");
    kill(pid, SIGKILL);
    port.drop(port.self, job);
}

Test(exec_local, drop_ends_what_runs)
{
    char path[] = "/tmp/sluice-test-XXXXXX", script[128];
    close(mkstemp(path));
    snprintf(script, sizeof script, "echo $$ > %s; exec sleep 60", path);
    void *job = begin(script, 60000);
    for (int i = 0; i < 100; i++) {
        char line[8] = "";
        FILE *file = fopen(path, "r");
        bool there = file && fgets(line, sizeof line, file);
        if (file)
            fclose(file);
        if (there)
            break;
        world_wait(world, now_ms() + 20);
    }
    port.drop(port.self, job);
    world_wait(world, now_ms() + 200);
    cr_expect(is_gone(pid_in(path)));
    unlink(path);
}

Test(exec_local, many_at_once_take_the_time_of_one)
{
    void *jobs[40];
    int64_t started = now_ms();
    for (int i = 0; i < 40; i++)
        jobs[i] = begin("sleep 1; echo done", 20000);
    for (int i = 0; i < 40; i++) {
        struct exec_result result;
        struct error err;
        cr_assert_eq(finish(jobs[i], &result, &err), PROGRESS_DONE);
        cr_expect(str_is(result.output, "done\n"));
        port.drop(port.self, jobs[i]);
    }
    cr_expect_lt(now_ms() - started, 8000);
}

Test(exec_local, a_script_past_the_limit_is_refused)
{
    static char script[300000];
    struct error err;
    void *job;
    memset(script, ' ', sizeof script - 1);
    struct exec_request request = {.script = script, .timeout_ms = 1000};
    cr_expect_not(port.start(port.self, &request, &job, &err));
    cr_expect_eq(err.kind, ERROR_LIMIT);
}

Test(exec_local, closing_the_world_ends_dropped_commands)
{
    void *job = begin("trap '' TERM; sleep 60", 60000);
    port.drop(port.self, job); // close_world must neither hang nor leak
}
