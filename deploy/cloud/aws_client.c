#include "deploy/cloud/aws_client.h"

#include "deploy/cloud/aws_profile.h"
#include "deploy/cloud/aws_wire.h"

static const char kind[] = "AWS client";

static const char *copied(struct arena *arena, const char *s)
{
    return s && *s ? arena_copy(arena, str_of(s)) : NULL;
}

struct aws_account aws_account_copy(struct arena *arena, const struct aws_account *account)
{
    return (struct aws_account){.region = copied(arena, account->region),
                                .profile = copied(arena, account->profile),
                                .role = copied(arena, account->role),
                                .session = copied(arena, account->session),
                                .endpoint = copied(arena, account->endpoint),
                                .endpoints = cloud_endpoints_copy(arena, account->endpoints)};
}

static void close_part(struct cloud_part *part)
{
    struct aws_client *client = (struct aws_client *)(void *)part;
    arena_done(&client->arena);
    memory_free(client);
}

static bool same_account(const struct aws_account *a, const struct aws_account *b)
{
    return cloud_same(a->region, b->region) && cloud_same(a->profile, b->profile) &&
           cloud_same(a->role, b->role) && cloud_same(a->session, b->session) &&
           cloud_same(a->endpoint, b->endpoint) &&
           cloud_endpoints_equal(a->endpoints, b->endpoints);
}

static bool is_region(str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.data[i] >= 'a' && s.data[i] <= 'z') || (s.data[i] >= '0' && s.data[i] <= '9') ||
              s.data[i] == '-'))
            return false;
    return s.len > 0 && s.len < 64; // it becomes a part of a host's name
}

static bool settle(struct aws_client *client, struct error *err)
{
    struct cloud *cloud = client->cloud;
    struct aws_profiles profiles;
    const char *region = client->account.region, *named = cloud_variable(cloud, "AWS_PROFILE");
    str profile = str_of(client->account.profile ? client->account.profile
                         : named                 ? named
                                                 : "default");
    if (!region)
        region = cloud_variable(cloud, "AWS_REGION");
    if (!region)
        region = cloud_variable(cloud, "AWS_DEFAULT_REGION");
    if (!aws_profiles_read(cloud, &profiles, err))
        return false;
    str from_profile = aws_profile_get(&profiles, profile, "region");
    client->of_profile =
        arena_copy(&client->arena, aws_profile_get(&profiles, profile, "endpoint_url"));
    client->region = arena_copy(&client->arena, region ? str_of(region) : from_profile);
    aws_profiles_done(&profiles);
    if (!*client->region)
        return error_set(err, ERROR_INPUT,
                         "no AWS region is given: set `region`, AWS_REGION or the profile's");
    return is_region(str_of(client->region)) ||
           error_set(err, ERROR_INPUT, "`%.80s` is no AWS region", client->region);
}

bool aws_client_open(struct cloud *cloud, const struct aws_account *account,
                     struct aws_client **ret, struct error *err)
{
    struct aws_client *client = memory_alloc(sizeof *client);
    client->cloud = cloud;
    client->account = aws_account_copy(&client->arena, account);
    client->part = (struct cloud_part){.kind = kind, .close = close_part};
    for (struct cloud_part *part = cloud->parts; part; part = part->next) {
        struct aws_client *known = (struct aws_client *)(void *)part;
        if (part->kind == kind && same_account(&known->account, &client->account)) {
            close_part(&client->part);
            *ret = known;
            return true;
        }
    }
    if (!settle(client, err)) {
        close_part(&client->part);
        return false;
    }
    client->identity = aws_identity_of(cloud, &client->account, client->region, client->of_profile);
    cloud_add(cloud, &client->part);
    *ret = client;
    return true;
}

const char *aws_client_endpoint(const struct aws_client *client, const struct aws_service *service,
                                struct arena *arena)
{
    return aws_endpoint_of(client->cloud, &client->account, client->region, client->of_profile,
                           service, arena);
}

const char *aws_client_region(const struct aws_client *client)
{
    return client->region;
}
