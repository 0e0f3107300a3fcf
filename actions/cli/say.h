// One line on standard error. What is in it may be somebody else's words, a remote's or a report's:
// control characters and whatever else steers a terminal or a runner become visible.
#ifndef ACTIONS_CLI_SAY_H
#define ACTIONS_CLI_SAY_H

#include "gate/base/arena.h"

void say_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Somebody else's words as they can stand in a line of several that is written otherwise.
str say_shown(struct arena *arena, str words);

#endif
