#include "actions/github/release_authors.h"

enum { PAGES = 20, LISTED = 100 };

static const char needs[] = "contents: read";

static struct release_authors *of(struct mirror_part *part)
{
    return (struct release_authors *)(void *)part;
}

static void add(struct release_authors *a, str login)
{
    if (!login.len || str_is(login, "web-flow")) // GitHub itself
        return;
    for (size_t i = 0; i < a->count; i++)
        if (str_eq(a->logins[i], login))
            return;
    if (a->count < RELEASE_AUTHORS)
        a->logins[a->count++] = arena_str(&a->arena, login);
    else
        a->partial = true;
}

void release_authors_trailers(struct release_authors *a, str message)
{
    static const str name = STR_INIT("co-authored-by:");
    while (message.len) {
        str line = str_trim(str_cut(&message, '\n'));
        if (str_cmp_any_case(str_first(line, name.len), name) != 0)
            continue;
        size_t open = str_find_last(line, '<');
        str address = open == STR_NONE ? (str){NULL, 0} : str_from(line, open + 1);
        str login = str_cut(&address, '@');
        if (!str_starts(address, STR("users.noreply.")))
            continue;
        size_t plus = str_find(login, '+');
        add(a, plus == STR_NONE ? login : str_from(login, plus + 1));
    }
}

static void add_commit(struct release_authors *a, const struct node *commit)
{
    add(a, node_text(node_get(commit, "author"), "login"));
    add(a, node_text(node_get(commit, "committer"), "login"));
    release_authors_trailers(a, node_text(node_get(commit, "commit"), "message"));
}

static void ask(struct release_authors *a, struct chain *chain, str path, chain_next next)
{
    chain_github(chain, a->github, &(struct github_request){.path = path, .needs = needs}, next);
}

static void end(struct release_authors *a, struct chain *chain)
{
    a->known = true;
    chain_end(chain);
}

static void one(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct release_authors *a = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "asking who wrote it");
        return;
    }
    add_commit(a, reply->tree);
    end(a, chain);
}

static void compared(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct release_authors *a = self;
    if (!reply->ok && reply->fault && reply->fault->status == 404) { // history was rewritten
        a->partial = true;
        ask(a, chain, github_path(a->github, &a->row, "/commits/" STR_FMT, STR_ARG(a->to)), one);
        return;
    }
    if (!reply->ok) {
        chain_fail_with(chain, reply, "asking who wrote it");
        return;
    }
    const struct node *commits = node_get(reply->tree, "commits");
    for (const struct node *c = commits ? commits->first : NULL; c; c = c->next)
        add_commit(a, c);
    if (!reply->next.len) {
        end(a, chain);
    } else if (++a->pages > PAGES) {
        a->partial = true;
        end(a, chain);
    } else {
        ask(a, chain, arena_str(&a->row, reply->next), compared);
    }
}

static bool begin(struct mirror_part *part, struct chain *chain, int64_t now_ms, int64_t *wake_ms)
{
    struct release_authors *a = of(part);
    (void)now_ms;
    (void)wake_ms;
    if (a->known)
        return false;
    arena_done(&a->row);
    a->pages = 1;
    if (a->from.len)
        ask(a, chain,
            github_path(a->github, &a->row, "/compare/" STR_FMT "..." STR_FMT "?per_page=%d",
                        STR_ARG(a->from), STR_ARG(a->to), LISTED),
            compared);
    else
        ask(a, chain, github_path(a->github, &a->row, "/commits/" STR_FMT, STR_ARG(a->to)), one);
    return true;
}

static void failed(struct mirror_part *part)
{
    (void)part; // it is asked again from the beginning; who was found stays found
}

void release_authors_open(struct release_authors *a)
{
    a->part = (struct mirror_part){.what = "who wrote it", .begin = begin, .failed = failed};
}

void release_authors_close(struct release_authors *a)
{
    arena_done(&a->arena);
    arena_done(&a->row);
}
