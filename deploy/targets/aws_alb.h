// The `aws-alb` target: the weights of two target groups of an Application Load Balancer, whose
// processes are deployed by somebody else. A release is what answers in a group: staging it means
// that the idle group is able to serve, and is marked with the release's name.
#ifndef DEPLOY_TARGETS_AWS_ALB_H
#define DEPLOY_TARGETS_AWS_ALB_H

#include "deploy/targets/aws_forward.h"

enum { ALB_GROUPS = 2 };

struct alb_group {
    str name, arn;
    struct position at;
};

struct alb_config {
    struct aws_section at;
    struct aws_forward_place place;
    struct shape_list groups; // of struct alb_group, two of them
    int64_t min_healthy;      // 0 = as many as serve in the other group
    struct position position;
};

extern const struct shape alb_shape;

struct alb_target {
    const struct alb_config *config;
    struct target_setup setup;
    struct aws_client *client;
    struct arena arena;
    struct aws_forward_place place;      // with `${env.*}` put in, as
    struct alb_group groups[ALB_GROUPS]; // these
};

struct alb_mark { // the tags of a group: which release somebody said is there
    str release, digest;
};

struct alb_operation {
    const struct alb_target *target;
    enum intent_verb verb;
    uint32_t share_ppm;
    bool survey;
    struct arena arena; // of the intent's strings and of what was read
    struct target_release next, good;
    struct chain chain;
    struct aws_forward forward; // as last read
    bool has_forward;
    int of_next, of_good; // indexes of their groups; -1 = none of the two
    int idle;             // STAGE: likewise
    struct aws_health health[ALB_GROUPS];
    bool has_health[ALB_GROUPS];
    struct alb_mark marks[ALB_GROUPS];
    bool has_marks;
    unsigned looks, sent;
    str staged; // STAGE: the group's name
    struct target_troubles troubles;
};

extern const char alb_release_tag[], alb_digest_tag[];

uint32_t alb_ppm(const struct alb_operation *op, int group); // 0 where it is none
// The one of the two that has all of the weight; -1 when there is none.
int alb_serving(const struct alb_operation *op);

// Healthy targets that the idle group must have, by the health of the one that serves.
unsigned alb_needed(const struct alb_operation *op, int serving);

// Each begins where the weights were read, and ends or fails the chain.
void alb_stage(struct alb_operation *op);
void alb_bring(struct alb_operation *op); // SHIFT, PROMOTE, REVERT

void alb_ask_marks(struct alb_operation *op, chain_next next); // of both groups
void alb_read_marks(struct alb_operation *op, const struct chain_reply *reply);

extern const struct target_kind aws_alb_kind;

#endif
