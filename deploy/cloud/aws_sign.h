// AWS Signature Version 4, pure: the time is an argument, nothing is sent. The canonical request is
// hashed piece by piece and never stands in memory, since it may hold a session token.
//
// Source: "Create a signed AWS API request", IAM User Guide. Checked against the public vectors of
// the crate aws-sigv4 and against botocore's signer (tests/e2e/test_aws_signing.py).
//
//     struct aws_signing signing = {.method = "GET", .url = "https://ecs.eu-west-1.amazonaws.com/",
//         .keys = keys, .region = STR("eu-west-1"), .service = STR("ecs"), .now_ms = now};
//     if (!aws_sign(&signing, &arena, &signature, err)) return false;
//     // sent: X-Amz-Date: signature.date, Authorization: signature.authorization
#ifndef DEPLOY_CLOUD_AWS_SIGN_H
#define DEPLOY_CLOUD_AWS_SIGN_H

#include "gate/base/arena.h"
#include "gate/base/ports.h"
#include "gate/base/sha256.h"

struct aws_keys { // borrowed
    str access_key;
    const struct secret *secret_key;
    const struct secret *session_token; // null or not set: none
};

enum aws_path {
    AWS_PATH_NORMALIZED, // `.`, `..` and `//` resolved, then encoded once more: most services
    AWS_PATH_ENCODED,    // encoded once more, segments as they are
    AWS_PATH_AS_IS,      // S3, where keys may hold any of these
};

#define AWS_UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"
enum { AWS_DATE_TEXT = 17 }; // "20150830T123600Z" and NUL

struct aws_signing {
    const char *method;
    const char *url; // as it is sent
    // All are signed, in whatever order, names in any case; ends with a null name; may be null.
    // Host, X-Amz-Date, X-Amz-Security-Token and X-Amz-Content-Sha256 are added, not given.
    const struct http_header *headers;
    str body;
    const char *payload_hash; // instead of the body's: AWS_UNSIGNED_PAYLOAD, or 64 hex digits
    bool signs_payload_hash;  // X-Amz-Content-Sha256 is sent and signed: S3 wants that
    bool token_not_signed;    // the session token is sent, but added after signing
    enum aws_path path;
    struct aws_keys keys;
    str region, service;
    int64_t now_ms;
};

struct aws_signature {
    char date[AWS_DATE_TEXT];
    char payload_hash[SHA256_HEX];
    str authorization; // in the arena, NUL-terminated; no secret
};

// ERROR_INPUT: not a URL of http or https, more than 64 headers or 256 query parameters, a time
// outside the years 1970 to 9999.
bool aws_sign(const struct aws_signing *signing, struct arena *arena, struct aws_signature *ret,
              struct error *err);

#endif
