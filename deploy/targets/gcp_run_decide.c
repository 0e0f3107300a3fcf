// What is still missing for a verb. A pure function of what was seen and of what this operation
// asked for: nothing is sent from here.
#include "deploy/targets/gcp_run.h"

enum { CONFLICTS_MOST = 20 };

static void stop(struct run_step *ret, struct error *err, enum error_kind kind, const char *doing,
                 str why)
{
    ret->act = RUN_STOP;
    (void)error_set(err, kind, "%s: " STR_FMT, doing, STR_ARG(why));
}

// The change of ours was taken in, and the service was changed again since.
static bool is_overtaken(const struct target_operation *operation)
{
    return operation->accepted.len && !str_eq(operation->accepted, operation->seen.generation);
}

static void want(struct target_operation *operation, enum run_template template,
                 struct run_step *ret, struct error *err)
{
    const struct run_traffic *traffic = &ret->traffic;
    uint32_t sum = 0;
    for (size_t i = 0; i < traffic->count; i++)
        sum += traffic->items[i].percent;
    if (sum != 100) { // such a list would be refused
        stop(ret, err, ERROR_REMOTE, "what serves now cannot be left as it is",
             STR("its shares do not add up; deploy it once by hand, then `sluice adopt`"));
        return;
    }
    if (operation->conflicts > CONFLICTS_MOST) {
        ret->act = RUN_STOP;
        (void)error_set(err, ERROR_TRANSIENT,
                        "service " STR_FMT " is changed by others all the time: " STR_FMT,
                        STR_ARG(operation->run->service), STR_ARG(operation->failure));
        return;
    }
    ret->act = RUN_PATCH;
    ret->template = template;
}

// ---- stage -------------------------------------------------------------------------------------

static bool pins_all(const struct run_traffic *wanted)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (wanted->items[i].latest && wanted->items[i].percent)
            return false;
    return true;
}

// A revision that did not start stays there under its name. One that another process left, or an
// earlier rollout, says nothing about this try: that gets the next name.
static bool is_used_up(const struct target_operation *operation)
{
    const struct run_revision *revision = &operation->revision;
    bool other = revision->image.len && !str_ends(revision->image, operation->next.digest);
    return revision->exists && (revision->state == RUN_FAILED || other) && !operation->made &&
           operation->name + 1 < RUN_NAMES;
}

// Which settings it had, and where its traffic would go back to, is what known good is for.
static bool is_unrecorded(struct target_operation *operation, struct run_step *ret,
                          struct error *err)
{
    if (operation->good.revision.len)
        return false;
    ret->act = RUN_STOP;
    (void)error_set(err, ERROR_DENIED,
                    "service " STR_FMT " has no known good revision to go back to: deploy it once "
                    "by hand if it does not serve yet, then `sluice adopt`",
                    STR_ARG(operation->run->service));
    return true;
}

static void decide_stage(struct target_operation *operation, struct run_step *ret,
                         struct error *err)
{
    const struct run_seen *seen = &operation->seen;
    const struct run_revision *revision = &operation->revision;
    if (is_unrecorded(operation, ret, err))
        return;
    if (!revision->known) {
        ret->act = RUN_LOOK_UP;
    } else if (is_used_up(operation)) {
        ret->act = RUN_NEXT_NAME;
    } else if (revision->exists && revision->state == RUN_FAILED) {
        stop(ret, err, ERROR_REMOTE, "the release does not start", revision->message);
    } else if (operation->made && !seen->reconciling && seen->state == RUN_FAILED) {
        stop(ret, err, ERROR_REMOTE, "the release cannot be brought there", seen->message);
    } else if (operation->made && !revision->exists && operation->failure.len &&
               !seen->reconciling) {
        stop(ret, err, ERROR_REMOTE, "the release cannot be brought there", operation->failure);
    } else if (seen->reconciling) {
        ret->act = RUN_WAIT;
    } else {
        ret->traffic = run_traffic_for(operation, &operation->look_arena);
        bool there = revision->exists && pins_all(&seen->wanted) &&
                     run_traffic_equal(&ret->traffic, &seen->wanted);
        if (there && revision->state == RUN_SUCCEEDED && run_is_served(seen))
            ret->act = RUN_DONE;
        else if (there && seen->state == RUN_FAILED)
            stop(ret, err, ERROR_REMOTE, "the release cannot be brought there", seen->message);
        else if (there)
            ret->act = RUN_WAIT;
        else
            want(operation, revision->exists ? RUN_NO_TEMPLATE : RUN_OF_NEXT, ret, err);
    }
}

// ---- shift, promote ----------------------------------------------------------------------------

static void decide_forward(struct target_operation *operation, struct run_step *ret,
                           struct error *err)
{
    const struct run_seen *seen = &operation->seen;
    ret->traffic = run_traffic_for(operation, &operation->look_arena);
    if (!run_traffic_equal(&ret->traffic, &seen->wanted)) {
        if (is_overtaken(operation))
            stop(ret, err, ERROR_REMOTE, "the traffic was changed by somebody else meanwhile",
                 STR("what is wanted of the service is not what this rollout asked for"));
        else
            want(operation, RUN_NO_TEMPLATE, ret, err);
    } else if (run_is_served(seen)) {
        ret->act = RUN_DONE;
    } else if (!seen->reconciling && seen->state == RUN_FAILED) {
        stop(ret, err, ERROR_REMOTE, "Cloud Run went back to what it served before", seen->message);
    } else {
        ret->act = RUN_WAIT;
    }
}

// ---- revert ------------------------------------------------------------------------------------

// Nothing of the release is in what is wanted of the service.
static bool is_untouched(const struct target_operation *operation)
{
    const struct run_traffic *wanted = &operation->seen.wanted;
    for (size_t i = 0; i < wanted->count; i++)
        if (str_eq(wanted->items[i].tag, operation->run->config->tag) ||
            str_eq(wanted->items[i].revision, operation->next.revision))
            return false;
    return true;
}

// The traffic first, whatever else is going on. What the last created revision did to the service
// as a whole is put right afterwards, with a template that is known good's: that makes one more
// revision, which gets no traffic.
static void decide_revert(struct target_operation *operation, struct run_step *ret,
                          struct error *err)
{
    const struct run_seen *seen = &operation->seen;
    ret->traffic = run_traffic_for(operation, &operation->look_arena);
    bool failed = !seen->reconciling && seen->state == RUN_FAILED;
    bool ours = run_is_revision_of(seen->latest_created, operation->run->service, &operation->next);
    bool asked = run_traffic_equal(&ret->traffic, &seen->wanted);
    bool nowhere = !operation->good.revision.len;
    if ((asked && run_is_settled(seen)) || (nowhere && is_untouched(operation))) {
        ret->act = RUN_DONE;
    } else if (nowhere && run_percent_on(&seen->served, operation->next.revision) > 0) {
        stop(ret, err, ERROR_REMOTE, "nothing is known to go back to",
             STR("no revision is recorded as known good; shift the traffic by hand, then `sluice "
                 "adopt`"));
    } else if (!asked) {
        want(operation, RUN_NO_TEMPLATE, ret, err);
    } else if (!failed) {
        ret->act = RUN_WAIT;
    } else if (!operation->reset && !nowhere && (ours || !run_is_served(seen))) {
        want(operation, RUN_OF_GOOD, ret, err);
    } else if (run_is_served(seen)) {
        operation->note = arena_format(&operation->arena,
                                       "known good serves, but a newer revision has failed the "
                                       "service: " STR_FMT,
                                       STR_ARG(seen->message));
        ret->act = RUN_DONE;
    } else {
        stop(ret, err, ERROR_TRANSIENT, "Cloud Run does not go back to known good", seen->message);
    }
}

void run_decide(struct target_operation *operation, struct run_step *ret, struct error *err)
{
    struct run_step step = {.act = RUN_DONE};
    switch (operation->verb) {
    case INTENT_STAGE:
        decide_stage(operation, &step, err);
        break;
    case INTENT_SHIFT:
    case INTENT_PROMOTE:
        decide_forward(operation, &step, err);
        break;
    case INTENT_REVERT:
        decide_revert(operation, &step, err);
        break;
    case INTENT_OBSERVE:
        break;
    }
    *ret = step;
}
