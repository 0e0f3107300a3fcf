// The digest of a container image, as its registry tells it (Docker's HTTP API, version 2): what a
// tag leads to now, and that a digest is there before anything is touched.
//
//     struct artifact_access access = {setup->cloud, setup->aws, setup->google};
//     str digest;
//     if (!image_resolve(&access, STR("ghcr.io/learn/web:v812"), &arena, &digest, err)) …
//     // "sha256:…"; of "ghcr.io/learn/web@sha256:…" the same again, when it is there
#ifndef DEPLOY_ARTIFACT_IMAGE_H
#define DEPLOY_ARTIFACT_IMAGE_H

#include "deploy/artifact/artifact_access.h"
#include "gate/base/arena.h"
#include "gate/base/error.h"

struct image_name {
    str host;       // "ghcr.io", "127.0.0.1:5000"; "registry-1.docker.io" of Docker Hub's images
    str repository; // "learn/web"; "library/nginx" of Docker Hub's "nginx"
    str tag;        // "latest" when neither tag nor digest is named; empty with a digest
    str digest;     // "sha256:…" or empty
};

// The texts live as long as `image`, or in the arena. ERROR_INPUT: it is not the name of an image.
bool image_parse(struct arena *arena, str image, struct image_name *ret, struct error *err);

// Waits for the answers. Whom the registry takes us for: ECR by ecr:GetAuthorizationToken, Artifact
// Registry and Container Registry by Google's access token, all others as Docker's configuration
// file says, else as nobody. Of TLS, except on this machine. ERROR_INPUT: no name of an image, or
// credentials that only another program can read; ERROR_ABSENT: the registry does not have it;
// ERROR_DENIED: it does not let us see it; ERROR_TRANSIENT: no answer; ERROR_REMOTE: an answer that
// cannot be right.
bool image_resolve(const struct artifact_access *access, str image, struct arena *arena,
                   str *ret_digest, struct error *err);

#endif
