// Checks a ledger from its first entry on, from nothing but the repository.
//
// It is whole when every commit adds exactly one event file and changes nothing but the claim and
// the lease that this event explains; sequences have no gaps; ids and keys are unique; commit,
// path and event agree; every object's content has its name; signatures are of allowed keys; no
// record was written without the lease, and fencing numbers rise; each rollout's phases may follow
// one another; a baseline rests on a decision of the gate that passed; evidence that is kept is
// what its name says; and the commit that is expected is among them.
//
//     struct verify_result result;
//     if (!ledger_verify(&request, &arena, &result, err)) return false;  // could not be checked
//     if (result.bad) printf("%s: %s\n", result.bad, result.why);
#ifndef DEPLOY_RECORD_VERIFY_H
#define DEPLOY_RECORD_VERIFY_H

#include "deploy/record/sign.h"
#include "deploy/record/store.h"

struct verify_request {
    struct store_options where;
    // Who may sign; null: signatures must be of one key, and none may be missing after the first.
    const struct signers *signers;
    str expect;           // a commit that must be in the ledger, 40 digits; empty = none
    const char *evidence; // folder in which evidence is looked for by its path; null = not compared
};

struct verify_result {
    const char *bad; // path of the first bad entry, or its commit; null = the ledger is whole
    const char *why;
    char bad_commit[OBJECT_HEX];
    size_t entries;    // checked and found good
    size_t signatures; // of these, signed
    const char *key;   // fingerprint, when no list was given and there are signatures
    size_t kept;       // files of evidence in the ledger, checked
    size_t evidence, evidence_absent; // files compared; named in events but not in the folder
    char tip[OBJECT_HEX];
};

// Everything lives in the arena. ERROR_ABSENT: no repository or no ledger; ERROR_INPUT: `expect` is
// no commit. A ledger that is found bad is no error: result.bad says so.
bool ledger_verify(const struct verify_request *request, struct arena *arena,
                   struct verify_result *ret, struct error *err);

#endif
