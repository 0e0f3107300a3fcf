// The calendar as a rollout that is under way asks for it: the windows that were planned with, and
// the freezes as the configuration on the default branch has them now. They are read again every
// minute and before each forward step, from the remote where one can be fetched from, else from the
// local repository. What cannot be read is said, and what is known holds.
//
//     struct calendar_desk *desk = calendar_desk_open(d, &plan->calendar, severity);
//     setup.calendar = calendar_desk_port(desk);
//     …
//     calendar_desk_close(desk);
#ifndef ACTIONS_CLI_CALENDAR_DESK_H
#define ACTIONS_CLI_CALENDAR_DESK_H

#include "actions/cli/deployment.h"
#include "deploy/engine/calendar.h"
#include "deploy/run/driver.h"

enum {
    CALENDAR_READ_MS = 60000,  // how often it is read again
    CALENDAR_LIMIT_MS = 15000, // how long a forward step waits for it
};

struct calendar_desk;

// `known` must outlive the desk; its zones are set, as far as they are known here. `severity` is
// that of an emergency, 1 to 4, or 0.
struct calendar_desk *calendar_desk_open(struct deployment *d, const struct calendar *known,
                                         unsigned severity);
void calendar_desk_close(struct calendar_desk *desk); // null is fine
struct calendar_port calendar_desk_port(struct calendar_desk *desk);

// True, with why and until when (it may be ZONE_NEVER), while forward steps may not be by what was
// read last.
bool calendar_desk_waits(struct calendar_desk *desk, int64_t now_ms, int64_t *ret_until_ms,
                         struct text *out);

// Waits until it was read once, CALENDAR_LIMIT_MS at most. The freezes live as long as the desk.
const struct calendar *calendar_desk_newest(struct calendar_desk *desk);

#endif
