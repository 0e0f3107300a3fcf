#include "actions/cli/process.h"

#include <openssl/crypto.h>
#include <stdlib.h>

void process_begin(void)
{
    // The machine's OpenSSL configuration may name modules of another libcrypto than ours.
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    // libgit2's SSH fails without a home, even where nothing in it is needed.
    (void)setenv("HOME", "/", 0);
}
