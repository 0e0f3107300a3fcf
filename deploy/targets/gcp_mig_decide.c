// What is still missing for a verb. A pure function of what was seen and of what this operation
// asked for: nothing is sent from here.
#include "deploy/targets/gcp_mig.h"

enum {
    CONFLICTS_MOST = 20,
    LOOKS_BETWEEN = 3, // that an update is given time to begin
    URLS_MOST = 500,   // in one request; the others' turn comes when these are done
};

uint32_t mig_count_of(uint32_t share_ppm, uint32_t size)
{
    uint64_t wanted = ((uint64_t)share_ppm * size + MIG_WHOLE_PPM - 1) / MIG_WHOLE_PPM;
    return wanted < size ? (uint32_t)wanted : size;
}

uint32_t mig_ppm_of(uint32_t count, uint32_t size)
{
    uint64_t ppm = size ? (uint64_t)count * MIG_WHOLE_PPM / size : 0;
    return ppm < MIG_WHOLE_PPM ? (uint32_t)ppm : MIG_WHOLE_PPM;
}

static bool has_version(const struct mig_seen *seen, str template)
{
    for (size_t i = 0; i < seen->version_count; i++)
        if (template.len && str_eq(seen->versions[i].template, template))
            return true;
    return false;
}

// The versions are those that the step would ask for.
static bool is_wanted(const struct target_operation *operation, const struct mig_step *step)
{
    const struct mig_seen *seen = &operation->seen;
    if (step->only.len)
        return seen->version_count == 1 && has_version(seen, step->only);
    bool good = false, next = false;
    for (size_t i = 0; i < seen->version_count; i++) {
        const struct mig_version *version = &seen->versions[i];
        good = good || (!version->sized && str_eq(version->template, operation->good.revision));
        next = next || (version->sized && !version->percent && version->fixed == step->count &&
                        str_eq(version->template, operation->next.revision));
    }
    return seen->version_count == 2 && good && next;
}

// How many instances of its template are too many, or all where it is no version.
static uint32_t surplus_of(const struct mig_seen *seen, str template)
{
    uint32_t have = mig_count_on(seen, template), wanted = 0;
    for (size_t i = 0; i < seen->version_count; i++)
        if (str_eq(seen->versions[i].template, template))
            wanted = seen->versions[i].count;
    return have > wanted ? have - wanted : 0;
}

static bool is_idle(const struct mig_seen *seen)
{
    for (size_t i = 0; i < seen->instance_count; i++)
        if (seen->instances[i].counts && !seen->instances[i].idle)
            return false;
    return true;
}

static bool is_first_of_it(const struct mig_seen *seen, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (str_eq(seen->instances[i].template, seen->instances[at].template))
            return false;
    return true;
}

// The youngest first. Which instances are out of date, of several that are alike, the group decides
// itself, so others are named where these did not move it. More than it needs it never updates: the
// versions say how many.
static void choose(const struct mig_seen *seen, struct arena *arena, unsigned applied,
                   struct mig_step *ret)
{
    size_t count = seen->instance_count;
    str *urls = ARENA_ARRAY(arena, str, URLS_MOST);
    for (size_t i = 0; i < count; i++) {
        str template = seen->instances[i].template;
        uint32_t surplus = is_first_of_it(seen, i) ? surplus_of(seen, template) : 0;
        uint32_t left = surplus;
        for (size_t k = 0; left && k < count; k++) {
            const struct mig_instance *one =
                &seen->instances[count - 1 - (k + (size_t)applied * surplus) % count];
            if (!one->counts || !str_eq(one->template, template))
                continue;
            if (ret->url_count < URLS_MOST)
                urls[ret->url_count++] = one->url;
            left--;
        }
    }
    ret->urls = urls;
}

// A MIG never gives up by itself: it makes and mends instances until they are as asked for, or
// something else is. So whatever is asked for otherwise was asked by somebody.
static void want(struct target_operation *operation, struct mig_step *ret, struct error *err)
{
    bool forward = operation->verb != INTENT_REVERT;
    str group = operation->mig->group;
    if (operation->patched && operation->patched_count == ret->count && forward) {
        ret->act = MIG_STOP;
        (void)error_set(err, ERROR_REMOTE,
                        "the versions of group " STR_FMT " were changed by somebody else: they are "
                        "not those that this rollout asked for",
                        STR_ARG(group));
    } else if (operation->conflicts > CONFLICTS_MOST) {
        ret->act = MIG_STOP;
        (void)error_set(err, ERROR_TRANSIENT,
                        "group " STR_FMT " is changed by others all the time: " STR_FMT,
                        STR_ARG(group), STR_ARG(operation->failure));
    } else {
        ret->act = MIG_PATCH;
    }
}

static void bring(struct target_operation *operation, struct mig_step *ret, struct error *err)
{
    const struct mig_seen *seen = &operation->seen;
    if (!is_wanted(operation, ret)) {
        want(operation, ret, err);
    } else if (mig_is_settled(seen)) {
        ret->act = MIG_DONE;
    } else if (seen->opportunistic && is_idle(seen)) {
        bool soon = operation->applied && operation->looks < LOOKS_BETWEEN;
        choose(seen, &operation->look_arena, operation->applied, ret);
        ret->act = ret->url_count && !soon ? MIG_APPLY : MIG_WAIT;
    } else {
        ret->act = MIG_WAIT;
    }
}

static void decide_shift(struct target_operation *operation, struct mig_step *ret,
                         struct error *err)
{
    const struct mig_seen *seen = &operation->seen;
    str next = operation->next.revision, good = operation->good.revision;
    bool whole = operation->verb == INTENT_PROMOTE;
    ret->count = whole ? seen->size : mig_count_of(operation->share_ppm, seen->size);
    if (seen->size == 0 && !whole) {
        ret->act = MIG_STOP;
        (void)error_set(err, ERROR_REMOTE,
                        "group " STR_FMT " has no instances, so that none can be of the release: "
                        "give it a size, or its autoscaler a minimum",
                        STR_ARG(operation->mig->group));
        return;
    }
    if (whole || ret->count == seen->size || str_eq(next, good) || !good.len)
        ret->only = next;
    else if (ret->count == 0)
        ret->only = good;
    bring(operation, ret, err);
}

static void decide_revert(struct target_operation *operation, struct mig_step *ret,
                          struct error *err)
{
    const struct mig_seen *seen = &operation->seen;
    str next = operation->next.revision, good = operation->good.revision;
    if (good.len) {
        ret->only = good;
        bring(operation, ret, err);
    } else if (has_version(seen, next) || mig_count_on(seen, next)) {
        ret->act = MIG_STOP;
        (void)error_set(err, ERROR_REMOTE,
                        "nothing is known to go back to: no template is recorded as known good of "
                        "group " STR_FMT "; give it one by hand, then `sluice adopt`",
                        STR_ARG(operation->mig->group));
    }
}

void mig_decide(struct target_operation *operation, struct mig_step *ret, struct error *err)
{
    struct mig_step step = {.act = MIG_DONE};
    if (operation->verb == INTENT_SHIFT || operation->verb == INTENT_PROMOTE)
        decide_shift(operation, &step, err);
    else if (operation->verb == INTENT_REVERT)
        decide_revert(operation, &step, err);
    *ret = step;
}
