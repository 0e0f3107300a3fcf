#include "actions/github/comment_desk.h"

#include "actions/report/escape.h"
#include "deploy/cloud/url_parts.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

#include <stdio.h>

// A page of the longest comments stays below what one answer may be (16 MiB).
enum { LISTED = 30, PAGES = 170, OVERLAP_MS = 60000, REPLY_MOST = 16384 };

static const char needs[] = "issues: write";

enum verdict_of { UNDECIDED, IGNORED, COUNTED, REFUSED, STATUS_ASKED };

struct heard {
    struct heard *next;
    int64_t id, said_ms;
    str who, url;
    struct comment_command command;
    bool edited, reacted, replied;
    enum verdict_of verdict;
    const char *why; // refused
    const str *teams;
    size_t team_count;
};

struct role { // of somebody in the repository
    struct role *next;
    str who;
    bool writes;
};

static struct comment_desk *of(struct mirror_part *part)
{
    return (struct comment_desk *)(void *)part;
}

static void ask(struct comment_desk *d, struct chain *chain, enum github_kind kind,
                const char *method, str path, str body, const char *need, chain_next next)
{
    chain_github(chain, d->github,
                 &(struct github_request){
                     .kind = kind, .method = method, .path = path, .body = body, .needs = need},
                 next);
}

static bool is_done(const struct comment_desk *d, int64_t id)
{
    for (size_t i = 0; i < d->done_count; i++)
        if (d->done[i] == id)
            return true;
    return false;
}

static void set_done(struct comment_desk *d, int64_t id)
{
    if (d->done_count == d->done_room) {
        d->done_room = d->done_room ? 2 * d->done_room : 64;
        d->done = memory_grow(d->done, d->done_room * sizeof *d->done);
    }
    d->done[d->done_count++] = id;
}

// ---- reading ------------------------------------------------------------------------------------

static void decide(struct comment_desk *d, struct chain *chain);

// "<!-- sluice:ROLLOUT:re-ID -->": what we answered already.
static void note_reply(struct comment_desk *d, str body)
{
    for (struct heard *h = d->first; h; h = h->next) {
        char what[48];
        (void)snprintf(what, sizeof what, "re-%lld", (long long)h->id);
        if (str_starts(body, mirror_marker(&d->arena, d->rollout, what)))
            h->replied = true;
    }
}

// "reactions": {"+1": 1, …}: whether somebody has shown this one; ours cannot be told from others',
// which is good enough for not repeating it.
static bool has_reaction(const struct node *comment, const char *content)
{
    int64_t count = 0;
    return json_get_i64(node_get(comment, "reactions"), content, &count) && count > 0;
}

static void hear(struct comment_desk *d, const struct node *comment)
{
    struct arena *arena = &d->arena;
    const struct node *user = node_get(comment, "user"),
                      *app = node_get(comment, "performed_via_github_app");
    struct heard heard = {0};
    int64_t at_ms = 0;
    str body = arena_str(arena, node_text(comment, "body"));
    if (moment_parse(node_text(comment, "updated_at"), &at_ms) && at_ms > d->newest_ms)
        d->newest_ms = at_ms;
    if (mirror_is_own(d->github, user))
        note_reply(d, body);
    if (!json_get_i64(comment, "id", &heard.id) || is_done(d, heard.id))
        return;
    bool person = str_is(node_text(user, "type"), "User") && (!app || app->kind == NODE_NULL);
    if (!person || !comment_command_read(body, &heard.command)) {
        set_done(d, heard.id);
        return;
    }
    heard.who = arena_str(arena, node_text(user, "login"));
    heard.url = arena_str(arena, node_text(comment, "html_url"));
    (void)moment_parse(node_text(comment, "created_at"), &heard.said_ms);
    heard.edited = !str_eq(node_text(comment, "created_at"), node_text(comment, "updated_at"));
    heard.reacted = has_reaction(comment, "+1");
    struct heard *kept = ARENA_NEW(arena, struct heard);
    *kept = heard;
    *d->end = kept;
    d->end = &kept->next;
}

static void listed(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct comment_desk *d = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "reading the comments");
        return;
    }
    const struct node *list = reply->tree && reply->tree->kind == NODE_LIST ? reply->tree : NULL;
    for (const struct node *one = list ? list->first : NULL; one; one = one->next)
        hear(d, one);
    if (reply->next.len && d->pages++ < PAGES) {
        ask(d, chain, GITHUB_READ, NULL, arena_str(&d->arena, reply->next), STR(""), needs, listed);
        return;
    }
    d->at = d->first;
    decide(d, chain);
}

// ---- who it is ----------------------------------------------------------------------------------

static const struct role *role_of(const struct comment_desk *d, str who)
{
    for (const struct role *role = d->roles; role; role = role->next)
        if (str_eq(role->who, who))
            return role;
    return NULL;
}

static void got_role(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct comment_desk *d = self;
    bool absent = !reply->ok && reply->fault && reply->fault->status == 404;
    if (!reply->ok && !absent) {
        chain_fail_with(chain, reply, "asking what somebody may do");
        return;
    }
    str permission = absent ? STR("none") : node_text(reply->tree, "permission");
    struct role *role = ARENA_NEW(&d->arena, struct role);
    *role = (struct role){.next = d->roles,
                          .who = d->at->who,
                          .writes = str_is(permission, "admin") || str_is(permission, "write") ||
                                    str_is(permission, "maintain")};
    d->roles = role;
    decide(d, chain);
}

static void ask_role(struct comment_desk *d, struct chain *chain)
{
    struct text name = text_of(1024);
    url_encode(&name, d->at->who, URL_SEGMENT);
    ask(d, chain, GITHUB_READ, NULL,
        github_path(d->github, &d->arena, "/collaborators/%s/permission", text_c(&name)), STR(""),
        "metadata: read", got_role);
    text_done(&name);
}

// "@acme/release", "acme/release".
static bool team_of(str name, str *ret_org, str *ret_slug)
{
    str rest = str_starts(name, STR("@")) ? str_from(name, 1) : name;
    *ret_org = str_cut(&rest, '/');
    *ret_slug = rest;
    return ret_org->len > 0 && ret_slug->len > 0;
}

static void got_team(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct comment_desk *d = self;
    bool absent = !reply->ok && reply->fault && reply->fault->status == 404;
    if (!reply->ok && !absent) {
        chain_fail_with(chain, reply, "asking who belongs to a team");
        return;
    }
    if (d->rule != d->asked) { // another question by now, or none: asked anew under it
        d->team = 0;
        decide(d, chain);
        return;
    }
    if (!absent && str_is(node_text(reply->tree, "state"), "active")) {
        str *teams = ARENA_ARRAY(&d->arena, str, d->at->team_count + 1);
        for (size_t i = 0; i < d->at->team_count; i++)
            teams[i] = d->at->teams[i];
        teams[d->at->team_count++] = d->rule->from[d->team];
        d->at->teams = teams;
    }
    d->team++;
    decide(d, chain);
}

static bool is_named(const struct comment_desk *d, str who)
{
    for (uint32_t i = 0; i < d->rule->from_count; i++)
        if (str_cmp_any_case(d->rule->from[i], who) == 0)
            return true;
    return false;
}

// True: it asks. Logins that the rule names need no team.
static bool ask_team(struct comment_desk *d, struct chain *chain)
{
    str org, slug;
    if (!d->rule || is_named(d, d->at->who) || !github_is_app(d->github))
        return false;
    while (d->team < d->rule->from_count && !team_of(d->rule->from[d->team], &org, &slug))
        d->team++;
    if (d->team >= d->rule->from_count)
        return false;
    d->asked = d->rule;
    struct text path = text_of(4096);
    text_adds(&path, "/orgs/");
    url_encode(&path, org, URL_SEGMENT);
    text_adds(&path, "/teams/");
    url_encode(&path, slug, URL_SEGMENT);
    text_adds(&path, "/memberships/");
    url_encode(&path, d->at->who, URL_SEGMENT);
    ask(d, chain, GITHUB_READ, NULL, arena_str(&d->arena, text_str(&path)), STR(""),
        "members: read", got_team);
    text_done(&path);
    return true;
}

// ---- deciding -----------------------------------------------------------------------------------

static bool is_answer(enum comment_word word)
{
    return word == COMMENT_APPROVE || word == COMMENT_DENY;
}

// Holds and rollbacks are heard meanwhile.
static bool waits_for_authors(const struct comment_desk *d)
{
    return d->rule && d->authors && !d->authors->known && !d->authors->part.off;
}

static const char *refusal(struct comment_desk *d, const struct heard *h)
{
    if (h->edited)
        return "it was edited after it was written: say it again in a new comment";
    if (!role_of(d, h->who)->writes)
        return "only who may write to this repository is heard here";
    if (!is_answer(h->command.word))
        return NULL;
    if (!d->rule || !d->asked_id)
        return "nothing is asked at the moment";
    if (h->id < d->asked_id)
        return "it was said before this was asked: say it again";
    if (d->authors && !d->authors->known)
        return "who wrote this release is not known, and none of them may answer";
    if (d->authors && d->authors->partial)
        return "not all who wrote this release are known to GitHub's comparison with what runs "
               "now, "
               "and none of them may answer: use `sluice approve`";
    return NULL;
}

static void settle(struct comment_desk *d, struct heard *h)
{
    h->why = refusal(d, h);
    if (!h->why && h->command.word == COMMENT_STATUS) {
        h->verdict = STATUS_ASKED;
        return;
    }
    if (!h->why)
        h->why = d->port.take(d->port.self, &d->arena,
                              &(struct said_word){.word = h->command.word,
                                                  .who = h->who,
                                                  .reason = h->command.reason,
                                                  .url = h->url,
                                                  .teams = h->teams,
                                                  .team_count = h->team_count,
                                                  .comment = h->id,
                                                  .said_ms = h->said_ms,
                                                  .authors = d->authors});
    h->verdict = h->why ? REFUSED : COUNTED;
}

static void answer(struct comment_desk *d, struct chain *chain);

static void decide(struct comment_desk *d, struct chain *chain)
{
    for (; d->at; d->at = d->at->next, d->team = 0) {
        struct heard *h = d->at;
        if (d->port.known(d->port.self, h->id)) {
            h->verdict = COUNTED;
            continue;
        }
        if (h->replied) {
            h->verdict = IGNORED; // refused by whoever read it before, or told how it stands
            continue;
        }
        if (is_answer(h->command.word) && waits_for_authors(d)) {
            h->verdict = UNDECIDED;
            d->undecided = true;
            continue;
        }
        if (!h->edited && !role_of(d, h->who)) {
            ask_role(d, chain);
            return;
        }
        if (!h->edited && is_answer(h->command.word) && role_of(d, h->who)->writes &&
            ask_team(d, chain))
            return;
        settle(d, h);
    }
    d->read_once = !d->undecided;
    d->at = d->first;
    d->row_answers = 0;
    answer(d, chain);
}

// ---- answering ----------------------------------------------------------------------------------

static void reply_to(struct comment_desk *d, struct chain *chain, const struct heard *h);

static void reacted(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct comment_desk *d = self;
    struct heard *h = d->at;
    bool gone = !reply->ok && reply->fault && reply->fault->status == 404; // deleted meanwhile
    if (!reply->ok && !gone) {
        chain_fail_with(chain, reply, "answering a comment");
        return;
    }
    if (h->verdict == COUNTED || gone) {
        set_done(d, h->id);
        d->at = h->next;
        answer(d, chain);
        return;
    }
    reply_to(d, chain, h);
}

static void replied(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct comment_desk *d = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "answering a comment");
        return;
    }
    set_done(d, d->at->id);
    d->at = d->at->next;
    answer(d, chain);
}

static void react(struct comment_desk *d, struct chain *chain, const struct heard *h)
{
    const char *content = h->verdict == REFUSED ? "confused" : "+1";
    struct text body = text_of(256);
    text_addf(&body, "{\"content\":\"%s\"}", content);
    ask(d, chain, GITHUB_SAME, "POST",
        github_path(d->github, &d->arena, "/issues/comments/%lld/reactions", (long long)h->id),
        text_str(&body), needs, reacted);
    text_done(&body);
}

static void reply_to(struct comment_desk *d, struct chain *chain, const struct heard *h)
{
    struct text words = text_of(REPLY_MOST), body = text_of(JSON_ROOM(REPLY_MOST));
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    char what[48];
    (void)snprintf(what, sizeof what, "re-%lld", (long long)h->id);
    text_addf(&words, STR_FMT "\n@" STR_FMT, STR_ARG(mirror_marker(&d->arena, d->rollout, what)),
              STR_ARG(h->who));
    if (h->verdict == STATUS_ASKED) {
        text_adds(&words, " ");
        d->port.status(d->port.status_self, &words);
    } else {
        text_addf(&words, " `/%s` does not count: ", comment_word_name(h->command.word));
        markdown_words(str_of(h->why), &words);
        text_adds(&words, ".\n");
    }
    json_open_map(&json, NULL);
    json_add_str(&json, "body", text_str(&words));
    json_close(&json);
    ask(d, chain, GITHUB_ONCE, "POST",
        github_path(d->github, &d->arena, "/issues/%lld/comments", (long long)d->issue),
        text_str(&body), needs, replied);
    text_done(&words);
    text_done(&body);
}

static void finish(struct comment_desk *d, struct chain *chain)
{
    if (!d->undecided)
        d->since_ms = d->newest_ms > OVERLAP_MS ? d->newest_ms - OVERLAP_MS : 0;
    chain_end(chain);
}

static void answer(struct comment_desk *d, struct chain *chain)
{
    for (; d->at; d->at = d->at->next) {
        struct heard *h = d->at;
        if (h->verdict == UNDECIDED)
            continue;
        bool is_answered = h->verdict == IGNORED || (h->verdict == COUNTED && h->reacted);
        if (is_answered || d->answers >= COMMENT_ANSWERS) {
            set_done(d, h->id);
            continue;
        }
        if (d->row_answers >= COMMENT_ANSWERS_ROW) {
            d->next_ms = 0; // the rest, after the others' turn
            chain_end(chain);
            return;
        }
        d->answers++;
        d->row_answers++;
        react(d, chain, h);
        return;
    }
    finish(d, chain);
}

// ---- as a part ----------------------------------------------------------------------------------

static void go(struct comment_desk *d, struct chain *chain)
{
    char since[MOMENT_TEXT];
    ask(d, chain, GITHUB_READ, NULL,
        github_path(d->github, &d->arena, "/issues/%lld/comments?since=%.19sZ&per_page=%d",
                    (long long)d->issue, moment_format(d->since_ms, since), LISTED),
        STR(""), needs, listed);
}

static void learnt(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct comment_desk *d = self;
    if (mirror_learns(d->github, chain, reply))
        go(d, chain);
}

static bool begin(struct mirror_part *part, struct chain *chain, int64_t now_ms, int64_t *wake_ms)
{
    struct comment_desk *d = of(part);
    if (!d->issue)
        return false;
    if (now_ms < d->next_ms) {
        if (d->next_ms < *wake_ms)
            *wake_ms = d->next_ms;
        return false;
    }
    d->next_ms = now_ms + d->poll_ms;
    arena_done(&d->arena);
    d->first = d->at = NULL;
    d->end = &d->first;
    d->roles = NULL;
    d->team = 0;
    d->pages = 1;
    d->undecided = false;
    if (mirror_knows_itself(d->github, chain, learnt))
        go(d, chain);
    return true;
}

static void failed(struct mirror_part *part)
{
    struct comment_desk *d = of(part);
    d->next_ms = 0;
    d->newest_ms = d->since_ms;
}

void comment_desk_open(struct comment_desk *d)
{
    d->part = (struct mirror_part){.what = "its comments", .begin = begin, .failed = failed};
    d->end = &d->first;
}

void comment_desk_close(struct comment_desk *d)
{
    memory_free(d->done);
    d->done = NULL;
    arena_done(&d->arena);
}
