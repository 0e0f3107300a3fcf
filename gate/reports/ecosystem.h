// Where a package comes from, in the words of package URLs ("pypi", "npm", "deb", "golang"), out of
// what scanners call it: the kind of lock file, package manager or distribution.
//
//     ecosystem_of(STR("poetry"))    // "pypi"
//     ecosystem_of(STR("debian:12")) // "deb"
#ifndef GATE_REPORTS_ECOSYSTEM_H
#define GATE_REPORTS_ECOSYSTEM_H

#include "gate/base/str.h"

// What stands behind a colon is its version and is passed over. Empty for a word that is not known.
// The result is static.
str ecosystem_of(str word);

#endif
