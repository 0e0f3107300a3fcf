// The step that a change makes with one product, for the rule and for explain.
#ifndef GATE_RULES_UPGRADE_STEPS_H
#define GATE_RULES_UPGRADE_STEPS_H

#include "gate/rules/rule.h"

struct upgrade_subject {
    str product;
    str title;
    const struct lifecycle *table;       // null = none is known
    const struct upgrade_demand *demand; // null = the configuration does not name it
};

enum upgrade_kind {
    UPGRADE_ABSENT,   // no lock file has it
    UPGRADE_UNPINNED, // none says which version
    UPGRADE_NEW,      // was not there
    UPGRADE_SAME,     // the same version
    UPGRADE_UP,
    UPGRADE_DOWN,
};

struct upgrade_step {
    enum upgrade_kind kind;
    const struct locked *before, *after;
    struct version from, to;
    bool limited;  // there is a limit on it
    uint32_t most; // of `unit`
    enum step_unit unit;
    bool countable; // `count` is known: both versions say enough, the table has their series
    uint32_t count; // STEP_TOO_FAR: another major version, which no number of steps is
    const struct lifecycle_series **rungs; // as lifecycle_steps
    size_t rung_count;
    bool another_series;
};

bool upgrade_is(const struct upgrade_subject *subject, const struct locked *one);
// The largest step of all lock files; one upwards before one downwards.
struct upgrade_step upgrade_step_of(struct arena *arena, const struct rule_input *input,
                                    const struct upgrade_subject *subject);
// All products: those of the configuration, then those of the tables. *ret is in the arena.
size_t upgrade_subjects(struct arena *arena, const struct rule_input *input,
                        struct upgrade_subject **ret);

// What must be there before an upgrade.
void upgrade_judge_requirements(const struct rule_context *context,
                                const struct upgrade_subject *subject,
                                const struct upgrade_step *step, struct findings *out);
// Which locked versions do not go together.
void upgrade_judge_conflicts(const struct rule_context *context, struct findings *out);

#endif
