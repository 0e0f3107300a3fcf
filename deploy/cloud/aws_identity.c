#include "deploy/cloud/aws_identity.h"

#include "deploy/cloud/aws_renewal.h"

#include <stddef.h>

static const char kind[] = "AWS identity";

static void drop_keys(struct aws_identity *identity)
{
    memory_free(identity->access_key);
    identity->access_key = NULL;
    secret_done(&identity->secret_key);
    secret_done(&identity->session_token);
}

static void close_part(struct cloud_part *part)
{
    struct aws_identity *identity = (struct aws_identity *)(void *)part;
    keeper_done(&identity->keeper);
    drop_keys(identity);
    arena_done(&identity->arena);
    memory_free(identity);
}

static struct aws_identity *of_keeper(struct keeper *keeper)
{
    return (struct aws_identity *)(void *)((char *)keeper - offsetof(struct aws_identity, keeper));
}

static bool open_renewal(struct keeper *keeper, struct renewal **ret, struct error *err)
{
    return aws_renewal_open(of_keeper(keeper), ret, err);
}

static bool same_secret(const struct secret *a, const struct secret *b)
{
    return str_eq(secret_reveal(a), secret_reveal(b));
}

static bool adopt(struct keeper *keeper, struct renewal *renewal, struct error *err)
{
    struct aws_identity *identity = of_keeper(keeper);
    struct aws_granted *granted = aws_renewal_granted(renewal);
    if (keeper->refused && identity->access_key &&
        str_is(granted->access_key, identity->access_key) &&
        same_secret(&granted->secret_key, &identity->secret_key) &&
        same_secret(&granted->session_token, &identity->session_token))
        return error_set(err, ERROR_DENIED,
                         "AWS says that the credentials of %s have expired, and there are no "
                         "newer ones",
                         granted->found_in);
    drop_keys(identity);
    identity->access_key = memory_alloc(granted->access_key.len + 1);
    memcpy(identity->access_key, granted->access_key.data, granted->access_key.len);
    identity->secret_key = granted->secret_key;
    identity->session_token = granted->session_token;
    granted->secret_key = granted->session_token = (struct secret){0};
    keeper->expires_ms = granted->expires_ms;
    return true;
}

struct aws_identity *aws_identity_of(struct cloud *cloud, const struct aws_account *account,
                                     const char *region, const char *of_profile)
{
    for (struct cloud_part *part = cloud->parts; part; part = part->next) {
        struct aws_identity *known = (struct aws_identity *)(void *)part;
        if (part->kind == kind && cloud_same(known->account.profile, account->profile) &&
            cloud_same(known->account.role, account->role) &&
            cloud_same(known->account.session, account->session) &&
            cloud_same(known->account.endpoint, account->endpoint) &&
            cloud_same(known->region, region) &&
            cloud_endpoints_equal(known->account.endpoints, account->endpoints))
            return known;
    }
    struct aws_identity *identity = memory_alloc(sizeof *identity);
    struct arena *arena = &identity->arena;
    identity->cloud = cloud;
    identity->part = (struct cloud_part){.kind = kind, .close = close_part};
    identity->account = aws_account_copy(arena, account);
    identity->region = arena_copy(arena, str_of(region));
    identity->of_profile = of_profile ? arena_copy(arena, str_of(of_profile)) : NULL;
    identity->keeper =
        (struct keeper){.cloud = cloud, .whose = "AWS", .open = open_renewal, .adopt = adopt};
    cloud_add(cloud, &identity->part);
    return identity;
}

enum progress aws_identity_keys(struct aws_identity *identity, struct aws_keys *ret,
                                unsigned *ret_generation, struct error *err)
{
    enum progress p = keeper_turn(&identity->keeper, err);
    if (p == PROGRESS_DONE) {
        *ret = (struct aws_keys){str_of(identity->access_key), &identity->secret_key,
                                 &identity->session_token};
        *ret_generation = identity->keeper.generation;
    }
    return p;
}
