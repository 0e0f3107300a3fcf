// Package URLs, as far as findings need them: "pkg:maven/org.acme/tool@1.2?type=jar".
//
//     struct purl purl;
//     if (purl_parse(arena, STR("pkg:npm/%40acme/tool@1.2"), &purl)) ... // npm, @acme/tool, 1.2
#ifndef GATE_REPORTS_PURL_H
#define GATE_REPORTS_PURL_H

#include "gate/base/arena.h"

struct purl {
    str type; // "npm", lower case
    str name; // as the ecosystem writes it: "@acme/tool", "org.acme:tool", "github.com/acme/tool"
    str version; // empty when there is none
};

// False when it is none. The strings live in the arena.
bool purl_parse(struct arena *arena, str text, struct purl *ret);

#endif
