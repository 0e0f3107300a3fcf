#include "deploy/cloud/aws_sign.h"

#include "deploy/cloud/hmac.h"
#include "deploy/cloud/url_parts.h"
#include "gate/base/moment.h"
#include "gate/base/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { HEADERS_MOST = 64, PARAMETERS_MOST = 256, SEGMENTS_MOST = 1024, PART_MOST = 1 << 20 };

struct signed_header {
    str name; // lower case
    str value;
    str more; // right behind it: the secret part
    size_t order;
};

struct parameter {
    str name, value; // encoded
};

struct signer {
    const struct aws_signing *signing;
    struct arena *arena;
    struct url_parts url;
    struct signed_header headers[HEADERS_MOST + 4];
    size_t header_count;
    struct sha256 sha;
};

static void hash(struct signer *signer, str s)
{
    sha256_add(&signer->sha, s.data, s.len);
}

// ---- path ---------------------------------------------------------------------------------------

// Removes `.`, `..` and empty segments; a `/` at the end stays.
static bool normalize(struct arena *arena, str path, str *ret, struct error *err)
{
    str segments[SEGMENTS_MOST], last = {0};
    size_t count = 0;
    for (str rest = path; rest.data;) {
        last = str_cut(&rest, '/');
        if (str_is(last, ".."))
            count -= count > 0;
        else if (last.len && !str_is(last, ".") && count < SEGMENTS_MOST)
            segments[count++] = last;
        if (count == SEGMENTS_MOST)
            return error_set(err, ERROR_LIMIT, "a path has more than %d segments", SEGMENTS_MOST);
    }
    bool open_end = !last.len || str_is(last, ".") || str_is(last, "..");
    struct text out = text_of(path.len + 2);
    for (size_t i = 0; i < count; i++) {
        text_addc(&out, '/');
        text_add(&out, segments[i]);
    }
    if (open_end || !count)
        text_addc(&out, '/');
    *ret = arena_str(arena, text_str(&out));
    text_done(&out);
    return true;
}

static bool hash_path(struct signer *signer, struct error *err)
{
    str path = signer->url.path.len ? signer->url.path : STR("/");
    enum aws_path kind = signer->signing->path;
    if (kind == AWS_PATH_NORMALIZED && !normalize(signer->arena, path, &path, err))
        return false;
    struct text out = text_of(3 * path.len + 1);
    if (kind == AWS_PATH_AS_IS)
        text_add(&out, path);
    else
        url_encode(&out, path, URL_PATH);
    hash(signer, text_str(&out));
    hash(signer, STR("\n"));
    text_done(&out);
    return true;
}

// ---- query --------------------------------------------------------------------------------------

static str encoded_once(struct arena *arena, str s)
{
    struct text plain = text_of(s.len + 1), out = text_of(3 * s.len + 1);
    url_decode(&plain, s);
    url_encode(&out, text_str(&plain), URL_SEGMENT);
    str encoded = arena_str(arena, text_str(&out));
    text_done(&plain);
    text_done(&out);
    return encoded;
}

static int by_name_and_value(const void *left, const void *right)
{
    const struct parameter *a = left, *b = right;
    int order = str_cmp(a->name, b->name);
    return order ? order : str_cmp(a->value, b->value);
}

static bool hash_query(struct signer *signer, struct error *err)
{
    struct parameter *parameters = ARENA_ARRAY(signer->arena, struct parameter, PARAMETERS_MOST);
    size_t count = 0;
    for (str rest = signer->url.query; rest.len;) {
        str value = str_cut(&rest, '&');
        str name = str_cut(&value, '=');
        if (!name.len && !value.len)
            continue;
        if (count == PARAMETERS_MOST)
            return error_set(err, ERROR_LIMIT, "a URL has more than %d query parameters",
                             PARAMETERS_MOST);
        parameters[count].name = encoded_once(signer->arena, name);
        parameters[count++].value = encoded_once(signer->arena, value);
    }
    qsort(parameters, count, sizeof *parameters, by_name_and_value);
    for (size_t i = 0; i < count; i++) {
        hash(signer, i ? STR("&") : STR(""));
        hash(signer, parameters[i].name);
        hash(signer, STR("="));
        hash(signer, parameters[i].value);
    }
    hash(signer, STR("\n"));
    return true;
}

// ---- headers ------------------------------------------------------------------------------------

static void add_header(struct signer *signer, str name, str value, str more)
{
    char *lower = arena_alloc(signer->arena, name.len + 1);
    for (size_t i = 0; i < name.len; i++)
        lower[i] = char_lower(name.data[i]);
    size_t order = signer->header_count++;
    signer->headers[order] = (struct signed_header){str_make(lower, name.len), value, more, order};
}

static int by_name_and_order(const void *left, const void *right)
{
    const struct signed_header *a = left, *b = right;
    int order = str_cmp(a->name, b->name);
    return order ? order : (a->order > b->order) - (a->order < b->order);
}

static bool gather_headers(struct signer *signer, const char *date, const char *payload_hash,
                           struct error *err)
{
    const struct aws_signing *signing = signer->signing;
    for (const struct http_header *h = signing->headers; h && h->name; h++) {
        if (signer->header_count == HEADERS_MOST)
            return error_set(err, ERROR_LIMIT, "more than %d headers in one request", HEADERS_MOST);
        add_header(signer, str_of(h->name), str_of(h->value),
                   h->secret ? secret_reveal(h->secret) : (str){0});
    }
    const struct secret *token = signing->keys.session_token;
    add_header(signer, STR("host"), signer->url.host, (str){0});
    add_header(signer, STR("x-amz-date"), str_of(date), (str){0});
    if (signing->signs_payload_hash)
        add_header(signer, STR("x-amz-content-sha256"), str_of(payload_hash), (str){0});
    if (token && secret_is_set(token) && !signing->token_not_signed)
        add_header(signer, STR("x-amz-security-token"), (str){0}, secret_reveal(token));
    qsort(signer->headers, signer->header_count, sizeof *signer->headers, by_name_and_order);
    return true;
}

// White space at both ends goes, and runs of it become one space.
struct squeeze {
    bool begun, space;
};

static void hash_squeezed(struct signer *signer, struct squeeze *squeeze, str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            squeeze->space = squeeze->begun;
            continue;
        }
        if (squeeze->space)
            hash(signer, STR(" "));
        squeeze->space = false;
        squeeze->begun = true;
        hash(signer, str_make(&c, 1));
    }
}

static void hash_headers(struct signer *signer)
{
    for (size_t i = 0; i < signer->header_count; i++) {
        const struct signed_header *header = &signer->headers[i];
        bool again = i && str_eq(header->name, header[-1].name);
        struct squeeze squeeze = {0};
        if (!again)
            hash(signer, header->name);
        hash(signer, again ? STR(",") : STR(":"));
        hash_squeezed(signer, &squeeze, header->value);
        hash_squeezed(signer, &squeeze, header->more);
        if (i + 1 == signer->header_count || !str_eq(header->name, header[1].name))
            hash(signer, STR("\n"));
    }
    hash(signer, STR("\n"));
}

static void add_names(const struct signer *signer, struct text *out)
{
    for (size_t i = 0; i < signer->header_count; i++) {
        if (i && str_eq(signer->headers[i].name, signer->headers[i - 1].name))
            continue;
        if (i)
            text_addc(out, ';');
        text_add(out, signer->headers[i].name);
    }
}

// ---- the signature ------------------------------------------------------------------------------

static bool write_date(int64_t now_ms, char out[AWS_DATE_TEXT], struct error *err)
{
    int year, month, day;
    if (now_ms < 0 || now_ms >= civil_to_days(9999, 12, 31) * MS_DAY)
        return error_set(err, ERROR_INPUT,
                         "this machine's clock is outside the years 1970 to 9999");
    civil_from_days(now_ms / MS_DAY, &year, &month, &day);
    int seconds = (int)(now_ms % MS_DAY / MS_SECOND);
    char wide[64];
    (void)snprintf(wide, sizeof wide, "%04d%02d%02dT%02d%02d%02dZ", year, month, day,
                   seconds / 3600, seconds / 60 % 60, seconds % 60);
    memcpy(out, wide, AWS_DATE_TEXT - 1);
    out[AWS_DATE_TEXT - 1] = '\0';
    return true;
}

static void sign_scope(const struct aws_signing *signing, str day, str to_sign,
                       char out[SHA256_HEX])
{
    str secret = secret_reveal(signing->keys.secret_key);
    const str parts[] = {day, signing->region, signing->service, STR("aws4_request"), to_sign};
    unsigned char key[SHA256_BYTES];
    size_t size = secret.len + 4;
    char *first = memory_alloc(size);
    memcpy(first, "AWS4", 4);
    if (secret.len)
        memcpy(first + 4, secret.data, secret.len);
    hmac_sha256(str_make(first, size), parts[0], key);
    for (size_t i = 1; i < sizeof parts / sizeof *parts; i++) {
        unsigned char next[SHA256_BYTES];
        hmac_sha256(str_make((const char *)key, sizeof key), parts[i], next);
        memcpy(key, next, sizeof key);
        secret_wipe(next, sizeof next);
    }
    (void)sha256_hex(key, out);
    secret_wipe(first, size);
    secret_wipe(key, sizeof key);
    memory_free(first);
}

static bool hash_request(struct signer *signer, const char *payload_hash, str names,
                         char out[SHA256_HEX], struct error *err)
{
    unsigned char digest[SHA256_BYTES];
    sha256_init(&signer->sha);
    hash(signer, str_of(signer->signing->method));
    hash(signer, STR("\n"));
    bool ok = hash_path(signer, err) && hash_query(signer, err);
    hash_headers(signer);
    hash(signer, names);
    hash(signer, STR("\n"));
    hash(signer, str_of(payload_hash));
    sha256_done(&signer->sha, digest);
    (void)sha256_hex(digest, out);
    return ok;
}

bool aws_sign(const struct aws_signing *signing, struct arena *arena, struct aws_signature *ret,
              struct error *err)
{
    struct aws_signature signature = {0};
    struct signer signer = {.signing = signing, .arena = arena};
    char request_hash[SHA256_HEX], hex[SHA256_HEX];
    if (!url_split(str_of(signing->url), &signer.url, err) ||
        !write_date(signing->now_ms, signature.date, err))
        return false;
    if (signing->payload_hash)
        (void)snprintf(signature.payload_hash, sizeof signature.payload_hash, "%s",
                       signing->payload_hash);
    else
        (void)sha256_of(signing->body, signature.payload_hash);
    if (!gather_headers(&signer, signature.date, signature.payload_hash, err))
        return false;
    struct text names = text_of(PART_MOST);
    add_names(&signer, &names);
    bool ok = hash_request(&signer, signature.payload_hash, text_str(&names), request_hash, err);
    if (ok) {
        str day = str_make(signature.date, 8);
        str scope = arena_format(arena, STR_FMT "/" STR_FMT "/" STR_FMT "/aws4_request",
                                 STR_ARG(day), STR_ARG(signing->region), STR_ARG(signing->service));
        str to_sign = arena_format(arena, "AWS4-HMAC-SHA256\n%s\n" STR_FMT "\n%s", signature.date,
                                   STR_ARG(scope), request_hash);
        sign_scope(signing, day, to_sign, hex);
        signature.authorization = arena_format(arena,
                                               "AWS4-HMAC-SHA256 Credential=" STR_FMT "/" STR_FMT
                                               ", SignedHeaders=" STR_FMT ", Signature=%s",
                                               STR_ARG(signing->keys.access_key), STR_ARG(scope),
                                               STR_ARG(text_str(&names)), hex);
        *ret = signature;
    }
    text_done(&names);
    return ok;
}
