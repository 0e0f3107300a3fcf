#include "actions/cli/decided_by.h"

#include "gate/git/facts.h"

static bool find_default_branch(struct deployment *d, str *ret, struct error *err)
{
    *ret = str_of(d->call->runner.default_branch);
    return ret->len || repository_default_branch(d->arena, d->repository, ret, err);
}

static bool refuse(const struct gate_record *record, str by, const char *only, struct error *err)
{
    return error_set(err, ERROR_DENIED,
                     "the decision on commit %.12s was recorded by %s" STR_FMT
                     ", and only %s count: see `github.decided_by`",
                     record->commit.data, by.len ? "" : "nobody's workflow",
                     STR_ARG(str_shorten(by, 200)), only);
}

// "acme/learn/.github/workflows/release.yml@refs/heads/main"
bool decided_by_check(struct deployment *d, const struct gate_record *record, struct error *err)
{
    struct github_settings settings;
    struct problems problems = {.arena = d->arena};
    str branch, by = record->actor.subject;
    if (!github_settings_bind(d->arena, d->config, &settings, &problems))
        return problems_none(&problems, err);
    bool named = settings.decided_by.len > 0;
    if (!named && !by.len)
        return true; // by a person, with the rights of the ledger
    if (!find_default_branch(d, &branch, err))
        return false;
    if (!branch.len && named)
        return error_set(err, ERROR_INPUT,
                         "which branch is the default one is not known, and `github.decided_by` "
                         "accepts no other's decisions");
    str ref = arena_format(d->arena, "@refs/heads/" STR_FMT, STR_ARG(branch));
    if (!named)
        return !branch.len || str_ends(by, ref) ||
               refuse(record, by,
                      arena_format(d->arena, "those of workflows on `" STR_FMT "`", STR_ARG(branch))
                          .data,
                      err);
    str wanted = arena_format(d->arena, "/.github/workflows/" STR_FMT STR_FMT,
                              STR_ARG(settings.decided_by), STR_ARG(ref));
    return str_ends(by, wanted) ||
           refuse(record, by,
                  arena_format(d->arena, "those of " STR_FMT " on `" STR_FMT "`",
                               STR_ARG(settings.decided_by), STR_ARG(branch))
                      .data,
                  err);
}
