#include "deploy/record/sign.h"

#include "deploy/record/wire.h"
#include "deploy/world/files.h"
#include "gate/base/secret.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>

enum { KEY_FILE_MAX = 64 << 10, SIGNATURE = 64, DIGEST = 64, LINE = 70 };

#define ARMOR_BEGIN "-----BEGIN SSH SIGNATURE-----\n"
#define ARMOR_END "-----END SSH SIGNATURE-----"

struct sign_key {
    EVP_PKEY *pkey;
    struct sign_public public;
};

static bool refuse_key(struct error *err, const char *why)
{
    ERR_clear_error();
    return error_set(
        err, ERROR_INPUT,
        "the signing key %s; make one with `ssh-keygen -t ed25519 -N '' -f ledger_key`", why);
}

// ---- private keys -------------------------------------------------------------------------------

// "openssh-key-v1": only what `ssh-keygen -N ''` writes is taken.
static bool openssh_seed(const unsigned char *bytes, size_t size, unsigned char seed[32],
                         struct error *err)
{
    static const char magic[] = "openssh-key-v1";
    struct wire in = {bytes, size, false};
    const unsigned char *head = wire_bytes(&in, sizeof magic);
    if (!head || memcmp(head, magic, sizeof magic) != 0)
        return refuse_key(err, "is not in OpenSSH's format");
    str cipher = wire_str(&in);
    (void)wire_str(&in); // key derivation
    (void)wire_str(&in);
    uint32_t count = wire_u32(&in);
    (void)wire_str(&in); // public part
    str body = wire_str(&in);
    if (in.bad)
        return refuse_key(err, "is cut short");
    if (!str_is(cipher, "none"))
        return refuse_key(err, "is encrypted, and nobody is there to be asked for its passphrase");
    struct wire part = {(const unsigned char *)body.data, body.len, false};
    uint32_t check = wire_u32(&part), again = wire_u32(&part);
    str kind = wire_str(&part);
    if (!part.bad && (!str_is(kind, "ssh-ed25519") || count != 1))
        return refuse_key(err, "is not an ed25519 key");
    str public = wire_str(&part), private = wire_str(&part);
    if (part.bad || check != again || public.len != 32 || private.len != 64)
        return refuse_key(err, "is damaged");
    memcpy(seed, private.data, 32);
    return true;
}

static bool finish_key(EVP_PKEY *pkey, struct sign_key **ret, struct error *err)
{
    struct sign_public public;
    size_t size = sizeof public.bytes;
    if (EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519 ||
        EVP_PKEY_get_raw_public_key(pkey, public.bytes, &size) != 1) {
        EVP_PKEY_free(pkey);
        return refuse_key(err, "is not an ed25519 key");
    }
    struct sign_key *key = memory_alloc(sizeof *key);
    *key = (struct sign_key){pkey, public};
    *ret = key;
    return true;
}

static int no_passphrase(char *buffer, int size, int writing, void *context)
{
    (void)buffer, (void)size, (void)writing, (void)context;
    return -1;
}

static bool parse_key(str text, struct sign_key **ret, struct error *err)
{
    if (str_search(text, STR("BEGIN ENCRYPTED PRIVATE KEY")) != STR_NONE)
        return refuse_key(err, "is encrypted, and nobody is there to be asked for its passphrase");
    BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
    if (!bio)
        return error_set(err, ERROR_SYSTEM, "libcrypto has no memory for the signing key");
    EVP_PKEY *pkey = NULL;
    if (str_search(text, STR("BEGIN OPENSSH PRIVATE KEY")) != STR_NONE) {
        char *name = NULL, *header = NULL;
        unsigned char *bytes = NULL, seed[32];
        long size = 0;
        bool ok = PEM_read_bio(bio, &name, &header, &bytes, &size) == 1
                      ? openssh_seed(bytes, (size_t)size, seed, err)
                      : refuse_key(err, "is damaged");
        if (ok)
            pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
        secret_wipe(seed, sizeof seed);
        if (bytes)
            OPENSSL_clear_free(bytes, (size_t)size);
        OPENSSL_free(name);
        OPENSSL_free(header);
        BIO_free(bio);
        if (!ok)
            return false;
    } else {
        pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
        BIO_free(bio);
    }
    if (!pkey)
        return refuse_key(err, "is neither OpenSSH's format nor PKCS#8 PEM");
    return finish_key(pkey, ret, err);
}

bool sign_key_open(str key, struct sign_key **ret, struct error *err)
{
    if (str_search(key, STR("PRIVATE KEY-----")) != STR_NONE)
        return key.len <= KEY_FILE_MAX ? parse_key(key, ret, err)
                                       : refuse_key(err, "is far too long");
    if (str_trim(key).len == 0)
        return error_set(err, ERROR_INPUT,
                         "`sign_with` is empty: name a key file, or a variable "
                         "that is set to the key");
    if (str_find(key, '\n') != STR_NONE || key.len >= 4096)
        return refuse_key(err, "is neither the path of a file nor the text of a key");
    struct arena arena = {0};
    str text = {NULL, 0};
    bool ok = file_read(&arena, arena_copy(&arena, key), KEY_FILE_MAX, &text, err)
                  ? parse_key(text, ret, err)
                  : error_wrap(err, "reading the signing key");
    secret_wipe((void *)(uintptr_t)text.data, text.len); // the arena's bytes, which are ours
    arena_done(&arena);
    return ok;
}

void sign_key_close(struct sign_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey); // wipes it
    free(key);
}

struct sign_public sign_key_public(const struct sign_key *key)
{
    return key->public;
}

// ---- signatures ---------------------------------------------------------------------------------

static void add_public(struct text *out, const struct sign_public *key)
{
    wire_add_u32(out, 4 + 11 + 4 + SIGN_PUBLIC);
    wire_add_str(out, STR("ssh-ed25519"));
    wire_add_str(out, str_make((const char *)key->bytes, SIGN_PUBLIC));
}

// What is signed: the namespace and the digest of the payload.
static bool to_be_signed(str payload, struct text *out)
{
    unsigned char digest[DIGEST];
    unsigned size = 0;
    if (EVP_Digest(payload.data, payload.len, digest, &size, EVP_sha512(), NULL) != 1)
        return false;
    text_add(out, STR("SSHSIG"));
    wire_add_str(out, STR("git"));
    wire_add_str(out, STR(""));
    wire_add_str(out, STR("sha512"));
    wire_add_str(out, str_make((const char *)digest, size));
    return true;
}

static void add_armor(str blob, struct text *out)
{
    char *base64 = memory_alloc(4 * ((blob.len + 2) / 3) + 1);
    int size =
        EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)blob.data, (int)blob.len);
    text_adds(out, ARMOR_BEGIN);
    for (str rest = str_make(base64, (size_t)size); rest.len; rest = str_from(rest, LINE)) {
        text_add(out, str_first(rest, LINE));
        text_addc(out, '\n');
    }
    text_adds(out, ARMOR_END);
    free(base64);
}

bool sign_bytes(const struct sign_key *key, str payload, struct text *out, struct error *err)
{
    struct text data = text_of(1024), blob = text_of(1024);
    unsigned char signature[SIGNATURE];
    size_t size = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok =
        context && to_be_signed(payload, &data) &&
        EVP_DigestSignInit(context, NULL, NULL, NULL, key->pkey) == 1 &&
        EVP_DigestSign(context, signature, &size, (const unsigned char *)data.data, data.len) == 1;
    EVP_MD_CTX_free(context);
    if (ok) {
        text_add(&blob, STR("SSHSIG"));
        wire_add_u32(&blob, 1);
        add_public(&blob, &key->public);
        wire_add_str(&blob, STR("git"));
        wire_add_str(&blob, STR(""));
        wire_add_str(&blob, STR("sha512"));
        wire_add_u32(&blob, 4 + 11 + 4 + SIGNATURE);
        wire_add_str(&blob, STR("ssh-ed25519"));
        wire_add_str(&blob, str_make((const char *)signature, size));
        add_armor(text_str(&blob), out);
    }
    text_done(&data);
    text_done(&blob);
    return ok ? true : error_set(err, ERROR_SYSTEM, "libcrypto could not sign");
}

static bool not_ours(struct error *err)
{
    ERR_clear_error();
    return error_set(err, ERROR_INPUT, "the signature is not an ed25519 ssh signature for git");
}

// Exactly the base64 that add_armor writes: nothing may hide in it.
static bool strip_armor(str armored, unsigned char out[SIGN_ARMORED], size_t *ret_size)
{
    char base64[SIGN_ARMORED];
    size_t len = 0;
    if (str_ends(armored, STR("\n")))
        armored.len--;
    if (!str_starts(armored, STR(ARMOR_BEGIN)) || !str_ends(armored, STR(ARMOR_END)) ||
        armored.len > SIGN_ARMORED)
        return false;
    armored = str_from(armored, sizeof ARMOR_BEGIN - 1);
    armored.len -= sizeof ARMOR_END - 1;
    while (armored.len) {
        str line = str_cut(&armored, '\n');
        if (line.len == 0 || line.len > LINE || (armored.len && line.len != LINE))
            return false;
        memcpy(base64 + len, line.data, line.len);
        len += line.len;
    }
    if (len == 0 || len % 4)
        return false;
    size_t padding = (base64[len - 1] == '=') + (size_t)(base64[len - 2] == '=');
    int size = EVP_DecodeBlock(out, (const unsigned char *)base64, (int)len);
    if (size < 0 || (size_t)size < padding)
        return false;
    *ret_size = (size_t)size - padding;
    char again[SIGN_ARMORED + 4];
    int again_len = EVP_EncodeBlock((unsigned char *)again, out, (int)*ret_size);
    return again_len == (int)len && memcmp(again, base64, len) == 0;
}

static bool read_public(str blob, struct sign_public *ret)
{
    struct wire in = {(const unsigned char *)blob.data, blob.len, false};
    str kind = wire_str(&in), key = wire_str(&in);
    if (in.bad || in.left || !str_is(kind, "ssh-ed25519") || key.len != SIGN_PUBLIC)
        return false;
    memcpy(ret->bytes, key.data, SIGN_PUBLIC);
    return true;
}

static bool verify_with(const struct sign_public *key, str payload, str signature)
{
    struct text data = text_of(1024);
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->bytes, SIGN_PUBLIC);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = pkey && context && to_be_signed(payload, &data) &&
              EVP_DigestVerifyInit(context, NULL, NULL, NULL, pkey) == 1 &&
              EVP_DigestVerify(context, (const unsigned char *)signature.data, signature.len,
                               (const unsigned char *)data.data, data.len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pkey);
    text_done(&data);
    ERR_clear_error();
    return ok;
}

bool sign_check(str payload, str armored, struct sign_public *ret, struct error *err)
{
    unsigned char blob[SIGN_ARMORED];
    size_t size;
    if (!strip_armor(armored, blob, &size))
        return not_ours(err);
    struct wire in = {blob, size, false};
    const unsigned char *magic = wire_bytes(&in, 6);
    uint32_t version = wire_u32(&in);
    str public = wire_str(&in), space = wire_str(&in), reserved = wire_str(&in),
        digest = wire_str(&in), body = wire_str(&in);
    struct sign_public key;
    if (in.bad || in.left || memcmp(magic, "SSHSIG", 6) != 0 || version != 1 || reserved.len ||
        !str_is(space, "git") || !str_is(digest, "sha512") || !read_public(public, &key))
        return not_ours(err);
    struct wire part = {(const unsigned char *)body.data, body.len, false};
    str kind = wire_str(&part), signature = wire_str(&part);
    if (part.bad || part.left || !str_is(kind, "ssh-ed25519") || signature.len != SIGNATURE)
        return not_ours(err);
    if (!verify_with(&key, payload, signature))
        return error_set(err, ERROR_DENIED, "the signature does not fit what is signed");
    *ret = key;
    return true;
}

// ---- public keys --------------------------------------------------------------------------------

char *sign_fingerprint(const struct sign_public *key, char out[SIGN_FINGERPRINT])
{
    struct text blob = text_of(128);
    unsigned char digest[32], base64[48];
    unsigned size = 0;
    add_public(&blob, key);
    str whole = str_from(text_str(&blob), 4);
    (void)EVP_Digest(whole.data, whole.len, digest, &size, EVP_sha256(), NULL);
    (void)EVP_EncodeBlock(base64, digest, sizeof digest);
    memcpy(out, "SHA256:", 7);
    memcpy(out + 7, base64, 43); // without padding, as ssh-keygen prints it
    out[50] = '\0';
    text_done(&blob);
    return out;
}

const char *sign_public_text(struct arena *arena, const struct sign_public *key)
{
    struct text blob = text_of(128);
    add_public(&blob, key);
    str whole = str_from(text_str(&blob), 4);
    char base64[96];
    (void)EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)whole.data,
                          (int)whole.len);
    text_done(&blob);
    return arena_format(arena, "ssh-ed25519 %s", base64).data;
}

// The next word of a line; a quoted part of it may hold blanks.
static str next_word(str *line)
{
    *line = str_trim(*line);
    bool quoted = false;
    size_t n = 0;
    for (; n < line->len; n++) {
        char c = line->data[n];
        if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == ' ' || c == '\t'))
            break;
    }
    str word = str_first(*line, n);
    *line = str_from(*line, n);
    return word;
}

static bool is_key_kind(str word)
{
    return str_starts(word, STR("ssh-")) || str_starts(word, STR("ecdsa-")) ||
           str_starts(word, STR("sk-"));
}

static bool parse_signer(str line, struct position at, struct signer *ret, bool *ret_usable,
                         struct error *err)
{
    *ret_usable = false;
    str principals = next_word(&line), word = next_word(&line);
    bool for_git = true;
    if (!is_key_kind(word)) {
        str options = word;
        static const char prefix[] = "namespaces=\"";
        if (!str_starts(options, STR("namespaces=\"")) || !str_ends(options, STR("\"")))
            return error_at(err, ERROR_INPUT, at,
                            "`" STR_FMT "` is not understood; only namespaces=\"git\" is",
                            STR_ARG(str_first(options, 80)));
        str spaces = str_from(options, sizeof prefix - 1);
        spaces.len--;
        if (str_find(spaces, '"') != STR_NONE)
            return error_at(err, ERROR_INPUT, at, "only one option is understood: namespaces");
        for_git = false;
        while (spaces.len)
            for_git |= str_is(str_cut(&spaces, ','), "git");
        word = next_word(&line);
    }
    str base64 = next_word(&line);
    if (!is_key_kind(word) || !base64.len)
        return error_at(err, ERROR_INPUT, at,
                        "want `principals [namespaces=\"git\"] ssh-ed25519 KEY`");
    if (!for_git || !str_is(word, "ssh-ed25519"))
        return true;
    unsigned char blob[128];
    if (base64.len > 100 || base64.len % 4)
        return error_at(err, ERROR_INPUT, at, "the key is damaged");
    int size = EVP_DecodeBlock(blob, (const unsigned char *)base64.data, (int)base64.len);
    size_t padding =
        (base64.data[base64.len - 1] == '=') + (size_t)(base64.data[base64.len - 2] == '=');
    if (size < 0 || !read_public(str_make((const char *)blob, (size_t)size - padding), &ret->key))
        return error_at(err, ERROR_INPUT, at, "the key is damaged");
    ret->principals = principals;
    *ret_usable = true;
    return true;
}

bool signers_parse(struct arena *arena, const char *file, str bytes, struct signers *ret,
                   struct error *err)
{
    struct signers signers = {NULL, 0};
    size_t room = 0;
    uint32_t number = 0;
    while (bytes.len) {
        str line = str_trim(str_cut(&bytes, '\n'));
        number++;
        if (!line.len || line.data[0] == '#')
            continue;
        struct signer signer;
        bool usable;
        if (!parse_signer(line, (struct position){file, number, 1}, &signer, &usable, err))
            return false;
        if (!usable)
            continue;
        signer.principals = arena_str(arena, signer.principals);
        signers.items = arena_grow(arena, signers.items, signers.count, &room, sizeof signer);
        signers.items[signers.count++] = signer;
    }
    *ret = signers;
    return true;
}

const struct signer *signers_find(const struct signers *signers, const struct sign_public *key)
{
    for (size_t i = 0; i < signers->count; i++)
        if (memcmp(signers->items[i].key.bytes, key->bytes, SIGN_PUBLIC) == 0)
            return &signers->items[i];
    return NULL;
}
