// One stage with its targets and metrics opened, ready to be planned, driven or looked at.
//
//     struct stage_run run;
//     stage_run_open(arena, &settings, stage, PLAN_FORWARD, &ports, &run, err);
//     stage_run_observe(&run, &ports, i, &next, &good, arena, &outcome, err);
//     stage_run_close(&run);
#ifndef ACTIONS_CLI_STAGE_RUN_H
#define ACTIONS_CLI_STAGE_RUN_H

#include "deploy/run/driver.h"
#include "deploy/run/settings.h"
#include "deploy/world/world.h"

struct stage_ports { // must outlive what was opened with them
    struct world *world;
    struct exec_port exec;
    struct http_port http;
    struct clock_port clock;
    struct entropy_port entropy;
    const struct template_value *variables; // env.*
    struct cloud *cloud;
};

struct stage_run {
    const struct stage_settings *stage;
    const struct target_settings **target_settings;
    struct target **opened; // as plan_resolve wants them
    struct run_target *targets;
    size_t target_count;
    struct run_metric *metrics;
    size_t metric_count;
    // By target: what a survey expects to find there. Null: nothing is expected.
    const struct placement *good;
};

// A way back looks at no metric: for PLAN_ROLLBACK none is opened, and none can be in its way.
bool stage_run_open(struct arena *arena, const struct deploy_settings *settings,
                    const struct stage_settings *stage, enum plan_mode mode,
                    const struct stage_ports *ports, struct stage_run *ret, struct error *err);
void stage_run_close(struct stage_run *run);
bool stage_run_open_metric(struct arena *arena, const struct metric_settings *settings,
                           const struct deploy_settings *accounts, const struct stage_ports *ports,
                           struct metric **ret, struct error *err);

// Looks at one target and waits for the answer. A signal ends it (ERROR_TRANSIENT).
bool stage_run_observe(const struct stage_run *run, const struct stage_ports *ports, size_t target,
                       const struct target_release *next, const struct target_release *good,
                       struct arena *arena, struct target_outcome *ret, struct error *err);

struct stage_trouble {
    str target;
    struct target_trouble trouble;
};

// Looks at every target at once, until none has answered for `limit_ms`, and tells what keeps a
// release from going out there (none: *ret_count is 0). ERROR_TRANSIENT: a signal ended it.
bool stage_run_survey(const struct stage_run *run, const struct stage_ports *ports,
                      int64_t limit_ms, struct arena *arena, struct stage_trouble **ret,
                      size_t *ret_count, struct error *err);

#endif
