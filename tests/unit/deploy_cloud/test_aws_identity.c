#include "scene.h"

#include "deploy/cloud/aws_plan.h"
#include "deploy/world/files.h"
#include "gate/base/text.h"

static struct scene scene;

static void open_scene(void)
{
    scene_open(&scene, NULL);
    scene_set(&scene, "AWS_EC2_METADATA_DISABLED", "true");
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(aws_identity, .init = open_scene, .fini = close_scene);

// One call as this account; fails the test when it does not get through.
static void gets_through(const struct aws_account *account, const char *key)
{
    struct aws_call *call;
    struct aws_answer answer;
    struct error err;
    enum progress p = scene_ecs(&scene, scene_aws(&scene, account), true, &call, &answer, &err);
    cr_assert_eq(p, PROGRESS_DONE, "%s", err.message);
    str used = node_text(answer.tree, "key");
    cr_expect(str_starts(used, str_of(key)), STR_FMT, STR_ARG(used));
    aws_call_drop(call);
}

static void is_refused(const struct aws_account *account, enum error_kind kind, const char *words)
{
    struct aws_call *call;
    struct aws_answer answer;
    struct error err;
    enum progress p = scene_ecs(&scene, scene_aws(&scene, account), true, &call, &answer, &err);
    cr_assert_eq(p, PROGRESS_FAILED);
    cr_expect_eq(err.kind, kind, "%d: %s", (int)err.kind, err.message);
    cr_expect(strstr(err.message, words), "%s", err.message);
    cr_expect_not(strstr(err.message, "runner-secret") || strstr(err.message, "static/secret"));
    aws_call_drop(call);
}

static const struct aws_account nobody = {0};

static void set_runner(void)
{
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%ld/oidc?api-version=2.0", scene.port);
    scene_set(&scene, "ACTIONS_ID_TOKEN_REQUEST_URL", url);
    scene_set(&scene, "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "runner-secret");
}

static void write_profiles(const char *config, const char *credentials)
{
    char path[512];
    struct error err;
    snprintf(path, sizeof path, "%s/config", scene.folder);
    cr_assert(file_write(path, str_of(config), 0600, &err));
    scene_set(&scene, "AWS_CONFIG_FILE", path);
    snprintf(path, sizeof path, "%s/credentials", scene.folder);
    cr_assert(file_write(path, str_of(credentials), 0600, &err));
    scene_set(&scene, "AWS_SHARED_CREDENTIALS_FILE", path);
}

Test(aws_identity, the_runners_oidc_token_becomes_the_role)
{
    struct aws_account account = {.role = "arn:aws:iam::1:role/deploy"};
    set_runner();
    gets_through(&account, "ASIA");
    cr_expect_eq(scene_count(&scene, "oidc"), 1);
    cr_expect_eq(scene_count(&scene, "sts"), 1);
    gets_through(&account, "ASIA");
    cr_expect_eq(scene_count(&scene, "sts"), 1, "kept");
    struct aws_account other = {.role = "arn:aws:iam::1:role/forbidden"};
    is_refused(&other, ERROR_DENIED, "AccessDenied: not authorized");
    scene_set(&scene, "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "another");
    struct aws_account third = {.role = "arn:aws:iam::1:role/third"};
    is_refused(&third, ERROR_DENIED, "the runner's OIDC token: the answer was status 401");
}

Test(aws_identity, the_environments_role_and_token_file)
{
    scene_set_file(&scene, "AWS_WEB_IDENTITY_TOKEN_FILE", "web-token");
    scene_set(&scene, "AWS_ROLE_ARN", "arn:aws:iam::1:role/pod");
    gets_through(&nobody, "ASIA");
    cr_expect_eq(scene_count(&scene, "oidc"), 0);
    struct aws_account account = {.role = "arn:aws:iam::1:role/second"};
    gets_through(&account, "ASIA");
    cr_expect_eq(scene_count(&scene, "sts"), 3, "the second role comes on top of the first");
}

Test(aws_identity, static_keys_with_a_role_on_top)
{
    struct aws_account account = {.role = "arn:aws:iam::1:role/deploy"};
    scene_static_keys(&scene);
    gets_through(&nobody, "AKIDSTATIC");
    gets_through(&account, "ASIA");
    cr_expect_eq(scene_count(&scene, "sts"), 1);
}

Test(aws_identity, profiles)
{
    write_profiles("[default]\nregion = eu-west-1\n"
                   "[profile deploy]\nrole_arn = arn:aws:iam::1:role/d ; a comment\n"
                   "source_profile = base\nexternal_id = e1\nduration_seconds = 900\n"
                   "s3 =\n  addressing_style = path\n"
                   "[profile chain]\nrole_arn = arn:aws:iam::1:role/c\nsource_profile=deploy\n"
                   "[profile loop]\nrole_arn = r\nsource_profile = loop2\n"
                   "[profile loop2]\nrole_arn = r\nsource_profile = loop\n"
                   "[profile browser]\nsso_session = s\n[profile program]\ncredential_process = x\n"
                   "[profile code]\nrole_arn = r\nmfa_serial = m\nsource_profile = base\n"
                   "[profile gone]\nrole_arn = r\nsource_profile = nowhere\n"
                   "[profile bare]\nrole_arn = r\n[profile empty]\nregion = x\n"
                   "[profile half]\naws_access_key_id = A\n"
                   "[profile environment]\nrole_arn = r\ncredential_source = Environment\n"
                   "[profile sourceless]\nrole_arn = r\nsource_profile = empty\n"
                   "[sso-session s]\nsso_start_url = x\n",
                   "# keys\n[base]\naws_access_key_id=AKIDSTATIC\n"
                   "aws_secret_access_key = static/secret+key\n");
    static const struct {
        const char *profile, *words;
        enum error_kind kind;
    } rows[] = {
        {"loop", "more than 4 roles", ERROR_LIMIT},
        {"browser", "signs in with SSO", ERROR_INPUT},
        {"program", "runs a program", ERROR_INPUT},
        {"code", "one-time code", ERROR_INPUT},
        {"gone", "`nowhere`, which is not there", ERROR_INPUT},
        {"bare", "neither source_profile nor credential_source", ERROR_INPUT},
        {"empty", "has no credentials", ERROR_INPUT},
        {"half", "needs both", ERROR_INPUT},
        {"missing", "there is no AWS profile `missing`", ERROR_INPUT},
        {"environment", "there are none", ERROR_ABSENT},
        {"sourceless", "no keys to begin with", ERROR_INPUT},
    };
    gets_through(&(struct aws_account){.profile = "base"}, "AKIDSTATIC");
    gets_through(&(struct aws_account){.profile = "deploy"}, "ASIA");
    cr_expect_eq(scene_count(&scene, "sts"), 1);
    gets_through(&(struct aws_account){.profile = "chain"}, "ASIA");
    cr_expect_eq(scene_count(&scene, "sts"), 3);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        is_refused(&(struct aws_account){.profile = rows[i].profile}, rows[i].kind, rows[i].words);
    scene_set(&scene, "AWS_PROFILE", "deploy");
    gets_through(&nobody, "ASIA");
}

Test(aws_identity, a_profile_file_that_is_none_is_refused_with_its_line)
{
    static const char *const files[] = {"[default\n", "key = value\n", "[default]\nno equals\n"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct aws_client *client;
        struct error err;
        write_profiles(files[i], "");
        cr_expect_not(
            aws_client_open(scene.cloud, &(struct aws_account){.region = "r"}, &client, &err));
        cr_expect_eq(err.kind, ERROR_INPUT);
        cr_expect(strstr(err.message, i == 2 ? "line 2" : "line 1"), "%s", err.message);
    }
}

Test(aws_identity, the_container)
{
    scene_set(&scene, "AWS_CONTAINER_CREDENTIALS_FULL_URI", scene_url(&scene, "/container"));
    scene_set_file(&scene, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "container-token");
    gets_through(&nobody, "ASIA");
}

Test(aws_identity, a_container_elsewhere_is_not_asked_in_the_clear)
{
    scene_set(&scene, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://elsewhere.example/keys");
    is_refused(&nobody, ERROR_DENIED, "over plain http");
}

Test(aws_identity, the_relative_address_is_the_agents)
{
    struct aws_plan plan;
    struct error err;
    scene_set(&scene, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/1");
    cr_assert(aws_plan_make(scene.cloud, &nobody, &plan, &err), "%s", err.message);
    cr_expect_str_eq(plan.url, "http://169.254.170.2/v2/credentials/1");
    aws_plan_done(&plan);
}

Test(aws_identity, the_instance)
{
    scene_set(&scene, "AWS_EC2_METADATA_DISABLED", "false");
    scene_set(&scene, "AWS_EC2_METADATA_SERVICE_ENDPOINT", scene_url(&scene, "/"));
    gets_through(&nobody, "ASIA");
    cr_expect_eq(scene_count(&scene, "latest"), 3);
}

Test(aws_identity, nothing_anywhere_says_where_was_looked)
{
    is_refused(&nobody, ERROR_ABSENT, "no AWS credentials were found");
    scene_set(&scene, "AWS_ACCESS_KEY_ID", "AKIDSTATIC");
    struct aws_account other = {.session = "other"};
    is_refused(&other, ERROR_INPUT, "AWS_SECRET_ACCESS_KEY is not");
}

Test(aws_identity, renewed_before_they_expire_and_once_for_all)
{
    struct aws_account account = {.role = "arn:aws:iam::1:role/deploy"};
    static struct aws_call *calls[40];
    struct aws_client *client = scene_aws(&scene, &account);
    struct aws_request request = {.service = &aws_ecs, .action = "A", .repeatable = true};
    struct aws_answer answer;
    struct error err;
    set_runner();
    for (int round = 0; round < 2; round++) {
        size_t done = 0;
        for (size_t i = 0; i < 40; i++)
            cr_assert(aws_call_start(client, &request, &calls[i], &err));
        for (; done < 40; scene_wait(&scene)) {
            done = 0;
            for (size_t i = 0; i < 40; i++) {
                enum progress p = aws_call_poll(calls[i], &answer, &err);
                cr_assert_neq(p, PROGRESS_FAILED, "%s", err.message);
                done += p == PROGRESS_DONE;
            }
        }
        for (size_t i = 0; i < 40; i++)
            aws_call_drop(calls[i]);
        // The old ones still hold: the calls did not wait for the new ones.
        for (int i = 0; i < 20 && scene_count(&scene, "sts") <= round; i++)
            gets_through(&account, "ASIA");
        gets_through(&account, "ASIA");
        cr_expect_eq(scene_count(&scene, "sts"), round + 1, "round %d", round);
        scene.shift_ms = 3600 * 1000 - 200 * 1000; // 200 seconds before they expire
        scene_control(&scene, "{\"clock\": 3400}");
    }
    cr_expect_eq(scene.word_count, 0);
}

Test(aws_identity, an_expired_token_is_renewed_once_and_the_call_goes_on)
{
    struct aws_account account = {.role = "arn:aws:iam::1:role/deploy"};
    struct aws_call *call;
    struct aws_answer answer;
    struct error err;
    set_runner();
    gets_through(&account, "ASIA1");
    scene_control(&scene, "{\"expire\": true}");
    enum progress p = scene_ecs(&scene, scene_aws(&scene, &account), false, &call, &answer, &err);
    cr_assert_eq(p, PROGRESS_DONE, "%s", err.message);
    cr_expect_eq(answer.tries, 2);
    cr_expect_eq(scene_count(&scene, "sts"), 2);
    aws_call_drop(call);
    scene_control(&scene, "{\"life\": -1, \"expire\": true}"); // they come expired
    p = scene_ecs(&scene, scene_aws(&scene, &account), false, &call, &answer, &err);
    cr_expect_eq(p, PROGRESS_FAILED);
    cr_expect(strstr(err.message, "have expired already"), "%s", err.message);
    aws_call_drop(call);
}

Test(aws_identity, a_clock_hours_ahead_does_not_make_new_keys_look_old)
{
    struct aws_account account = {.role = "arn:aws:iam::1:role/deploy"};
    set_runner();
    scene.shift_ms = INT64_C(7) * 3600 * 1000;
    gets_through(&account, "ASIA");
    cr_expect_eq(scene.word_count, 1);
    cr_expect_eq(scene_count(&scene, "sts"), 1);
}

Test(aws_identity, expired_keys_of_the_environment_are_said_to_be)
{
    scene_set(&scene, "AWS_ACCESS_KEY_ID", "ASIAX");
    scene_set(&scene, "AWS_SECRET_ACCESS_KEY", "hidden-secret");
    scene_set(&scene, "AWS_SESSION_TOKEN", "hidden-token");
    scene_control(&scene, "{\"keys\": {\"ASIAX\": [\"hidden-secret\", \"hidden-token\", 0]}}");
    is_refused(&nobody, ERROR_DENIED,
               "the credentials of the environment have expired, and there are no newer ones");
    struct aws_account again = {.session = "again"};
    scene_control(&scene,
                  "{\"keys\": {\"ASIAX\": [\"hidden-secret\", \"hidden-token\", 9999999999]}}");
    gets_through(&again, "ASIAX");
}

Test(aws_identity, a_renewal_that_fails_in_passing_is_tried_again)
{
    struct aws_account account = {.role = "arn:aws:iam::1:role/deploy"};
    set_runner();
    scene_control(&scene,
                  "{\"faults\": {\"/oidc\": [{\"status\": 503}, {\"cut\": \"after\"}], "
                  "\"/sts\": [{\"status\": 500}, {\"status\": 400, \"body\": \"<E><Error><Code>"
                  "Throttling</Code></Error></E>\"}, {\"cut\": \"after\"}]}}");
    gets_through(&account, "ASIA");
}

Test(aws_identity, a_renewal_that_fails_while_the_old_ones_hold_is_said_only)
{
    struct aws_account account = {.role = "arn:aws:iam::1:role/deploy"};
    set_runner();
    gets_through(&account, "ASIA1");
    scene.shift_ms = 3400 * 1000;
    scene_control(&scene, "{\"clock\": 3400, \"faults\": {\"/sts\": [{\"status\": 400}]}}");
    for (int i = 0; i < 60 && !scene.word_count; i++) {
        gets_through(&account, "ASIA1");
        scene_wait(&scene);
    }
    cr_assert_geq(scene.word_count, 1);
    cr_expect(strstr(scene.words[0], "the old ones hold"), "%s", scene.words[0]);
}

Test(aws_identity, a_wrong_clock_is_found_by_sts_too)
{
    struct aws_account account = {.role = "arn:aws:iam::1:role/deploy"};
    scene_static_keys(&scene);
    scene.shift_ms = -3600 * 1000;
    gets_through(&account, "ASIA");
    cr_assert_eq(scene.word_count, 1);
    cr_expect(strstr(scene.words[0], "behind that of AWS"), "%s", scene.words[0]);
}

Test(aws_identity, answers_that_are_none)
{
    static const char *const bodies[] = {"", "nonsense", "<A/>",
                                         "<AssumeRoleWithWebIdentityResponse/>"};
    set_runner();
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        char control[256], session[16];
        snprintf(control, sizeof control,
                 "{\"faults\": {\"/sts\": [{\"status\": 200, \"body\": \"%s\"}]}}", bodies[i]);
        snprintf(session, sizeof session, "s%zu", i);
        scene_control(&scene, control);
        struct aws_account account = {.role = "arn:aws:iam::1:role/d", .session = session};
        struct aws_call *call;
        struct aws_answer answer;
        struct error err;
        cr_expect_eq(scene_ecs(&scene, scene_aws(&scene, &account), true, &call, &answer, &err),
                     PROGRESS_FAILED);
        cr_expect(strstr(err.message, "sts AssumeRoleWithWebIdentity"), "%s", err.message);
        aws_call_drop(call);
    }
}

static bool (*real_start)(void *self, const struct http_request *request, void **ret_job,
                          struct error *err);
static unsigned started, fails_at;

static bool failing_start(void *self, const struct http_request *request, void **ret_job,
                          struct error *err)
{
    if (++started == fails_at)
        return error_set(err, ERROR_SYSTEM, "no memory for another exchange");
    return real_start(self, request, ret_job, err);
}

Test(aws_identity, whichever_exchange_cannot_be_started)
{
    char session[16];
    struct aws_account account = {.role = "arn:aws:iam::1:role/deploy", .session = session};
    unsigned last = 0;
    set_runner();
    real_start = scene.http.start;
    for (unsigned n = 1; !last; n++) {
        struct aws_call *call;
        struct aws_answer answer;
        struct error err;
        snprintf(session, sizeof session, "s%u", n);
        struct aws_client *client = scene_aws(&scene, &account);
        started = 0;
        fails_at = n;
        scene.http.start = failing_start;
        enum progress p = scene_ecs(&scene, client, true, &call, &answer, &err);
        scene.http.start = real_start;
        if (p == PROGRESS_FAILED)
            cr_expect(strstr(err.message, "no memory"), "%u: %s", n, err.message);
        else
            last = n;
        aws_call_drop(call);
    }
    cr_expect_eq(last, 4, "the runner's token, the role, the call: %u", last - 1);
}

Test(aws_identity, a_renewal_may_be_left_at_any_moment)
{
    char session[16];
    struct aws_account account = {.role = "arn:aws:iam::1:role/deploy", .session = session};
    struct aws_request request = {.service = &aws_ecs, .action = "A"};
    set_runner();
    for (unsigned steps = 0; steps < 6; steps++) {
        struct aws_call *call;
        struct aws_answer answer;
        struct error err;
        snprintf(session, sizeof session, "s%u", steps);
        cr_assert(aws_call_start(scene_aws(&scene, &account), &request, &call, &err));
        for (unsigned i = 0; i < steps; i++) {
            (void)aws_call_poll(call, &answer, &err);
            scene_wait(&scene);
        }
        aws_call_drop(call); // what its renewal holds is released with the cloud
    }
}
