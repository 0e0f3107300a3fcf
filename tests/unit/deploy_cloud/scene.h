// What the tests of identities and calls share: a world, a server that answers as the clouds do, an
// environment of the test's own, and a clock that can be moved.
#ifndef TESTS_UNIT_DEPLOY_CLOUD_SCENE_H
#define TESTS_UNIT_DEPLOY_CLOUD_SCENE_H

#include "../../bench/bench.h"
#include "deploy/cloud/aws_call.h"
#include "deploy/cloud/google_call.h"
#include "deploy/world/world.h"

#include <criterion/criterion.h>

enum { SCENE_VARIABLES = 24, SCENE_WORDS = 8 };

struct scene {
    struct bench bench;
    long port;
    char folder[256];
    struct world *world;
    struct http_port http;
    struct clock_port clock, real;
    int64_t shift_ms;
    struct cloud *cloud;
    struct {
        char name[64], value[512];
    } variables[SCENE_VARIABLES];
    size_t variable_count;
    char words[SCENE_WORDS][800];
    size_t word_count;
};

// argument: "--google" where its credentials files are wanted, else null.
void scene_open(struct scene *scene, const char *argument);
void scene_close(struct scene *scene);
// A variable of the environment, in which %s is the server: "http://127.0.0.1:PORT".
void scene_set(struct scene *scene, const char *name, const char *value);
void scene_set_file(struct scene *scene, const char *name, const char *file); // of the server's
const char *scene_url(const struct scene *scene, const char *path);
void scene_control(struct scene *scene, const char *json);
long scene_count(struct scene *scene, const char *name); // of the requests to a path
void scene_wait(struct scene *scene);
void scene_static_keys(struct scene *scene);

// An aws client in eu-west-1 with all services at the server.
struct aws_client *scene_aws(struct scene *scene, const struct aws_account *account);
// Runs one call to its end. The answer lives until it is dropped.
enum progress scene_ecs(struct scene *scene, struct aws_client *client, bool repeatable,
                        struct aws_call **ret_call, struct aws_answer *ret, struct error *err);
enum progress scene_run(struct scene *scene, const struct google_account *account,
                        const char *method, bool repeatable, struct google_call **ret_call,
                        struct google_answer *ret, struct error *err);

#endif
