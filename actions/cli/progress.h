// What a person watches during a rollout: a line for everything that happened and, on a terminal,
// one living line below with where it stands now. Everything goes to standard error.
//
//     struct progress_display progress;
//     progress_init(&progress, color, is_terminal, quiet);
//     setup.observer = progress_observer(&progress);
//     … progress_refresh(&progress) about five times a second …
//     progress_done(&progress);
#ifndef ACTIONS_CLI_PROGRESS_H
#define ACTIONS_CLI_PROGRESS_H

#include "deploy/run/driver.h"

struct progress_metric { // of the current step, all targets together
    double canary_bad, canary_total, baseline_bad, baseline_total;
    uint32_t samples, blind;
    bool has_value;
    double value, baseline;
};

struct progress_display {
    bool color, terminal, quiet, verbose;
    int64_t began_ms, now_ms;
    const struct plan *plan;
    const struct rollout_state *state;
    struct progress_metric metrics[PLAN_METRICS];
    bool living; // the living line is on the screen
    // The newest phase, said after the record that explains it.
    struct {
        const char *color, *mark, *name;
        char text[512];
        bool waits;
    } phase;
    unsigned turn;
    char trouble[256]; // the newest, to say each once
};

void progress_init(struct progress_display *progress, bool color, bool terminal, bool quiet,
                   bool verbose);
struct observer_port progress_observer(struct progress_display *progress);
void progress_refresh(struct progress_display *progress,
                      int64_t now_ms);                  // draws the living line anew
void progress_clear(struct progress_display *progress); // takes it away, before other output
void progress_done(struct progress_display *progress);

#endif
