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

// From `commit` back, by first parents; `ret` has room for COMMITS_MOST.
static bool list_commits(struct deployment *d, const struct placement *good, size_t count,
                         const char *commit, str *ret, size_t *ret_count)
{
    char at[COMMIT_HEX], parent[COMMIT_HEX];
    bool more = true, known = false;
    for (size_t i = 0; i < count; i++)
        known |= good[i].commit.len > 0;
    memcpy(at, commit, sizeof at);
    *ret_count = 0;
    while (more && *ret_count < COMMITS_MOST && !is_good(good, count, at)) {
        ret[(*ret_count)++] = arena_str(d->arena, str_of(at));
        if (!known)
            break; // nobody recorded where the known good release stands
        if (!repository_first_parent(d->repository, at, parent, &more, &d->call->error))
            return false;
        memcpy(at, parent, sizeof at);
    }
    return true;
}

bool release_decisions(struct deployment *d, const struct placement *good, size_t count,
                       const char *commit, const struct decision_visitor *visitor)
{
    struct error *err = &d->call->error;
    str *commits = ARENA_ARRAY(d->arena, str, COMMITS_MOST);
    struct gate_record *records = ARENA_ARRAY(d->arena, struct gate_record, COMMITS_MOST);
    size_t commit_count = 0;
    bool ok = list_commits(d, good, count, commit, commits, &commit_count) &&
              gates_decided(d->ledger, d->arena, commits, commit_count, records, err);
    for (size_t i = 0; ok && i < commit_count; i++)
        ok = !records[i].body || visitor->visit(visitor->self, &records[i], err);
    return ok;
}

struct adding {
    struct arena *arena;
    struct release_demands sum;
    bool any;
};

static bool add_decision(void *self, const struct gate_record *record, struct error *err)
{
    struct adding *adding = self;
    struct release_demands demands;
    if (!release_demands_read(adding->arena, record->body, &demands, err))
        return false;
    if (adding->any)
        return release_demands_unite(adding->arena, &adding->sum, &demands, &adding->sum, err);
    adding->sum = demands;
    return adding->any = true;
}

bool release_risk(struct deployment *d, const struct placement *good, size_t count,
                  const char *commit, struct release_demands *ret)
{
    struct adding adding = {.arena = d->arena, .sum = {.risk = RELEASE_NOT_SCORED, .slower = 1}};
    const struct decision_visitor visitor = {&adding, add_decision};
    if (!release_decisions(d, good, count, commit, &visitor))
        return false;
    *ret = adding.sum;
    return true;
}
