// The section of a `gcp-mig` target.
#include "deploy/cloud/endpoint_settings.h"
#include "deploy/targets/gcp_mig.h"
#include "gate/base/template.h"

enum { GROUP_MOST = 63 };

static const struct shape_field metadata_fields[] = {
    {.key = "name", .kind = SHAPE_KEY, .offset = offsetof(struct mig_metadata, key)},
    {.key = "value",
     .kind = SHAPE_STR,
     .offset = offsetof(struct mig_metadata, value),
     .required = true,
     .doc = "What it is: `${release}`, `${commit}`, `${digest}` and `${env.NAME}` may stand in "
            "it."},
    {.kind = SHAPE_END},
};
static const struct shape metadata_shape = {
    .name = "entry",
    .size_bytes = sizeof(struct mig_metadata),
    .fields = metadata_fields,
    .shorthand = "value",
};

#define ARTIFACT(member) offsetof(struct mig_artifact, member)
static const struct shape_field artifact_fields[] = {
    {.key = "template",
     .kind = SHAPE_STR,
     .offset = ARTIFACT(template),
     .doc = "The instance template that the build made: `web-${release}`, or "
            "`regions/europe-west1/instanceTemplates/web-${release}` (also `${commit}`)."},
    {.key = "image",
     .kind = SHAPE_STR,
     .offset = ARTIFACT(image),
     .doc = "The boot disk's image, or its family: `projects/p/global/images/learn-${release}`, "
            "`learn-${release}`. A template like that of known good is made with it."},
    {.key = "metadata",
     .kind = SHAPE_MAP,
     .offset = ARTIFACT(metadata),
     .shape = &metadata_shape,
     .max = 64,
     .doc = "Entries of the instances' metadata which differ from release to release: `{release: "
            "\"${release}\"}`. A template like that of known good is made with them. With "
            "`${digest}` in one, `--artifact` gives that digest."},
    {.kind = SHAPE_END},
};
static const struct shape artifact_shape = {.name = "artifact",
                                            .size_bytes = sizeof(struct mig_artifact),
                                            .fields = artifact_fields,
                                            .shorthand = "template",
                                            .position_offset = ARTIFACT(at) + 1,
                                            .doc = "What is brought there."};

#define AT(member) offsetof(struct mig_config, member)
static const struct shape_field fields[] = {
    {.key = "project", .kind = SHAPE_STR, .offset = AT(project), .doc = GOOGLE_PROJECT_DOC},
    {.key = "region",
     .kind = SHAPE_STR,
     .offset = AT(region),
     .doc = "Where a regional group is: `europe-west1`. `${env.NAME}` may stand in it."},
    {.key = "zone",
     .kind = SHAPE_STR,
     .offset = AT(zone),
     .doc = "Where a zonal group is, in place of `region`: `europe-west1-b`."},
    {.key = "group",
     .kind = SHAPE_STR,
     .offset = AT(group),
     .required = true,
     .doc = "The managed instance group's name. It must exist already. `${env.NAME}` may stand in "
            "it."},
    {.key = "artifact",
     .kind = SHAPE_STRUCT,
     .offset = AT(artifact),
     .shape = &artifact_shape,
     .required = true,
     .doc = "What is brought there."},
    {.kind = SHAPE_END},
};

struct names {
    bool digest; // it may be named
    bool differs;
    str wrong;
};

static bool is_known_name(void *context, str name)
{
    struct names *names = context;
    if (str_is(name, "release") || str_is(name, "commit") ||
        (names->digest && str_is(name, "digest"))) {
        names->differs = true;
        return true;
    }
    if (str_starts(name, STR("env.")) && name.len > 4)
        return true;
    names->wrong = name;
    return false;
}

// Whether it differs from release to release.
static bool check_template(const char *what, str value, bool digest, struct position at,
                           struct problems *problems)
{
    struct names names = {.digest = digest};
    if (!template_names(value, is_known_name, &names))
        problem_at(problems, at,
                   "`%s`: `${" STR_FMT
                   "}` is not known here; there are `${release}`, `${commit}`%s "
                   "and `${env.NAME}`",
                   what, STR_ARG(str_shorten(names.wrong, 120)), digest ? ", `${digest}`" : "");
    return names.differs || names.wrong.len;
}

static void check_artifact(const struct mig_artifact *artifact, struct problems *problems)
{
    const struct mig_metadata *items = artifact->metadata.items;
    bool made = artifact->image.len || artifact->metadata.count, differs = false;
    if (artifact->template.len && made) {
        problem_at(problems, artifact->at,
                   "a `template` of the build holds everything; `image` and `metadata` are for one "
                   "that is made here: give the one or the others");
        return;
    }
    if (!artifact->template.len && !made) {
        problem_at(problems, artifact->at,
                   "name what a release is: the `template` that the build made, or the `image` or "
                   "`metadata` that differ from those of known good");
        return;
    }
    if (artifact->template.len)
        differs = check_template("template", artifact->template, false, artifact->at, problems);
    if (artifact->image.len)
        differs = check_template("image", artifact->image, true, artifact->at, problems);
    for (size_t i = 0; i < artifact->metadata.count; i++)
        differs |= check_template("metadata", items[i].value, true, artifact->at, problems);
    if (!differs && !artifact->image.len) // the image of a family differs from day to day
        problem_at(problems, artifact->at,
                   "the artifact is the same for every release: name what differs, such as "
                   "`web-${release}`");
}

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
    const struct mig_config *config = value;
    bool zonal = config->zone.len > 0;
    if (zonal == (config->region.len > 0))
        problem_at(problems, account_position(node, zonal ? "zone" : "group"),
                   "say where the group is by one of `region` and `zone`");
    google_section_check(config->project, zonal ? config->zone : config->region,
                         zonal ? "zone" : "region", node, problems);
    if (target_name_check("group", config->group, node, problems) &&
        str_search(config->group, STR("${")) == STR_NONE && !is_label(config->group, GROUP_MOST))
        problem_at(problems, account_position(node, "group"),
                   "`" STR_FMT "` is no name of an instance group: small letters, digits and `-`, "
                   "beginning with a letter, at most %d",
                   STR_ARG(str_shorten(config->group, 80)), GROUP_MOST);
    check_artifact(&config->artifact, problems);
}

const struct shape mig_shape = {
    .name = "gcp-mig",
    .size_bytes = sizeof(struct mig_config),
    .fields = fields,
    .check = check,
    .doc = "A managed instance group of Compute Engine: each release is an instance template, with "
           "any number of the group's instances.",
};
