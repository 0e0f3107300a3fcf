// The section of an `aws-lambda` target.
#include "deploy/targets/aws_lambda.h"

#include "deploy/cloud/endpoint_settings.h"
#include "gate/base/template.h"

#define AT(member) offsetof(struct lambda_config, member)

static const struct shape_field artifact_fields[] = {
    {.key = "archive",
     .kind = SHAPE_STR,
     .offset = offsetof(struct lambda_artifact, archive),
     .doc = "The zip archive in S3: `s3://BUCKET/thumbs-${release}.zip`, with `${release}`, "
            "`${commit}` or `${digest}` (of `--artifact`)."},
    {.key = "image",
     .kind = SHAPE_STR,
     .offset = offsetof(struct lambda_artifact, image),
     .doc = "The image in ECR by digest, of functions made of images: "
            "`REGISTRY/thumbs@${digest}` (of `--artifact`)."},
    {.kind = SHAPE_END},
};

static const struct shape artifact_shape = {
    .name = "artifact",
    .size_bytes = sizeof(struct lambda_artifact),
    .fields = artifact_fields,
    .position_offset = offsetof(struct lambda_artifact, at) + 1,
    .doc = "The code of a release.",
};

static const struct shape_field lambda_fields[] = {
    {.key = "region", .kind = SHAPE_STR, .offset = AT(at.region), .doc = AWS_REGION_DOC},
    {.key = "role", .kind = SHAPE_STR, .offset = AT(at.role), .doc = AWS_ROLE_DOC},
    {.key = "function",
     .kind = SHAPE_STR,
     .offset = AT(function),
     .required = true,
     .doc = "The function: its name or ARN, without a version; `${env.NAME}` may stand in it."},
    {.key = "alias",
     .kind = SHAPE_STR,
     .offset = AT(alias),
     .required = true,
     .doc = "The alias that is called, such as `live`; `${env.NAME}` may stand in it."},
    {.key = "artifact",
     .kind = SHAPE_OPTIONAL,
     .offset = AT(artifact),
     .shape = &artifact_shape,
     .doc = "The code of a release. Without it a release is a version that was published by "
            "something else, given with `--artifact TARGET=VERSION`."},
    {.kind = SHAPE_END},
};

static bool has_template(str value)
{
    return str_search(value, STR("${")) != STR_NONE;
}

static bool is_made_of(str name, const char *others)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && str_find(str_of(others), c) == STR_NONE)
            return false;
    }
    return name.len > 0;
}

// "arn:aws:lambda:eu-west-1:123456789012:function:thumbs" has six colons; a seventh begins a
// version.
static size_t colons(str name)
{
    size_t count = 0;
    for (size_t i = 0; i < name.len; i++)
        count += name.data[i] == ':';
    return count;
}

static void check_function(str function, const struct node *node, struct problems *problems)
{
    bool arn = str_starts(function, STR("arn:"));
    struct position at = account_position(node, "function");
    if (!target_name_check("function", function, node, problems) || has_template(function))
        return;
    if (arn && (str_search(function, STR(":lambda:")) == STR_NONE || colons(function) < 6))
        problem_at(problems, at,
                   "`function` must be the ARN of a function, such as "
                   "`arn:aws:lambda:eu-west-1:123456789012:function:thumbs`");
    else if (arn ? colons(function) > 6 : colons(function) > 0)
        problem_at(problems, at,
                   "`function` must not name a version or alias: that is what `alias` is for");
    else if (!arn && (!is_made_of(function, "-_") || function.len > 64))
        problem_at(problems, at, "`" STR_FMT "` cannot be the name of a function",
                   STR_ARG(str_shorten(function, 80)));
}

static void check_alias(str alias, const struct node *node, struct problems *problems)
{
    struct position at = account_position(node, "alias");
    if (!target_name_check("alias", alias, node, problems) || has_template(alias))
        return;
    if (str_is(alias, "$LATEST") || lambda_is_version(alias))
        problem_at(problems, at,
                   "`" STR_FMT "` is a version, not an alias: a version cannot share its requests "
                   "with another one. Make an alias, such as `live`, and let callers use that",
                   STR_ARG(alias));
    else if (!is_made_of(alias, "-_") || alias.len > 128)
        problem_at(problems, at, "`" STR_FMT "` cannot be the name of an alias",
                   STR_ARG(str_shorten(alias, 80)));
}

static bool is_known(void *context, str name)
{
    str *wrong = context;
    if (str_is(name, "release") || str_is(name, "commit") || str_is(name, "digest") ||
        (str_starts(name, STR("env.")) && name.len > 4))
        return true;
    *wrong = name;
    return false;
}

static bool check_names(const char *key, str value, const struct node *node,
                        struct problems *problems)
{
    str wrong = {NULL, 0};
    if (template_names(value, is_known, &wrong))
        return true;
    problem_at(problems, account_position(node, key),
               "`%s`: `${" STR_FMT "}` is not known here; there are `${release}`, `${commit}`, "
               "`${digest}` and `${env.NAME}`",
               key, STR_ARG(str_shorten(wrong, 120)));
    return false;
}

static void check_artifact(const struct lambda_artifact *artifact, const struct node *node,
                           struct problems *problems)
{
    str archive = artifact->archive, rest = str_from(archive, sizeof "s3://" - 1);
    bool both = archive.len && artifact->image.len;
    if (both || (!archive.len && !artifact->image.len)) {
        problem_at(problems, artifact->at, "`artifact` needs %s `archive` %s `image`",
                   both ? "either" : "one of", both ? "or" : "and");
        return;
    }
    if (artifact->image.len) {
        (void)check_names("image", artifact->image, node, problems);
        return;
    }
    if (!check_names("archive", archive, node, problems) || str_starts(archive, STR("${env.")))
        return;
    size_t slash = str_find(rest, '/');
    if (!str_starts(archive, STR("s3://")) || slash == STR_NONE || slash == 0 ||
        slash + 1 == rest.len)
        problem_at(problems, account_position(node, "archive"),
                   "`archive` must be an object in S3, such as "
                   "`s3://BUCKET/thumbs-${release}.zip`");
}

static void check_lambda(void *value, const struct node *node, struct problems *problems)
{
    const struct lambda_config *config = value;
    aws_section_check(&config->at, node, problems);
    check_function(config->function, node, problems);
    check_alias(config->alias, node, problems);
    if (config->artifact)
        check_artifact(config->artifact, node_get(node, "artifact"), problems);
}

const struct shape lambda_shape = {
    .name = "aws-lambda",
    .size_bytes = sizeof(struct lambda_config),
    .fields = lambda_fields,
    .position_offset = AT(position) + 1,
    .check = check_lambda,
    .doc = "A function of AWS Lambda: two versions behind an alias with weights.",
};
