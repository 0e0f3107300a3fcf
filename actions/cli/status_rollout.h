// One rollout in full, for people and for programs: where it stands, until when, who is asked, what
// is watched, who drives it, and what to type to take it back.
#ifndef ACTIONS_CLI_STATUS_ROLLOUT_H
#define ACTIONS_CLI_STATUS_ROLLOUT_H

#include "actions/cli/ledger_facts.h"
#include "gate/doc/json.h"

// One or two lines for the list of those that are under way.
void status_rollout_line(const struct deployment *d, const struct rollout_record *fact,
                         struct text *out);
void status_rollout_text(struct deployment *d, const struct rollout_record *fact, struct text *out);
void status_rollout_json(struct deployment *d, const struct rollout_record *fact,
                         struct json_out *json);

#endif
