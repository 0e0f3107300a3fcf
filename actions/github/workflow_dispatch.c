#include "actions/github/workflow_dispatch.h"

#include "deploy/cloud/url_parts.h"
#include "gate/doc/json.h"

enum { LOOK_MS = 1500, LOOKS = 10, LOOKS_LOST = 20 };

static void look(struct workflow_dispatch *d, struct chain *chain);
static void send(struct workflow_dispatch *d, struct chain *chain);

static void ask(struct workflow_dispatch *d, struct chain *chain, const char *method, str path,
                str body, const char *needs, chain_next next)
{
    chain_github(chain, d->github,
                 &(struct github_request){.kind = method ? GITHUB_ONCE : GITHUB_READ,
                                          .method = method,
                                          .path = path,
                                          .body = body,
                                          .needs = needs},
                 next);
}

static str path_of(struct workflow_dispatch *d, const char *rest)
{
    struct text file = text_of(1024);
    url_encode(&file, str_of(d->file), URL_SEGMENT);
    str path = github_path(d->github, &d->arena, "/actions/workflows/%s/%s", text_c(&file), rest);
    text_done(&file);
    return path;
}

static void waited(void *self, struct chain *chain, const struct chain_reply *reply)
{
    (void)reply;
    look(self, chain);
}

// Runs have rising ids: one above the newest of before is ours, or somebody's of the same moment,
// which does as well.
static void listed(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct workflow_dispatch *d = self;
    int64_t id = 0;
    if (!reply->ok && reply->fault && reply->fault->status == 404) {
        chain_fail(chain, ERROR_ABSENT,
                   "%s has no workflow %s: `sluice init --rollout` writes it, or name another with "
                   "--workflow",
                   github_repository(d->github), d->file);
        return;
    }
    if (!reply->ok) {
        chain_fail_with(chain, reply, "looking for runs of %s", d->file);
        return;
    }
    const struct node *runs = node_get(reply->tree, "workflow_runs");
    const struct node *newest = runs ? runs->first : NULL;
    if (newest)
        (void)json_get_i64(newest, "id", &id);
    if (!d->sent) {
        d->newest = id;
        send(d, chain);
    } else if (id > d->newest) {
        d->run_url = arena_str(&d->arena, node_text(newest, "html_url"));
        chain_end(chain);
    } else if (++d->looks < (d->lost ? LOOKS_LOST : LOOKS)) {
        chain_pause(chain, LOOK_MS, waited);
    } else if (d->lost) {
        // A second one behind a first that is only listed late would go back twice.
        chain_fail(chain, ERROR_REMOTE,
                   "whether %s was started is not known, as GitHub's answer was lost and no run of "
                   "it is listed: look at its runs before you start it again",
                   d->file);
    } else {
        chain_end(chain);
    }
}

static void look(struct workflow_dispatch *d, struct chain *chain)
{
    ask(d, chain, NULL, path_of(d, "runs?event=workflow_dispatch&per_page=1"), STR(""),
        "actions: read", listed);
}

static void sent(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct workflow_dispatch *d = self;
    bool unknown = !reply->ok && reply->fault && reply->fault->outcome_unknown;
    if (!reply->ok && !unknown) {
        chain_fail_with(chain, reply, "starting %s", d->file);
        return;
    }
    d->lost = unknown;
    d->looks = 0;
    look(d, chain);
}

static void send(struct workflow_dispatch *d, struct chain *chain)
{
    struct text body = text_of(65536);
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    json_open_map(&json, NULL);
    json_add_str(&json, "ref", d->ref);
    json_open_map(&json, "inputs");
    for (const struct dispatch_input *input = d->inputs; input->name; input++)
        if (input->value.len)
            json_add_str(&json, input->name, input->value);
    json_close(&json);
    json_close(&json);
    d->sent = true;
    ask(d, chain, "POST", path_of(d, "dispatches"), text_str(&body), "actions: write", sent);
    text_done(&body);
}

static void got_repository(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct workflow_dispatch *d = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "reading the repository");
        return;
    }
    d->ref = arena_str(&d->arena, node_text(reply->tree, "default_branch"));
    look(d, chain);
}

void workflow_dispatch_begin(struct workflow_dispatch *d, struct chain *chain)
{
    if (d->ref.len)
        look(d, chain);
    else
        ask(d, chain, NULL, github_path(d->github, &d->arena, "%s", ""), STR(""), "metadata: read",
            got_repository);
}

void workflow_dispatch_done(struct workflow_dispatch *d)
{
    arena_done(&d->arena);
}
