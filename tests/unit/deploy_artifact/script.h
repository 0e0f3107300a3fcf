// What a registry or a bucket is asked, in this order, and what it answers.
#ifndef TESTS_UNIT_DEPLOY_ARTIFACT_SCRIPT_H
#define TESTS_UNIT_DEPLOY_ARTIFACT_SCRIPT_H

#include "../expect.h"
#include "deploy/artifact/artifact_access.h"

struct line {
    const char *request; // how it begins: "HEAD https://ghcr.io/v2/…"; null ends the list
    const char *header;  // one of the request's, "Authorization: Basic eA=="; "-Authorization" is
                         // one that it has not; may be null
    long status;         // 0 = 200; -1 = no answer
    const char *answer, *headers; // may be null
};

struct script {
    struct cloud *cloud;
    struct http_port http;
    struct clock_port clock;
    struct artifact_access access;
    int64_t now_ms;
    const struct line *lines;
    size_t at;
    const char *docker; // the folder in DOCKER_CONFIG
    bool google;        // whether there is a Google identity
    struct arena arena;
};

void script_open(struct script *script);
void script_plays(struct script *script, const struct line *lines);
void script_ended(const struct script *script); // all lines were asked for
void script_close(struct script *script);

#endif
