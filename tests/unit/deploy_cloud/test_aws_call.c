#include "scene.h"

#include "deploy/cloud/cloud_parts.h"

static struct scene scene;

static void open_scene(void)
{
    scene_open(&scene, NULL);
    scene_static_keys(&scene);
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(aws_call, .init = open_scene, .fini = close_scene);

static enum progress one(bool repeatable, struct aws_call **call, struct aws_answer *answer,
                         struct error *err)
{
    return scene_ecs(&scene, scene_aws(&scene, &(struct aws_account){0}), repeatable, call, answer,
                     err);
}

Test(aws_call, a_json_call_is_signed_and_answered)
{
    struct aws_call *call;
    struct aws_answer answer;
    struct error err;
    cr_assert_eq(one(true, &call, &answer, &err), PROGRESS_DONE, "%s", err.message);
    cr_expect(str_is(node_text(answer.tree, "key"), "AKIDSTATIC"));
    cr_expect(str_is(node_text(answer.tree, "action"),
                     "AmazonEC2ContainerServiceV20141113.DescribeServices"));
    cr_expect(str_is(answer.request_id, "req-1"));
    cr_expect_eq(answer.tries, 1);
    aws_call_drop(call);
}

Test(aws_call, the_query_protocol_and_paths_that_want_care)
{
    struct aws_client *client = scene_aws(&scene, &(struct aws_account){0});
    struct aws_call *call;
    struct aws_answer answer;
    struct error err;
    struct text form = text_of(4096), path = text_of(4096);
    enum progress p;
    aws_form_add(&form, STR("arn:aws:x/é &=+~"), "RuleArns.member.%u", 1u);
    struct aws_request rules = {.service = &aws_elbv2,
                                .action = "DescribeRules",
                                .body = text_str(&form),
                                .repeatable = true};
    cr_assert(aws_call_start(client, &rules, &call, &err));
    while ((p = aws_call_poll(call, &answer, &err)) == PROGRESS_PENDING)
        scene_wait(&scene);
    cr_assert_eq(p, PROGRESS_DONE, "%s", err.message);
    const struct node *list = node_get(answer.tree, "Rules");
    cr_assert_eq(list->kind, NODE_LIST);
    cr_expect(str_is(node_text(list->first, "RuleArn"), "arn:aws:x/é &=+~"));
    cr_expect(str_is(answer.request_id, "req-1"));
    aws_call_drop(call);

    static const struct {
        const struct aws_service *service;
        const char *prefix, *name, *query;
    } rows[] = {
        {&aws_lambda, "/2015-03-31/functions/", "arn:aws:lambda:eu-west-1:1:function:a b",
         "?Qualifier=7&A=%20"},
        {&aws_s3, "/bucket/", "../a//b c+d~é", "?versionId=x%2By"},
        {&aws_s3, "/bucket/../../x/./", "y", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        text_clear(&path);
        text_adds(&path, rows[i].prefix);
        aws_path_add(&path, str_of(rows[i].name));
        text_adds(&path, rows[i].query);
        struct aws_request get = {
            .service = rows[i].service, .path = text_str(&path), .repeatable = true};
        cr_assert(aws_call_start(client, &get, &call, &err));
        while ((p = aws_call_poll(call, &answer, &err)) == PROGRESS_PENDING)
            scene_wait(&scene);
        cr_expect_eq(p, PROGRESS_DONE, "%s: %s", text_c(&path), err.message);
        cr_expect(p != PROGRESS_DONE || str_search(answer.body, text_str(&path)) != STR_NONE, "%s",
                  text_c(&path));
        aws_call_drop(call);
    }
    text_done(&form);
    text_done(&path);
}

Test(aws_call, throttling_is_waited_out_for_every_call)
{
    static const char *const faults[] = {
        "{\"status\": 429}",
        "{\"status\": 400, \"body\": \"{\\\"__type\\\": \\\"a#ThrottlingException\\\"}\"}",
        "{\"status\": 503, \"headers\": {\"x-amzn-ErrorType\": \"RequestLimitExceeded:\"}}",
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        char control[256];
        struct aws_call *call;
        struct aws_answer answer;
        struct error err;
        snprintf(control, sizeof control, "{\"faults\": {\"/ecs\": [%s]}}", faults[i]);
        scene_control(&scene, control);
        cr_assert_eq(one(false, &call, &answer, &err), PROGRESS_DONE, "%s", err.message);
        cr_expect_eq(answer.tries, 2, "%s", faults[i]);
        aws_call_drop(call);
    }
    cr_expect_eq(scene_count(&scene, "effects"), 3);
}

Test(aws_call, retry_after_is_honoured)
{
    struct aws_call *call;
    struct aws_answer answer;
    struct error err;
    scene_control(&scene, "{\"faults\": {\"/ecs\": [{\"status\": 429, \"headers\": "
                          "{\"Retry-After\": \"1\"}}]}}");
    int64_t began = scene.real.now_ms(scene.real.self);
    cr_assert_eq(one(true, &call, &answer, &err), PROGRESS_DONE, "%s", err.message);
    cr_expect_geq(scene.real.now_ms(scene.real.self) - began, 990);
    aws_call_drop(call);
}

Test(aws_call, what_nobody_knows_is_tried_again_only_where_that_is_harmless)
{
    static const char *const faults[] = {"{\"status\": 500}", "{\"status\": 503}",
                                         "{\"cut\": \"after\"}"};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        char control[256];
        struct aws_call *call;
        struct aws_answer answer;
        struct error err;
        snprintf(control, sizeof control, "{\"faults\": {\"/ecs\": [%s, %s]}, \"counts\": {}}",
                 faults[i], faults[i]);
        scene_control(&scene, control);
        cr_expect_eq(one(false, &call, &answer, &err), PROGRESS_FAILED, "%s", faults[i]);
        cr_expect_eq(err.kind, ERROR_TRANSIENT);
        cr_expect(aws_call_fault(call)->outcome_unknown);
        cr_expect(strstr(err.message, "the outcome is unknown"), "%s", err.message);
        cr_expect_eq(scene_count(&scene, "ecs"), 1, "it was sent once");
        aws_call_drop(call);
        cr_expect_eq(one(true, &call, &answer, &err), PROGRESS_DONE, "%s", err.message);
        cr_expect_eq(scene_count(&scene, "ecs"), 3, "%s", faults[i]);
        aws_call_drop(call);
    }
}

Test(aws_call, a_refusal_is_one_sentence_with_all_that_is_known)
{
    static const struct {
        const char *body;
        long status;
        enum error_kind kind;
        const char *code;
    } rows[] = {
        {"{\\\"__type\\\": \\\"x#AccessDeniedException\\\", \\\"Message\\\": \\\"no\\\\nway\\\"}",
         400, ERROR_DENIED, "AccessDeniedException"},
        {"{\\\"__type\\\": \\\"ServiceNotFoundException\\\", \\\"message\\\": \\\"no way\\\"}", 400,
         ERROR_ABSENT, "ServiceNotFoundException"},
        {"{\\\"code\\\": \\\"InvalidParameterException\\\", \\\"message\\\": \\\"no way\\\"}", 400,
         ERROR_REMOTE, "InvalidParameterException"},
        {"<html>a proxy</html>", 403, ERROR_DENIED, ""},
        {"", 404, ERROR_ABSENT, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char control[512];
        struct aws_call *call;
        struct aws_answer answer;
        struct error err;
        snprintf(control, sizeof control,
                 "{\"faults\": {\"/ecs\": [{\"status\": %ld, \"body\": \"%s\"}]}}", rows[i].status,
                 rows[i].body);
        scene_control(&scene, control);
        cr_assert_eq(one(true, &call, &answer, &err), PROGRESS_FAILED);
        cr_expect_eq(err.kind, rows[i].kind, "%s", err.message);
        cr_expect(str_is(aws_call_fault(call)->code, rows[i].code), "%s", err.message);
        cr_expect_eq(aws_call_fault(call)->status, rows[i].status);
        cr_expect(strstr(err.message, rows[i].code) && strstr(err.message, "req-1"), "%s",
                  err.message);
        cr_expect_not(strchr(err.message, '\n'));
        cr_expect_not(aws_call_fault(call)->outcome_unknown);
        aws_call_drop(call);
    }
}

Test(aws_call, nobody_there_is_said_after_all_tries)
{
    struct aws_call *call;
    struct aws_answer answer;
    struct error err;
    struct aws_client *client;
    cr_assert(aws_client_open(
        scene.cloud, &(struct aws_account){.region = "eu-west-1", .endpoint = "http://127.0.0.1:1"},
        &client, &err));
    struct aws_request request = {.service = &aws_ecs, .action = "ListClusters", .tries = 4};
    cr_assert(aws_call_start(client, &request, &call, &err));
    enum progress p;
    while ((p = aws_call_poll(call, &answer, &err)) == PROGRESS_PENDING)
        scene_wait(&scene);
    cr_expect_eq(p, PROGRESS_FAILED);
    cr_expect_eq(err.kind, ERROR_TRANSIENT);
    cr_expect(strstr(err.message, "given up after 4 tries"), "%s", err.message);
    cr_expect_not(aws_call_fault(call)->outcome_unknown, "nothing was ever sent");
    aws_call_drop(call);
}

Test(aws_call, a_wrong_clock_is_found_once_and_said)
{
    struct aws_call *call;
    struct aws_answer answer;
    struct error err;
    scene.shift_ms = 17 * 60 * 1000;
    cr_assert_eq(one(true, &call, &answer, &err), PROGRESS_DONE, "%s", err.message);
    cr_expect_eq(answer.tries, 2);
    aws_call_drop(call);
    cr_assert_eq(scene.word_count, 1);
    cr_expect(strstr(scene.words[0], "ahead of that of AWS"), "%s", scene.words[0]);
    cr_assert_eq(one(false, &call, &answer, &err), PROGRESS_DONE);
    cr_expect_eq(answer.tries, 1, "from then on it is right at once");
    aws_call_drop(call);
    cr_expect_eq(scene.word_count, 1);
}

Test(aws_call, all_that_were_on_their_way_with_the_wrong_time_get_through)
{
    static struct aws_call *calls[20];
    struct aws_client *client = scene_aws(&scene, &(struct aws_account){0});
    struct aws_request request = {.service = &aws_ecs, .action = "A"};
    struct aws_answer answer;
    struct error err;
    scene.shift_ms = -20 * 60 * 1000;
    for (size_t i = 0; i < 20; i++)
        cr_assert(aws_call_start(client, &request, &calls[i], &err));
    for (size_t done = 0; done < 20; scene_wait(&scene)) {
        done = 0;
        for (size_t i = 0; i < 20; i++) {
            enum progress p = aws_call_poll(calls[i], &answer, &err);
            cr_assert_neq(p, PROGRESS_FAILED, "%s", err.message);
            done += p == PROGRESS_DONE;
        }
    }
    for (size_t i = 0; i < 20; i++)
        aws_call_drop(calls[i]);
    cr_expect_eq(scene.word_count, 1);
}

Test(aws_call, a_wrong_secret_is_refused_and_never_said)
{
    struct aws_call *call;
    struct aws_answer answer;
    struct error err;
    scene_set(&scene, "AWS_SECRET_ACCESS_KEY", "wrong-secret");
    cr_assert_eq(one(true, &call, &answer, &err), PROGRESS_FAILED);
    cr_expect_eq(err.kind, ERROR_DENIED);
    cr_expect(str_is(aws_call_fault(call)->code, "SignatureDoesNotMatch"), "%s", err.message);
    cr_expect_not(strstr(err.message, "wrong-secret"));
    aws_call_drop(call);
}

enum { MANY = 100 };

Test(aws_call, many_at_once_keep_to_the_rate)
{
    static struct aws_call *calls[MANY];
    struct aws_client *client = scene_aws(&scene, &(struct aws_account){0});
    struct aws_answer answer;
    struct error err;
    struct aws_request request = {
        .service = &aws_ecs, .action = "DescribeServices", .repeatable = true, .timeout_ms = 60000};
    int64_t began = scene.real.now_ms(scene.real.self);
    for (size_t i = 0; i < MANY; i++)
        cr_assert(aws_call_start(client, &request, &calls[i], &err));
    size_t done = 0;
    while (done < MANY) {
        done = 0;
        for (size_t i = 0; i < MANY; i++) {
            enum progress p = aws_call_poll(calls[i], &answer, &err);
            cr_assert_neq(p, PROGRESS_FAILED, "%s", err.message);
            done += p == PROGRESS_DONE;
        }
        if (done < MANY)
            scene_wait(&scene);
    }
    int64_t took_ms = scene.real.now_ms(scene.real.self) - began;
    int64_t least_ms = (int64_t)((MANY - aws_ecs.burst) / aws_ecs.calls_per_second * 1000);
    cr_expect(took_ms >= least_ms && took_ms < least_ms + 8000, "%lld ms, %lld wanted",
              (long long)took_ms, (long long)least_ms);
    for (size_t i = 0; i < MANY; i++)
        aws_call_drop(calls[i]);
}

Test(aws_call, pauses_grow_have_an_end_and_honour_the_service)
{
    struct tries tries = {.made = 1, .most = 3, .deadline_ms = cloud_now(scene.cloud) + 60000};
    int64_t now = cloud_now(scene.cloud);
    cr_expect(tries_again(&tries, scene.cloud, AGAIN_THROTTLED, 5000));
    cr_expect(tries.next_ms >= now + 5000 && tries.next_ms < now + 5600);
    cr_expect_not(tries_again(&tries, scene.cloud, AGAIN_THROTTLED, 70000), "past the deadline");
    tries.made = 3;
    cr_expect_not(tries_again(&tries, scene.cloud, AGAIN_BROKEN, 0));
}

Test(aws_call, a_call_may_be_dropped_at_any_moment)
{
    struct aws_client *client = scene_aws(&scene, &(struct aws_account){0});
    struct aws_request request = {
        .service = &aws_ecs, .action = "ListClusters", .repeatable = true};
    for (unsigned steps = 0; steps < 4; steps++) {
        struct aws_call *call;
        struct aws_answer answer;
        struct error err;
        cr_assert(aws_call_start(client, &request, &call, &err));
        for (unsigned i = 0; i < steps; i++) {
            (void)aws_call_poll(call, &answer, &err);
            scene_wait(&scene);
        }
        aws_call_drop(call);
    }
    aws_call_drop(NULL);
}

Test(aws_call, regions_and_endpoints_come_from_where_they_are_given)
{
    struct aws_client *client;
    struct error err;
    cr_expect_not(aws_client_open(scene.cloud, &(struct aws_account){0}, &client, &err));
    cr_expect_eq(err.kind, ERROR_INPUT);
    cr_expect(strstr(err.message, "AWS_REGION"), "%s", err.message);
    cr_expect_not(aws_client_open(scene.cloud, &(struct aws_account){.region = "evil.example/"},
                                  &client, &err));
    scene_set(&scene, "AWS_REGION", "us-east-2");
    cr_assert(aws_client_open(scene.cloud, &(struct aws_account){0}, &client, &err));
    cr_expect_str_eq(aws_client_region(client), "us-east-2");
    struct aws_client *again;
    cr_assert(aws_client_open(scene.cloud, &(struct aws_account){0}, &again, &err));
    cr_expect_eq(client, again, "equal accounts share a client");
    scene_set(&scene, "AWS_ENDPOINT_URL_ECS", scene_url(&scene, "/ecs/"));
    struct aws_call *call;
    struct aws_answer answer;
    cr_expect_eq(scene_ecs(&scene, client, true, &call, &answer, &err), PROGRESS_DONE, "%s",
                 err.message);
    aws_call_drop(call);
}
