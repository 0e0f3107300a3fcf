// Where a remote is: by its name in the repository's configuration, as a URL or as a path.
// Private to the files that wrap libgit2.
#ifndef DEPLOY_RECORD_REMOTE_URL_H
#define DEPLOY_RECORD_REMOTE_URL_H

#include "gate/base/error.h"

#include <git2.h>

// `url.<base>.insteadOf` is applied; a relative path is relative to the work tree. *ret is on the
// heap. ERROR_ABSENT: there is no remote of this name.
//
// libgit2 1.5's own look-up (git_remote_lookup, git_remote_create_anonymous) loses 20 kB for each
// line of the configuration that is no insteadOf, every time.
bool remote_url(git_repository *repo, const char *remote, char **ret, struct error *err);

#endif
