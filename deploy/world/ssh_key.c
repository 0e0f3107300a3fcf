#include "deploy/world/ssh_key.h"

#include "deploy/world/ssh_host_key.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_MAX_BYTES = 16384 };

#define BEGIN(what) "-----BEGIN " what "-----"
#define MAGIC "openssh-key-v1"

// A string of the protocol: four bytes of length, then so many bytes. Empty when cut short.
static str take_string(str *rest)
{
    if (rest->len < 4)
        return *rest = (str){0};
    const unsigned char *p = (const unsigned char *)rest->data;
    size_t len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    if (len > rest->len - 4)
        return *rest = (str){0};
    str taken = str_make(rest->data + 4, len);
    *rest = str_from(*rest, 4 + len);
    return taken;
}

str ssh_key_kind(str blob)
{
    return take_string(&blob);
}

bool ssh_key_kind_ok(str kind)
{
    return str_is(kind, "ssh-ed25519") || str_is(kind, "ecdsa-sha2-nistp256") ||
           str_is(kind, "ecdsa-sha2-nistp384") || str_is(kind, "ecdsa-sha2-nistp521");
}

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

// The public half of a key in OpenSSH's own format is readable whether or not it has a passphrase.
static bool check_openssh(const char *path, str pem, struct ssh_key *key, struct error *err)
{
    unsigned char bytes[KEY_MAX_BYTES];
    size_t size = decode(pem, bytes, sizeof bytes);
    str rest = str_make((const char *)bytes, size);
    bool ok = str_starts(rest, str_make(MAGIC, sizeof MAGIC));
    rest = str_from(rest, sizeof MAGIC);
    str cipher = take_string(&rest);
    (void)take_string(&rest); // key derivation
    (void)take_string(&rest); // its options
    rest = str_from(rest, 4); // number of keys
    str blob = take_string(&rest), kind = ssh_key_kind(blob);
    if (!ok || !kind.len)
        (void)error_set(err, ERROR_INPUT, "%s is a damaged key file", path);
    else if (str_is(kind, "ssh-rsa"))
        (void)refuse_rsa(path, err);
    else if (!ssh_key_kind_ok(kind))
        (void)error_set(err, ERROR_DENIED,
                        "%s is a key of kind " STR_FMT ": ed25519 and ECDSA keys can be used", path,
                        STR_ARG(str_first(kind, 60)));
    else if (!str_is(cipher, "none"))
        (void)refuse_passphrase(path, err);
    else
        (void)fingerprint_of(blob, key->about);
    ok = key->about[0] != '\0';
    secret_wipe(bytes, sizeof bytes);
    return ok;
}

static bool check_kind(const char *path, str pem, struct ssh_key *key, struct error *err)
{
    if (str_starts(pem, STR(BEGIN("OPENSSH PRIVATE KEY"))))
        return check_openssh(path, pem, key, err);
    if (str_starts(pem, STR(BEGIN("RSA PRIVATE KEY"))))
        return refuse_rsa(path, err);
    if (str_search(pem, STR("ENCRYPTED")) != STR_NONE)
        return refuse_passphrase(path, err);
    if (str_starts(pem, STR(BEGIN("EC PRIVATE KEY"))))
        return true;
    if (str_starts(pem, STR(BEGIN("PRIVATE KEY"))))
        return error_set(err, ERROR_INPUT,
                         "%s is in PKCS#8 format: rewrite it in OpenSSH's own with `ssh-keygen -p "
                         "-N '' -f %s`",
                         path, path);
    if (str_starts(pem, STR("ssh-")) || str_starts(pem, STR("ecdsa-")))
        return error_set(err, ERROR_INPUT, "%s is the public half of a key", path);
    return error_set(err, ERROR_INPUT, "%s is no private key that sluice knows", path);
}

bool ssh_key_read(const char *path, struct ssh_key *ret, struct error *err)
{
    char bytes[KEY_MAX_BYTES];
    struct stat status;
    struct ssh_key key = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0) {
        (void)error_errno(err, "reading the key", path);
        if (fd >= 0)
            close(fd);
        return false;
    }
    ssize_t size = read(fd, bytes, sizeof bytes);
    close(fd);
    bool ok = false;
    if (size < 0)
        (void)error_errno(err, "reading the key", path);
    else if ((size_t)size == sizeof bytes)
        (void)error_set(err, ERROR_INPUT, "%s is too large for a key", path);
    else if (status.st_uid == getuid() && (status.st_mode & 077))
        (void)error_set(err, ERROR_DENIED,
                        "%s can be read by others, which a private key must not: `chmod 600 %s`",
                        path, path);
    else
        ok = check_kind(path, str_trim(str_make(bytes, (size_t)size)), &key, err);
    if (ok) {
        secret_take(&key.bytes, str_make(bytes, (size_t)size));
        *ret = key;
    }
    secret_wipe(bytes, sizeof bytes);
    return ok;
}

void ssh_key_done(struct ssh_key *key)
{
    secret_done(&key->bytes);
}
