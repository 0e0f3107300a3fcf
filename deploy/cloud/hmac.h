// HMAC-SHA-256 (RFC 2104), of secrets: what it makes of the key on the way is wiped.
//
//     unsigned char day[SHA256_BYTES];
//     hmac_sha256(STR("AWS4…"), STR("20150830"), day);
#ifndef DEPLOY_CLOUD_HMAC_H
#define DEPLOY_CLOUD_HMAC_H

#include "gate/base/sha256.h"

void hmac_sha256(str key, str message, unsigned char ret[SHA256_BYTES]);

#endif
