// Writes the files of a commit as a compressed tar to a descriptor (libgit2 in, libarchive out).
//
//     unsigned char digest[SHA256_BYTES];
//     uint64_t bytes;
//     if (!tree_archive(".", commit, false, fd, digest, &bytes, err)) …
#ifndef DEPLOY_ARTIFACT_TREE_ARCHIVE_H
#define DEPLOY_ARTIFACT_TREE_ARCHIVE_H

#include "gate/base/error.h"
#include "gate/base/sha256.h"

#include <stdint.h>

// The digest is of the bytes written. `commit` is 40 digits. ERROR_ABSENT: there is no such commit.
// ERROR_INPUT: it has a submodule or a file of Git LFS, whose content is not in the commit.
bool tree_archive(const char *repository, str commit, bool gzip, int fd,
                  unsigned char ret_digest[SHA256_BYTES], uint64_t *ret_bytes, struct error *err);

#endif
