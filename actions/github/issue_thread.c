#include "actions/github/issue_thread.h"

#include "gate/doc/json.h"

#include <stdio.h>

enum { LOOK_AGAIN_MS = 3000, LOOKS = 3, PAGES = 34, LISTED = 30 };

static const char needs[] = "issues: write";

static struct issue_thread *of(struct mirror_part *part)
{
    return (struct issue_thread *)(void *)part;
}

static void ask(struct issue_thread *r, struct chain *chain, enum github_kind kind,
                const char *method, str path, str body, chain_next next)
{
    chain_github(chain, r->github,
                 &(struct github_request){
                     .kind = kind, .method = method, .path = path, .body = body, .needs = needs},
                 next);
}

static str marker(struct issue_thread *r, const char *what)
{
    return mirror_marker(&r->arena, r->name, what);
}

static void on(struct issue_thread *r, struct chain *chain);

// ---- finding and opening ------------------------------------------------------------------------

static void open_issue(struct issue_thread *r, struct chain *chain);
static void search(struct issue_thread *r, struct chain *chain);

static void waited(void *self, struct chain *chain, const struct chain_reply *reply)
{
    (void)reply;
    search(self, chain);
}

static void take(struct issue_thread *r, const struct node *issue)
{
    (void)json_get_i64(issue, "number", &r->number);
    (void)snprintf(r->shown_title, sizeof r->shown_title, STR_FMT,
                   STR_ARG(str_first(node_text(issue, "title"), sizeof r->shown_title - 1)));
    r->closed = str_is(node_text(issue, "state"), "closed");
    r->searched = true;
    r->lost = false;
}

static void found(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct issue_thread *r = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "looking for it");
        return;
    }
    const struct node *list = reply->tree && reply->tree->kind == NODE_LIST ? reply->tree : NULL;
    str mark = marker(r, "");
    for (const struct node *one = list ? list->first : NULL; one; one = one->next)
        if (str_starts(node_text(one, "body"), mark) &&
            mirror_is_own(r->github, node_get(one, "user"))) {
            take(r, one);
            r->port.record(r->port.self, r->kind, r->number, node_text(one, "html_url"));
            on(r, chain);
            return;
        }
    if (reply->next.len && r->pages < PAGES) {
        r->pages++;
        ask(r, chain, GITHUB_READ, NULL, arena_str(&r->arena, reply->next), STR(""), found);
    } else if (r->lost && r->looks < LOOKS) {
        r->looks++;
        chain_pause(chain, LOOK_AGAIN_MS, waited);
    } else {
        r->searched = true;
        on(r, chain);
    }
}

static void search(struct issue_thread *r, struct chain *chain)
{
    r->pages = 1;
    ask(r, chain, GITHUB_READ, NULL,
        github_path(r->github, &r->arena,
                    "/issues?labels=%s&state=all&sort=created&direction=desc&per_page=%d", r->label,
                    LISTED),
        STR(""), found);
}

static void got(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct issue_thread *r = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "reading it");
        return;
    }
    take(r, reply->tree);
    on(r, chain);
}

static void opened(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct issue_thread *r = self;
    if (!reply->ok) {
        r->lost = reply->fault && reply->fault->outcome_unknown;
        r->looks = 0;
        chain_fail_with(chain, reply, "opening it");
        return;
    }
    take(r, reply->tree);
    r->comments_read = true; // it has none
    r->port.record(r->port.self, r->kind, r->number, node_text(reply->tree, "html_url"));
    on(r, chain);
}

static void open_issue(struct issue_thread *r, struct chain *chain)
{
    struct text body = text_of(JSON_ROOM(THREAD_TEXT));
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    json_open_map(&json, NULL);
    json_add_str(&json, "title", str_of(r->title));
    json_add_str(&json, "body", text_str(&r->body));
    json_open_list(&json, "labels");
    json_add_str(&json, NULL, str_of(r->label));
    json_close(&json);
    json_close(&json);
    ask(r, chain, GITHUB_ONCE, "POST", github_path(r->github, &r->arena, "/issues"),
        text_str(&body), opened);
    text_done(&body);
}

// ---- questions ----------------------------------------------------------------------------------

static void commented(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct issue_thread *r = self;
    if (!reply->ok) {
        r->comment_lost = reply->fault && reply->fault->outcome_unknown;
        r->looks = 0;
        chain_fail_with(chain, reply, "writing into it");
        return;
    }
    (void)json_get_i64(reply->tree, "id", &r->noted_id);
    (void)snprintf(r->noted_key, sizeof r->noted_key, "%s", r->sent_key);
    on(r, chain);
}

static void comment(struct issue_thread *r, struct chain *chain)
{
    struct text words = text_of(THREAD_TEXT), body = text_of(JSON_ROOM(THREAD_TEXT));
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    text_addf(&words, STR_FMT "\n" STR_FMT, STR_ARG(marker(r, r->note_key)),
              STR_ARG(text_str(&r->note)));
    json_open_map(&json, NULL);
    json_add_str(&json, "body", text_str(&words));
    json_close(&json);
    (void)snprintf(r->sent_key, sizeof r->sent_key, "%s", r->note_key);
    ask(r, chain, GITHUB_ONCE, "POST",
        github_path(r->github, &r->arena, "/issues/%lld/comments", (long long)r->number),
        text_str(&body), commented);
    text_done(&words);
    text_done(&body);
}

static void paused(void *self, struct chain *chain, const struct chain_reply *reply)
{
    (void)reply;
    on(self, chain);
}

// The newest of our own with that marker.
static void read_comments(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct issue_thread *r = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "reading what is said in it");
        return;
    }
    str mark = marker(r, r->note_key);
    const struct node *list = reply->tree && reply->tree->kind == NODE_LIST ? reply->tree : NULL;
    for (const struct node *one = list ? list->first : NULL; one; one = one->next)
        if (str_starts(node_text(one, "body"), mark) &&
            mirror_is_own(r->github, node_get(one, "user")) &&
            json_get_i64(one, "id", &r->noted_id))
            (void)snprintf(r->noted_key, sizeof r->noted_key, "%s", r->note_key);
    if (reply->next.len && strcmp(r->noted_key, r->note_key) != 0) {
        ask(r, chain, GITHUB_READ, NULL, arena_str(&r->arena, reply->next), STR(""), read_comments);
        return;
    }
    bool is_there = strcmp(r->noted_key, r->note_key) == 0;
    if (!is_there && r->comment_lost && r->looks < LOOKS) {
        r->looks++;
        chain_pause(chain, LOOK_AGAIN_MS, paused);
        return;
    }
    r->comment_lost = false;
    r->comments_read = true;
    on(r, chain);
}

// ---- what is next -------------------------------------------------------------------------------

static void changed(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct issue_thread *r = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "its title");
        return;
    }
    take(r, reply->tree);
    on(r, chain);
}

static void change(struct issue_thread *r, struct chain *chain)
{
    struct text body = text_of(JSON_ROOM(THREAD_TEXT));
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    json_open_map(&json, NULL);
    json_add_str(&json, "title", str_of(r->title));
    if (r->body_follows && r->body.len)
        json_add_str(&json, "body", text_str(&r->body));
    if (r->wanted != THREAD_ANY)
        json_add_str(&json, "state", r->wanted == THREAD_CLOSED ? STR("closed") : STR("open"));
    json_close(&json);
    ask(r, chain, GITHUB_SAME, "PATCH",
        github_path(r->github, &r->arena, "/issues/%lld", (long long)r->number), text_str(&body),
        changed);
    text_done(&body);
}

static bool notes(const struct issue_thread *r)
{
    return *r->note_key && strcmp(r->note_key, r->noted_key) != 0;
}

static bool is_titled(const struct issue_thread *r)
{
    bool is_state = r->wanted == THREAD_ANY || r->closed == (r->wanted == THREAD_CLOSED);
    return strcmp(r->title, r->shown_title) == 0 && is_state;
}

static void on(struct issue_thread *r, struct chain *chain)
{
    bool there = r->number != 0;
    if (!there && !r->searched)
        search(r, chain);
    else if (!there && r->needed)
        open_issue(r, chain);
    else if (there && notes(r) && !r->comments_read)
        ask(r, chain, GITHUB_READ, NULL,
            github_path(r->github, &r->arena, "/issues/%lld/comments?per_page=%d",
                        (long long)r->number, LISTED),
            STR(""), read_comments);
    else if (there && notes(r))
        comment(r, chain);
    else if (there && !is_titled(r))
        change(r, chain);
    else
        chain_end(chain);
}

static void go(struct issue_thread *r, struct chain *chain)
{
    if (r->number && !r->looked_at)
        ask(r, chain, GITHUB_READ, NULL,
            github_path(r->github, &r->arena, "/issues/%lld", (long long)r->number), STR(""), got);
    else
        on(r, chain);
}

static void learnt(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct issue_thread *r = self;
    if (mirror_learns(r->github, chain, reply))
        go(r, chain);
}

static bool begin(struct mirror_part *part, struct chain *chain, int64_t now_ms, int64_t *wake_ms)
{
    struct issue_thread *r = of(part);
    (void)now_ms;
    (void)wake_ms;
    r->looked_at = r->number || r->searched;
    if (!r->number)
        r->number = r->port.known(r->port.self, r->kind);
    bool nothing = r->number ? r->looked_at && !notes(r) && is_titled(r) : !r->needed;
    if (!*r->title || nothing)
        return false;
    arena_done(&r->arena);
    if (mirror_knows_itself(r->github, chain, learnt))
        go(r, chain);
    return true;
}

// The title is absolute; a comment or an issue that was sent last may be there.
static void failed(struct mirror_part *part)
{
    struct issue_thread *r = of(part);
    r->comments_read = false;
    r->searched = false;
    r->number = 0;
}

// ---- the whole ----------------------------------------------------------------------------------

void issue_thread_open(struct issue_thread *r)
{
    r->part = (struct mirror_part){.what = r->what, .begin = begin, .failed = failed};
    r->note = text_of(THREAD_TEXT);
    r->body = text_of(THREAD_TEXT);
}

void issue_thread_note(struct issue_thread *r, const char *key)
{
    if (strcmp(key, r->note_key) != 0)
        r->comments_read = false; // another process may have written it
    (void)snprintf(r->note_key, sizeof r->note_key, "%s", key);
}

int64_t issue_thread_noted(const struct issue_thread *r)
{
    bool is = *r->note_key && strcmp(r->note_key, r->noted_key) == 0;
    return is ? r->noted_id : 0;
}

void issue_thread_close(struct issue_thread *r)
{
    text_done(&r->note);
    text_done(&r->body);
    arena_done(&r->arena);
}
