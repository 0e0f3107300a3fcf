// A stage on the bench: a plan of two targets with an error rate and a latency, an engine, and a
// small world that answers its commands at once, or not, as a test wishes.
//
//     struct stage stage;
//     stage_open(&stage);
//     stage_begin(&stage);
//     stage_play(&stage, 11 * MS_MINUTE);
//     cr_expect_eq(stage.state->step, 1);
//     stage_close(&stage);
#ifndef TESTS_UNIT_DEPLOY_ENGINE_STAGE_H
#define TESTS_UNIT_DEPLOY_ENGINE_STAGE_H

#include "deploy/engine/engine.h"
#include "gate/base/moment.h"

#include <criterion/criterion.h>

enum { STAGE_TARGETS = 2, STAGE_LOG = 4096 };

struct stage {
    struct arena arena;
    struct plan *plan;
    struct rollout_state *state;
    struct rollout_commands out; // of the newest event
    int64_t now_ms;
    // the world
    uint32_t served_ppm[STAGE_TARGETS]; // of the release
    bool deaf;                          // commands on targets are not answered
    bool blind;                         // observations are not answered
    bool offline;                       // records do not become durable
    bool silent;                        // samples have no value
    bool mute;                          // no samples at all
    double bad_share;                   // of the release's requests; the baseline's is 1 %
    double value, baseline;             // of the latency
    double burn;                        // share of bad events, where a budget is guarded
    // what happened
    struct rollout_command log[STAGE_LOG];
    uint32_t logged;
    int64_t wake_ms;
    bool ended;
};

void stage_open(struct stage *stage); // 5 %, 25 %, 100 %; step bakes of 10 min, bake of 20
void stage_close(struct stage *stage);
void stage_begin(struct stage *stage);

// Hands one event to the engine, at now_ms, and has the world answer what comes out.
void stage_send(struct stage *stage, struct rollout_event event);
// The same, but nothing answers.
void stage_send_only(struct stage *stage, struct rollout_event event);
// Lets the world go on: timers, and samples every minute.
void stage_play(struct stage *stage, int64_t for_ms);
// Plays until that phase, at most a day; false when it does not come.
bool stage_reach(struct stage *stage, enum rollout_phase phase);
// A new process reads the state: through JSON and back.
void stage_restart(struct stage *stage);

void stage_answer(struct stage *stage, bool granted, const char *who);
void stage_steer(struct stage *stage, enum rollout_steer steer);

// Among the commands of the newest event, and among all since stage_open.
uint32_t stage_emitted(const struct stage *stage, enum rollout_command_type type);
uint32_t stage_sent(const struct stage *stage, enum target_verb verb);
uint32_t stage_records(const struct stage *stage, enum record_type type);
const struct rollout_command *stage_newest(const struct stage *stage, enum record_type type);

#endif
