// The section `google` of the configuration: as whom all its targets and metrics call the APIs.
//
//     struct google_settings settings;
//     shape_bind(&arena, &google_settings_shape, node_get(root, "google"), &settings, &problems);
//     struct google_account account = google_settings_account(&arena, &settings);
#ifndef DEPLOY_CLOUD_GOOGLE_SETTINGS_H
#define DEPLOY_CLOUD_GOOGLE_SETTINGS_H

#include "deploy/cloud/google_account.h"
#include "gate/base/arena.h"
#include "gate/doc/shape.h"

struct google_settings { // what is empty comes from the environment and gcloud's files
    str project, workload_identity_provider, service_account, credentials_file;
    struct shape_list endpoints; // of struct endpoint_settings
};

extern const struct shape google_settings_shape;

struct google_account google_settings_account(struct arena *arena,
                                              const struct google_settings *settings);

// The rules of single keys, for those who have them in a section of their own.
void google_project_check(str project, const struct node *section, struct problems *problems);
void google_region_check(str region, const char *key, const struct node *section,
                         struct problems *problems);

#endif
