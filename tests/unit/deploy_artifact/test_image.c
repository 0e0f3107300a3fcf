// What registries say of images, and whom they take us for.
#include "script.h"

#include "deploy/artifact/docker_config.h"
#include "deploy/artifact/image.h"
#include "deploy/world/files.h"

#include <stdio.h>
#include <stdlib.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define D "sha256:" HEX
#define TOLD "Docker-Content-Digest: " D "\n"
// of "{}"
#define EMPTY "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define BEARER                                                                                     \
    "WWW-Authenticate: Bearer "                                                                    \
    "realm=\"https://auth.example/token?x=1\",service=\"a b\",scope=\"repository:web:pull\"\n"

static struct script script;
static struct error err;
static struct arena arena;

static void open_script(void)
{
    script_open(&script);
}

static void close_script(void)
{
    script_close(&script);
    arena_done(&arena);
}

TestSuite(image, .init = open_script, .fini = close_script);

static void gives(const char *image, const char *digest, const struct line *lines)
{
    str found = {NULL, 0};
    script_plays(&script, lines);
    cr_assert(image_resolve(&script.access, str_of(image), &arena, &found, &err), "%s: %s", image,
              err.message);
    expect_str(found, digest);
    script_ended(&script);
}

static void fails(const char *image, enum error_kind kind, const char *words,
                  const struct line *lines)
{
    str found = {NULL, 0};
    script_plays(&script, lines);
    cr_assert_not(image_resolve(&script.access, str_of(image), &arena, &found, &err), "%s", image);
    expect_contains(str_of(err.message), words);
    cr_expect_eq(err.kind, kind, "%s: %s", error_kind_name(err.kind), err.message);
    script_ended(&script);
}

#define LINES(...) ((const struct line[]){__VA_ARGS__, {0}})

Test(image, names)
{
    static const struct {
        const char *image, *host, *repository, *tag, *digest;
    } names[] = {
        {"nginx", "registry-1.docker.io", "library/nginx", "latest", ""},
        {"docker.io/nginx:1.27", "registry-1.docker.io", "library/nginx", "1.27", ""},
        {"learn/web:v1", "registry-1.docker.io", "learn/web", "v1", ""},
        {"ghcr.io/learn/web:v8.1", "ghcr.io", "learn/web", "v8.1", ""},
        {"localhost/web", "localhost", "web", "latest", ""},
        {"127.0.0.1:5000/a/b/c@" D, "127.0.0.1:5000", "a/b/c", "", D},
        {"r.example:5000/web:v1@" D, "r.example:5000", "web", "", D},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct image_name name;
        cr_assert(image_parse(&arena, str_of(names[i].image), &name, &err), "%s", err.message);
        expect_str(name.host, names[i].host);
        expect_str(name.repository, names[i].repository);
        expect_str(name.tag, names[i].tag);
        expect_str(name.digest, names[i].digest);
    }
    static const char *const bad[] = {"",
                                      "/",
                                      "r.example/",
                                      "r.example/A:1",
                                      "r.example/a:",
                                      "r.example/a@",
                                      "r.example/a@"
                                      "sha256:12",
                                      "r.example/a@" D "0",
                                      "r.example/a@sha512:" HEX,
                                      "r.example/a//b",
                                      "r.example/../a",
                                      "r.example/a:-x",
                                      "r.example/a b",
                                      "user@r.example/a:1",
                                      "https://r.example/a",
                                      "r.ex ample/a",
                                      "r.example/a:x/../y?z"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct image_name name;
        cr_expect_not(image_parse(&arena, str_of(bad[i]), &name, &err), "%s", bad[i]);
        cr_expect_eq(err.kind, ERROR_INPUT);
    }
}

Test(image, a_tag_and_a_digest_by_head)
{
    gives("r.example/web:v1", D,
          LINES({"HEAD https://r.example/v2/web/manifests/v1", "-Authorization", 200, "", TOLD}));
    gives("r.example/web@" D, D,
          LINES({"HEAD https://r.example/v2/web/manifests/" D,
                 "application/vnd.docker.distribution.manifest.list.v2+json", 200, "", TOLD}));
    gives("localhost:5000/web:v1", D,
          LINES({"HEAD http://localhost:5000/v2/web/manifests/v1", NULL, 200, "", TOLD}));
    fails("r.example/web@" D, ERROR_ABSENT, "is not in its registry",
          LINES({"HEAD https://r.example/v2/web/manifests/" D, NULL, 404, "", NULL}));
    fails("r.example/web:v1", ERROR_DENIED, "does not let us see",
          LINES({"HEAD https://r.example/v2/web/manifests/v1", NULL, 403, "", NULL}));
    fails("r.example/web:v1", ERROR_REMOTE, "status 307",
          LINES({"HEAD https://r.example/v2/web/manifests/v1", NULL, 307, "", NULL}));
}

Test(image, without_a_digest_in_the_header_the_manifest_is_read)
{
    static const char head[] = "HEAD https://r.example/v2/web/manifests/";
    static const char get[] = "GET https://r.example/v2/web/manifests/";
    gives("r.example/web:v1", EMPTY,
          LINES({head, NULL, 200, "", NULL}, {get, NULL, 200, "{}", NULL}));
    gives("r.example/web:v1", EMPTY,
          LINES({head, NULL, 405, "", NULL},
                {get, NULL, 200, "{}", "docker-content-digest: " EMPTY "\n"}));
    gives("r.example/web@" EMPTY, EMPTY,
          LINES({head, NULL, 200, "", NULL}, {get, NULL, 200, "{}", NULL}));
    fails("r.example/web:v1", ERROR_REMOTE, "but the registry says",
          LINES({head, NULL, 405, "", NULL}, {get, NULL, 200, "{}", TOLD}));
    fails("r.example/web@" D, ERROR_REMOTE, "the registry gives " EMPTY,
          LINES({head, NULL, 200, "", NULL}, {get, NULL, 200, "{}", NULL}));
    fails("r.example/web@" EMPTY, ERROR_REMOTE, "the registry gives",
          LINES({head, NULL, 200, "", TOLD}));
    fails("r.example/web:v1", ERROR_REMOTE, "an empty manifest",
          LINES({head, NULL, 200, "", NULL}, {get, NULL, 200, "", NULL}));
}

Test(image, passing_trouble_is_tried_again)
{
    static const char head[] = "HEAD https://r.example/v2/web/manifests/v1";
    gives("r.example/web:v1", D,
          LINES({head, NULL, 503, "", NULL}, {head, NULL, 429, "", NULL},
                {head, NULL, -1, "", NULL}, {head, NULL, 200, "", TOLD}));
    fails("r.example/web:v1", ERROR_TRANSIENT, "given up after 5 tries",
          LINES({head, NULL, 503, "", NULL}, {head, NULL, 503, "", NULL},
                {head, NULL, 503, "", NULL}, {head, NULL, 503, "", NULL},
                {head, NULL, 503, "", NULL}));
}

Test(image, the_token_that_a_challenge_leads_to)
{
    static const char head[] = "HEAD https://r.example/v2/web/manifests/v1";
    static const char token[] =
        "GET https://auth.example/token?x=1&scope=repository%3Aweb%3Apull&service=a%20b";
    gives("r.example/web:v1", D,
          LINES({head, "-Authorization", 401, "", BEARER},
                {token, "-Authorization", 200, "{\"token\": \"t0k\"}", NULL},
                {head, "Authorization: Bearer t0k\n", 200, "", TOLD}));
    gives("r.example/web:v1", D,
          LINES({head, NULL, 401, "", BEARER},
                {token, NULL, 200, "{\"access_token\": \"t1\"}", NULL},
                {head, "Authorization: Bearer t1\n", 200, "", TOLD}));
    fails("r.example/web:v1", ERROR_DENIED, "does not let us see",
          LINES({head, NULL, 401, "", BEARER}, {token, NULL, 200, "{\"token\": \"t\"}", NULL},
                {head, NULL, 401, "", BEARER}));
    fails("r.example/web:v1", ERROR_DENIED, "`docker login` has left nothing",
          LINES({head, NULL, 401, "", BEARER}, {token, NULL, 403, "{}", NULL}));
    fails("r.example/web:v1", ERROR_REMOTE, "without a token",
          LINES({head, NULL, 401, "", BEARER}, {token, NULL, 200, "{}", NULL}));
    fails("r.example/web:v1", ERROR_REMOTE, "without saying what",
          LINES({head, NULL, 401, "", NULL}));
    fails("r.example/web:v1", ERROR_REMOTE, "without saying what",
          LINES({head, NULL, 401, "",
                 "WWW-Authenticate: Bearer realm=\"http://127.0.0.1:1/token\"\n"}));
    fails("r.example/web:v1", ERROR_DENIED, "asks who we are",
          LINES({head, NULL, 401, "", "WWW-Authenticate: Basic realm=\"r\"\n"}));
}

Test(image, an_ecr_registry_is_asked_as_aws_says)
{
    static const char answer[] =
        "{\"authorizationData\": [{\"authorizationToken\": \"QVdTOng=\"}]}";
    gives("123456789012.dkr.ecr.eu-north-1.amazonaws.com/web:v1", D,
          LINES({"POST http://127.0.0.1:7002/",
                 "X-Amz-Target: "
                 "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
                 200, answer, NULL},
                {"HEAD https://123456789012.dkr.ecr.eu-north-1.amazonaws.com/v2/web/manifests/v1",
                 "Authorization: Basic QVdTOng=\n", 200, "", TOLD}));
    gives("127.0.0.1:7002/web:v1", D,
          LINES({"POST http://127.0.0.1:7002/", NULL, 200, answer, NULL},
                {"HEAD http://127.0.0.1:7002/v2/web/manifests/v1",
                 "Authorization: Basic QVdTOng=\n", 200, "", TOLD}));
    fails("127.0.0.1:7002/web:v1", ERROR_DENIED, "logging in to 127.0.0.1:7002",
          LINES({"POST ", NULL, 400, "{\"__type\": \"AccessDeniedException\"}", NULL}));
    fails("127.0.0.1:7002/web:v1", ERROR_REMOTE, "gives no token",
          LINES({"POST ", NULL, 200, "{}", NULL}));
    // somebody else's host, whatever it looks like, never sees AWS' token
    gives("123456789012.dkr.ecr.eu-north-1.amazonaws.com.example/web:v1", D,
          LINES({"HEAD https://123456789012.dkr.ecr.eu-north-1.amazonaws.com.example/v2/",
                 "-Authorization", 200, "", TOLD}));
}

Test(image, a_google_registry_sees_the_access_token)
{
    script.google = true;
    gives("europe-docker.pkg.dev/p/r/web:v1", D,
          LINES({"HEAD https://europe-docker.pkg.dev/v2/p/r/web/manifests/v1",
                 "Authorization: Bearer ya29.x\n", 200, "", TOLD}));
    gives("eu.gcr.io/p/web:v1", D,
          LINES({"HEAD https://eu.gcr.io/v2/p/web/manifests/v1", "Authorization: Bearer ya29.x\n",
                 200, "", TOLD}));
    gives("127.0.0.1:7001/p/r/web:v1", D,
          LINES({"HEAD http://127.0.0.1:7001/v2/p/r/web/manifests/v1",
                 "Authorization: Bearer ya29.x\n", 200, "", TOLD}));
    fails("gcr.io/p/web:v1", ERROR_ABSENT, "is not in its registry",
          LINES({"HEAD https://gcr.io/v2/p/web/", NULL, 404, "", NULL}));
    gives("notgcr.io/p/web:v1", D,
          LINES({"HEAD https://notgcr.io/v2/", "-Authorization", 200, "", TOLD}));
}

// ---- what `docker login` has left ---------------------------------------------------------------

static void logged_in(const char *json)
{
    static char folder[64];
    (void)snprintf(folder, sizeof folder, "/tmp/sluice docker-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    str path = arena_format(&arena, "%s/config.json", folder);
    cr_assert(file_write(path.data, str_of(json), 0600, &err), "%s", err.message);
    script.docker = folder;
}

static void logged_out(void)
{
    cr_expect(folder_remove(script.docker, &err), "%s", err.message);
    script.docker = "/nowhere at all";
}

Test(image, a_password_of_docker_s_file)
{
    static const char head[] = "HEAD https://r.example/v2/web/manifests/v1";
    logged_in("{\"auths\": {\"https://index.docker.io/v1/\": {\"auth\": \"aHVi\"},"
              "\"https://r.example/v2/\": {\"auth\": \"dTpw\"}}}");
    gives("r.example/web:v1", D,
          LINES({head, "-Authorization", 401, "", "www-authenticate: Basic realm=\"r\"\n"},
                {head, "Authorization: Basic dTpw\n", 200, "", TOLD}));
    gives("r.example/web:v1", D,
          LINES({head, NULL, 401, "", BEARER},
                {"GET https://auth.example/", "Authorization: Basic dTpw\n", 200,
                 "{\"token\": \"t\"}", NULL},
                {head, "Authorization: Bearer t\n", 200, "", TOLD}));
    gives("learn/web:v1", D,
          LINES({"HEAD https://registry-1.docker.io/v2/learn/web/manifests/v1", NULL, 401, "",
                 BEARER},
                {"GET https://auth.example/", "Authorization: Basic aHVi\n", 200,
                 "{\"token\": \"t\"}", NULL},
                {"HEAD https://registry-1.docker.io/", NULL, 200, "", TOLD}));
    fails("r.example/web:v1", ERROR_DENIED, "does not let us see",
          LINES({head, NULL, 401, "", "WWW-Authenticate: Basic realm=\"r\"\n"},
                {head, NULL, 401, "", "WWW-Authenticate: Basic realm=\"r\"\n"}));
    logged_out();
}

Test(image, passwords_that_only_a_program_has_are_refused_by_its_name)
{
    static const struct {
        const char *json, *words;
    } files[] = {
        {"{\"credHelpers\": {\"r.example\": \"pass\"}}", "docker-credential-pass"},
        {"{\"credsStore\": \"desktop\", \"auths\": {\"r.example\": {}}}",
         "docker-credential-desktop"},
        {"{\"auths\": {\"r.example\": {\"identitytoken\": \"x\"}}}", "identity token"},
        {"{\"auths\": {\"r.example\": {\"auth\": \"a\\nb\"}}}", "no base64"},
        {"{\"auths\": ", "in the middle of its JSON"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct secret basic = {0};
        logged_in(files[i].json);
        cr_expect_not(docker_config_read(script.cloud, STR("r.example"), &basic, &err));
        expect_contains(str_of(err.message), files[i].words);
        cr_expect_not(secret_is_set(&basic));
        cr_expect(docker_config_read(script.cloud, STR("other.example"), &basic, &err) || i == 4);
        cr_expect_not(secret_is_set(&basic));
        logged_out();
    }
}
