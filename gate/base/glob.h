// Path patterns as in the configuration: `*` within one folder, `**` over folders, `?` one byte,
// `[a-z]` one of a set, everything else itself. A pattern matches a whole path with '/' between
// folders.
//
//     glob_match(STR("payments/**"), STR("payments/models/card.py"))   -> true
#ifndef GATE_BASE_GLOB_H
#define GATE_BASE_GLOB_H

#include "gate/base/str.h"

bool glob_match(str pattern, str path);

// How specific a pattern is: the length of its literal prefix. The longest one wins.
size_t glob_literal(str pattern);

bool glob_is_pattern(str s); // has any of * ? [

#endif
