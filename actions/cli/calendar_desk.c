#include "actions/cli/calendar_desk.h"
#include "actions/cli/say.h"

#include "deploy/record/remote.h"
#include "deploy/run/settings_calendar.h"
#include "gate/base/moment.h"
#include "gate/git/facts.h"
#include "gate/policy.h"

#include <stdio.h>

enum { LOCAL_READ_MS = 5000 }; // without a remote it costs nothing

struct calendar_desk {
    struct deployment *d;
    const struct calendar *known; // what was planned with
    unsigned severity;
    struct calendar calendar; // its windows, and the newest freezes
    struct arena arena;       // as long as the desk
    struct arena newest;      // of the freezes that were read
    bool outside;             // the configuration is no file of this repository
    const char *branch;       // the default branch's name; null = unknown
    const char *tracking;     // "refs/remotes/origin/main"; null = there is no remote to ask
    const char *why_local;    // why the remote is not asked though there is one; null = nothing
    struct remote_job job;
    struct work *work; // the fetch that is under way
    int64_t begun_ms;  // when it was begun
    int64_t next_ms;   // when to read again
    int64_t read_ms;   // of the newest reading: when it was begun
    char commit[COMMIT_HEX];
    struct calendar_answer answer; // that holds from `answered_ms` on
    int64_t answered_ms;
    const char *refs[3];   // where the default branch may stand here, the newest first
    char unreachable[256]; // why the newest commit is not known
    char unreadable[256];  // why its configuration is not
};

// ---- where it is read from ----------------------------------------------------------------------

static str default_branch(struct calendar_desk *desk)
{
    const struct deployment *d = desk->d;
    struct error ignored;
    str branch = {NULL, 0};
    if (d->call->runner.default_branch)
        return str_of(d->call->runner.default_branch);
    (void)repository_default_branch(&desk->arena, d->repository, &branch, &ignored);
    return branch;
}

// The remote of the ledger, when it is one of this repository's: then the code is there as well.
static void find_remote(struct calendar_desk *desk)
{
    const struct deployment *d = desk->d;
    struct arena *arena = &desk->arena;
    struct error ignored;
    str url = {NULL, 0};
    if (!d->remote || !desk->branch ||
        !repository_remote_url(arena, d->repository, d->remote, &url, &ignored) || url.len == 0)
        return;
    desk->tracking = arena_format(arena, "refs/remotes/%s/%s", d->remote, desk->branch).data;
    if (repository_is_shallow(d->repository)) {
        desk->why_local = "this is a shallow clone, which cannot be added to (`fetch-depth: 0` "
                          "makes it whole)";
        return;
    }
    bool relative = url.data[0] == '.' && remote_local_path(url.data);
    desk->job = (struct remote_job){
        .path = repository_common_dir(d->repository),
        .url = relative ? arena_format(arena, "%s" STR_FMT, d->root, STR_ARG(url)).data : url.data,
        .branch = arena_format(arena, "refs/heads/%s", desk->branch).data,
        .remote_ref = desk->tracking,
        .login = {.token = secret_is_set(&d->token) ? &d->token : NULL},
    };
}

struct calendar_desk *calendar_desk_open(struct deployment *d, const struct calendar *known,
                                         unsigned severity)
{
    struct calendar_desk *desk = memory_alloc(sizeof *desk);
    memset(desk, 0, sizeof *desk);
    desk->d = d;
    desk->known = known;
    desk->calendar = *known;
    desk->severity = severity;
    desk->outside = d->call->config_path != NULL;
    str branch = default_branch(desk);
    desk->branch = branch.len ? arena_copy(&desk->arena, branch) : NULL;
    if (!desk->outside)
        find_remote(desk);
    desk->refs[0] = desk->tracking;
    if (desk->branch) {
        desk->refs[1] = arena_format(&desk->arena, "refs/heads/%s", desk->branch).data;
        desk->refs[2] = arena_format(&desk->arena, "refs/remotes/origin/%s", desk->branch).data;
    }
    return desk;
}

void calendar_desk_close(struct calendar_desk *desk)
{
    if (!desk)
        return;
    work_close(desk->work);
    arena_done(&desk->newest);
    arena_done(&desk->arena);
    memory_free(desk);
}

// ---- reading ------------------------------------------------------------------------------------

// Who uses no calendar is not told that there might be one.
static void say(const struct calendar_desk *desk, const char *why, char ret[256])
{
    if (desk->known->freeze_count || desk->known->window_count)
        (void)snprintf(ret, 256,
                       "freezes are not read again from the default branch, and those of the plan "
                       "hold: %.150s",
                       why);
}

static bool read_tree(struct calendar_desk *desk, struct arena *arena, const struct node **ret,
                      struct error *err)
{
    const struct deployment *d = desk->d;
    struct source source = {.repository = d->repository, .commit = desk->commit, .root = d->root};
    if (!desk->outside)
        return policy_tree(arena, &source, POLICY_PATH, ret, err);
    struct policy policy;
    struct policy_request request = {
        .tree = {.repository = d->repository, .root = d->root},
        .path = d->call->config_path,
        .outside = true,
    };
    bool ok = policy_load(arena, &request, &policy, err);
    *ret = ok ? policy.tree : NULL;
    return ok;
}

static void take_freezes(struct calendar_desk *desk)
{
    struct arena arena = {0};
    struct problems problems = {.arena = &arena};
    struct calendar_settings settings = {0};
    const struct node *tree = NULL;
    struct error err = {0};
    bool ok = read_tree(desk, &arena, &tree, &err) && tree &&
              (calendar_settings_bind(&arena, tree, NULL, &settings, &problems) ||
               problems_none(&problems, &err));
    if (!ok) {
        say(desk, tree || err.kind ? err.message : "it has no configuration", desk->unreadable);
        arena_done(&arena);
        return;
    }
    arena_done(&desk->newest);
    desk->newest = arena;
    desk->calendar.freezes = settings.calendar.freezes;
    desk->calendar.freeze_count = settings.calendar.freeze_count;
    desk->answered_ms = 0;
    desk->unreadable[0] = '\0';
}

// At the newest commit of the default branch that is known here.
static void read_commit(struct calendar_desk *desk, const char *commit)
{
    if (strcmp(desk->commit, commit) == 0)
        return;
    (void)snprintf(desk->commit, sizeof desk->commit, "%s", commit);
    take_freezes(desk);
}

static bool read_here(struct calendar_desk *desk)
{
    struct error ignored;
    char commit[COMMIT_HEX];
    for (size_t i = 0; i < sizeof desk->refs / sizeof desk->refs[0]; i++)
        if (desk->refs[i] &&
            repository_resolve(desk->d->repository, desk->refs[i], commit, &ignored)) {
            read_commit(desk, commit);
            return true;
        }
    return false;
}

static void fetch(void *context)
{
    remote_fetch(context);
}

static void take_fetched(struct calendar_desk *desk)
{
    char commit[OBJECT_HEX];
    work_close(desk->work);
    desk->work = NULL;
    desk->read_ms = desk->begun_ms;
    desk->unreachable[0] = '\0';
    if (desk->job.outcome != REMOTE_DONE)
        say(desk, desk->job.why.message, desk->unreachable);
    else if (object_is_none(&desk->job.seen))
        say(desk, "the remote has no such branch", desk->unreachable);
    else
        read_commit(desk, object_hex(&desk->job.seen, commit));
}

static void begin_reading(struct calendar_desk *desk, int64_t now_ms)
{
    struct error why;
    char commit[COMMIT_HEX];
    desk->begun_ms = now_ms;
    desk->unreachable[0] = '\0';
    desk->next_ms = now_ms + (desk->job.url ? CALENDAR_READ_MS : LOCAL_READ_MS);
    if (desk->outside) {
        take_freezes(desk);
    } else if (desk->job.url) {
        if (repository_resolve(desk->d->repository, desk->tracking, commit, &why))
            (void)object_of(str_of(commit), &desk->job.known);
        if (world_work(desk->d->ports.world, fetch, &desk->job, &desk->work, &why))
            return;
        say(desk, why.message, desk->unreachable);
    } else if (!read_here(desk)) {
        say(desk, "no default branch is known here", desk->unreachable);
    } else if (desk->why_local) {
        say(desk, desk->why_local, desk->unreachable);
    }
    desk->read_ms = now_ms;
}

static const char *trouble_of(const struct calendar_desk *desk)
{
    return desk->unreachable[0] ? desk->unreachable : desk->unreadable;
}

// ---- the port -----------------------------------------------------------------------------------

static void look(void *self, int64_t now_ms, struct calendar_word *ret)
{
    struct calendar_desk *desk = self;
    struct text words = text_of(4096);
    if (desk->work && work_done(desk->work))
        take_fetched(desk);
    if (!desk->work && (now_ms >= desk->next_ms || now_ms < desk->begun_ms))
        begin_reading(desk, now_ms);
    if (desk->answered_ms == 0 || now_ms < desk->answered_ms || now_ms >= desk->answer.until_ms) {
        calendar_look(&desk->calendar, desk->severity, now_ms, &desk->answer);
        desk->answered_ms = now_ms;
    }
    *ret = (struct calendar_word){
        .frozen = !desk->answer.allowed,
        .until_ms = desk->answer.until_ms < desk->next_ms ? desk->answer.until_ms : desk->next_ms};
    if (ret->frozen)
        calendar_words(&desk->calendar, &desk->answer, &words);
    (void)snprintf(ret->text, sizeof ret->text, "%s", text_c(&words));
    (void)snprintf(ret->trouble, sizeof ret->trouble, "%s", trouble_of(desk));
    text_done(&words);
}

static bool is_fresh(void *self, int64_t now_ms, int64_t since_ms)
{
    struct calendar_desk *desk = self;
    if (desk->read_ms >= since_ms)
        return true;
    if (now_ms >= since_ms + CALENDAR_LIMIT_MS) {
        say(desk, "its remote does not answer in time", desk->unreachable);
        return true;
    }
    if (!desk->work || desk->begun_ms < since_ms) // what was begun before may have missed it
        desk->next_ms = now_ms;
    return false;
}

struct calendar_port calendar_desk_port(struct calendar_desk *desk)
{
    return (struct calendar_port){.self = desk, .look = look, .fresh = is_fresh};
}

bool calendar_desk_waits(struct calendar_desk *desk, int64_t now_ms, int64_t *ret_until_ms,
                         struct text *out)
{
    struct calendar_answer answer;
    calendar_look(&desk->calendar, desk->severity, now_ms, &answer);
    if (answer.allowed)
        return false;
    calendar_words(&desk->calendar, &answer, out);
    *ret_until_ms = answer.until_ms;
    return true;
}

const struct calendar *calendar_desk_newest(struct calendar_desk *desk)
{
    int64_t began_ms = deployment_now(desk->d), now_ms = began_ms;
    struct calendar_word word;
    look(desk, now_ms, &word);
    while (!is_fresh(desk, now_ms, began_ms) && !world_signal(desk->d->ports.world)) {
        world_wait(desk->d->ports.world, now_ms + MS_SECOND);
        now_ms = deployment_now(desk->d);
        look(desk, now_ms, &word);
    }
    if (*trouble_of(desk))
        say_line("sluice: %s", trouble_of(desk));
    return &desk->calendar;
}
