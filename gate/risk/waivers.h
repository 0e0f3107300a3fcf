// Waivers: findings that a person has let pass, until a day. And the quarantine: tests that are
// known to be unreliable, until a day. Every field is required: a waiver without an owner, a reason
// or an end is a hole.
//
//     version: 1
//     waivers:
//       - {finding: CVE-2024-1234, scope: requirements.txt, reason: not reachable here,
//          owner: payments, approved_by: bob, until: 2027-03-31}
//
//     version: 1
//     quarantine:
//       - {test: "shop › CartTest › test_total", issue: "#412", owner: shop, until: 2027-03-31}
#ifndef GATE_RISK_WAIVERS_H
#define GATE_RISK_WAIVERS_H

#include "gate/doc/shape.h"

struct waiver {
    str finding; // an id, a pattern with `*`, or a name of a vulnerability
    str scope;   // a pattern of paths or packages that the finding must be about; "**" = any
    str reason, owner, approved_by;
    int64_t until_days; // the last day on which it applies, in UTC
    struct position at;
};

struct waivers {
    int64_t version;
    struct shape_list items; // struct waiver
};

struct quarantined {
    str test; // an identity as `sluice read` and findings show it, or a pattern with `*`
    str issue, owner;
    int64_t until_days;
    struct position at;
};

struct quarantine {
    int64_t version;
    struct shape_list items; // struct quarantined
};

extern const struct shape waivers_shape, quarantine_shape;

// Everything wrong is added to `problems`; false when there was something.
bool waivers_bind(struct arena *arena, const struct node *root, struct waivers *ret,
                  struct problems *problems);
bool quarantine_bind(struct arena *arena, const struct node *root, struct quarantine *ret,
                     struct problems *problems);

// `*` stands for any text; everything else, brackets too, for itself; letters in any case.
bool waiver_word_fits(str pattern, str text);

// Is this the name that a commit's author or committer goes by: name, address, the part before the
// `@`, or the login inside a forge's no-reply address ("12+ada@users.noreply…")?
bool waiver_is_person(str name, str person_name, str person_email);

#endif
