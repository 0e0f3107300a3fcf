// expat_pass FILE: expat over a file with handlers that do nothing, and how many elements it met.
#include <expat.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void on_open(void *context, const XML_Char *name, const XML_Char **attributes)
{
    (void)name;
    (void)attributes;
    ++*(unsigned long *)context;
}

static void on_close(void *context, const XML_Char *name)
{
    (void)context;
    (void)name;
}

int main(int argc, char **argv)
{
    enum { CHUNK = 1 << 16 };
    unsigned long elements = 0;
    int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
    XML_Parser parser = XML_ParserCreate(NULL);
    if (fd < 0 || !parser)
        return 2;
    XML_SetUserData(parser, &elements);
    XML_SetElementHandler(parser, on_open, on_close);
    ssize_t n;
    do {
        void *buffer = XML_GetBuffer(parser, CHUNK);
        n = buffer ? read(fd, buffer, CHUNK) : -1;
        if (n < 0 || XML_ParseBuffer(parser, (int)n, n == 0) != XML_STATUS_OK)
            return 1;
    } while (n > 0);
    printf("%lu elements\n", elements);
    XML_ParserFree(parser);
    (void)close(fd);
    return 0;
}
