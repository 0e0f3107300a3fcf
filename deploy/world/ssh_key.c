#include "deploy/world/ssh_key.h"

#include "deploy/world/ssh_wire.h"
#include "gate/base/secret.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_MAX_BYTES = 16384, SEED_BYTES = 32 };

#define BEGIN(what) "-----BEGIN " what "-----"
#define MAGIC "openssh-key-v1"

static const struct curve {
    const char *kind, *name, *group;
} curves[] = {
    {"ecdsa-sha2-nistp256", "nistp256", "P-256"},
    {"ecdsa-sha2-nistp384", "nistp384", "P-384"},
    {"ecdsa-sha2-nistp521", "nistp521", "P-521"},
};
enum { CURVES = sizeof curves / sizeof *curves };

str ssh_key_kind(str blob)
{
    return wire_take(&blob);
}

bool ssh_key_kind_ok(str kind)
{
    bool ok = str_is(kind, "ssh-ed25519");
    for (size_t i = 0; i < CURVES; i++)
        ok = ok || str_is(kind, curves[i].kind);
    return ok;
}

void ssh_key_done(struct ssh_key *key)
{
    EVP_PKEY_free(key->key); // wipes it
    *key = (struct ssh_key){0};
}

// ---- refusing ---------------------------------------------------------------------------------

static bool refuse_rsa(const char *path, struct error *err)
{
    return error_set(
        err, ERROR_DENIED,
        "%s is an RSA key: libssh2 signs with it in the old way (SHA-1), which servers "
        "refuse. Make another, `ssh-keygen -t ed25519 -f ~/.ssh/id_ed25519`, and add "
        "its public half to authorized_keys on the hosts",
        path);
}

static bool refuse_passphrase(const char *path, struct error *err)
{
    return error_set(err, ERROR_DENIED,
                     "%s has a passphrase, which nobody can type here: load it into the agent "
                     "(`ssh-add %s`) and name no key file, or use a key without one",
                     path, path);
}

static bool refuse_damaged(const char *path, struct error *err)
{
    return error_set(err, ERROR_INPUT, "%s is a damaged key file", path);
}

static bool refuse_kind(const char *path, str kind, struct error *err)
{
    return error_set(err, ERROR_DENIED,
                     "%s is a key of kind " STR_FMT ": ed25519 and ECDSA keys can be used", path,
                     STR_ARG(str_first(kind, 60)));
}

// ---- OpenSSH's own format ---------------------------------------------------------------------

// The base64 between the first and the last line; returns the number of bytes, 0 when it is none.
static size_t decode(str pem, unsigned char *out, size_t room)
{
    char digits[KEY_MAX_BYTES];
    size_t count = 0;
    (void)str_cut(&pem, '\n');
    while (pem.len && pem.data[0] != '-') {
        str line = str_trim(str_cut(&pem, '\n'));
        if (line.len > sizeof digits - count)
            return 0;
        memcpy(digits + count, line.data, line.len);
        count += line.len;
    }
    int n = count && count / 4 * 3 <= room
                ? EVP_DecodeBlock(out, (const unsigned char *)digits, (int)count)
                : -1;
    secret_wipe(digits, sizeof digits);
    return n > 0 ? (size_t)n : 0;
}

// An ECDSA key of its group, its public point and its private number.
static EVP_PKEY *make_ecdsa(const struct curve *curve, str point, str number)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    BIGNUM *private = BN_secure_new();
    if (private && number.len <= 80)
        (void)BN_bin2bn((const unsigned char *)number.data, (int)number.len, private);
    if (context && builder && private && !BN_is_zero(private) &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve->group, 0) &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.len) &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, private))
        params = OSSL_PARAM_BLD_to_param(builder);
    if (!params || EVP_PKEY_fromdata_init(context) <= 0 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) <= 0)
        key = NULL;
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    BN_clear_free(private);
    return key;
}

static EVP_PKEY *make_key(str kind, str rest)
{
    if (str_is(kind, "ssh-ed25519")) {
        (void)wire_take(&rest); // the public half
        str both = wire_take(&rest);
        return both.len == (size_t)2 * SEED_BYTES
                   ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
                                                  (const unsigned char *)both.data, SEED_BYTES)
                   : NULL;
    }
    str name = wire_take(&rest), point = wire_take(&rest), number = wire_take(&rest);
    for (size_t i = 0; i < CURVES; i++)
        if (str_is(kind, curves[i].kind) && str_is(name, curves[i].name))
            return make_ecdsa(&curves[i], point, number);
    return NULL;
}

// The public half is readable whether or not there is a passphrase, so what is refused is named.
static bool read_parts(const char *path, str rest, struct ssh_key *key, struct error *err)
{
    if (!str_starts(rest, str_make(MAGIC, sizeof MAGIC)))
        return refuse_damaged(path, err);
    rest = str_from(rest, sizeof MAGIC);
    str cipher = wire_take(&rest);
    (void)wire_take(&rest);   // key derivation
    (void)wire_take(&rest);   // its options
    rest = str_from(rest, 4); // number of keys
    str blob = wire_take(&rest), kind = ssh_key_kind(blob), secrets = wire_take(&rest);
    if (!kind.len || !cipher.len)
        return refuse_damaged(path, err);
    if (str_is(kind, "ssh-rsa"))
        return refuse_rsa(path, err);
    if (!ssh_key_kind_ok(kind))
        return refuse_kind(path, kind, err);
    if (!str_is(cipher, "none"))
        return refuse_passphrase(path, err);
    bool same_checks = secrets.len >= 8 && memcmp(secrets.data, secrets.data + 4, 4) == 0;
    secrets = str_from(secrets, 8);
    bool same_kind = str_eq(wire_take(&secrets), kind);
    key->key =
        same_checks && same_kind && blob.len <= sizeof key->blob ? make_key(kind, secrets) : NULL;
    if (!key->key)
        return refuse_damaged(path, err);
    memcpy(key->blob, blob.data, blob.len);
    key->blob_size = blob.len;
    return true;
}

static bool read_openssh(const char *path, str pem, struct ssh_key *key, struct error *err)
{
    unsigned char bytes[KEY_MAX_BYTES];
    size_t size = decode(pem, bytes, sizeof bytes);
    bool ok = read_parts(path, str_make((const char *)bytes, size), key, err);
    secret_wipe(bytes, sizeof bytes);
    return ok;
}

// ---- PEM --------------------------------------------------------------------------------------

static int no_passphrase(char *out, int size, int writing, void *context)
{
    (void)out, (void)size, (void)writing, (void)context;
    return -1;
}

// Writes the public half of an OpenSSL key as the protocol does.
static bool fill_blob(struct ssh_key *key)
{
    unsigned char bytes[160];
    char group[32] = "";
    size_t size = sizeof bytes;
    struct wire out = {key->blob, sizeof key->blob, 0};
    if (EVP_PKEY_is_a(key->key, "ED25519")) {
        wire_put(&out, STR("ssh-ed25519"));
        if (!EVP_PKEY_get_raw_public_key(key->key, bytes, &size))
            return false;
    } else {
        const struct curve *curve = NULL;
        (void)EVP_PKEY_get_utf8_string_param(key->key, OSSL_PKEY_PARAM_GROUP_NAME, group,
                                             sizeof group, NULL);
        const char *const openssl[CURVES] = {"prime256v1", "secp384r1", "secp521r1"};
        for (size_t i = 0; i < CURVES; i++)
            if (strcmp(group, openssl[i]) == 0 || strcmp(group, curves[i].group) == 0)
                curve = &curves[i];
        if (!curve || !EVP_PKEY_get_octet_string_param(key->key, OSSL_PKEY_PARAM_PUB_KEY, bytes,
                                                       sizeof bytes, &size))
            return false;
        wire_put(&out, str_of(curve->kind));
        wire_put(&out, str_of(curve->name));
    }
    wire_put(&out, str_make((const char *)bytes, size));
    key->blob_size = out.size;
    return out.size <= sizeof key->blob;
}

static bool read_pem(const char *path, str pem, struct ssh_key *key, struct error *err)
{
    if (str_starts(pem, STR(BEGIN("RSA PRIVATE KEY"))))
        return refuse_rsa(path, err);
    if (str_search(pem, STR("ENCRYPTED")) != STR_NONE)
        return refuse_passphrase(path, err);
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    key->key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    if (!key->key)
        return refuse_damaged(path, err);
    if (EVP_PKEY_is_a(key->key, "RSA"))
        return refuse_rsa(path, err);
    return fill_blob(key) || refuse_kind(path, str_of(EVP_PKEY_get0_type_name(key->key)), err);
}

// ---- reading ----------------------------------------------------------------------------------

static bool read_key(const char *path, str pem, struct ssh_key *key, struct error *err)
{
    if (str_starts(pem, STR(BEGIN("OPENSSH PRIVATE KEY"))))
        return read_openssh(path, pem, key, err);
    if (str_starts(pem, STR("-----BEGIN ")) && str_search(pem, STR("PRIVATE KEY-")) != STR_NONE)
        return read_pem(path, pem, key, err);
    if (str_starts(pem, STR("ssh-")) || str_starts(pem, STR("ecdsa-")))
        return error_set(err, ERROR_INPUT, "%s is the public half of a key", path);
    return error_set(err, ERROR_INPUT, "%s is no private key", path);
}

bool ssh_key_read(const char *path, struct ssh_key *ret, struct error *err)
{
    char bytes[KEY_MAX_BYTES];
    struct stat status = {0};
    struct ssh_key key = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd >= 0 && fstat(fd, &status) == 0 ? read(fd, bytes, sizeof bytes) : -1;
    bool ok;
    if (size < 0)
        ok = error_errno(err, "reading the key", path);
    else if ((size_t)size == sizeof bytes)
        ok = error_set(err, ERROR_INPUT, "%s is too large for a key", path);
    else
        ok = read_key(path, str_trim(str_make(bytes, (size_t)size)), &key, err);
    if (ok && status.st_uid == getuid() && (status.st_mode & 077))
        ok = error_set(err, ERROR_DENIED,
                       "%s can be read by others, which a private key must not: `chmod 600 %s`",
                       path, path);
    secret_wipe(bytes, sizeof bytes);
    if (fd >= 0)
        close(fd);
    if (ok)
        *ret = key;
    else
        ssh_key_done(&key);
    return ok;
}
