#include "actions/github/sticky_comment.h"

#include "deploy/cloud/url_parts.h"
#include "gate/doc/json.h"

enum { LISTED = 30, PAGES = 170, LOOK_AGAIN_MS = 3000, LOOKS = 3 };

static const char needs[] = "pull-requests: write";

static void look(struct sticky_comment *s, struct chain *chain);

static void ask(struct sticky_comment *s, struct chain *chain, enum github_kind kind,
                const char *method, str path, str body, chain_next next)
{
    chain_github(chain, s->github,
                 &(struct github_request){
                     .kind = kind, .method = method, .path = path, .body = body, .needs = needs},
                 next);
}

// ---- writing ------------------------------------------------------------------------------------

static str marker(struct sticky_comment *s)
{
    return mirror_marker(&s->arena, STR("comment"), s->key);
}

// Cut at a line.
static str whole(struct sticky_comment *s)
{
    str words = s->words;
    if (words.len > STICKY_MOST) {
        words = str_shorten(words, STICKY_MOST - 200);
        size_t end = str_find_last(words, '\n');
        words = str_first(words, end == STR_NONE ? words.len : end + 1);
        return arena_format(&s->arena,
                            STR_FMT "\n" STR_FMT "\nWhat comes after this is left out: a "
                                    "comment cannot be longer.\n",
                            STR_ARG(marker(s)), STR_ARG(words));
    }
    return arena_format(&s->arena, STR_FMT "\n" STR_FMT, STR_ARG(marker(s)), STR_ARG(words));
}

static void written(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct sticky_comment *s = self;
    if (reply->ok) {
        s->url = arena_str(&s->arena, node_text(reply->tree, "html_url"));
        chain_end(chain);
    } else if (reply->fault && reply->fault->outcome_unknown && !s->lost) {
        s->lost = true;
        look(s, chain);
    } else {
        chain_fail_with(chain, reply, "writing the comment");
    }
}

static void write_it(struct sticky_comment *s, struct chain *chain, int64_t comment)
{
    struct text body = text_of(JSON_ROOM(STICKY_MOST));
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    json_open_map(&json, NULL);
    json_add_str(&json, "body", s->body);
    json_close(&json);
    if (comment)
        ask(s, chain, GITHUB_SAME, "PATCH",
            github_path(s->github, &s->arena, "/issues/comments/%lld", (long long)comment),
            text_str(&body), written);
    else
        ask(s, chain, GITHUB_ONCE, "POST",
            github_path(s->github, &s->arena, "/issues/%lld/comments", (long long)s->number),
            text_str(&body), written);
    text_done(&body);
}

// ---- finding the comment ------------------------------------------------------------------------

static void waited(void *self, struct chain *chain, const struct chain_reply *reply)
{
    (void)reply;
    look(self, chain);
}

static bool is_same(str a, str b) // GitHub trims, and keeps line ends as they came
{
    return str_eq(str_trim(a), str_trim(b));
}

static void listed(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct sticky_comment *s = self;
    int64_t id = 0;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "reading the comments");
        return;
    }
    const struct node *list = reply->tree && reply->tree->kind == NODE_LIST ? reply->tree : NULL;
    for (const struct node *one = list ? list->first : NULL; one; one = one->next) {
        if (!str_starts(node_text(one, "body"), marker(s)) ||
            !mirror_is_own(s->github, node_get(one, "user")) || !json_get_i64(one, "id", &id))
            continue;
        s->url = arena_str(&s->arena, node_text(one, "html_url"));
        if (is_same(node_text(one, "body"), s->body))
            chain_end(chain);
        else
            write_it(s, chain, id);
        return;
    }
    if (reply->next.len && s->pages == PAGES) // one more could be a second one
        chain_fail(chain, ERROR_LIMIT,
                   "pull request %lld has more than %d comments: ours is not looked for among so "
                   "many, and nothing is written",
                   (long long)s->number, PAGES * LISTED);
    else if (reply->next.len && s->pages++)
        ask(s, chain, GITHUB_READ, NULL, arena_str(&s->arena, reply->next), STR(""), listed);
    else if (s->lost && s->looks++ < LOOKS)
        chain_pause(chain, LOOK_AGAIN_MS, waited);
    else
        write_it(s, chain, 0);
}

static void look(struct sticky_comment *s, struct chain *chain)
{
    s->pages = 1;
    ask(s, chain, GITHUB_READ, NULL,
        github_path(s->github, &s->arena, "/issues/%lld/comments?per_page=%d", (long long)s->number,
                    LISTED),
        STR(""), listed);
}

// ---- finding the pull request -------------------------------------------------------------------

static void take_head(struct sticky_comment *s, struct chain *chain, const struct node *pull)
{
    str head = node_text(node_get(pull, "head"), "sha");
    if (s->sha.len && !str_eq(head, s->sha)) {
        s->outdated = true;
        chain_end(chain);
        return;
    }
    look(s, chain);
}

static void got_pull(void *self, struct chain *chain, const struct chain_reply *reply)
{
    if (!reply->ok)
        chain_fail_with(chain, reply, "reading the pull request");
    else
        take_head(self, chain, reply->tree);
}

// Several may come from one branch, to several bases: the one whose head was judged, else the
// first.
static void got_pulls(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct sticky_comment *s = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "looking for the pull request");
        return;
    }
    const struct node *list = reply->tree && reply->tree->kind == NODE_LIST ? reply->tree : NULL;
    const struct node *found = list ? list->first : NULL;
    for (const struct node *one = found; one; one = one->next)
        if (str_eq(node_text(node_get(one, "head"), "sha"), s->sha)) {
            found = one;
            break;
        }
    if (!found || !json_get_i64(found, "number", &s->number)) {
        chain_end(chain);
        return;
    }
    take_head(s, chain, found);
}

static void go(struct sticky_comment *s, struct chain *chain)
{
    struct text head = text_of(4096);
    s->body = whole(s);
    if (s->number) {
        ask(s, chain, GITHUB_READ, NULL,
            github_path(s->github, &s->arena, "/pulls/%lld", (long long)s->number), STR(""),
            got_pull);
    } else {
        url_encode(&head, s->owner, URL_SEGMENT);
        text_addc(&head, ':');
        url_encode(&head, s->branch, URL_SEGMENT);
        ask(s, chain, GITHUB_READ, NULL,
            github_path(s->github, &s->arena, "/pulls?state=open&per_page=%d&head=%s", LISTED,
                        text_c(&head)),
            STR(""), got_pulls);
    }
    text_done(&head);
}

static void learnt(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct sticky_comment *s = self;
    if (mirror_learns(s->github, chain, reply))
        go(s, chain);
}

void sticky_comment_begin(struct sticky_comment *s, struct chain *chain)
{
    if (mirror_knows_itself(s->github, chain, learnt))
        go(s, chain);
}

void sticky_comment_done(struct sticky_comment *s)
{
    arena_done(&s->arena);
}
