#include "actions/cli/process.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/prctl.h>

void process_begin(void)
{
    // The machine's OpenSSL configuration may name modules of another libcrypto than ours.
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    // libgit2's SSH fails without a home, even where nothing in it is needed.
    (void)setenv("HOME", "/", 0);
}

void process_hold_secrets(void)
{
    // Not RLIMIT_CORE: children would inherit it, applications among them, and where cores go to a
    // program it is not looked at.
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
