// Signatures in the format of ssh (PROTOCOL.sshsig), ed25519, namespace "git": what `git
// verify-commit` checks with gpg.format=ssh and gpg.ssh.allowedSignersFile.
//
//     struct sign_key *key;
//     if (!sign_key_open(settings.sign_with, &key, err)) ...  // path, or the key's own text
//     sign_bytes(key, payload, &armored, err);
//     sign_key_close(key);
//
// Private keys never leave struct sign_key and are wiped when it is closed.
#ifndef DEPLOY_RECORD_SIGN_H
#define DEPLOY_RECORD_SIGN_H

#include "gate/base/arena.h"
#include "gate/base/error.h"
#include "gate/base/text.h"

#include <stdint.h>

enum {
    SIGN_PUBLIC = 32,      // bytes of a public key
    SIGN_ARMORED = 512,    // enough for an armored signature
    SIGN_FINGERPRINT = 56, // "SHA256:…" and NUL
};

struct sign_public {
    unsigned char bytes[SIGN_PUBLIC];
};

struct sign_key;

// `key` is the text of an unencrypted ed25519 private key (OpenSSH's format or PKCS#8 PEM) or the
// path of a file that holds one. ERROR_INPUT for an encrypted key or another kind, with the remedy;
// ERROR_ABSENT when there is no such file.
bool sign_key_open(str key, struct sign_key **ret, struct error *err);
void sign_key_close(struct sign_key *key); // null does nothing
struct sign_public sign_key_public(const struct sign_key *key);

// Armored, without a final newline, as git stores it. ERROR_SYSTEM when libcrypto fails.
bool sign_bytes(const struct sign_key *key, str payload, struct text *out, struct error *err);

// Checks that `armored` is a signature of `payload` in namespace "git" and says by which key.
// ERROR_DENIED when it is not, ERROR_INPUT when it is no ed25519 signature of this format.
bool sign_check(str payload, str armored, struct sign_public *ret, struct error *err);

// "SHA256:base64", as ssh-keygen -l prints it. Returns out.
char *sign_fingerprint(const struct sign_public *key, char out[SIGN_FINGERPRINT]);
// "ssh-ed25519 AAAA…", as in a .pub file; in the arena.
const char *sign_public_text(struct arena *arena, const struct sign_public *key);

// ---- who may sign ------------------------------------------------------------------------------
struct signer {
    str principals; // "ada@example.org"
    struct sign_public key;
};

struct signers {
    struct signer *items;
    size_t count;
};

// A file of allowed signers as ssh-keygen reads it: principals, options, kind, key, comment.
// Understood is the option namespaces="…" (lines for others than git are left out); keys that are
// not ed25519 are left out as well, because no signature of theirs is accepted here. A line with
// another option (cert-authority, valid-before) is ERROR_INPUT: it must not be taken for more.
bool signers_parse(struct arena *arena, const char *file, str bytes, struct signers *ret,
                   struct error *err);
const struct signer *signers_find(const struct signers *signers, const struct sign_public *key);

#endif
