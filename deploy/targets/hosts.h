// The `hosts` target: application servers reached over SSH, or folders on this machine.
//
// On every host:   PATH/releases/<revision>/   one bundle, unpacked; `.incomplete` while it is made
//                  PATH/shared/                what outlives a release
//                  PATH/current                -> releases/<revision>, flipped by rename
//                  PATH/.serving               the revision that was restarted into and found healthy;
//                                              empty while a change is under way
//
// Each verb is one round over the hosts, then a round of looking at all of them: what is reported is
// what was seen, not what was asked for.
#ifndef DEPLOY_TARGETS_HOSTS_H
#define DEPLOY_TARGETS_HOSTS_H

#include "deploy/targets/target.h"
#include "gate/base/template.h"

struct host {
    str name;
    struct exec_variable *variables; // of the inventory; ends with a null name
    size_t variable_count;
    struct position at;
};

struct hosts_health {
    str url, contains;
    int64_t status, timeout_ms;
};

struct hosts_artifact {
    int bundle;      // 0 = git-archive
    int compression; // 0 = zstd, 1 = gzip
};

enum { TRANSPORT_SSH, TRANSPORT_LOCAL };

struct hosts_config {
    const struct node *inventory_node;
    struct host *hosts; // filled from inventory_node
    size_t host_count;
    int transport;
    str user, known_hosts, fingerprint, key_file, path;
    str prepare, drain, restart, restore;
    struct shape_list services; // of str
    struct hosts_artifact artifact;
    struct hosts_health *health;
    int64_t port, keep, parallel, timeout_ms;
    struct position at;
};

// ---- scripts: what is run on a host --------------------------------------------------------------
enum hosts_script { SCRIPT_STAGE, SCRIPT_ACTIVATE, SCRIPT_RESTORE, SCRIPT_CLEAN, SCRIPT_OBSERVE };

// The script, with the configuration's commands in it. Values arrive as environment variables
// (SLUICE_PATH, SLUICE_REVISION, …), never inside the text.
bool hosts_script(const struct hosts_config *config, enum hosts_script which, struct text *out,
                  struct error *err);

// Names that templates of this target may use: ${host}, the inventory's variables, ${release},
// ${revision}, ${commit}.
bool hosts_expand(const struct hosts_config *config, const struct host *host,
                  const struct target_release *release, const struct template_value *more,
                  str source, enum template_language language, struct text *out,
                  struct error *err);

// ---- one host of one operation -------------------------------------------------------------------
enum host_goal { GOAL_STAGE, GOAL_ACTIVATE, GOAL_CLEAN, GOAL_OBSERVE };
enum host_step { HOST_WAITS, HOST_RUNS, HOST_HEALTH, HOST_RESTORES, HOST_DONE, HOST_FAILED };

struct host_task {
    const struct host *host;
    enum host_goal goal;
    enum host_step step;
    const struct target_release *release; // that it is brought to
    str good;                             // revision that cleaning up spares
    void *job;                            // of exec or http, by step
    int64_t health_until_ms, health_again_ms;
    struct error error;
    // GOAL_OBSERVE
    char current[128], serving[128];
    bool healthy;
};

struct hosts_target {
    const struct hosts_config *config;
    struct target_setup setup;
};

void host_task_start(struct hosts_target *target, struct host_task *task);
void host_task_poll(struct hosts_target *target, struct host_task *task); // moves step on
void host_task_drop(struct hosts_target *target, struct host_task *task);

extern const struct target_kind hosts_kind;

#endif
