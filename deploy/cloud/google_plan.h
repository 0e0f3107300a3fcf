// Where Google credentials come from on this machine; decided anew before every renewal. Asks
// nobody.
//
// The order: the account's workload identity provider with the runner's OIDC token; the account's
// credentials file; GOOGLE_APPLICATION_CREDENTIALS; gcloud's application default file; the metadata
// server.
#ifndef DEPLOY_CLOUD_GOOGLE_PLAN_H
#define DEPLOY_CLOUD_GOOGLE_PLAN_H

#include "deploy/cloud/cloud_parts.h"
#include "deploy/cloud/google_account.h"

enum google_base {
    GOOGLE_BASE_RUNNER,       // the runner's OIDC token -> sts/v1/token
    GOOGLE_BASE_SUBJECT_FILE, // a token in a file -> the same
    GOOGLE_BASE_SUBJECT_URL,  // a token behind a URL -> the same
    GOOGLE_BASE_KEY,          // service-account key: a JWT of ours -> an access token
    GOOGLE_BASE_REFRESH,      // authorized_user: the refresh token -> an access token
    GOOGLE_BASE_METADATA,
};

struct google_plan {
    struct arena arena;
    enum google_base base;
    const char *found_in; // for messages
    const char *runner_audience;
    const char *audience, *subject_type; // of the token exchange
    const char *token_url;               // where the token of ours is turned into theirs
    const char *subject_place;           // path or URL
    const char *subject_field;           // null: the answer is the token itself
    struct http_header subject_headers[8];
    struct secret subject_secrets[8]; // the values of these: they may be the runner's bearer token
    const char *email, *key_id, *client_id; // of a key; of a refresh token
    struct secret secret;                   // private key, or client secret
    struct secret refresh;                  // refresh token
    const char *impersonate_url;            // null: the token is used as it is
};

// ERROR_ABSENT, ERROR_INPUT: with the remedy.
bool google_plan_make(struct cloud *cloud, const struct google_account *account,
                      struct google_plan *ret, struct error *err);
void google_plan_done(struct google_plan *plan);

// A URL of https://API.googleapis.com/… at the endpoint that the account or the environment
// (CLOUDSDK_API_ENDPOINT_OVERRIDES_API) gives for that API; any other URL as it is.
const char *google_place(struct cloud *cloud, const struct cloud_endpoint *endpoints, str url,
                         struct arena *arena);

#endif
