// spent FILE COMMAND...: runs it, and writes to FILE how many user seconds it took and how many KiB
// were resident at most. From a small process, because a child begins with its parent's memory.
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct rusage usage;
    int status;
    if (argc < 3)
        return 127;
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
        return 127;
    FILE *out = fopen(argv[1], "w");
    if (!out)
        return 127;
    fprintf(out, "%ld.%06ld %ld\n", (long)usage.ru_utime.tv_sec, (long)usage.ru_utime.tv_usec,
            usage.ru_maxrss);
    if (fclose(out) != 0)
        return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}
