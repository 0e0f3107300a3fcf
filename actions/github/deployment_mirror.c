#include "actions/github/deployment_mirror.h"

#include "deploy/cloud/url_parts.h"
#include "gate/doc/json.h"

#include <stdio.h>

// After a creation whose answer was lost: GitHub lists what is new with some delay.
enum { LOOK_AGAIN_MS = 3000, LOOKS = 3, LISTED = 100, PAGES = 5 };

static const char needs[] = "deployments: write";

static struct deployment_mirror *of(struct mirror_part *part)
{
    return (struct deployment_mirror *)(void *)part;
}

static void ask(struct deployment_mirror *m, struct chain *chain, enum github_kind kind,
                const char *method, str path, const struct text *body, chain_next next)
{
    chain_github(chain, m->github,
                 &(struct github_request){.kind = kind,
                                          .method = method,
                                          .path = path,
                                          .body = body ? text_str(body) : STR(""),
                                          .needs = needs},
                 next);
}

// ---- its statuses -------------------------------------------------------------------------------

static bool is_shown(const struct deployment_mirror *m)
{
    return m->shown.state && strcmp(m->shown.state, m->wanted.state) == 0 &&
           strcmp(m->shown.words, m->wanted.words) == 0;
}

// `inactive` says nothing of how it came to it: the reason stands in a `failure` before it.
static struct deployment_face next_face(const struct deployment_mirror *m)
{
    bool ends_badly = strcmp(m->wanted.state, "inactive") == 0 && m->shown.state &&
                      (strcmp(m->shown.state, "in_progress") == 0);
    struct deployment_face face = m->wanted;
    if (ends_badly)
        face.state = "failure";
    return face;
}

static void posted(void *self, struct chain *chain, const struct chain_reply *reply);

static void post_status(struct deployment_mirror *m, struct chain *chain)
{
    struct text body = text_of(8192);
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    struct deployment_face face = next_face(m);
    json_open_map(&json, NULL);
    json_add_str(&json, "state", str_of(face.state));
    json_add_str(&json, "description", str_of(face.words));
    json_add_str(&json, "environment", m->environment);
    json_add_bool(&json, "auto_inactive", true);
    if (m->log_url.len)
        json_add_str(&json, "log_url", m->log_url);
    if (m->environment_url.len)
        json_add_str(&json, "environment_url", m->environment_url);
    json_close(&json);
    m->shown = face;
    ask(m, chain, GITHUB_ONCE, "POST",
        github_path(m->github, &m->arena, "/deployments/%lld/statuses", (long long)m->id), &body,
        posted);
    text_done(&body);
}

static void post_or_end(struct deployment_mirror *m, struct chain *chain)
{
    if (!is_shown(m)) {
        post_status(m, chain);
        return;
    }
    chain_end(chain);
}

static void posted(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct deployment_mirror *m = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "telling `%s`", m->shown.state);
        return;
    }
    post_or_end(m, chain);
}

static const char *known_state(str state)
{
    static const char *const states[] = {"queued",  "in_progress", "success",
                                         "failure", "inactive",    "pending"};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (str_is(state, states[i]))
            return states[i];
    return "other";
}

// Newest first.
static void statuses(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct deployment_mirror *m = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "reading what is told of it");
        return;
    }
    const struct node *newest = reply->tree ? reply->tree->first : NULL;
    m->shown = (struct deployment_face){0};
    if (newest) {
        m->shown.state = known_state(node_text(newest, "state"));
        (void)snprintf(
            m->shown.words, sizeof m->shown.words, STR_FMT,
            STR_ARG(str_first(node_text(newest, "description"), sizeof m->shown.words - 1)));
    }
    m->looked = true;
    post_or_end(m, chain);
}

static void read_statuses(struct deployment_mirror *m, struct chain *chain)
{
    ask(m, chain, GITHUB_READ, NULL,
        github_path(m->github, &m->arena, "/deployments/%lld/statuses?per_page=1",
                    (long long)m->id),
        NULL, statuses);
}

// ---- the deployment itself ----------------------------------------------------------------------

static void created(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct deployment_mirror *m = self;
    if (!reply->ok) {
        m->lost = reply->fault && reply->fault->outcome_unknown;
        m->looks = 0;
        chain_fail_with(chain, reply, "creating it");
        return;
    }
    if (!json_get_i64(reply->tree, "id", &m->id)) {
        chain_fail(chain, ERROR_REMOTE, "a deployment without an id was created");
        return;
    }
    m->looked = true; // it has no status yet
    m->port.record(m->port.self, "deployment", m->id, node_text(reply->tree, "url"));
    post_or_end(m, chain);
}

static void create(struct deployment_mirror *m, struct chain *chain)
{
    struct text body = text_of(16384), words = text_of(2048);
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    text_addf(&words, STR_FMT " to " STR_FMT ", in steps", STR_ARG(m->release),
              STR_ARG(m->environment));
    json_open_map(&json, NULL);
    json_add_str(&json, "ref", m->commit);
    json_add_str(&json, "task", STR("deploy"));
    json_add_bool(&json, "auto_merge", false);
    json_open_list(&json, "required_contexts");
    json_close(&json);
    json_open_map(&json, "payload");
    json_add_str(&json, "sluice", m->rollout);
    json_close(&json);
    json_add_str(&json, "environment", m->environment);
    json_add_str(&json, "description", str_shorten(text_str(&words), DEPLOYMENT_WORDS - 1));
    json_add_bool(&json, "production_environment", m->production);
    json_close(&json);
    ask(m, chain, GITHUB_ONCE, "POST", github_path(m->github, &m->arena, "/deployments"), &body,
        created);
    text_done(&words);
    text_done(&body);
}

// The payload comes back as it was given: a map, or the text of one.
static bool is_ours(const struct deployment_mirror *m, const struct node *deployment)
{
    const struct node *payload = node_get(deployment, "payload");
    const struct node *tree = payload;
    struct arena arena = {0};
    struct error ignored;
    if (payload && payload->kind == NODE_STRING &&
        !json_parse(&arena, NULL, payload->text, &tree, &ignored))
        tree = NULL;
    bool is = tree && tree->kind == NODE_MAP && str_eq(node_text(tree, "sluice"), m->rollout);
    arena_done(&arena);
    return is;
}

static void look(struct deployment_mirror *m, struct chain *chain);

static void waited(void *self, struct chain *chain, const struct chain_reply *reply)
{
    (void)reply;
    look(self, chain);
}

static void listed(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct deployment_mirror *m = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "looking for it");
        return;
    }
    const struct node *list = reply->tree && reply->tree->kind == NODE_LIST ? reply->tree : NULL;
    for (const struct node *one = list ? list->first : NULL; one; one = one->next)
        if (is_ours(m, one) && json_get_i64(one, "id", &m->id)) {
            m->lost = false;
            read_statuses(m, chain);
            return;
        }
    if (reply->next.len && m->pages < PAGES) {
        m->pages++;
        ask(m, chain, GITHUB_READ, NULL, arena_str(&m->arena, reply->next), NULL, listed);
    } else if (m->lost && m->looks < LOOKS) {
        m->looks++;
        chain_pause(chain, LOOK_AGAIN_MS, waited);
    } else {
        create(m, chain);
    }
}

static void look(struct deployment_mirror *m, struct chain *chain)
{
    struct text environment = text_of(2048);
    m->pages = 1;
    url_encode(&environment, m->environment, URL_SEGMENT);
    ask(m, chain, GITHUB_READ, NULL,
        github_path(m->github, &m->arena, "/deployments?sha=" STR_FMT "&environment=%s&per_page=%d",
                    STR_ARG(m->commit), text_c(&environment), LISTED),
        NULL, listed);
    text_done(&environment);
}

// ---- as a part ----------------------------------------------------------------------------------

static bool begin(struct mirror_part *part, struct chain *chain, int64_t now_ms, int64_t *wake_ms)
{
    struct deployment_mirror *m = of(part);
    (void)now_ms;
    (void)wake_ms;
    if (!m->any_wanted || (m->looked && is_shown(m)))
        return false;
    arena_done(&m->arena);
    if (!m->id)
        m->id = m->port.known(m->port.self, "deployment");
    if (!m->id)
        look(m, chain);
    else if (!m->looked)
        read_statuses(m, chain);
    else
        post_status(m, chain);
    return true;
}

static void failed(struct mirror_part *part)
{
    struct deployment_mirror *m = of(part);
    m->looked = false; // what was sent last may be there
    m->shown = (struct deployment_face){0};
}

void deployment_mirror_open(struct deployment_mirror *m, const char *what)
{
    m->part = (struct mirror_part){.what = what, .begin = begin, .failed = failed};
}

void deployment_mirror_want(struct deployment_mirror *m, const struct deployment_face *face)
{
    m->wanted = *face;
    m->any_wanted = true;
}

void deployment_mirror_close(struct deployment_mirror *m)
{
    arena_done(&m->arena);
}
