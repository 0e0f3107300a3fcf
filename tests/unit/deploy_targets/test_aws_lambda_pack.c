// What a release of an aws-lambda target is: an archive, an image, a version; and its section.
#include "aws_script.h"

#include "gate/base/sha256.h"

#define PLACE "/2015-03-31/functions/thumbs"
#define CONFIGURATION PLACE "/configuration"
#define ARCHIVE "s3://learn/prod/thumbs-v2.zip?versionId=a/b"
#define ZEROS "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define OTHER "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="
#define FAULT(CODE) "x-amzn-ErrorType: " CODE "\n"

static struct script script;
static struct error err;

static const char yaml[] =
    "function: thumbs\nalias: live\nregion: eu-west-1\n"
    "artifact: {archive: \"s3://learn/${env.STAGE}/thumbs-${release}.zip\"}\n";

static void open(void)
{
    err = (struct error){0};
    script_open(&script, "aws-lambda", yaml);
}

static void close(void)
{
    script_close(&script);
}

TestSuite(aws_lambda_pack, .init = open, .fini = close, .timeout = 60);

Test(aws_lambda_pack, an_archive_is_read_in_pieces_and_pinned)
{
    const struct line lines[] = {
        {"GET /learn/prod/thumbs-v2.zip", NULL, 206, "zi",
         "ETag: \"e1\"\nContent-Range: bytes 0-1/3\nx-amz-version-id: a/b\n"},
        {"GET /learn/prod/thumbs-v2.zip", NULL, 206, "p", "Content-Range: bytes 2-2/3\n"},
        {"PUT " PLACE "/code", "\"S3ObjectVersion\":\"a/b\",\"DryRun\":true", 0, "{}", NULL},
        {0},
    };
    struct target_release made;
    char hex[65];
    cr_assert(script_pack(&script, "", lines, &made, &err), "%s", err.message);
    cr_expect(str_is(made.revision, ARCHIVE));
    cr_expect(str_is(str_from(made.digest, 7), sha256_of(STR("zip"), hex)));
}

Test(aws_lambda_pack, a_version_that_something_else_published_has_the_digest_that_lambda_tells)
{
    static const struct {
        const char *told, *digest;
    } rows[] = {
        {ZEROS, "sha256:0000000000000000000000000000000000000000000000000000000000000000"},
        {OTHER, "sha256:0000000000000000000000000000000000000000000000000000000000000001"},
        {"//////////////////////////////////////////8=",
         "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
        {"ab01ab01ab01ab01ab01ab01ab01ab01ab01ab01ab01ab01ab01ab01ab01ab01",
         "sha256:ab01ab01ab01ab01ab01ab01ab01ab01ab01ab01ab01ab01ab01ab01ab01ab01"},
        {"*AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *answer =
            arena_format(&script.arena, "{\"Version\":\"7\",\"CodeSha256\":\"%s\"}", rows[i].told)
                .data;
        const struct line lines[] = {{"GET " CONFIGURATION "?Qualifier=7", NULL, 0, answer, NULL},
                                     {0}};
        struct target_release made = {0};
        bool ok = script_pack(&script, "7", lines, &made, &err);
        cr_expect_eq(ok, rows[i].digest != NULL, "%s", rows[i].told);
        cr_expect(!ok || (str_is(made.digest, rows[i].digest) && str_is(made.revision, "7")),
                  "%s: " STR_FMT, rows[i].told, STR_ARG(made.digest));
    }
}

Test(aws_lambda_pack, what_cannot_go_out_is_refused_before_anything_is_touched)
{
    static const struct {
        const char *given;
        struct line lines[3];
        const char *words;
    } rows[] = {
        {"",
         {{"GET /learn/", NULL, 404, "<Error><Code>NoSuchKey</Code></Error>", NULL}, {0}},
         "reading s3://learn/prod/thumbs-v2.zip: "},
        {"",
         {{"GET /learn/", NULL, 206, "zip", "Content-Range: bytes 0-2/400000000\n"}, {0}},
         "more than Lambda takes"},
        {"",
         {{"GET /learn/", NULL, 206, "", "Content-Range: bytes 0-2/3\n"}, {0}},
         "is no part of it"},
        {"",
         {{"GET /learn/", NULL, 200, "zip", NULL},
          {"PUT ", "DryRun", 403, "{}", FAULT("AccessDeniedException")},
          {0}},
         "(a dry run): "},
        {"sha256:0000000000000000000000000000000000000000000000000000000000000000",
         {{"GET /learn/", NULL, 200, "zip", NULL}, {"PUT ", NULL, 0, "{}", NULL}, {0}},
         "as given"},
        {"s3://learn", {{0}}, "is no object in S3"},
        {"7",
         {{"GET " CONFIGURATION "?Qualifier=7", NULL, 404, "{}", NULL}, {0}},
         "reading function thumbs"},
        {"thumbs:latest", {{0}}, "does not name an image by digest"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct target_release made = {0};
        cr_expect_not(script_pack(&script, rows[i].given, rows[i].lines, &made, &err), "%zu", i);
        cr_expect_neq(str_search(str_of(err.message), str_of(rows[i].words)), STR_NONE, "%zu: %s",
                      i, err.message);
    }
}

Test(aws_lambda_pack, a_section_says_what_is_wrong_with_it)
{
#define GOOD "function: thumbs\nalias: live\n"
    static const struct {
        const char *yaml, *words;
    } rows[] = {
        {GOOD "artifact: {archive: \"s3://b/k\"}", ""},
        {GOOD, ""},
        {"function: ${env.F}\nalias: ${env.A}\nartifact: {archive: \"${env.B}/x\"}", ""},
        {"function: arn:aws:lambda:eu-west-1:123456789012:function:thumbs\nalias: live", ""},
        {"alias: live", "`function`"},
        {"function: thumbs", "`alias`"},
        {"function: thumbs:live\nalias: live", "1:11: `function` must not name a version"},
        {"function: arn:aws:lambda:eu-west-1:123456789012:function:thumbs:7\nalias: live",
         "must not name a version"},
        {"function: arn:aws:s3:::b\nalias: live", "the ARN of a function"},
        {"function: a b\nalias: live", "cannot be the name of a function"},
        {"function: ${release}\nalias: live", "only `${env.NAME}`"},
        {"function: thumbs\nalias: $LATEST", "2:8: `$LATEST` is a version, not an alias"},
        {"function: thumbs\nalias: 42", "`42` is a version, not an alias"},
        {"function: thumbs\nalias: a.b", "cannot be the name of an alias"},
        {GOOD "artifact: {}", "needs one of `archive` and `image`"},
        {GOOD "artifact: {archive: \"s3://b/k\", image: x}", "needs either"},
        {GOOD "artifact: {archive: b/k}", "3:21: `archive` must be an object in S3"},
        {GOOD "artifact: {archive: \"s3://b/\"}", "must be an object in S3"},
        {GOOD "artifact: {archive: \"s3:///k\"}", "must be an object in S3"},
        {GOOD "artifact: {archive: \"s3://b/${host}\"}", "`${host}` is not known here"},
        {GOOD "region: Ireland", "is no AWS region"},
        {GOOD "weight: 5", "weight"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct script alone = {0};
        const char *told = script_check(&alone, "aws-lambda", rows[i].yaml);
        cr_expect(*rows[i].words ? strstr(told, rows[i].words) != NULL : !*told, "%s: %s",
                  rows[i].yaml, told);
        arena_done(&alone.arena);
    }
}
