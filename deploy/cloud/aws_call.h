// One call of an AWS service: signed as the account's identity, held under the service's rate, and
// tried again where that is safe: throttling always; a lost answer and 5xx when the call is
// `repeatable`; an expired token and a wrong clock once each. Nothing blocks: poll while
// world_wait comes back.
//
//     struct aws_client *client; struct aws_call *call; struct aws_answer answer;
//     aws_client_open(cloud, &(struct aws_account){.region = "eu-west-1"}, &client, err);
//     aws_call_start(client, &(struct aws_request){.service = &aws_ecs,
//         .action = "DescribeServices", .body = STR("{\"services\":[\"web\"]}"),
//         .repeatable = true}, &call, err);
//     while ((p = aws_call_poll(call, &answer, err)) == PROGRESS_PENDING)
//         world_wait(world, aws_call_wake_ms(call));
//     if (p == PROGRESS_DONE) use(node_get(answer.tree, "services"));
//     else if (str_is(aws_call_fault(call)->code, "ClusterNotFoundException")) …
//     aws_call_drop(call);       // the answer lived until here
#ifndef DEPLOY_CLOUD_AWS_CALL_H
#define DEPLOY_CLOUD_AWS_CALL_H

#include "deploy/cloud/aws_account.h"
#include "deploy/cloud/aws_services.h"
#include "gate/base/text.h"
#include "gate/doc/node.h"

struct aws_client;
struct aws_call;

// The client belongs to the cloud; equal accounts give the same one. ERROR_INPUT when no region is
// known. Credentials are looked for with the first call.
bool aws_client_open(struct cloud *cloud, const struct aws_account *account,
                     struct aws_client **ret, struct error *err);
const char *aws_client_region(const struct aws_client *client);
// Where a service is asked: "https://api.ecr.eu-west-1.amazonaws.com".
const char *aws_client_endpoint(const struct aws_client *client, const struct aws_service *service,
                                struct arena *arena);

struct aws_request { // all copied
    const struct aws_service *service;
    const char *action; // "UpdateService": of the query and JSON protocols; of REST, for messages
    const char *method; // of REST; null = "GET"
    str path;           // of REST: "/2015-03-31/functions/thumbs?Qualifier=7", percent-encoded
    const struct http_header *headers; // further ones, signed too: "If-None-Match"; may be null
    str body;                          // JSON, or a form made with aws_form_add, or bytes
    bool unsigned_body;                // S3 over https only: its hash is not part of the signature
    bool bytes; // the answer is somebody's file: no tree is made of it, whatever it says it is
    // Twice does what once does: reads, absolute changes, changes with a token of ours. Only then
    // is it sent again when nobody knows whether it took effect.
    bool repeatable;
    int64_t timeout_ms; // of all tries and pauses together; 0 = 2 minutes
    unsigned tries;     // 0 = 8
};

struct aws_answer {          // lives until the call is dropped
    long status;             // 200 to 299
    const struct node *tree; // JSON as it is; XML see aws_xml.h, of the query protocol
                             // what stands in <ActionResult>; null when there is none
    str body;                // as it came
    str headers;             // for cloud_header(headers, "ETag")
    str request_id;
    unsigned tries;
};

// `&NAME=VALUE`, percent-encoded; NAME by a format: aws_form_add(&form, arn,
// "Targets.member.%u.Id", i). What Action and Version need is added by the call itself.
void aws_form_add(struct text *form, str value, const char *name, ...)
    __attribute__((format(printf, 3, 4)));
// A segment of a path: percent-encoded, `/` too.
void aws_path_add(struct text *path, str segment);

bool aws_call_start(struct aws_client *client, const struct aws_request *request,
                    struct aws_call **ret, struct error *err);
// FAILED: one sentence with the provider's code, message and request id; its kind is
// ERROR_TRANSIENT (gave up trying, or the outcome is unknown), ERROR_DENIED (401, 403 and kin),
// ERROR_ABSENT (404 and kin), else ERROR_REMOTE.
enum progress aws_call_poll(struct aws_call *call, struct aws_answer *ret, struct error *err);
int64_t aws_call_wake_ms(const struct aws_call *call); // poll again then at the latest
const struct cloud_fault *aws_call_fault(const struct aws_call *call); // after FAILED
void aws_call_drop(struct aws_call *call); // also while it runs; null is fine

#endif
