// One failure, as a value that the caller owns. A function that can fail returns bool and takes
// `struct error *err` last; *err is written only on failure, results only on success.
//
//     if (!file_read(path, &arena, &bytes, err))
//         return error_wrap(err, "reading the policy");
//     return error_set(err, ERROR_INPUT, "`%s` is not a percentage", text);
#ifndef GATE_BASE_ERROR_H
#define GATE_BASE_ERROR_H

#include "gate/base/str.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

// The kind selects the exit code and whether trying again makes sense.
enum error_kind {
    ERROR_NONE,
    ERROR_INPUT,     // the user's input is wrong: exit 2
    ERROR_DENIED,    // an answer "no": blocked, refused, lost a race for good: exit 1
    ERROR_ABSENT,    // something asked for by name is not there: exit 2
    ERROR_LIMIT,     // a limit of limits.h was met: exit 2
    ERROR_TRANSIENT, // may work when tried again: exit 3
    ERROR_REMOTE,    // a remote said no in a way that trying again does not mend: exit 3
    ERROR_SYSTEM,    // this machine: files, memory, processes: exit 3
};

// Where in the user's input. line and column count from 1; 0 = unknown.
struct position {
    const char *file; // NUL-terminated, lives as long as the run; null = unknown
    uint32_t line;
    uint32_t column;
};

struct error {
    enum error_kind kind;
    struct position at;
    int64_t retry_after_ms; // ERROR_TRANSIENT: how long a remote asked to be left alone; 0 = it
                            // did not say. Set after error_set, which clears it
    char message[768];      // one sentence, no trailing newline
};

// All return false, so that `return error_set(...)` reads well. Long messages are cut with "…".
bool error_set(struct error *err, enum error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool error_at(struct error *err, enum error_kind kind, struct position at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
bool error_errno(struct error *err, const char *doing,
                 const char *what); // from errno: "doing what: reason"
bool error_wrap(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

const char *error_kind_name(enum error_kind kind);
int error_exit_code(enum error_kind kind);

// "file:line:column: message" into `out` (always NUL-terminated); returns out.
char *error_text(const struct error *err, char *out, size_t size);

#endif
