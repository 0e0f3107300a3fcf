// What has to be so before any library is used, whichever command runs. It costs microseconds:
// libraries themselves are started by whoever first needs them.
//
//     process_begin();   // first in main
#ifndef ACTIONS_CLI_PROCESS_H
#define ACTIONS_CLI_PROCESS_H

void process_begin(void);

// From here on the memory may hold keys and tokens: the kernel writes no core file of this process,
// and lets no other one of the same user look into it. Children that it starts are as before.
void process_hold_secrets(void);

#endif
