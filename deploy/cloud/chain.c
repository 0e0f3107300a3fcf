#include "deploy/cloud/chain.h"

#include "deploy/cloud/cloud_parts.h"

#include <stdio.h>

enum { LOOK_MS = 50 }; // how often chain_finish looks where nobody tells it when

void chain_begin(struct chain *chain, struct cloud *cloud, void *self)
{
    *chain = (struct chain){.cloud = cloud, .self = self, .progress = PROGRESS_PENDING};
}

static enum progress poll_aws(void *call, struct chain_reply *ret, struct error *err)
{
    struct aws_answer answer = {0};
    enum progress progress = aws_call_poll(call, &answer, err);
    if (progress == PROGRESS_DONE)
        *ret = (struct chain_reply){.ok = true,
                                    .status = answer.status,
                                    .tree = answer.tree,
                                    .body = answer.body,
                                    .headers = answer.headers};
    else
        *ret = (struct chain_reply){.fault = aws_call_fault(call), .error = err};
    return progress;
}

static int64_t wake_aws(const void *call)
{
    return aws_call_wake_ms(call);
}

static void drop_aws(void *call)
{
    aws_call_drop(call);
}

static enum progress poll_google(void *call, struct chain_reply *ret, struct error *err)
{
    struct google_answer answer = {0};
    enum progress progress = google_call_poll(call, &answer, err);
    if (progress == PROGRESS_DONE)
        *ret = (struct chain_reply){.ok = true,
                                    .status = answer.status,
                                    .tree = answer.tree,
                                    .body = answer.body,
                                    .headers = answer.headers};
    else
        *ret = (struct chain_reply){.fault = google_call_fault(call), .error = err};
    return progress;
}

static int64_t wake_google(const void *call)
{
    return google_call_wake_ms(call);
}

static void drop_google(void *call)
{
    google_call_drop(call);
}

static enum progress poll_plain(void *call, struct chain_reply *ret, struct error *err)
{
    struct plain_answer answer = {0};
    enum progress progress = plain_call_poll(call, &answer, err);
    if (progress == PROGRESS_DONE)
        *ret = (struct chain_reply){
            .ok = true, .status = answer.status, .body = answer.body, .headers = answer.headers};
    else
        *ret = (struct chain_reply){.fault = plain_call_fault(call), .error = err};
    return progress;
}

static int64_t wake_plain(const void *call)
{
    return plain_call_wake_ms(call);
}

static void drop_plain(void *call)
{
    plain_call_drop(call);
}

static enum progress poll_github(void *call, struct chain_reply *ret, struct error *err)
{
    struct github_answer answer = {0};
    enum progress progress = github_call_poll(call, &answer, err);
    if (progress == PROGRESS_DONE)
        *ret = (struct chain_reply){.ok = true,
                                    .status = answer.status,
                                    .tree = answer.tree,
                                    .body = answer.body,
                                    .next = answer.next,
                                    .headers = answer.headers};
    else
        *ret = (struct chain_reply){.fault = github_call_fault(call), .error = err};
    return progress;
}

static int64_t wake_github(const void *call)
{
    return github_call_wake_ms(call);
}

static void drop_github(void *call)
{
    github_call_drop(call);
}

struct chain_kind { // of a call
    enum progress (*poll)(void *call, struct chain_reply *ret, struct error *err);
    int64_t (*wake_ms)(const void *call);
    void (*drop)(void *call);
};

static const struct chain_kind aws_kind = {poll_aws, wake_aws, drop_aws};
static const struct chain_kind google_kind = {poll_google, wake_google, drop_google};
static const struct chain_kind plain_kind = {poll_plain, wake_plain, drop_plain};
static const struct chain_kind github_kind = {poll_github, wake_github, drop_github};

static void started(struct chain *chain, bool ok, void *call, const struct chain_kind *kind,
                    chain_next next)
{
    chain->next = next;
    if (!ok) {
        chain->progress = PROGRESS_FAILED;
        return;
    }
    chain->call = call;
    chain->kind = kind;
}

void chain_aws(struct chain *chain, struct aws_client *client, const struct aws_request *request,
               chain_next next)
{
    struct aws_call *call = NULL;
    bool ok = aws_call_start(client, request, &call, &chain->error);
    started(chain, ok, call, &aws_kind, next);
}

void chain_google(struct chain *chain, struct google_client *client,
                  const struct google_request *request, chain_next next)
{
    struct google_call *call = NULL;
    bool ok = google_call_start(client, request, &call, &chain->error);
    started(chain, ok, call, &google_kind, next);
}

void chain_plain(struct chain *chain, const struct plain_request *request, chain_next next)
{
    struct plain_call *call = NULL;
    bool ok = plain_call_start(chain->cloud, request, &call, &chain->error);
    started(chain, ok, call, &plain_kind, next);
}

void chain_github(struct chain *chain, struct github_client *client,
                  const struct github_request *request, chain_next next)
{
    struct github_call *call = NULL;
    bool ok = github_call_start(client, request, &call, &chain->error);
    started(chain, ok, call, &github_kind, next);
}

void chain_pause(struct chain *chain, int64_t ms, chain_next next)
{
    chain->next = next;
    chain->due_ms =
        cloud_now(chain->cloud) + ms + (int64_t)((double)ms * cloud_random(chain->cloud) / 4);
}

void chain_end(struct chain *chain)
{
    chain->progress = PROGRESS_DONE;
}

void chain_fail(struct chain *chain, enum error_kind kind, const char *format, ...)
{
    char words[sizeof chain->error.message];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(words, sizeof words, format, args);
    va_end(args);
    (void)error_set(&chain->error, kind, "%s", words);
    chain->progress = PROGRESS_FAILED;
}

void chain_fail_with(struct chain *chain, const struct chain_reply *reply, const char *format, ...)
{
    char words[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(words, sizeof words, format, args);
    va_end(args);
    chain->error = *reply->error;
    (void)error_wrap(&chain->error, "%s", words);
    chain->progress = PROGRESS_FAILED;
}

// False: what runs is still under way.
static bool turn_call(struct chain *chain)
{
    struct chain_reply reply = {0};
    struct error error = {0};
    const struct chain_kind *kind = chain->kind;
    void *call = chain->call;
    if (kind->poll(call, &reply, &error) == PROGRESS_PENDING)
        return false;
    chain->call = NULL;
    chain->next(chain->self, chain, &reply);
    kind->drop(call);
    return true;
}

static bool turn_pause(struct chain *chain)
{
    if (cloud_now(chain->cloud) < chain->due_ms)
        return false;
    chain->due_ms = 0;
    chain->next(chain->self, chain, &(struct chain_reply){.ok = true});
    return true;
}

static bool turn(struct chain *chain)
{
    if (chain->call)
        return turn_call(chain);
    if (chain->due_ms)
        return turn_pause(chain);
    chain_fail(chain, ERROR_SYSTEM, "a chain of calls ends without a result");
    return true;
}

enum progress chain_poll(struct chain *chain, struct error *err)
{
    while (chain->progress == PROGRESS_PENDING && turn(chain)) {
    }
    if (chain->progress == PROGRESS_FAILED)
        *err = chain->error;
    return chain->progress;
}

int64_t chain_wake_ms(const struct chain *chain)
{
    return chain->call ? chain->kind->wake_ms(chain->call) : chain->due_ms;
}

bool chain_finish(struct chain *chain, struct error *err)
{
    enum progress progress;
    while ((progress = chain_poll(chain, err)) == PROGRESS_PENDING) {
        int64_t wake_ms = chain_wake_ms(chain), soon_ms = cloud_now(chain->cloud) + LOOK_MS;
        const struct cloud_ports *ports = &chain->cloud->ports;
        ports->wait(ports->self, wake_ms && wake_ms < soon_ms ? wake_ms : soon_ms);
    }
    return progress == PROGRESS_DONE;
}

void chain_drop(struct chain *chain)
{
    if (chain->call)
        chain->kind->drop(chain->call);
    chain->call = NULL;
    chain->due_ms = 0;
}
