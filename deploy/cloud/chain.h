// Calls of a cloud or of GitHub one after another, where each answer says what comes next: what a
// verb of a target, the making of an artifact or a look at permissions is made of. Nothing blocks
// but chain_finish.
//
//     static void described(void *self, struct chain *chain, const struct chain_reply *reply)
//     {
//         if (!reply->ok)
//             chain_fail_with(chain, reply, "describing service %s", name);
//         else if (is_settled(reply->tree))
//             chain_end(chain);
//         else
//             chain_pause(chain, 2000, describe); // which calls chain_aws again
//     }
//     chain_begin(&chain, cloud, self);
//     chain_aws(&chain, client, &request, described);
//     while ((p = chain_poll(&chain, err)) == PROGRESS_PENDING)
//         world_wait(world, chain_wake_ms(&chain));
//     chain_drop(&chain);
#ifndef DEPLOY_CLOUD_CHAIN_H
#define DEPLOY_CLOUD_CHAIN_H

#include "deploy/cloud/aws_call.h"
#include "deploy/cloud/github_call.h"
#include "deploy/cloud/google_call.h"
#include "deploy/cloud/plain_call.h"

struct chain_reply { // lives until the function that it was given to returns
    bool ok;
    long status;
    const struct node *tree; // as of aws_answer, google_answer and github_answer
    str body, headers;
    str next;                        // as of github_answer
    const struct cloud_fault *fault; // unless ok
    const struct error *error;       // unless ok
};

struct chain;
struct chain_kind;
// Each starts the next call or pause, ends the chain, or fails it.
typedef void (*chain_next)(void *self, struct chain *chain, const struct chain_reply *reply);

struct chain { // zero is a chain that has nothing to do
    struct cloud *cloud;
    void *self;
    chain_next next;
    const struct chain_kind *kind;
    void *call;     // of that kind, under way; null = none
    int64_t due_ms; // of a pause; 0 = none
    enum progress progress;
    struct error error;
};

void chain_begin(struct chain *chain, struct cloud *cloud, void *self);

// A call that cannot be started fails the chain.
void chain_aws(struct chain *chain, struct aws_client *client, const struct aws_request *request,
               chain_next next);
void chain_google(struct chain *chain, struct google_client *client,
                  const struct google_request *request, chain_next next);
void chain_github(struct chain *chain, struct github_client *client,
                  const struct github_request *request, chain_next next);
// Of somebody who is no cloud: every answer is ok, whatever its status says, and is no tree.
void chain_plain(struct chain *chain, const struct plain_request *request, chain_next next);
// `next` is given a reply that is ok and empty. A little random is added, so that many targets
// spread out.
void chain_pause(struct chain *chain, int64_t ms, chain_next next);

void chain_end(struct chain *chain);
void chain_fail(struct chain *chain, enum error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// With the error of a reply that is not ok, after what was being done: "scaling web-blue: …".
void chain_fail_with(struct chain *chain, const struct chain_reply *reply, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// FAILED: *err is what the chain was failed with.
enum progress chain_poll(struct chain *chain, struct error *err);
int64_t chain_wake_ms(const struct chain *chain); // wall clock; poll again then at the latest
// Waits until it is over, as long as the calls of it may take. False with *err.
bool chain_finish(struct chain *chain, struct error *err);
void chain_drop(struct chain *chain); // also while something runs; it may begin again

#endif
