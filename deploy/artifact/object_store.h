// Objects in buckets: "s3://BUCKET/KEY" (with "?versionId=…" too) and "gs://BUCKET/KEY" (with
// "#GENERATION"). They are read into files and known by their digest. All of these wait for the
// answers.
//
//     struct object found;
//     if (!object_read(&access, STR("s3://releases/web-v812.tar.zst"), fd, most, &arena, &found,
//                      err)) …                   // found.digest, found.version
//     if (!object_write(&access, url, path, digest, err)) … // there already, the same: true
#ifndef DEPLOY_ARTIFACT_OBJECT_STORE_H
#define DEPLOY_ARTIFACT_OBJECT_STORE_H

#include "deploy/artifact/artifact_access.h"
#include "gate/base/arena.h"
#include "gate/base/error.h"

struct object {
    uint64_t size_bytes;
    str version; // of S3 with versioning, or Google's generation; may be empty
    str digest;  // "sha256:…" of its bytes, once it was read; empty otherwise
};

bool object_is_url(str url); // begins with s3:// or gs://
// One sentence about what is wrong with it, in *err, when it is no object's URL: ERROR_INPUT.
bool object_check_url(str url, struct error *err);

// Writes its bytes to `fd`, in pieces of one and the same version. ERROR_ABSENT: no such object or
// bucket; ERROR_DENIED; ERROR_TRANSIENT: no answer; ERROR_LIMIT: it is larger than `most_bytes`;
// ERROR_REMOTE: it changed meanwhile. What was written before a failure is useless.
bool object_read(const struct artifact_access *access, str url, int fd, uint64_t most_bytes,
                 struct arena *arena, struct object *ret, struct error *err);

// Never overwrites: what is there already must have this digest, else ERROR_INPUT.
bool object_write(const struct artifact_access *access, str url, const char *path, str digest,
                  struct error *err);

#endif
