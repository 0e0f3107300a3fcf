// Brings the parts of what GitHub shows to where they should be, one row of calls at a time, in
// turn.
//
//     struct mirror_run run = {.cloud = cloud, .self = self, .say = say};
//     mirror_run_add(&run, &thread.part);
//     while (mirror_run_turn(&run, now_ms, &wake_ms)) { }   // after each change, and by wake_ms
//     … until !mirror_run_busy(&run)
//     mirror_run_close(&run);
#ifndef ACTIONS_GITHUB_MIRROR_RUN_H
#define ACTIONS_GITHUB_MIRROR_RUN_H

#include "actions/github/mirror_part.h"

enum { MIRROR_PARTS = 8 };

struct mirror_run {
    struct cloud *cloud;
    void *self;
    void (*say)(void *self, const char *words); // to the person at hand
    // its own
    struct mirror_part *parts[MIRROR_PARTS];
    size_t count;
    size_t at; // of the part whose turn it is
    struct chain chain;
    struct mirror_part *running; // null: none
    bool settled;                // no part has anything to do, since it was told last
};

void mirror_run_add(struct mirror_run *run, struct mirror_part *part); // the first are asked first
void mirror_run_told(struct mirror_run *run); // something is to be different from now on
// True: a row of calls has ended, and it is to be called again; false: not before *wake_ms, which
// it sets lower where it wants to be.
bool mirror_run_turn(struct mirror_run *run, int64_t now_ms, int64_t *wake_ms);
bool mirror_run_busy(const struct mirror_run *run); // something is not as it should be yet
// Drops what is under way, to begin it anew: for as long as nobody turns it. A write that is not
// polled holds up all others of its client.
void mirror_run_stop(struct mirror_run *run);
void mirror_run_close(struct mirror_run *run); // drops what is under way

#endif
