// Who we are for Google Cloud: found (google_plan.h), obtained, and renewed before it expires, once
// for all who share it. Belongs to the cloud.
//
//     struct google_identity *identity = google_identity_of(cloud, &account);
//     while ((p = google_identity_token(identity, &token, &generation, err)) == PROGRESS_PENDING) …
#ifndef DEPLOY_CLOUD_GOOGLE_IDENTITY_H
#define DEPLOY_CLOUD_GOOGLE_IDENTITY_H

#include "deploy/cloud/google_account.h"
#include "deploy/cloud/renewal.h"

struct google_identity {
    struct cloud_part part;
    struct cloud *cloud;
    struct arena arena;
    struct google_account account;
    struct keeper keeper;
    struct secret token;
};

struct google_identity *google_identity_of(struct cloud *cloud,
                                           const struct google_account *account);
// DONE: *ret_token holds until the next turn of the loop. Call it again whenever it is PENDING.
enum progress google_identity_token(struct google_identity *identity,
                                    const struct secret **ret_token, unsigned *ret_generation,
                                    struct error *err);

// google_renewal.c
bool google_renewal_open(struct google_identity *identity, struct renewal **ret, struct error *err);
// Of a finished one: moves the token to the caller.
void google_renewal_take(struct renewal *renewal, struct secret *ret_token,
                         int64_t *ret_expires_ms);

struct google_account google_account_copy(struct arena *arena,
                                          const struct google_account *account);
bool google_account_equal(const struct google_account *a, const struct google_account *b);

#endif
