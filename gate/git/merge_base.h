// The best common ancestor of two commits, walked here rather than by libgit2: in a shallow clone
// its walk fails (and leaks) as soon as it meets a parent that is not there, also when the answer
// is.
#ifndef GATE_GIT_MERGE_BASE_H
#define GATE_GIT_MERGE_BASE_H

#include "gate/base/error.h"

struct git_repository;
struct git_oid;

enum merge_base_answer {
    MERGE_BASE_FOUND,
    MERGE_BASE_NONE,    // the two share no history
    MERGE_BASE_CUT_OFF, // a parent is missing from this clone, so nobody can know
    MERGE_BASE_FAILED,  // libgit2 says why
};

// As git's paint-down-to-common: both sides walk back by commit time; where they meet is a
// candidate, and what lies behind a candidate is not. Of several (criss-cross merges) the newest is
// taken.
enum merge_base_answer merge_base_find(struct git_repository *repository, const struct git_oid *one,
                                       const struct git_oid *two, struct git_oid *ret);

#endif
