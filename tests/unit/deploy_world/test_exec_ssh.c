#include "../../bench/bench.h"
#include "deploy/world/world.h"
#include "gate/base/limits.h"
#include "gate/base/sha256.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <time.h>

static struct world *world;
static struct exec_port port;
static struct bench server;

struct place { // of `login`: its strings
    char user[128], known_hosts[512], key[512], fingerprint[128];
};
static struct place place;
static struct exec_login login;

static void open_world(void)
{
    struct error err;
    alarm(120); // Criterion's own time limits leak now and then
    unsetenv("SSH_AUTH_SOCK");
    server = bench_start("sshd", NULL);
    cr_assert_gt(bench_number(&server, "port"), 0, "no sshd: %s", server.line);
    setenv("HOME", bench_text(&server, "directory", place.user, sizeof place.user), 1);
    login = (struct exec_login){
        .host = "127.0.0.1",
        .user = bench_text(&server, "user", place.user, sizeof place.user),
        .port = (uint16_t)bench_number(&server, "port"),
        .known_hosts =
            bench_text(&server, "known_hosts", place.known_hosts, sizeof place.known_hosts),
        .key_file = bench_text(&server, "key", place.key, sizeof place.key),
    };
    cr_assert(world_open(&(struct world_options){0}, &world, &err), "%s", err.message);
    port = world_exec(world);
}

static void close_world(void)
{
    world_close(world);
    bench_stop(&server);
}

TestSuite(exec_ssh, .init = open_world, .fini = close_world);

static int64_t now_ms(void)
{
    struct clock_port clock = world_clock(world);
    return clock.now_ms(clock.self);
}

static void *begin_at(const struct exec_login *where, const char *script, int64_t timeout_ms)
{
    struct error err;
    void *job = NULL;
    struct exec_request request = {.login = *where, .script = script, .timeout_ms = timeout_ms};
    cr_assert(port.start(port.self, &request, &job, &err), "%s", err.message);
    return job;
}

static void *begin(const char *script, int64_t timeout_ms)
{
    return begin_at(&login, script, timeout_ms);
}

static enum progress finish(void *job, struct exec_result *result, struct error *err)
{
    enum progress p;
    while ((p = port.poll(port.self, job, result, err)) == PROGRESS_PENDING)
        world_wait(world, now_ms() + 1000);
    return p;
}

static void expect_good(const struct exec_login *where)
{
    struct exec_result result;
    struct error err = {0};
    void *job = begin_at(where, "echo good", 20000);
    cr_expect_eq(finish(job, &result, &err), PROGRESS_DONE, "%s", err.message);
    if (!err.kind)
        cr_expect(str_is(result.output, "good\n"));
    port.drop(port.self, job);
}

static void expect_refused(const struct exec_login *where, enum error_kind kind, const char *words)
{
    struct exec_result result;
    struct error err = {0};
    void *job = begin_at(where, "echo must not run", 20000);
    cr_expect_eq(finish(job, &result, &err), PROGRESS_FAILED);
    cr_expect_eq(err.kind, kind, "%s: %s", error_kind_name(err.kind), err.message);
    cr_expect(strstr(err.message, words), "no `%s` in: %s", words, err.message);
    port.drop(port.self, job);
}

Test(exec_ssh, status_outputs_and_variables)
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
        {"cat", "", "", 0},
        {"printf '%s|' \"it's\" \"$NAME\" '\"'", "it's|a 'quoted' $value\n`with` \\ lines|\"|", "",
         0},
        {"for i in 1 2 3; do\n  echo $i\ndone", "1\n2\n3\n", "", 0},
    };
    struct exec_variable variables[] = {{"NAME", STR_INIT("a 'quoted' $value\n`with` \\ lines")},
                                        {0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct exec_result result;
        struct error err = {0};
        void *job;
        struct exec_request request = {
            .login = login, .script = rows[i].script, .variables = variables, .timeout_ms = 20000};
        cr_assert(port.start(port.self, &request, &job, &err));
        cr_assert_eq(finish(job, &result, &err), PROGRESS_DONE, "%s", err.message);
        cr_expect_eq(result.status, rows[i].status, "%s: %d", rows[i].script, result.status);
        cr_expect(str_is(result.output, rows[i].output), "%s: " STR_FMT, rows[i].script,
                  STR_ARG(result.output));
        cr_expect(str_is(result.errors, rows[i].errors), "%s: " STR_FMT, rows[i].script,
                  STR_ARG(result.errors));
        port.drop(port.self, job);
    }
}

Test(exec_ssh, host_keys)
{
    char other[512];
    struct exec_login at = login;
    at.known_hosts = bench_text(&server, "hashed_hosts", other, sizeof other);
    expect_good(&at);
    at.known_hosts = bench_text(&server, "ecdsa_hosts", other, sizeof other);
    expect_good(&at); // asked for by the kind that is known
    at.known_hosts = bench_text(&server, "wrong_hosts", other, sizeof other);
    expect_refused(&at, ERROR_DENIED, "IS NOT THE KNOWN ONE");
    at.known_hosts = bench_text(&server, "revoked_hosts", other, sizeof other);
    expect_refused(&at, ERROR_DENIED, "IS REVOKED");
    at.known_hosts = bench_text(&server, "empty_hosts", other, sizeof other);
    expect_refused(&at, ERROR_DENIED, "ssh-keyscan -t ed25519");
    expect_refused(&at, ERROR_DENIED,
                   bench_text(&server, "fingerprint", place.fingerprint, sizeof place.fingerprint));
    at.known_hosts = "/no/such/file";
    expect_refused(&at, ERROR_DENIED, "is not in /no/such/file");
    at.fingerprint = place.fingerprint;
    expect_good(&at);
    at.fingerprint = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    expect_refused(&at, ERROR_DENIED, "IS NOT THE PINNED ONE");
    at.fingerprint = "SHA256:";
    expect_refused(&at, ERROR_DENIED, "IS NOT THE PINNED ONE");
}

Test(exec_ssh, user_keys)
{
    static const struct {
        const char *key, *words;
        enum error_kind kind; // NONE: it lets us in
    } rows[] = {
        {"key", "", ERROR_NONE},
        {"ecdsa_key", "", ERROR_NONE},
        {"ecdsa_521_key", "", ERROR_NONE},
        {"pem_key", "", ERROR_NONE},
        {"other_key", "authorized_keys", ERROR_DENIED},
        {"rsa_key", "ssh-keygen -t ed25519", ERROR_DENIED},
        {"locked_key", "ssh-add", ERROR_DENIED},
        {"open_key", "chmod 600", ERROR_DENIED},
        {"known_hosts", "is no private key", ERROR_INPUT},
    };
    char key[512];
    struct exec_login at = login;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        at.key_file = bench_text(&server, rows[i].key, key, sizeof key);
        if (rows[i].kind)
            expect_refused(&at, rows[i].kind, rows[i].words);
        else
            expect_good(&at);
    }
    at.key_file = "/no/such/key";
    expect_refused(&at, ERROR_ABSENT, "/no/such/key");
    at.key_file = NULL; // no agent, and HOME has no .ssh
    expect_refused(&at, ERROR_DENIED, "key_file");
}

Test(exec_ssh, the_agent)
{
    char sock[512];
    struct exec_login at = login;
    at.key_file = NULL;
    setenv("SSH_AUTH_SOCK", bench_text(&server, "agent", sock, sizeof sock), 1);
    expect_good(&at);
    setenv("SSH_AUTH_SOCK", bench_text(&server, "rsa_agent", sock, sizeof sock), 1);
    at.host = "localhost"; // a connection of its own; names are resolved
    at.fingerprint =
        bench_text(&server, "fingerprint", place.fingerprint, sizeof place.fingerprint);
    expect_refused(&at, ERROR_DENIED, "ssh-rsa");
}

Test(exec_ssh, nobody_there)
{
    struct exec_login at = login;
    at.port = 1;
    expect_refused(&at, ERROR_TRANSIENT, "127.0.0.1 port 1");
    at = login;
    at.host = "no-such-host.invalid";
    struct exec_result result;
    struct error err = {0};
    void *job = begin_at(&at, "true", 20000);
    cr_expect_eq(finish(job, &result, &err), PROGRESS_FAILED);
    cr_expect(strstr(err.message, "no-such-host.invalid"), "%s", err.message);
    port.drop(port.self, job);
}

Test(exec_ssh, a_timeout_ends_the_remote_group)
{
    char path[600], script[2048];
    struct exec_result result;
    struct error err = {0};
    snprintf(path, sizeof path, "%s.pids", place.key);
    snprintf(script, sizeof script,
             "echo $$ >> %s; (trap '' TERM; echo $$ >> %s; exec sleep 60) & echo waiting >&2; "
             "sh -c 'echo $$ >> %s; exec sleep 60'",
             path, path, path);
    void *job = begin(script, 1500);
    int64_t started = now_ms();
    cr_assert_eq(finish(job, &result, &err), PROGRESS_FAILED);
    cr_expect_eq(err.kind, ERROR_TRANSIENT);
    cr_expect(strstr(err.message, "was stopped"), "%s", err.message);
    cr_expect(strstr(err.message, "waiting"), "%s", err.message);
    cr_expect_lt(now_ms() - started, 9000);
    port.drop(port.self, job);
    int pid, count = 0, alive = 0;
    FILE *file = fopen(path, "r");
    cr_assert(file);
    while (fscanf(file, "%d", &pid) == 1) {
        count++;
        alive += kill(pid, 0) == 0;
    }
    fclose(file);
    cr_expect_geq(count, 2);
    cr_expect_eq(alive, 0);
    expect_good(&login); // the connection is still usable
}

Test(exec_ssh, a_time_limit_counts_while_connecting)
{
    struct exec_result result;
    struct error err = {0};
    struct exec_login at = login;
    at.host = "192.0.2.1"; // documentation addresses answer nowhere
    void *job = begin_at(&at, "true", 700);
    int64_t started = now_ms();
    cr_expect_eq(finish(job, &result, &err), PROGRESS_FAILED);
    cr_expect_eq(err.kind, ERROR_TRANSIENT, "%s", err.message);
    cr_expect_lt(now_ms() - started, 5000);
    port.drop(port.self, job);
}

static void make_file(const char *path, size_t size, char digest[SHA256_HEX])
{
    struct sha256 sha;
    unsigned char bytes[SHA256_BYTES];
    struct entropy_port entropy = world_entropy(world);
    static char chunk[65536];
    FILE *file = fopen(path, "w");
    sha256_init(&sha);
    for (size_t done = 0; done < size; done += sizeof chunk) {
        entropy.fill(entropy.self, chunk, sizeof chunk);
        cr_assert_eq(fwrite(chunk, 1, sizeof chunk, file), sizeof chunk);
        sha256_add(&sha, chunk, sizeof chunk);
    }
    fclose(file);
    sha256_done(&sha, bytes);
    sha256_hex(bytes, digest);
}

Test(exec_ssh, twenty_megabytes_of_input_arrive)
{
    char path[600], digest[SHA256_HEX];
    struct exec_result result;
    struct error err = {0};
    void *job;
    snprintf(path, sizeof path, "%s.input", place.key);
    make_file(path, 20 << 20, digest);
    struct exec_request request = {
        .login = login, .script = "sha256sum", .input_path = path, .timeout_ms = 60000};
    cr_assert(port.start(port.self, &request, &job, &err));
    cr_assert_eq(finish(job, &result, &err), PROGRESS_DONE, "%s", err.message);
    cr_expect(str_starts(result.output, str_of(digest)));
    port.drop(port.self, job);
    request.script = "head -c 10; exec <&-; sleep 1; exit 3"; // it does not want the rest
    cr_assert(port.start(port.self, &request, &job, &err));
    cr_assert_eq(finish(job, &result, &err), PROGRESS_DONE, "%s", err.message);
    cr_expect_eq(result.status, 3);
    cr_expect_eq(result.output.len, 10);
    port.drop(port.self, job);
}

Test(exec_ssh, large_outputs_keep_the_newest)
{
    struct exec_result result;
    struct error err = {0};
    void *job = begin("head -c 9000000 /dev/zero | tr '\\0' x; "
                      "head -c 3000000 /dev/zero | tr '\\0' y >&2; echo end; echo end >&2",
                      60000);
    cr_assert_eq(finish(job, &result, &err), PROGRESS_DONE, "%s", err.message);
    cr_expect_eq(result.output.len, LIMIT_COMMAND_OUTPUT);
    cr_expect_eq(result.errors.len, LIMIT_COMMAND_OUTPUT);
    cr_expect(str_ends(result.output, STR("xxxend\n")));
    cr_expect(str_ends(result.errors, STR("yyyend\n")));
    port.drop(port.self, job);
}

Test(exec_ssh, twenty_at_once_on_two_servers)
{
    struct bench second = bench_start("sshd", "--max-sessions=3");
    struct place there;
    char input[600], digest[SHA256_HEX];
    struct exec_login logins[] = {
        login,
        {.host = "127.0.0.1",
         .user = login.user,
         .port = (uint16_t)bench_number(&second, "port"),
         .known_hosts = bench_text(&second, "known_hosts", there.known_hosts, 512),
         .key_file = bench_text(&second, "key", there.key, 512)}};
    void *jobs[20];
    snprintf(input, sizeof input, "%s.input", place.key);
    make_file(input, 1 << 20, digest);
    int64_t started = now_ms();
    for (int i = 0; i < 20; i++) {
        struct error err;
        struct exec_request request = {
            .login = logins[i % 2],
            .script = "sha256sum; head -c 300000 /dev/zero | tr '\\0' e >&2; sleep 1; echo done",
            .input_path = input,
            .timeout_ms = 60000};
        cr_assert(port.start(port.self, &request, &jobs[i], &err));
    }
    for (int i = 0; i < 20; i++) {
        struct exec_result result;
        struct error err = {0};
        cr_assert_eq(finish(jobs[i], &result, &err), PROGRESS_DONE, "%d: %s", i, err.message);
        cr_expect(str_starts(result.output, str_of(digest)));
        cr_expect(str_ends(result.output, STR("done\n")));
        cr_expect_eq(result.errors.len, LIMIT_COMMAND_OUTPUT);
        port.drop(port.self, jobs[i]);
    }
    cr_expect_lt(now_ms() - started, 20000, "%ld ms", (long)(now_ms() - started));
    bench_stop(&second);
}

Test(exec_ssh, a_connection_lost_in_the_middle_leaves_the_outcome_unknown)
{
    struct exec_result result;
    struct error err = {0};
    void *job = begin("echo begun; sleep 0.3; kill -9 $PPID; sleep 5", 20000);
    cr_assert_eq(finish(job, &result, &err), PROGRESS_FAILED);
    cr_expect_eq(err.kind, ERROR_TRANSIENT);
    cr_expect(strstr(err.message, "the outcome is unknown"), "%s", err.message);
    port.drop(port.self, job);
    expect_good(&login); // over a new connection
}

Test(exec_ssh, one_connection_serves_many_commands)
{
    char first[32] = "";
    for (int i = 0; i < 6; i++) {
        struct exec_result result;
        struct error err = {0};
        void *job = begin("echo $PPID", 20000);
        cr_assert_eq(finish(job, &result, &err), PROGRESS_DONE, "%s", err.message);
        if (i == 0)
            snprintf(first, sizeof first, STR_FMT, STR_ARG(result.output));
        cr_expect(str_is(result.output, first), "a connection of its own for command %d", i);
        port.drop(port.self, job);
    }
}

Test(exec_ssh, dropped_commands_end)
{
    char path[600], script[700];
    snprintf(path, sizeof path, "%s.pid", place.key);
    snprintf(script, sizeof script, "echo $$ > %s; exec sleep 60", path);
    void *job = begin(script, 60000);
    int pid = 0;
    for (int i = 0; i < 300 && !pid; i++) {
        world_wait(world, now_ms() + 20);
        FILE *file = fopen(path, "r");
        if (file && fscanf(file, "%d", &pid) != 1)
            pid = 0;
        if (file)
            fclose(file);
    }
    cr_assert_gt(pid, 1);
    port.drop(port.self, job);
    for (int i = 0; i < 300 && kill(pid, 0) == 0; i++)
        world_wait(world, now_ms() + 20);
    cr_expect_neq(kill(pid, 0), 0);
    job = begin("sleep 60", 60000);
    port.drop(port.self, job); // before it is connected
}

Test(exec_ssh, a_script_past_the_limit_is_refused)
{
    static char script[31000];
    struct error err;
    void *job;
    memset(script, ' ', sizeof script - 1);
    struct exec_request request = {.login = login, .script = script, .timeout_ms = 1000};
    cr_expect_not(port.start(port.self, &request, &job, &err));
    cr_expect_eq(err.kind, ERROR_LIMIT);
    script[29000] = '\0';
    memcpy(script, "echo long", 9);
    struct exec_result result;
    job = begin(script, 20000);
    cr_assert_eq(finish(job, &result, &err), PROGRESS_DONE);
    cr_expect(str_is(result.output, "long\n"));
    port.drop(port.self, job);
}
