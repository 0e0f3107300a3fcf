// Inside deploy/artifact: one look-up of a manifest, from who asks to the digest. The chain of the
// look ends with `digest` set, or fails.
//
//     chain_begin(&look.chain, cloud, &look);
//     registry_login(&look);
//     if (!chain_finish(&look.chain, err)) …
#ifndef DEPLOY_ARTIFACT_REGISTRY_H
#define DEPLOY_ARTIFACT_REGISTRY_H

#include "deploy/artifact/image_parts.h"

// registry.c
void registry_ask(struct registry_look *look); // for the manifest

// registry_login.c: calls registry_ask when it is done, or fails the chain.
void registry_login(struct registry_look *look);
// After 401: what the registry wants to see is in the header WWW-Authenticate.
void registry_challenged(struct registry_look *look, str headers);

#endif
