// What `sluice doctor` finds out: whether everything that the configuration names is there, can be
// reached, and may be used by who runs this. Nothing is changed by it.
//
//     struct doctor doctor = {.d = &d};
//     doctor_look(&doctor);
//     doctor_look_at_github(&doctor);
//     for (size_t i = 0; i < doctor.count; i++) say(doctor.findings[i].words);
#ifndef ACTIONS_CLI_DOCTOR_H
#define ACTIONS_CLI_DOCTOR_H

#include "actions/cli/deployment.h"

enum finding_state {
    FINDING_GOOD,
    FINDING_WEAK,    // it works, and lets through what it should not
    FINDING_UNKNOWN, // it cannot be told from here, and may be right
    FINDING_BAD,     // a rollout would be refused, or fail
};

struct finding {
    enum finding_state state;
    str about, words; // "target web"; one sentence
};

struct doctor {
    struct deployment *d;
    struct finding *findings; // in the arena of d
    size_t count, room;
    bool interrupted;
};

void doctor_look(struct doctor *doctor);
// What GitHub enforces of the branches, who of those that are asked may answer, what may be read.
void doctor_look_at_github(struct doctor *doctor);

void doctor_find(struct doctor *doctor, enum finding_state state, str about, const char *format,
                 ...) __attribute__((format(printf, 4, 5)));

#endif
