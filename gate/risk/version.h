// Version numbers as packages, images and runtimes have them: "4.2.11", "v20.11.0", "3.11-slim".
//
//     struct version version;
//     if (version_parse(STR("3.11-slim"), &version)) ...   // 3.11, rest "-slim"
#ifndef GATE_RISK_VERSION_H
#define GATE_RISK_VERSION_H

#include "gate/base/str.h"

#include <stdint.h>

#define VERSION_PARTS 4

struct version {
    uint32_t parts[VERSION_PARTS];
    size_t count; // of parts that are said: at least 1
    str rest;     // what follows: "-slim", "rc1"; shares the text
};

// False for what does not begin with a number (a "v" before it is fine).
bool version_parse(str text, struct version *ret);

// By the numbers alone; parts that are not said are 0.
int version_cmp(const struct version *a, const struct version *b);

// Does `version` belong to the series: are its first parts those of the series?
bool version_within(const struct version *version, const struct version *series);

#endif
