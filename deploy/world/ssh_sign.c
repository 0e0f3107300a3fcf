#include "deploy/world/ssh_key.h"
#include "deploy/world/ssh_wire.h"

#include <openssl/ec.h>
#include <stdlib.h>

enum { SIGNATURE_BYTES = 256 };

// ECDSA signatures are made as DER; the protocol wants the two numbers, each with a leading zero
// byte where it would otherwise read as negative.
static bool put_number(struct wire *out, const BIGNUM *number)
{
    unsigned char bytes[80] = {0};
    int size = BN_num_bytes(number);
    if (size < 1 || size >= (int)sizeof bytes)
        return false;
    (void)BN_bn2bin(number, bytes + 1);
    size_t skip = bytes[1] & 0x80 ? 0 : 1;
    wire_put(out, str_make((const char *)bytes + skip, (size_t)size + 1 - skip));
    return true;
}

static bool from_der(const unsigned char *der, size_t size, struct wire *out)
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)size);
    bool ok = pair && put_number(out, ECDSA_SIG_get0_r(pair)) &&
              put_number(out, ECDSA_SIG_get0_s(pair)) && out->size <= out->room;
    ECDSA_SIG_free(pair);
    return ok;
}

static const EVP_MD *digest_of(const struct ssh_key *key)
{
    str kind = ssh_key_kind(str_make((const char *)key->blob, key->blob_size));
    return str_ends(kind, STR("256"))   ? EVP_sha256()
           : str_ends(kind, STR("384")) ? EVP_sha384()
           : str_ends(kind, STR("521")) ? EVP_sha512()
                                        : NULL; // ed25519 has its own
}

int ssh_key_sign(LIBSSH2_SESSION *session, unsigned char **signature, size_t *signature_size,
                 const unsigned char *data, size_t size, void **abstract)
{
    const struct ssh_key *key = *abstract;
    const EVP_MD *digest = digest_of(key);
    unsigned char raw[SIGNATURE_BYTES];
    size_t raw_size = sizeof raw;
    (void)session;
    struct wire out = {malloc(SIGNATURE_BYTES), SIGNATURE_BYTES, 0}; // libssh2 frees it
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = out.data && context &&
              EVP_DigestSignInit(context, NULL, digest, NULL, key->key) == 1 &&
              EVP_DigestSign(context, raw, &raw_size, data, size) == 1;
    EVP_MD_CTX_free(context);
    if (ok && digest) {
        ok = from_der(raw, raw_size, &out);
    } else if (ok) {
        memcpy(out.data, raw, raw_size);
        out.size = raw_size;
    }
    if (!ok) {
        free(out.data);
        return -1;
    }
    *signature = out.data;
    *signature_size = out.size;
    return 0;
}
