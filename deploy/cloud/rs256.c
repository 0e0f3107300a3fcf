#include "deploy/cloud/rs256.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

enum { SIGNATURE_MOST = 2048 };

void base64url_add(struct text *out, str bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const unsigned char *p = (const unsigned char *)bytes.data;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        unsigned three = (unsigned)p[i] << 16 | (left > 1 ? (unsigned)p[i + 1] << 8 : 0) |
                         (left > 2 ? (unsigned)p[i + 2] : 0);
        for (unsigned d = 0; d < 4 && d <= left; d++)
            text_addc(out, digits[three >> (18 - 6 * d) & 63]);
    }
}

static int no_passphrase(char *buffer, int size, int writing, void *context)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static EVP_PKEY *read_key(str pem)
{
    EVP_PKEY *key = NULL;
    BIO *bio = pem.len < 65536 ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
    if (bio)
        key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    if (key && EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    ERR_clear_error();
    return key;
}

bool rs256_sign(str pem, str message, struct text *out, struct error *err)
{
    unsigned char signature[SIGNATURE_MOST];
    size_t size = sizeof signature;
    EVP_PKEY *key = read_key(pem);
    if (!key)
        return error_set(err, ERROR_INPUT, "the private key is no RSA key without a passphrase");
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestSign(context, signature, &size, (const unsigned char *)message.data,
                             message.len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    ERR_clear_error();
    if (!ok)
        return error_set(err, ERROR_SYSTEM, "a signature with RS256 could not be made");
    base64url_add(out, str_make((const char *)signature, size));
    return true;
}
