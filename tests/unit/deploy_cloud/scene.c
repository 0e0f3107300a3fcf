#include "scene.h"

static struct cloud_endpoint endpoints[8], google_endpoints[2];
static char urls[8][64], google_url[64];

static int64_t shifted(void *self)
{
    struct scene *scene = self;
    return scene->real.now_ms(scene->real.self) + scene->shift_ms;
}

static const char *variable(void *self, const char *name)
{
    struct scene *scene = self;
    for (size_t i = 0; i < scene->variable_count; i++)
        if (strcmp(scene->variables[i].name, name) == 0)
            return scene->variables[i].value;
    return NULL;
}

static void say(void *self, const char *sentence)
{
    struct scene *scene = self;
    if (scene->word_count < SCENE_WORDS)
        snprintf(scene->words[scene->word_count++], sizeof scene->words[0], "%s", sentence);
}

void scene_open(struct scene *scene, const char *argument)
{
    static const char *const services[] = {"ecs", "elbv2", "lambda", "s3", "sts"};
    static const char *const paths[] = {"/ecs", "/elb", "/lambda", "/s3", "/sts"};
    struct error err;
    memset(scene, 0, sizeof *scene);
    alarm(100);
    cr_assert(world_open(&(struct world_options){0}, &scene->world, &err), "%s", err.message);
    scene->bench = bench_start("cloud_server", argument);
    scene->port = bench_number(&scene->bench, "port");
    bench_text(&scene->bench, "folder", scene->folder, sizeof scene->folder);
    cr_assert_gt(scene->port, 0);
    scene->http = world_http(scene->world);
    scene->real = world_clock(scene->world);
    scene->clock = (struct clock_port){scene, shifted};
    scene->cloud = cloud_open(&(struct cloud_ports){.http = &scene->http,
                                                    .clock = &scene->clock,
                                                    .variable = variable,
                                                    .say = say,
                                                    .self = scene});
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        snprintf(urls[i], sizeof urls[i], "http://127.0.0.1:%ld%s", scene->port, paths[i]);
        endpoints[i] = (struct cloud_endpoint){services[i], urls[i]};
    }
    snprintf(google_url, sizeof google_url, "http://127.0.0.1:%ld", scene->port);
    google_endpoints[0] = (struct cloud_endpoint){"run", google_url};
}

void scene_close(struct scene *scene)
{
    cloud_close(scene->cloud);
    world_close(scene->world);
    bench_stop(&scene->bench);
}

const char *scene_url(const struct scene *scene, const char *path)
{
    static char url[4][512];
    static unsigned next;
    char *out = url[next++ % 4];
    snprintf(out, sizeof url[0], "http://127.0.0.1:%ld%s", scene->port, path);
    return out;
}

void scene_set(struct scene *scene, const char *name, const char *value)
{
    size_t i = 0;
    while (i < scene->variable_count && strcmp(scene->variables[i].name, name) != 0)
        i++;
    cr_assert_lt(i, SCENE_VARIABLES);
    snprintf(scene->variables[i].name, sizeof scene->variables[i].name, "%s", name);
    snprintf(scene->variables[i].value, sizeof scene->variables[i].value, "%s", value);
    if (i == scene->variable_count)
        scene->variable_count++;
}

void scene_set_file(struct scene *scene, const char *name, const char *file)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", scene->folder, file);
    scene_set(scene, name, path);
}

void scene_static_keys(struct scene *scene)
{
    scene_set(scene, "AWS_ACCESS_KEY_ID", "AKIDSTATIC");
    scene_set(scene, "AWS_SECRET_ACCESS_KEY", "static/secret+key");
}

void scene_wait(struct scene *scene)
{
    world_wait(scene->world, scene->real.now_ms(scene->real.self) + 20);
}

static void ask(struct scene *scene, const char *method, const char *path, const char *body,
                char *ret, size_t size)
{
    struct http_answer answer;
    struct error err;
    void *job;
    enum progress p;
    struct http_request request = {
        .method = method, .url = scene_url(scene, path), .body = str_of(body), .timeout_ms = 20000};
    cr_assert(scene->http.start(scene->http.self, &request, &job, &err), "%s", err.message);
    while ((p = scene->http.poll(scene->http.self, job, &answer, &err)) == PROGRESS_PENDING)
        scene_wait(scene);
    cr_assert_eq(p, PROGRESS_DONE, "%s", err.message);
    cr_assert_eq(answer.status, 200);
    snprintf(ret, size, STR_FMT, STR_ARG(answer.body));
    scene->http.drop(scene->http.self, job);
}

void scene_control(struct scene *scene, const char *json)
{
    char done[16];
    ask(scene, "POST", "/control", json, done, sizeof done);
}

long scene_count(struct scene *scene, const char *name)
{
    char path[128], count[32];
    snprintf(path, sizeof path, "/count/%s", name);
    ask(scene, "GET", path, "", count, sizeof count);
    return strtol(count, NULL, 10);
}

struct aws_client *scene_aws(struct scene *scene, const struct aws_account *account)
{
    struct aws_account full = *account;
    struct aws_client *client = NULL;
    struct error err;
    if (!full.region)
        full.region = "eu-west-1";
    full.endpoints = endpoints;
    cr_assert(aws_client_open(scene->cloud, &full, &client, &err), "%s", err.message);
    return client;
}

enum progress scene_ecs(struct scene *scene, struct aws_client *client, bool repeatable,
                        struct aws_call **ret_call, struct aws_answer *ret, struct error *err)
{
    struct aws_request request = {.service = &aws_ecs,
                                  .action = "DescribeServices",
                                  .body = STR("{\"services\":[\"web\"]}"),
                                  .repeatable = repeatable,
                                  .timeout_ms = 30000};
    enum progress p;
    cr_assert(aws_call_start(client, &request, ret_call, err), "%s", err->message);
    while ((p = aws_call_poll(*ret_call, ret, err)) == PROGRESS_PENDING)
        scene_wait(scene);
    return p;
}

enum progress scene_run(struct scene *scene, const struct google_account *account,
                        const char *method, bool repeatable, struct google_call **ret_call,
                        struct google_answer *ret, struct error *err)
{
    struct google_account full = *account;
    struct google_client *client = NULL;
    struct google_request request = {.api = "run",
                                     .method = method,
                                     .path = STR("/run/services/search?updateMask=traffic"),
                                     .body = strcmp(method, "GET") ? STR("{}") : STR(""),
                                     .repeatable = repeatable,
                                     .timeout_ms = 30000};
    enum progress p;
    full.endpoints = google_endpoints;
    cr_assert(google_client_open(scene->cloud, &full, &client, err), "%s", err->message);
    cr_assert(google_call_start(client, &request, ret_call, err), "%s", err->message);
    while ((p = google_call_poll(*ret_call, ret, err)) == PROGRESS_PENDING)
        scene_wait(scene);
    return p;
}
