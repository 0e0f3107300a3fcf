// A server's host key against a file of known hosts, as ssh reads it: names, [name]:port,
// wildcards, negations, hashed names, @revoked. Certificates (@cert-authority) are not understood
// and left out.
//
//     known_hosts_check("/etc/ssh/ssh_known_hosts", "git.example.org", url, key, err)
#ifndef DEPLOY_RECORD_KNOWN_HOSTS_H
#define DEPLOY_RECORD_KNOWN_HOSTS_H

#include "gate/base/error.h"

#include <stdint.h>

// `url` gives the port ("ssh://git@host:2222/path"; none = 22); `key` is the raw host key.
// ERROR_DENIED: the host is unknown, has another key, or this one is revoked.
bool known_hosts_check(const char *file, const char *host, const char *url, str key,
                       struct error *err);

// The port of an ssh URL.
uint16_t ssh_url_port(const char *url);

#endif
