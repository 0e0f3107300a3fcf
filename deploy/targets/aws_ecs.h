// Amazon ECS. Two shapes of one kind:
//
//   rolling    one `service`: its tasks are replaced by those of the release, all of them
//   weighted   two `services` behind one rule of a load balancer: the release is brought onto the
//              one that gets no requests, and then the rule's weights move
//
// A release's revision is its task definition, "learn:17". A verb looks, decides what is still
// missing, asks for that one thing, and looks again (aws_ecs_verbs.c decides, and does nothing
// else). So it may begin anywhere, in any process.
#ifndef DEPLOY_TARGETS_AWS_ECS_H
#define DEPLOY_TARGETS_AWS_ECS_H

#include "deploy/targets/aws_forward.h"

enum { ECS_SERVICES = 2, ECS_ALL_PPM = 1000000 };

struct ecs_artifact {
    str image, container;
    struct position at;
};

struct ecs_config {
    str cluster, service;
    struct shape_list services; // of str
    struct aws_forward_place place;
    struct ecs_artifact artifact;
    struct aws_section section;
};

enum { ECS_ROLES = 2 }; // of a task definition

struct target { // of this kind
    const struct ecs_config *config;
    struct target_setup setup;
    struct aws_client *client;
    struct arena arena;
    str cluster, names[ECS_SERVICES];
    size_t count; // of services: 1 is rolling, 2 is weighted
    struct aws_forward_place place;
    // Of the definition that serves, once a survey has read it: ARNs that a new one passes on.
    str roles[ECS_ROLES];
    size_t role_count;
};

// ---- what was seen -----------------------------------------------------------------------------

enum ecs_rollout { ECS_UNTOLD, ECS_IN_PROGRESS, ECS_COMPLETED, ECS_FAILED };

struct ecs_service {
    bool found, active;
    str definition;    // of its PRIMARY deployment: "learn:17"
    str deployment;    // that one's id
    str reason;        // the provider's words about it
    str failed_reason; // of one that failed before it and is not gone yet; empty = none
    enum ecs_rollout rollout;
    int64_t desired, running, pending, failed;
    int64_t primary_running, on_next, on_good; // of the running tasks
    size_t deployments;                        // that have not ended
    str group;                                 // ARN of its target group; empty = none
    str controller, strategy;                  // empty = ECS itself, rolling
    bool daemon;                               // a task on each machine: its count cannot be set
    uint32_t ppm;                              // of the requests
    bool health_known;
    struct aws_health health;
};

struct ecs_seen {
    struct ecs_service services[ECS_SERVICES];
    struct aws_forward forward; // weighted
    uint32_t foreign_ppm;       // that go to other groups
};

// ---- what is decided ---------------------------------------------------------------------------

enum ecs_act {
    ECS_DONE,
    ECS_WAIT,    // and look again
    ECS_FAIL,    // err
    ECS_DEFINE,  // find or make the task definition of `next`
    ECS_UPDATE,  // a service: its definition, its count, or both
    ECS_WEIGHTS, // of the rule
};

struct ecs_step {
    enum ecs_act act;
    unsigned service;
    str definition;  // UPDATE: empty = as it is
    int64_t desired; // UPDATE: -1 = as it is
    bool force;      // UPDATE: a new deployment of the same definition
    uint32_t share;  // WEIGHTS: of `service`; the other one has the rest
    // UPDATE: it only tidies up, and nothing is wrong where it fails.
    bool tidies;
};

struct ecs_sent { // to one service, by this operation
    bool definition, seen, raised, away, gone;
    str before;     // the id of its PRIMARY deployment then
    unsigned looks; // since then that did not show it
};

struct target_operation {
    struct target *ecs;
    enum intent_verb verb;
    uint32_t share_ppm;
    bool survey, looked;
    struct arena arena; // of the intent
    struct target_release next, good;
    int64_t kept_desired; // of the memory: tasks of known good before it was scaled away
    struct ecs_sent sent[ECS_SERVICES];
    unsigned weights_sent;
    struct chain chain;
    chain_next after;        // the look
    struct arena look_arena; // of what was seen last
    struct ecs_seen seen;
    struct ecs_step step;
    unsigned looks;  // without a change
    unsigned asking; // whose health
    str body;        // DEFINE: of the request, once the definition it begins from is read
    str image, family, base;
    unsigned registers;
    struct target_troubles troubles;
    str release;    // that the serving definition says of itself
    uint64_t moved; // what the last look came to, to tell whether something did since
};

// What is still missing for the verb, by what was seen and what this operation sent.
void ecs_decide(struct target_operation *operation, struct ecs_step *ret, struct error *err);
bool ecs_is_settled(const struct target_operation *operation, unsigned service);
// Why it is not, for people; empty when it is.
str ecs_unsettled_why(struct arena *arena, const struct target_operation *operation);

// ---- looking (aws_ecs_look.c) ------------------------------------------------------------------

// Begins one look; `next` is called when it is over, with a reply that is ok. What fails ends the
// chain, or becomes a trouble where the operation surveys.
void ecs_look(struct target_operation *operation, chain_next next);
void ecs_observation(struct target_operation *operation, struct arena *arena,
                     struct target_observation *ret);

// ---- task definitions (aws_ecs_definition.c) ---------------------------------------------------

// Finds the one that was made of this release, or makes it: then operation->next.revision is its
// name and `next` is called.
void ecs_define(struct target_operation *operation, chain_next next);
// Of a survey, and of an observation for `sluice adopt`: what the serving definition is.
void ecs_inspect(struct target_operation *operation, chain_next next);

extern const struct shape ecs_shape;
extern const struct target_kind aws_ecs_kind;

#endif
