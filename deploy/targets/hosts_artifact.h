// `artifact` of the `hosts` target: where its bundles come from.
//
//     if (!hosts_artifact_bundle(&target->hosts, pack, arena, &bundle, err)) …   // bundle.digest
#ifndef DEPLOY_TARGETS_HOSTS_ARTIFACT_H
#define DEPLOY_TARGETS_HOSTS_ARTIFACT_H

#include "deploy/artifact/bundle.h"
#include "deploy/targets/hosts.h"

extern const struct shape hosts_artifact_shape; // of struct hosts_artifact

// As bundle_make; ERROR_INPUT as well when a name in the URL cannot be filled in. May block.
bool hosts_artifact_bundle(const struct hosts_target *hosts, const struct target_pack *pack,
                           struct arena *arena, struct bundle *ret, struct error *err);

#endif
