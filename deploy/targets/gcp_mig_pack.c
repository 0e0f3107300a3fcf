// What becomes of a release on Compute Engine, before anything is touched: its template, or the
// image that it boots from, looked up and pinned by its id.
#include "deploy/targets/gcp_mig.h"

#include "gate/base/sha256.h"

struct packing {
    const struct target *mig;
    struct arena *arena;
    struct target_release release;
    struct mig_template template;
    str image, image_id;
};

static void template_found(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct packing *packing = self;
    struct error err;
    if (!reply->ok)
        chain_fail_with(chain, reply, "looking at template " STR_FMT,
                        STR_ARG(packing->release.revision));
    else if (mig_read_template(packing->arena, reply->body, &packing->template, &err))
        chain_end(chain);
    else
        chain_fail(chain, err.kind, "%s", err.message);
}

static void image_found(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct packing *packing = self;
    struct error err;
    if (!reply->ok)
        chain_fail_with(chain, reply, "looking at the release's image");
    else if (mig_read_image(packing->arena, reply->body, &packing->image, &packing->image_id, &err))
        chain_end(chain);
    else
        chain_fail(chain, err.kind, "%s", err.message);
}

static bool fetch(struct packing *packing, str path, chain_next next, struct error *err)
{
    struct chain chain;
    chain_begin(&chain, packing->mig->setup.cloud, packing);
    chain_google(&chain, packing->mig->client,
                 &(struct google_request){.api = "compute", .path = path, .repeatable = true},
                 next);
    bool ok = chain_finish(&chain, err);
    chain_drop(&chain);
    return ok;
}

static bool fits(const struct target *mig, str given, str found, const char *what,
                 struct error *err)
{
    if (!given.len || !str_starts(given, STR("sha256:")) || str_eq(given, found))
        return true;
    return error_set(err, ERROR_INPUT,
                     "`--artifact %s=" STR_FMT "` is not what is there now: the %s of target %s "
                     "has the digest " STR_FMT,
                     mig->setup.name, STR_ARG(str_shorten(given, 100)), what, mig->setup.name,
                     STR_ARG(found));
}

static bool pack_built(struct packing *packing, str given, struct error *err)
{
    const struct target *mig = packing->mig;
    struct target_release *release = &packing->release;
    if (given.len && !str_starts(given, STR("sha256:")))
        release->revision = mig_revision_of(given);
    else if (!mig_named_template(packing->arena, mig, release, &release->revision, err))
        return false;
    if (!fetch(packing, mig_template_path(packing->arena, mig, release->revision), template_found,
               err))
        return false;
    release->revision = packing->template.revision;
    release->digest = mig_template_digest(packing->arena, &packing->template);
    return fits(mig, given, release->digest, "template", err);
}

static bool pack_made(struct packing *packing, str given, struct error *err)
{
    const struct target *mig = packing->mig;
    struct target_release *release = &packing->release;
    struct mig_blueprint blueprint;
    bool named = mig_uses_digest(mig->config);
    str path;
    if ((named || given.len) && !sha256_is_named(given))
        return error_set(err, ERROR_INPUT, "%s with `--artifact %s=sha256:…`",
                         given.len ? "what is brought there is made here, and may only be held "
                                     "against a digest,"
                                   : "the artifact names `${digest}`, which nobody gave: say which",
                         mig->setup.name);
    if (named)
        release->digest = given;
    if (mig->config->artifact.image.len &&
        (!mig_image_path(packing->arena, mig, release, &path, err) ||
         !fetch(packing, path, image_found, err)))
        return false;
    if (!mig_blueprint_of(packing->arena, mig, release, packing->image, packing->image_id,
                          &blueprint, err))
        return false;
    release->revision = blueprint.name;
    if (!named)
        release->digest = blueprint.digest;
    return fits(mig, given, release->digest, "artifact", err);
}

bool mig_pack(const struct target *mig, const struct target_pack *pack, struct arena *arena,
              struct target_release *ret, struct error *err)
{
    struct packing packing = {
        .mig = mig,
        .arena = arena,
        .release = {.release = pack->release, .commit = pack->commit},
    };
    bool ok = mig->config->artifact.template.len ? pack_built(&packing, pack->given, err)
                                                 : pack_made(&packing, pack->given, err);
    if (ok)
        *ret = packing.release;
    return ok;
}
