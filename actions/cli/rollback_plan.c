#include "actions/cli/rollback_plan.h"

#include "actions/cli/say.h"
#include "deploy/run/resolve.h"

enum { POSSIBLE = 10 };

struct way { // of one target
    struct placement from, to;
};

static bool wanted(const struct rollback_request *request, str name)
{
    for (size_t i = 0; i < request->target_count; i++)
        if (str_is(name, request->targets[i]))
            return true;
    return request->target_count == 0;
}

static bool unknown_target(const struct stage_settings *stage, const char *name, struct error *err)
{
    struct text names = text_of(512);
    for (size_t i = 0; i < stage->targets.count; i++)
        text_addf(&names, "%s`" STR_FMT "`", i ? ", " : "",
                  STR_ARG(((const str *)stage->targets.items)[i]));
    (void)error_set(err, ERROR_INPUT, "`%s` is not a target of stage " STR_FMT "; there are %s",
                    name, STR_ARG(stage->stage), text_c(&names));
    text_done(&names);
    return false;
}

static bool check_names(const struct rollback_request *request, struct error *err)
{
    const struct stage_settings *stage = request->stage;
    for (size_t i = 0; i < request->target_count; i++) {
        bool known = false;
        for (size_t k = 0; k < stage->targets.count; k++)
            known |= str_is(((const str *)stage->targets.items)[k], request->targets[i]);
        if (!known)
            return unknown_target(stage, request->targets[i], err);
    }
    return true;
}

// ---- one target --------------------------------------------------------------------------------

static const struct plan_target *under_way(const struct rollout_record *open, str target,
                                           uint32_t *ret_index)
{
    if (!open || open->plan->mode != PLAN_FORWARD)
        return NULL;
    for (uint32_t i = 0; i < open->plan->target_count; i++)
        if (str_eq(open->plan->targets[i].name, target)) {
            *ret_index = i;
            return &open->plan->targets[i];
        }
    return NULL;
}

// What may be named instead; said where it matters.
static bool refuse_release(struct deployment *d, const struct rollback_request *request, str target,
                           struct error *err)
{
    str *names = NULL;
    size_t count = 0;
    struct error ignored, why = *err;
    struct text list = text_of(1024);
    if (release_goods(d->ledger, d->arena, stage_environment(request->stage), target, POSSIBLE,
                      &names, &count, &ignored))
        for (size_t i = 0; i < count; i++)
            text_addf(&list, "%s" STR_FMT, i ? ", " : "", STR_ARG(names[i]));
    if (why.kind == ERROR_DENIED)
        (void)error_set(err, ERROR_DENIED,
                        "release %s is marked bad, and nothing goes back to it; on target " STR_FMT
                        " possible are: %s",
                        request->to, STR_ARG(target), count ? text_c(&list) : "none");
    else
        (void)error_set(err, ERROR_INPUT,
                        "release %s was never known good on target " STR_FMT " in " STR_FMT
                        "; possible are: %s",
                        request->to, STR_ARG(target), STR_ARG(stage_environment(request->stage)),
                        count ? text_c(&list) : "none");
    text_done(&list);
    return false;
}

// From what the ledger says is live, or from a rollout that is under way. *ret_found false: there
// is nothing to return to.
static bool find_way(struct deployment *d, const struct rollback_request *request, str target,
                     struct way *ret, bool *ret_found)
{
    struct error *err = &d->call->error;
    str environment = stage_environment(request->stage);
    uint32_t index = 0;
    struct way way = {0};
    bool live = false;
    const struct plan_target *moving = under_way(request->open, target, &index);
    if (moving)
        way.from = request->open->placements ? request->open->placements[index] : moving->next;
    else if (!request->open_unreadable &&
             !facts_known_good(d, environment, target, (str){NULL, 0}, &way.from, &live))
        return false;
    if (request->to) {
        *ret_found = release_good_named(d->ledger, d->arena, environment, target,
                                        str_of(request->to), &way.to, err);
        if (!*ret_found && err->kind != ERROR_ABSENT && err->kind != ERROR_DENIED)
            return false;
        if (!*ret_found)
            return refuse_release(d, request, target, err);
    } else if (!facts_known_good(d, environment, target, way.from.release, &way.to, ret_found)) {
        return false;
    }
    // A first deployment under way is taken out again: there is nothing to put in its place.
    *ret_found = *ret_found || (moving && moving->good.release.len == 0);
    *ret = way;
    return true;
}

// ---- all of them -------------------------------------------------------------------------------

static bool nothing_to_return_to(const struct rollback_request *request, bool any_live,
                                 struct error *err)
{
    return error_set(err, ERROR_INPUT,
                     any_live
                         ? "the ledger knows no good release of stage " STR_FMT
                           " before the one that is live: bring an earlier commit out under a new "
                           "name with `sluice rollout`, or put the targets back by hand and record "
                           "that with `sluice adopt`"
                         : "the ledger knows no release of stage " STR_FMT
                           ": put the targets back by hand, and record what runs then with "
                           "`sluice adopt`",
                     STR_ARG(request->stage->stage));
}

str rollback_name(struct deployment *d, str release, str environment, const char *what)
{
    str first = release.len ? release : STR("nothing");
    return facts_new_rollout(d, first,
                             arena_format(d->arena, STR_FMT "-%s", STR_ARG(environment), what));
}

bool rollback_plan(struct deployment *d, const struct rollback_request *request,
                   const struct stage_settings **ret_stage, struct plan **ret)
{
    const struct stage_settings *stage = request->stage;
    size_t count = stage->targets.count, kept = 0;
    struct stage_settings *narrow = ARENA_NEW(d->arena, struct stage_settings);
    str *names = ARENA_ARRAY(d->arena, str, count);
    struct placement *next = ARENA_ARRAY(d->arena, struct placement, count);
    struct placement *good = ARENA_ARRAY(d->arena, struct placement, count);
    bool any_live = false;
    if (!check_names(request, &d->call->error))
        return false;
    for (size_t i = 0; i < count; i++) {
        str name = ((const str *)stage->targets.items)[i];
        struct way way = {0};
        bool found = false;
        if (!wanted(request, name))
            continue;
        if (!find_way(d, request, name, &way, &found))
            return false;
        any_live |= way.from.release.len > 0;
        if (!found) {
            say_line("sluice: target " STR_FMT " has no known-good release to return to, and stays "
                     "as it is",
                     STR_ARG(name));
            continue;
        }
        names[kept] = name;
        next[kept] = way.from;
        good[kept++] = way.to;
    }
    if (kept == 0)
        return nothing_to_return_to(request, any_live, &d->call->error);
    *narrow = *stage;
    narrow->targets = (struct shape_list){names, kept};
    struct resolve_request resolve = {
        .settings = &d->settings,
        .stage = narrow,
        .mode = PLAN_ROLLBACK,
        .rollout = rollback_name(d, good[0].release, stage_environment(stage), "rollback"),
        .release = good[0].release,
        .commit = good[0].commit,
        .reason = request->reason,
        .next = next,
        .good = good,
    };
    *ret_stage = narrow;
    return plan_resolve(d->arena, &resolve, ret, &d->call->error);
}
