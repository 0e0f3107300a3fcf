// Calls one after another, where each answer says what comes next.
#include "scene.h"

#include "deploy/cloud/chain.h"

struct walk {
    struct aws_client *client;
    unsigned calls, pauses, most;
    bool fails, forgets;
    char saw[64];
};

static void answered(void *self, struct chain *chain, const struct chain_reply *reply);

static void call(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct walk *walk = self;
    cr_expect(reply->ok);
    walk->pauses++;
    chain_aws(chain, walk->client,
              &(struct aws_request){.service = &aws_ecs,
                                    .action = "DescribeServices",
                                    .body = STR("{}"),
                                    .repeatable = true,
                                    .tries = 1},
              answered);
}

static void answered(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct walk *walk = self;
    walk->calls++;
    if (!reply->ok) {
        (void)snprintf(walk->saw, sizeof walk->saw, STR_FMT, STR_ARG(reply->fault->code));
        chain_fail_with(chain, reply, "looking at %s", "web");
    } else if (walk->forgets) {
        return;
    } else if (walk->calls < walk->most) {
        chain_pause(chain, 20, call);
    } else if (walk->fails) {
        chain_fail(chain, ERROR_REMOTE, "%u answers were not enough", walk->calls);
    } else {
        chain_end(chain);
    }
}

static enum progress go(struct scene *scene, struct walk *walk, struct error *err)
{
    struct chain chain;
    enum progress progress;
    walk->client = scene_aws(scene, &(struct aws_account){0});
    chain_begin(&chain, scene->cloud, walk);
    call(walk, &chain, &(struct chain_reply){.ok = true});
    while ((progress = chain_poll(&chain, err)) == PROGRESS_PENDING) {
        cr_expect_gt(chain_wake_ms(&chain), 0);
        scene_wait(scene);
    }
    cr_expect_eq(chain_poll(&chain, err), progress, "what is over stays so");
    chain_drop(&chain);
    return progress;
}

Test(chain, goes_from_answer_to_answer_to_its_end)
{
    struct scene scene;
    struct error err;
    scene_open(&scene, NULL);
    scene_static_keys(&scene);
    struct walk walk = {.most = 3};
    cr_expect_eq(go(&scene, &walk, &err), PROGRESS_DONE);
    cr_expect_eq(walk.calls, 3);
    cr_expect_eq(walk.pauses, 3);
    walk = (struct walk){.most = 2, .fails = true};
    cr_expect_eq(go(&scene, &walk, &err), PROGRESS_FAILED);
    cr_expect_str_eq(err.message, "2 answers were not enough");
    cr_expect_eq(err.kind, ERROR_REMOTE);
    scene_close(&scene);
}

Test(chain, a_refusal_says_what_was_being_done)
{
    struct scene scene;
    struct error err;
    scene_open(&scene, NULL);
    scene_static_keys(&scene);
    scene_control(&scene, "{\"faults\": {\"/ecs\": [{\"status\": 400, \"body\": "
                          "\"{\\\"__type\\\": \\\"a#ClusterNotFoundException\\\"}\"}]}}");
    struct walk walk = {.most = 1};
    cr_expect_eq(go(&scene, &walk, &err), PROGRESS_FAILED);
    cr_expect_str_eq(walk.saw, "ClusterNotFoundException");
    cr_expect_eq(strncmp(err.message, "looking at web: ", 16), 0, "%s", err.message);
    scene_close(&scene);
}

Test(chain, one_that_forgets_to_go_on_fails_instead_of_hanging)
{
    struct scene scene;
    struct error err;
    scene_open(&scene, NULL);
    scene_static_keys(&scene);
    struct walk walk = {.most = 1, .forgets = true};
    cr_expect_eq(go(&scene, &walk, &err), PROGRESS_FAILED);
    cr_expect_eq(err.kind, ERROR_SYSTEM);
    scene_close(&scene);
}

Test(chain, may_be_dropped_at_any_moment)
{
    struct scene scene;
    struct error err;
    scene_open(&scene, NULL);
    scene_static_keys(&scene);
    for (unsigned polls = 0; polls < 4; polls++) {
        struct walk walk = {.most = 3, .client = scene_aws(&scene, &(struct aws_account){0})};
        struct chain chain;
        chain_begin(&chain, scene.cloud, &walk);
        call(&walk, &chain, &(struct chain_reply){.ok = true});
        for (unsigned i = 0; i < polls; i++) {
            cr_expect_eq(chain_poll(&chain, &err), PROGRESS_PENDING);
            scene_wait(&scene);
        }
        chain_drop(&chain);
        chain_drop(&chain);
    }
    scene_close(&scene);
}
