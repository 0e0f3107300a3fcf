// Lines on standard error. What is in them may be somebody else's words, a remote's or a report's:
// control characters and whatever else steers a terminal or a runner become visible.
#ifndef ACTIONS_CLI_SAY_H
#define ACTIONS_CLI_SAY_H

#include "gate/base/str.h"

void say_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_lines(str words); // as many as there are

#endif
