#include "deploy/cloud/hmac.h"

#include "gate/base/secret.h"

enum { BLOCK = 64 };

void hmac_sha256(str key, str message, unsigned char ret[SHA256_BYTES])
{
    unsigned char pad[BLOCK] = {0}, inner[SHA256_BYTES];
    struct sha256 sha;
    if (key.len > BLOCK) {
        sha256_init(&sha);
        sha256_add(&sha, key.data, key.len);
        sha256_done(&sha, pad);
    } else if (key.len) {
        memcpy(pad, key.data, key.len);
    }
    for (size_t i = 0; i < BLOCK; i++)
        pad[i] ^= 0x36;
    sha256_init(&sha);
    sha256_add(&sha, pad, BLOCK);
    sha256_add(&sha, message.data, message.len);
    sha256_done(&sha, inner);
    for (size_t i = 0; i < BLOCK; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    sha256_init(&sha);
    sha256_add(&sha, pad, BLOCK);
    sha256_add(&sha, inner, sizeof inner);
    sha256_done(&sha, ret);
    secret_wipe(pad, sizeof pad);
    secret_wipe(inner, sizeof inner);
}
