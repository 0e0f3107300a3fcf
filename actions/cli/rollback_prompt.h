// What a person reads before a rollback, and the one line afterwards: why.
#ifndef ACTIONS_CLI_ROLLBACK_PROMPT_H
#define ACTIONS_CLI_ROLLBACK_PROMPT_H

#include "actions/cli/ledger_facts.h"

// From what to what, since when known good is that, how long it will take, and what it does not
// undo; to standard error. `open` may be null.
void rollback_show(struct deployment *d, const struct plan *plan,
                   const struct rollout_record *open);

// "3 s, the median of the newest 4 ways back": what is known of how long it takes, and when it was
// last taken.
void rollback_expected(const struct deployment *d, const struct way_back *way, struct text *out);

// Asks for one line on the terminal; empty when nobody answers. Lives in d->arena.
str rollback_ask_reason(struct deployment *d);

#endif
