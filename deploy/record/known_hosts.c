#include "deploy/record/known_hosts.h"

#include "deploy/record/wire.h"
#include "deploy/world/files.h"
#include "gate/base/number.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

enum { FILE_MAX = 4 << 20, KEY_MAX = 4096, NAME_MAX_BYTES = 300, SHOWN = 128 };

uint16_t ssh_url_port(const char *url)
{
    str rest = str_of(url);
    size_t scheme = str_search(rest, STR("://"));
    uint32_t port;
    if (scheme == STR_NONE)
        return 22; // host:path
    rest = str_from(rest, scheme + 3);
    str authority = str_cut(&rest, '/');
    size_t colon = str_find_last(authority, ':');
    if (colon == STR_NONE || !number_u32(str_from(authority, colon + 1), &port) || port > 65535)
        return 22;
    return (uint16_t)port;
}

// `*` and `?`, iteratively: on a mismatch the newest star takes one byte more.
static bool wildcard(str pattern, str name)
{
    size_t p = 0, n = 0, star = STR_NONE, mark = 0;
    while (n < name.len) {
        if (p < pattern.len && (pattern.data[p] == '?' || pattern.data[p] == name.data[n])) {
            p++, n++;
        } else if (p < pattern.len && pattern.data[p] == '*') {
            star = p++;
            mark = n;
        } else if (star != STR_NONE) {
            p = star + 1;
            n = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.data[p] == '*')
        p++;
    return p == pattern.len;
}

static bool decode(str base64, unsigned char *out, size_t room, size_t *ret)
{
    if (base64.len == 0 || base64.len % 4 || base64.len / 4 * 3 > room)
        return false;
    int size = EVP_DecodeBlock(out, (const unsigned char *)base64.data, (int)base64.len);
    size_t padding =
        (base64.data[base64.len - 1] == '=') + (size_t)(base64.data[base64.len - 2] == '=');
    if (size < (int)padding)
        return false;
    *ret = (size_t)size - padding;
    return true;
}

// "|1|salt|hash": the name's HMAC-SHA1 under the salt.
static bool hashed(str pattern, str name)
{
    unsigned char salt[64], want[64], have[64];
    size_t salt_size, want_size;
    unsigned have_size = 0;
    str rest = str_from(pattern, 3);
    str salt_text = str_cut(&rest, '|');
    return decode(salt_text, salt, sizeof salt, &salt_size) &&
           decode(rest, want, sizeof want, &want_size) &&
           HMAC(EVP_sha1(), salt, (int)salt_size, (const unsigned char *)name.data, name.len, have,
                &have_size) &&
           have_size == want_size && memcmp(have, want, want_size) == 0;
}

static bool names_match(str patterns, str name)
{
    bool match = false;
    if (str_starts(patterns, STR("|1|")))
        return hashed(patterns, name);
    while (patterns.len) {
        str pattern = str_cut(&patterns, ',');
        bool negated = str_starts(pattern, STR("!"));
        if (negated)
            pattern = str_from(pattern, 1);
        if (!wildcard(pattern, name))
            continue;
        if (negated)
            return false;
        match = true;
    }
    return match;
}

static str word(str *line)
{
    *line = str_trim(*line);
    size_t n = 0;
    while (n < line->len && line->data[n] != ' ' && line->data[n] != '\t')
        n++;
    str first = str_first(*line, n);
    *line = str_from(*line, n);
    return first;
}

enum answer { ANSWER_NOTHING, ANSWER_OTHER_KEY, ANSWER_KNOWN, ANSWER_REVOKED };

static enum answer ask_line(str line, str name, str key)
{
    unsigned char blob[KEY_MAX];
    size_t size;
    str first = word(&line), marker = {NULL, 0};
    if (!first.len || first.data[0] == '#')
        return ANSWER_NOTHING;
    if (first.data[0] == '@') {
        marker = first;
        first = word(&line);
    }
    if (str_is(marker, "@cert-authority") || !names_match(first, name))
        return ANSWER_NOTHING;
    (void)word(&line); // kind: the key says it itself
    if (!decode(word(&line), blob, sizeof blob, &size))
        return ANSWER_NOTHING;
    bool same = str_eq(str_make((const char *)blob, size), key);
    if (str_is(marker, "@revoked"))
        return same ? ANSWER_REVOKED : ANSWER_NOTHING;
    return same ? ANSWER_KNOWN : ANSWER_OTHER_KEY;
}

// "ssh-ed25519 SHA256:…": kind and fingerprint, as ssh shows them.
static void describe(str key, char out[SHOWN])
{
    unsigned char digest[32], base64[48];
    unsigned size = 0;
    struct wire in = {(const unsigned char *)key.data, key.len, false};
    str kind = wire_str(&in);
    (void)EVP_Digest(key.data, key.len, digest, &size, EVP_sha256(), NULL);
    (void)EVP_EncodeBlock(base64, digest, sizeof digest);
    (void)snprintf(out, SHOWN, STR_FMT " SHA256:%.43s", STR_ARG(str_first(kind, 40)),
                   (const char *)base64);
}

bool known_hosts_check(const char *file, const char *host, const char *url, str key,
                       struct error *err)
{
    struct arena arena = {0};
    str bytes;
    char name[NAME_MAX_BYTES];
    uint16_t port = ssh_url_port(url);
    if (!file_read(&arena, file, FILE_MAX, &bytes, err)) {
        arena_done(&arena);
        err->kind = ERROR_DENIED;
        return error_wrap(err, "no host is known");
    }
    if (port == 22)
        (void)snprintf(name, sizeof name, "%s", host);
    else
        (void)snprintf(name, sizeof name, "[%s]:%u", host, port);
    enum answer answer = ANSWER_NOTHING;
    while (bytes.len) {
        enum answer one = ask_line(str_cut(&bytes, '\n'), str_of(name), key);
        if (one > answer)
            answer = one;
    }
    arena_done(&arena);
    char shown[SHOWN];
    describe(key, shown);
    switch (answer) {
    case ANSWER_KNOWN:
        return true;
    case ANSWER_REVOKED:
        return error_set(err, ERROR_DENIED, "the host key of %s is revoked in %s", name, file);
    case ANSWER_OTHER_KEY:
        return error_set(
            err, ERROR_DENIED,
            "%s shows the host key %s, and %s has another one; if it is the host's key "
            "of another kind, add it there",
            name, shown, file);
    case ANSWER_NOTHING:
        break;
    }
    return error_set(err, ERROR_DENIED,
                     "%s is not in %s; its host key is %s: compare it with what the host's owner "
                     "says, then add it there",
                     name, file, shown);
}
