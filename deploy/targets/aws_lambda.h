// The `aws-lambda` target: an alias of a function, and the two published versions that its requests
// are shared between. A release is a version: code by digest, published once, never changed again.
//
//     aws_lambda.c           the kind: its table, intents, what was seen
//     aws_lambda_config.c    the section
//     aws_lambda_alias.c     GetAlias, UpdateAlias and kin: shift, promote, revert
//     aws_lambda_stage.c     UpdateFunctionCode, PublishVersion
//     aws_lambda_pack.c      which code a release is: its digest, before anything is touched
#ifndef DEPLOY_TARGETS_AWS_LAMBDA_H
#define DEPLOY_TARGETS_AWS_LAMBDA_H

#include "deploy/targets/aws_parts.h"

struct lambda_artifact { // one of the two; templates
    str archive, image;
    struct position at;
};

struct lambda_config {
    struct aws_section at;
    str function, alias;
    struct lambda_artifact *artifact; // null: releases are versions that somebody else publishes
    struct position position;
};

extern const struct shape lambda_shape;

struct lambda_target {
    const struct lambda_config *config;
    struct target_setup setup;
    struct aws_client *client;
    struct arena arena;
    str function, alias; // with `${env.*}` put in
};

// ---- the alias ---------------------------------------------------------------------------------
enum { LAMBDA_SHARES = 4, LAMBDA_ALL = 1000000 };

struct lambda_share {
    str version;
    uint32_t ppm;
};

struct lambda_alias {
    bool exists;
    str version; // the one that gets what no weight says: "41"
    str revision_id;
    struct lambda_share shares[LAMBDA_SHARES]; // of all versions, that one first
    size_t count;
};

// ---- code --------------------------------------------------------------------------------------
struct lambda_code {     // of $LATEST or of a version
    str version, digest; // "sha256:…"; empty where it was not told
    str code_sha256;     // as it was told
    str package;         // "Zip", "Image"
    str state, state_why, update, update_why;
    str revision_id, description;
};

// ---- one operation -----------------------------------------------------------------------------
struct lambda_operation {
    const struct lambda_target *target;
    enum intent_verb verb;
    uint32_t share_ppm;
    bool survey;
    struct arena arena; // of the intent's strings and of what was read
    struct target_release next, good;
    uint32_t kept_ppm; // the share that was asked for where there is nothing to share with
    struct chain chain;
    struct lambda_alias alias; // as last read,
    bool has_alias;            // if it was
    unsigned looks;            // without anything new
    unsigned sent;             // changes that took effect and were not seen yet
    bool updated;              // STAGE: the code was sent, and taken
    str staged;                // STAGE: the version
    struct target_troubles troubles;
    struct lambda_code *serving; // what the alias serves, where it was looked at; else null
};

// The path of the function, "/2015-03-31/functions/thumbs", and what follows it; `last` is one
// percent-encoded segment behind `rest`, or empty.
str lambda_path(struct arena *arena, str function, const char *rest, str last);

// Where there is no second version that could get the rest of the requests: a first deployment, or
// a release whose code is that of known good. The alias then serves it whole or not at all.
bool lambda_is_alone(const struct lambda_operation *op);
uint32_t lambda_share_of(const struct lambda_alias *alias, str version);

// Reads the alias, then goes on with `next`; an absent alias is no failure, an absent function is.
void lambda_ask_alias(struct lambda_operation *op, chain_next next);
// In `next`: false after it has failed the chain, or has begun to ask again.
bool lambda_read_alias(struct lambda_operation *op, const struct chain_reply *reply);
// Brings the alias to what SHIFT, PROMOTE and REVERT ask for, and ends the chain when it was seen
// there.
void lambda_bring(struct lambda_operation *op);

// ---- code --------------------------------------------------------------------------------------

// `qualifier` empty: $LATEST.
void lambda_ask_code(struct lambda_operation *op, str qualifier, chain_next next);
// From the answers of GetFunction, GetFunctionConfiguration, UpdateFunctionCode, PublishVersion.
void lambda_read_code(struct arena *arena, const struct node *tree, struct lambda_code *ret);
str lambda_release_of(str description); // of a version that was published here; else empty
bool lambda_is_version(str name);       // a number; "$LATEST" and names of aliases are none
// The code of a release, as `revision` names it until it is published: {"S3Bucket": …} or
// {"ImageUri": …}, with what an UpdateFunctionCode has besides.
str lambda_code_request(struct arena *arena, str revision, str revision_id, bool dry_run);
bool lambda_is_image(const struct lambda_target *target);

void lambda_stage(struct lambda_operation *op); // after the alias was read; ends or fails the chain

// An answer that says: what was read is old (412), or something else is under way (409).
bool lambda_is_stale(const struct chain_reply *reply);

bool lambda_pack(const struct lambda_target *target, const struct target_pack *pack,
                 struct arena *arena, struct target_release *ret, struct error *err);

extern const struct target_kind aws_lambda_kind;

#endif
