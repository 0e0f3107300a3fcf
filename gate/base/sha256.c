#include "gate/base/sha256.h"

#include <assert.h>
#include <openssl/evp.h>

void sha256_init(struct sha256 *sha)
{
    sha->context = EVP_MD_CTX_new();
    assert(sha->context);
    int ok = EVP_DigestInit_ex(sha->context, EVP_sha256(), NULL);
    assert(ok == 1);
    (void)ok;
}

void sha256_add(struct sha256 *sha, const void *bytes, size_t size)
{
    (void)EVP_DigestUpdate(sha->context, bytes, size);
}

void sha256_done(struct sha256 *sha, unsigned char digest[SHA256_BYTES])
{
    (void)EVP_DigestFinal_ex(sha->context, digest, NULL);
    EVP_MD_CTX_free(sha->context);
    sha->context = NULL;
}

char *sha256_hex(const unsigned char digest[SHA256_BYTES], char out[SHA256_HEX])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[SHA256_HEX - 1] = '\0';
    return out;
}

char *sha256_of(str bytes, char out[SHA256_HEX])
{
    struct sha256 sha;
    unsigned char digest[SHA256_BYTES];
    sha256_init(&sha);
    sha256_add(&sha, bytes.data, bytes.len);
    sha256_done(&sha, digest);
    return sha256_hex(digest, out);
}
