// Whether a host is the one that was meant: its key against known_hosts or a pinned fingerprint.
// There is no third way and no "accept the first time".
//
// Read of known_hosts: plain and hashed names, `[host]:port`, `@revoked`. Not read: patterns with
// `*`, and `@cert-authority`; a host that stands only there is unknown, and refused.
#ifndef DEPLOY_WORLD_SSH_HOST_KEY_H
#define DEPLOY_WORLD_SSH_HOST_KEY_H

#include "gate/base/arena.h"
#include "gate/base/error.h"

#include <libssh2.h>

struct host_key_rules {
    const char *host; // without brackets
    uint16_t port;
    const char *known_hosts; // the file's path
    const char *fingerprint; // "SHA256:…"; null = known_hosts decides
    LIBSSH2_KNOWNHOSTS *known;
    str revoked[32]; // keys in base64
    size_t revoked_count;
};

// Reads the file (none is as good as an empty one) and makes the session ask first for the kinds of
// key that the host is known by. Call before the handshake; strings must outlive *rules.
bool host_key_prepare(struct host_key_rules *rules, struct arena *arena, LIBSSH2_SESSION *session,
                      struct error *err);
// After the handshake. ERROR_DENIED with the fingerprint and the remedy.
bool host_key_accept(const struct host_key_rules *rules, LIBSSH2_SESSION *session,
                     struct error *err);
void host_key_done(struct host_key_rules *rules);

#define FINGERPRINT_TEXT 52 // "SHA256:" and 43 digits and NUL
char *fingerprint_of(str key, char out[FINGERPRINT_TEXT]);

#endif
