// The URLs of objects in buckets, in parts.
//
//     struct object_url url;
//     if (!object_url_read(STR("s3://releases/web/v812.tar.zst"), &url, err)) …   // url.bucket
#ifndef DEPLOY_ARTIFACT_OBJECT_URL_H
#define DEPLOY_ARTIFACT_OBJECT_URL_H

#include "gate/base/arena.h"
#include "gate/base/error.h"

struct object_url { // slices of what was read
    bool google;    // gs://, else s3://
    str bucket, key;
    str version; // after "?versionId=" (S3) or "#" (Google's generation); empty = the newest
};

bool object_url_read(str url, struct object_url *ret, struct error *err); // ERROR_INPUT

// The path of a request for it. Of Google: of its description, or of its bytes.
str object_url_path(struct arena *arena, const struct object_url *url, bool bytes);

#endif
