// Who this process is, in words that another process of the same machine can check.
#include "deploy/record/lease.h"

#include "gate/base/number.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

// The start of a process in clock ticks after boot: field 22 of /proc/PID/stat. A process that has
// ended and that nobody has waited for yet counts as started never.
static bool process_start(long pid, uint64_t *ret)
{
    char path[64], buffer[1024];
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t size = read(fd, buffer, sizeof buffer);
    (void)close(fd);
    if (size <= 0)
        return false;
    str rest = str_make(buffer, (size_t)size);
    size_t name_end = str_find_last(rest, ')'); // the name may hold anything
    if (name_end == STR_NONE)
        return false;
    rest = str_trim(str_from(rest, name_end + 1));
    if (str_starts(rest, STR("Z")) || str_starts(rest, STR("X"))) {
        *ret = 0;
        return true;
    }
    for (int field = 3; field < 22; field++)
        (void)str_cut(&rest, ' ');
    return number_u64(str_cut(&rest, ' '), ret);
}

// The machine since its boot, and the namespace that process numbers count in.
static str machine(struct arena *arena)
{
    char boot[64], space[64];
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t boot_size = fd < 0 ? -1 : read(fd, boot, sizeof boot);
    if (fd >= 0)
        (void)close(fd);
    ssize_t space_size = readlink("/proc/self/ns/pid", space, sizeof space);
    if (boot_size <= 0 || space_size <= 0)
        return (str){NULL, 0};
    str id = str_trim(str_make(boot, (size_t)boot_size));
    return arena_format(arena, STR_FMT "/" STR_FMT, STR_ARG(id), (int)space_size, space);
}

str process_self(struct arena *arena)
{
    uint64_t start;
    str here = machine(arena);
    if (!here.len || !process_start((long)getpid(), &start))
        return (str){NULL, 0};
    return arena_format(arena, STR_FMT "/%ld/%llu", STR_ARG(here), (long)getpid(),
                        (unsigned long long)start);
}

bool process_is_gone(str process)
{
    struct arena arena = {0};
    str here = machine(&arena);
    int64_t pid;
    uint64_t start, now;
    bool ours = here.len && str_starts(process, here) && process.len > here.len &&
                process.data[here.len] == '/';
    str rest = ours ? str_from(process, here.len + 1) : (str){NULL, 0};
    bool known =
        ours && number_i64(str_cut(&rest, '/'), &pid) && pid > 0 && number_u64(rest, &start);
    arena_done(&arena);
    if (!known)
        return false;
    if (!process_start((long)pid, &now))
        return kill((pid_t)pid, 0) != 0 && errno == ESRCH;
    return now != start;
}
