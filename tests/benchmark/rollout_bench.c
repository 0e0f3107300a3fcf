// The real driver, ledger, world and probe against a server of its own that stands for metrics and
// targets, for tests/benchmark/run rollout:
//
//     rollout_bench latency FOLDER ROLLOUTS [GIT_PORT GIT_URL]
//         FOLDER is a git repository. Each rollout is breached; the server notes when the breaching
//         sample's answer leaves and when the first revert arrives, both by one monotonic clock.
//         With a git server, the ledger's remote is reached through the server, which stops passing
//         anything on from the shift to the revert: a push hangs meanwhile.
//     rollout_bench targets FOLDER COUNT
//         One rollout of so many targets, taken back; and what the process held at most.
#include "deploy/record/journal.h"
#include "deploy/run/driver.h"
#include "deploy/world/world.h"
#include "gate/base/moment.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROLLOUTS_MOST = 10000, CONNECTIONS = 4096, BUFFER = 65536, NAME = 32, SAMPLES_WAIT = 400 };

struct noted { // shared with the server
    int64_t took_ns[ROLLOUTS_MOST];
    uint32_t count, hung;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "rollout_bench: %s\n", what);
    exit(3);
}

// ---- the server --------------------------------------------------------------------------------

struct connection {
    int fd, other; // other: where a git connection is passed on to; -1 = HTTP
    bool to_git;   // from the ledger to its remote
    size_t have;
    char *bytes;
};

struct server {
    struct noted *noted;
    struct connection connections[CONNECTIONS];
    size_t count;
    int http, git; // listening
    uint16_t git_port;
    bool hangs, frozen, armed, breached;
    uint32_t samples, waited;
    size_t held_bytes;
    int64_t breach_ns;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static struct connection *add_connection(struct server *server, int fd, int other, bool to_git)
{
    if (server->count == CONNECTIONS)
        die("too many connections");
    struct connection *c = &server->connections[server->count++];
    *c = (struct connection){.fd = fd, .other = other, .to_git = to_git, .bytes = malloc(BUFFER)};
    return c;
}

static void note_target(struct server *server, const char *path)
{
    if (strstr(path, "/shift ")) {
        server->armed = true;
        server->samples = server->waited = 0;
        server->held_bytes = 0;
        server->frozen = server->hangs;
    } else if (strstr(path, "/revert ") && server->breached) {
        server->noted->took_ns[server->noted->count++] = now_ns() - server->breach_ns;
        server->noted->hung += server->held_bytes > 0;
        server->breached = server->frozen = false;
    }
}

// The third sample of a shift is bad; with a git server, the third after a push began to hang.
static bool is_bad(struct server *server)
{
    if (!server->armed)
        return false;
    bool waits = server->hangs && !server->held_bytes && server->waited < SAMPLES_WAIT;
    server->waited++;
    server->samples = waits ? 0 : server->samples + 1;
    if (server->samples < 3)
        return false;
    server->armed = false;
    server->breached = true;
    return true;
}

static void answer(struct server *server, const struct connection *c)
{
    static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    static const char bad[] = "HTTP/1.1 500 Bad\r\nContent-Length: 3\r\n\r\nbad";
    bool sample = strncmp(c->bytes, "GET /sample", 11) == 0;
    bool breach = sample && is_bad(server);
    if (!sample)
        note_target(server, c->bytes);
    if (breach)
        server->breach_ns = now_ns();
    const char *words = breach ? bad : good;
    if (write(c->fd, words, strlen(words)) < 0)
        return; // gone: read says so next
}

// True while the connection stands.
static bool read_http(struct server *server, struct connection *c)
{
    ssize_t n = read(c->fd, c->bytes + c->have, BUFFER - 1 - c->have);
    if (n <= 0)
        return false;
    c->have += (size_t)n;
    c->bytes[c->have] = '\0';
    char *end = strstr(c->bytes, "\r\n\r\n");
    if (!end)
        return c->have < BUFFER - 1;
    const char *length = strstr(c->bytes, "Content-Length: ");
    size_t whole = (size_t)(end + 4 - c->bytes) + (length ? strtoul(length + 16, NULL, 10) : 0);
    if (c->have < whole)
        return true;
    answer(server, c);
    c->have = 0;
    return true;
}

static bool pass_on(struct server *server, struct connection *c)
{
    ssize_t n = read(c->fd, c->bytes, BUFFER);
    for (ssize_t done = 0; n > 0 && done < n;) {
        ssize_t sent = write(c->other, c->bytes + done, (size_t)(n - done));
        if (sent <= 0)
            return false;
        done += sent;
    }
    (void)server;
    return n > 0;
}

static int dial_git(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) < 0)
        die("the git server does not answer");
    return fd;
}

static void drop_connection(struct server *server, size_t index)
{
    struct connection c = server->connections[index];
    if (c.other >= 0)
        (void)shutdown(c.other, SHUT_WR); // its own read ends it
    close(c.fd);
    free(c.bytes);
    server->connections[index] = server->connections[--server->count];
}

static void accept_one(struct server *server, int listening)
{
    int fd = accept(listening, NULL, NULL);
    if (fd < 0)
        return;
    if (listening == server->http) {
        (void)add_connection(server, fd, -1, false);
        return;
    }
    int git = dial_git(server->git_port);
    (void)add_connection(server, fd, dup(git), true);
    (void)add_connection(server, git, dup(fd), false);
}

static void serve(struct server *server)
{
    static struct pollfd fds[CONNECTIONS + 2];
    for (;;) {
        size_t count = server->count;
        bool held = server->frozen && server->held_bytes;
        for (size_t i = 0; i < count; i++) {
            const struct connection *c = &server->connections[i];
            // What is held back is seen, but not read.
            fds[i] = (struct pollfd){.fd = c->other >= 0 && held ? -1 : c->fd, .events = POLLIN};
        }
        fds[count] = (struct pollfd){.fd = server->http, .events = POLLIN};
        fds[count + 1] = (struct pollfd){.fd = held ? -1 : server->git, .events = POLLIN};
        if (poll(fds, count + 2, -1) < 0)
            die("poll");
        for (size_t i = count; i-- > 0;) {
            struct connection *c = &server->connections[i];
            if (!fds[i].revents)
                continue;
            if (c->other >= 0 && server->frozen)
                server->held_bytes += c->to_git;
            else if (!(c->other >= 0 ? pass_on(server, c) : read_http(server, c)))
                drop_connection(server, i);
        }
        if (fds[count].revents)
            accept_one(server, server->http);
        if (fds[count + 1].revents && server->frozen)
            server->held_bytes++; // somebody knocks: that hangs as well
        if (fds[count + 1].revents && !server->frozen)
            accept_one(server, server->git);
    }
}

static int listen_on(uint16_t *ret_port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 1024) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &size) < 0)
        die("no port to listen on");
    *ret_port = ntohs(at.sin_port);
    return fd;
}

// ---- a kind of target: one request for each verb ------------------------------------------------

struct target {
    const struct http_port *http;
    char url[NAME * 3];
    uint32_t share_ppm;
};

struct target_operation {
    struct target *target;
    struct target_intent intent;
    void *job;
};

static bool target_start(struct target *target, const struct target_intent *intent,
                         struct target_operation **ret, struct error *err)
{
    static const char *const verbs[] = {[INTENT_OBSERVE] = "observe",
                                        [INTENT_STAGE] = "stage",
                                        [INTENT_SHIFT] = "shift",
                                        [INTENT_PROMOTE] = "promote",
                                        [INTENT_REVERT] = "revert"};
    char url[NAME * 4];
    (void)snprintf(url, sizeof url, "%s/%s", target->url, verbs[intent->verb]);
    struct http_request request = {
        .method = "POST", .url = url, .body = STR("{}"), .timeout_ms = 30000};
    struct target_operation *operation = memory_alloc(sizeof *operation);
    *operation = (struct target_operation){.target = target, .intent = *intent};
    *ret = operation;
    return target->http->start(target->http->self, &request, &operation->job, err);
}

static enum progress target_poll(struct target_operation *operation, struct arena *arena,
                                 struct target_outcome *ret, struct error *err)
{
    struct target *target = operation->target;
    struct http_answer got;
    enum progress progress = target->http->poll(target->http->self, operation->job, &got, err);
    if (progress != PROGRESS_DONE)
        return progress;
    if (operation->intent.verb == INTENT_SHIFT)
        target->share_ppm = operation->intent.share_ppm;
    if (operation->intent.verb == INTENT_REVERT)
        target->share_ppm = 0;
    struct target_endpoint *endpoint = ARENA_NEW(arena, struct target_endpoint);
    *endpoint = (struct target_endpoint){.host = STR("here"), .revision = STR("r2")};
    *ret = (struct target_outcome){.seen = {.next_ppm = target->share_ppm,
                                            .good_ppm = SHARE_ALL - target->share_ppm,
                                            .settled = true,
                                            .endpoints = endpoint,
                                            .endpoint_count = 1}};
    return progress;
}

static void target_drop(struct target_operation *operation)
{
    const struct http_port *http = operation->target->http;
    if (operation->job)
        http->drop(http->self, operation->job);
    memory_free(operation);
}

static const struct target_kind bench_kind = {
    .name = "bench", .start = target_start, .poll = target_poll, .drop = target_drop};

// ---- the rollout -------------------------------------------------------------------------------

struct bench {
    struct arena arena;
    struct world *world;
    struct http_port http;
    struct clock_port clock;
    struct ledger *ledger;
    struct plan plan;
    struct target *targets;
    struct run_target *run_targets;
    struct run_metric metric;
    struct plan_metric plan_metric;
    uint32_t *watched;
    uint16_t port;
};

static void ask(void *self, const struct approval_question *question, int64_t now_ms)
{
    (void)self, (void)question, (void)now_ms;
}

static bool no_answer(void *self, int64_t now_ms, struct approval_answer *ret)
{
    (void)self, (void)now_ms, (void)ret;
    return false;
}

static void withdraw(void *self)
{
    (void)self;
}

static long peak_kb(void)
{
    char line[256];
    long kb = 0;
    FILE *status = fopen("/proc/self/status", "re");
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kb = strtol(line + 6, NULL, 10);
    if (status)
        (void)fclose(status);
    return kb;
}

// With BENCH_TELL in the environment: where the rollout is, and what it has held so far.
static void tell(void *self, const struct run_news *news)
{
    (void)self;
    if (!getenv("BENCH_TELL"))
        return;
    if (news->type == NEWS_TROUBLE)
        (void)fprintf(stderr, "  %s\n", news->text);
    if (news->type == NEWS_PHASE)
        (void)fprintf(stderr, "  %s, %ld kB\n", phase_name(news->state->phase), peak_kb());
}

static void make_plan(struct bench *bench, uint32_t count)
{
    struct arena *arena = &bench->arena;
    struct plan_target *targets = ARENA_ARRAY(arena, struct plan_target, count);
    bench->targets = ARENA_ARRAY(arena, struct target, count);
    bench->run_targets = ARENA_ARRAY(arena, struct run_target, count);
    bench->watched = ARENA_ARRAY(arena, uint32_t, count);
    for (uint32_t i = 0; i < count; i++) {
        targets[i] = (struct plan_target){
            .name = arena_format(arena, "target-%u", i),
            .good = {.release = STR("v1"), .commit = STR("1"), .revision = STR("r1")},
            .next = {.release = STR("v2"), .commit = STR("2"), .revision = STR("r2")}};
        bench->watched[i] = i;
        bench->targets[i].http = &bench->http;
        (void)snprintf(bench->targets[i].url, sizeof bench->targets[i].url,
                       "http://127.0.0.1:%u/t/%u", bench->port, i);
        bench->run_targets[i] = (struct run_target){&bench_kind, &bench->targets[i], STR("")};
    }
    bench->plan_metric = (struct plan_metric){.name = STR("probe"),
                                              .judge = JUDGE_THRESHOLD,
                                              .every_ms = count > 1 ? MS_SECOND : 20,
                                              .error_limit = 5,
                                              .targets = bench->watched,
                                              .target_count = count};
    bench->plan = (struct plan){
        .environment = STR("production"),
        .stage = STR("production"),
        .commit = STR("0123456789abcdef0123456789abcdef01234567"),
        .targets = targets,
        .target_count = count,
        .metrics = &bench->plan_metric,
        .metric_count = 1,
        .steps = {{.share_ppm = SHARE_ALL}},
        .step_count = 1,
        .step_bake_ms = 10 * MS_MINUTE,
        .bake_ms = 10 * MS_MINUTE,
        .settle_limit_ms = 5 * MS_MINUTE,
        .rollback_limit_ms = 5 * MS_MINUTE,
        .alpha = 0.01,
        .tolerance = 1.2,
        .detect_ratio = 5,
        .detect_power = 0.95,
    };
}

static void open_metric(struct bench *bench)
{
    const struct metric_kind *probe = metric_kind_of(STR("probe"));
    struct problems problems = {.arena = &bench->arena};
    struct error err;
    struct node url = {.kind = NODE_STRING,
                       .key = STR("url"),
                       .text =
                           arena_format(&bench->arena, "http://127.0.0.1:%u/sample", bench->port)};
    struct node most = {.kind = NODE_NUMBER, .key = STR("max_failures"), .text = STR("1")};
    struct node map = {.kind = NODE_MAP, .first = &url, .count = 2};
    url.next = &most;
    void *config = arena_alloc(&bench->arena, probe->shape->size_bytes);
    struct metric_setup setup = {.name = "probe", .http = &bench->http, .clock = &bench->clock};
    if (!shape_bind(&bench->arena, probe->shape, &map, config, &problems) ||
        !probe->open(config, &setup, &bench->metric.metric, &err))
        die("the probe cannot be made");
    bench->metric.kind = probe;
}

static void roll_out(struct bench *bench, unsigned number)
{
    struct driver *driver;
    struct error err;
    int64_t wake_ms;
    enum run_status status;
    bench->plan.release = arena_format(&bench->arena, "v%u", number + 2);
    bench->plan.rollout = arena_format(&bench->arena, "v%u-production-1", number + 2);
    struct journal *journal = journal_open(bench->ledger);
    struct driver_setup setup = {.plan = &bench->plan,
                                 .targets = bench->run_targets,
                                 .metrics = &bench->metric,
                                 .journal = journal_port(journal),
                                 .clock = bench->clock,
                                 .entropy = world_entropy(bench->world),
                                 .approver = {NULL, ask, no_answer, withdraw},
                                 .observer = {NULL, tell}};
    if (!driver_open(&setup, &driver, &err))
        die(err.message);
    while ((status = driver_turn(driver, &wake_ms)) == RUN_GOING)
        world_wait(bench->world, wake_ms);
    if (status != RUN_ENDED || driver_state(driver)->phase != PHASE_ROLLED_BACK) {
        (void)fprintf(stderr, "status %d, %s: %s; %s\n", (int)status,
                      phase_name(driver_state(driver)->phase), driver_state(driver)->why,
                      driver_words(driver));
        die("a rollout did not end as it should");
    }
    driver_close(driver);
    journal_close(journal);
}

static pid_t start_server(struct bench *bench, struct noted *noted, uint16_t git_from,
                          uint16_t *ret_git)
{
    static struct server server;
    server = (struct server){.noted = noted, .hangs = git_from != 0, .git_port = git_from};
    server.http = listen_on(&bench->port);
    server.git = listen_on(ret_git);
    pid_t child = fork();
    if (child == 0) {
        (void)signal(SIGPIPE, SIG_IGN);
        serve(&server);
    }
    close(server.http);
    close(server.git);
    return child;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

int main(int count, char **words)
{
    static struct bench bench;
    bool latency = count >= 4 && strcmp(words[1], "latency") == 0;
    if (count < 4 || (!latency && strcmp(words[1], "targets") != 0))
        die("latency FOLDER ROLLOUTS [GIT_PORT PATH], or targets FOLDER COUNT");
    uint32_t number = (uint32_t)strtoul(words[3], NULL, 10);
    uint16_t git_from = count > 5 ? (uint16_t)strtoul(words[4], NULL, 10) : 0, git_port = 0;
    if (number == 0 || number > ROLLOUTS_MOST || (!latency && number > LIMIT_TARGETS))
        die("that is too many, or none");
    struct noted *noted =
        mmap(NULL, sizeof *noted, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (noted == MAP_FAILED)
        die("no memory");
    pid_t child = start_server(&bench, noted, git_from, &git_port);
    struct error err;
    if (!world_open(&(struct world_options){.user_agent = "sluice"}, &bench.world, &err))
        die(err.message);
    bench.http = world_http(bench.world);
    bench.clock = world_clock(bench.world);
    char remote[512] = "";
    if (git_from)
        (void)snprintf(remote, sizeof remote, "http://127.0.0.1:%u%s", git_port, words[5]);
    struct ledger_options options = {.folder = words[2],
                                     .remote = git_from ? remote : NULL,
                                     .actor = {.local_user = STR("bench@here")},
                                     .clock = bench.clock,
                                     .entropy = world_entropy(bench.world),
                                     .world = bench.world,
                                     .flush = latency && git_from == 0};
    if (!ledger_open(&options, &bench.ledger, &err) ||
        !ledger_sync(bench.ledger, 10 * MS_SECOND, &err))
        die(err.message);
    make_plan(&bench, latency ? 1 : number);
    open_metric(&bench);
    for (uint32_t i = 0; i < (latency ? number : 1); i++)
        roll_out(&bench, i);
    (void)kill(child, SIGTERM);
    (void)waitpid(child, NULL, 0);
    qsort(noted->took_ns, noted->count, sizeof noted->took_ns[0], by_size);
    uint32_t n = noted->count, middle = n / 2, last = n ? n - 1 : 0;
    uint32_t most = n ? (n * 99 + 99) / 100 - 1 : 0; // 99 of 100 are at most this one
    printf("{\"reverts\": %u, \"hung\": %u, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, "
           "\"peak_mb\": %.1f}\n",
           n, noted->hung, (double)noted->took_ns[middle] / 1e6, (double)noted->took_ns[most] / 1e6,
           (double)noted->took_ns[last] / 1e6, (double)peak_kb() / 1024);
    bench.metric.kind->close(bench.metric.metric);
    ledger_close(bench.ledger);
    world_close(bench.world);
    arena_done(&bench.arena);
    return 0;
}
