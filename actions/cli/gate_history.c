#include "actions/cli/gate_history.h"

#include "actions/cli/config.h"
#include "actions/cli/deployment.h"
#include "actions/cli/say.h"
#include "deploy/record/history.h"
#include "deploy/run/settings.h"

struct reading {
    struct invocation *call;
    const struct gate_history_request *request;
    struct ledger_section section;
    struct world *world;
    struct secret token;
    struct ledger *ledger;
    const char *offline; // why the remote was not heard; null = it was, or there is none
};

static bool has_branch(const struct reading *r)
{
    char commit[COMMIT_HEX];
    struct error ignored = {0};
    const char *ref =
        arena_format(r->call->arena, "refs/heads/" STR_FMT, STR_ARG(r->section.branch)).data;
    return repository_resolve(r->request->repository, ref, commit, &ignored);
}

static bool open_ledger(struct reading *r, struct error *err)
{
    struct arena *arena = r->call->arena;
    struct world_options world = {.user_agent = "sluice"};
    bool remote = r->section.remote.len > 0;
    if (!world_open(&world, &r->world, err))
        return false;
    ledger_token(&r->token);
    struct ledger_options options = {
        .folder = r->request->root,
        .branch = arena_copy(arena, r->section.branch),
        .remote = remote ? arena_copy(arena, r->section.remote) : NULL,
        .clock = world_clock(r->world),
        .entropy = world_entropy(r->world),
        .world = r->world,
        .login = {.token = secret_is_set(&r->token) ? &r->token : NULL},
    };
    if (!ledger_open(&options, &r->ledger, err))
        return false;
    if (ledger_sync(r->ledger, GATE_HISTORY_WAIT_MS, err))
        return true;
    if (!remote)
        return false;
    r->offline = arena_copy(arena, str_of(err->message));
    *err = (struct error){0};
    if (!r->call->quiet)
        say_line("sluice: the ledger's remote does not answer (%s): judging by the local copy",
                 r->offline);
    return ledger_refresh(r->ledger, err);
}

static bool load(struct reading *r, struct history *history, struct error *err)
{
    struct arena *arena = r->call->arena;
    struct incident_settings incidents;
    struct problems problems = {.arena = arena};
    struct history_request request = {.commit = r->request->commit,
                                      .repository = r->request->repository};
    if (!shape_bind(arena, &incidents_shape, node_get(r->request->tree, "incidents"), &incidents,
                    &problems))
        return problems_none(&problems, err);
    for (int i = 0; i < HISTORY_SEVERITIES; i++)
        request.review_within_ms[i] = incidents.severity[i].review_within_ms;
    request.reviews = incidents.reviews;
    if (!open_ledger(r, err) || !history_load(r->ledger, arena, &request, history, err))
        return false;
    if (r->offline && ledger_count(r->ledger) == 0) {
        history->baseline_unknown =
            arena_format(arena, "the ledger's remote does not answer (%s)", r->offline).data;
        history->reviews_unknown = history->baseline_unknown;
    }
    return true;
}

const struct history *gate_history(struct invocation *call,
                                   const struct gate_history_request *request)
{
    static const struct node nothing = {.kind = NODE_MAP};
    struct reading r = {.call = call, .request = request};
    struct problems problems = {.arena = call->arena};
    struct error err = {0};
    const struct node *node = node_get(request->tree, "ledger");
    if (!request->repository || !request->commit ||
        !shape_bind(call->arena, &ledger_shape, node ? node : &nothing, &r.section, &problems) ||
        (r.section.remote.len == 0 && !has_branch(&r)))
        return NULL;
    struct history *history = ARENA_NEW(call->arena, struct history);
    if (!load(&r, history, &err)) {
        *history = (struct history){
            .baseline_unknown =
                arena_format(call->arena, "the ledger cannot be read: %s", err.message).data,
        };
        history->reviews_unknown = history->baseline_unknown;
        if (!call->quiet)
            say_line("sluice: %s", history->baseline_unknown);
    }
    if (r.ledger)
        ledger_close(r.ledger);
    if (r.world)
        world_close(r.world);
    secret_done(&r.token);
    return history;
}
