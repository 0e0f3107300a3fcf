#include "deploy/targets/hosts_artifact.h"

#include "deploy/artifact/object_store.h"
#include "deploy/targets/target_parts.h"
#include "gate/base/limits.h"

static const char *const compressions[] = {"zstd", "gzip", NULL};
static const char made_here[] = "git-archive";

#define AT(member) offsetof(struct hosts_artifact, member)
static const struct shape_field fields[] = {
    {.key = "bundle",
     .kind = SHAPE_STR,
     .offset = AT(bundle),
     .fallback = "git-archive",
     .doc = "`git-archive`: the files of the release's commit. Or a bundle in a bucket, "
            "`s3://releases/web-${release}.tar.zst` or `gs://…`; `${release}`, `${commit}`, "
            "`${digest}` and `${env.NAME}` may stand in it."},
    {.key = "compression",
     .kind = SHAPE_CHOICE,
     .offset = AT(compression),
     .choices = compressions,
     .fallback = "zstd",
     .doc = "Of `git-archive`: gzip for hosts without zstd."},
    {.key = "store",
     .kind = SHAPE_STR,
     .offset = AT(store),
     .doc = "Where bundles that are made or given here are kept as well, so that a rollout can go "
            "on on another machine: `s3://releases/web/${digest}.tar`, with `${release}`, "
            "`${commit}` and `${env.NAME}` too."},
    {.kind = SHAPE_END},
};

// ---- names in the URL ---------------------------------------------------------------------------

struct name_check {
    str wrong;
    bool release; // one that differs from release to release
};

static bool check_name(void *context, str name)
{
    struct name_check *check = context;
    bool of_release = str_is(name, "release") || str_is(name, "commit") || str_is(name, "digest");
    check->release = check->release || of_release;
    if (of_release || (str_starts(name, STR("env.")) && name.len > sizeof "env." - 1))
        return true;
    check->wrong = name;
    return false;
}

static bool url_of(const struct hosts_target *hosts, const struct target_release *release,
                   struct arena *arena, str source, str *ret, struct error *err)
{
    if (!target_release_fill(arena, &hosts->setup, "artifact", source, release, ret, err))
        return false;
    return object_check_url(*ret, err) || error_wrap(err, "`artifact`");
}

// Of both keys: true when it is an object's URL with names that are known.
static bool check_url(const char *key, str url, struct position at, struct name_check *names,
                      struct problems *problems)
{
    if (!object_is_url(url))
        problem_at(problems, at, "`%s` must be %san object in a bucket, such as `s3://releases/%s`",
                   key, strcmp(key, "bundle") == 0 ? "`git-archive` or " : "",
                   strcmp(key, "bundle") == 0 ? "web-${release}.tar.zst" : "web/${digest}.tar");
    else if (!template_names(url, check_name, names))
        problem_at(problems, at,
                   "`%s`: `${" STR_FMT "}` is not known here; there are `${release}`, "
                   "`${commit}`, `${digest}` and `${env.NAME}`",
                   key, STR_ARG(str_shorten(names->wrong, 120)));
    else
        return true;
    return false;
}

static void check_store(const struct hosts_artifact *artifact, const struct node *node,
                        struct problems *problems)
{
    const struct node *key = node_get(node, "store");
    struct name_check names = {0};
    if (!key || !check_url("store", artifact->store, key->at, &names, problems))
        return;
    if (str_search(artifact->store, STR("${digest}")) == STR_NONE)
        problem_at(problems, key->at,
                   "`store` needs `${digest}` in it: what is there is never overwritten");
    else if (!str_is(artifact->bundle, made_here))
        problem_at(problems, key->at,
                   "`store` is of bundles made here: these lie in a bucket already");
}

static void check(void *value, const struct node *node, struct problems *problems)
{
    const struct hosts_artifact *artifact = value;
    const struct node *key = node_get(node, "bundle");
    struct position at = key ? key->at : artifact->at;
    struct name_check names = {0};
    check_store(artifact, node, problems);
    if (str_is(artifact->bundle, made_here) ||
        !check_url("bundle", artifact->bundle, at, &names, problems))
        return;
    if (!names.release)
        problem_at(problems, at,
                   "`bundle` is the same for every release: name what differs, such as "
                   "`s3://releases/web-${release}.tar.zst`");
    else if (node_get(node, "compression"))
        problem_at(problems, node_get(node, "compression")->at,
                   "`compression` is of bundles made here: what lies in a bucket stays as it is");
}

const struct shape hosts_artifact_shape = {
    .name = "artifact",
    .size_bytes = sizeof(struct hosts_artifact),
    .fields = fields,
    .position_offset = AT(at) + 1,
    .check = check,
};

// ---- bundles ------------------------------------------------------------------------------------

bool hosts_artifact_bundle(const struct hosts_target *hosts, const struct target_pack *pack,
                           struct arena *arena, struct bundle *ret, struct error *err)
{
    const struct hosts_artifact *artifact = &hosts->config->artifact;
    const struct artifact_access access = {hosts->setup.cloud, hosts->setup.aws,
                                           hosts->setup.google};
    struct bundle_request request = {.repository = pack->repository,
                                     .commit = pack->commit,
                                     .given = pack->given,
                                     .access = &access,
                                     .cache_folder = pack->cache_folder,
                                     .gzip = artifact->compression == 1};
    bool digest = str_starts(pack->given, STR("sha256:"));
    struct target_release release = {.release = pack->release, .commit = pack->commit};
    bool bucket = object_is_url(artifact->bundle) && (digest || !pack->given.len);
    str source = bucket ? artifact->bundle : digest ? artifact->store : (str){NULL, 0}, kept;
    if (digest)
        release.digest = pack->given;
    else if (str_search(source, STR("${digest}")) != STR_NONE)
        return error_set(err, ERROR_INPUT,
                         "`bundle` names `${digest}`, which nobody gave: say which with "
                         "`--artifact %s=sha256:…`",
                         hosts->setup.name);
    if (source.len && !url_of(hosts, &release, arena, source, &request.source, err))
        return false;
    if (!bundle_make(arena, &request, ret, err))
        return false;
    if (digest || !artifact->store.len)
        return true;
    release.digest = ret->digest;
    return url_of(hosts, &release, arena, artifact->store, &kept, err) &&
           object_write(&access, kept, ret->path.data, ret->digest, err);
}
