#include "actions/github/github_config.h"

#include <stdlib.h>

static const struct shape_field app_fields[] = {
    {.key = "id",
     .kind = SHAPE_STR,
     .offset = offsetof(struct github_app_settings, id),
     .required = true,
     .doc = "Its number or its client id, as its page says."},
    {.key = "key",
     .kind = SHAPE_STR,
     .offset = offsetof(struct github_app_settings, key),
     .required = true,
     .doc = "`${env.NAME}`: its private key, in PEM."},
    {.kind = SHAPE_END},
};

static void check_app(void *value, const struct node *node, struct problems *problems)
{
    const struct github_app_settings *app = value;
    if (app->key.len && !(str_starts(app->key, STR("${env.")) && str_ends(app->key, STR("}"))))
        problem_at(problems, node_get(node, "key") ? node_get(node, "key")->at : node->at,
                   "`key` must be `${env.NAME}` and nothing else: a private key is a secret, and "
                   "comes from the environment");
}

static const struct shape app_shape = {.name = "app",
                                       .size_bytes = sizeof(struct github_app_settings),
                                       .fields = app_fields,
                                       .check = check_app,
                                       .doc = "A GitHub App: it sees teams, and its token is "
                                              "renewed in long rollouts."};

static const struct shape_field fields[] = {
    {.key = "deployments",
     .kind = SHAPE_BOOL,
     .offset = offsetof(struct github_settings, deployments),
     .fallback = "true",
     .doc = "Each rollout is a deployment, its statuses in step with it. Needs `deployments: "
            "write`."},
    {.key = "approvals",
     .kind = SHAPE_BOOL,
     .offset = offsetof(struct github_settings, approvals),
     .fallback = "true",
     .doc = "A rollout that needs a person opens an issue, and is answered there by `/approve`, "
            "`/deny`, `/hold`, `/promote`, `/rollback` and `/status`. Needs `issues: write`."},
    {.key = "incidents",
     .kind = SHAPE_BOOL,
     .offset = offsetof(struct github_settings, incidents),
     .fallback = "true",
     .doc = "A release that was taken back by itself opens an issue with what happened. Needs "
            "`issues: write`."},
    {.key = "poll",
     .kind = SHAPE_DURATION,
     .offset = offsetof(struct github_settings, poll_ms),
     .fallback = "15s",
     .doc = "How often a process that is there reads the comments."},
    {.key = "decided_by",
     .kind = SHAPE_STR,
     .offset = offsetof(struct github_settings, decided_by),
     .doc =
         "File of the workflow, such as `sluice-release.yml`, whose decisions a rollout accepts, "
         "and only those of its runs on the default branch; any that the ledger has when "
         "absent."},
    {.key = "environment_url",
     .kind = SHAPE_STR,
     .offset = offsetof(struct github_settings, environment_url),
     .doc = "Where the environment is seen; `${environment}` stands for its name."},
    {.key = "api",
     .kind = SHAPE_STR,
     .offset = offsetof(struct github_settings, api),
     .doc = "The API's address, where GITHUB_API_URL does not say it."},
    {.key = "app",
     .kind = SHAPE_OPTIONAL,
     .offset = offsetof(struct github_settings, app),
     .shape = &app_shape,
     .doc = "As which app, in place of the token at hand."},
    {.kind = SHAPE_END},
};

const struct shape github_shape = {.name = "github",
                                   .size_bytes = sizeof(struct github_settings),
                                   .fields = fields,
                                   .doc = "What a rollout shows of itself on GitHub, and as whom. "
                                          "Nothing when absent."};

bool github_settings_bind(struct arena *arena, const struct node *root, struct github_settings *ret,
                          struct problems *problems)
{
    const struct node *node = node_get(root, "github");
    size_t before = problems->count + problems->dropped;
    *ret = (struct github_settings){0};
    if (!node)
        return true;
    (void)shape_bind(arena, &github_shape, node, ret, problems);
    ret->given = true;
    return problems->count + problems->dropped == before;
}

// ---- as whom ------------------------------------------------------------------------------------

void github_login_done(struct github_login *login)
{
    secret_done(&login->token);
    secret_done(&login->key);
}

static bool read_key(const struct github_app_settings *app, const struct template_value *variables,
                     struct secret *ret, struct error *err)
{
    struct text key = text_of(65536);
    bool ok = template_expand(app->key, variables, TEMPLATE_PLAIN, &key, err);
    if (ok)
        secret_take(ret, text_str(&key));
    if (key.data)
        secret_wipe(key.data, key.room);
    text_done(&key);
    return ok || error_wrap(err, "`github.app.key`");
}

static void read_token(struct secret *ret)
{
    static const char *const names[] = {"SLUICE_GITHUB_TOKEN", "GITHUB_TOKEN", "GH_TOKEN"};
    const char *token = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && (!token || !*token); i++)
        token = getenv(names[i]);
    if (token && *token)
        secret_take(ret, str_of(token));
}

// Of a token that is neither a workflow's nor of the app that is configured.
static const char *login_given(void)
{
    const char *login = getenv("SLUICE_GITHUB_LOGIN");
    return login && *login ? login : NULL;
}

bool github_open(struct cloud *cloud, const struct github_place *place,
                 const struct github_settings *settings, const struct template_value *variables,
                 struct github_login *ret_login, struct github_client **ret, struct error *err)
{
    const struct github_app_settings *app = settings ? settings->app : NULL;
    struct github_login login = {0};
    struct arena arena = {0};
    const char *api =
        settings && settings->api.len ? arena_copy(&arena, settings->api) : place->api_url;
    bool ok = true;
    if (app)
        ok = read_key(app, variables, &login.key, err);
    else
        read_token(&login.token);
    if (ok && !app && !secret_is_set(&login.token))
        ok = error_set(err, ERROR_INPUT,
                       "there is no token for GitHub: set SLUICE_GITHUB_TOKEN, or the action's "
                       "input `token`");
    *ret_login = login;
    if (ok)
        ok = github_client_open(
            cloud,
            &(struct github_account){.api_url = api,
                                     .repository = place->repository,
                                     .app_id = app ? arena_copy(&arena, app->id) : NULL,
                                     .key = &ret_login->key,
                                     .token = &ret_login->token,
                                     .login = login_given()},
            ret, err);
    if (!ok) {
        github_login_done(ret_login);
        *ret_login = (struct github_login){0};
    }
    arena_done(&arena);
    return ok;
}
