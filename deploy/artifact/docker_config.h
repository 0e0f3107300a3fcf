// What `docker login` has left for a registry: ~/.docker/config.json, or
// $DOCKER_CONFIG/config.json.
//
//     struct secret basic = {0};      // what follows "Basic " in the header Authorization
//     if (!docker_config_read(cloud, STR("ghcr.io"), &basic, err)) return false;
//     if (secret_is_set(&basic)) … secret_done(&basic);
#ifndef DEPLOY_ARTIFACT_DOCKER_CONFIG_H
#define DEPLOY_ARTIFACT_DOCKER_CONFIG_H

#include "deploy/cloud/cloud.h"
#include "gate/base/error.h"

// True, with nothing in *ret, when there is no such file, or it says nothing of this registry.
// ERROR_INPUT: it cannot be read, or the password is where only another program gets at it.
bool docker_config_read(struct cloud *cloud, str host, struct secret *ret, struct error *err);

#endif
