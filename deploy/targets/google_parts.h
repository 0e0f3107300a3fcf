// What the kinds of Google Cloud share: the client and the project of a section, and what an
// operation that takes its time came to. (What they share with other clouds: target_parts.h.)
//
//     {.key = "project", .kind = SHAPE_STR, .offset = AT(project), .doc = GOOGLE_PROJECT_DOC},
//     if (!google_section_open(&arena, setup, &project, &client, err)) …
//
//     struct google_operation operation = google_operation_read(reply->tree);
//     if (operation.failed) chain_fail(chain, ERROR_REMOTE, STR_FMT, STR_ARG(operation.message));
#ifndef DEPLOY_TARGETS_GOOGLE_PARTS_H
#define DEPLOY_TARGETS_GOOGLE_PARTS_H

#include "deploy/targets/target_parts.h"

#define GOOGLE_PROJECT_DOC                                                                         \
    "The project's id; the `project` of `google` when absent. `${env.NAME}` may stand in it."

// *project, as the section has it, becomes what the environment makes of it, or the project of
// `google` where it is empty. ERROR_INPUT where none is named. The client belongs to the cloud of
// the setup.
bool google_section_open(struct arena *arena, const struct target_setup *setup, str *project,
                         struct google_client **ret, struct error *err);

// `project` and a region or zone (the key says which), unless they come from the environment.
void google_section_check(str project, str place, const char *key, const struct node *node,
                          struct problems *problems);

// An operation as Cloud Run or Compute Engine shows it. That it is done says that the change was
// taken in, or not; what has become of it is observed.
struct google_operation {
    str name; // "projects/…/operations/…"; of Compute Engine "operation-…"
    bool done, failed;
    str code, message; // when it failed; of its first error
};

struct google_operation google_operation_read(const struct node *tree); // lives as the tree does

// "search" of "projects/p/locations/r/services/search"; what has no slash is taken as it stands.
str google_short_name(str name);

#endif
