// The `hosts` target: application servers reached over SSH, or folders on this machine.
//
// On every host:   PATH/releases/<revision>/   one bundle, unpacked; `.incomplete` while it is made
//                  PATH/shared/                what outlives a release
//                  PATH/current                -> releases/<revision>, flipped by rename
//                  PATH/.serving               the revision that was restarted into and found
//                                              healthy; empty while a change is under way; where it
//                                              was never written, what `current` leads to
//                  PATH/.lock, .stage.lock     held by the script that changes the host
//                  PATH/.migrate.lock          likewise, while the database is migrated
//                  PATH/.<command>.log         what the command of that name said last
//
// Each verb is one round over the hosts, then a round of looking at all of them: what is reported
// is what was seen, not what was asked for. Once a release is staged on all of them, the first host
// migrates the database.
#ifndef DEPLOY_TARGETS_HOSTS_H
#define DEPLOY_TARGETS_HOSTS_H

#include "deploy/targets/target.h"
#include "gate/base/template.h"

enum { HOST_VARIABLES = 64, HOST_NAME_MOST = 255 };

struct host {
    str name;
    str address;  // what SSH connects to: `address` of the inventory, else the name
    int64_t port; // likewise `ssh_port`; 0 = that of the target
    struct exec_variable *variables; // of the inventory; ends with a null name
    size_t variable_count;           // at most HOST_VARIABLES
    struct position at;
};

struct hosts_health {
    str url, contains;
    int64_t status, timeout_ms;
};

struct hosts_migrate {
    str run;
    struct shape_list files; // of str
    struct position at;
};

struct hosts_artifact {
    str bundle;      // "git-archive", or the URL of an object, in which names may stand
    str store;       // the URL under which bundles are kept as well; empty = nowhere else
    int compression; // 0 = zstd, 1 = gzip; of git-archive
    struct position at;
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
    struct hosts_migrate *migrate; // null = the release changes no database
    int64_t port, keep, parallel, timeout_ms;
    struct position at;
};

// ---- scripts: what is run on a host ------------------------------------------------------------
enum hosts_script {
    SCRIPT_STAGE,
    SCRIPT_MIGRATE,  // one at a time; never ends one that is still under way
    SCRIPT_ACTIVATE, // says HOSTS_UNCHANGED when the host serves the release already
    SCRIPT_RESTORE,
    SCRIPT_REMOVE, // takes a release away where there is none to go back to
    SCRIPT_CLEAN,
    SCRIPT_OBSERVE,
};

#define HOSTS_UNCHANGED "unchanged"

enum { SCRIPT_TRANSIENT = 75 }; // exit status: the same again may work

// The script, with the configuration's commands in it. Values arrive as environment variables
// (SLUICE_PATH, SLUICE_REVISION, …), never inside the text. ERROR_LIMIT: it does not fit into
// `out`.
bool hosts_script(const struct hosts_config *config, enum hosts_script which, struct text *out,
                  struct error *err);

// Expands ${host}, the inventory's variables, ${release}, ${revision}, ${commit} (where a release
// is given) and `more` (env.*; may be null). ERROR_INPUT as template_expand.
bool hosts_expand(const struct host *host, const struct target_release *release,
                  const struct template_value *more, str source, enum template_language language,
                  struct text *out, struct error *err);

// ---- one host of one operation -----------------------------------------------------------------
enum host_goal { GOAL_STAGE, GOAL_MIGRATE, GOAL_ACTIVATE, GOAL_REMOVE, GOAL_CLEAN, GOAL_OBSERVE };
enum host_step { HOST_WAITS, HOST_RUNS, HOST_HEALTH, HOST_RESTORES, HOST_DONE, HOST_FAILED };

struct host_task {
    const struct host *host;
    enum host_goal goal;
    enum host_step step;
    const struct target_release *release; // that it is brought to (GOAL_REMOVE: that it is rid of)
    str good;                             // revision that cleaning up spares
    void *job;                            // of exec or http, by step
    int64_t health_until_ms, health_again_ms;
    struct error error; // HOST_FAILED: begins with the host's name
    // GOAL_OBSERVE
    char current[HOST_NAME_MOST + 1], serving[HOST_NAME_MOST + 1];
    char trouble[256]; // why no release could be made there; empty = nothing
    bool healthy;
};

struct hosts_target {
    const struct hosts_config *config; // with `${env.*}` put in where it names hosts and logins
    struct target_setup setup;
    struct arena arena; // of that
};

void host_task_start(struct hosts_target *target, struct host_task *task);
void host_task_poll(struct hosts_target *target, struct host_task *task); // moves step on
void host_task_drop(struct hosts_target *target, struct host_task *task);

extern const struct target_kind hosts_kind;

#endif
