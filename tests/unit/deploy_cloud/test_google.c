#include "scene.h"

#include "deploy/world/files.h"

static struct scene scene;

static void open_scene(void)
{
    char host[64];
    scene_open(&scene, "--google");
    snprintf(host, sizeof host, "127.0.0.1:%ld", scene.port);
    scene_set(&scene, "GCE_METADATA_HOST", "127.0.0.1:1");
    scene_set(&scene, "CLOUDSDK_API_ENDPOINT_OVERRIDES_STS", scene_url(&scene, "/"));
    scene_set(&scene, "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS", scene_url(&scene, ""));
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(google, .init = open_scene, .fini = close_scene);

static const char *file(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", scene.folder, name);
    return path;
}

static void gets_through(const struct google_account *account, const char *token)
{
    struct google_call *call;
    struct google_answer answer;
    struct error err;
    enum progress p = scene_run(&scene, account, "GET", true, &call, &answer, &err);
    cr_assert_eq(p, PROGRESS_DONE, "%s", err.message);
    str used = node_text(answer.tree, "token");
    cr_expect(str_starts(used, str_of(token)), STR_FMT, STR_ARG(used));
    google_call_drop(call);
}

static void is_refused(const struct google_account *account, enum error_kind kind,
                       const char *words)
{
    struct google_call *call;
    struct google_answer answer;
    struct error err;
    enum progress p = scene_run(&scene, account, "GET", true, &call, &answer, &err);
    cr_assert_eq(p, PROGRESS_FAILED);
    cr_expect_eq(err.kind, kind, "%d: %s", (int)err.kind, err.message);
    cr_expect(strstr(err.message, words), "%s", err.message);
    cr_expect_not(strstr(err.message, "-secret"), "%s", err.message);
    google_call_drop(call);
}

Test(google, every_kind_of_credentials_file)
{
    static const struct {
        const char *name, *token;
    } rows[] = {{"key.json", "ya29."},
                {"user.json", "ya29."},
                {"impersonated.json", "impersonated-"},
                {"wif-file.json", "impersonated-"},
                {"wif-url.json", "ya29."}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        gets_through(&(struct google_account){.credentials_file = file(rows[i].name)},
                     rows[i].token);
    gets_through(&(struct google_account){.credentials_file = file("key.json"),
                                          .service_account = "other@x"},
                 "impersonated-");
}

Test(google, found_in_the_environment)
{
    scene_set_file(&scene, "GOOGLE_APPLICATION_CREDENTIALS", "key.json");
    gets_through(&(struct google_account){0}, "ya29.");
}

Test(google, found_where_gcloud_leaves_it)
{
    struct arena arena = {0};
    struct error err;
    str bytes;
    cr_assert(file_read(&arena, file("user.json"), 65536, &bytes, &err));
    cr_assert(file_write(file("application_default_credentials.json"), bytes, 0600, &err));
    scene_set(&scene, "CLOUDSDK_CONFIG", scene.folder);
    gets_through(&(struct google_account){0}, "ya29.");
    arena_done(&arena);
}

Test(google, the_metadata_server)
{
    char host[64];
    snprintf(host, sizeof host, "127.0.0.1:%ld", scene.port);
    scene_set(&scene, "GCE_METADATA_HOST", host);
    gets_through(&(struct google_account){0}, "ya29.");
    scene_control(&scene, "{\"faults\": {\"/computeMetadata\": [{\"status\": 200, \"body\": "
                          "\"{\\\"access_token\\\": \\\"x\\\", \\\"expires_in\\\": 9}\"}]}}");
    is_refused(&(struct google_account){.scope = "other"}, ERROR_DENIED, "is none");
}

Test(google, the_runners_oidc_token)
{
    char url[128];
    struct google_account account = {.workload_identity_provider = "projects/1/p",
                                     .service_account = "deploy@x"};
    snprintf(url, sizeof url, "http://127.0.0.1:%ld/oidc?api-version=2.0", scene.port);
    is_refused(&account, ERROR_ABSENT, "id-token: write");
    scene_set(&scene, "ACTIONS_ID_TOKEN_REQUEST_URL", url);
    scene_set(&scene, "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "runner-secret");
    account.scope = "https://www.googleapis.com/auth/cloud-platform";
    gets_through(&account, "impersonated-");
    cr_expect_eq(scene_count(&scene, "v1"), 2);
    gets_through(&account, "impersonated-");
    cr_expect_eq(scene_count(&scene, "v1"), 2, "kept");
    account.workload_identity_provider = "pool";
    is_refused(&account, ERROR_INPUT, "is no workload identity provider");
}

Test(google, files_that_cannot_be_used)
{
    static const struct {
        const char *text, *words;
        enum error_kind kind;
    } rows[] = {
        {"{", "", ERROR_INPUT},
        {"{}", "are of type ``", ERROR_INPUT},
        {"{\"type\": \"service_account\"}", "lack client_email", ERROR_INPUT},
        {"{\"type\": \"service_account\", \"client_email\": \"a\", \"private_key\": \"b\"}",
         "no RSA key", ERROR_INPUT},
        {"{\"type\": \"service_account\", \"client_email\": \"a\", \"private_key\": \"b\", "
         "\"token_uri\": \"http://elsewhere.example/\"}",
         "not https", ERROR_INPUT},
        {"{\"type\": \"authorized_user\"}", "lack client_id", ERROR_INPUT},
        {"{\"type\": \"external_account\"}", "lack the audience", ERROR_INPUT},
        {"{\"type\": \"external_account\", \"audience\": \"a\", \"credential_source\": "
         "{\"executable\": {}}}",
         "neither from a file nor", ERROR_INPUT},
        {"{\"type\": \"external_account\", \"audience\": \"a\", \"subject_token_type\": "
         "\"urn:ietf:params:aws:token-type:aws4_request\"}",
         "AWS signature", ERROR_INPUT},
        {"{\"type\": \"external_account\", \"audience\": \"a\", \"credential_source\": "
         "{\"file\": \"/nonexistent\"}}",
         "/nonexistent", ERROR_ABSENT},
    };
    struct error err;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[32];
        snprintf(name, sizeof name, "bad%zu.json", i);
        cr_assert(file_write(file(name), str_of(rows[i].text), 0600, &err));
        is_refused(&(struct google_account){.credentials_file = file(name)}, rows[i].kind,
                   rows[i].words);
    }
    is_refused(&(struct google_account){.credentials_file = file("absent.json")}, ERROR_ABSENT,
               "the Google credentials");
    is_refused(&(struct google_account){0}, ERROR_TRANSIENT, "no Google credentials were found");
}

Test(google, a_401_renews_the_token_once)
{
    struct google_account account = {.credentials_file = file("user.json")};
    struct google_call *call;
    struct google_answer answer;
    struct error err;
    gets_through(&account, "ya29.");
    scene_control(&scene, "{\"expire\": true}");
    enum progress p = scene_run(&scene, &account, "PATCH", false, &call, &answer, &err);
    cr_assert_eq(p, PROGRESS_DONE, "%s", err.message);
    cr_expect_eq(answer.tries, 2);
    cr_expect_eq(scene_count(&scene, "token"), 2);
    google_call_drop(call);
    scene_control(&scene, "{\"faults\": {\"/run\": [{\"status\": 401}, {\"status\": 401}]}}");
    p = scene_run(&scene, &account, "PATCH", false, &call, &answer, &err);
    cr_expect_eq(p, PROGRESS_FAILED);
    cr_expect_eq(err.kind, ERROR_DENIED);
    google_call_drop(call);
}

Test(google, what_is_the_callers_what_passes_and_what_nobody_knows)
{
    struct google_account account = {.credentials_file = file("user.json")};
    static const struct {
        const char *fault, *method;
        bool repeatable;
        enum progress ends;
        enum error_kind kind;
        bool unknown;
    } rows[] = {
        {"{\"status\": 409, \"body\": \"{\\\"error\\\": {\\\"status\\\": \\\"ABORTED\\\"}}\"}",
         "PATCH", true, PROGRESS_FAILED, ERROR_REMOTE, false},
        {"{\"status\": 412, \"body\": \"{\\\"error\\\": {\\\"errors\\\": [{\\\"reason\\\": "
         "\\\"conditionNotMet\\\"}]}}\"}",
         "PATCH", true, PROGRESS_FAILED, ERROR_REMOTE, false},
        {"{\"status\": 404}", "GET", true, PROGRESS_FAILED, ERROR_ABSENT, false},
        {"{\"status\": 403}", "GET", true, PROGRESS_FAILED, ERROR_DENIED, false},
        {"{\"status\": 429}", "POST", false, PROGRESS_DONE, ERROR_NONE, false},
        {"{\"status\": 403, \"body\": \"{\\\"error\\\": {\\\"errors\\\": [{\\\"reason\\\": "
         "\\\"rateLimitExceeded\\\"}]}}\"}",
         "POST", false, PROGRESS_DONE, ERROR_NONE, false},
        {"{\"status\": 503}", "POST", false, PROGRESS_FAILED, ERROR_TRANSIENT, true},
        {"{\"status\": 503}", "PATCH", true, PROGRESS_DONE, ERROR_NONE, false},
        {"{\"cut\": \"after\"}", "POST", false, PROGRESS_FAILED, ERROR_TRANSIENT, true},
        {"{\"cut\": \"after\"}", "PATCH", true, PROGRESS_DONE, ERROR_NONE, false},
        {"{\"status\": 200, \"body\": \"{nonsense\"}", "GET", true, PROGRESS_FAILED, ERROR_REMOTE,
         false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char control[512];
        struct google_call *call;
        struct google_answer answer;
        struct error err;
        snprintf(control, sizeof control, "{\"faults\": {\"/run\": [%s]}}", rows[i].fault);
        scene_control(&scene, control);
        enum progress p =
            scene_run(&scene, &account, rows[i].method, rows[i].repeatable, &call, &answer, &err);
        cr_expect_eq(p, rows[i].ends, "row %zu: %s", i, p == PROGRESS_FAILED ? err.message : "");
        if (p == PROGRESS_FAILED) {
            cr_expect_eq(err.kind, rows[i].kind, "row %zu: %s", i, err.message);
            cr_expect_eq(google_call_fault(call)->outcome_unknown, rows[i].unknown, "row %zu", i);
            cr_expect_not(strstr(err.message, "updateMask"), "no queries in messages");
        }
        google_call_drop(call);
    }
}

Test(google, renewed_before_it_expires)
{
    struct google_account account = {.credentials_file = file("key.json")};
    gets_through(&account, "ya29.");
    scene.shift_ms = 3400 * 1000;
    scene_control(&scene, "{\"clock\": 3400}");
    for (int i = 0; i < 50 && scene_count(&scene, "token") < 2; i++)
        gets_through(&account, "ya29.");
    gets_through(&account, "ya29.");
    cr_expect_eq(scene_count(&scene, "token"), 2);
}

Test(google, a_wrong_clock_is_found_and_said)
{
    struct google_account account = {.credentials_file = file("key.json")};
    scene.shift_ms = 40 * 60 * 1000;
    gets_through(&account, "ya29.");
    cr_assert_eq(scene.word_count, 1);
    cr_expect(strstr(scene.words[0], "ahead of that of Google Cloud"), "%s", scene.words[0]);
}

Test(google, a_revoked_token_is_said)
{
    struct error err;
    cr_assert(file_write(file("revoked.json"),
                         STR("{\"type\": \"authorized_user\", \"client_id\": \"i\", "
                             "\"client_secret\": \"s\", \"refresh_token\": \"r\"}"),
                         0600, &err));
    scene_set(&scene, "CLOUDSDK_API_ENDPOINT_OVERRIDES_OAUTH2", scene_url(&scene, ""));
    is_refused(&(struct google_account){.credentials_file = file("revoked.json")}, ERROR_DENIED,
               "invalid_grant: Token has been expired or revoked. (status 400)");
}
