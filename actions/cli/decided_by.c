#include "actions/cli/decided_by.h"

#include "gate/git/facts.h"

static bool default_branch(struct deployment *d, str *ret, struct error *err)
{
    *ret = str_of(d->call->runner.default_branch);
    if (!ret->len && !repository_default_branch(d->arena, d->repository, ret, err))
        return false;
    return ret->len || error_set(err, ERROR_INPUT,
                                 "which branch is the default one is not known, and "
                                 "`github.decided_by` accepts no other's decisions");
}

// "acme/learn/.github/workflows/release.yml@refs/heads/main"
bool decided_by_check(struct deployment *d, const struct gate_record *record, struct error *err)
{
    struct github_settings settings;
    struct problems problems = {.arena = d->arena};
    str branch, by = record->actor.subject;
    if (!github_settings_bind(d->arena, d->config, &settings, &problems))
        return problems_none(&problems, err);
    if (!settings.decided_by.len)
        return true;
    if (!default_branch(d, &branch, err))
        return false;
    str wanted = arena_format(d->arena, "/.github/workflows/" STR_FMT "@refs/heads/" STR_FMT,
                              STR_ARG(settings.decided_by), STR_ARG(branch));
    if (str_ends(by, wanted))
        return true;
    return error_set(err, ERROR_DENIED,
                     "the decision on commit %.12s was recorded by %s" STR_FMT ", and only those "
                     "of " STR_FMT " on `" STR_FMT "` count (`github.decided_by`)",
                     record->commit.data, by.len ? "" : "nobody's workflow",
                     STR_ARG(str_shorten(by, 200)), STR_ARG(settings.decided_by), STR_ARG(branch));
}
