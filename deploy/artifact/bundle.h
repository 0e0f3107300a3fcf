// Release bundles: the files of a commit as one compressed tar, named by its digest. The same
// commit gives the same bytes: entries in tree order, times of the commit, no owners, and only the
// commit's own .gitattributes count. Files marked `export-ignore` stay out, as in `git archive`;
// unlike there, bytes are those of the commit: no `export-subst`, no conversion of line ends.
//
//     struct bundle bundle;
//     bundle_make(&arena, &(struct bundle_request){.repository = ".", .commit = sha, …}, &bundle,
//     err);
#ifndef DEPLOY_ARTIFACT_BUNDLE_H
#define DEPLOY_ARTIFACT_BUNDLE_H

#include "deploy/artifact/artifact_access.h"
#include "gate/base/arena.h"
#include "gate/base/error.h"

#include <stdint.h>

struct bundle_request {
    const char *repository;
    str commit;
    str given;  // a path, the URL of an object (object_store.h), or "sha256:…" of what is in the
                // cache or `source`; empty = `source`
    str source; // the URL of an object; empty = made from the commit
    const struct artifact_access *access; // of URLs
    const char *cache_folder;             // made when absent
    bool gzip;                            // else zstd
};

struct bundle {
    str digest; // "sha256:…" of the file's bytes
    str path;
    uint64_t size_bytes;
};

// ERROR_ABSENT: no such commit, path, object, or digest. ERROR_INPUT: `given` is no digest, the
// object is another than it says, or the commit holds what no bundle can be made of
// (tree_archive.h). Other kinds as of object_read. ERROR_SYSTEM: a bundle in the
// cache is not what its name says. Everything returned lives in the arena; the file stays in the
// cache.
bool bundle_make(struct arena *arena, const struct bundle_request *request, struct bundle *ret,
                 struct error *err);

#endif
