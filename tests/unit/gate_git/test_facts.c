#include "world.h"

#include "../expect.h"
#include "gate/git/facts.h"

#include <sys/wait.h>

TestSuite(facts, .init = world_init, .fini = world_done);

Test(facts, a_commit_says_who_and_when)
{
    struct commit_facts facts;
    struct error err = {0};
    const char *one = world_commit(FILES({"a", "1\n"}), NULL, NULL, true);
    const char *two = world_commit(FILES({"a", "2\n"}), one, NULL, true);
    cr_assert(repository_commit_facts(&arena, repository, two, &facts, &err), "%s", err.message);
    expect_str(facts.author.name, "A");
    expect_str(facts.committer.email, "a@example.org");
    cr_expect_eq(facts.author.at_ms, INT64_C(1800000000000));
    expect_str(facts.summary, "m");
    cr_expect_eq(facts.parents, 1);
    cr_assert(repository_commit_facts(&arena, repository, one, &facts, &err));
    cr_expect_eq(facts.parents, 0);
}

Test(facts, what_is_no_commit_is_refused)
{
    struct commit_facts facts;
    struct error err = {0};
    cr_expect_not(repository_commit_facts(&arena, repository, "nonsense", &facts, &err));
    cr_expect_eq(err.kind, ERROR_INPUT);
    cr_expect_not(repository_commit_facts(
        &arena, repository, "0123456789012345678901234567890123456789", &facts, &err));
    cr_expect_eq(err.kind, ERROR_ABSENT);
}

Test(facts, branch_before_and_after_a_commit_and_detached)
{
    str branch;
    struct error err = {0};
    cr_assert(repository_branch(&arena, repository, &branch, &err), "%s", err.message);
    cr_expect_gt(branch.len, 0);
    const char *one = world_commit(FILES({"a", "1\n"}), NULL, NULL, true);
    cr_assert(repository_branch(&arena, repository, &branch, &err));
    expect_str(branch, "main");
    git_oid id;
    cr_assert_eq(git_oid_fromstr(&id, one), 0);
    cr_assert_eq(git_repository_set_head_detached(made, &id), 0);
    cr_assert(repository_branch(&arena, repository, &branch, &err));
    cr_expect_eq(branch.len, 0);
}

Test(facts, the_default_branch_is_origins_head_or_a_usual_name)
{
    str branch = STR("unset");
    struct error err = {0};
    git_reference *ref;
    git_oid id;
    cr_assert(repository_default_branch(&arena, repository, &branch, &err), "%s", err.message);
    cr_expect_eq(branch.len, 0, "nothing is committed yet");
    cr_assert_eq(git_oid_fromstr(&id, world_commit(FILES({"a", "1\n"}), NULL, NULL, true)), 0);
    cr_assert(repository_default_branch(&arena, repository, &branch, &err));
    expect_str(branch, "main");
    cr_assert_eq(git_reference_create(&ref, made, "refs/heads/master", &id, 1, "t"), 0);
    git_reference_free(ref);
    cr_assert(repository_default_branch(&arena, repository, &branch, &err));
    expect_str(branch, "main");
    cr_assert_eq(git_reference_symbolic_create(&ref, made, "refs/remotes/origin/HEAD",
                                               "refs/remotes/origin/trunk/2", 1, "t"),
                 0);
    git_reference_free(ref);
    cr_assert(repository_default_branch(&arena, repository, &branch, &err));
    expect_str(branch, "trunk/2");
}

Test(facts, a_remote_is_said_without_its_password)
{
    static const struct {
        const char *url, *want;
    } rows[] = {
        {"https://x-access-token:s3cret@example.org/a/b.git", "https://example.org/a/b.git"},
        {"https://example.org/a@b.git", "https://example.org/a@b.git"},
        {"http://u@h@example.org:80/x", "http://example.org:80/x"},
        {"git@example.org:a/b.git", "git@example.org:a/b.git"},
        {"ssh://git@example.org/a", "ssh://git@example.org/a"},
        {"/srv/git/a.git", "/srv/git/a.git"},
    };
    struct error err = {0};
    str url = STR("unset");
    cr_assert(repository_remote_url(&arena, repository, "origin", &url, &err));
    cr_expect_eq(url.len, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        git_remote *remote;
        char name[16];
        (void)snprintf(name, sizeof name, "r%zu", i);
        cr_assert_eq(git_remote_create(&remote, made, name, rows[i].url), 0);
        git_remote_free(remote);
        cr_assert(repository_remote_url(&arena, repository, name, &url, &err), "%s", err.message);
        expect_str(url, rows[i].want);
    }
}

static void run(const char *command)
{
    int status = system(command);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", command);
}

// As the git command makes them, and as a runner checks them out.
Test(facts, a_worktree_and_a_shallow_clone_of_the_git_command)
{
    char command[1024];
    char hex[COMMIT_HEX], other[COMMIT_HEX];
    bool has;
    struct repository *shallow, *tree;
    struct error err = {0};
    str branch;
    const char *one = world_commit(FILES({"a", "1\n"}), NULL, NULL, true);
    const char *two = world_commit(FILES({"a", "2\n"}), one, NULL, true);
    (void)snprintf(command, sizeof command,
                   "cd %s && git reset -q --hard && git clone -q --depth 1 file://%s %s/shallow && "
                   "git worktree add -q -b side %s/tree %s",
                   folder, folder, folder, folder, one);
    run(command);

    (void)snprintf(command, sizeof command, "%s/shallow", folder);
    cr_assert(repository_open(command, &shallow, &err), "%s", err.message);
    cr_expect(repository_is_shallow(shallow));
    cr_assert(repository_resolve(shallow, "HEAD", hex, &err), "%s", err.message);
    cr_expect_str_eq(hex, two);
    cr_expect_not(repository_first_parent(shallow, two, other, &has, &err));
    cr_expect_eq(err.kind, ERROR_ABSENT);
    expect_contains(str_of(err.message), "fetch-depth: 0");
    repository_close(shallow);

    (void)snprintf(command, sizeof command, "%s/tree", folder);
    cr_assert(repository_open(command, &tree, &err), "%s", err.message);
    cr_assert(repository_resolve(tree, "HEAD", hex, &err));
    cr_expect_str_eq(hex, one);
    cr_assert(repository_branch(&arena, tree, &branch, &err));
    expect_str(branch, "side");
    repository_close(tree);
}
