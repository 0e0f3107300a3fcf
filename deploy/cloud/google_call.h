// One call of a Google Cloud API (JSON over REST): with the identity's token, held under the API's
// rate, and tried again where that is safe: 429 and throttling always; a lost answer and 5xx when
// the call is `repeatable`; 401 once, with a new token. 404, 409 and 412 are the caller's.
//
//     struct google_client *client; struct google_call *call; struct google_answer answer;
//     google_client_open(cloud, &(struct google_account){0}, &client, err);
//     google_call_start(client, &(struct google_request){.api = "run", .path =
//         STR("/v2/projects/p/locations/europe-west1/services/search"), .repeatable = true},
//         &call, err);
//     while ((p = google_call_poll(call, &answer, err)) == PROGRESS_PENDING)
//         world_wait(world, google_call_wake_ms(call));
//     if (p == PROGRESS_FAILED && google_call_fault(call)->status == 412) read_again();
//     google_call_drop(call);       // the answer lived until here
#ifndef DEPLOY_CLOUD_GOOGLE_CALL_H
#define DEPLOY_CLOUD_GOOGLE_CALL_H

#include "deploy/cloud/google_account.h"
#include "gate/base/text.h"
#include "gate/doc/node.h"

struct google_client;
struct google_call;

// The client belongs to the cloud; equal accounts give the same one. Credentials are looked for
// with the first call.
bool google_client_open(struct cloud *cloud, const struct google_account *account,
                        struct google_client **ret, struct error *err);

// Where an API is, if the account or the environment says so; else null.
const char *google_client_endpoint(const struct google_client *client, const char *api,
                                   struct arena *arena);

struct google_request { // all copied
    const char *api;    // "run", "compute", "monitoring", "storage", "artifactregistry":
                        // https://API.googleapis.com, or the account's endpoint for it
    const char *origin; // null, or a host of Google's outside googleapis.com, of https:
                        // "https://europe-docker.pkg.dev"; then `api` names its bucket only
    const char *method; // null = "GET"
    str path;           // "/v2/projects/…?updateMask=traffic", percent-encoded
    const struct http_header *headers; // further ones: "If-Match"; may be null
    str body;                          // JSON unless a Content-Type is among the headers
    bool bytes;                        // the answer is somebody's file: no tree is made of it
    bool repeatable;    // twice does what once does: reads, absolute changes, changes with an etag
    int64_t timeout_ms; // of all tries and pauses together; 0 = 2 minutes
    unsigned tries;     // 0 = 8
};

struct google_answer {       // lives until the call is dropped
    long status;             // 200 to 299
    const struct node *tree; // null when the body is no JSON
    str body, headers;
    unsigned tries;
};

bool google_call_start(struct google_client *client, const struct google_request *request,
                       struct google_call **ret, struct error *err);
// FAILED: one sentence with the status, its name and the message; kinds as of aws_call_poll.
enum progress google_call_poll(struct google_call *call, struct google_answer *ret,
                               struct error *err);
int64_t google_call_wake_ms(const struct google_call *call);
const struct cloud_fault *google_call_fault(const struct google_call *call); // after FAILED
void google_call_drop(struct google_call *call);
// A segment of a path or the value of a query parameter: percent-encoded, `/` too.
void google_path_add(struct text *path, str segment);

#endif
