// What the files of explain share. Private to explain*.c.
#ifndef GATE_EXPLAIN_PARTS_H
#define GATE_EXPLAIN_PARTS_H

#include "gate/explain.h"

struct explaining {
    struct arena *arena;
    const struct gate *gate;
    const struct finding *finding;
    struct rule_context context;
    struct explanation *out;
    size_t room;
    size_t most; // items that are shown
};

// Valid until the next call.
struct explained_item *explain_item(struct explaining *e, const char *name);
void explain_source(struct explaining *e, struct explained_item *item, uint32_t report,
                    uint64_t from, uint64_t to);
// A file that is no report: configuration, register, waivers. `sha256` may be empty.
void explain_file(struct explaining *e, struct explained_item *item, const char *path,
                  const char *sha256, uint32_t line);
// What stands between the brackets of the finding's id; empty when there is nothing.
str explain_subject(const struct explaining *e);
// "a, b and 4 more", of the names of the first items.
const char *explain_names(struct explaining *e, size_t count, size_t most);

// False when the finding is none of theirs.
bool explain_coverage(struct explaining *e);
void explain_tests(struct explaining *e);
void explain_vulnerabilities(struct explaining *e);
void explain_performance(struct explaining *e);
void explain_upgrades(struct explaining *e);
void explain_risks(struct explaining *e);
void explain_exceptions(struct explaining *e); // waivers, quarantine, policy, incidents: by place
void explain_reports(struct explaining *e);

#endif
