#include "deploy/cloud/aws_plan.h"

#include "deploy/cloud/aws_profile.h"
#include "deploy/cloud/url_parts.h"
#include "deploy/world/files.h"
#include "gate/base/number.h"

#define CONTAINER_HOST "http://169.254.170.2"
enum { TOKEN_FILE_MOST = 65536 };

struct planner {
    struct cloud *cloud;
    const struct aws_account *account;
    struct aws_plan *plan;
    struct aws_profiles profiles;
};

static const char *variable(const struct planner *p, const char *name)
{
    const char *value = cloud_variable(p->cloud, name);
    return value ? arena_copy(&p->plan->arena, str_of(value)) : NULL;
}

static const char *session_of(const struct planner *p, str given)
{
    if (p->account->session)
        return p->account->session;
    if (given.len)
        return arena_copy(&p->plan->arena, given);
    const char *named = variable(p, "AWS_ROLE_SESSION_NAME");
    return named ? named : "sluice";
}

// ---- the environment ----------------------------------------------------------------------------

static bool has_runner(const struct planner *p)
{
    return cloud_variable(p->cloud, "ACTIONS_ID_TOKEN_REQUEST_URL") &&
           cloud_variable(p->cloud, "ACTIONS_ID_TOKEN_REQUEST_TOKEN");
}

static bool from_variables(struct planner *p, bool *ret_found, struct error *err)
{
    struct aws_plan *plan = p->plan;
    const char *secret = cloud_variable(p->cloud, "AWS_SECRET_ACCESS_KEY");
    const char *token = cloud_variable(p->cloud, "AWS_SESSION_TOKEN");
    const char *key = variable(p, "AWS_ACCESS_KEY_ID");
    *ret_found = key || secret;
    if (!*ret_found)
        return true;
    if (!key || !secret)
        return error_set(err, ERROR_INPUT,
                         "%s is set and %s is not: AWS keys of the environment need both",
                         key ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                         key ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
    plan->base = AWS_BASE_KEYS;
    plan->found_in = "the environment";
    plan->access_key = key;
    secret_take(&plan->secret_key, str_of(secret));
    if (token)
        secret_take(&plan->session_token, str_of(token));
    return true;
}

static void web_identity(struct planner *p, const char *role, const char *token_file, str session,
                         const char *found_in)
{
    p->plan->base = token_file ? AWS_BASE_TOKEN_FILE : AWS_BASE_RUNNER;
    p->plan->found_in = found_in;
    p->plan->role = role;
    p->plan->token_file = token_file;
    p->plan->session = session_of(p, session);
}

static bool from_web_identity(struct planner *p, bool *ret_found, struct error *err)
{
    const char *file = variable(p, "AWS_WEB_IDENTITY_TOKEN_FILE");
    const char *role = variable(p, "AWS_ROLE_ARN");
    if (!role)
        role = file ? p->account->role : NULL;
    *ret_found = file || (role && has_runner(p));
    if (!*ret_found)
        return true;
    if (!role)
        return error_set(err, ERROR_INPUT,
                         "AWS_WEB_IDENTITY_TOKEN_FILE is set, but no role: set AWS_ROLE_ARN too");
    web_identity(p, role, file, (str){0},
                 file ? "the environment's web identity" : "the runner's OIDC token");
    return true;
}

// ---- container ----------------------------------------------------------------------------------

// Keys come over plain HTTP only from this machine and from the addresses that the provider's
// agents have.
static bool may_be_plain(str name)
{
    return url_is_loopback(name) || str_is(name, "169.254.170.2") ||
           str_is(name, "169.254.170.23") || str_is(name, "[fd00:ec2::23]");
}

static bool container_token(struct planner *p, struct error *err)
{
    const char *token = cloud_variable(p->cloud, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    const char *file = cloud_variable(p->cloud, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    str bytes = str_of(token);
    if (file && !file_read(&p->plan->arena, file, TOKEN_FILE_MOST, &bytes, err))
        return error_wrap(err, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    bytes = str_trim(bytes);
    if (bytes.len)
        secret_take(&p->plan->authorization, bytes);
    if (file)
        cloud_wipe(bytes);
    return true;
}

static bool from_container(struct planner *p, bool *ret_found, struct error *err)
{
    const char *relative = cloud_variable(p->cloud, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = cloud_variable(p->cloud, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    struct url_parts parts;
    *ret_found = relative || full;
    if (!*ret_found)
        return true;
    p->plan->base = AWS_BASE_CONTAINER;
    p->plan->found_in = "the container's credentials";
    p->plan->url = relative ? arena_format(&p->plan->arena, CONTAINER_HOST "%s%s",
                                           relative[0] == '/' ? "" : "/", relative)
                                  .data
                            : arena_copy(&p->plan->arena, str_of(full));
    if (!url_split(str_of(p->plan->url), &parts, err))
        return error_wrap(err, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (!parts.secure && !may_be_plain(parts.name))
        return error_set(err, ERROR_DENIED,
                         "AWS_CONTAINER_CREDENTIALS_FULL_URI names `" STR_FMT
                         "` over plain http: keys are taken so only from this machine or the "
                         "provider's agent",
                         STR_ARG(str_shorten(parts.name, 100)));
    return container_token(p, err);
}

static bool metadata_allowed(const struct planner *p)
{
    const char *off = cloud_variable(p->cloud, "AWS_EC2_METADATA_DISABLED");
    return !off || str_cmp_any_case(str_of(off), STR("true")) != 0;
}

// ---- profiles -----------------------------------------------------------------------------------

static bool push_hop(struct planner *p, const char *role, str session, str external_id,
                     int64_t duration_s, struct error *err)
{
    struct aws_plan *plan = p->plan;
    if (plan->hop_count == AWS_HOPS_MOST)
        return error_set(err, ERROR_LIMIT, "AWS profiles take on more than %d roles in a row",
                         AWS_HOPS_MOST);
    plan->hops[plan->hop_count++] = (struct aws_hop){
        role, session_of(p, session),
        external_id.len ? arena_copy(&plan->arena, external_id) : NULL, duration_s};
    return true;
}

static bool profile_keys(struct planner *p, str name, bool *ret_found, struct error *err)
{
    struct aws_plan *plan = p->plan;
    str key = aws_profile_get(&p->profiles, name, "aws_access_key_id");
    str secret = aws_profile_get(&p->profiles, name, "aws_secret_access_key");
    str token = aws_profile_get(&p->profiles, name, "aws_session_token");
    *ret_found = key.len || secret.len;
    if (!*ret_found)
        return true;
    if (!key.len || !secret.len)
        return error_set(err, ERROR_INPUT,
                         "AWS profile `" STR_FMT "` has one of aws_access_key_id and "
                         "aws_secret_access_key: it needs both",
                         STR_ARG(name));
    plan->base = AWS_BASE_KEYS;
    plan->access_key = arena_copy(&plan->arena, key);
    secret_take(&plan->secret_key, secret);
    if (token.len)
        secret_take(&plan->session_token, token);
    return true;
}

static bool profile_refused(struct planner *p, str name, struct error *err)
{
    static const struct {
        const char *key, *why;
    } refused[] = {
        {"mfa_serial", "asks for a one-time code, which nobody can type in a rollout"},
        {"sso_session", "signs in with SSO in a browser: run `aws configure export-credentials` "
                        "and give what it prints in the environment"},
        {"sso_start_url", "signs in with SSO in a browser: run `aws configure export-credentials` "
                          "and give what it prints in the environment"},
        {"credential_process", "runs a program for its keys, which is not done here: give what it "
                               "prints in the environment"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (aws_profile_get(&p->profiles, name, refused[i].key).len)
            return error_set(err, ERROR_INPUT, "AWS profile `" STR_FMT "` %s", STR_ARG(name),
                             refused[i].why);
    return true;
}

static bool credential_source(struct planner *p, str source, struct error *err)
{
    bool found = false;
    if (str_is(source, "Environment")) {
        if (!from_variables(p, &found, err))
            return false;
    } else if (str_is(source, "EcsContainer")) {
        if (!from_container(p, &found, err))
            return false;
    } else if (str_is(source, "Ec2InstanceMetadata")) {
        p->plan->base = AWS_BASE_METADATA;
        found = metadata_allowed(p);
    } else {
        return error_set(err, ERROR_INPUT,
                         "credential_source `" STR_FMT "` is none of Environment, EcsContainer "
                         "and Ec2InstanceMetadata",
                         STR_ARG(str_shorten(source, 60)));
    }
    return found || error_set(err, ERROR_ABSENT, "credential_source " STR_FMT ": there are none",
                              STR_ARG(source));
}

// Follows role_arn and source_profile down to what has keys; the hops are gathered on the way, the
// last one first. *ret_found is false when the profile says nothing of credentials.
static bool from_profile(struct planner *p, str name, bool *ret_found, struct error *err)
{
    struct aws_profiles *profiles = &p->profiles;
    for (unsigned depth = 0;; depth++) {
        str role = aws_profile_get(profiles, name, "role_arn");
        str source = aws_profile_get(profiles, name, "source_profile");
        str origin = aws_profile_get(profiles, name, "credential_source");
        str file = aws_profile_get(profiles, name, "web_identity_token_file");
        str session = aws_profile_get(profiles, name, "role_session_name");
        const char *role_c = arena_copy(&p->plan->arena, role);
        uint64_t duration = 0;
        (void)number_u64(aws_profile_get(profiles, name, "duration_seconds"), &duration);
        if (!profile_refused(p, name, err))
            return false;
        if (!role.len || (depth && str_eq(source, name)))
            return profile_keys(p, name, ret_found, err);
        *ret_found = true;
        if (file.len) {
            web_identity(p, role_c, arena_copy(&p->plan->arena, file), session, NULL);
            return true;
        }
        if (!push_hop(p, role_c, session, aws_profile_get(profiles, name, "external_id"),
                      (int64_t)duration, err))
            return false;
        if (origin.len)
            return credential_source(p, origin, err);
        if (!source.len)
            return error_set(err, ERROR_INPUT,
                             "AWS profile `" STR_FMT "` has a role_arn, but neither "
                             "source_profile nor credential_source",
                             STR_ARG(name));
        if (!aws_profile_exists(profiles, source))
            return error_set(err, ERROR_INPUT,
                             "AWS profile `" STR_FMT "` takes its keys from `" STR_FMT
                             "`, which is not there",
                             STR_ARG(name), STR_ARG(source));
        if (str_eq(source, name))
            return profile_keys(p, name, ret_found, err);
        name = source;
    }
}

static bool from_profiles(struct planner *p, bool *ret_found, struct error *err)
{
    struct aws_plan *plan = p->plan;
    const char *wished = p->account->profile ? p->account->profile : variable(p, "AWS_PROFILE");
    str name = str_of(wished ? wished : "default");
    if (!aws_profiles_read(p->cloud, &p->profiles, err))
        return false;
    bool ok = true;
    if (!aws_profile_exists(&p->profiles, name)) {
        *ret_found = false;
        if (wished)
            ok = error_set(err, ERROR_INPUT, "there is no AWS profile `" STR_FMT "`",
                           STR_ARG(str_shorten(name, 100)));
    } else {
        ok = from_profile(p, name, ret_found, err);
        if (ok && !*ret_found && plan->hop_count)
            ok = error_set(err, ERROR_INPUT,
                           "AWS profile `" STR_FMT "` takes on a role, but there are no keys to "
                           "begin with",
                           STR_ARG(name));
        plan->found_in = arena_format(&plan->arena, "profile `" STR_FMT "`", STR_ARG(name)).data;
    }
    aws_profiles_done(&p->profiles);
    for (size_t i = 0, j = plan->hop_count; ok && i + 1 < j; i++) { // the first one first
        struct aws_hop hop = plan->hops[i];
        plan->hops[i] = plan->hops[--j];
        plan->hops[j] = hop;
    }
    return ok;
}

// ---- all of it ----------------------------------------------------------------------------------

static bool find_base(struct planner *p, struct error *err)
{
    bool found = false;
    if (p->account->role && has_runner(p)) {
        web_identity(p, p->account->role, NULL, (str){0}, "the runner's OIDC token");
        return true;
    }
    if (p->account->profile)
        return from_profiles(p, &found, err) &&
               (found || error_set(err, ERROR_INPUT, "AWS profile `%.100s` has no credentials",
                                   p->account->profile));
    if (!from_variables(p, &found, err) || (!found && !from_web_identity(p, &found, err)) ||
        (!found && !from_profiles(p, &found, err)) || (!found && !from_container(p, &found, err)))
        return false;
    if (found)
        return true;
    if (!metadata_allowed(p))
        return error_set(err, ERROR_ABSENT,
                         "no AWS credentials were found: looked for AWS_ACCESS_KEY_ID, "
                         "AWS_ROLE_ARN with the runner's OIDC token (permissions: id-token: "
                         "write) or AWS_WEB_IDENTITY_TOKEN_FILE, the profile files and the "
                         "container's; the instance's are turned off by "
                         "AWS_EC2_METADATA_DISABLED");
    p->plan->base = AWS_BASE_METADATA;
    p->plan->found_in = "the instance's role";
    return true;
}

bool aws_plan_make(struct cloud *cloud, const struct aws_account *account, struct aws_plan *ret,
                   struct error *err)
{
    struct aws_plan plan = {0};
    struct planner planner = {.cloud = cloud, .account = account, .plan = &plan};
    bool ok = find_base(&planner, err);
    bool has_role = plan.role && account->role && strcmp(plan.role, account->role) == 0;
    if (ok && account->role && !has_role)
        ok = push_hop(&planner, account->role, (str){0}, (str){0}, 0, err);
    if (ok)
        *ret = plan;
    else
        aws_plan_done(&plan);
    return ok;
}

void aws_plan_done(struct aws_plan *plan)
{
    secret_done(&plan->secret_key);
    secret_done(&plan->session_token);
    secret_done(&plan->authorization);
    arena_done(&plan->arena);
    *plan = (struct aws_plan){0};
}
