// What the tests of the record share: a temporary repository, a clock that moves a millisecond
// whenever it is looked at, plans of one target.
#ifndef TESTS_UNIT_DEPLOY_RECORD_SCENE_H
#define TESTS_UNIT_DEPLOY_RECORD_SCENE_H

#include "deploy/engine/journal.h"
#include "deploy/record/journal.h"
#include "deploy/record/ledger.h"

struct scene {
    char folder[64]; // holds work/ (a repository), remote.git (a bare one), keys
    char work[128], remote[128];
    int64_t now_ms;
    struct arena arena;
    struct error err;
};

void scene_open(struct scene *scene);
void scene_close(struct scene *scene);

// `folder` null = the scene's repository; `remote` null = none.
struct ledger *scene_ledger(struct scene *scene, const char *folder, const char *remote,
                            const struct sign_key *key);
struct sign_key *scene_key(struct scene *scene, const char *name); // made by ssh-keygen
void scene_append(struct scene *scene, struct ledger *ledger, const char *type, const char *rollout,
                  const char *key);
struct plan *scene_plan(struct scene *scene, const char *rollout, const char *release);

// Runs `sh -c` in the scene's folder; returns the exit status, and the output in *ret (may be
// null).
int scene_shell(struct scene *scene, str *ret, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define NOW_MS INT64_C(1795331395123) // 2026-11-22

#endif
