// The two syntaxes of CycloneDX, each of which tells a struct bom what it reads.
#ifndef GATE_REPORTS_CYCLONEDX_SYNTAX_H
#define GATE_REPORTS_CYCLONEDX_SYNTAX_H

#include "gate/reports/cyclonedx_bom.h"

struct cyclonedx_syntax {
    void *(*open)(struct bom *bom, const char *path); // both outlive what is returned
    bool (*feed)(void *context, str bytes, struct error *err);
    bool (*end)(void *context, struct error *err);
    void (*close)(void *context);
};

extern const struct cyclonedx_syntax cyclonedx_json, cyclonedx_xml;

#endif
