#include "actions/github/release_authors.h"

#include "deploy/cloud/url_parts.h"

enum { PAGES = 20, LISTED = 100, ADDRESS_MOST = 254 };

static const char needs[] = "contents: read";

static struct release_authors *of(struct mirror_part *part)
{
    return (struct release_authors *)(void *)part;
}

// Logins, addresses and commits are the same in any case.
static bool holds(const str *list, size_t count, str wanted)
{
    for (size_t i = 0; i < count; i++)
        if (str_cmp_any_case(list[i], wanted) == 0)
            return true;
    return false;
}

static void add(struct release_authors *a, str login)
{
    if (!login.len || str_is(login, "web-flow")) // GitHub itself
        return;
    if (holds(a->logins, a->count, login))
        return;
    if (a->count < RELEASE_AUTHORS)
        a->logins[a->count++] = arena_str(&a->arena, login);
    else
        a->partial = true;
}

static void add_address(struct release_authors *a, str address)
{
    if (!address.len || address.len > ADDRESS_MOST ||
        holds(a->addresses, a->address_count, address))
        return;
    if (a->address_count < RELEASE_ADDRESSES)
        a->addresses[a->address_count++] = arena_str(&a->row, address);
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
        address = str_cut(&address, '>');
        str host = address, login = str_cut(&host, '@');
        if (!str_starts(host, STR("users.noreply."))) {
            add_address(a, address);
            continue;
        }
        size_t plus = str_find(login, '+');
        add(a, plus == STR_NONE ? login : str_from(login, plus + 1));
    }
}

static void add_commit(struct release_authors *a, const struct node *commit)
{
    add(a, node_text(node_get(commit, "author"), "login"));
    add(a, node_text(node_get(commit, "committer"), "login"));
    release_authors_trailers(a, node_text(node_get(commit, "commit"), "message"));
    if (a->commit_count >= RELEASE_COMMITS) {
        a->partial = true;
        return;
    }
    if (a->commit_count == a->commit_room)
        a->commits =
            arena_grow(&a->row, a->commits, a->commit_count, &a->commit_room, sizeof *a->commits);
    a->commits[a->commit_count++] = arena_str(&a->row, node_text(commit, "sha"));
}

static void ask(struct release_authors *a, struct chain *chain, str path, chain_next next)
{
    chain_github(chain, a->github, &(struct github_request){.path = path, .needs = needs}, next);
}

// ---- who pushed it ------------------------------------------------------------------------------

// A push that begins inside of it, or at what runs now, and goes on past it. One that begins at its
// last commit came later.
static bool passes(const struct release_authors *a, str before, str after)
{
    bool inside = holds(a->commits, a->commit_count, before) && !str_eq(before, a->to);
    return (inside || (a->from.len && str_eq(before, a->from))) &&
           !holds(a->commits, a->commit_count, after);
}

// A push that brought some of it.
static bool is_of_it(const struct release_authors *a, const struct node *activity)
{
    str before = node_text(activity, "before"), after = node_text(activity, "after");
    return holds(a->commits, a->commit_count, after) || passes(a, before, after);
}

static bool is_push(const struct node *activity)
{
    str type = node_text(activity, "activity_type");
    return str_is(type, "push") || str_is(type, "force_push") || str_is(type, "branch_creation");
}

// True: what came before this is known. Only the branch that the release went in by tells, so that
// nobody hides a push by moving some other branch; one that was only made at its commit is another.
static bool is_beginning(struct release_authors *a, const struct node *activity)
{
    str ref = node_text(activity, "ref"), before = node_text(activity, "before"),
        after = node_text(activity, "after");
    bool made = str_is(node_text(activity, "activity_type"), "branch_creation");
    if (!a->branch.len && !made && (str_eq(after, a->to) || passes(a, before, after)))
        a->branch = arena_str(&a->row, ref);
    if (!a->branch.len || !str_eq(ref, a->branch))
        return false;
    return a->from.len ? str_eq(after, a->from) || str_eq(before, a->from) : true;
}

static void pushed(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct release_authors *a = self;
    bool is_over = false;
    if (!reply->ok && reply->fault && reply->fault->status == 404) { // an old Enterprise Server
        a->partial = a->known = true;
        chain_end(chain);
        return;
    }
    if (!reply->ok) {
        chain_fail_with(chain, reply, "asking who pushed it");
        return;
    }
    const struct node *one =
        reply->tree && reply->tree->kind == NODE_LIST ? reply->tree->first : NULL;
    for (; one && !is_over; one = one->next) {
        if (is_push(one) && is_of_it(a, one))
            add(a, node_text(node_get(one, "actor"), "login"));
        is_over = is_beginning(a, one);
    }
    if (!is_over && reply->next.len && ++a->pages <= PAGES) {
        ask(a, chain, arena_str(&a->row, reply->next), pushed);
        return;
    }
    a->partial |= !is_over && reply->next.len > 0;
    a->known = true;
    chain_end(chain);
}

static void ask_pushes(struct release_authors *a, struct chain *chain)
{
    a->pages = 1;
    a->branch = (str){NULL, 0};
    ask(a, chain, github_path(a->github, &a->row, "/activity?per_page=%d", LISTED), pushed);
}

// ---- who else wrote it --------------------------------------------------------------------------

static void ask_addresses(struct release_authors *a, struct chain *chain);

// Whoever it is has committed here under that address; of somebody who never did GitHub tells
// nothing.
static void found(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct release_authors *a = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "asking who a co-author is");
        return;
    }
    const struct node *one =
        reply->tree && reply->tree->kind == NODE_LIST ? reply->tree->first : NULL;
    if (one)
        add(a, node_text(node_get(one, "author"), "login"));
    a->address_at++;
    ask_addresses(a, chain);
}

static void ask_addresses(struct release_authors *a, struct chain *chain)
{
    struct text address = text_of(4096);
    if (a->address_at >= a->address_count) {
        ask_pushes(a, chain);
        return;
    }
    url_encode(&address, a->addresses[a->address_at], URL_SEGMENT);
    ask(a, chain,
        github_path(a->github, &a->row, "/commits?author=%s&per_page=1", text_c(&address)), found);
    text_done(&address);
}

// ---- what it is made of -------------------------------------------------------------------------

static void one_commit(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct release_authors *a = self;
    if (!reply->ok) {
        chain_fail_with(chain, reply, "asking who wrote it");
        return;
    }
    add_commit(a, reply->tree);
    ask_addresses(a, chain);
}

static void compared(void *self, struct chain *chain, const struct chain_reply *reply)
{
    struct release_authors *a = self;
    if (!reply->ok && reply->fault && reply->fault->status == 404) { // history was rewritten
        a->partial = true;
        ask(a, chain, github_path(a->github, &a->row, "/commits/" STR_FMT, STR_ARG(a->to)),
            one_commit);
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
        ask_addresses(a, chain);
    } else if (++a->pages > PAGES) {
        a->partial = true;
        ask_addresses(a, chain);
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
    a->commits = NULL;
    a->commit_count = a->commit_room = a->address_count = a->address_at = 0;
    a->pages = 1;
    if (a->from.len)
        ask(a, chain,
            github_path(a->github, &a->row, "/compare/" STR_FMT "..." STR_FMT "?per_page=%d",
                        STR_ARG(a->from), STR_ARG(a->to), LISTED),
            compared);
    else
        ask(a, chain, github_path(a->github, &a->row, "/commits/" STR_FMT, STR_ARG(a->to)),
            one_commit);
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
