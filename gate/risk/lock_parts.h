// What the readers of lock files share. Private to lock*.c.
#ifndef GATE_RISK_LOCK_PARTS_H
#define GATE_RISK_LOCK_PARTS_H

#include "gate/risk/locks.h"

struct lock_reading {
    struct locks *locks;
    const char *path;
    str rest;      // lines that are still to come
    uint32_t line; // the number of the last one
    struct error *err;
};

// The next line, without its end; false after the last one.
bool lock_line(struct lock_reading *r, str *ret);
// `at_line` 0 = the last line.
bool lock_refuse(struct lock_reading *r, uint32_t at_line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// Copies; path and, when 0, line are filled in. ERROR_LIMIT past LOCKS_MOST.
bool lock_add(struct lock_reading *r, const struct locked *one);

str lock_unquote(str text); // without a pair of quotes
// A python package's name as indexes compare it: "Django_Rest.Framework" is
// "django-rest-framework".
str lock_pypi_name(struct arena *arena, str name);
// Fills version, written and pin from ">=3.11,<4", "==4.2.1", "^20", "3.11".
void lock_specifier(struct arena *arena, str text, bool bare_is_exact, struct locked *one);

bool lock_requirements(struct lock_reading *r);
bool lock_toml(struct lock_reading *r); // poetry.lock and uv.lock
bool lock_pyproject(struct lock_reading *r);
bool lock_dockerfile(struct lock_reading *r);
bool lock_compose(struct lock_reading *r);
bool lock_package_json(struct lock_reading *r);
bool lock_npm(struct lock_reading *r);
bool lock_pipfile(struct lock_reading *r);
bool lock_yarn(struct lock_reading *r);
bool lock_pnpm(struct lock_reading *r);
bool lock_tool_versions(struct lock_reading *r);
bool lock_python_version(struct lock_reading *r);
bool lock_runtime_txt(struct lock_reading *r);
bool lock_nvmrc(struct lock_reading *r);
bool lock_go_mod(struct lock_reading *r);

#endif
