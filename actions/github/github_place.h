// Where on GitHub a repository is, by the address that git fetches it from:
// "git@github.com:acme/learn.git", "https://ghe.acme.example/acme/learn".
#ifndef ACTIONS_GITHUB_GITHUB_PLACE_H
#define ACTIONS_GITHUB_GITHUB_PLACE_H

#include "gate/base/arena.h"

struct github_place {
    const char *api_url;    // "https://api.github.com", "https://ghe.acme.example/api/v3"
    const char *repository; // "acme/learn"
};

// False: it is no address of two names on a host, such as a path.
bool github_place_of(struct arena *arena, str address, struct github_place *ret);

#endif
