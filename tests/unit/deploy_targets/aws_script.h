// A cloud of a few lines: each says what the next request must be, and what is answered. Nothing
// waits: the clock moves when somebody would.
#ifndef TESTS_UNIT_DEPLOY_TARGETS_AWS_SCRIPT_H
#define TESTS_UNIT_DEPLOY_TARGETS_AWS_SCRIPT_H

#include "deploy/targets/target.h"

#include <criterion/criterion.h>

struct line {
    const char *request; // "METHOD /path?query": the beginning of it
    const char *body;    // that the request's body holds; null = any
    long status;         // 0 = 200; -1 = the connection is cut after sending
    const char *answer;
    const char *headers; // "Name: value\n"; may be null
};

struct script {
    struct arena arena;
    struct http_port http;
    struct clock_port clock;
    int64_t now_ms;
    struct cloud *cloud;
    const struct target_kind *kind;
    struct target *target;
    const struct line *lines; // ends with a null request
    size_t at;
};

// The target of a section in YAML, without `kind`.
void script_open(struct script *script, const char *kind, const char *yaml);
void script_close(struct script *script);

// Runs one intent against the lines; all of them must be used.
enum progress script_run(struct script *script, const struct target_intent *intent,
                         const struct line *lines, struct target_outcome *ret, struct error *err);
bool script_pack(struct script *script, const char *given, const struct line *lines,
                 struct target_release *ret, struct error *err);
// What is wrong with a section; empty when nothing is.
const char *script_check(struct script *script, const char *kind, const char *yaml);

#endif
