#include "actions/cli/deployment.h"

#include "gate/git/facts.h"

#include "actions/cli/config.h"
#include "actions/cli/keyboard.h"
#include "actions/cli/process.h"
#include "actions/cli/say.h"
#include "deploy/cloud/cloud.h"
#include "gate/base/moment.h"
#include "gate/policy.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { KEY_MS = 50 }; // how often the keyboard is asked

// ---- who ---------------------------------------------------------------------------------------

static str local_user(void)
{
    const struct passwd *entry = getpwuid(geteuid());
    if (entry && entry->pw_name[0])
        return str_of(entry->pw_name);
    const char *name = getenv("USER");
    return str_of(name && *name ? name : "unknown");
}

static struct event_actor actor_of(struct deployment *d)
{
    const struct runner *runner = &d->call->runner;
    struct event_actor actor = {0};
    struct utsname machine;
    if (runner->is_actions && runner->actor) {
        d->me = str_of(runner->actor);
        actor.login = d->me;
        actor.run_url = str_of(runner->run_url);
        actor.subject = str_of(runner->workflow_ref);
        return actor;
    }
    d->me = arena_str(d->arena, local_user());
    actor.local_user = uname(&machine) == 0
                           ? arena_format(d->arena, STR_FMT "@%s", STR_ARG(d->me), machine.nodename)
                           : d->me;
    return actor;
}

// ---- configuration ------------------------------------------------------------------------------

// A rollback reads only what it needs: a mistake in the gate's half must not stop it.
static bool read_config(struct deployment *d, bool whole, struct error *err)
{
    const char *path = d->call->config_path;
    struct policy_request request = {
        .tree = {.repository = d->repository, .root = d->root},
        .path = path ? path : POLICY_PATH,
        .outside = path != NULL,
    };
    struct policy policy;
    struct problems problems = {.arena = d->arena};
    if (!policy_load(d->arena, &request, &policy, err))
        return false;
    d->config = policy.tree;
    if (whole) {
        struct config config;
        (void)config_bind(d->arena, d->config, &config, &problems);
    }
    if (problems.count == 0)
        (void)deploy_settings_bind(d->arena, d->config, &d->settings, &problems);
    problems_sort(&problems);
    return problems_none(&problems, err);
}

// Only what `env:` names can be reached, and of that what is set.
static void read_variables(struct deployment *d)
{
    const struct node *names = node_get(d->config, "env");
    size_t room = names ? names->count + 2 : 1, count = 0;
    d->variables = ARENA_ARRAY(d->arena, struct template_value, room);
    bool list = names && names->kind == NODE_LIST;
    for (const struct node *n = list ? names->first : names; n && count + 1 < room;
         n = list ? n->next : NULL) {
        const char *value = getenv(arena_copy(d->arena, n->text));
        if (value && *value)
            d->variables[count++] = (struct template_value){
                arena_format(d->arena, "env." STR_FMT, STR_ARG(n->text)).data,
                arena_str(d->arena, str_of(value))};
    }
}

// ---- ledger -------------------------------------------------------------------------------------

static bool read_key(struct deployment *d, str sign_with, struct error *err)
{
    if (sign_with.len == 0)
        return true;
    struct text key = text_of(16384);
    bool ok = template_expand(sign_with, d->variables, TEMPLATE_PLAIN, &key, err) &&
              sign_key_open(text_str(&key), &d->key, err);
    if (key.data)
        secret_wipe(key.data, key.room);
    text_done(&key);
    return ok || error_wrap(err, "`ledger.sign_with`");
}

void ledger_token(struct secret *ret)
{
    const char *token = getenv("SLUICE_LEDGER_TOKEN");
    if (!token || !*token)
        token = getenv("GITHUB_TOKEN");
    if (token && *token)
        secret_take(ret, str_of(token));
}

enum asking { REMOTE_MUST, REMOTE_MAY, REMOTE_LATER }; // answer, before the command goes on

static bool open_ledger(struct deployment *d, enum asking remote, struct error *err)
{
    static const struct node nothing = {.kind = NODE_MAP};
    struct ledger_section section;
    struct problems problems = {.arena = d->arena};
    const struct node *node = node_get(d->config, "ledger");
    (void)shape_bind(d->arena, &ledger_shape, node ? node : &nothing, &section, &problems);
    if (!problems_none(&problems, err) || !read_key(d, section.sign_with, err))
        return false;
    ledger_token(&d->token);
    d->branch = arena_copy(d->arena, section.branch);
    d->remote = section.remote.len ? arena_copy(d->arena, section.remote) : NULL;
    struct ledger_options options = {
        .folder = d->root,
        .branch = d->branch,
        .remote = d->remote,
        .key = d->key,
        .actor = actor_of(d),
        .clock = d->ports.clock,
        .entropy = d->ports.entropy,
        .world = d->ports.world,
        .login = {.token = secret_is_set(&d->token) ? &d->token : NULL},
        .flush = d->remote == NULL, // with a remote, that is where it is durable
    };
    if (!ledger_open(&options, &d->ledger, err))
        return error_wrap(err, "opening the ledger");
    if (remote == REMOTE_LATER)
        return ledger_refresh(d->ledger, err);
    if (ledger_sync(d->ledger, LEDGER_WAIT_MS, err))
        return true;
    if (remote == REMOTE_MUST)
        return error_wrap(err, "reading the ledger");
    say_line("sluice: the ledger's remote does not answer (%s): going on with the local one",
             err->message);
    *err = (struct error){0};
    d->offline = true;
    return ledger_refresh(d->ledger, err);
}

// ---- together -----------------------------------------------------------------------------------

static void say(void *self, const char *sentence)
{
    (void)self;
    say_line("sluice: %s", sentence);
}

static void wait_until(void *self, int64_t until_ms)
{
    world_wait(self, until_ms);
}

static bool open_all(struct deployment *d, enum asking remote, struct error *err)
{
    struct world_options world = {.user_agent = "sluice", .watch_signals = true};
    if (!repository_open(".", &d->repository, err))
        return false;
    const char *root = repository_root(d->repository);
    d->root = root ? arena_copy(d->arena, str_of(root)) : "./"; // also after a failure
    if (!read_config(d, remote == REMOTE_MUST, err) || !world_open(&world, &d->ports.world, err))
        return false;
    read_variables(d);
    d->ports.exec = world_exec(d->ports.world);
    d->ports.http = world_http(d->ports.world);
    d->ports.clock = world_clock(d->ports.world);
    d->ports.entropy = world_entropy(d->ports.world);
    d->ports.variables = d->variables;
    process_hold_secrets();
    d->ports.cloud = cloud_open(&(struct cloud_ports){.http = &d->ports.http,
                                                      .clock = &d->ports.clock,
                                                      .say = say,
                                                      .wait = wait_until,
                                                      .self = d->ports.world});
    if (!open_ledger(d, remote, err))
        return false;
    d->cache =
        arena_format(d->arena, "%ssluice/bundles", repository_common_dir(d->repository)).data;
    return true;
}

static bool open_or_close(struct invocation *call, enum asking remote, struct deployment *ret)
{
    struct deployment d = {.call = call, .arena = call->arena};
    *ret = d;
    if (open_all(ret, remote, &call->error))
        return true;
    deployment_close(ret);
    return false;
}

bool deployment_open(struct invocation *call, bool may_be_offline, struct deployment *ret)
{
    return open_or_close(call, may_be_offline ? REMOTE_MAY : REMOTE_MUST, ret);
}

bool deployment_open_here(struct invocation *call, struct deployment *ret)
{
    return open_or_close(call, REMOTE_LATER, ret);
}

void deployment_close(struct deployment *d)
{
    if (d->ledger)
        ledger_close(d->ledger);
    cloud_close(d->ports.cloud);
    if (d->ports.world)
        world_close(d->ports.world);
    sign_key_close(d->key);
    secret_done(&d->token);
    github_login_done(&d->github_login);
    repository_close(d->repository);
}

// As the runner says, else where `origin` is.
static bool find_place(struct deployment *d, struct github_place *ret, struct error *err)
{
    const struct runner *runner = &d->call->runner;
    struct github_place origin = {.api_url = "https://api.github.com"};
    str address = {NULL, 0};
    bool known = repository_remote_url(d->arena, d->repository, "origin", &address, err) &&
                 github_place_of(d->arena, address, &origin);
    if (!known && !runner->repository)
        return error_set(err, ERROR_INPUT,
                         "which repository of GitHub this is is not known: `origin` is none, and "
                         "GITHUB_REPOSITORY is not set to OWNER/NAME");
    *ret = (struct github_place){.api_url = runner->api_url ? runner->api_url : origin.api_url,
                                 .repository =
                                     runner->repository ? runner->repository : origin.repository};
    *err = (struct error){0};
    return true;
}

bool deployment_github(struct deployment *d, const struct github_settings *settings,
                       struct github_client **ret, struct error *err)
{
    struct github_place place;
    if (!d->github &&
        (!find_place(d, &place, err) || !github_open(d->ports.cloud, &place, settings, d->variables,
                                                     &d->github_login, &d->github, err)))
        return false;
    *ret = d->github;
    return true;
}

bool deployment_stage(struct deployment *d, const char *name, const struct stage_settings **ret)
{
    struct error *err = &d->call->error;
    struct text names = text_of(1024);
    for (size_t i = 0; i < d->settings.stage_count; i++)
        text_addf(&names, "%s`" STR_FMT "`", i ? ", " : "", STR_ARG(d->settings.stages[i].stage));
    const struct stage_settings *stage = NULL;
    if (name)
        stage = stage_of(&d->settings, str_of(name));
    else if (d->settings.stage_count == 1)
        stage = &d->settings.stages[0];
    if (stage)
        *ret = stage;
    else if (d->settings.stage_count == 0)
        (void)error_set(err, ERROR_INPUT,
                        "the configuration has no `rollout:`, so nothing can be "
                        "rolled out; `sluice check` shows what else is wrong with it");
    else if (name)
        (void)error_set(err, ERROR_INPUT, "there is no stage `%s`; there are %s", name,
                        text_c(&names));
    else
        (void)error_set(err, ERROR_INPUT, "say which with --stage: there are %s", text_c(&names));
    text_done(&names);
    return stage != NULL;
}

str stage_environment(const struct stage_settings *stage)
{
    return stage->environment.len ? stage->environment : stage->stage;
}

struct store_options deployment_store(const struct deployment *d)
{
    return (struct store_options){.folder = d->root, .branch = d->branch, .remote = d->remote};
}

int64_t deployment_now(const struct deployment *d)
{
    return d->ports.clock.now_ms(d->ports.clock.self);
}

bool deployment_interactive(const struct deployment *d)
{
    return !d->call->runner.is_actions && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

bool deployment_confirm(struct deployment *d, const char *question, const char *otherwise)
{
    struct world *world = d->ports.world;
    struct error *err = &d->call->error;
    struct keyboard keyboard = {0};
    // Before it is asked: a key pressed after that counts.
    int key = keyboard_open(&keyboard) ? 0 : KEYBOARD_GONE;
    (void)fprintf(stderr, "%s[y/N] ", question);
    (void)fflush(stderr);
    while (key == 0 && !world_signal(world)) {
        key = keyboard_key(&keyboard);
        if (key == 0)
            world_wait(world, deployment_now(d) + KEY_MS);
    }
    keyboard_close(&keyboard);
    bool yes = (key == 'y' || key == 'Y') && !world_signal(world);
    (void)fprintf(stderr, "%s\n", yes ? "yes" : world_signal(world) ? "" : "no");
    if (yes)
        return true;
    return error_set(err, ERROR_DENIED, "%s%s",
                     world_signal(world)    ? "interrupted: "
                     : key == KEYBOARD_GONE ? "the terminal is gone: "
                                            : "",
                     otherwise);
}

int deployment_failed(const struct deployment *d)
{
    int signal = world_signal(d->ports.world);
    return signal ? 128 + signal : command_failed(d->call);
}
