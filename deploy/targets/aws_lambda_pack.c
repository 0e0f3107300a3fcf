// Which code a release is on AWS Lambda, by digest, before anything is touched: an archive in S3 is
// read and hashed, a published version is asked for its hash. That the function may be given the
// archive is tried with a dry run.
#include "deploy/targets/aws_lambda.h"

#include "gate/base/limits.h"
#include "gate/base/sha256.h"
#include "gate/base/template.h"

#include <inttypes.h>
#include <stdio.h>

enum { PIECE = 8 << 20, NAMES_MOST = 200 };
static const uint64_t archive_most = 250ull << 20; // of Lambda, unpacked

struct packing {
    struct lambda_operation op; // its chain and arena
    str archive;                // "s3://BUCKET/KEY", with the version once it is known
    str path, version, etag;
    uint64_t at, total;
    struct sha256 sha;
    char hex[SHA256_HEX];
    struct lambda_code code;
};

// ---- reading an archive ------------------------------------------------------------------------

static str header(str headers, const char *name)
{
    while (headers.len) {
        str line = str_cut(&headers, '\n'), key = str_cut(&line, ':');
        if (str_cmp_any_case(str_trim(key), str_of(name)) == 0)
            return str_trim(line);
    }
    return (str){NULL, 0};
}

static void read_archive(struct packing *packing);

static void tried(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct packing *packing = self;
    if (reply->ok || lambda_is_stale(reply))
        chain_end(chain);
    else
        chain_fail_with(chain, reply, "giving " STR_FMT " to function " STR_FMT " (a dry run)",
                        STR_ARG(packing->archive), STR_ARG(packing->op.target->function));
}

static void try_it(struct packing *packing, str revision)
{
    struct lambda_operation *op = &packing->op;
    chain_aws(&op->chain, op->target->client,
              &(struct aws_request){
                  .service = &aws_lambda,
                  .action = "UpdateFunctionCode",
                  .method = "PUT",
                  .path = lambda_path(&op->arena, op->target->function, "/code", (str){NULL, 0}),
                  .body = lambda_code_request(&op->arena, revision, (str){NULL, 0}, true),
                  .repeatable = true},
              tried);
}

static void archive_read(struct packing *packing)
{
    unsigned char digest[SHA256_BYTES];
    struct arena *arena = &packing->op.arena;
    sha256_done(&packing->sha, digest);
    packing->sha = (struct sha256){0};
    (void)sha256_hex(digest, packing->hex);
    if (packing->version.len)
        packing->archive = arena_format(arena, STR_FMT "?versionId=" STR_FMT,
                                        STR_ARG(packing->archive), STR_ARG(packing->version));
    try_it(packing, packing->archive);
}

// "bytes 0-99/1234"
static bool read_total(const struct chain_reply *reply, uint64_t *ret)
{
    str range = header(reply->headers, "Content-Range");
    size_t slash = str_find_last(range, '/');
    if (reply->status == 200) // all of it at once
        *ret = reply->body.len;
    return reply->status == 200 ||
           (slash != STR_NONE && number_u64(str_from(range, slash + 1), ret));
}

static void piece(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct packing *packing = self;
    struct arena *arena = &packing->op.arena;
    uint64_t total = 0;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "reading " STR_FMT, STR_ARG(packing->archive));
        return;
    }
    if (!read_total(reply, &total) || (packing->at && total != packing->total) ||
        reply->body.len == 0 || packing->at + reply->body.len > total) {
        chain_fail(chain, ERROR_REMOTE, "reading " STR_FMT ": the answer is no part of it",
                   STR_ARG(packing->archive));
        return;
    }
    if (total > archive_most) {
        chain_fail(chain, ERROR_INPUT,
                   STR_FMT " has %" PRIu64 " bytes, more than Lambda takes (250 MiB)",
                   STR_ARG(packing->archive), total);
        return;
    }
    str version = header(reply->headers, "x-amz-version-id");
    if (packing->at == 0) {
        packing->total = total;
        packing->etag = arena_str(arena, header(reply->headers, "ETag"));
        if (!packing->version.len && !str_is(version, "null"))
            packing->version = arena_str(arena, version);
    }
    sha256_add(&packing->sha, reply->body.data, reply->body.len);
    packing->at += reply->body.len;
    if (packing->at == packing->total)
        archive_read(packing);
    else
        read_archive(packing);
}

static void read_archive(struct packing *packing)
{
    char range[64];
    struct lambda_operation *op = &packing->op;
    (void)snprintf(range, sizeof range, "bytes=%" PRIu64 "-%" PRIu64, packing->at,
                   packing->at + PIECE - 1);
    const struct http_header headers[] = {
        {.name = "Range", .value = range},
        {.name = packing->etag.len ? "If-Match" : NULL, .value = packing->etag.data},
        {.name = NULL},
    };
    chain_aws(&op->chain, op->target->client,
              &(struct aws_request){.service = &aws_s3,
                                    .action = "GetObject",
                                    .path = packing->path,
                                    .headers = headers,
                                    .repeatable = true},
              piece);
}

static str object_path(struct arena *arena, str bucket, str key, str version)
{
    struct text path = text_of(LIMIT_PATH);
    text_addc(&path, '/');
    aws_path_add(&path, bucket);
    for (bool more = true; more;) {
        size_t slash = str_find(key, '/');
        more = slash != STR_NONE;
        text_addc(&path, '/');
        aws_path_add(&path, more ? str_first(key, slash) : key);
        key = more ? str_from(key, slash + 1) : key;
    }
    if (version.len) {
        text_adds(&path, "?versionId=");
        aws_path_add(&path, version);
    }
    str made = arena_str(arena, text_str(&path));
    text_done(&path);
    return made;
}

static bool pack_archive(struct packing *packing, str archive, struct target_release *ret,
                         struct error *err)
{
    struct arena *arena = &packing->op.arena;
    str rest = str_from(archive, sizeof "s3://" - 1), bucket = str_cut(&rest, '/');
    size_t mark = str_search(rest, STR("?versionId="));
    str key = mark == STR_NONE ? rest : str_first(rest, mark);
    if (!str_starts(archive, STR("s3://")) || !bucket.len || !key.len)
        return error_set(err, ERROR_INPUT,
                         "`" STR_FMT "` is no object in S3, such as `s3://BUCKET/thumbs-v812.zip`",
                         STR_ARG(str_shorten(archive, 200)));
    if (mark != STR_NONE)
        packing->version = str_from(rest, mark + sizeof "?versionId=" - 1);
    packing->archive = str_first(archive, archive.len - (mark == STR_NONE ? 0 : rest.len - mark));
    packing->path = object_path(arena, bucket, key, packing->version);
    sha256_init(&packing->sha);
    read_archive(packing);
    bool ok = chain_finish(&packing->op.chain, err);
    unsigned char ignored[SHA256_BYTES];
    if (packing->sha.context)
        sha256_done(&packing->sha, ignored);
    if (ok) {
        ret->digest = arena_format(arena, "sha256:%s", packing->hex);
        ret->revision = packing->archive;
    }
    return ok;
}

// ---- a published version -----------------------------------------------------------------------

static void version_read(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct packing *packing = self;
    if (reply->ok) {
        lambda_read_code(&packing->op.arena, reply->tree, &packing->code);
        chain_end(chain);
    } else {
        chain_fail_with(chain, reply, "reading function " STR_FMT,
                        STR_ARG(packing->op.target->function));
    }
}

static bool pack_version(struct packing *packing, str version, struct target_release *ret,
                         struct error *err)
{
    lambda_ask_code(&packing->op, version, version_read);
    if (!chain_finish(&packing->op.chain, err))
        return false;
    if (!packing->code.digest.len)
        return error_set(err, ERROR_REMOTE, "version " STR_FMT " does not say what its code is",
                         STR_ARG(version));
    ret->digest = packing->code.digest;
    ret->revision = version;
    return true;
}

// ---- an image ----------------------------------------------------------------------------------

static bool pack_image(struct packing *packing, str image, struct target_release *ret,
                       struct error *err)
{
    size_t at = str_find_last(image, '@');
    if (at == STR_NONE || !sha256_is_named(str_from(image, at + 1)))
        return error_set(err, ERROR_INPUT,
                         "`" STR_FMT "` does not name an image by digest, such as "
                         "`REGISTRY/thumbs@sha256:…`",
                         STR_ARG(str_shorten(image, 200)));
    packing->archive = image;
    try_it(packing, image);
    if (!chain_finish(&packing->op.chain, err))
        return false;
    ret->digest = str_from(image, at + 1);
    ret->revision = image;
    return true;
}

// ---- names -------------------------------------------------------------------------------------

static bool expand(struct packing *packing, const struct target_pack *pack, const char *key,
                   str source, str *ret, struct error *err)
{
    const struct target_setup *setup = &packing->op.target->setup;
    struct arena *arena = &packing->op.arena;
    struct template_value values[NAMES_MOST + 4] = {
        {"release", pack->release}, {"commit", pack->commit}, {NULL, {NULL, 0}}};
    size_t count = 2;
    if (sha256_is_named(pack->given))
        values[count++] = (struct template_value){"digest", pack->given};
    else if (str_search(source, STR("${digest}")) != STR_NONE)
        return error_set(err, ERROR_INPUT,
                         "`%s` names the artifact by `${digest}`: give it with `--artifact "
                         "%s=sha256:…`",
                         key, setup->name);
    for (size_t i = 0; setup->variables && setup->variables[i].name && count < NAMES_MOST; i++)
        values[count++] = setup->variables[i];
    values[count] = (struct template_value){NULL, {NULL, 0}};
    struct text out = text_of(LIMIT_PATH);
    bool ok = template_expand(source, values, TEMPLATE_PLAIN, &out, err);
    if (ok)
        *ret = arena_str(arena, text_str(&out));
    else
        (void)error_wrap(err, "`%s`", key);
    text_done(&out);
    return ok;
}

static bool pack_configured(struct packing *packing, const struct target_pack *pack,
                            struct target_release *ret, struct error *err)
{
    const struct lambda_artifact *artifact = packing->op.target->config->artifact;
    bool named = pack->given.len && !sha256_is_named(pack->given), image = false;
    str source = pack->given;
    if (named)
        image = !str_starts(pack->given, STR("s3://"));
    else if (!artifact)
        return error_set(err, ERROR_INPUT,
                         "there is no `artifact`: name the published version that is to go out "
                         "with `--artifact %s=VERSION`",
                         packing->op.target->setup.name);
    else {
        image = artifact->image.len > 0;
        if (!expand(packing, pack, image ? "image" : "archive",
                    image ? artifact->image : artifact->archive, &source, err))
            return false;
    }
    if (!(image ? pack_image : pack_archive)(packing, source, ret, err))
        return false;
    if (sha256_is_named(pack->given) && !str_eq(ret->digest, pack->given))
        return error_set(err, ERROR_INPUT, STR_FMT " is " STR_FMT ", not " STR_FMT " as given",
                         STR_ARG(source), STR_ARG(ret->digest), STR_ARG(pack->given));
    return true;
}

bool lambda_pack(const struct lambda_target *target, const struct target_pack *pack,
                 struct arena *arena, struct target_release *ret, struct error *err)
{
    struct packing packing = {.op = {.target = target}};
    struct target_release made = {.release = pack->release, .commit = pack->commit};
    chain_begin(&packing.op.chain, target->setup.cloud, &packing);
    bool ok = lambda_is_version(pack->given) ? pack_version(&packing, pack->given, &made, err)
                                             : pack_configured(&packing, pack, &made, err);
    if (ok)
        *ret = target_release_copy(arena, &made);
    chain_drop(&packing.op.chain);
    arena_done(&packing.op.arena);
    return ok;
}
