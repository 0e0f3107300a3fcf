#include "actions/cli/release_risk.h"

#include "deploy/record/releases.h"

#include <string.h>

enum { COMMITS_MOST = 500 }; // that are looked at for decisions

static bool is_good(const struct placement *good, size_t count, const char *commit)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(good[i].commit, commit))
            return true;
    return false;
}

// Adds what was decided on one commit; a commit that the gate was never asked about adds nothing.
static bool add_decision(struct deployment *d, const char *commit, struct release_demands *sum,
                         bool *first)
{
    struct error *err = &d->call->error;
    struct gate_record record;
    struct release_demands demands;
    if (!gate_decided(d->ledger, d->arena, str_of(commit), &record, err)) {
        if (err->kind != ERROR_ABSENT)
            return false;
        *err = (struct error){0};
        return true;
    }
    if (!release_demands_read(d->arena, record.body, &demands, err))
        return false;
    bool alone = *first;
    *first = false;
    if (alone)
        *sum = demands;
    return alone || release_demands_unite(d->arena, sum, &demands, sum, err);
}

bool release_risk(struct deployment *d, const struct placement *good, size_t count,
                  const char *commit, struct release_demands *ret)
{
    struct release_demands sum = {.risk = RELEASE_NOT_SCORED, .slower = 1};
    char at[COMMIT_HEX], parent[COMMIT_HEX];
    bool first = true, more = true, known = false;
    for (size_t i = 0; i < count; i++)
        known |= good[i].commit.len > 0;
    memcpy(at, commit, sizeof at);
    for (size_t i = 0; more && i < COMMITS_MOST && !is_good(good, count, at); i++) {
        if (!add_decision(d, at, &sum, &first))
            return false;
        if (!known)
            break; // nobody recorded where the known good release stands
        if (!repository_first_parent(d->repository, at, parent, &more, &d->call->error))
            return false;
        memcpy(at, parent, sizeof at);
    }
    *ret = sum;
    return true;
}
