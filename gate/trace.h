// Byte offsets of a report become lines: the file is read once more, and its digest compared.
#ifndef GATE_TRACE_H
#define GATE_TRACE_H

#include "gate/base/arena.h"
#include "gate/base/error.h"

#include <stdint.h>

struct trace {
    uint64_t offset;
    uint32_t line; // filled in; counts from 1
};

// Sorts `traces` by offset and fills their lines. *ret_same: the file still has this digest.
bool trace_lines(const char *path, const char *sha256, struct trace *traces, size_t count,
                 bool *ret_same, struct error *err);

// The line of an offset that is among the sorted traces.
uint32_t trace_line(const struct trace *traces, size_t count, uint64_t offset);

#endif
