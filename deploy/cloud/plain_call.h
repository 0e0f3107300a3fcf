// One HTTP exchange with somebody who is no cloud of ours, such as a registry of images: held under
// a rate for each host, and tried again after 429, 5xx and lost answers. Whatever else comes is an
// answer, a refusal too. Secrets go over TLS, or stay on this machine.
//
//     struct plain_call *call; struct plain_answer answer;
//     plain_call_start(cloud, &(struct plain_request){.method = "HEAD", .url =
//         STR("https://ghcr.io/v2/learn/web/manifests/v812")}, &call, err);
//     while ((p = plain_call_poll(call, &answer, err)) == PROGRESS_PENDING)
//         world_wait(world, plain_call_wake_ms(call));
//     plain_call_drop(call);        // the answer lived until here
#ifndef DEPLOY_CLOUD_PLAIN_CALL_H
#define DEPLOY_CLOUD_PLAIN_CALL_H

#include "deploy/cloud/cloud.h"

struct plain_call;

struct plain_request {  // all copied, but for the secrets, which must live until the call is over
    const char *method; // of a read: "GET", "HEAD"; it may be sent more than once
    str url;
    const struct http_header *headers; // may be null
};

struct plain_answer { // lives until the call is dropped
    long status;      // any but 429 and 5xx
    str body, headers;
};

// ERROR_INPUT: no URL. ERROR_DENIED: of plain http, and not of this machine.
bool plain_call_start(struct cloud *cloud, const struct plain_request *request,
                      struct plain_call **ret, struct error *err);
// FAILED: ERROR_TRANSIENT, after trying several times.
enum progress plain_call_poll(struct plain_call *call, struct plain_answer *ret, struct error *err);
int64_t plain_call_wake_ms(const struct plain_call *call); // poll again then at the latest
const struct cloud_fault *plain_call_fault(const struct plain_call *call); // after FAILED
void plain_call_drop(struct plain_call *call); // also while it runs; null is fine

#endif
