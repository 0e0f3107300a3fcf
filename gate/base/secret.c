#include "gate/base/secret.h"

#include "gate/base/arena.h"

#include <stdlib.h>

void secret_wipe(void *bytes, size_t size)
{
    if (size)
        explicit_bzero(bytes, size);
}

void secret_take(struct secret *secret, str bytes)
{
    secret->bytes = memory_alloc(bytes.len + 1);
    if (bytes.len)
        memcpy(secret->bytes, bytes.data, bytes.len);
    secret->size = bytes.len;
}

str secret_reveal(const struct secret *secret)
{
    return str_make(secret->bytes, secret->size);
}

bool secret_is_set(const struct secret *secret)
{
    return secret->bytes != NULL;
}

void secret_done(struct secret *secret)
{
    if (secret->bytes)
        secret_wipe(secret->bytes, secret->size);
    free(secret->bytes);
    *secret = (struct secret){0};
}
