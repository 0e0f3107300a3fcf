// digest_pass FILE: SHA-256 of it by the library that the program links, and nothing else.
#include "gate/base/sha256.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static char bytes[256 * 1024];
    unsigned char digest[SHA256_BYTES];
    char hex[SHA256_HEX];
    struct sha256 sha;
    ssize_t got;
    int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return 2;
    sha256_init(&sha);
    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        sha256_add(&sha, bytes, (size_t)got);
    sha256_done(&sha, digest);
    puts(sha256_hex(digest, hex));
    (void)close(fd);
    return got < 0;
}
