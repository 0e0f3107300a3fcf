// The one `${name}` syntax of the configuration. `$${` writes a literal `${`.
//
//     struct template_value values[] = {{"host", STR("app1")}, {0}};
//     template_expand(STR("http://${host}/health"), values, TEMPLATE_URL, &out, err);
#ifndef GATE_BASE_TEMPLATE_H
#define GATE_BASE_TEMPLATE_H

#include "gate/base/error.h"
#include "gate/base/text.h"

struct template_value {
    const char *name; // "host", "release.digest", "env.PROM_URL"; a null name ends a list
    str value;
};

// How a value is escaped for the language that it lands in.
enum template_language {
    TEMPLATE_PLAIN,  // as it is: paths, messages
    TEMPLATE_URL,    // percent-encoded but for unreserved characters; "env.*" is taken as it is
    TEMPLATE_PROMQL, // inside a double- or single-quoted label value
    TEMPLATE_SHELL,  // as one single-quoted word
};

// ERROR_INPUT for an unknown name (the known ones are listed), an unclosed `${`, or a full `out`.
bool template_expand(str source, const struct template_value *values,
                     enum template_language language, struct text *out, struct error *err);

// Calls `visit` for every name in `source`; stops and returns false when visit does.
bool template_names(str source, bool (*visit)(void *context, str name), void *context);

#endif
