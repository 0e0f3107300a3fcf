#include "deploy/world/ssh_host_key.h"

#include "deploy/world/files.h"
#include "gate/base/sha256.h"

#include <openssl/evp.h>
#include <stdio.h>

enum { KNOWN_HOSTS_MAX = 16 << 20, NAME_BYTES = 300 };

static const struct kind {
    int type, known_bits;
    const char *name;       // in the protocol
    const char *short_name; // of ssh-keyscan -t and of the host's own file
} kinds[] = {
    {LIBSSH2_HOSTKEY_TYPE_ED25519, LIBSSH2_KNOWNHOST_KEY_ED25519, "ssh-ed25519", "ed25519"},
    {LIBSSH2_HOSTKEY_TYPE_ECDSA_256, LIBSSH2_KNOWNHOST_KEY_ECDSA_256, "ecdsa-sha2-nistp256",
     "ecdsa"},
    {LIBSSH2_HOSTKEY_TYPE_ECDSA_384, LIBSSH2_KNOWNHOST_KEY_ECDSA_384, "ecdsa-sha2-nistp384",
     "ecdsa"},
    {LIBSSH2_HOSTKEY_TYPE_ECDSA_521, LIBSSH2_KNOWNHOST_KEY_ECDSA_521, "ecdsa-sha2-nistp521",
     "ecdsa"},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

char *fingerprint_of(str key, char out[FINGERPRINT_TEXT])
{
    unsigned char digest[SHA256_BYTES];
    char base64[4 * ((SHA256_BYTES + 2) / 3) + 1];
    struct sha256 sha;
    sha256_init(&sha);
    sha256_add(&sha, key.data, key.len);
    sha256_done(&sha, digest);
    (void)EVP_EncodeBlock((unsigned char *)base64, digest, sizeof digest);
    base64[strcspn(base64, "=")] = '\0';
    (void)snprintf(out, FINGERPRINT_TEXT, "SHA256:%.43s", base64);
    return out;
}

// The name under which the n-th look-up is made; false when there is none. A port of its own is
// looked for first, then, as OpenSSH does, the plain name.
static bool name_of(const struct host_key_rules *rules, unsigned nth, char name[NAME_BYTES])
{
    bool other_port = rules->port != 22;
    if (other_port && nth == 0)
        (void)snprintf(name, NAME_BYTES, "[%s]:%u", rules->host, (unsigned)rules->port);
    else
        (void)snprintf(name, NAME_BYTES, "%s", rules->host);
    return nth <= (other_port ? 1U : 0U);
}

static int look_up(const struct host_key_rules *rules, const char *name, const char *key,
                   size_t size, int known_bits)
{
    struct libssh2_knownhost *found = NULL;
    return libssh2_knownhost_check(
        rules->known, name, key, size,
        LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW | known_bits, &found);
}

// A key that no host has: a mismatch says that the host is known by some key of that kind.
static bool is_known_by(const struct host_key_rules *rules, const char *name, int known_bits)
{
    return look_up(rules, name, "none", 4, known_bits) == LIBSSH2_KNOWNHOST_CHECK_MISMATCH;
}

static void read_line(struct host_key_rules *rules, struct arena *arena, str line)
{
    line = str_trim(line);
    if (!line.len || line.data[0] == '#')
        return;
    if (line.data[0] != '@') { // a copy: libssh2 looks at the byte after the last one
        (void)libssh2_knownhost_readline(rules->known, arena_copy(arena, line), line.len,
                                         LIBSSH2_KNOWNHOST_FILE_OPENSSH);
        return;
    }
    str fields[4] = {{0}};
    for (size_t i = 0; i < 4 && line.len; line = str_trim(line))
        fields[i++] = str_cut(&line, ' ');
    size_t most = sizeof rules->revoked / sizeof *rules->revoked;
    if (str_is(fields[0], "@revoked") && fields[3].len && rules->revoked_count < most)
        rules->revoked[rules->revoked_count++] = fields[3];
}

static bool read_known_hosts(struct host_key_rules *rules, struct arena *arena, struct error *err)
{
    str bytes;
    struct error why;
    if (!file_read(arena, rules->known_hosts, KNOWN_HOSTS_MAX, &bytes, &why)) {
        if (why.kind == ERROR_ABSENT)
            return true;
        *err = why;
        return false;
    }
    while (bytes.len)
        read_line(rules, arena, str_cut(&bytes, '\n'));
    return true;
}

bool host_key_prepare(struct host_key_rules *rules, struct arena *arena, LIBSSH2_SESSION *session,
                      struct error *err)
{
    char name[NAME_BYTES], order[256] = "";
    bool known[KINDS] = {false};
    rules->known = libssh2_knownhost_init(session);
    if (!rules->known)
        return error_set(err, ERROR_SYSTEM, "no memory for the known hosts");
    if (!rules->fingerprint && !read_known_hosts(rules, arena, err))
        return false;
    for (unsigned nth = 0; name_of(rules, nth, name); nth++)
        for (size_t i = 0; i < KINDS && !rules->fingerprint; i++)
            known[i] = known[i] || is_known_by(rules, name, kinds[i].known_bits);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < KINDS; i++)
            if (known[i] == (pass == 0)) {
                size_t len = strlen(order);
                (void)snprintf(order + len, sizeof order - len, "%s%s", len ? "," : "",
                               kinds[i].name);
            }
    if (libssh2_session_method_pref(session, LIBSSH2_METHOD_HOSTKEY, order) != 0)
        return error_set(err, ERROR_SYSTEM, "libssh2 knows no ed25519 and no ECDSA host keys");
    return true;
}

// ---- after the handshake ----------------------------------------------------------------------

static bool is_revoked(const struct host_key_rules *rules, const char *key, size_t size)
{
    unsigned char base64[4096];
    if (size > sizeof base64 / 2)
        return true;
    int len = EVP_EncodeBlock(base64, (const unsigned char *)key, (int)size);
    for (size_t i = 0; i < rules->revoked_count; i++)
        if (str_eq(rules->revoked[i], str_make((const char *)base64, (size_t)len)))
            return true;
    return false;
}

static bool refuse_unknown(const struct host_key_rules *rules, const struct kind *kind,
                           const char *shown, struct error *err)
{
    return error_set(
        err, ERROR_DENIED,
        "the host %s is not in %s. It shows the %s key %s. Compare it with the host's own "
        "(`ssh-keygen -lf /etc/ssh/ssh_host_%s_key.pub` there); if they are equal, run "
        "`ssh-keyscan -t %s -p %u %s >> %s`, or pin it: `fingerprint: %s`",
        rules->host, rules->known_hosts, kind->short_name, shown, kind->short_name,
        kind->short_name, (unsigned)rules->port, rules->host, rules->known_hosts, shown);
}

static bool refuse_changed(const struct host_key_rules *rules, const struct kind *kind,
                           const char *shown, const char *name, struct error *err)
{
    return error_set(
        err, ERROR_DENIED,
        "THE HOST KEY OF %s IS NOT THE KNOWN ONE: somebody may stand in between. It shows the %s "
        "key %s, which is not what %s has for it. Nothing was sent. Only if the host was rebuilt "
        "on purpose, run `ssh-keygen -R '%s' -f %s` and add its new key",
        name, kind->short_name, shown, rules->known_hosts, name, rules->known_hosts);
}

static bool same_fingerprint(const char *pinned, const char *shown)
{
    size_t len = strcspn(pinned, "="); // base64 may be padded
    return strlen(shown) == len && strncmp(pinned, shown, len) == 0;
}

bool host_key_accept(const struct host_key_rules *rules, LIBSSH2_SESSION *session,
                     struct error *err)
{
    size_t size = 0;
    int type = LIBSSH2_HOSTKEY_TYPE_UNKNOWN;
    const char *key = libssh2_session_hostkey(session, &size, &type);
    const struct kind *kind = NULL;
    char shown[FINGERPRINT_TEXT], name[NAME_BYTES];
    for (size_t i = 0; i < KINDS; i++)
        if (kinds[i].type == type)
            kind = &kinds[i];
    if (!key || !kind)
        return error_set(err, ERROR_DENIED, "the host %s shows no ed25519 and no ECDSA key",
                         rules->host);
    fingerprint_of(str_make(key, size), shown);
    if (rules->fingerprint && same_fingerprint(rules->fingerprint, shown))
        return true;
    if (rules->fingerprint)
        return error_set(err, ERROR_DENIED,
                         "THE HOST KEY OF %s IS NOT THE PINNED ONE: somebody may stand in "
                         "between. It shows the %s key %s; pinned is %.60s. Nothing was sent",
                         rules->host, kind->short_name, shown, rules->fingerprint);
    if (is_revoked(rules, key, size))
        return error_set(err, ERROR_DENIED, "THE HOST KEY OF %s IS REVOKED in %s: %s", rules->host,
                         rules->known_hosts, shown);
    bool other_kind = false;
    for (unsigned nth = 0; name_of(rules, nth, name); nth++) {
        int found = look_up(rules, name, key, size, kind->known_bits);
        if (found == LIBSSH2_KNOWNHOST_CHECK_MATCH)
            return true;
        if (nth > 0)
            break; // a plain name may be another server on the same host: it can only confirm
        if (found == LIBSSH2_KNOWNHOST_CHECK_MISMATCH)
            return refuse_changed(rules, kind, shown, name, err);
        for (size_t i = 0; i < KINDS; i++)
            other_kind = other_kind || is_known_by(rules, name, kinds[i].known_bits);
    }
    (void)name_of(rules, 0, name);
    return other_kind ? refuse_changed(rules, kind, shown, name, err)
                      : refuse_unknown(rules, kind, shown, err);
}

void host_key_done(struct host_key_rules *rules)
{
    if (rules->known)
        libssh2_knownhost_free(rules->known);
    rules->known = NULL;
}
