#include "deploy/artifact/object_store.h"

#include "deploy/artifact/object_url.h"
#include "deploy/cloud/chain.h"
#include "deploy/world/files.h"
#include "gate/base/limits.h"
#include "gate/base/number.h"
#include "gate/base/sha256.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { PIECE = 8 << 20, UPLOAD_MS = 600000, CONFLICT = 409, CONDITION = 412 };
static const uint64_t written_most = 256ull << 20; // held in memory, and sent at once

// One thing done to one object, to its end.
struct transfer {
    const struct artifact_access *access;
    str name; // the URL: for messages
    struct object_url url;
    struct aws_client *aws;
    struct google_client *google;
    struct chain chain;
    struct arena arena;
    struct object seen;
    str etag; // of S3: pieces are of one and the same
    int fd;   // -1: nobody wants the bytes, only their digest
    uint64_t most, at;
    struct sha256 sha;
    bool exists; // of writing: something is there already
};

static bool open_transfer(struct transfer *t, const struct artifact_access *access, str url,
                          struct error *err)
{
    const struct aws_account no_aws = {0};
    const struct google_account no_google = {0};
    *t = (struct transfer){.access = access, .name = str_shorten(url, 300), .fd = -1};
    if (!object_url_read(url, &t->url, err))
        return false;
    chain_begin(&t->chain, access->cloud, t);
    if (t->url.google)
        return google_client_open(access->cloud, access->google ? access->google : &no_google,
                                  &t->google, err);
    return aws_client_open(access->cloud, access->aws ? access->aws : &no_aws, &t->aws, err);
}

static void close_transfer(struct transfer *t)
{
    unsigned char ignored[SHA256_BYTES];
    chain_drop(&t->chain);
    if (t->sha.context)
        sha256_done(&t->sha, ignored);
    arena_done(&t->arena);
}

// ---- what it is ---------------------------------------------------------------------------------

static bool read_description(struct transfer *t, const struct chain_reply *reply)
{
    str size = node_text(reply->tree, "size"), version = node_text(reply->tree, "generation");
    if (!t->url.google) {
        size = cloud_header(reply->headers, "Content-Length");
        version = cloud_header(reply->headers, "x-amz-version-id");
        t->etag = arena_str(&t->arena, cloud_header(reply->headers, "ETag"));
    }
    if (!number_u64(size, &t->seen.size_bytes) || (t->url.google && !version.len))
        return false;
    if (!str_is(version, "null"))
        t->seen.version = arena_str(&t->arena, version);
    return true;
}

static void ask_piece(struct transfer *t);

static void described(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct transfer *t = self;
    if (!reply->ok)
        chain_fail_with(chain, reply, "looking at " STR_FMT, STR_ARG(t->name));
    else if (!read_description(t, reply))
        chain_fail(chain, ERROR_REMOTE, STR_FMT ": the answer does not describe it",
                   STR_ARG(t->name));
    else if (t->sha.context && t->seen.size_bytes > t->most)
        chain_fail(chain, ERROR_LIMIT,
                   STR_FMT " has %" PRIu64 " bytes, more than %" PRIu64 " are taken",
                   STR_ARG(t->name), t->seen.size_bytes, t->most);
    else if (!t->sha.context || !t->seen.size_bytes) // only to be looked at, or nothing to read
        chain_end(chain);
    else {
        t->url.version = t->seen.version; // the same, whatever is written meanwhile
        ask_piece(t);
    }
}

static void ask_description(struct transfer *t)
{
    str path = object_url_path(&t->arena, &t->url, false);
    if (t->url.google)
        chain_google(&t->chain, t->google,
                     &(struct google_request){.api = "storage", .path = path, .repeatable = true},
                     described);
    else
        chain_aws(&t->chain, t->aws,
                  &(struct aws_request){.service = &aws_s3,
                                        .action = "HeadObject",
                                        .method = "HEAD",
                                        .path = path,
                                        .bytes = true,
                                        .repeatable = true},
                  described);
}

// ---- its bytes ----------------------------------------------------------------------------------

static bool write_piece(int fd, str bytes)
{
    while (fd >= 0 && bytes.len) {
        ssize_t n = write(fd, bytes.data, bytes.len);
        if (n < 0 && errno != EINTR)
            return false;
        bytes = str_from(bytes, n > 0 ? (size_t)n : 0);
    }
    return true;
}

static void got_piece(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct transfer *t = self;
    uint64_t left = t->seen.size_bytes - t->at, wanted = left < PIECE ? left : PIECE;
    if (!reply->ok && reply->fault->status == CONDITION) {
        chain_fail(chain, ERROR_REMOTE, STR_FMT " was replaced while it was read",
                   STR_ARG(t->name));
        return;
    }
    if (!reply->ok) {
        chain_fail_with(chain, reply, "reading " STR_FMT, STR_ARG(t->name));
        return;
    }
    if (reply->body.len != wanted) {
        chain_fail(chain, ERROR_REMOTE, "reading " STR_FMT ": %zu bytes came instead of %" PRIu64,
                   STR_ARG(t->name), reply->body.len, wanted);
        return;
    }
    if (!write_piece(t->fd, reply->body)) {
        chain_fail(chain, ERROR_SYSTEM, "writing what was read of " STR_FMT ": %s",
                   STR_ARG(t->name), strerror(errno));
        return;
    }
    sha256_add(&t->sha, reply->body.data, reply->body.len);
    t->at += wanted;
    if (t->at == t->seen.size_bytes)
        chain_end(chain);
    else
        ask_piece(t);
}

static void ask_piece(struct transfer *t)
{
    char range[64];
    uint64_t left = t->seen.size_bytes - t->at;
    (void)snprintf(range, sizeof range, "bytes=%" PRIu64 "-%" PRIu64, t->at,
                   t->at + (left < PIECE ? left : PIECE) - 1);
    str path = object_url_path(&t->arena, &t->url, true);
    struct http_header headers[] = {{"Range", range, NULL}, {0}, {0}};
    if (t->url.google) {
        headers[1] = (struct http_header){"Accept-Encoding", "gzip", NULL}; // as it is kept
        chain_google(&t->chain, t->google,
                     &(struct google_request){.api = "storage",
                                              .path = path,
                                              .headers = headers,
                                              .bytes = true,
                                              .repeatable = true},
                     got_piece);
        return;
    }
    if (t->etag.len)
        headers[1] = (struct http_header){"If-Match", t->etag.data, NULL};
    chain_aws(&t->chain, t->aws,
              &(struct aws_request){.service = &aws_s3,
                                    .action = "GetObject",
                                    .path = path,
                                    .headers = headers,
                                    .bytes = true,
                                    .repeatable = true},
              got_piece);
}

// ---- from outside -----------------------------------------------------------------------------

bool object_is_url(str url)
{
    return str_starts(url, STR("s3://")) || str_starts(url, STR("gs://"));
}

bool object_check_url(str url, struct error *err)
{
    struct object_url ignored;
    return object_url_read(url, &ignored, err);
}

bool object_read(const struct artifact_access *access, str url, int fd, uint64_t most_bytes,
                 struct arena *arena, struct object *ret, struct error *err)
{
    struct transfer t;
    bool ok = open_transfer(&t, access, url, err);
    if (ok) {
        t.fd = fd;
        t.most = most_bytes;
        sha256_init(&t.sha);
        ask_description(&t);
        ok = chain_finish(&t.chain, err);
    }
    if (ok) {
        char hex[SHA256_HEX];
        unsigned char digest[SHA256_BYTES];
        sha256_done(&t.sha, digest);
        t.sha = (struct sha256){0};
        *ret = (struct object){t.seen.size_bytes, arena_str(arena, t.seen.version),
                               arena_format(arena, "sha256:%s", sha256_hex(digest, hex))};
    }
    close_transfer(&t);
    return ok;
}

static void written(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct transfer *t = self;
    long status = reply->ok ? reply->status : reply->fault->status;
    t->exists = status == CONDITION || status == CONFLICT;
    if (reply->ok || t->exists)
        chain_end(chain);
    else
        chain_fail_with(chain, reply, "writing " STR_FMT, STR_ARG(t->name));
}

// Once more when nobody knows what became of it: then it meets itself, which counts as written.
static void send_bytes(struct transfer *t, str bytes)
{
    static const struct http_header google[] = {{"Content-Type", "application/octet-stream", NULL},
                                                {0}};
    static const struct http_header s3[] = {{"If-None-Match", "*", NULL}, {0}};
    struct text path = text_of(LIMIT_PATH);
    if (t->url.google) {
        text_adds(&path, "/upload/storage/v1/b/");
        google_path_add(&path, t->url.bucket);
        text_adds(&path, "/o?uploadType=media&ifGenerationMatch=0&name=");
        google_path_add(&path, t->url.key);
        chain_google(&t->chain, t->google,
                     &(struct google_request){.api = "storage",
                                              .method = "POST",
                                              .path = text_str(&path),
                                              .headers = google,
                                              .body = bytes,
                                              .repeatable = true,
                                              .timeout_ms = UPLOAD_MS},
                     written);
    } else {
        chain_aws(&t->chain, t->aws,
                  &(struct aws_request){.service = &aws_s3,
                                        .action = "PutObject",
                                        .method = "PUT",
                                        .path = object_url_path(&t->arena, &t->url, true),
                                        .headers = s3,
                                        .body = bytes,
                                        .repeatable = true,
                                        .timeout_ms = UPLOAD_MS},
                  written);
    }
    text_done(&path);
}

bool object_write(const struct artifact_access *access, str url, const char *path, str digest,
                  struct error *err)
{
    struct transfer t;
    struct object there = {0};
    str bytes = {NULL, 0};
    bool ok = open_transfer(&t, access, url, err);
    if (ok && t.url.version.len)
        ok = error_set(err, ERROR_INPUT, STR_FMT " names a version, which nobody can write",
                       STR_ARG(t.name));
    ok = ok && file_read(&t.arena, path, written_most, &bytes, err);
    if (ok) {
        send_bytes(&t, bytes);
        ok = chain_finish(&t.chain, err);
    }
    if (ok && t.exists)
        ok = object_read(access, url, -1, UINT64_MAX, &t.arena, &there, err);
    if (ok && t.exists && !str_eq(there.digest, digest))
        ok = error_set(err, ERROR_INPUT,
                       STR_FMT " is there already and is another: " STR_FMT ", not " STR_FMT,
                       STR_ARG(t.name), STR_ARG(there.digest), STR_ARG(digest));
    close_transfer(&t);
    return ok;
}
