// The local repository, read only: commits, the merge base, files at a commit, paths.
//
// Commits are 40 lower-case digits and NUL. Nothing here writes, fetches or runs anything.
//
//     struct repository *repository;
//     if (!repository_open(".", &repository, err)) ...      // ERROR_ABSENT: not a repository
//     char head[COMMIT_HEX];
//     if (!repository_resolve(repository, "HEAD", head, err)) ...
//     repository_close(repository);
#ifndef GATE_GIT_REPOSITORY_H
#define GATE_GIT_REPOSITORY_H

#include "gate/base/arena.h"
#include "gate/base/error.h"

#define COMMIT_HEX 41

struct repository;

// The repository that `directory` lies in; GIT_DIR and its kind are not heard. ERROR_ABSENT when it
// lies in none; ERROR_DENIED when it belongs to another user and is not a `safe.directory`;
// ERROR_INPUT when its objects are named by SHA-256.
bool repository_open(const char *directory, struct repository **ret, struct error *err);
void repository_close(struct repository *repository); // null is fine

const char *
repository_root(const struct repository *repository); // absolute, '/' at its end; null when bare
// The git directory that all work trees share, '/' at its end: where a program may keep its own
// files.
const char *repository_common_dir(const struct repository *repository);
bool repository_is_shallow(const struct repository *repository);

// Anything that names a commit: "HEAD", "origin/main", an abbreviation. ERROR_ABSENT when it does
// not (also for HEAD before the first commit).
bool repository_resolve(struct repository *repository, const char *revision, char ret[COMMIT_HEX],
                        struct error *err);

// The first parent. *ret_has is false for a root commit. ERROR_ABSENT, with `fetch-depth: 0` in its
// message, when a shallow clone has cut it off.
bool repository_first_parent(struct repository *repository, const char *commit,
                             char ret[COMMIT_HEX], bool *ret_has, struct error *err);

// The best common ancestor. ERROR_ABSENT when there is none: in a shallow clone the message says
// `fetch-depth: 0`, because an empty difference would be a wrong one.
bool repository_merge_base(struct repository *repository, const char *a, const char *b,
                           char ret[COMMIT_HEX], struct error *err);

// Where a pull request began that a runner has checked out merged into its base: when `merge` has
// two parents, the second is `head`, and the first one has `base` behind it, then the first one is
// it. `base` (of the event's payload) may be older, and the difference is others' work.
// *ret_found is false when that is not how things are, or when nobody can know.
bool repository_merged_into(struct repository *repository, const char *merge, const char *head,
                            const char *base, char ret[COMMIT_HEX], bool *ret_found,
                            struct error *err);

// A file as it stands in a commit, at most max_bytes (ERROR_LIMIT). *ret_found is false when the
// commit has no file of that name; links count as none.
bool repository_file(struct arena *arena, struct repository *repository, const char *commit,
                     const char *path, size_t max_bytes, str *ret, bool *ret_found,
                     struct error *err);

struct commit_people { // as the commit has them; in the arena
    str author_name, author_email, committer_name, committer_email;
};

// ERROR_ABSENT when there is no such commit.
bool repository_people(struct arena *arena, struct repository *repository, const char *commit,
                       struct commit_people *ret, struct error *err);

struct repository_paths {
    str *items; // sorted bytewise
    size_t count, room;
};

// The paths of all files of a commit.
bool repository_paths(struct arena *arena, struct repository *repository, const char *commit,
                      struct repository_paths *ret, struct error *err);

// The folders of its submodules.
bool repository_submodules(struct arena *arena, struct repository *repository, const char *commit,
                           struct repository_paths *ret, struct error *err);

// The paths of all files that git tracks in the working tree (its index).
bool repository_tracked(struct arena *arena, struct repository *repository,
                        struct repository_paths *ret, struct error *err);

#endif
