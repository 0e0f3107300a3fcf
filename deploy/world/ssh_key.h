// A private key file: what kind it is, and whether libssh2 1.10 can log in with it. It can with
// ed25519 and ECDSA keys without a passphrase; an RSA key it signs with SHA-1, which servers
// refuse, so RSA is refused here with the remedy instead of failing there without a reason.
#ifndef DEPLOY_WORLD_SSH_KEY_H
#define DEPLOY_WORLD_SSH_KEY_H

#include "gate/base/error.h"
#include "gate/base/secret.h"

struct ssh_key {
    struct secret bytes; // of the file
    char about[80];      // "SHA256:…", or nothing where the file does not hold the public half
};

// ERROR_ABSENT, ERROR_DENIED (others may read it, RSA, a passphrase), ERROR_INPUT (no private key).
bool ssh_key_read(const char *path, struct ssh_key *ret, struct error *err);
void ssh_key_done(struct ssh_key *key);

// The kind of a public key in the protocol's form: "ssh-ed25519"; empty when it is none.
str ssh_key_kind(str blob);
bool ssh_key_kind_ok(str kind);

#endif
