#include "deploy/targets/gcp_mig.h"

#include "gate/base/limits.h"

enum { UNKNOWN_MOST = 3, BODY_MOST = 1 << 20, CONFLICT_MS = 300, PAGE = 500 };

#define ROLE "role roles/compute.instanceAdmin.v1"
#define GET_PERMISSION "compute.instanceGroupManagers.get (" ROLE ")"

static unsigned capabilities(const void *config)
{
    (void)config;
    return TARGET_INSTANCES | TARGET_STAGING;
}

// How many instances there are is known once the group was looked at.
static uint32_t round_share(const struct target *mig, uint32_t share_ppm)
{
    if (!mig->size)
        return share_ppm;
    return mig_ppm_of(mig_count_of(share_ppm, mig->size), mig->size);
}

static void close_mig(struct target *target)
{
    arena_done(&target->arena);
    memory_free(target);
}

static bool open_mig(const void *config, const struct target_setup *setup, struct target **ret,
                     struct error *err)
{
    struct target *mig = memory_alloc(sizeof *mig);
    struct arena *arena = &mig->arena;
    struct text path = text_of(LIMIT_PATH);
    mig->config = config;
    mig->setup = *setup;
    mig->project = mig->config->project;
    mig->region = mig->config->region;
    mig->zone = mig->config->zone;
    mig->group = mig->config->group;
    bool ok = google_section_open(arena, setup, &mig->project, &mig->client, err) &&
              target_name_open(arena, setup, "region", &mig->region, err) &&
              target_name_open(arena, setup, "zone", &mig->zone, err) &&
              target_name_open(arena, setup, "group", &mig->group, err);
    text_adds(&path, "/compute/v1/projects/");
    google_path_add(&path, mig->project);
    mig->projects = arena_str(arena, text_str(&path));
    text_adds(&path, mig->zone.len ? "/zones/" : "/regions/");
    google_path_add(&path, mig->zone.len ? mig->zone : mig->region);
    text_adds(&path, "/instanceGroupManagers/");
    google_path_add(&path, mig->group);
    mig->place = arena_str(arena, text_str(&path));
    text_done(&path);
    if (ok)
        *ret = mig;
    else
        close_mig(mig);
    return ok;
}

// ---- one call after another --------------------------------------------------------------------

static void look(void *self, struct chain *chain, const struct chain_reply *reply);
static void decide(struct target_operation *operation);

void mig_ask(struct target_operation *operation, str path, chain_next next)
{
    chain_google(&operation->chain, operation->mig->client,
                 &(struct google_request){.api = "compute", .path = path, .repeatable = true},
                 next);
}

static void followed(void *self, struct chain *chain, const struct chain_reply *reply);

static void ask_operation(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    (void)chain;
    (void)reply;
    mig_ask(operation, operation->waiting, followed);
}

// An operation is found by its own URL: a template's is a project's, a group's is a zone's.
static void take(struct target_operation *operation, const struct node *tree)
{
    struct google_operation change = google_operation_read(tree);
    struct chain *chain = &operation->chain;
    str link = node_text(tree, "selfLink");
    size_t at = str_search(link, STR("projects/"));
    if (change.failed)
        operation->failure = arena_str(&operation->arena, change.message);
    if (change.done || at == STR_NONE) {
        operation->then(operation, chain, NULL);
        return;
    }
    operation->waiting =
        arena_format(&operation->stage_arena, "/compute/v1/" STR_FMT, STR_ARG(str_from(link, at)));
    chain_pause(chain, target_pause_ms(&operation->looks), ask_operation);
}

// What became of an operation that is gone, or cannot be read, is seen on what it was to change.
static void followed(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    if (reply->ok)
        take(operation, reply->tree);
    else
        operation->then(operation, chain, NULL);
}

void mig_follow(struct target_operation *operation, const struct chain_reply *reply,
                chain_next then)
{
    operation->failure = (str){NULL, 0};
    operation->looks = 0;
    operation->then = then;
    take(operation, reply->tree);
}

bool mig_is_lost(struct target_operation *operation, const struct chain_reply *reply)
{
    return reply->fault->outcome_unknown && ++operation->unknown <= UNKNOWN_MOST;
}

// ---- changing ----------------------------------------------------------------------------------

static void change_taken(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    (void)reply;
    if (operation->failure.len)
        chain_fail(chain, ERROR_REMOTE, "changing group " STR_FMT ": " STR_FMT,
                   STR_ARG(operation->mig->group), STR_ARG(operation->failure));
    else
        look(operation, chain, NULL);
}

// 412: it was changed since it was looked at, or this very change was taken in and its answer was
// lost. What is there now says which. An instance to be updated may be gone by now (400, 404).
static void changed(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    bool patch = operation->step.act == MIG_PATCH;
    if (reply->ok) {
        operation->patched = operation->patched || patch;
        operation->patched_count = patch ? operation->step.count : operation->patched_count;
        operation->applied += !patch;
        mig_follow(operation, reply, change_taken);
        return;
    }
    long status = reply->fault->status;
    bool again = patch ? status == 412 : (status == 400 || status == 404);
    operation->conflicts += again;
    if ((again && (patch || operation->conflicts <= UNKNOWN_MOST)) ||
        mig_is_lost(operation, reply)) {
        operation->looks = 0;
        operation->failure = arena_str(&operation->arena, str_of(reply->error->message));
        chain_pause(chain, CONFLICT_MS, look);
        return;
    }
    chain_fail_with(chain, reply, "changing group " STR_FMT, STR_ARG(operation->mig->group));
}

static void send(struct target_operation *operation, const char *method, str path,
                 struct text *body)
{
    chain_google(&operation->chain, operation->mig->client,
                 &(struct google_request){.api = "compute",
                                          .method = method,
                                          .path = path,
                                          .body = text_str(body),
                                          // a change of the versions has a fingerprint
                                          .repeatable = operation->step.act == MIG_PATCH},
                 changed);
    text_done(body);
}

// A version keeps the name that somebody gave it.
static void add_version(const struct target_operation *operation, struct json_out *out,
                        str template, const uint32_t *fixed)
{
    const struct mig_seen *seen = &operation->seen;
    struct arena arena = {0};
    str path = mig_template_path(&arena, operation->mig, template);
    json_open_map(out, NULL);
    json_add_str(out, "instanceTemplate", str_from(path, sizeof "/compute/v1/" - 1));
    for (size_t i = 0; i < seen->version_count; i++)
        if (seen->versions[i].name.len && str_eq(seen->versions[i].template, template))
            json_add_str(out, "name", seen->versions[i].name);
    if (fixed) {
        json_open_map(out, "targetSize");
        json_add_u64(out, "fixed", *fixed);
        json_close(out);
    }
    json_close(out);
    arena_done(&arena);
}

// Known good is the version without a size of its own: an instance that an autoscaler adds is of
// it.
static void patch(struct target_operation *operation)
{
    const struct mig_step *step = &operation->step;
    struct text body = text_of(BODY_MOST);
    struct json_out out = json_out_of(&body, JSON_COMPACT);
    json_open_map(&out, NULL);
    json_add_str(&out, "fingerprint", operation->seen.fingerprint);
    json_open_list(&out, "versions");
    if (step->only.len) {
        add_version(operation, &out, step->only, NULL);
    } else {
        add_version(operation, &out, operation->good.revision, NULL);
        add_version(operation, &out, operation->next.revision, &step->count);
    }
    json_close(&out);
    json_close(&out);
    send(operation, "PATCH", operation->mig->place, &body);
}

static void apply(struct target_operation *operation)
{
    const struct mig_step *step = &operation->step;
    struct text body = text_of(BODY_MOST);
    struct json_out out = json_out_of(&body, JSON_COMPACT);
    json_open_map(&out, NULL);
    json_open_list(&out, "instances");
    for (size_t i = 0; i < step->url_count; i++)
        json_add_str(&out, NULL, step->urls[i]);
    json_close(&out);
    json_close(&out);
    str path = arena_format(&operation->look_arena, STR_FMT "/applyUpdatesToInstances",
                            STR_ARG(operation->mig->place));
    send(operation, "POST", path, &body);
}

// A template that the build made may have been made anew under its name since it was staged.
static void template_checked(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    struct mig_template template;
    struct error err;
    str name = operation->next.revision;
    if (!reply->ok)
        chain_fail_with(chain, reply, "looking at template " STR_FMT, STR_ARG(name));
    else if (!mig_read_template(&operation->look_arena, reply->body, &template, &err))
        chain_fail(chain, err.kind, "%s", err.message);
    else if (!str_eq(mig_template_digest(&operation->look_arena, &template),
                     operation->next.digest))
        chain_fail(chain, ERROR_REMOTE,
                   "template " STR_FMT " is another one than was staged: it was made anew since",
                   STR_ARG(name));
    else {
        operation->checked = true;
        patch(operation);
    }
}

static void change(struct target_operation *operation)
{
    bool built = operation->mig->config->artifact.template.len > 0;
    if (built && operation->verb != INTENT_REVERT && !operation->checked)
        mig_ask(operation,
                mig_template_path(&operation->look_arena, operation->mig, operation->next.revision),
                template_checked);
    else
        patch(operation);
}

static void decide(struct target_operation *operation)
{
    struct chain *chain = &operation->chain;
    struct error err = {0};
    mig_decide(operation, &operation->step, &err);
    switch (operation->step.act) {
    case MIG_DONE:
        chain_end(chain);
        break;
    case MIG_WAIT:
        chain_pause(chain, target_pause_ms(&operation->looks), look);
        break;
    case MIG_STOP:
        chain_fail(chain, err.kind, "%s", err.message);
        break;
    case MIG_PATCH:
        change(operation);
        break;
    case MIG_APPLY:
        apply(operation);
        break;
    }
}

// ---- looking -----------------------------------------------------------------------------------

static void next_page(struct target_operation *operation, str token);

static bool moved(struct target_operation *operation)
{
    const struct mig_seen *seen = &operation->seen;
    uint32_t ready = 0;
    for (size_t i = 0; i < seen->instance_count; i++)
        ready += seen->instances[i].idle && seen->instances[i].healthy;
    str state = arena_format(&operation->look_arena, STR_FMT " %zu %u", STR_ARG(seen->fingerprint),
                             seen->instance_count, ready);
    bool same = str_eq(state, operation->last_state);
    if (!same)
        operation->last_state = arena_str(&operation->arena, state);
    return !same;
}

static void unreadable(struct target_operation *operation, const struct error *err)
{
    str group = operation->mig->group;
    if (operation->survey) {
        target_trouble_add(&operation->troubles, err->kind, "group " STR_FMT ": %s", STR_ARG(group),
                           err->message);
        chain_end(&operation->chain);
    } else {
        chain_fail(&operation->chain, err->kind, "looking at group " STR_FMT ": %s", STR_ARG(group),
                   err->message);
    }
}

static void listed(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    struct error err;
    str token;
    if (!reply->ok && operation->survey) {
        target_trouble_of(&operation->troubles, reply, GET_PERMISSION);
        chain_end(chain);
    } else if (!reply->ok) {
        chain_fail_with(chain, reply, "looking at the instances of group " STR_FMT,
                        STR_ARG(operation->mig->group));
    } else if (!mig_add_instances(&operation->look_arena, reply->body, &operation->seen, &token,
                                  &err)) {
        unreadable(operation, &err);
    } else if (token.len) {
        next_page(operation, token);
    } else if (operation->verb == INTENT_OBSERVE) {
        mig_observe(operation);
    } else if (operation->verb == INTENT_STAGE) {
        mig_stage(operation);
    } else {
        if (moved(operation))
            operation->looks = operation->applied = 0;
        decide(operation);
    }
}

static void next_page(struct target_operation *operation, str token)
{
    struct text path = text_of(LIMIT_PATH);
    text_addf(&path, STR_FMT "/listManagedInstances?maxResults=%d", STR_ARG(operation->mig->place),
              PAGE);
    if (token.len) {
        text_adds(&path, "&pageToken=");
        google_path_add(&path, token);
    }
    chain_google(
        &operation->chain, operation->mig->client,
        &(struct google_request){
            .api = "compute", .method = "POST", .path = text_str(&path), .repeatable = true},
        listed);
    text_done(&path);
}

static void looked(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    struct target *mig = operation->mig;
    struct error err;
    if (!reply->ok && operation->survey) {
        if (reply->fault->status == 404)
            target_trouble_add(&operation->troubles, ERROR_ABSENT,
                               "there is no instance group " STR_FMT " in " STR_FMT
                               " of project " STR_FMT ": make it once, then `sluice adopt`",
                               STR_ARG(mig->group),
                               STR_ARG(mig->zone.len ? mig->zone : mig->region),
                               STR_ARG(mig->project));
        else
            target_trouble_of(&operation->troubles, reply, GET_PERMISSION);
        chain_end(chain);
    } else if (!reply->ok) {
        chain_fail_with(chain, reply, "looking at group " STR_FMT, STR_ARG(mig->group));
    } else if (!mig_read_group(&operation->look_arena, reply->body, &operation->seen, &err)) {
        unreadable(operation, &err);
    } else {
        mig->size = operation->seen.size;
        next_page(operation, (str){NULL, 0});
    }
}

static void look(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    (void)chain;
    (void)reply;
    arena_done(&operation->look_arena);
    arena_done(&operation->stage_arena);
    operation->seen = (struct mig_seen){0};
    operation->step = (struct mig_step){.act = MIG_WAIT};
    mig_ask(operation, operation->mig->place, looked);
}

// ---- the kind ----------------------------------------------------------------------------------

static bool start(struct target *target, const struct target_intent *intent,
                  struct target_operation **ret, struct error *err)
{
    bool stage = intent->verb == INTENT_STAGE;
    bool forward = intent->verb == INTENT_SHIFT || intent->verb == INTENT_PROMOTE;
    if ((stage && !intent->next.digest.len) || (forward && !intent->next.revision.len))
        return error_set(err, ERROR_INPUT, "there is no release to bring to target %s",
                         target->setup.name);
    struct target_operation *operation = memory_alloc(sizeof *operation);
    operation->mig = target;
    operation->verb = intent->verb;
    operation->share_ppm = intent->share_ppm;
    operation->survey = intent->survey;
    operation->memory = arena_str(&operation->arena, intent->memory);
    operation->next = target_release_copy(&operation->arena, &intent->next);
    operation->good = target_release_copy(&operation->arena, &intent->good);
    operation->troubles.arena = &operation->arena;
    chain_begin(&operation->chain, target->setup.cloud, operation);
    look(operation, &operation->chain, NULL);
    *ret = operation;
    return true;
}

static enum progress poll_mig(struct target_operation *operation, struct arena *arena,
                              struct target_outcome *ret, struct error *err)
{
    enum progress progress = chain_poll(&operation->chain, err);
    if (progress != PROGRESS_DONE)
        return progress;
    struct target_outcome outcome = {0};
    if (operation->verb != INTENT_OBSERVE)
        outcome.memory = mig_memory(operation, arena);
    if (operation->verb == INTENT_STAGE) {
        outcome.revision = arena_str(arena, operation->staged);
        operation->next.revision = operation->staged;
    }
    mig_observation(operation, arena, &outcome.seen);
    *ret = outcome;
    return PROGRESS_DONE;
}

static void drop(struct target_operation *operation)
{
    chain_drop(&operation->chain);
    arena_done(&operation->look_arena);
    arena_done(&operation->stage_arena);
    arena_done(&operation->arena);
    memory_free(operation);
}

const struct target_kind gcp_mig_kind = {
    .name = "gcp-mig",
    .shape = &mig_shape,
    .capabilities = capabilities,
    .open = open_mig,
    .pack = mig_pack,
    .round_share = round_share,
    .start = start,
    .poll = poll_mig,
    .drop = drop,
    .permissions = mig_permissions,
    .close = close_mig,
};
