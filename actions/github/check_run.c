#include "actions/github/check_run.h"

#include "deploy/cloud/url_parts.h"
#include "gate/doc/json.h"

// GitHub's limits, in bytes where it counts characters.
enum {
    AT_ONCE = 50,
    SUMMARY_MOST = 65000,
    MESSAGE_MOST = 60000,
    TITLE_MOST = 255,
    NAMES_MOST = 8192, // a path and what is around it
    LISTED = 100,
    LOOK_AGAIN_MS = 3000,
    LOOKS = 3,
};

#define BODY_ROOM                                                                                  \
    (JSON_ROOM(SUMMARY_MOST) + AT_ONCE * JSON_ROOM(MESSAGE_MOST + TITLE_MOST + NAMES_MOST))

static const char needs[] = "checks: write";

static void look(struct check_run *c, struct chain *chain);
static void create(struct check_run *c, struct chain *chain);

static void ask(struct check_run *c, struct chain *chain, enum github_kind kind, const char *method,
                str path, str body, chain_next next)
{
    chain_github(chain, c->github,
                 &(struct github_request){
                     .kind = kind, .method = method, .path = path, .body = body, .needs = needs},
                 next);
}

// ---- what is sent -------------------------------------------------------------------------------

static const char *level_of(enum annotation_level level)
{
    static const char *const names[] = {[ANNOTATION_ERROR] = "failure",
                                        [ANNOTATION_WARNING] = "warning",
                                        [ANNOTATION_NOTICE] = "notice"};
    return names[level];
}

static void add_annotation(struct json_out *json, const struct annotation *one)
{
    uint32_t line = one->line ? one->line : 1;
    json_open_map(json, NULL);
    json_add_str(json, "path", one->path);
    json_add_u64(json, "start_line", line);
    json_add_u64(json, "end_line", one->end_line > line ? one->end_line : line);
    json_add_str(json, "annotation_level", str_of(level_of(one->level)));
    if (one->title.len)
        json_add_str(json, "title", str_shorten(one->title, TITLE_MOST));
    json_add_str(json, "message",
                 one->message.len ? str_shorten(one->message, MESSAGE_MOST) : STR("(nothing)"));
    json_close(json);
}

// The next so many, which are then counted as sent.
static void add_output(struct check_run *c, struct json_out *json)
{
    size_t added = 0;
    json_open_map(json, "output");
    json_add_str(json, "title", str_shorten(c->title, TITLE_MOST));
    json_add_str(json, "summary", str_shorten(c->summary, SUMMARY_MOST));
    json_open_list(json, "annotations");
    for (; c->sent < c->annotation_count && added < AT_ONCE; c->sent++)
        if (c->annotations[c->sent].path.len) {
            add_annotation(json, &c->annotations[c->sent]);
            added++;
        }
    json_close(json);
    json_close(json);
}

static bool is_left(const struct check_run *c)
{
    for (size_t i = c->sent; i < c->annotation_count; i++)
        if (c->annotations[i].path.len)
            return true;
    return false;
}

static void add_conclusion(struct check_run *c, struct json_out *json)
{
    json_add_str(json, "status", is_left(c) ? STR("in_progress") : STR("completed"));
    if (!is_left(c))
        json_add_str(json, "conclusion", str_of(c->conclusion));
}

// ---- the rest of the annotations ----------------------------------------------------------------

static void updated(void *self, struct chain *chain, const struct chain_reply *reply);

// A PATCH adds to the annotations that are there: it must not arrive twice.
static void update(struct check_run *c, struct chain *chain)
{
    struct text body = text_of(BODY_ROOM);
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    json_open_map(&json, NULL);
    add_output(c, &json);
    add_conclusion(c, &json);
    json_close(&json);
    ask(c, chain, GITHUB_ONCE, "PATCH",
        github_path(c->github, &c->arena, "/check-runs/%lld", (long long)c->id), text_str(&body),
        updated);
    text_done(&body);
}

static void go_on(struct check_run *c, struct chain *chain)
{
    if (is_left(c))
        update(c, chain);
    else
        chain_end(chain);
}

// How many are there after an answer that was lost.
static void counted(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct check_run *c = self;
    int64_t there = 0, with_path = 0;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "reading the check");
        return;
    }
    (void)json_get_i64(node_get(reply->tree, "output"), "annotations_count", &there);
    for (c->sent = 0; c->sent < c->annotation_count && with_path < there; c->sent++)
        with_path += c->annotations[c->sent].path.len > 0;
    bool completed = str_is(node_text(reply->tree, "status"), "completed");
    if (completed && !is_left(c))
        chain_end(chain);
    else
        update(c, chain);
}

static void count(struct check_run *c, struct chain *chain)
{
    ask(c, chain, GITHUB_READ, NULL,
        github_path(c->github, &c->arena, "/check-runs/%lld", (long long)c->id), STR(""), counted);
}

static void updated(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct check_run *c = self;
    if (reply->ok)
        go_on(c, chain);
    else if (reply->fault && reply->fault->outcome_unknown && c->looks++ < LOOKS)
        count(c, chain);
    else
        chain_fail_with(chain, reply, "the annotations of the check");
}

// ---- creating it --------------------------------------------------------------------------------

static void waited(void *self, struct chain *chain, const struct chain_reply *reply)
{
    (void)reply;
    look(self, chain);
}

static void listed(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct check_run *c = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "looking for the check");
        return;
    }
    const struct node *runs = node_get(reply->tree, "check_runs");
    for (const struct node *one = runs ? runs->first : NULL; one; one = one->next)
        if (str_eq(node_text(one, "external_id"), c->external_id) &&
            json_get_i64(one, "id", &c->id)) {
            count(c, chain);
            return;
        }
    if (reply->next.len) {
        ask(c, chain, GITHUB_READ, NULL, arena_str(&c->arena, reply->next), STR(""), listed);
        return;
    }
    if (c->looks++ < LOOKS) {
        chain_pause(chain, LOOK_AGAIN_MS, waited);
        return;
    }
    c->sent = 0;
    create(c, chain);
}

static void look(struct check_run *c, struct chain *chain)
{
    struct text name = text_of(1024);
    url_encode(&name, str_of(c->name), URL_SEGMENT);
    ask(c, chain, GITHUB_READ, NULL,
        github_path(c->github, &c->arena,
                    "/commits/" STR_FMT "/check-runs?check_name=%s&filter=all&per_page=%d",
                    STR_ARG(c->head_sha), text_c(&name), LISTED),
        STR(""), listed);
    text_done(&name);
}

static void created(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct check_run *c = self;
    if (reply->ok && json_get_i64(reply->tree, "id", &c->id)) {
        c->looks = 0;
        go_on(c, chain);
    } else if (!reply->ok && reply->fault && reply->fault->outcome_unknown && !c->lost) {
        c->lost = true;
        look(c, chain);
    } else if (!reply->ok) {
        chain_fail_with(chain, reply, "creating the check");
    } else {
        chain_fail(chain, ERROR_REMOTE, "a check without an id was created");
    }
}

static void create(struct check_run *c, struct chain *chain)
{
    struct text body = text_of(BODY_ROOM);
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    json_open_map(&json, NULL);
    json_add_str(&json, "name", str_of(c->name));
    json_add_str(&json, "head_sha", c->head_sha);
    json_add_str(&json, "external_id", c->external_id);
    if (c->details_url.len)
        json_add_str(&json, "details_url", c->details_url);
    add_output(c, &json);
    add_conclusion(c, &json);
    json_close(&json);
    ask(c, chain, GITHUB_ONCE, "POST", github_path(c->github, &c->arena, "/check-runs"),
        text_str(&body), created);
    text_done(&body);
}

void check_run_begin(struct check_run *c, struct chain *chain)
{
    create(c, chain);
}

void check_run_done(struct check_run *c)
{
    arena_done(&c->arena);
}
