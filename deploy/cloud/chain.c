#include "deploy/cloud/chain.h"

#include "deploy/cloud/cloud_parts.h"

#include <stdio.h>

enum { LOOK_MS = 50 }; // how often chain_finish looks where nobody tells it when

void chain_begin(struct chain *chain, struct cloud *cloud, void *self)
{
    *chain = (struct chain){.cloud = cloud, .self = self, .progress = PROGRESS_PENDING};
}

void chain_aws(struct chain *chain, struct aws_client *client, const struct aws_request *request,
               chain_next next)
{
    chain->next = next;
    if (!aws_call_start(client, request, &chain->aws, &chain->error))
        chain->progress = PROGRESS_FAILED;
}

void chain_google(struct chain *chain, struct google_client *client,
                  const struct google_request *request, chain_next next)
{
    chain->next = next;
    if (!google_call_start(client, request, &chain->google, &chain->error))
        chain->progress = PROGRESS_FAILED;
}

void chain_plain(struct chain *chain, const struct plain_request *request, chain_next next)
{
    chain->next = next;
    if (!plain_call_start(chain->cloud, request, &chain->plain, &chain->error))
        chain->progress = PROGRESS_FAILED;
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
static bool turn_aws(struct chain *chain)
{
    struct aws_answer answer;
    struct error error;
    enum progress progress = aws_call_poll(chain->aws, &answer, &error);
    if (progress == PROGRESS_PENDING)
        return false;
    struct aws_call *call = chain->aws;
    struct chain_reply reply = {.fault = aws_call_fault(call), .error = &error};
    if (progress == PROGRESS_DONE)
        reply = (struct chain_reply){.ok = true,
                                     .status = answer.status,
                                     .tree = answer.tree,
                                     .body = answer.body,
                                     .headers = answer.headers};
    chain->aws = NULL;
    chain->next(chain->self, chain, &reply);
    aws_call_drop(call);
    return true;
}

static bool turn_google(struct chain *chain)
{
    struct google_answer answer;
    struct error error;
    enum progress progress = google_call_poll(chain->google, &answer, &error);
    if (progress == PROGRESS_PENDING)
        return false;
    struct google_call *call = chain->google;
    struct chain_reply reply = {.fault = google_call_fault(call), .error = &error};
    if (progress == PROGRESS_DONE)
        reply = (struct chain_reply){.ok = true,
                                     .status = answer.status,
                                     .tree = answer.tree,
                                     .body = answer.body,
                                     .headers = answer.headers};
    chain->google = NULL;
    chain->next(chain->self, chain, &reply);
    google_call_drop(call);
    return true;
}

static bool turn_plain(struct chain *chain)
{
    struct plain_answer answer;
    struct error error;
    enum progress progress = plain_call_poll(chain->plain, &answer, &error);
    if (progress == PROGRESS_PENDING)
        return false;
    struct plain_call *call = chain->plain;
    struct chain_reply reply = {.fault = plain_call_fault(call), .error = &error};
    if (progress == PROGRESS_DONE)
        reply = (struct chain_reply){
            .ok = true, .status = answer.status, .body = answer.body, .headers = answer.headers};
    chain->plain = NULL;
    chain->next(chain->self, chain, &reply);
    plain_call_drop(call);
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
    if (chain->aws)
        return turn_aws(chain);
    if (chain->google)
        return turn_google(chain);
    if (chain->plain)
        return turn_plain(chain);
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
    if (chain->aws)
        return aws_call_wake_ms(chain->aws);
    if (chain->google)
        return google_call_wake_ms(chain->google);
    if (chain->plain)
        return plain_call_wake_ms(chain->plain);
    return chain->due_ms;
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
    aws_call_drop(chain->aws);
    google_call_drop(chain->google);
    plain_call_drop(chain->plain);
    chain->aws = NULL;
    chain->google = NULL;
    chain->plain = NULL;
    chain->due_ms = 0;
}
