// Whom a registry takes us for.
#include "deploy/artifact/docker_config.h"
#include "deploy/artifact/registry.h"
#include "deploy/cloud/url_parts.h"
#include "gate/doc/json.h"

enum { OK = 200, URL_MOST = 8192 };

// ---- which kind ---------------------------------------------------------------------------------

// "ACCOUNT.dkr.ecr.REGION.amazonaws.com"; the region, else empty.
static str ecr_region(str host)
{
    str rest = host, account = str_cut(&rest, '.');
    if (account.len != 12 || !str_starts(rest, STR("dkr.ecr.")))
        return (str){NULL, 0};
    rest = str_from(rest, sizeof "dkr.ecr." - 1);
    str region = str_cut(&rest, '.');
    bool ours = str_is(rest, "amazonaws.com") || str_is(rest, "amazonaws.com.cn");
    return ours ? region : (str){NULL, 0};
}

static bool is_google(str host)
{
    return str_ends(host, STR("-docker.pkg.dev")) || str_is(host, "gcr.io") ||
           str_ends(host, STR(".gcr.io"));
}

// Whether a registry on this machine is the one that stands in for the cloud's.
static bool is_place(const struct registry_look *look, const char *endpoint)
{
    struct url_parts parts;
    struct error ignored;
    return look->local && endpoint && url_split(str_of(endpoint), &parts, &ignored) &&
           str_eq(parts.host, look->name.host);
}

static bool open_aws(struct registry_look *look, str region, struct error *err)
{
    struct aws_account account = {0};
    if (look->access->aws)
        account = *look->access->aws;
    if (region.len)
        account.region = arena_copy(&look->arena, region);
    return aws_client_open(look->access->cloud, &account, &look->aws, err);
}

static bool open_google(struct registry_look *look, struct error *err)
{
    const struct google_account none = {0};
    const struct google_account *account = look->access->google ? look->access->google : &none;
    return google_client_open(look->access->cloud, account, &look->google, err);
}

static bool find_kind(struct registry_look *look, struct error *err)
{
    struct error ignored;
    str region = ecr_region(look->name.host);
    struct arena *arena = &look->arena;
    if (region.len) {
        look->kind = REGISTRY_ECR;
        return open_aws(look, region, err);
    }
    if (is_google(look->name.host)) {
        look->kind = REGISTRY_GOOGLE;
        return open_google(look, err);
    }
    if (look->local && open_aws(look, region, &ignored) &&
        is_place(look, aws_client_endpoint(look->aws, &aws_ecr, arena)))
        look->kind = REGISTRY_ECR;
    else if (look->local && open_google(look, &ignored) &&
             is_place(look, google_client_endpoint(look->google, "registry", arena)))
        look->kind = REGISTRY_GOOGLE;
    return true;
}

// ---- ECR ----------------------------------------------------------------------------------------

static void authorized(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct registry_look *look = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "logging in to " STR_FMT,
                        STR_ARG(str_shorten(look->name.host, 160)));
        return;
    }
    const struct node *data = node_get(reply->tree, "authorizationData");
    str token = node_text(data ? data->first : NULL, "authorizationToken");
    if (token.len)
        secret_take(&look->basic, token);
    cloud_wipe_tree(data);
    look->as_basic = true;
    look->proven = true;
    if (secret_is_set(&look->basic))
        registry_ask(look);
    else
        chain_fail(chain, ERROR_REMOTE, "ecr:GetAuthorizationToken gives no token");
}

void registry_login(struct registry_look *look)
{
    struct error why;
    bool ok = find_kind(look, &why);
    if (ok && look->kind == REGISTRY_ANY)
        ok = docker_config_read(look->access->cloud, look->name.host, &look->basic, &why);
    if (!ok)
        chain_fail(&look->chain, why.kind, "%s", why.message);
    else if (look->kind == REGISTRY_ECR)
        chain_aws(&look->chain, look->aws,
                  &(struct aws_request){.service = &aws_ecr,
                                        .action = "GetAuthorizationToken",
                                        .body = STR("{}"),
                                        .repeatable = true},
                  authorized);
    else
        registry_ask(look);
}

// ---- the challenge ------------------------------------------------------------------------------

struct challenge {
    str scheme, realm, service, scope;
};

// `Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:learn/web:pull"`
static struct challenge read_challenge(str header)
{
    str rest = str_trim(header);
    struct challenge challenge = {.scheme = str_cut(&rest, ' ')};
    while ((rest = str_trim(rest)).len) {
        str name = str_trim(str_cut(&rest, '=')), value;
        rest = str_trim(rest);
        if (str_starts(rest, STR("\""))) {
            rest = str_from(rest, 1);
            value = str_cut(&rest, '"');
            (void)str_cut(&rest, ',');
        } else {
            value = str_trim(str_cut(&rest, ','));
        }
        if (str_cmp_any_case(name, STR("realm")) == 0)
            challenge.realm = value;
        else if (str_cmp_any_case(name, STR("service")) == 0)
            challenge.service = value;
        else if (str_cmp_any_case(name, STR("scope")) == 0)
            challenge.scope = value;
    }
    return challenge;
}

static void token_read(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct registry_look *look = self;
    struct arena arena = {0};
    struct error why;
    const struct node *tree = NULL;
    str host = str_shorten(look->name.host, 160);
    if (!reply->ok) {
        chain_fail_with(chain, reply, "asking for a token of " STR_FMT, STR_ARG(host));
    } else if (reply->status != OK) {
        chain_fail(chain, ERROR_DENIED,
                   "no token of " STR_FMT " is given for image " STR_FMT " (status %ld)%s",
                   STR_ARG(host), STR_ARG(str_shorten(look->image, 200)), reply->status,
                   secret_is_set(&look->basic) ? "" : ": `docker login` has left nothing for it");
    } else if (!json_parse(&arena, NULL, reply->body, &tree, &why)) {
        chain_fail(chain, ERROR_REMOTE, "the token of " STR_FMT " cannot be read", STR_ARG(host));
    } else {
        str token = node_text(tree, "token");
        token = token.len ? token : node_text(tree, "access_token");
        if (token.len)
            secret_take(&look->bearer, token);
        if (secret_is_set(&look->bearer))
            registry_ask(look);
        else
            chain_fail(chain, ERROR_REMOTE, STR_FMT " answers without a token", STR_ARG(host));
    }
    cloud_wipe_tree(tree);
    arena_done(&arena);
}

static void ask_token(struct registry_look *look, const struct challenge *challenge)
{
    struct http_header headers[] = {{"Accept", "application/json", NULL}, {0}, {0}};
    struct text url = text_of(URL_MOST);
    str scope = challenge->scope;
    if (!scope.len)
        scope = arena_format(&look->arena, "repository:" STR_FMT ":pull",
                             STR_ARG(look->name.repository));
    text_add(&url, challenge->realm);
    text_addc(&url, str_find(challenge->realm, '?') == STR_NONE ? '?' : '&');
    text_adds(&url, "scope=");
    url_encode(&url, scope, URL_SEGMENT);
    if (challenge->service.len) {
        text_adds(&url, "&service=");
        url_encode(&url, challenge->service, URL_SEGMENT);
    }
    if (secret_is_set(&look->basic))
        headers[1] = (struct http_header){"Authorization", "Basic ", &look->basic};
    str kept = arena_str(&look->arena, text_str(&url));
    text_done(&url);
    chain_plain(&look->chain,
                &(struct plain_request){.method = "GET", .url = kept, .headers = headers},
                token_read);
}

// A registry elsewhere may not send us to this machine; one here may.
static bool is_realm(const struct registry_look *look, str realm)
{
    struct url_parts parts;
    struct error ignored;
    return url_split(realm, &parts, &ignored) &&
           (look->local ? parts.secure || url_is_loopback(parts.name) : parts.secure);
}

void registry_challenged(struct registry_look *look, str headers)
{
    struct challenge challenge = read_challenge(cloud_header(headers, "WWW-Authenticate"));
    bool bearer = str_cmp_any_case(challenge.scheme, STR("Bearer")) == 0;
    bool basic = str_cmp_any_case(challenge.scheme, STR("Basic")) == 0;
    look->proven = true;
    if (bearer && is_realm(look, challenge.realm)) {
        ask_token(look, &challenge);
    } else if (basic && secret_is_set(&look->basic)) {
        look->as_basic = true;
        registry_ask(look);
    } else if (basic) {
        chain_fail(&look->chain, ERROR_DENIED,
                   STR_FMT " asks who we are, and `docker login` has left nothing for it",
                   STR_ARG(str_shorten(look->name.host, 160)));
    } else {
        chain_fail(&look->chain, ERROR_REMOTE,
                   STR_FMT " refuses us without saying what it wants to see",
                   STR_ARG(str_shorten(look->name.host, 160)));
    }
}
