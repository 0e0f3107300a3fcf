#include "../expect.h"
#include "gate/base/secret.h"

Test(secret, is_a_copy_until_it_is_dropped)
{
    char source[] = "hunter2";
    struct secret secret = {0};
    cr_expect_not(secret_is_set(&secret));
    secret_take(&secret, str_of(source));
    memset(source, 'x', 7);
    cr_expect(secret_is_set(&secret));
    expect_str(secret_reveal(&secret), "hunter2");
    cr_expect(secret_reveal(&secret).data[7] == '\0');
    secret_done(&secret);
    cr_expect_not(secret_is_set(&secret));
    cr_expect(secret_reveal(&secret).len == 0);
    secret_done(&secret);
}

Test(secret, an_empty_one_is_set_too)
{
    struct secret secret;
    secret_take(&secret, (str){NULL, 0});
    cr_expect(secret_is_set(&secret));
    cr_expect(secret_reveal(&secret).len == 0);
    secret_done(&secret);
}

Test(secret, wiping)
{
    char bytes[] = "abcdef";
    secret_wipe(bytes, 3);
    cr_expect(memcmp(bytes, "\0\0\0def", 6) == 0);
    secret_wipe(NULL, 0);
}
