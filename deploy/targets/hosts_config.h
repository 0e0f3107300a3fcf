// The field table of a `hosts` target.
#ifndef DEPLOY_TARGETS_HOSTS_CONFIG_H
#define DEPLOY_TARGETS_HOSTS_CONFIG_H

#include "deploy/targets/hosts.h"

extern const struct shape hosts_shape; // binds struct hosts_config, inventory included

#endif
