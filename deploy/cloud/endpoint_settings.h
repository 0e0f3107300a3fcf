// `endpoints` of the sections `aws` and `google`: where single services are, instead of their
// public addresses.
//
//     static const struct shape shape = ENDPOINT_SETTINGS(check);   // which calls …_check
//     {.key = "endpoints", .kind = SHAPE_MAP, .shape = &shape, …}
#ifndef DEPLOY_CLOUD_ENDPOINT_SETTINGS_H
#define DEPLOY_CLOUD_ENDPOINT_SETTINGS_H

#include "deploy/cloud/cloud.h"
#include "gate/base/arena.h"
#include "gate/doc/shape.h"

struct endpoint_settings {
    str service, url;
    struct position at;
};

extern const struct shape_field endpoint_settings_fields[];
#define ENDPOINT_SETTINGS(CHECK)                                                                   \
    {                                                                                              \
        .name = "endpoint", .size_bytes = sizeof(struct endpoint_settings),                        \
        .fields = endpoint_settings_fields, .shorthand = "url",                                    \
        .position_offset = offsetof(struct endpoint_settings, at) + 1, .check = (CHECK),           \
        .doc = "Where a service is.",                                                              \
    }

// `known` are the names of the services that are called; ends with null.
void endpoint_settings_check(const struct endpoint_settings *endpoint, const struct node *node,
                             const char *const *known, struct problems *problems);
// Of a URL: it is one, and over https unless it is of this machine, since keys are sent there.
void endpoint_url_check(str url, struct position at, struct problems *problems);
// Null where there are none.
const struct cloud_endpoint *endpoint_settings_list(struct arena *arena,
                                                    const struct shape_list *endpoints);
// For the members of an account: null where nothing is configured.
const char *account_text(struct arena *arena, str s);
// Where a key of a section stands, else the section.
struct position account_position(const struct node *section, const char *key);

#endif
