// Inside deploy/world: strings as the SSH protocol writes them, four bytes of length before each.
#ifndef DEPLOY_WORLD_SSH_WIRE_H
#define DEPLOY_WORLD_SSH_WIRE_H

#include "gate/base/str.h"

// Takes one off the front; empty, and *rest empty, when it is cut short.
static inline str wire_take(str *rest)
{
    const unsigned char *p = (const unsigned char *)rest->data;
    size_t len = rest->len < 4 ? (size_t)-1
                               : (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    if (rest->len < 4 || len > rest->len - 4)
        return *rest = (str){NULL, 0};
    str taken = str_make(rest->data + 4, len);
    *rest = str_from(*rest, 4 + len);
    return taken;
}

struct wire {
    unsigned char *data;
    size_t room, size; // size > room: it did not fit, nothing past the room was written
};

static inline void wire_put(struct wire *out, str s)
{
    unsigned char length[4] = {(unsigned char)(s.len >> 24), (unsigned char)(s.len >> 16),
                               (unsigned char)(s.len >> 8), (unsigned char)s.len};
    if (out->size <= out->room && s.len + 4 <= out->room - out->size) {
        memcpy(out->data + out->size, length, 4);
        if (s.len)
            memcpy(out->data + out->size + 4, s.data, s.len);
        out->size += s.len + 4;
    } else {
        out->size = out->room + 1;
    }
}

#endif
