#include "actions/cli/github_session.h"

#include "actions/cli/process.h"
#include "actions/cli/say.h"

static void say(void *self, const char *sentence)
{
    (void)self;
    say_line("sluice: %s", sentence);
}

static void wait_until(void *self, int64_t until_ms)
{
    world_wait(self, until_ms);
}

bool github_session_open(struct invocation *call, struct github_session *ret)
{
    struct world_options options = {.user_agent = "sluice", .watch_signals = true};
    const struct runner *runner = &call->runner;
    struct github_place place = {runner->api_url ? runner->api_url : "https://api.github.com",
                                 runner->repository};
    *ret = (struct github_session){.call = call};
    if (!runner->repository)
        return error_set(&call->error, ERROR_INPUT,
                         "which repository of GitHub this is is not known: set GITHUB_REPOSITORY "
                         "to OWNER/NAME");
    if (!world_open(&options, &ret->world, &call->error))
        return false;
    process_hold_secrets();
    ret->http = world_http(ret->world);
    ret->clock = world_clock(ret->world);
    ret->cloud = cloud_open(&(struct cloud_ports){.http = &ret->http,
                                                  .clock = &ret->clock,
                                                  .say = say,
                                                  .wait = wait_until,
                                                  .self = ret->world});
    return github_open(ret->cloud, &place, NULL, NULL, &ret->login, &ret->github, &call->error);
}

void github_session_begin(struct github_session *session, void *self)
{
    chain_begin(&session->chain, session->cloud, self);
}

bool github_session_finish(struct github_session *session)
{
    bool ok = chain_finish(&session->chain, &session->call->error);
    chain_drop(&session->chain);
    return ok;
}

void github_session_close(struct github_session *session)
{
    if (session->cloud)
        cloud_close(session->cloud);
    if (session->world)
        world_close(session->world);
    github_login_done(&session->login);
}
