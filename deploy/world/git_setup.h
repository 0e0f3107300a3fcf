// libgit2 made ready for this program: sockets that resolve with c-ares and wait no longer than
// they should (git_stream.h), and the CA bundle in use.
//
//     git_setup(world_ca_file(world), err);   // before the first libgit2 call, from the main
//     thread
#ifndef DEPLOY_WORLD_GIT_SETUP_H
#define DEPLOY_WORLD_GIT_SETUP_H

#include "gate/base/error.h"

// May be called again. `ca_file` null leaves libgit2's own choice. ERROR_SYSTEM.
bool git_setup(const char *ca_file, struct error *err);

// Ends the remote work of worker threads; the next git_setup allows it again.
void git_setup_interrupt(void);

#endif
