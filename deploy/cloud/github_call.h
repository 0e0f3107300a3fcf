// One call of GitHub's REST API, in its version 2022-11-28: with the account's token, after the
// pauses that GitHub asks for, and tried again where that is safe. Writes of one client leave one
// after the other, a second apart. Secrets go over TLS, or stay on this machine.
//
// What GitHub limits (429, or 403 with its words about a rate) was not carried out, so that it may
// be sent again whatever it is: after Retry-After, else when x-ratelimit-reset says, else after a
// minute, then two, and so on. A 5xx and a lost answer are another matter: they may have had
// effect.
//
//     struct github_client *github; struct github_call *call; struct github_answer answer;
//     github_client_open(cloud, &account, &github, err);
//     github_call_start(github, &(struct github_request){.path = STR("/repos/a/b/issues"),
//         .needs = "issues: read"}, &call, err);
//     while ((p = github_call_poll(call, &answer, err)) == PROGRESS_PENDING)
//         world_wait(world, github_call_wake_ms(call));
//     github_call_drop(call);       // the answer lived until here
#ifndef DEPLOY_CLOUD_GITHUB_CALL_H
#define DEPLOY_CLOUD_GITHUB_CALL_H

#include "deploy/cloud/github_account.h"
#include "gate/base/arena.h"
#include "gate/base/text.h"

struct github_client;
struct github_call;

// The client belongs to the cloud. ERROR_INPUT: no API URL, no repository of the form OWNER/NAME,
// neither app nor token. ERROR_DENIED: plain http to another machine.
bool github_client_open(struct cloud *cloud, const struct github_account *account,
                        struct github_client **ret, struct error *err);
// "/repos/acme/learn" and what is formatted behind it. Names in it are encoded by the caller.
str github_path(const struct github_client *client, struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool github_is_app(const struct github_client *client);
// By whom what it writes is written: the login that was given or learnt, or that of the app once it
// has a token. Null: that is not known yet.
const char *github_login_of(const struct github_client *client);
// What was answered to GITHUB_VIEWER; empty: it was not to be had, and a workflow's token is taken
// for that of GitHub's own "github-actions[bot]". False: nobody knows.
bool github_learn_login(struct github_client *client, str login);
const char *github_repository(const struct github_client *client); // "acme/learn"
// Of Enterprise Server, "3.19.0", once it has answered; null of github.com.
const char *github_enterprise(const struct github_client *client);
// All calls wait until then, by this machine's clock: a limit that was met. 0 = none was.
int64_t github_waits_until(const struct github_client *client);

enum github_kind {
    GITHUB_READ, // kept with its ETag: what has not changed is not sent again
    GITHUB_SAME, // a write that says how things shall be: it may arrive twice
    GITHUB_ONCE, // a write that must not: after a lost answer the caller looks before it asks again
};

// A question to GraphQL, the only one that tells an installation's token whose it is (POST, a
// reading): {"data": {"viewer": {"login": "sluice[bot]"}}}.
#define GITHUB_GRAPHQL "/graphql"
#define GITHUB_VIEWER "{\"query\":\"{viewer{login}}\"}"

struct github_request {
    enum github_kind kind;
    const char *method; // null: GET
    str path;           // "/repos/…" or GITHUB_GRAPHQL, copied
    str body;           // JSON, copied; may be empty
    const char *needs;  // "issues: write": what is said when it is refused
    int64_t timeout_ms; // of the call with all its tries and pauses; 0 = 90 s
};

struct github_answer {       // lives until the call is dropped
    long status;             // 2xx; 302 of a download, which is fetched without the token
    const struct node *tree; // null where the body is not JSON
    str body, headers;
    str next; // path of the next page, to be asked likewise; empty: this is the last
};

bool github_call_start(struct github_client *client, const struct github_request *request,
                       struct github_call **ret, struct error *err);
// FAILED: ERROR_TRANSIENT (5xx, no answer, or a limit that ends after the call's time:
// retry_after_ms says when), ERROR_DENIED (401, 403: with the permission that the workflow lacks),
// ERROR_ABSENT (404, 410), ERROR_INPUT (422), ERROR_REMOTE. See the fault's outcome_unknown.
enum progress github_call_poll(struct github_call *call, struct github_answer *ret,
                               struct error *err);
int64_t github_call_wake_ms(const struct github_call *call); // poll again then at the latest
const struct cloud_fault *github_call_fault(const struct github_call *call); // after FAILED
void github_call_drop(struct github_call *call); // also while it runs; null is fine

#endif
