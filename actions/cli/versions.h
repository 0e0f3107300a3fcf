// What `--version` says: our own version and commit, and those of the libraries inside.
#ifndef ACTIONS_CLI_VERSIONS_H
#define ACTIONS_CLI_VERSIONS_H

#include "gate/base/text.h"

void versions_text(struct text *out);

#endif
