// What the commands ask of the ledger, in their own words, on top of deploy/record.
#ifndef ACTIONS_CLI_LEDGER_FACTS_H
#define ACTIONS_CLI_LEDGER_FACTS_H

#include "actions/cli/deployment.h"
#include "deploy/record/releases.h"
#include "deploy/record/rollouts.h"

// The unfinished rollout of this release in this environment; of any release when it is empty.
bool facts_find_open(struct deployment *d, str release, str environment, struct rollout_record *ret,
                     bool *ret_found);
// The unfinished rollout of that name, or of the release of that name. ERROR_ABSENT: "no rollout
// NAME " and `otherwise`.
bool facts_find_named(struct deployment *d, const char *name, const char *otherwise,
                      struct rollout_record *ret);
// Every unfinished rollout.
bool facts_all_open(struct deployment *d, struct rollout_record **ret, size_t *ret_count);

// Like release_known_good, but having none is no error.
bool facts_known_good(struct deployment *d, str environment, str target, str except,
                      struct placement *ret, bool *ret_found);

// Is this release of this commit what every target of the stage serves by the ledger?
bool facts_is_done(struct deployment *d, const struct stage_settings *stage, str release,
                   str commit, bool *ret);

struct way_back {
    int64_t newest_ms, shortest_ms, median_ms; // how long it took; 0 = it was never measured
    size_t count;                              // of how many
    int64_t newest_at_ms;                      // when the newest was over; 0 = never
};

// How long the newest ways back in this environment took, from the decision to when every target
// was seen on known good: breaches, rollbacks by hand and rehearsals, at most ten. What was stuck
// before it got there does not count.
bool facts_way_back(struct deployment *d, str environment, struct way_back *ret);

// Was this commit marked bad, under whatever name, after that place in the ledger?
bool facts_commit_is_bad(struct deployment *d, str commit, size_t after, bool *ret);

// A release's name ends up in folder names: letters, digits and . _ - +, at most 64. ERROR_INPUT.
bool facts_release_name(str release, struct error *err);

// A name for a rollout that no other has: "v812-production-1".
str facts_new_rollout(struct deployment *d, str release, str stage);

// Who may not approve where self-review is prevented: who planned this, and the authors, committers
// and co-authors of every commit since known good (their names, and what stands before the @ of
// their addresses). Where no commit is known to be good: those of the release's commit and of what
// it merges.
struct release_people {
    const str *names;
    size_t count;
    bool whole; // false: this clone does not have all of these commits
};
void facts_authors(struct deployment *d, const struct plan *plan, struct release_people *ret);

// Somebody whom GitHub has authenticated, and whose word this run writes down.
struct event_actor facts_actor(const struct ledger *ledger, str login);
// The name by which an actor answers: the login, or the local user without the machine.
str facts_person(const struct event_actor *actor);

#endif
