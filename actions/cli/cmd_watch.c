// sluice watch: stays, and wakes every rollout that is due: one `sluice resume` each, in a process
// of its own. What one of them runs into does not concern the others, this process stays small, and
// a resume that is called from elsewhere is none of its business: the lease decides.
#include "actions/cli/commands.h"
#include "actions/cli/due.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/notices.h"
#include "actions/cli/rehearsal_left.h"
#include "actions/cli/say.h"
#include "actions/cli/watch_unit.h"
#include "gate/base/moment.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    WARDS = 64,
    EVERY_MS = 30000,
    EVERY_LEAST_MS = 1000,
    PAUSE_MOST_MS = 300000, // between two tries at the same rollout
    LEAVE_MS = 900,         // for the processes that drive one to let go of it
};

static const struct option options[] = {
    {.name = "every", .argument = "TIME", .help = "How often it looks, such as 30s (the default)."},
    {.name = "unit", .help = "Print a systemd unit that runs it for this repository, and end."},
    {0},
};

struct ward { // an unfinished rollout
    char rollout[EVENT_NAME_MAX + 1];
    pid_t process;             // that drives it for us; 0 = none
    int64_t since_ms;          // when it was started
    int64_t next_ms, pause_ms; // before it is tried again
    bool open;                 // as of this round
};

struct watch {
    struct deployment d;
    struct ward wards[WARDS];
    size_t ward_count;
    struct ward teller; // the process that sends notices which nobody has sent; names no rollout
    int64_t every_ms, round_ms;
    struct object_id tip; // of the ledger in the newest round
    char trouble[256];    // with its remote, as last said
};

static void say(const struct watch *watch, const char *rollout, const char *words)
{
    if (!watch->d.call->quiet)
        say_line("sluice: %s%s%s", rollout, *rollout ? ": " : "", words);
}

// ---- the processes that drive -------------------------------------------------------------------

static int spawn(char *const *words, pid_t *ret)
{
    extern char **environ;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, fresh;
    sigemptyset(&none);
    sigfillset(&fresh);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &fresh);
    int code = posix_spawn(ret, "/proc/self/exe", &actions, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

static char *word(struct arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(arena_alloc(arena, size), text, size);
}

// Runs `sluice resume` with these words, at most five of them and then null.
static void run_resume(struct watch *watch, struct ward *ward, const char *const *more,
                       const char *why)
{
    struct arena arena = {0};
    char *words[12];
    size_t count = 0;
    const struct invocation *call = watch->d.call;
    words[count++] = word(&arena, "sluice");
    words[count++] = word(&arena, "resume");
    if (call->config_path) {
        words[count++] = word(&arena, "--config");
        words[count++] = word(&arena, call->config_path);
    }
    if (call->quiet || call->verbose)
        words[count++] = word(&arena, call->quiet ? "--quiet" : "--verbose");
    for (; *more; more++)
        words[count++] = word(&arena, *more);
    words[count] = NULL;
    ward->since_ms = deployment_now(&watch->d);
    int code = spawn(words, &ward->process);
    arena_done(&arena);
    if (code) {
        ward->process = 0;
        ward->next_ms = deployment_now(&watch->d) + PAUSE_MOST_MS;
    }
    say(watch, ward->rollout, code ? strerror(code) : why);
}

static void wake(struct watch *watch, struct ward *ward, const char *phase)
{
    const char *const words[] = {"--wait", "watch", "--leave", "--", ward->rollout, NULL};
    run_resume(watch, ward, words, phase);
}

// One that comes back soon is tried again later and later, up to every five minutes; one that had
// stayed longer than that begins anew.
static void put_off(const struct watch *watch, struct ward *ward)
{
    int64_t now_ms = deployment_now(&watch->d);
    bool soon = now_ms - ward->since_ms < PAUSE_MOST_MS;
    ward->pause_ms = soon && ward->pause_ms ? 2 * ward->pause_ms : watch->every_ms;
    if (ward->pause_ms > PAUSE_MOST_MS)
        ward->pause_ms = PAUSE_MOST_MS;
    ward->next_ms = now_ms + ward->pause_ms;
}

static bool reap_one(const struct watch *watch, struct ward *ward)
{
    int status = 0;
    if (!ward->process || waitpid(ward->process, &status, WNOHANG) != ward->process)
        return false;
    ward->process = 0;
    put_off(watch, ward);
    return true;
}

static bool reap(struct watch *watch)
{
    bool any = reap_one(watch, &watch->teller);
    for (size_t i = 0; i < watch->ward_count; i++)
        any |= reap_one(watch, &watch->wards[i]);
    return any;
}

static bool any_process(const struct watch *watch)
{
    if (watch->teller.process)
        return true;
    for (size_t i = 0; i < watch->ward_count; i++)
        if (watch->wards[i].process)
            return true;
    return false;
}

// They let go of their rollouts; whoever looks next goes on with them.
static void leave(struct watch *watch)
{
    if (watch->teller.process)
        (void)kill(watch->teller.process, SIGTERM);
    for (size_t i = 0; i < watch->ward_count; i++)
        if (watch->wards[i].process)
            (void)kill(watch->wards[i].process, SIGTERM);
    for (int ms = 0; ms < LEAVE_MS && any_process(watch); ms += 10) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        (void)reap(watch);
    }
}

// ---- a round ------------------------------------------------------------------------------------

static struct ward *ward_of(struct watch *watch, str rollout)
{
    for (size_t i = 0; i < watch->ward_count; i++)
        if (str_is(rollout, watch->wards[i].rollout))
            return &watch->wards[i];
    if (watch->ward_count == WARDS || rollout.len > EVENT_NAME_MAX)
        return NULL; // its turn comes when another one is over
    struct ward *ward = &watch->wards[watch->ward_count++];
    *ward = (struct ward){0};
    memcpy(ward->rollout, rollout.data, rollout.len);
    return ward;
}

// No process of ours has it, and none came back too lately.
static bool may_wake(struct ward *ward, int64_t now_ms)
{
    if (ward->next_ms > now_ms + PAUSE_MOST_MS)
        ward->next_ms = now_ms; // the clock went back
    return !ward->process && now_ms >= ward->next_ms;
}

static void look_at(struct watch *watch, const struct rollout_record *record, int64_t now_ms)
{
    struct ward *ward = ward_of(watch, record->plan->rollout);
    if (!ward)
        return;
    ward->open = true;
    struct due due = due_of(watch->d.ledger, record, now_ms);
    if (due.state == DUE_PEOPLE && !ward->process)
        ward->pause_ms = ward->next_ms = 0; // a word of theirs is not kept waiting
    if (due.at_ms > now_ms && ward->next_ms > due.at_ms)
        ward->next_ms = due.at_ms; // the calendar opens then
    if (due.state == DUE_NOW && may_wake(ward, now_ms))
        wake(watch, ward, phase_name(record->state ? record->state->phase : PHASE_NEW));
}

// A rehearsal whose halves are over, or one of them, and that nobody goes on with. One in the
// middle of a half is an unfinished rollout like any other.
static void look_at_rehearsal(struct watch *watch, struct deployment *round, str environment,
                              int64_t now_ms)
{
    struct rehearsal_left left;
    bool found = false;
    if (!rehearsal_left_in(round, environment, &left, &found)) {
        say(watch, "", watch->d.call->error.message);
        watch->d.call->error = (struct error){0};
    }
    struct ward *ward = found && !left.open && !left.driven ? ward_of(watch, left.back) : NULL;
    if (!ward)
        return;
    ward->open = true;
    if (may_wake(ward, now_ms))
        wake(watch, ward, "a rehearsal was left half-way");
}

// What was to be told while nothing ran. What is woken here tells by itself.
static void look_for_untold(struct watch *watch, struct deployment *round,
                            const struct rollout_record *open, size_t count, int64_t now_ms)
{
    static const char *const words[] = {"--tell-only", NULL};
    if (!may_wake(&watch->teller, now_ms))
        return;
    struct rollout_record *rest = ARENA_ARRAY(round->arena, struct rollout_record, count + 1);
    size_t rest_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct ward *ward = ward_of(watch, open[i].plan->rollout);
        if (!ward || !ward->process)
            rest[rest_count++] = open[i];
    }
    if (notices_any_missed(round, rest, rest_count)) {
        run_resume(watch, &watch->teller, words, "telling what nobody was told");
        return;
    }
    watch->teller.pause_ms = 0;
    watch->teller.next_ms = now_ms + watch->every_ms; // not with every entry of a busy ledger
}

static void forget_closed(struct watch *watch)
{
    size_t kept = 0;
    for (size_t i = 0; i < watch->ward_count; i++)
        if (watch->wards[i].open || watch->wards[i].process)
            watch->wards[kept++] = watch->wards[i];
    watch->ward_count = kept;
}

// What it reads lives as long as the round.
static void look_around(struct watch *watch, int64_t now_ms)
{
    struct arena arena = {0};
    struct deployment round = watch->d;
    struct rollout_record *open = NULL;
    size_t count = 0;
    round.arena = &arena;
    for (size_t i = 0; i < watch->ward_count; i++)
        watch->wards[i].open = false;
    if (facts_all_open(&round, &open, &count)) {
        for (size_t i = 0; i < count; i++)
            look_at(watch, &open[i], now_ms);
        for (size_t i = 0; i < round.settings.stage_count; i++)
            look_at_rehearsal(watch, &round, stage_environment(&round.settings.stages[i]), now_ms);
        forget_closed(watch);
        look_for_untold(watch, &round, open, count, now_ms);
    } else {
        say(watch, "", watch->d.call->error.message);
        watch->d.call->error = (struct error){0};
    }
    arena_done(&arena);
}

static void say_trouble(struct watch *watch)
{
    const struct error *trouble = ledger_trouble(watch->d.ledger);
    const char *words = trouble ? trouble->message : "";
    if (strncmp(watch->trouble, words, sizeof watch->trouble - 1) == 0)
        return;
    if (watch->trouble[0] == '\0' || !trouble)
        say(watch, "the ledger's remote", trouble ? words : "answers again");
    (void)snprintf(watch->trouble, sizeof watch->trouble, "%.255s", words);
}

static struct object_id tip_of(struct ledger *ledger)
{
    size_t count = ledger_count(ledger);
    return count ? ledger_at(ledger, count - 1)->commit : (struct object_id){0};
}

static void turn(struct watch *watch)
{
    struct deployment *d = &watch->d;
    struct error ignored;
    int64_t now_ms = deployment_now(d);
    int64_t wake_ms = ledger_turn(d->ledger, now_ms);
    say_trouble(watch);
    bool ended = reap(watch);
    if (!ledger_refresh(d->ledger, &ignored))
        ended = false;
    struct object_id tip = tip_of(d->ledger);
    bool back = watch->round_ms > now_ms + watch->every_ms; // the clock
    if (ended || back || now_ms >= watch->round_ms || !object_eq(&tip, &watch->tip)) {
        watch->tip = tip;
        watch->round_ms = now_ms + watch->every_ms;
        look_around(watch, now_ms);
    }
    int64_t until_ms = watch->round_ms < wake_ms ? watch->round_ms : wake_ms;
    if (until_ms <= now_ms)
        until_ms = now_ms + 50;
    if (!world_signal(d->ports.world))
        world_wait(d->ports.world, until_ms);
}

// ---- the unit -----------------------------------------------------------------------------------

static const char *absolute(struct arena *arena, const char *path)
{
    char whole[PATH_MAX];
    return realpath(path, whole) ? arena_copy(arena, str_of(whole)) : path;
}

static int print_unit(struct invocation *call, const struct deployment *d, int64_t every_ms)
{
    struct text out = text_of(16384);
    char every[32];
    struct watch_unit unit = {
        .program = absolute(call->arena, "/proc/self/exe"),
        .repository = absolute(call->arena, d->root),
        .git = absolute(call->arena, repository_common_dir(d->repository)),
        .config = call->config_path ? absolute(call->arena, call->config_path) : NULL,
        .every = duration_format(every_ms, every),
        .user = d->me,
    };
    watch_unit_write(&unit, &out);
    bool ok = command_print(call, text_str(&out));
    text_done(&out);
    return ok ? 0 : command_failed(call);
}

static int run(struct invocation *call)
{
    struct watch *watch = ARENA_NEW(call->arena, struct watch);
    const char *every = option_text(&call->options, "every");
    watch->every_ms = EVERY_MS;
    if (every && (!duration_parse(str_of(every), &watch->every_ms) ||
                  watch->every_ms < EVERY_LEAST_MS || watch->every_ms > PAUSE_MOST_MS)) {
        (void)error_set(&call->error, ERROR_INPUT,
                        "--every takes a time from 1s to 5m, such as 30s, not `%s`", every);
        return command_failed(call);
    }
    if (!deployment_open_here(call, &watch->d))
        return command_failed(call);
    int code = 0;
    if (option_given(&call->options, "unit")) {
        code = print_unit(call, &watch->d, watch->every_ms);
    } else {
        ledger_want_fetch(watch->d.ledger, watch->every_ms);
        say(watch, "", "watching; a rollout that is due is woken");
        while (!world_signal(watch->d.ports.world))
            turn(watch);
        leave(watch);
    }
    deployment_close(&watch->d);
    return code;
}

const struct command command_watch = {
    .name = "watch",
    .operands = "",
    .summary = "stay, and wake what is due",
    .description =
        "Looks at the ledger and runs `sluice resume` for each rollout that is due: one whose "
        "process is gone, that a person\nhas answered, or that has traffic while somebody is "
        "waited for; and for a rehearsal that was left half-way. Where that\nkeeps ending soon, "
        "as in a freeze, the next one comes later each time, up to 5 minutes: a freeze that is "
        "removed\nbefore its time is found then. Sends the notices that nobody has sent. Ended by "
        "SIGTERM or Ctrl-C within a\nsecond, with exit code 0: its rollouts are let go of, not "
        "cancelled, and whoever looks next goes on with them.\n\n"
        "Name it in the configuration (`watch: {by, every}`): then `--wait suspend` may leave to "
        "it what has traffic, and\n`sluice plan` says the worst time until it sees a regression.",
    .options = options,
    .formats = 1U << FORMAT_TEXT,
    .run = run,
};
