// Staging: that the release's template is there. Nothing runs of it before the first share.
#include "deploy/targets/gcp_mig.h"

enum { BODY_MOST = 2 << 20 };

static void ask_own(struct target_operation *operation);

static void fail(struct target_operation *operation, const struct error *err)
{
    chain_fail(&operation->chain, err->kind, "%s", err->message);
}

// ---- one that the build made -------------------------------------------------------------------

static void built_seen(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    struct arena *arena = &operation->stage_arena;
    struct mig_template template;
    struct error err;
    if (!reply->ok)
        chain_fail_with(chain, reply, "looking at template " STR_FMT,
                        STR_ARG(operation->next.revision));
    else if (!mig_read_template(arena, reply->body, &template, &err))
        fail(operation, &err);
    else if (!str_eq(mig_template_digest(arena, &template), operation->next.digest))
        chain_fail(chain, ERROR_REMOTE,
                   "template " STR_FMT " is another one than was planned: it was made anew since",
                   STR_ARG(operation->next.revision));
    else {
        operation->staged = operation->next.revision;
        chain_end(chain);
    }
}

// ---- one that is made here ---------------------------------------------------------------------

// The template's place is that of known good: a region's, or the project's.
static str own_revision(struct target_operation *operation)
{
    struct arena *arena = &operation->stage_arena;
    str good = operation->good.revision;
    size_t slash = str_find_last(good, '/');
    str place = slash == STR_NONE ? (str){NULL, 0} : str_first(good, slash + 1);
    str name = mig_template_name(arena, operation->mig->group, operation->next.release,
                                 operation->blueprint.digest, operation->nth);
    return arena_format(arena, STR_FMT STR_FMT, STR_ARG(place), STR_ARG(name));
}

static void insert_taken(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    (void)reply;
    if (operation->failure.len)
        chain_fail(chain, ERROR_REMOTE, "making template " STR_FMT ": " STR_FMT,
                   STR_ARG(own_revision(operation)), STR_ARG(operation->failure));
    else
        ask_own(operation);
}

// 409: somebody made it in the meantime, most likely this very request whose answer was lost. What
// is in it says so.
static void inserted(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    if (reply->ok)
        mig_follow(operation, reply, insert_taken);
    else if ((reply->fault->status == 409 && ++operation->conflicts < MIG_NAMES) ||
             mig_is_lost(operation, reply))
        ask_own(operation);
    else
        chain_fail_with(chain, reply, "making template " STR_FMT, STR_ARG(own_revision(operation)));
}

static void insert(struct target_operation *operation)
{
    struct arena *arena = &operation->stage_arena;
    str revision = own_revision(operation), path, description;
    struct text body = text_of(BODY_MOST);
    struct json_out out = json_out_of(&body, JSON_COMPACT);
    path = mig_template_path(arena, operation->mig, revision);
    description = mig_description(arena, &operation->next, operation->content);
    json_open_map(&out, NULL);
    json_add_str(&out, "name", google_short_name(revision));
    json_add_str(&out, "description", description);
    json_add_raw(&out, "properties", operation->body);
    json_close(&out);
    chain_google(&operation->chain, operation->mig->client,
                 &(struct google_request){.api = "compute",
                                          .method = "POST",
                                          .path = str_first(path, str_find_last(path, '/')),
                                          .body = text_str(&body),
                                          .repeatable = true}, // its name is there once
                 inserted);
    text_done(&body);
}

// One of the same name whose content is another was made of another known good: the next name.
static void own_seen(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    struct mig_template found;
    struct error err;
    if (!reply->ok && reply->fault->status == 404)
        insert(operation);
    else if (!reply->ok)
        chain_fail_with(chain, reply, "looking at template " STR_FMT,
                        STR_ARG(own_revision(operation)));
    else if (!mig_read_template(&operation->stage_arena, reply->body, &found, &err))
        fail(operation, &err);
    else if (str_eq(mig_description_word(found.description, "content"), operation->content)) {
        operation->staged = arena_str(&operation->arena, found.revision);
        chain_end(chain);
    } else if (++operation->nth < MIG_NAMES)
        ask_own(operation);
    else
        chain_fail(chain, ERROR_REMOTE,
                   "there are %d templates of the name " STR_FMT " already, each with something "
                   "else in it: delete those that no group uses",
                   MIG_NAMES, STR_ARG(operation->blueprint.name));
}

static void ask_own(struct target_operation *operation)
{
    str revision = own_revision(operation);
    mig_ask(operation, mig_template_path(&operation->stage_arena, operation->mig, revision),
            own_seen);
}

static void base_seen(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    struct arena *arena = &operation->stage_arena;
    struct mig_template base;
    struct error err;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "looking at known good's template " STR_FMT,
                        STR_ARG(operation->good.revision));
    } else if (!mig_read_template(arena, reply->body, &base, &err) ||
               !mig_properties(arena, &operation->blueprint, &base, &operation->body, &err)) {
        fail(operation, &err);
    } else {
        operation->content = mig_digest_of(arena, operation->body);
        ask_own(operation);
    }
}

// A family may have a newer image by now, and an image may have been made anew under its name.
static void plan(struct target_operation *operation, str image, str image_id)
{
    struct arena *arena = &operation->stage_arena;
    struct error err;
    str planned = google_short_name(operation->next.revision);
    if (!mig_blueprint_of(arena, operation->mig, &operation->next, image, image_id,
                          &operation->blueprint, &err))
        fail(operation, &err);
    else if (planned.len && !str_starts(planned, operation->blueprint.name))
        chain_fail(&operation->chain, ERROR_REMOTE,
                   "image " STR_FMT " is another one than was planned: plan the release again",
                   STR_ARG(image));
    else
        mig_ask(operation, mig_template_path(arena, operation->mig, operation->good.revision),
                base_seen);
}

static void image_seen(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    struct error err;
    str url, id;
    if (!reply->ok)
        chain_fail_with(chain, reply, "looking at the release's image");
    else if (!mig_read_image(&operation->stage_arena, reply->body, &url, &id, &err))
        fail(operation, &err);
    else
        plan(operation, url, id);
}

void mig_stage(struct target_operation *operation)
{
    const struct target *mig = operation->mig;
    struct arena *arena = &operation->stage_arena;
    struct error err;
    str path;
    if (!operation->good.revision.len)
        chain_fail(&operation->chain, ERROR_DENIED,
                   "group " STR_FMT " has no known good template to go back to: `sluice adopt` "
                   "records the one that it serves",
                   STR_ARG(mig->group));
    else if (mig->config->artifact.template.len)
        mig_ask(operation, mig_template_path(arena, mig, operation->next.revision), built_seen);
    else if (!mig->config->artifact.image.len)
        plan(operation, (str){NULL, 0}, (str){NULL, 0});
    else if (mig_image_path(arena, mig, &operation->next, &path, &err))
        mig_ask(operation, path, image_seen);
    else
        fail(operation, &err);
}
