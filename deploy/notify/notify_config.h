// The section `notify` of the configuration: who is told what, and in which format.
//
//     notify: [{on: [waiting, rolled_back, stuck], webhook: "${env.SLACK_URL}"},
//              {on: [stuck], pagerduty: "${env.PD_KEY}"}]
//
// Addresses and keys are secrets: they are named by `${env.NAME}` and nothing else, and `env:` of
// the configuration must list the name. A channel goes by that name wherever it is spoken of.
#ifndef DEPLOY_NOTIFY_NOTIFY_CONFIG_H
#define DEPLOY_NOTIFY_NOTIFY_CONFIG_H

#include "deploy/notify/notice.h"
#include "gate/doc/shape.h"

enum { NOTIFY_CHANNELS = 32 }; // of one configuration

enum notify_format { NOTIFY_JSON, NOTIFY_SLACK, NOTIFY_TEAMS, NOTIFY_PAGERDUTY };

struct notify_channel {
    struct shape_list on; // of int: enum notice_event
    str webhook;          // "${env.SLACK_URL}"; empty with `pagerduty`
    str pagerduty;        // "${env.PD_KEY}": the integration key; empty with `webhook`
    str endpoint;         // of PagerDuty
    int format;           // enum notify_format, of a webhook
    bool has_format;      // else it is seen from the address
    str name;             // "env.SLACK_URL"
    unsigned events;      // bit 1 << enum notice_event
    struct position at;
};

extern const struct shape notify_channel_shape; // an entry, for the root's field table and schema

struct notify_settings {
    const struct notify_channel *channels;
    size_t count;
};

// Binds `notify` of the configuration's root; without it there are no channels. Says everything
// that is wrong with it, also names that `env` does not list. False when it added to `problems`.
bool notify_bind(struct arena *arena, const struct node *root, struct notify_settings *ret,
                 struct problems *problems);

// The part of it that needs the whole root: whether `env` lists what is named.
void notify_check_env(const struct notify_settings *settings, const struct node *root,
                      struct problems *problems);

// The format that belongs to an address, by its host; JSON for one that is not known.
enum notify_format notify_format_of(str url);
const char *notify_format_name(enum notify_format format); // "slack"

// Whether a secret may be sent to this address: https, or http to this machine itself. ERROR_INPUT;
// the message does not hold the address.
bool notify_check_url(str url, struct error *err);

#endif
