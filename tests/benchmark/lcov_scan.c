// lcov_scan FILE: LCOV as simply as it can be read: where lines end, and the two numbers of DA and
// the four of BRDA. Nothing is checked and nothing is kept but the sums.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *number(const char *at, const char *end, unsigned long *ret)
{
    unsigned long value = 0;
    for (; at < end && *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (unsigned long)(*at - '0');
    *ret = value;
    return at < end ? at + 1 : at;
}

static unsigned long fields(const char *at, const char *end, int count)
{
    unsigned long sum = 0;
    for (int i = 0; i < count; i++) {
        unsigned long value;
        at = number(at, end, &value);
        sum += value;
    }
    return sum;
}

int main(int argc, char **argv)
{
    struct stat info;
    unsigned long lines = 0, sum = 0;
    int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0 || fstat(fd, &info) != 0)
        return 2;
    size_t size = (size_t)info.st_size;
    const char *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return 2;
    for (const char *at = bytes, *end = bytes + size; at < end;) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        next = next ? next : end;
        if (next - at > 3 && memcmp(at, "DA:", 3) == 0) {
            lines++;
            sum += fields(at + 3, next, 2);
        } else if (next - at > 5 && memcmp(at, "BRDA:", 5) == 0) {
            sum += fields(at + 5, next, 4);
        }
        at = next + 1;
    }
    printf("%lu lines, sum %lu\n", lines, sum);
    (void)close(fd);
    return 0;
}
