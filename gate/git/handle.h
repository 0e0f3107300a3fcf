// The libgit2 object inside a repository: for the files of this folder only.
#ifndef GATE_GIT_HANDLE_H
#define GATE_GIT_HANDLE_H

#include "gate/git/repository.h"

struct git_repository;
struct git_tree;

struct git_repository *repository_handle(struct repository *repository);

// The last libgit2 failure as an error: "doing what: reason"; ERROR_ABSENT with the remedy when an
// object is missing, as in a partial clone. Returns false.
bool repository_failed(struct error *err, const char *doing);

// The tree of a commit (40 digits); the caller frees it with git_tree_free.
bool repository_tree(struct repository *repository, const char *commit, struct git_tree **ret,
                     struct error *err);

#endif
