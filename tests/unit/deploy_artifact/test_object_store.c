// Objects of buckets: read in pieces of one version, written once.
#include "script.h"

#include "deploy/artifact/bundle.h"
#include "deploy/artifact/object_store.h"
#include "deploy/artifact/object_url.h"
#include "deploy/world/files.h"
#include "gate/base/sha256.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define S3 "https://s3.eu-west-1.amazonaws.com/learn/web/v%201.tar"
#define GS "https://storage.googleapis.com/storage/v1/b/learn/o/web%2Fv%201.tar"
#define HELLO "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define S3_FIVE "Content-Length: 5\nETag: \"e1\"\nx-amz-version-id: V1\n"
#define GS_FIVE "{\"size\": \"5\", \"generation\": \"77\"}"

enum { PIECE = 8 << 20 };

static struct script script;
static struct error err;
static char folder[64];

static void open_script(void)
{
    script_open(&script);
    script.google = true;
    (void)snprintf(folder, sizeof folder, "/tmp/sluice object-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

static void close_script(void)
{
    cr_expect(folder_remove(folder, &err), "%s", err.message);
    script_close(&script);
}

TestSuite(object_store, .init = open_script, .fini = close_script);

#define LINES(...) ((const struct line[]){__VA_ARGS__, {0}})

static bool read_it(const char *url, uint64_t most, const struct line *lines, struct object *ret,
                    str *bytes)
{
    str path = arena_format(&script.arena, "%s/read", folder);
    int fd = open(path.data, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0);
    script_plays(&script, lines);
    bool ok = object_read(&script.access, str_of(url), fd, most, &script.arena, ret, &err);
    cr_assert_eq(close(fd), 0);
    script_ended(&script);
    struct error unread;
    cr_assert(file_read(&script.arena, path.data, 1 << 25, bytes, &unread));
    return ok;
}

static void fails(const char *url, enum error_kind kind, const char *words,
                  const struct line *lines)
{
    struct object found;
    str bytes;
    cr_assert_not(read_it(url, 100 << 20, lines, &found, &bytes), "%s", words);
    expect_contains(str_of(err.message), words);
    cr_expect_eq(err.kind, kind, "%s: %s", error_kind_name(err.kind), err.message);
}

Test(object_store, urls)
{
    struct object_url url;
    cr_assert(object_url_read(STR("s3://learn/a/b.tar?versionId=x/1"), &url, &err));
    expect_str(url.bucket, "learn");
    expect_str(url.key, "a/b.tar");
    expect_str(object_url_path(&script.arena, &url, true), "/learn/a/b.tar?versionId=x%2F1");
    cr_assert(object_url_read(STR("gs://learn/a?b.tar#12"), &url, &err));
    expect_str(object_url_path(&script.arena, &url, true),
               "/storage/v1/b/learn/o/a%3Fb.tar?alt=media&generation=12");
    static const char *const bad[] = {"s3://",          "s3://learn",     "s3://learn/",
                                      "s3:///key",      "s3://Learn/a",   "s3://../a",
                                      "http://learn/a", "gs://learn/a#x", "s3://learn/a?versionId=",
                                      "gs://learn/\n",  "s3://learn//a"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_not(object_check_url(str_of(bad[i]), &err), "%s", bad[i]);
}

Test(object_store, is_read_in_pieces_of_one_version)
{
    struct object found;
    str bytes;
    char *big = memory_alloc(PIECE + 1);
    memset(big, 'x', PIECE);
    static const char size[] = "Content-Length: 8388610\nETag: \"e1\"\n";
    char digest[SHA256_HEX];
    cr_assert(
        read_it(
            "s3://learn/web/v 1.tar", 100 << 20,
            LINES({"HEAD " S3, NULL, 200, "", size},
                  {"GET " S3, "Range: bytes=0-8388607\nIf-Match: \"e1\"\n", 206, big, NULL},
                  {"GET " S3, "Range: bytes=8388608-8388609\nIf-Match: \"e1\"\n", 206, "yz", NULL}),
            &found, &bytes),
        "%s", err.message);
    cr_expect_eq(bytes.len, PIECE + 2);
    expect_str(found.digest,
               arena_format(&script.arena, "sha256:%s", sha256_of(bytes, digest)).data);
    expect_contains(str_from(bytes, PIECE - 1), "xyz");
    memory_free(big);
    cr_assert(read_it("gs://learn/web/v 1.tar", 5,
                      LINES({"GET " GS "?alt=json", NULL, 200, GS_FIVE, NULL},
                            {"GET " GS "?alt=media&generation=77",
                             "Range: bytes=0-4\nAccept-Encoding: gzip\n", 206, "hello", NULL}),
                      &found, &bytes),
              "%s", err.message);
    expect_str(found.digest, HELLO);
    cr_assert(read_it("s3://learn/web/v 1.tar", 5,
                      LINES({"HEAD " S3, NULL, 200, "", S3_FIVE},
                            {"GET " S3 "?versionId=V1", NULL, 206, "{\"a\":", NULL}),
                      &found, &bytes),
              "what looks like a document is not read as one");
    expect_str(bytes, "{\"a\":");
}

Test(object_store, what_cannot_be_read)
{
    static const char url[] = "s3://learn/web/v 1.tar";
    fails(url, ERROR_ABSENT, "looking at s3://learn", LINES({"HEAD " S3, NULL, 404, "", NULL}));
    fails(url, ERROR_DENIED, "looking at s3://learn", LINES({"HEAD " S3, NULL, 403, "", NULL}));
    fails(url, ERROR_REMOTE, "does not describe it", LINES({"HEAD " S3, NULL, 200, "", NULL}));
    fails(url, ERROR_LIMIT, "are taken",
          LINES({"HEAD " S3, NULL, 200, "", "Content-Length: 104857601\n"}));
    fails(url, ERROR_REMOTE, "was replaced",
          LINES({"HEAD " S3, NULL, 200, "", S3_FIVE}, {"GET " S3, NULL, 412, "", NULL}));
    fails(url, ERROR_REMOTE, "4 bytes came instead of 5",
          LINES({"HEAD " S3, NULL, 200, "", S3_FIVE}, {"GET " S3, NULL, 206, "hell", NULL}));
    fails("gs://learn/web/v 1.tar", ERROR_REMOTE, "does not describe it",
          LINES({"GET " GS, NULL, 200, "{\"size\": \"5\"}", NULL}));
    fails("s3://learn", ERROR_INPUT, "no object in a bucket", LINES({0}));
}

Test(object_store, is_written_once)
{
    static const struct {
        const char *url, *words;
        const struct line lines[4];
    } cases[] = {
        {"s3://learn/web/v 1.tar", NULL, {{"PUT " S3, "If-None-Match: *\n", 200, "", NULL}, {0}}},
        {"s3://learn/web/v 1.tar",
         NULL,
         {{"PUT " S3, NULL, 412, "", NULL},
          {"HEAD " S3, NULL, 200, "", S3_FIVE},
          {"GET " S3, NULL, 206, "hello", NULL},
          {0}}},
        {"gs://learn/web/v 1.tar",
         "is another",
         {{"POST https://storage.googleapis.com/upload/storage/v1/b/learn/o?uploadType=media&"
           "ifGenerationMatch=0&name=web%2Fv%201.tar",
           NULL, 412, "{}", NULL},
          {"GET " GS, NULL, 200, GS_FIVE, NULL},
          {"GET " GS, NULL, 206, "jello", NULL},
          {0}}},
        {"s3://learn/web/v 1.tar", "writing s3://", {{"PUT " S3, NULL, 403, "", NULL}, {0}}},
        {"s3://learn/web?versionId=1", "names a version", {{0}}},
    };
    str path = arena_format(&script.arena, "%s/given", folder);
    cr_assert(file_write(path.data, STR("hello"), 0600, &err));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        script_plays(&script, cases[i].lines);
        bool ok = object_write(&script.access, str_of(cases[i].url), path.data, STR(HELLO), &err);
        cr_expect_eq(ok, !cases[i].words, "case %zu: %s", i, err.message);
        if (cases[i].words)
            expect_contains(str_of(err.message), cases[i].words);
        script_ended(&script);
    }
}

// ---- bundles ------------------------------------------------------------------------------------

static bool make(const char *given, const char *source, const struct line *lines,
                 struct bundle *ret)
{
    struct bundle_request request = {
        .repository = "/nowhere at all",
        .given = str_of(given),
        .source = str_of(source),
        .access = &script.access,
        .cache_folder = arena_format(&script.arena, "%s/cache", folder).data,
    };
    script_plays(&script, lines);
    bool ok = bundle_make(&script.arena, &request, ret, &err);
    script_ended(&script);
    return ok;
}

Test(object_store, a_bundle_of_a_bucket_is_kept_by_its_digest)
{
#define READ(BYTES)                                                                                \
    LINES({"HEAD " S3, NULL, 200, "", S3_FIVE}, {"GET " S3, NULL, 206, (BYTES), NULL})
    static const char url[] = "s3://learn/web/v 1.tar";
    struct bundle bundle = {0};
    str bytes;
    cr_assert(make("", url, READ("hello"), &bundle), "%s", err.message);
    expect_str(bundle.digest, HELLO);
    cr_expect_eq(bundle.size_bytes, 5);
    cr_assert(file_read(&script.arena, bundle.path.data, 100, &bytes, &err));
    expect_str(bytes, "hello");
    cr_assert(make(HELLO, url, LINES({0}), &bundle), "it is not read again: %s", err.message);
    cr_assert_eq(unlink(bundle.path.data), 0);
    cr_assert(make(HELLO, url, READ("hello"), &bundle), "it is found again: %s", err.message);
    cr_assert_eq(unlink(bundle.path.data), 0);
    cr_expect_not(make(HELLO, url, READ("jello"), &bundle));
    expect_contains(str_of(err.message), ", not " HELLO);
    cr_assert(make(url, "", READ("jello"), &bundle), "%s", err.message);
    cr_expect_not(make(HELLO, "", LINES({0}), &bundle));
    cr_expect_eq(err.kind, ERROR_ABSENT);
    cr_expect_not(
        make(url, "", LINES({"HEAD " S3, NULL, 200, "", "Content-Length: 0\n"}), &bundle));
    expect_contains(str_of(err.message), "is empty");
}
