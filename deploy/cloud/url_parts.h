// The parts of a URL of http or https as they stand in it, and the percent-encoding of RFC 3986.
//
//     struct url_parts parts;
//     if (!url_split(STR("https://host:8443/a%20b?c=d"), &parts, err)) return false;
//     url_encode(&text, STR("a/b c"), URL_SEGMENT);      // a%2Fb%20c
#ifndef DEPLOY_CLOUD_URL_PARTS_H
#define DEPLOY_CLOUD_URL_PARTS_H

#include "gate/base/error.h"
#include "gate/base/text.h"

struct url_parts {
    bool secure;
    str scheme;
    str host;  // with the port, unless it is the scheme's own: what the header Host says
    str name;  // the host alone
    str path;  // may be empty
    str query; // without `?`
};

// ERROR_INPUT: another scheme, no host, a user name, a fragment, white space or control characters.
bool url_split(str url, struct url_parts *ret, struct error *err);

enum url_encoding {
    URL_SEGMENT, // everything but unreserved characters
    URL_PATH,    // `/` stays as well
};
void url_encode(struct text *out, str s, enum url_encoding encoding);
// A `%` with two hex digits is decoded; any other stays as it is. `+` is a plus.
void url_decode(struct text *out, str s);

// Whether it is this machine: what may be asked without TLS.
bool url_is_loopback(str name);

#endif
