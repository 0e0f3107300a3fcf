#include "deploy/cloud/aws_sign.h"

#include <criterion/criterion.h>

static struct arena arena;
static struct secret key, token;

static void open_keys(void)
{
    secret_take(&key, STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
}

static void drop_keys(void)
{
    secret_done(&key);
    secret_done(&token);
    arena_done(&arena);
}

TestSuite(aws_sign, .init = open_keys, .fini = drop_keys);

// The signatures are those that botocore makes of the same requests; tests/e2e/test_aws_signing.py
// compares the two over many more.
Test(aws_sign, signatures)
{
    static const struct http_header form[] = {
        {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8", NULL}, {0}};
    static const struct http_header spaces[] = {{"X-One", "  a   b  ", NULL}, {0}};
    static const struct http_header target[] = {{"X-Amz-Target", "A.B", NULL}, {0}};
    static const struct {
        const char *method, *url, *body, *token, *service, *signature;
        const struct http_header *headers;
    } rows[] = {
        {"GET", "https://ecs.eu-west-1.amazonaws.com/", "", "", "ecs",
         "d24e3a924d5e362da6ae396915165ed1ebe49cb88b8bfaca33aeaab9eb1e3e94", NULL},
        {"GET", "https://ecs.eu-west-1.amazonaws.com:443", "", "", "ecs",
         "d24e3a924d5e362da6ae396915165ed1ebe49cb88b8bfaca33aeaab9eb1e3e94", NULL},
        {"GET", "https://ecs.eu-west-1.amazonaws.com/a/./..//", "", "", "ecs",
         "d24e3a924d5e362da6ae396915165ed1ebe49cb88b8bfaca33aeaab9eb1e3e94", NULL},
        {"POST", "https://elasticloadbalancing.eu-west-1.amazonaws.com/",
         "Action=DescribeRules&Version=2015-12-01", "", "elasticloadbalancing",
         "546fa6c683b864832ddc4b831b79d6c63bd8d250d608679983c63e746498b237", form},
        {"PUT",
         "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/"
         "arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Aa/code?Qualifier=7&A=%20&A=",
         "{}", "session/token+==", "lambda",
         "d12011ea37eb9d9fee6452101b66404eca8284037ae286081577611dc1616b82", spaces},
        {"GET", "https://s3.eu-west-1.amazonaws.com/bucket/../a//b%20c?versionId=x%2By", "", "",
         "s3", "766d3cf079cc939bbd3876835eb4c268763ae40455da1dc894fd34de5e067d2c", NULL},
        {"POST", "http://127.0.0.1:4566/ecs/", "é", "t", "ecs",
         "f7bd03f79740b22fa73f138446da64ca216bf462790250f4d161fb3f485e0b60", target},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct aws_signature signature;
        struct error err;
        bool s3 = strcmp(rows[i].service, "s3") == 0;
        secret_done(&token);
        if (*rows[i].token)
            secret_take(&token, str_of(rows[i].token));
        struct aws_signing signing = {.method = rows[i].method,
                                      .url = rows[i].url,
                                      .headers = rows[i].headers,
                                      .body = str_of(rows[i].body),
                                      .signs_payload_hash = s3,
                                      .path = s3 ? AWS_PATH_AS_IS : AWS_PATH_NORMALIZED,
                                      .keys = {STR("AKIAIOSFODNN7EXAMPLE"), &key, &token},
                                      .region = STR("eu-west-1"),
                                      .service = str_of(rows[i].service),
                                      .now_ms = INT64_C(1795363200000)};
        cr_assert(aws_sign(&signing, &arena, &signature, &err), "%s", err.message);
        cr_expect(str_ends(signature.authorization, str_of(rows[i].signature)), "%s", rows[i].url);
        cr_expect_str_eq(signature.date, "20261122T160000Z");
    }
}

Test(aws_sign, a_secret_in_a_header_counts_and_is_not_shown)
{
    struct secret half;
    struct aws_signature together, apart;
    struct error err;
    secret_take(&half, STR("cd"));
    const struct http_header plain[] = {{"X-Key", "ab cd", NULL}, {0}};
    const struct http_header split[] = {{"x-key", "ab ", &half}, {0}};
    struct aws_signing signing = {.method = "GET",
                                  .url = "https://h/",
                                  .headers = plain,
                                  .keys = {STR("A"), &key, NULL},
                                  .region = STR("r"),
                                  .service = STR("s")};
    cr_assert(aws_sign(&signing, &arena, &together, &err));
    signing.headers = split;
    cr_assert(aws_sign(&signing, &arena, &apart, &err));
    cr_expect(str_eq(together.authorization, apart.authorization));
    signing.payload_hash = AWS_UNSIGNED_PAYLOAD;
    cr_assert(aws_sign(&signing, &arena, &apart, &err));
    cr_expect_not(str_eq(together.authorization, apart.authorization));
    cr_expect_str_eq(apart.payload_hash, AWS_UNSIGNED_PAYLOAD);
    secret_done(&half);
}

Test(aws_sign, what_cannot_be_signed_is_refused)
{
    static const struct {
        const char *url;
        int64_t now_ms;
    } rows[] = {
        {"ftp://h/", 0},     {"https:///", 0},          {"https://a@h/", 0},
        {"https://h/#f", 0}, {"https://h h/", 0},       {"", 0},
        {"https://h/", -1},  {"https://h/", INT64_MAX}, {"https://:443/", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct aws_signature signature;
        struct error err;
        struct aws_signing signing = {.method = "GET",
                                      .url = rows[i].url,
                                      .keys = {STR("A"), &key, NULL},
                                      .region = STR("r"),
                                      .service = STR("s"),
                                      .now_ms = rows[i].now_ms};
        cr_expect_not(aws_sign(&signing, &arena, &signature, &err), "%s", rows[i].url);
        cr_expect_eq(err.kind, ERROR_INPUT);
    }
}
