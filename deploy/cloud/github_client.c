#include "deploy/cloud/github_client.h"

#include "deploy/cloud/url_parts.h"

#include <stdarg.h>
#include <stdio.h>

enum { KEPT_BYTES = 512 * 1024, PATH_MOST = 4096 };

static const char kind_name[] = "GitHub";

// ---- clients ------------------------------------------------------------------------------------

static void forget(struct github_kept *kept)
{
    arena_done(&kept->arena);
    *kept = (struct github_kept){0};
}

static void close_part(struct cloud_part *part)
{
    struct github_client *client = (struct github_client *)(void *)part;
    for (size_t i = 0; i < GITHUB_KEPT; i++)
        forget(&client->kept[i]);
    github_identity_close(&client->identity);
    arena_done(&client->arena);
    memory_free(client);
}

static bool is_name(str s)
{
    bool ok = s.len > 0 && s.len <= 100 && !str_is(s, ".") && !str_is(s, "..");
    for (size_t i = 0; ok && i < s.len; i++) {
        char c = s.data[i];
        ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '-' || c == '_' || c == '.';
    }
    return ok;
}

static bool check_account(const struct github_account *account, struct error *err)
{
    struct url_parts parts;
    str name = str_of(account->repository), owner = str_cut(&name, '/');
    if (!account->api_url)
        return error_set(err, ERROR_INPUT, "it is not known where GitHub's API is");
    if (!url_split(str_of(account->api_url), &parts, err))
        return error_wrap(err, "GitHub's API");
    if (!parts.secure && !url_is_loopback(parts.name))
        return error_set(err, ERROR_DENIED,
                         "GitHub at " STR_FMT " is not asked without TLS: only this machine may be",
                         STR_ARG(str_shorten(parts.host, 200)));
    if (!is_name(owner) || !is_name(name))
        return error_set(err, ERROR_INPUT, "`%s` is no repository of GitHub, OWNER/NAME",
                         account->repository ? account->repository : "");
    if (account->app_id ? !account->key || !secret_is_set(account->key)
                        : !account->token || !secret_is_set(account->token))
        return error_set(err, ERROR_INPUT, "there is no %s for GitHub",
                         account->app_id ? "private key of the app" : "token");
    return true;
}

bool github_client_open(struct cloud *cloud, const struct github_account *account,
                        struct github_client **ret, struct error *err)
{
    if (!check_account(account, err))
        return false;
    struct github_client *client = memory_alloc(sizeof *client);
    str url = str_of(account->api_url);
    client->cloud = cloud;
    client->write_after_ms =
        cloud_now(cloud) + GITHUB_GAP_MS; // who ran before may just have written
    client->account = *account;
    client->account.api_url =
        arena_copy(&client->arena, str_ends(url, STR("/")) ? str_first(url, url.len - 1) : url);
    client->account.repository = arena_copy(&client->arena, str_of(account->repository));
    if (account->app_id)
        client->account.app_id = arena_copy(&client->arena, str_of(account->app_id));
    if (account->login)
        client->account.login = arena_copy(&client->arena, str_of(account->login));
    client->part = (struct cloud_part){.kind = kind_name, .close = close_part};
    github_identity_open(&client->identity, cloud, &client->account);
    cloud_add(cloud, &client->part);
    *ret = client;
    return true;
}

str github_path(const struct github_client *client, struct arena *arena, const char *format, ...)
{
    char rest[PATH_MOST];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(rest, sizeof rest, format, args);
    va_end(args);
    return arena_format(arena, "/repos/%s%s", client->account.repository, rest);
}

bool github_is_app(const struct github_client *client)
{
    return client->account.app_id != NULL;
}

const char *github_login_of(const struct github_client *client)
{
    const struct github_account *account = &client->account;
    if (account->login)
        return account->login;
    if (account->app_id)
        return *client->identity.login ? client->identity.login : NULL;
    return client->login;
}

bool github_learn_login(struct github_client *client, str login)
{
    const struct secret *token = client->account.token;
    bool of_workflow = token && str_starts(secret_reveal(token), STR("ghs_"));
    if (login.len)
        client->login = arena_copy(&client->arena, str_first(login, 128));
    else if (of_workflow)
        client->login = "github-actions[bot]";
    return github_login_of(client) != NULL;
}

const char *github_repository(const struct github_client *client)
{
    return client->account.repository;
}

const char *github_enterprise(const struct github_client *client)
{
    return client->enterprise;
}

int64_t github_waits_until(const struct github_client *client)
{
    return client->not_before_ms > cloud_now(client->cloud) ? client->not_before_ms : 0;
}

// ---- what is kept -------------------------------------------------------------------------------

struct github_kept *github_kept_of(struct github_client *client, str path)
{
    for (size_t i = 0; i < GITHUB_KEPT; i++)
        if (client->kept[i].etag.len && str_eq(client->kept[i].path, path))
            return &client->kept[i];
    return NULL;
}

void github_keep(struct github_client *client, str path, str etag, str body, str next)
{
    if (!etag.len || body.len > KEPT_BYTES)
        return;
    struct github_kept *place = github_kept_of(client, path);
    for (size_t i = 0; !place && i < GITHUB_KEPT; i++)
        if (!client->kept[i].etag.len)
            place = &client->kept[i];
    if (!place) {
        place = client->kept;
        for (size_t i = 1; i < GITHUB_KEPT; i++)
            if (client->kept[i].used < place->used)
                place = &client->kept[i];
    }
    struct github_kept fresh = {.used = ++client->uses};
    fresh.path = arena_str(&fresh.arena, path);
    fresh.etag = arena_str(&fresh.arena, etag);
    fresh.body = arena_str(&fresh.arena, body);
    fresh.next = arena_str(&fresh.arena, next);
    forget(place);
    *place = fresh;
}
