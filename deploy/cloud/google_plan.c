#include "deploy/cloud/google_plan.h"

#include "deploy/cloud/url_parts.h"
#include "deploy/world/files.h"
#include "gate/base/limits.h"
#include "gate/base/text.h"
#include "gate/doc/json.h"

#include <stdio.h>

#define OAUTH_URL "https://oauth2.googleapis.com/token"
#define STS_URL "https://sts.googleapis.com/v1/token"

struct planner {
    struct cloud *cloud;
    const struct google_account *account;
    struct google_plan *plan;
    const char *path; // of the file, for messages
};

const char *google_place(struct cloud *cloud, const struct cloud_endpoint *endpoints, str url,
                         struct arena *arena)
{
    char api[64], name[128];
    str rest = url;
    if (!str_starts(url, STR("https://")))
        return arena_copy(arena, url);
    rest = str_from(rest, 8);
    size_t slash = str_find(rest, '/');
    str host = str_first(rest, slash == STR_NONE ? rest.len : slash);
    str path = str_from(rest, host.len);
    if (!str_ends(host, STR(".googleapis.com")) || host.len > 15 + sizeof api - 1)
        return arena_copy(arena, url);
    (void)snprintf(api, sizeof api, STR_FMT, STR_ARG(str_first(host, host.len - 15)));
    const char *over = cloud_endpoint_of(endpoints, api);
    (void)snprintf(name, sizeof name, "CLOUDSDK_API_ENDPOINT_OVERRIDES_%s", api);
    for (char *c = name; *c; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    if (!over)
        over = cloud_variable(cloud, name);
    str base = str_of(over);
    while (str_ends(base, STR("/")))
        base.len--;
    return over ? arena_format(arena, STR_FMT STR_FMT, STR_ARG(base), STR_ARG(path)).data
                : arena_copy(arena, url);
}

// ---- the kinds of files -------------------------------------------------------------------------

static bool wrong(const struct planner *p, struct error *err, const char *sentence)
{
    return error_set(err, ERROR_INPUT, "the Google credentials in `%.200s` %s", p->path, sentence);
}

// A URL of the file, to which secrets are sent.
static bool take_url(struct planner *p, str given, const char *usual, const char **ret,
                     struct error *err)
{
    struct url_parts parts;
    str url = given.len ? given : str_of(usual);
    if (!url_split(url, &parts, err))
        return error_wrap(err, "the Google credentials in `%.200s`", p->path);
    if (!parts.secure && !url_is_loopback(parts.name))
        return wrong(p, err, "name an address that is not https: no token is sent there");
    *ret = arena_copy(&p->plan->arena, url);
    return true;
}

static bool take_key(struct planner *p, const struct node *tree, struct error *err)
{
    struct google_plan *plan = p->plan;
    str email = node_text(tree, "client_email"), key = node_text(tree, "private_key");
    if (!email.len || !key.len)
        return wrong(p, err, "lack client_email or private_key");
    plan->base = GOOGLE_BASE_KEY;
    plan->email = arena_copy(&plan->arena, email);
    plan->key_id = arena_copy(&plan->arena, node_text(tree, "private_key_id"));
    secret_take(&plan->secret, key);
    return take_url(p, node_text(tree, "token_uri"), OAUTH_URL, &plan->token_url, err);
}

static bool take_user(struct planner *p, const struct node *tree, struct error *err)
{
    struct google_plan *plan = p->plan;
    str id = node_text(tree, "client_id"), secret = node_text(tree, "client_secret");
    str token = node_text(tree, "refresh_token");
    if (!id.len || !secret.len || !token.len)
        return wrong(p, err, "lack client_id, client_secret or refresh_token");
    plan->base = GOOGLE_BASE_REFRESH;
    plan->client_id = arena_copy(&plan->arena, id);
    secret_take(&plan->secret, secret);
    secret_take(&plan->refresh, token);
    return take_url(p, node_text(tree, "token_uri"), OAUTH_URL, &plan->token_url, err);
}

static bool take_subject_headers(struct planner *p, const struct node *headers, struct error *err)
{
    struct google_plan *plan = p->plan;
    size_t most = sizeof plan->subject_secrets / sizeof *plan->subject_secrets - 1, count = 0;
    for (const struct node *n = headers ? headers->first : NULL; n; n = n->next, count++) {
        if (count == most)
            return wrong(p, err, "have more than seven headers in their credential_source");
        secret_take(&plan->subject_secrets[count], n->text);
        plan->subject_headers[count] =
            (struct http_header){.name = arena_copy(&plan->arena, n->key), .value = ""};
    }
    return true;
}

static bool take_source(struct planner *p, const struct node *source, struct error *err)
{
    struct google_plan *plan = p->plan;
    str file = node_text(source, "file"), url = node_text(source, "url");
    const struct node *format = node_get(source, "format");
    str field = node_text(format, "subject_token_field_name");
    if (str_is(node_text(format, "type"), "json") && field.len)
        plan->subject_field = arena_copy(&plan->arena, field);
    if (file.len) {
        plan->base = GOOGLE_BASE_SUBJECT_FILE;
        plan->subject_place = arena_copy(&plan->arena, file);
        return true;
    }
    if (!url.len)
        return wrong(p, err,
                     "take their token neither from a file nor from a URL: programs, "
                     "certificates and AWS as a source are not read here");
    plan->base = GOOGLE_BASE_SUBJECT_URL;
    return take_url(p, url, "", &plan->subject_place, err) &&
           take_subject_headers(p, node_get(source, "headers"), err);
}

static bool take_external(struct planner *p, const struct node *tree, struct error *err)
{
    struct google_plan *plan = p->plan;
    str audience = node_text(tree, "audience"), type = node_text(tree, "subject_token_type");
    str impersonate = node_text(tree, "service_account_impersonation_url");
    if (!audience.len)
        return wrong(p, err, "lack the audience of the workload identity provider");
    if (str_search(type, STR("aws4_request")) != STR_NONE)
        return wrong(p, err, "exchange an AWS signature, which is not done here");
    plan->audience = arena_copy(&plan->arena, audience);
    plan->subject_type =
        arena_copy(&plan->arena, type.len ? type : STR("urn:ietf:params:oauth:token-type:jwt"));
    return take_source(p, node_get(tree, "credential_source"), err) &&
           take_url(p, node_text(tree, "token_url"), STS_URL, &plan->token_url, err) &&
           (!impersonate.len || take_url(p, impersonate, "", &plan->impersonate_url, err));
}

static bool take_tree(struct planner *p, const struct node *tree, struct error *err)
{
    str type = node_text(tree, "type");
    if (str_is(type, "impersonated_service_account")) {
        const struct node *source = node_get(tree, "source_credentials");
        if (!take_url(p, node_text(tree, "service_account_impersonation_url"), "",
                      &p->plan->impersonate_url, err))
            return false;
        type = node_text(source, "type");
        tree = source;
    }
    if (str_is(type, "service_account"))
        return take_key(p, tree, err);
    if (str_is(type, "authorized_user"))
        return take_user(p, tree, err);
    if (str_is(type, "external_account"))
        return take_external(p, tree, err);
    return error_set(err, ERROR_INPUT,
                     "the Google credentials in `%.200s` are of type `" STR_FMT "`: read are "
                     "service_account, external_account, authorized_user and "
                     "impersonated_service_account",
                     p->path, STR_ARG(str_shorten(type, 60)));
}

static bool take_file(struct planner *p, struct error *err)
{
    const struct node *tree = NULL;
    struct arena arena = {0};
    str bytes = {NULL, 0};
    bool ok = file_read(&arena, p->path, LIMIT_CONFIG_BYTES, &bytes, err);
    if (!ok)
        (void)error_wrap(err, "the Google credentials");
    ok = ok && json_parse(&arena, p->path, bytes, &tree, err) && take_tree(p, tree, err);
    cloud_wipe_tree(tree);
    cloud_wipe(bytes);
    arena_done(&arena);
    p->plan->found_in = arena_format(&p->plan->arena, "`%s`", p->path).data;
    return ok;
}

// ---- all of it ----------------------------------------------------------------------------------

static bool take_provider(struct planner *p, struct error *err)
{
    struct google_plan *plan = p->plan;
    const char *provider = p->account->workload_identity_provider;
    if (!str_starts(str_of(provider), STR("projects/")))
        return error_set(err, ERROR_INPUT,
                         "`%.120s` is no workload identity provider: it is written projects/"
                         "NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER",
                         provider);
    plan->base = GOOGLE_BASE_RUNNER;
    plan->found_in = "the runner's OIDC token";
    plan->runner_audience =
        arena_format(&plan->arena, "https://iam.googleapis.com/%s", provider).data;
    plan->audience = arena_format(&plan->arena, "//iam.googleapis.com/%s", provider).data;
    plan->subject_type = "urn:ietf:params:oauth:token-type:jwt";
    plan->token_url = STS_URL;
    return true;
}

static const char *usual_file(struct planner *p)
{
    struct arena *arena = &p->plan->arena;
    const char *folder = cloud_variable(p->cloud, "CLOUDSDK_CONFIG");
    const char *home = cloud_variable(p->cloud, "HOME");
    if (!folder && !home)
        return NULL;
    const char *path =
        folder ? arena_format(arena, "%s/application_default_credentials.json", folder).data
               : arena_format(arena, "%s/.config/gcloud/application_default_credentials.json", home)
                     .data;
    return file_exists(path) ? path : NULL;
}

static bool find(struct planner *p, struct error *err)
{
    const char *named = cloud_variable(p->cloud, "GOOGLE_APPLICATION_CREDENTIALS");
    if (p->account->workload_identity_provider)
        return take_provider(p, err);
    p->path = p->account->credentials_file;
    if (!p->path && named)
        p->path = arena_copy(&p->plan->arena, str_of(named));
    if (!p->path)
        p->path = usual_file(p);
    if (p->path)
        return take_file(p, err);
    p->plan->base = GOOGLE_BASE_METADATA;
    p->plan->found_in = "the metadata server";
    return true;
}

bool google_plan_make(struct cloud *cloud, const struct google_account *account,
                      struct google_plan *ret, struct error *err)
{
    struct google_plan plan = {0};
    struct planner planner = {.cloud = cloud, .account = account, .plan = &plan};
    bool ok = find(&planner, err);
    if (ok && account->service_account) {
        struct text email = text_of(1024);
        url_encode(&email, str_of(account->service_account), URL_SEGMENT);
        plan.impersonate_url =
            arena_format(&plan.arena,
                         "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
                         "%s:generateAccessToken",
                         text_c(&email))
                .data;
        text_done(&email);
    }
    if (ok)
        *ret = plan;
    else
        google_plan_done(&plan);
    return ok;
}

void google_plan_done(struct google_plan *plan)
{
    for (size_t i = 0; i < sizeof plan->subject_secrets / sizeof *plan->subject_secrets; i++)
        secret_done(&plan->subject_secrets[i]);
    secret_done(&plan->secret);
    secret_done(&plan->refresh);
    arena_done(&plan->arena);
    *plan = (struct google_plan){0};
}
