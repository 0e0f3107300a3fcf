// The section of a `gcp-run` target.
#include "deploy/cloud/endpoint_settings.h"
#include "deploy/targets/gcp_run.h"
#include "deploy/targets/target_image.h"

enum { SERVICE_MOST = 49, TAG_MOST = 46 };

static const char *const bases[] = {"known-good", "service", NULL};

#define ARTIFACT(member) offsetof(struct run_artifact, member)
static const struct shape_field artifact_fields[] = {
    {.key = "image",
     .kind = SHAPE_STR,
     .offset = ARTIFACT(image),
     .required = true,
     .doc = "The release's container image: `europe-docker.pkg.dev/p/r/app:${release}` (also "
            "`${commit}`), or `…/app@${digest}`, whose digest `--artifact` gives. It is looked up "
            "in the registry and deployed by its digest."},
    {.key = "container",
     .kind = SHAPE_STR,
     .offset = ARTIFACT(container),
     .doc = "Whose image it is; needed where the service has several containers."},
    {.kind = SHAPE_END},
};
static const struct shape artifact_shape = {.name = "artifact",
                                            .size_bytes = sizeof(struct run_artifact),
                                            .fields = artifact_fields,
                                            .shorthand = "image",
                                            .position_offset = ARTIFACT(at) + 1,
                                            .doc = "What is brought there."};

#define AT(member) offsetof(struct run_config, member)
static const struct shape_field fields[] = {
    {.key = "project", .kind = SHAPE_STR, .offset = AT(project), .doc = GOOGLE_PROJECT_DOC},
    {.key = "region",
     .kind = SHAPE_STR,
     .offset = AT(region),
     .required = true,
     .doc = "Where the service is: `europe-west1`. `${env.NAME}` may stand in it."},
    {.key = "service",
     .kind = SHAPE_STR,
     .offset = AT(service),
     .required = true,
     .doc = "The service's name. It must exist already. `${env.NAME}` may stand in it."},
    {.key = "artifact",
     .kind = SHAPE_STRUCT,
     .offset = AT(artifact),
     .shape = &artifact_shape,
     .required = true,
     .doc = "What is brought there."},
    {.key = "tag",
     .kind = SHAPE_STR,
     .offset = AT(tag),
     .fallback = "next",
     .doc = "The traffic tag of what is going out: it has a URL of its own, `https://next---…`, "
            "also at 0 %. Nobody else may use this tag."},
    {.key = "base",
     .kind = SHAPE_CHOICE,
     .offset = AT(base),
     .choices = bases,
     .fallback = "known-good",
     .doc = "Whose settings (variables, memory, account, …) the new revision gets: those of the "
            "revision that serves as known good, or those that the service was last given, for "
            "instance by Terraform."},
    {.kind = SHAPE_END},
};

// Small letters, digits and hyphens, beginning with a letter, not ending with a hyphen.
static bool is_label(str s, size_t most)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        bool letter = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';
        if (!letter && (i == 0 || !(digit || (c == '-' && i + 1 < s.len))))
            return false;
    }
    return s.len > 0 && s.len <= most;
}

static void check(void *value, const struct node *node, struct problems *problems)
{
    const struct run_config *config = value;
    google_section_check(config->project, config->region, "region", node, problems);
    if (target_name_check("service", config->service, node, problems) &&
        str_search(config->service, STR("${")) == STR_NONE &&
        !is_label(config->service, SERVICE_MOST))
        problem_at(problems, account_position(node, "service"),
                   "`" STR_FMT "` is no name of a Cloud Run service: small letters, digits and "
                   "`-`, beginning with a letter, at most %d",
                   STR_ARG(str_shorten(config->service, 80)), SERVICE_MOST);
    if (!is_label(config->tag, TAG_MOST))
        problem_at(problems, account_position(node, "tag"),
                   "`" STR_FMT "` is no traffic tag: small letters, digits and `-`, beginning with "
                   "a letter, at most %d",
                   STR_ARG(str_shorten(config->tag, 80)), TAG_MOST);
    target_image_check(config->artifact.image, config->artifact.at, problems);
}

const struct shape run_shape = {
    .name = "gcp-run",
    .size_bytes = sizeof(struct run_config),
    .fields = fields,
    .check = check,
    .doc = "A service of Google Cloud Run: each release is a revision, with any share of the "
           "requests in whole percents.",
};
