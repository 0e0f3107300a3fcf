// A kind of target is a table entry: a name, a field table, capabilities, and five verbs, each
// started and then polled, each absolute and idempotent. What a target must remember between
// processes is its `memory`: a JSON value that only it understands, kept in the ledger.
// deploy/targets/README.md shows how cloud services map onto this.
//
//     struct target_operation *op;
//     if (kind->start(target, &intent, &op, err))
//         while ((p = kind->poll(op, &outcome, err)) == PROGRESS_PENDING) world_wait(...);
//     kind->drop(op);
#ifndef DEPLOY_TARGETS_TARGET_H
#define DEPLOY_TARGETS_TARGET_H

#include "deploy/cloud/aws_account.h"
#include "deploy/cloud/google_account.h"
#include "deploy/cloud/permissions.h"
#include "gate/base/arena.h"
#include "gate/base/ports.h"
#include "gate/doc/shape.h"

enum target_capability {
    TARGET_WEIGHTS = 1,        // any share of the traffic
    TARGET_INSTANCES = 2,      // share of its instances, rounded up
    TARGET_INSTANT_REVERT = 4, // the old still runs: reverting is a switch
    TARGET_STAGING = 8,        // can hold a release at zero traffic
};

enum intent_verb { INTENT_OBSERVE, INTENT_STAGE, INTENT_SHIFT, INTENT_PROMOTE, INTENT_REVERT };

struct target_release { // a release as this target knows it
    str release;        // "v812"
    str commit;
    str digest;        // of the artifact: "sha256:…"
    str revision;      // what the target calls it; empty before it was staged
    str artifact_path; // a local file with the artifact's bytes (bundles); empty otherwise
};

struct target_intent {
    enum intent_verb verb;
    struct target_release next; // what is brought out
    struct target_release good; // known good: where the rest of the traffic is, where a revert goes
    uint32_t share_ppm;         // SHIFT: of traffic or instances on `next`
    str memory;                 // as the last outcome gave it; empty at first
    str key;                    // idempotency key
    // OBSERVE: what cannot be looked at is told in `troubles` and fails nothing, even when it is
    // all of the target. With `good`: so is that something else serves, where a kind can tell.
    bool survey;
};

struct target_trouble {
    enum error_kind kind;
    str words; // one sentence that begins with what it is about: "app2: …"
};

struct target_endpoint { // one thing that answers requests, for probes
    str host;
    str revision;                          // serving there now; empty = unknown
    const struct exec_variable *variables; // of the inventory ("port"); ends with a null name
};

struct target_observation {
    uint32_t next_ppm, good_ppm; // share that `next` and `good` serve, as observed
    bool settled;                // desired equals observed: every field that proves it agrees
    str revision;                // serving all of it, when one does
    str release;                 // the release name that it says of itself, when it does
    const char *evidence;        // JSON of the provider's own fields
    // What keeps a release from going out, one each: a part that cannot be looked at, a folder that
    // cannot be written. What serves now may be whole all the same.
    struct target_trouble *troubles;
    size_t trouble_count;
    struct target_endpoint *endpoints;
    size_t endpoint_count;
};

struct target_outcome {
    struct target_observation seen; // after the verb
    str memory;                     // to be kept
    str revision;     // STAGE: what the target calls what was staged; empty = as it was packed
    const char *note; // one line for people; null = none
};

struct target;
struct target_operation;

struct target_setup {
    const char *name; // in the configuration
    const struct exec_port *exec;
    const struct http_port *http;
    const struct clock_port *clock;
    const struct template_value *variables; // env.* that the configuration may reach
    struct cloud *cloud;                    // of kinds that are a cloud's
    const struct aws_account *aws;       // unless their section says otherwise; null = none given
    const struct google_account *google; // likewise
};

struct target_pack {        // what becomes the release's artifact on this target
    const char *repository; // the local git repository
    str commit, release;
    str given;                // of --artifact: a digest, a path, …; empty = as configured
    bool again;               // `given` is the digest of a rollout that is under way: it was looked
                              // up when that began, and who rolls back must not depend on it
    const char *cache_folder; // where made artifacts may be kept, by digest
};

struct file_patterns {
    const str *items;
    size_t count;
};

struct target_permissions { // what all verbs together need of a cloud
    struct aws_client *aws; // one of the two
    struct google_client *google;
    str project; // of Google
    const struct permission *wanted;
    size_t count;
};

struct target_kind {
    const char *name;          // "hosts"
    const struct shape *shape; // of its section in `targets:`, without `kind`
    unsigned (*capabilities)(const void *config);
    // Patterns of the files whose migrations staging a release carries out on the target's
    // database; none = it carries out none. Null: this kind never does.
    struct file_patterns (*migrations)(const void *config);
    // `config` is the bound struct and must outlive the target.
    bool (*open)(const void *config, const struct target_setup *setup, struct target **ret,
                 struct error *err);
    // Makes or finds the artifact: its digest, its revision name here, and a local file if there is
    // one. Done before anything is touched; the same input gives the same digest. May block.
    bool (*pack)(const struct target *target, const struct target_pack *pack, struct arena *arena,
                 struct target_release *ret, struct error *err);
    // The share that a wish becomes on this target (hosts: rounded up to whole ones).
    uint32_t (*round_share)(const struct target *target, uint32_t share_ppm);
    bool (*start)(struct target *target, const struct target_intent *intent,
                  struct target_operation **ret, struct error *err);
    // DONE: the verb is settled, *ret (in `arena`) says what was seen. FAILED: *err says why; its
    // kind is ERROR_TRANSIENT where the same intent may be sent again.
    enum progress (*poll)(struct target_operation *operation, struct arena *arena,
                          struct target_outcome *ret, struct error *err);
    void (*drop)(struct target_operation *operation); // ends what still runs
    // For `sluice doctor`. Null: this kind calls no cloud.
    void (*permissions)(const struct target *target, struct arena *arena,
                        struct target_permissions *ret);
    void (*close)(struct target *target);
};

extern const struct target_kind *const target_kinds[]; // ends with null
const struct target_kind *target_kind_of(str name);    // null when unknown

#endif
