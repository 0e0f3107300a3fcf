// Inside deploy/cloud: the token that GitHub is asked with. That of an app is obtained and renewed;
// any other is as it was given.
#ifndef DEPLOY_CLOUD_GITHUB_IDENTITY_H
#define DEPLOY_CLOUD_GITHUB_IDENTITY_H

#include "deploy/cloud/github_account.h"
#include "deploy/cloud/renewal.h"

struct github_identity {
    struct cloud *cloud;
    struct github_account account; // lives as long
    struct keeper keeper;          // of an app's token
    struct secret token;           // likewise
    char login[128];               // of an app, once it has a token: "sluice[bot]"; else empty
};

void github_identity_open(struct github_identity *identity, struct cloud *cloud,
                          const struct github_account *account);
void github_identity_close(struct github_identity *identity);
// DONE: *ret_token holds until the next turn of the loop.
enum progress github_identity_token(struct github_identity *identity,
                                    const struct secret **ret_token, unsigned *ret_generation,
                                    struct error *err);
// 401. True: another token will be there; false: there is no other.
bool github_identity_refused(struct github_identity *identity, unsigned generation);

#endif
