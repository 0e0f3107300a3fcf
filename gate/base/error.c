#include "gate/base/error.h"

#include <errno.h>
#include <stdio.h>

// Cuts `out`, which holds `size` bytes with the NUL, at a whole character and ends it with "…".
static void cut(char *out, size_t size)
{
    size_t end = size - sizeof "…";
    while (end && ((unsigned char)out[end] & 0xC0) == 0x80)
        end--;
    memcpy(out + end, "…", sizeof "…");
}

__attribute__((format(printf, 3, 0))) static void fill(char *out, size_t size, const char *format,
                                                       va_list args)
{
    int n = vsnprintf(out, size, format, args);
    if (n < 0)
        out[0] = '\0';
    else if ((size_t)n >= size)
        cut(out, size);
}

// The arguments may be the message that is there already, so it is written beside it first.
__attribute__((format(printf, 4, 0))) static bool
set(struct error *err, enum error_kind kind, struct position at, const char *format, va_list args)
{
    char message[sizeof err->message];
    fill(message, sizeof message, format, args);
    memcpy(err->message, message, strlen(message) + 1);
    err->kind = kind;
    err->at = at;
    err->retry_after_ms = 0;
    return false;
}

bool error_set(struct error *err, enum error_kind kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)set(err, kind, (struct position){NULL, 0, 0}, format, args);
    va_end(args);
    return false;
}

bool error_at(struct error *err, enum error_kind kind, struct position at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)set(err, kind, at, format, args);
    va_end(args);
    return false;
}

bool error_errno(struct error *err, const char *doing, const char *what)
{
    int number = errno;
    enum error_kind kind = number == ENOENT ? ERROR_ABSENT : ERROR_SYSTEM;
    return error_set(err, kind, "%s %s: %s", doing, what, strerror(number));
}

bool error_wrap(struct error *err, const char *format, ...)
{
    char before[sizeof err->message];
    char joined[2 * sizeof err->message];
    va_list args;
    va_start(args, format);
    fill(before, sizeof before, format, args);
    va_end(args);
    int n = snprintf(joined, sizeof joined, "%s: %s", before, err->message);
    size_t len = n > 0 ? (size_t)n : 0;
    if (len >= sizeof err->message) {
        cut(joined, sizeof err->message);
        len = strlen(joined);
    }
    memcpy(err->message, joined, len + 1);
    return false;
}

const char *error_kind_name(enum error_kind kind)
{
    static const char *const names[] = {"none",  "input",     "denied", "absent",
                                        "limit", "transient", "remote", "system"};
    return names[kind];
}

int error_exit_code(enum error_kind kind)
{
    switch (kind) {
    case ERROR_NONE:
        return 0;
    case ERROR_DENIED:
        return 1;
    case ERROR_INPUT:
    case ERROR_ABSENT:
    case ERROR_LIMIT:
        return 2;
    case ERROR_TRANSIENT:
    case ERROR_REMOTE:
    case ERROR_SYSTEM:
        return 3;
    }
    return 3;
}

char *error_text(const struct error *err, char *out, size_t size)
{
    if (err->at.file && err->at.line && err->at.column)
        (void)snprintf(out, size, "%s:%u:%u: %s", err->at.file, err->at.line, err->at.column,
                       err->message);
    else if (err->at.file && err->at.line)
        (void)snprintf(out, size, "%s:%u: %s", err->at.file, err->at.line, err->message);
    else if (err->at.file)
        (void)snprintf(out, size, "%s: %s", err->at.file, err->message);
    else
        (void)snprintf(out, size, "%s", err->message);
    return out;
}
