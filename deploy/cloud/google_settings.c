#include "deploy/cloud/google_settings.h"

#include "deploy/cloud/endpoint_settings.h"

static const char *const services[] = {
    "run", "compute", "monitoring", "storage", "registry", "cloudresourcemanager", "iamcredentials",
    "sts", "oauth2",  NULL,
};
enum { SERVICES = sizeof services / sizeof services[0] - 1 };

static void check_endpoint(void *value, const struct node *node, struct problems *problems)
{
    endpoint_settings_check(value, node, services, problems);
}

static const struct shape endpoint_shape = ENDPOINT_SETTINGS(check_endpoint);

#define AT(member) offsetof(struct google_settings, member)
static const struct shape_field fields[] = {
    {.key = "project",
     .kind = SHAPE_STR,
     .offset = AT(project),
     .doc = "The project of targets and metrics that name none."},
    {.key = "workload_identity_provider",
     .kind = SHAPE_STR,
     .offset = AT(workload_identity_provider),
     .doc = "`projects/N/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`: the "
            "runner's OIDC token is exchanged there, without any key."},
    {.key = "service_account",
     .kind = SHAPE_STR,
     .offset = AT(service_account),
     .doc = "Impersonated: `release@project.iam.gserviceaccount.com`."},
    {.key = "credentials_file",
     .kind = SHAPE_STR,
     .offset = AT(credentials_file),
     .doc = "A key or federation file; `GOOGLE_APPLICATION_CREDENTIALS`, gcloud's own or the "
            "metadata server when absent."},
    {.key = "endpoints",
     .kind = SHAPE_MAP,
     .offset = AT(endpoints),
     .shape = &endpoint_shape,
     .min = 1,
     .max = SERVICES,
     .doc = "The URLs of single APIs: `{run: \"https://run.private.example\"}`."},
    {.kind = SHAPE_END},
};

static bool is_made_of(str s, const char *letters)
{
    for (size_t i = 0; i < s.len; i++)
        if (str_find(str_of(letters), s.data[i]) == STR_NONE)
            return false;
    return s.len > 0;
}

#define SMALL_LETTERS "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

void google_project_check(str project, const struct node *section, struct problems *problems)
{
    if (project.len && (project.len > 100 || !is_made_of(project, SMALL_LETTERS DIGITS "-.:")))
        problem_at(problems, account_position(section, "project"),
                   "`" STR_FMT "` is no project id, such as `learn-prod`",
                   STR_ARG(str_shorten(project, 60)));
}

void google_region_check(str region, const char *key, const struct node *section,
                         struct problems *problems)
{
    if (region.len && (region.len > 60 || !is_made_of(region, SMALL_LETTERS DIGITS "-")))
        problem_at(problems, account_position(section, key),
                   "`" STR_FMT "` is no %s, such as `europe-west1%s`",
                   STR_ARG(str_shorten(region, 60)), key, str_is(str_of(key), "zone") ? "-b" : "");
}

static void check(void *value, const struct node *node, struct problems *problems)
{
    const struct google_settings *settings = value;
    str provider = settings->workload_identity_provider, account = settings->service_account;
    google_project_check(settings->project, node, problems);
    if (provider.len && (!str_starts(provider, STR("projects/")) ||
                         str_search(provider, STR("/workloadIdentityPools/")) == STR_NONE ||
                         str_search(provider, STR("/providers/")) == STR_NONE))
        problem_at(problems, account_position(node, "workload_identity_provider"),
                   "`workload_identity_provider` must be `projects/N/locations/global/"
                   "workloadIdentityPools/POOL/providers/PROVIDER`");
    if (account.len && str_find(account, '@') == STR_NONE)
        problem_at(problems, account_position(node, "service_account"),
                   "`service_account` must be an address, such as "
                   "`release@learn-prod.iam.gserviceaccount.com`");
}

const struct shape google_settings_shape = {
    .name = "google",
    .size_bytes = sizeof(struct google_settings),
    .fields = fields,
    .check = check,
    .doc = "The Google Cloud identity of all targets and metrics.",
};

struct google_account google_settings_account(struct arena *arena,
                                              const struct google_settings *settings)
{
    return (struct google_account){
        .project = account_text(arena, settings->project),
        .credentials_file = account_text(arena, settings->credentials_file),
        .workload_identity_provider = account_text(arena, settings->workload_identity_provider),
        .service_account = account_text(arena, settings->service_account),
        .endpoints = endpoint_settings_list(arena, &settings->endpoints),
    };
}
