#include "world.h"

#include "../expect.h"
#include "gate/git/authors.h"

TestSuite(authors, .init = world_init, .fini = world_done);

// A commit on top of `parent` by that person.
static const char *commit_by(const char *name, const char *email, const char *message,
                             const char *parent)
{
    const char *plain = world_commit(FILES({"a", email}), parent, NULL, false);
    git_commit *commit = NULL, *over = NULL;
    git_tree *tree = NULL;
    git_signature *who = NULL, *machine = NULL;
    git_oid id, made_id;
    cr_assert_eq(git_oid_fromstr(&id, plain), 0);
    cr_assert_eq(git_commit_lookup(&commit, made, &id), 0);
    cr_assert_eq(git_commit_tree(&tree, commit), 0);
    cr_assert_eq(git_signature_new(&who, name, email, 1800000000, 0), 0);
    cr_assert_eq(git_signature_new(&machine, "forge", "noreply@forge.example", 1800000000, 0), 0);
    const git_commit *parents[1] = {NULL};
    if (parent) {
        cr_assert_eq(git_oid_fromstr(&id, parent), 0);
        cr_assert_eq(git_commit_lookup(&over, made, &id), 0);
        parents[0] = over;
    }
    cr_assert_eq(git_commit_create(&made_id, made, NULL, who, machine, NULL, message, tree,
                                   parent ? 1 : 0, parents),
                 0);
    git_signature_free(who);
    git_signature_free(machine);
    git_tree_free(tree);
    git_commit_free(commit);
    git_commit_free(over);
    char *hex = arena_alloc(&arena, GIT_OID_HEXSZ + 1);
    git_oid_tostr(hex, GIT_OID_HEXSZ + 1, &made_id);
    return hex;
}

static bool has(const struct authors *authors, const char *name, const char *email)
{
    for (size_t i = 0; i < authors->count; i++)
        if (str_is(authors->items[i].name, name) && str_is(authors->items[i].email, email))
            return true;
    return false;
}

Test(authors, of_the_change_alone_with_co_authors_each_once)
{
    struct authors authors;
    struct error err = {0};
    const char *base = commit_by("Old", "old@example.org", "m", NULL);
    const char *one =
        commit_by("Ada", "ada@example.org", "m\n\nCo-authored-by: Bob B <bob@example.org>\n", base);
    const char *two =
        commit_by("Ada", "ada@example.org", "m\n\nco-Authored-By:Cy<cy@example.org>\n", one);
    cr_assert(authors_between(&arena, repository, base, two, &authors, &err), "%s", err.message);
    cr_expect(authors.all);
    cr_expect_eq(authors.count, 4);
    cr_expect(has(&authors, "Ada", "ada@example.org"));
    cr_expect(has(&authors, "forge", "noreply@forge.example"));
    cr_expect(has(&authors, "Bob B", "bob@example.org"));
    cr_expect(has(&authors, "Cy", "cy@example.org"));
    cr_assert(authors_between(&arena, repository, NULL, two, &authors, &err));
    cr_expect(has(&authors, "Old", "old@example.org"));
}

Test(authors, a_commit_that_is_not_here_is_refused)
{
    struct authors authors;
    struct error err = {0};
    cr_expect_not(authors_between(&arena, repository, NULL, "nonsense", &authors, &err));
    cr_expect_eq(err.kind, ERROR_INPUT);
    cr_expect_not(authors_between(&arena, repository, NULL,
                                  "0123456789012345678901234567890123456789", &authors, &err));
    cr_expect_eq(err.kind, ERROR_ABSENT);
}
