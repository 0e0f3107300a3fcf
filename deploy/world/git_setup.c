#include "deploy/world/git_setup.h"

#include "deploy/world/git_stream.h"

#include <ares.h>
#include <git2.h>

#define CACHE_BYTES (32 << 20) // of objects; libgit2's own limit is 256 MB

enum { RESOLVE_MS = 10000, CONNECT_MS = 10000, IDLE_MS = 30000 };

static bool failed(struct error *err)
{
    const git_error *last = git_error_last();
    return error_set(err, ERROR_SYSTEM, "libgit2 could not be made ready: %s",
                     last && last->message ? last->message : "it does not say why");
}

bool git_setup(const char *ca_file, struct error *err)
{
    static const struct stream_limits limits = {RESOLVE_MS, CONNECT_MS, IDLE_MS};
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
        return error_set(err, ERROR_SYSTEM, "c-ares could not be made ready");
    // Counted by libgit2. The count is never given back: the streams stay registered.
    if (git_libgit2_init() < 0)
        return failed(err);
    if (ca_file && git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, ca_file, NULL) != 0)
        return failed(err);
    if (git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, (ssize_t)CACHE_BYTES) != 0)
        return failed(err);
    return streams_register(&limits) == 0 ? true : failed(err);
}

void git_setup_interrupt(void)
{
    streams_interrupt();
}
