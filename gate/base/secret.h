// A secret: bytes that no formatting function accepts, wiped when dropped.
//
//     struct secret key;
//     secret_take(&key, STR("…"));      // copies; the caller wipes its own
//     secret_done(&key);
#ifndef GATE_BASE_SECRET_H
#define GATE_BASE_SECRET_H

#include "gate/base/str.h"

struct secret {
    char *bytes; // private: use secret_reveal at the one place that sends it
    size_t size;
};

void secret_take(struct secret *secret, str bytes);
str secret_reveal(const struct secret *secret); // a NUL follows its last byte
void secret_done(struct secret *secret);
bool secret_is_set(const struct secret *secret);
void secret_wipe(void *bytes, size_t size); // not optimised away

#endif
