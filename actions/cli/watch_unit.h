// The systemd unit that `sluice watch --unit` prints: the service for this repository, as the user
// who asks, with everything closed to it that it does not need.
#ifndef ACTIONS_CLI_WATCH_UNIT_H
#define ACTIONS_CLI_WATCH_UNIT_H

#include "gate/base/text.h"

struct watch_unit {
    const char *program;    // absolute
    const char *repository; // the working tree, absolute
    const char *git;        // its common git directory, absolute: where the ledger is written
    const char *config;     // --config, absolute; null = the usual place
    const char *every;      // "30s"
    str user;
};

void watch_unit_write(const struct watch_unit *unit, struct text *out);

#endif
