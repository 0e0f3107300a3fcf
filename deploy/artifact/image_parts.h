// Inside deploy/artifact: what the look-up of an image goes through.
#ifndef DEPLOY_ARTIFACT_IMAGE_PARTS_H
#define DEPLOY_ARTIFACT_IMAGE_PARTS_H

#include "deploy/artifact/image.h"
#include "deploy/cloud/chain.h"

enum registry_kind { REGISTRY_ANY, REGISTRY_ECR, REGISTRY_GOOGLE };

struct registry_look {
    const struct artifact_access *access;
    str image; // as it was given: for messages
    struct image_name name;
    enum registry_kind kind;
    const char *origin; // "https://ghcr.io"
    bool local;         // on this machine, where TLS is not asked for
    bool whole;         // asking for the manifest itself, since no digest came without
    bool proven;        // asking with what the challenge wanted
    struct aws_client *aws;
    struct google_client *google;
    struct secret basic;  // what follows "Basic "; none = nobody
    struct secret bearer; // the token that the challenge led to
    bool as_basic;        // send `basic` to the registry itself
    struct chain chain;
    struct arena arena;
    str digest; // what was found
};

#endif
