// `artifact: {image: …}` of the kinds that run containers: a template in which `${release}`,
// `${commit}`, `${digest}` and `${env.NAME}` may stand. What is deployed is always named by digest.
//
//     target_image_check(config->artifact.image, config->artifact.at, problems);
//     if (!target_image_pack(&setup, image, pack, &arena, &release, err)) …    // release.digest
//     if (!target_image_of(&arena, &setup, image, &release, &reference, err)) …  // "repo@sha256:…"
#ifndef DEPLOY_TARGETS_TARGET_IMAGE_H
#define DEPLOY_TARGETS_TARGET_IMAGE_H

#include "deploy/targets/target.h"

void target_image_check(str image, struct position at, struct problems *problems);

// "registry/app@sha256:…" of a release that was packed. ERROR_INPUT when it has no digest, or the
// template cannot be filled in.
bool target_image_of(struct arena *arena, const struct target_setup *setup, str image,
                     const struct target_release *release, str *ret, struct error *err);

// Release, commit and digest of what `--artifact` (a digest, a tag, or an image of the same
// repository) or the template names. A tag is looked up in the registry, and a digest must be in
// it. May block.
bool target_image_pack(const struct target_setup *setup, str image, const struct target_pack *pack,
                       struct arena *arena, struct target_release *ret, struct error *err);

#endif
