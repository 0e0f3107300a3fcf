// The `${name}`s of a metric's templates, checked when the configuration is read: an unknown one is
// refused there, not in the middle of a rollout.
//
//     static const char *const known[] = {"revision", "window", NULL};
//     names_check(STR("bad"), config->bad, known, false, node, problems);
#ifndef DEPLOY_METRICS_NAMES_H
#define DEPLOY_METRICS_NAMES_H

#include "gate/base/template.h"
#include "gate/doc/shape.h"

// `known` ends with null; `env.NAME` is always known here (which ones may be read is checked by
// names_open). With `inventory`, every name that a host's variable can have is.
void names_check(str key, str source, const char *const *known, bool inventory,
                 const struct node *section, struct problems *problems);

bool names_has(str source, const char *name);
bool names_vary(str source); // has any name but `env.*`

// ERROR_INPUT when `source` reaches for an environment name that `env` does not have.
bool names_open(str source, const struct template_value *env, struct error *err);

// `env` and `own` (both end with a null name; `env` may be null) as one list in the arena.
const struct template_value *names_join(struct arena *arena, const struct template_value *env,
                                        const struct template_value *own);

#endif
