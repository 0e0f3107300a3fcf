// Git as the ledger needs it: a branch of commits that is appended to without index or worktree, in
// the repository at hand or, when the branch lives on a remote, in a bare repository of its own.
// Everything of libgit2 that the record uses is behind this file and remote.h.
//
//     struct store *store;
//     store_open(&(struct store_options){.folder = ".", .branch = "release-ledger"}, &store, err);
//     store_tip(store, STORE_LOCAL, &tip, err);
//     store_commit(store, &tip, &(struct store_write){...}, &next, err);
//     switch (store_swap(store, STORE_LOCAL, &tip, &next, err)) ...
#ifndef DEPLOY_RECORD_STORE_H
#define DEPLOY_RECORD_STORE_H

#include "deploy/record/sign.h"
#include "gate/base/arena.h"
#include "gate/base/error.h"

#include <stdint.h>

enum { OBJECT_HEX = 41 }; // 40 digits and NUL

struct object_id {
    unsigned char bytes[20]; // all zero = none
};

bool object_is_none(const struct object_id *id);
bool object_eq(const struct object_id *a, const struct object_id *b);
char *object_hex(const struct object_id *id, char out[OBJECT_HEX]);
bool object_of(str hex, struct object_id *ret);

struct store_options {
    const char *folder; // in a work tree, or a git directory
    const char *branch; // "release-ledger"
    const char *remote; // name of a remote, URL or path; null = the branch lives in this repository
    bool flush;         // objects and refs reach the disk before an append returns
};

struct store;

// ERROR_ABSENT: no repository, or no such remote. ERROR_DENIED: it belongs to another user.
bool store_open(const struct store_options *options, struct store **ret, struct error *err);
void store_close(struct store *store);

const char *store_path(const struct store *store);       // of the repository that holds the branch
const char *store_url(const struct store *store);        // of the remote; null = none
const char *store_branch(const struct store *store);     // "refs/heads/release-ledger"
const char *store_remote_ref(const struct store *store); // what is known of the remote's branch

// When the own repository of a remote's ledger was only just made: the git directory in which there
// may be a ledger from before there was a remote. Null otherwise.
const char *store_seed(const struct store *store);

enum store_ref {
    STORE_LOCAL,  // the branch
    STORE_REMOTE, // what the remote was last seen to have
};

bool store_tip(struct store *store, enum store_ref which, struct object_id *ret,
               struct error *err); // none when there is no such branch yet

enum swap { SWAP_DONE, SWAP_LOST, SWAP_FAILED };

// Moves a ref from `expected` (none = it must not exist) to `next`. SWAP_LOST: somebody was faster.
// The lock of a process that was killed in the middle is taken away after a few seconds.
enum swap store_swap(struct store *store, enum store_ref which, const struct object_id *expected,
                     const struct object_id *next, struct error *err);

struct store_file {
    const char *path;
    struct object_id blob;
};

struct store_write {
    const struct store_file *files;
    size_t file_count;
    const char *message;
    const char *author, *email;
    int64_t time_ms;
    const struct sign_key *key; // null = unsigned
};

bool store_blob(struct store *store, str bytes, struct object_id *ret, struct error *err);
// A commit on top of `parent` (none = a root). It is not on any branch yet.
bool store_commit(struct store *store, const struct object_id *parent,
                  const struct store_write *write, struct object_id *ret, struct error *err);

// Between the two, objects gather in memory and are then written as one pack: for many appends at
// once. Nothing may be put on a branch before store_batch_end.
bool store_batch_begin(struct store *store, struct error *err);
bool store_batch_end(struct store *store, struct error *err);
void store_batch_drop(struct store *store); // what has gathered is not written
// Gathers the newest commits' loose objects into one pack and removes them, when there are many:
// one entry is eight small files. Only for the own repository of a remote's ledger; the user's is
// tidied by `git gc`. *ret_packed (may be null) is the number of objects.
bool store_tidy(struct store *store, size_t *ret_packed, struct error *err);

struct store_commit_info {
    struct object_id tree;
    struct object_id parent;
    unsigned parent_count;
    int64_t time_s;
    str message; // lives in the arena
};

// All reading checks each object's name against its content. ERROR_SYSTEM: a damaged or missing
// object.
bool store_read_commit(struct store *store, struct arena *arena, const struct object_id *commit,
                       struct store_commit_info *ret, struct error *err);
bool store_read_blob(struct store *store, struct arena *arena, const struct object_id *blob,
                     str *ret, struct error *err);
// ERROR_ABSENT when the commit (none is allowed) has no such file.
bool store_read_file(struct store *store, struct arena *arena, const struct object_id *commit,
                     const char *path, str *ret, struct error *err);
// Entries of a folder at a commit; 0 when there is none.
bool store_folder_size(struct store *store, const struct object_id *commit, const char *path,
                       size_t *ret, struct error *err);
// ERROR_ABSENT when the commit is not signed.
bool store_signature(struct store *store, struct arena *arena, const struct object_id *commit,
                     str *ret_signature, str *ret_payload, struct error *err);
// Names `folder`'s files at the commit; an absent folder is an empty list.
bool store_list(struct store *store, struct arena *arena, const struct object_id *commit,
                const char *folder, str **ret, size_t *ret_count, struct error *err);

enum store_change { STORE_ADDED, STORE_CHANGED, STORE_REMOVED };

struct store_difference {
    enum store_change change;
    const char *path;
    struct object_id blob; // after the change; none when removed
    bool plain;            // an ordinary file, not executable, no link
};

enum { STORE_DIFFERENCES = 256 };

// What differs between the trees of two commits (`before` none = everything is added): at most
// STORE_DIFFERENCES, of which *ret_count says how many; one more means "or more".
bool store_differences(struct store *store, struct arena *arena, const struct object_id *before,
                       const struct object_id *after,
                       struct store_difference ret[STORE_DIFFERENCES + 1], size_t *ret_count,
                       struct error *err);

// libgit2's newest error as ours; returns false.
bool store_failed(struct error *err, int code, const char *doing);

#endif
