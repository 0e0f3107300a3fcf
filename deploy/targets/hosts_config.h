// The field table of a `hosts` target.
#ifndef DEPLOY_TARGETS_HOSTS_CONFIG_H
#define DEPLOY_TARGETS_HOSTS_CONFIG_H

#include "deploy/targets/hosts.h"

extern const struct shape hosts_shape; // binds struct hosts_config, inventory included

// The same with `${env.NAME}` put in where it names hosts and logins: `user`, `key_file`,
// `known_hosts`, `fingerprint`, and what the inventory says of a host. Lives in the arena.
// ERROR_INPUT names the key: a variable that is not set, an address or path that comes out wrong.
bool hosts_resolve(struct arena *arena, const struct hosts_config *config,
                   const struct template_value *variables, const struct hosts_config **ret,
                   struct error *err);

bool hosts_is_address(str address); // a host name or an IP address

#endif
