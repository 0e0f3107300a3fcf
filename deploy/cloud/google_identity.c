#include "deploy/cloud/google_identity.h"

#include <stddef.h>

static const char kind[] = "Google identity";

static void close_part(struct cloud_part *part)
{
    struct google_identity *identity = (struct google_identity *)(void *)part;
    keeper_done(&identity->keeper);
    secret_done(&identity->token);
    arena_done(&identity->arena);
    memory_free(identity);
}

static struct google_identity *of_keeper(struct keeper *keeper)
{
    return (struct google_identity *)(void *)((char *)keeper -
                                              offsetof(struct google_identity, keeper));
}

static bool open_renewal(struct keeper *keeper, struct renewal **ret, struct error *err)
{
    return google_renewal_open(of_keeper(keeper), ret, err);
}

static bool adopt(struct keeper *keeper, struct renewal *renewal, struct error *err)
{
    struct google_identity *identity = of_keeper(keeper);
    struct secret token = {0};
    int64_t expires_ms = 0;
    (void)err;
    google_renewal_take(renewal, &token, &expires_ms);
    secret_done(&identity->token);
    identity->token = token;
    keeper->expires_ms = expires_ms;
    return true;
}

static const char *copied(struct arena *arena, const char *s)
{
    return s && *s ? arena_copy(arena, str_of(s)) : NULL;
}

struct google_account google_account_copy(struct arena *arena, const struct google_account *account)
{
    return (struct google_account){.project = copied(arena, account->project),
                                   .credentials_file = copied(arena, account->credentials_file),
                                   .workload_identity_provider =
                                       copied(arena, account->workload_identity_provider),
                                   .service_account = copied(arena, account->service_account),
                                   .scope = copied(arena, account->scope),
                                   .endpoints = cloud_endpoints_copy(arena, account->endpoints)};
}

bool google_account_equal(const struct google_account *a, const struct google_account *b)
{
    return cloud_same(a->credentials_file, b->credentials_file) &&
           cloud_same(a->workload_identity_provider, b->workload_identity_provider) &&
           cloud_same(a->service_account, b->service_account) && cloud_same(a->scope, b->scope) &&
           cloud_endpoints_equal(a->endpoints, b->endpoints);
}

struct google_identity *google_identity_of(struct cloud *cloud,
                                           const struct google_account *account)
{
    for (struct cloud_part *part = cloud->parts; part; part = part->next) {
        struct google_identity *known = (struct google_identity *)(void *)part;
        if (part->kind == kind && google_account_equal(&known->account, account))
            return known;
    }
    struct google_identity *identity = memory_alloc(sizeof *identity);
    identity->cloud = cloud;
    identity->part = (struct cloud_part){.kind = kind, .close = close_part};
    identity->account = google_account_copy(&identity->arena, account);
    identity->keeper = (struct keeper){
        .cloud = cloud, .whose = "Google Cloud", .open = open_renewal, .adopt = adopt};
    cloud_add(cloud, &identity->part);
    return identity;
}

enum progress google_identity_token(struct google_identity *identity,
                                    const struct secret **ret_token, unsigned *ret_generation,
                                    struct error *err)
{
    enum progress p = keeper_turn(&identity->keeper, err);
    if (p == PROGRESS_DONE) {
        *ret_token = &identity->token;
        *ret_generation = identity->keeper.generation;
    }
    return p;
}
