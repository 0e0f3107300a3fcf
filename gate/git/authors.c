#include "gate/git/authors.h"

#include "gate/git/handle.h"

#include <git2.h>

static void drop_commit(git_commit **commit)
{
    git_commit_free(*commit);
}

static void drop_walk(git_revwalk **walk)
{
    git_revwalk_free(*walk);
}

static void add(struct arena *arena, struct authors *authors, str name, str email)
{
    if (name.len == 0 && email.len == 0)
        return;
    for (size_t i = 0; i < authors->count; i++)
        if (str_eq(authors->items[i].name, name) && str_eq(authors->items[i].email, email))
            return;
    authors->items =
        arena_grow(arena, authors->items, authors->count, &authors->room, sizeof *authors->items);
    authors->items[authors->count++] =
        (struct author){arena_str(arena, name), arena_str(arena, email)};
}

// "Co-authored-by: Ada <ada@example.org>", in any case.
static void add_co_author(struct arena *arena, struct authors *authors, str line)
{
    static const str key = STR_INIT("co-authored-by:");
    if (str_cmp_any_case(str_first(line, key.len), key) != 0)
        return;
    str email = str_from(line, key.len);
    str name = str_trim(str_cut(&email, '<'));
    add(arena, authors, name, str_trim(str_cut(&email, '>')));
}

static void add_commit(struct arena *arena, struct authors *authors, const git_commit *commit)
{
    authors->messages = arena_grow(arena, authors->messages, authors->message_count,
                                   &authors->message_room, sizeof *authors->messages);
    authors->messages[authors->message_count++] =
        arena_str(arena, str_of(git_commit_message(commit)));
    const git_signature *author = git_commit_author(commit);
    const git_signature *committer = git_commit_committer(commit);
    str message = str_of(git_commit_message(commit));
    add(arena, authors, str_of(author->name), str_of(author->email));
    add(arena, authors, str_of(committer->name), str_of(committer->email));
    while (message.len)
        add_co_author(arena, authors, str_trim(str_cut(&message, '\n')));
}

static bool add_one(struct arena *arena, struct repository *repository, const git_oid *id,
                    struct authors *authors)
{
    git_commit *commit __attribute__((cleanup(drop_commit))) = NULL;
    if (git_commit_lookup(&commit, repository_handle(repository), id) != 0)
        return false;
    add_commit(arena, authors, commit);
    return true;
}

// False when the history ends early, as in a shallow clone.
static bool walk_all(struct arena *arena, struct repository *repository, const git_oid *base,
                     const git_oid *head, struct authors *authors)
{
    git_revwalk *walk __attribute__((cleanup(drop_walk))) = NULL;
    git_oid id;
    int code = git_revwalk_new(&walk, repository_handle(repository));
    if (code == 0)
        code = git_revwalk_push(walk, head);
    if (code == 0 && base)
        code = git_revwalk_hide(walk, base);
    for (unsigned n = 0; code == 0; n++) {
        code = git_revwalk_next(&id, walk);
        if (code == 0 && (n >= AUTHORS_COMMITS || !add_one(arena, repository, &id, authors)))
            return false;
    }
    return code == GIT_ITEROVER;
}

bool authors_between(struct arena *arena, struct repository *repository, const char *base,
                     const char *head, struct authors *ret, struct error *err)
{
    struct authors authors = {0};
    git_oid from, to;
    if (git_oid_fromstr(&to, head) != 0 || (base && git_oid_fromstr(&from, base) != 0))
        return error_set(err, ERROR_INPUT, "this is not a commit");
    if (!add_one(arena, repository, &to, &authors))
        return error_set(err, ERROR_ABSENT, "commit %.10s is not in this clone", head);
    authors.message_count = 0; // the walk begins with it again
    authors.all = walk_all(arena, repository, base ? &from : NULL, &to, &authors);
    *ret = authors;
    return true;
}
