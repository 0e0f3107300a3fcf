// A service of Cloud Run (API v2). A release is a revision of it, named here, so that staging twice
// makes one revision; its share is a percentage of `traffic`.
//
// A verb looks, decides what is still missing, asks for that one thing with the etag of what it
// saw, and looks again. So it may begin anywhere, in any process, and needs no memory.
//
//     gcp_run.c           the kind: opening, the verbs' calls one after another
//     gcp_run_decide.c    what is still missing, by what was seen; asks nobody
//     gcp_run_look.c      answers of the API as structs, and what is told of them
//     gcp_run_traffic.c   lists of who gets what share
//     gcp_run_revision.c  a release's name and image, and the template of its revision
#ifndef DEPLOY_TARGETS_GCP_RUN_H
#define DEPLOY_TARGETS_GCP_RUN_H

#include "deploy/targets/google_parts.h"
#include "gate/doc/json.h"

enum {
    RUN_NAMES = 9, // a release's revision may have failed: the next try has another name
    RUN_WHOLE_PPM = 1000000,
    RUN_PERCENT_PPM = 10000, // traffic is told in whole percents
};

enum run_base { RUN_BASE_GOOD, RUN_BASE_SERVICE };

struct run_artifact {
    str image, container;
    struct position at;
};

struct run_config {
    str project, region, service, tag;
    int base; // enum run_base
    struct run_artifact artifact;
};

struct target { // of this kind
    const struct run_config *config;
    struct target_setup setup;
    struct google_client *client;
    struct arena arena;
    str project, region, service, image; // with the environment's part
    str place;                           // "/v2/projects/P/locations/R/services/S"
};

// ---- what was seen -----------------------------------------------------------------------------

enum run_state { RUN_BUSY, RUN_SUCCEEDED, RUN_FAILED };

struct run_share {
    str revision; // short name; of the latest it is the one that is meant now
    bool latest;  // whichever is the newest that is ready
    uint32_t percent;
    str tag, uri;
};

struct run_traffic {
    struct run_share *items;
    size_t count, room;
};

struct run_seen {
    const struct node *tree;
    str etag, uri;
    str generation, observed; // numbers, as the API writes them
    bool reconciling;
    enum run_state state;  // of the service as a whole
    enum run_state routes; // of its traffic alone
    str message;           // why it failed: the provider's words
    str latest_ready, latest_created;
    struct run_traffic wanted; // `traffic`: what was last asked for
    struct run_traffic served; // `trafficStatuses`: what is
};

struct run_revision { // as looked at
    bool known;       // it was looked at
    bool exists;
    enum run_state state;
    str message;
    str release, image; // of the artifact's container
    const struct node *tree;
};

// ---- what is decided ---------------------------------------------------------------------------

enum run_act {
    RUN_DONE,
    RUN_WAIT,    // and look again
    RUN_STOP,    // it failed
    RUN_LOOK_UP, // the revision `name`
    RUN_NEXT_NAME,
    RUN_PATCH, // `traffic`, and a new template too where that is asked for
};

enum run_template { RUN_NO_TEMPLATE, RUN_OF_NEXT, RUN_OF_GOOD };

struct run_step {
    enum run_act act;
    enum run_template template;
    struct run_traffic traffic;
};

struct target_operation {
    struct target *run;
    enum intent_verb verb;
    uint32_t share_ppm;
    bool survey;
    struct arena arena; // of the intent, and of words that outlive a look
    struct target_release next, good;
    struct chain chain;
    struct arena look_arena; // of what was seen last
    struct run_seen seen;
    struct run_revision revision; // STAGE: of `name`; OBSERVE: what serves
    struct run_step step;
    unsigned name; // which of its names the release's revision gets
    str accepted;  // generation of the change that was asked for; empty = none was
    bool made;     // the revision was made by this operation
    bool reset;    // REVERT: the template was put back
    str failure;   // what the provider said of the change that was asked for
    unsigned conflicts, unknown;
    unsigned looks; // without a change
    str last_state; // etag of the last look, to tell whether something moved
    str waiting;    // name of the provider's operation that is waited for
    struct target_troubles troubles;
    str note;
};

// What is still missing. RUN_STOP: *err says why.
void run_decide(struct target_operation *operation, struct run_step *ret, struct error *err);

// ---- looking (gcp_run_look.c) ------------------------------------------------------------------

// All of it lives in `arena`. ERROR_REMOTE when the answer is no service.
bool run_read_service(struct arena *arena, str body, struct run_seen *ret, struct error *err);
bool run_read_revision(struct arena *arena, str body, const struct target *run,
                       struct run_revision *ret, struct error *err);
// Everything that was asked for is there.
bool run_is_settled(const struct run_seen *seen);
// The traffic is as asked for, and only the newest revision, which gets none of it, is not ready.
bool run_is_served(const struct run_seen *seen);
void run_observation(const struct target_operation *operation, struct arena *arena,
                     struct target_observation *ret);

// ---- traffic (gcp_run_traffic.c) ---------------------------------------------------------------

uint32_t run_percent_of(uint32_t share_ppm); // rounded up
uint32_t run_percent_on(const struct run_traffic *traffic, str revision);
bool run_traffic_equal(const struct run_traffic *a, const struct run_traffic *b);
// What the verb wants, beside the tags of others.
struct run_traffic run_traffic_for(const struct target_operation *operation, struct arena *arena);
void run_traffic_write(const struct run_traffic *traffic, struct json_out *out);

// ---- revisions (gcp_run_revision.c) ------------------------------------------------------------

// "search-v812-0123456789ab": the service, the release as far as it fits, its digest; `nth` > 0 of
// a later try.
str run_revision_name(struct arena *arena, str service, const struct target_release *release,
                      unsigned nth);
bool run_is_revision_of(str name, str service, const struct target_release *release);
bool run_pack(const struct target *run, const struct target_pack *pack, struct arena *arena,
              struct target_release *ret, struct error *err);
// Which of the containers the artifact is for. ERROR_INPUT when that cannot be told.
bool run_container(const struct target *run, const struct node *template, const struct node **ret,
                   struct error *err);
// The body of a change: `traffic`, and the template that the step asks for, made of `base` (a
// revision, or a template).
bool run_body(const struct target_operation *operation, const struct node *base, struct text *out,
              struct error *err);

extern const struct shape run_shape;
extern const struct target_kind gcp_run_kind;

#endif
