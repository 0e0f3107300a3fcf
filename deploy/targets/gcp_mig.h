// A managed instance group of Compute Engine (API v1), of a zone or a region. A release is an
// instance template; its share is a number of instances that are made of it.
//
// A verb looks at the group and its instances, decides what is still missing, asks for that one
// thing with the fingerprint of what it saw, and looks again. So it may begin anywhere, in any
// process. Its memory only says which share a number of instances stood for.
//
//     gcp_mig.c           the kind: opening, the verbs' calls one after another
//     gcp_mig_stage.c     making the release's template
//     gcp_mig_observe.c   which release serves, and what would keep one from going out
//     gcp_mig_pack.c      what becomes of a release, before anything is touched
//     gcp_mig_decide.c    what is still missing, by what was seen; asks nobody
//     gcp_mig_look.c      answers of the API as structs
//     gcp_mig_told.c      what is told of them, and memory
//     gcp_mig_template.c  names of templates, and what is in one
#ifndef DEPLOY_TARGETS_GCP_MIG_H
#define DEPLOY_TARGETS_GCP_MIG_H

#include "deploy/targets/google_parts.h"
#include "gate/doc/json.h"

enum {
    MIG_NAMES = 9, // a template of that name may hold something else: the next try has another
    MIG_WHOLE_PPM = 1000000,
};

struct mig_metadata { // one entry: a key of the instances' metadata
    str key, value;
};

struct mig_artifact {
    str template;               // made by the build; or
    str image;                  // of the boot disk, and
    struct shape_list metadata; // of struct mig_metadata: known good's template with these
    struct position at;
};

struct mig_config {
    str project, region, zone, group;
    struct mig_artifact artifact;
};

struct target { // of this kind
    const struct mig_config *config;
    struct target_setup setup;
    struct google_client *client;
    struct arena arena;
    str project, region, zone, group; // with the environment's part
    str projects;                     // "/compute/v1/projects/P"
    str place;                        // "…/zones/Z/instanceGroupManagers/G"
    uint32_t size;                    // instances, when it was last looked at; 0 = not yet
};

// ---- what was seen -----------------------------------------------------------------------------

struct mig_version {
    str template;          // as a revision: "web-v812", "regions/R/instanceTemplates/web-v812"
    str name;              // that somebody gave it
    bool sized;            // it has a `targetSize`
    bool percent;          // … which is no number of instances
    uint32_t fixed, count; // how many it is to have
};

struct mig_instance {
    str url, name, template;
    bool idle;    // nothing is being done to it, or will be
    bool healthy; // as far as the group checks that
    bool counts;  // it is meant to run
};

struct mig_seen {
    const struct node *tree;
    str fingerprint;
    uint32_t size;
    bool stable, reached;
    bool opportunistic;
    bool checked;        // it has a health check
    str most_disruptive; // action that an update may take; empty = any
    struct mig_version *versions;
    size_t version_count;
    struct mig_instance *instances;
    size_t instance_count, instance_room;
    str error; // what kept it from making an instance: the provider's words
};

struct mig_template { // as looked at
    str revision, id, description;
    const struct node *properties;
};

// What a release is made of, where sluice makes its template.
struct mig_blueprint {
    str image; // its URL, pinned by `image_id`; empty = that of known good
    str image_id;
    const struct mig_metadata *items;
    size_t item_count;
    str name;   // of the template
    str digest; // of all this
};

// ---- what is decided ---------------------------------------------------------------------------

enum mig_act {
    MIG_DONE,
    MIG_WAIT,  // and look again
    MIG_STOP,  // it failed
    MIG_PATCH, // `versions`
    MIG_APPLY, // the update to `urls`: a group that is OPPORTUNISTIC does nothing by itself
};

struct mig_step {
    enum mig_act act;
    uint32_t count; // PATCH: instances of `next`; the rest is known good's
    str only;       // PATCH: the one version; empty = both
    const str *urls;
    size_t url_count;
};

struct target_operation {
    struct target *mig;
    enum intent_verb verb;
    uint32_t share_ppm;
    bool survey;
    str memory;         // as it was given
    struct arena arena; // of the intent, and of words that outlive a look
    struct target_release next, good;
    struct chain chain;
    struct arena look_arena; // of what was seen last
    struct mig_seen seen;
    struct mig_step step;
    struct arena stage_arena; // of what a template is made of
    struct mig_blueprint blueprint;
    str body, content;      // of the template to make, and its digest
    unsigned nth;           // which of its names it gets
    str staged;             // STAGE: the template's revision
    str release;            // OBSERVE: that the serving template tells
    bool checked;           // the template of `next` is the one that was staged
    bool patched;           // this operation has changed the versions,
    uint32_t patched_count; // to so many of `next`
    unsigned applied;       // how often, since an instance moved
    str failure;            // what the provider said of the change that was asked for
    unsigned conflicts, unknown;
    unsigned looks; // without a change
    str last_state; // to tell whether something moved
    str waiting;    // the provider's operation that is waited for
    chain_next then;
    struct target_troubles troubles;
};

// What is still missing. MIG_STOP: *err says why.
void mig_decide(struct target_operation *operation, struct mig_step *ret, struct error *err);
// Instances that are to be of `next`: rounded up to whole ones, of as many as there are now.
uint32_t mig_count_of(uint32_t share_ppm, uint32_t size);
uint32_t mig_ppm_of(uint32_t count, uint32_t size);

// ---- looking (gcp_mig_look.c) ------------------------------------------------------------------

// All of it lives in `arena`. ERROR_REMOTE when the answer is no group.
bool mig_read_group(struct arena *arena, str body, struct mig_seen *ret, struct error *err);
// Adds a page of instances; *next is the token of the next one, empty when this was the last.
bool mig_add_instances(struct arena *arena, str body, struct mig_seen *seen, str *next,
                       struct error *err);
uint32_t mig_count_on(const struct mig_seen *seen, str template);
uint32_t mig_ready_on(const struct mig_seen *seen, str template); // idle and healthy
// Every version has as many instances as it is to have, all of them idle and healthy, and the
// provider says so too.
bool mig_is_settled(const struct mig_seen *seen);
// "" when there are several, or none.
str mig_only_version(const struct mig_seen *seen);

// ---- telling (gcp_mig_told.c) ------------------------------------------------------------------

void mig_observation(const struct target_operation *operation, struct arena *arena,
                     struct target_observation *ret);
str mig_memory(const struct target_operation *operation, struct arena *arena);

// ---- templates (gcp_mig_template.c) ------------------------------------------------------------

// "web-v812" of a template's URL; with its place where that is a region's.
str mig_revision_of(str url);
// "/compute/v1/projects/P/global/instanceTemplates/web-v812"
str mig_template_path(struct arena *arena, const struct target *mig, str revision);
// "web-v812-0123456789ab", of at most 63 letters; `nth` > 0 of a later try.
str mig_template_name(struct arena *arena, str group, str release, str digest, unsigned nth);
// What `artifact: {template: …}` comes to.
bool mig_named_template(struct arena *arena, const struct target *mig,
                        const struct target_release *release, str *ret, struct error *err);
str mig_digest_of(struct arena *arena, str words); // "sha256:…"
str mig_template_digest(struct arena *arena, const struct mig_template *template);
// `image` and `image_id` are given where the configuration has one.
bool mig_blueprint_of(struct arena *arena, const struct target *mig,
                      const struct target_release *release, str image, str image_id,
                      struct mig_blueprint *ret, struct error *err);
// "/compute/v1/projects/P/global/images/NAME", also of a family.
bool mig_image_path(struct arena *arena, const struct target *mig,
                    const struct target_release *release, str *ret, struct error *err);
bool mig_read_template(struct arena *arena, str body, struct mig_template *ret, struct error *err);
bool mig_read_image(struct arena *arena, str body, str *url, str *id, struct error *err);
// The properties of a template like `base`, as JSON.
bool mig_properties(struct arena *arena, const struct mig_blueprint *blueprint,
                    const struct mig_template *base, str *ret, struct error *err);
// What a template of ours says of itself.
str mig_description(struct arena *arena, const struct target_release *release, str content);
str mig_description_word(str description, const char *key);
// The release in a name that is made by the configuration's pattern; empty when it cannot be told.
str mig_release_in(const struct target *mig, str revision);
// Whether a name in the configuration asks for `${digest}`.
bool mig_uses_digest(const struct mig_config *config);

// ---- the rest ----------------------------------------------------------------------------------

void mig_ask(struct target_operation *operation, str path, chain_next next);
// Waits for the provider's operation of an answer, then goes on with `then`, whose reply is null.
void mig_follow(struct target_operation *operation, const struct chain_reply *reply,
                chain_next then);
// The answer was lost, and looking shows whether the change was taken in. False after too often.
bool mig_is_lost(struct target_operation *operation, const struct chain_reply *reply);
void mig_stage(struct target_operation *operation);
void mig_observe(struct target_operation *operation);
void mig_permissions(const struct target *mig, struct arena *arena, struct target_permissions *ret);
bool mig_pack(const struct target *mig, const struct target_pack *pack, struct arena *arena,
              struct target_release *ret, struct error *err);

extern const struct shape mig_shape;
extern const struct target_kind gcp_mig_kind;

#endif
