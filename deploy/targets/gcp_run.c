#include "deploy/targets/gcp_run.h"

#include "gate/base/limits.h"

enum { UNKNOWN_MOST = 3, BODY_MOST = 4 << 20, CONFLICT_MS = 300 };

#define GET_PERMISSION "run.services.get (role roles/run.developer)"
#define REVISION_PERMISSION "run.revisions.get (role roles/run.developer)"
#define UPDATE_PERMISSION                                                                          \
    "run.services.update (role roles/run.developer) and, for the account that the service runs "   \
    "as, iam.serviceAccounts.actAs (role roles/iam.serviceAccountUser)"

static unsigned capabilities(const void *config)
{
    (void)config;
    return TARGET_WEIGHTS | TARGET_INSTANT_REVERT | TARGET_STAGING;
}

static uint32_t round_share(const struct target *target, uint32_t share_ppm)
{
    (void)target;
    return run_percent_of(share_ppm) * RUN_PERCENT_PPM;
}

static void close_run(struct target *target)
{
    arena_done(&target->arena);
    memory_free(target);
}

static bool open_run(const void *config, const struct target_setup *setup, struct target **ret,
                     struct error *err)
{
    struct target *run = memory_alloc(sizeof *run);
    struct arena *arena = &run->arena;
    struct text place = text_of(LIMIT_PATH);
    run->config = config;
    run->setup = *setup;
    run->project = run->config->project;
    run->region = run->config->region;
    run->service = run->config->service;
    bool ok = google_section_open(arena, setup, &run->project, &run->client, err) &&
              target_name_open(arena, setup, "region", &run->region, err) &&
              target_name_open(arena, setup, "service", &run->service, err);
    text_adds(&place, "/v2/projects/");
    google_path_add(&place, run->project);
    text_adds(&place, "/locations/");
    google_path_add(&place, run->region);
    text_adds(&place, "/services/");
    google_path_add(&place, run->service);
    run->place = arena_str(arena, text_str(&place));
    text_done(&place);
    if (ok)
        *ret = run;
    else
        close_run(run);
    return ok;
}

// ---- one call after another --------------------------------------------------------------------

static void look(void *self, struct chain *chain, const struct chain_reply *reply);
static void decide(struct target_operation *operation);

static void ask(struct target_operation *operation, str path, chain_next next)
{
    chain_google(&operation->chain, operation->run->client,
                 &(struct google_request){.api = "run", .path = path, .repeatable = true}, next);
}

static void ask_revision(struct target_operation *operation, str revision, chain_next next)
{
    struct arena *arena = &operation->look_arena;
    str path = arena_format(arena, STR_FMT "/revisions/" STR_FMT, STR_ARG(operation->run->place),
                            STR_ARG(revision));
    ask(operation, path, next);
}

static void pause_and_look(struct target_operation *operation)
{
    chain_pause(&operation->chain, target_pause_ms(&operation->looks), look);
}

// ---- changing ----------------------------------------------------------------------------------

static void followed(void *self, struct chain *chain, const struct chain_reply *reply);

static void follow(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    (void)chain;
    (void)reply;
    ask(operation, operation->waiting, followed);
}

static void take(struct target_operation *operation, const struct node *tree)
{
    struct google_operation change = google_operation_read(tree);
    struct chain *chain = &operation->chain;
    if (change.failed)
        operation->failure = arena_str(&operation->arena, change.message);
    if (change.done || !change.name.len) {
        operation->waiting = (str){NULL, 0};
        look(operation, chain, NULL);
        return;
    }
    if (!operation->waiting.len)
        operation->waiting = arena_format(&operation->arena, "/v2/" STR_FMT, STR_ARG(change.name));
    chain_pause(chain, target_pause_ms(&operation->looks), follow);
}

// That of an operation which is gone, or cannot be read, is seen on the service.
static void followed(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    if (reply->ok) {
        take(operation, reply->tree);
        return;
    }
    operation->waiting = (str){NULL, 0};
    look(operation, chain, NULL);
}

// 409: it was changed since it was looked at, or this very change was taken in and its answer was
// lost. What is there now says which.
static void patched(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    operation->looks = 0;
    if (reply->ok) {
        const struct node *service = node_get(reply->tree, "metadata");
        operation->made = operation->made || operation->step.template == RUN_OF_NEXT;
        operation->reset = operation->reset || operation->step.template == RUN_OF_GOOD;
        operation->accepted = arena_str(&operation->arena, node_text(service, "generation"));
        take(operation, reply->tree);
        return;
    }
    bool conflict = reply->fault->status == 409;
    bool lost = reply->fault->outcome_unknown && ++operation->unknown <= UNKNOWN_MOST;
    if (conflict || lost) {
        operation->conflicts += conflict;
        operation->failure = arena_str(&operation->arena, str_of(reply->error->message));
        chain_pause(chain, CONFLICT_MS, look);
        return;
    }
    // Known good serves: that the rest could not be tidied up is no reason to say otherwise.
    if (operation->step.template == RUN_OF_GOOD && run_is_served(&operation->seen)) {
        operation->reset = true;
        look(operation, chain, NULL);
        return;
    }
    chain_fail_with(chain, reply, "changing service " STR_FMT, STR_ARG(operation->run->service));
}

static void patch(struct target_operation *operation, const struct node *base)
{
    struct chain *chain = &operation->chain;
    struct text body = text_of(BODY_MOST);
    struct error err;
    bool template = operation->step.template != RUN_NO_TEMPLATE;
    str path =
        arena_format(&operation->look_arena, STR_FMT "?updateMask=%s",
                     STR_ARG(operation->run->place), template ? "template,traffic" : "traffic");
    if (run_body(operation, base, &body, &err))
        chain_google(chain, operation->run->client,
                     &(struct google_request){.api = "run",
                                              .method = "PATCH",
                                              .path = path,
                                              .body = text_str(&body),
                                              .repeatable = true}, // it has an etag
                     patched);
    else
        chain_fail(chain, err.kind, "%s", err.message);
    text_done(&body);
}

static void base_read(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    struct run_revision base = {0};
    struct error err;
    if (!reply->ok)
        chain_fail_with(chain, reply, "reading the settings of known good");
    else if (!run_read_revision(&operation->look_arena, reply->body, operation->run, &base, &err))
        chain_fail(chain, err.kind, "%s", err.message);
    else
        patch(operation, base.tree);
}

static void change(struct target_operation *operation)
{
    bool template = operation->step.template != RUN_NO_TEMPLATE;
    bool good =
        operation->step.template == RUN_OF_GOOD || operation->run->config->base == RUN_BASE_GOOD;
    if (template && good && operation->good.revision.len)
        ask_revision(operation, operation->good.revision, base_read);
    else
        patch(operation, node_get(operation->seen.tree, "template"));
}

// ---- looking -----------------------------------------------------------------------------------

static void revision_seen(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    struct error err;
    if (!reply->ok && reply->fault->status == 404)
        operation->revision = (struct run_revision){.known = true};
    else if (!reply->ok) {
        chain_fail_with(chain, reply, "looking at the release's revision");
        return;
    } else if (!run_read_revision(&operation->look_arena, reply->body, operation->run,
                                  &operation->revision, &err)) {
        chain_fail(chain, err.kind, "%s", err.message);
        return;
    }
    decide(operation);
}

static void look_up(struct target_operation *operation)
{
    str name = run_revision_name(&operation->look_arena, operation->run->service, &operation->next,
                                 operation->name);
    ask_revision(operation, name, revision_seen);
}

static void decide(struct target_operation *operation)
{
    struct chain *chain = &operation->chain;
    struct error err = {0};
    run_decide(operation, &operation->step, &err);
    switch (operation->step.act) {
    case RUN_DONE:
        chain_end(chain);
        break;
    case RUN_WAIT:
        pause_and_look(operation);
        break;
    case RUN_STOP:
        chain_fail(chain, err.kind, "%s", err.message);
        break;
    case RUN_LOOK_UP:
        look_up(operation);
        break;
    case RUN_NEXT_NAME:
        operation->name++;
        look_up(operation);
        break;
    case RUN_PATCH:
        change(operation);
        break;
    }
}

static void observe_more(struct target_operation *operation);

static void unreadable(struct target_operation *operation, const struct error *err)
{
    str service = operation->run->service;
    if (operation->survey) {
        target_trouble_add(&operation->troubles, err->kind, "service " STR_FMT ": %s",
                           STR_ARG(service), err->message);
        chain_end(&operation->chain);
    } else {
        chain_fail(&operation->chain, err->kind, "looking at service " STR_FMT ": %s",
                   STR_ARG(service), err->message);
    }
}

static void looked(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    struct error err;
    str service = operation->run->service;
    if (!reply->ok && operation->survey) {
        if (reply->fault->status == 404)
            target_trouble_add(&operation->troubles, ERROR_ABSENT,
                               "there is no service " STR_FMT " in " STR_FMT " of project " STR_FMT
                               ": deploy it once by hand, then `sluice adopt`",
                               STR_ARG(service), STR_ARG(operation->run->region),
                               STR_ARG(operation->run->project));
        else
            target_trouble_of(&operation->troubles, reply, GET_PERMISSION);
        chain_end(chain);
    } else if (!reply->ok) {
        chain_fail_with(chain, reply, "looking at service " STR_FMT, STR_ARG(service));
    } else if (!run_read_service(&operation->look_arena, reply->body, &operation->seen, &err)) {
        unreadable(operation, &err);
    } else if (operation->verb == INTENT_OBSERVE) {
        observe_more(operation);
    } else {
        if (!str_eq(operation->last_state, operation->seen.etag)) {
            operation->looks = 0;
            operation->last_state = arena_str(&operation->arena, operation->seen.etag);
        }
        decide(operation);
    }
}

static void look(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    (void)chain;
    (void)reply;
    arena_done(&operation->look_arena);
    operation->seen = (struct run_seen){0};
    operation->revision = (struct run_revision){0};
    operation->step = (struct run_step){.act = RUN_WAIT};
    ask(operation, operation->run->place, looked);
}

// ---- observing ---------------------------------------------------------------------------------

// A change to what is there already, tried without making it, tells whether one is allowed.
static void tried(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    if (!reply->ok && reply->fault->status != 409)
        target_trouble_of(&operation->troubles, reply, UPDATE_PERMISSION);
    chain_end(chain);
}

static void try_change(struct target_operation *operation)
{
    struct text body = text_of(BODY_MOST);
    struct error err;
    const struct node *template = node_get(operation->seen.tree, "template"), *container;
    str path = arena_format(&operation->look_arena,
                            STR_FMT "?updateMask=template,traffic&validateOnly=true",
                            STR_ARG(operation->run->place));
    if (!run_container(operation->run, template, &container, &err))
        target_trouble_add(&operation->troubles, err.kind, "%s", err.message);
    operation->step = (struct run_step){.template = RUN_OF_GOOD, .traffic = operation->seen.wanted};
    (void)run_body(operation, template, &body, &err);
    chain_google(&operation->chain, operation->run->client,
                 &(struct google_request){.api = "run",
                                          .method = "PATCH",
                                          .path = path,
                                          .body = text_str(&body),
                                          .repeatable = true},
                 tried);
    text_done(&body);
}

// Which release it is says the revision itself. One that cannot be read is told by its name.
static void served_seen(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct target_operation *operation = self;
    struct error unread;
    if (reply->ok)
        (void)run_read_revision(&operation->look_arena, reply->body, operation->run,
                                &operation->revision, &unread);
    else if (operation->survey)
        target_trouble_of(&operation->troubles, reply, REVISION_PERMISSION);
    if (operation->survey)
        try_change(operation);
    else
        chain_end(chain);
}

static void observe_more(struct target_operation *operation)
{
    struct arena arena = {0};
    struct target_observation seen = {0};
    run_observation(operation, &arena, &seen);
    bool adopts = !operation->next.revision.len && !operation->good.revision.len;
    if (adopts && seen.revision.len)
        ask_revision(operation, arena_str(&operation->look_arena, seen.revision), served_seen);
    else if (operation->survey)
        try_change(operation);
    else
        chain_end(&operation->chain);
    arena_done(&arena);
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
    operation->run = target;
    operation->verb = intent->verb;
    operation->share_ppm = intent->share_ppm;
    operation->survey = intent->survey;
    operation->next = target_release_copy(&operation->arena, &intent->next);
    operation->good = target_release_copy(&operation->arena, &intent->good);
    operation->troubles.arena = &operation->arena;
    chain_begin(&operation->chain, target->setup.cloud, operation);
    look(operation, &operation->chain, NULL);
    *ret = operation;
    return true;
}

static enum progress poll_run(struct target_operation *operation, struct arena *arena,
                              struct target_outcome *ret, struct error *err)
{
    enum progress progress = chain_poll(&operation->chain, err);
    if (progress != PROGRESS_DONE)
        return progress;
    struct target_outcome outcome = {.memory = STR("{}")};
    if (operation->verb == INTENT_STAGE) {
        outcome.revision =
            run_revision_name(arena, operation->run->service, &operation->next, operation->name);
        operation->next.revision = arena_str(&operation->arena, outcome.revision);
    }
    run_observation(operation, arena, &outcome.seen);
    for (size_t i = 0; i < outcome.seen.trouble_count; i++)
        outcome.seen.troubles[i].words = arena_str(arena, outcome.seen.troubles[i].words);
    struct target_trouble *troubles =
        ARENA_ARRAY(arena, struct target_trouble, outcome.seen.trouble_count + 1);
    for (size_t i = 0; i < outcome.seen.trouble_count; i++)
        troubles[i] = outcome.seen.troubles[i];
    outcome.seen.troubles = troubles;
    if (operation->note.len)
        outcome.note = arena_copy(arena, operation->note);
    *ret = outcome;
    return PROGRESS_DONE;
}

static void drop(struct target_operation *operation)
{
    chain_drop(&operation->chain);
    arena_done(&operation->look_arena);
    arena_done(&operation->arena);
    memory_free(operation);
}

static void permissions(const struct target *run, struct arena *arena,
                        struct target_permissions *ret)
{
    static const struct permission wanted[] = {
        {.action = "run.services.get"},
        {.action = "run.services.update"},
        {.action = "run.revisions.get"},
        {.action = "run.operations.get"},
    };
    (void)arena;
    *ret = (struct target_permissions){.google = run->client,
                                       .project = run->project,
                                       .wanted = wanted,
                                       .count = sizeof wanted / sizeof wanted[0]};
}

const struct target_kind gcp_run_kind = {
    .name = "gcp-run",
    .shape = &run_shape,
    .capabilities = capabilities,
    .open = open_run,
    .pack = run_pack,
    .round_share = round_share,
    .start = start,
    .poll = poll_run,
    .drop = drop,
    .permissions = permissions,
    .close = close_run,
};
