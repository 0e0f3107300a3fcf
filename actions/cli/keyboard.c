#include "actions/cli/keyboard.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

static struct termios single_keys(struct termios modes)
{
    modes.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
    modes.c_cc[VMIN] = 1;
    modes.c_cc[VTIME] = 0;
    return modes;
}

bool keyboard_open(struct keyboard *keyboard)
{
    if (keyboard->open)
        return true;
    if (tcgetattr(STDIN_FILENO, &keyboard->before) != 0)
        return false;
    struct termios modes = single_keys(keyboard->before);
    keyboard->open = tcsetattr(STDIN_FILENO, TCSAFLUSH, &modes) == 0;
    return keyboard->open;
}

// A shell gives the terminal back in its own modes when the program was stopped and goes on.
static void keep_modes(void)
{
    struct termios modes;
    if (tcgetattr(STDIN_FILENO, &modes) != 0 || !(modes.c_lflag & (ICANON | ECHO)))
        return;
    modes = single_keys(modes);
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &modes);
}

int keyboard_key(struct keyboard *keyboard)
{
    struct pollfd in = {STDIN_FILENO, POLLIN, 0};
    char key = 0;
    if (!keyboard->open)
        return KEYBOARD_GONE;
    keep_modes();
    if (poll(&in, 1, 0) <= 0)
        return 0;
    ssize_t got = read(STDIN_FILENO, &key, 1);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    return got == 1 && key ? (unsigned char)key : KEYBOARD_GONE;
}

void keyboard_close(struct keyboard *keyboard)
{
    if (keyboard->open)
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &keyboard->before);
    keyboard->open = false;
}
