// RS256 (RSASSA-PKCS1-v1_5 with SHA-256) and the base64url of JSON Web Tokens.
//
//     struct text out = text_of(4096);
//     if (!rs256_sign(pem, text_str(&claims), &out, err)) …     // adds the signature, base64url
#ifndef DEPLOY_CLOUD_RS256_H
#define DEPLOY_CLOUD_RS256_H

#include "gate/base/error.h"
#include "gate/base/text.h"

// pem: an RSA private key without a passphrase. ERROR_INPUT when it is none; no word of it is said.
bool rs256_sign(str pem, str message, struct text *out, struct error *err);
void base64url_add(struct text *out, str bytes); // without padding

#endif
