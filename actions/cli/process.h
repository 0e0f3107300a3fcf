// What has to be so before any library is used, whichever command runs. It costs microseconds:
// libraries themselves are started by whoever first needs them.
//
//     process_begin();   // first in main
#ifndef ACTIONS_CLI_PROCESS_H
#define ACTIONS_CLI_PROCESS_H

void process_begin(void);

#endif
