// Single keys of the terminal at standard input: no Enter, no echo. What was typed before it was
// asked for is dropped, so that a key meant for something else answers nothing. Ctrl-C stays a
// signal.
//
//     struct keyboard keyboard = {0};
//     if (keyboard_open(&keyboard)) {
//         while ((key = keyboard_key(&keyboard)) == 0) world_wait(…);
//         keyboard_close(&keyboard);
//     }
#ifndef ACTIONS_CLI_KEYBOARD_H
#define ACTIONS_CLI_KEYBOARD_H

#include <stdbool.h>
#include <termios.h>

enum { KEYBOARD_GONE = -1 };

struct keyboard { // zeroed = closed
    struct termios before;
    bool open;
};

bool keyboard_open(struct keyboard *keyboard); // false: it is no terminal
// The next key; 0 = none yet; KEYBOARD_GONE = there will be none any more.
int keyboard_key(struct keyboard *keyboard);
void keyboard_close(struct keyboard *keyboard); // the terminal is as it was before

#endif
