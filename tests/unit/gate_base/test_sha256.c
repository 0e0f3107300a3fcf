#include "../expect.h"
#include "gate/base/sha256.h"

// The examples of FIPS 180-4 and of the NIST test vectors.
Test(sha256, known_answers)
{
    char hex[SHA256_HEX];
    cr_expect_str_eq(sha256_of(STR(""), hex),
                     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    cr_expect_str_eq(sha256_of((str){NULL, 0}, hex),
                     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    cr_expect_str_eq(sha256_of(STR("abc"), hex),
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    cr_expect_str_eq(
        sha256_of(STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), hex),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

Test(sha256, pieces_do_not_matter)
{
    unsigned char digest[SHA256_BYTES];
    char hex[SHA256_HEX], block[1000];
    struct sha256 sha;
    memset(block, 'a', sizeof block);
    sha256_init(&sha);
    for (int i = 0; i < 1000; i++) {
        sha256_add(&sha, block, 7);
        sha256_add(&sha, block, 0);
        sha256_add(&sha, block, sizeof block - 7);
    }
    sha256_done(&sha, digest);
    cr_expect_str_eq(sha256_hex(digest, hex),
                     "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    cr_expect_null(sha.context);
}
