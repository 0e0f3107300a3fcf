// What a repository says of itself and of a commit: branch, remote, people, times. For the record
// and for rules about who wrote and who committed.
//
//     struct commit_facts facts;
//     if (!repository_commit_facts(&arena, repository, head, &facts, err)) ...
//     if (str_eq(facts.author.email, approver)) ...
#ifndef GATE_GIT_FACTS_H
#define GATE_GIT_FACTS_H

#include "gate/base/arena.h"
#include "gate/base/error.h"

#include <stdint.h>

struct repository;

struct commit_person {
    str name, email;
    int64_t at_ms; // as the commit says: nobody checks it
};

struct commit_facts {
    struct commit_person author, committer;
    str summary; // the first line of the message
    size_t parents;
};

// `commit` is 40 digits. Strings live in the arena. ERROR_ABSENT when the commit is not in this
// clone.
bool repository_commit_facts(struct arena *arena, struct repository *repository, const char *commit,
                             struct commit_facts *ret, struct error *err);

// The short name of the branch that HEAD is on, also before its first commit; empty when detached.
bool repository_branch(struct arena *arena, struct repository *repository, str *ret,
                       struct error *err);

// The branch that a clone takes for the main one: what `refs/remotes/origin/HEAD` names, else
// `main` or `master`, whichever is there. Empty when none of them is.
bool repository_default_branch(struct arena *arena, struct repository *repository, str *ret,
                               struct error *err);

// Where a remote is, without the user name and password that a URL may carry; empty when there is
// no remote of that name.
bool repository_remote_url(struct arena *arena, struct repository *repository, const char *remote,
                           str *ret, struct error *err);

#endif
