// A user's private key: read from its file, and signing with it. ed25519 and ECDSA keys without a
// passphrase, in OpenSSH's own format or PEM. RSA is refused with the remedy: libssh2 1.10 names
// the old SHA-1 signature for it, which servers refuse without a reason that a person could use.
//
// libssh2 can read such files as well, but loses memory that holds an ECDSA key when it does.
#ifndef DEPLOY_WORLD_SSH_KEY_H
#define DEPLOY_WORLD_SSH_KEY_H

#include "gate/base/error.h"

#include <libssh2.h>
#include <openssl/evp.h>

enum { SSH_BLOB_BYTES = 256 };

struct ssh_key {
    EVP_PKEY *key;
    unsigned char blob[SSH_BLOB_BYTES]; // the public half, as the protocol writes it
    size_t blob_size;
};

// ERROR_ABSENT, ERROR_DENIED (others may read it, RSA, a passphrase), ERROR_INPUT (no private key).
bool ssh_key_read(const char *path, struct ssh_key *ret, struct error *err);
void ssh_key_done(struct ssh_key *key);

// As libssh2_userauth_publickey wants it; *abstract is a struct ssh_key.
int ssh_key_sign(LIBSSH2_SESSION *session, unsigned char **signature, size_t *signature_size,
                 const unsigned char *data, size_t size, void **abstract);

// The kind of a public key in the protocol's form: "ssh-ed25519"; empty when it is none.
str ssh_key_kind(str blob);
bool ssh_key_kind_ok(str kind);

#endif
