#include "gate/base/error.h"

#include <errno.h>
#include <stdio.h>

static void fill(char *out, size_t size, const char *format, va_list args)
{
    int n = vsnprintf(out, size, format, args);
    if (n < 0)
        out[0] = '\0';
    else if ((size_t)n >= size)
        memcpy(out + size - sizeof "…", "…", sizeof "…");
}

bool error_set(struct error *err, enum error_kind kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err->kind = kind;
    err->at = (struct position){NULL, 0, 0};
    fill(err->message, sizeof err->message, format, args);
    va_end(args);
    return false;
}

bool error_at(struct error *err, enum error_kind kind, struct position at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err->kind = kind;
    err->at = at;
    fill(err->message, sizeof err->message, format, args);
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
        len = sizeof err->message - 1;
        memcpy(joined + len - 3, "…", 3);
    }
    memcpy(err->message, joined, len);
    err->message[len] = '\0';
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
