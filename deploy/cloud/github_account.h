// As whom GitHub is asked, and where it is: github.com or an Enterprise Server, as GITHUB_API_URL
// says it.
//
// With an app, sluice asks as its installation in the repository: the private key signs a JWT,
// which is exchanged for a token of an hour, renewed before it expires. Else with the token at
// hand, such as the workflow's, which cannot be renewed and does not see teams.
#ifndef DEPLOY_CLOUD_GITHUB_ACCOUNT_H
#define DEPLOY_CLOUD_GITHUB_ACCOUNT_H

#include "deploy/cloud/cloud.h"

struct github_account {         // copied, but for the secrets, which must outlive the cloud
    const char *api_url;        // "https://api.github.com", "https://ghe.acme.example/api/v3"
    const char *repository;     // "acme/learn"
    const char *app_id;         // its number, or its client id; null: no app
    const struct secret *key;   // of the app: PEM
    const struct secret *token; // where there is no app
    const char
        *login; // whose token it is, where that is known: "renovate[bot]", "ada"; may be null
};

#endif
