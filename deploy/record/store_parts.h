// What the files that wrap libgit2 share. Private to them: store*.c and remote.c.
#ifndef DEPLOY_RECORD_STORE_PARTS_H
#define DEPLOY_RECORD_STORE_PARTS_H

#include "deploy/record/store.h"

#include <git2.h>

struct store {
    git_repository *plain; // what is on disk
    git_repository *repo;  // where is written and read: `plain`, or `batch` during a batch
    git_repository *batch;
    git_oid *gathered; // objects of the batch
    size_t gathered_count, gathered_room;
    char *url, *branch, *remote_ref;
    char *seed; // git directory that may hold a ledger from before there was a remote; or null
    bool fresh; // the own repository was just made
};

git_oid store_oid(const struct object_id *id);
struct object_id store_id(const git_oid *oid);
char *store_copy(const char *s); // heap
// Loose objects of `repo` are read by loose.c from now on. Returns libgit2's code.
int store_read_loose_safely(git_repository *repo);
enum swap store_swap_in(git_repository *repo, const char *name, const struct object_id *expected,
                        const struct object_id *next, struct error *err);

// Writes the objects named as one pack of `repo`.
bool store_write_pack(git_repository *repo, const git_oid *ids, size_t count, struct error *err);
// The names of everything that `newest` reaches and `known` (none = nothing) does not; heap.
bool store_missing(git_repository *repo, const git_oid *newest, const git_oid *known, git_oid **ret,
                   size_t *ret_count, struct error *err);

#endif
