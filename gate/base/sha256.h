// SHA-256, streamed or at once (libcrypto: uses the processor's own instructions).
#ifndef GATE_BASE_SHA256_H
#define GATE_BASE_SHA256_H

#include "gate/base/str.h"

#define SHA256_BYTES 32
#define SHA256_HEX 65 // 64 digits and NUL

struct sha256 {
    void *context;
};

void sha256_init(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *bytes, size_t size);
void sha256_done(struct sha256 *sha, unsigned char digest[SHA256_BYTES]); // ends and releases it
char *sha256_hex(const unsigned char digest[SHA256_BYTES], char out[SHA256_HEX]);
char *sha256_of(str bytes, char out[SHA256_HEX]);

// "sha256:" and 64 digits, and nothing else: may become part of a path.
static inline bool sha256_is_named(str s)
{
    static const str prefix = STR_INIT("sha256:");
    return str_starts(s, prefix) && str_is_hex(str_from(s, prefix.len), SHA256_HEX - 1);
}

#endif
