#include "gate/git/facts.h"

#include "gate/git/handle.h"

#include <git2.h>

static void drop_commit(git_commit **commit)
{
    git_commit_free(*commit);
}

static void drop_reference(git_reference **reference)
{
    git_reference_free(*reference);
}

static void drop_remote(git_remote **remote)
{
    git_remote_free(*remote);
}

static struct commit_person person(struct arena *arena, const git_signature *signature)
{
    struct commit_person person = {.at_ms = (int64_t)signature->when.time * 1000};
    person.name = arena_str(arena, str_of(signature->name));
    person.email = arena_str(arena, str_of(signature->email));
    return person;
}

bool repository_commit_facts(struct arena *arena, struct repository *repository, const char *commit,
                             struct commit_facts *ret, struct error *err)
{
    git_commit *found __attribute__((cleanup(drop_commit))) = NULL;
    git_oid id;
    if (git_oid_fromstr(&id, commit) != 0)
        return error_set(err, ERROR_INPUT, "`%s` is not a commit", commit);
    int code = git_commit_lookup(&found, repository_handle(repository), &id);
    if (code == GIT_ENOTFOUND)
        return error_set(err, ERROR_ABSENT, "commit %.10s is not in this clone", commit);
    if (code != 0)
        return repository_failed(err, "reading a commit");
    const char *summary = git_commit_summary(found);
    ret->author = person(arena, git_commit_author(found));
    ret->committer = person(arena, git_commit_committer(found));
    ret->summary = arena_str(arena, str_of(summary));
    ret->parents = git_commit_parentcount(found);
    return true;
}

bool repository_branch(struct arena *arena, struct repository *repository, str *ret,
                       struct error *err)
{
    git_reference *head __attribute__((cleanup(drop_reference))) = NULL;
    if (git_reference_lookup(&head, repository_handle(repository), "HEAD") != 0)
        return repository_failed(err, "reading HEAD");
    str target = str_of(git_reference_symbolic_target(head));
    bool on_branch = str_starts(target, STR("refs/heads/"));
    *ret = on_branch ? arena_str(arena, str_from(target, strlen("refs/heads/"))) : (str){NULL, 0};
    return true;
}

// "https://user:password@host/path" -> "https://host/path". The user of ssh is no secret.
static str without_login(struct arena *arena, str url)
{
    size_t scheme = str_search(url, STR("://"));
    if (scheme == STR_NONE || str_starts(url, STR("ssh://")))
        return arena_str(arena, url);
    str rest = str_from(url, scheme + 3);
    str host = str_first(rest, str_find(rest, '/'));
    size_t at = str_find_last(host, '@');
    if (at == STR_NONE)
        return arena_str(arena, url);
    return arena_format(arena, STR_FMT STR_FMT, STR_ARG(str_first(url, scheme + 3)),
                        STR_ARG(str_from(rest, at + 1)));
}

bool repository_remote_url(struct arena *arena, struct repository *repository, const char *remote,
                           str *ret, struct error *err)
{
    git_remote *found __attribute__((cleanup(drop_remote))) = NULL;
    int code = git_remote_lookup(&found, repository_handle(repository), remote);
    if (code == GIT_ENOTFOUND || code == GIT_EINVALIDSPEC) {
        *ret = (str){NULL, 0};
        return true;
    }
    if (code != 0)
        return repository_failed(err, "reading a remote");
    *ret = without_login(arena, str_of(git_remote_url(found)));
    return true;
}

bool repository_default_branch(struct arena *arena, struct repository *repository, str *ret,
                               struct error *err)
{
    static const char *const usual[] = {"main", "master"};
    git_reference *head __attribute__((cleanup(drop_reference))) = NULL;
    struct git_repository *git = repository_handle(repository);
    str prefix = STR("refs/remotes/origin/"), found = {NULL, 0};
    int code = git_reference_lookup(&head, git, "refs/remotes/origin/HEAD");
    if (code != 0 && code != GIT_ENOTFOUND)
        return repository_failed(err, "reading the default branch");
    str target = code == 0 ? str_of(git_reference_symbolic_target(head)) : (str){NULL, 0};
    if (str_starts(target, prefix))
        found = str_from(target, prefix.len);
    for (size_t i = 0; found.len == 0 && i < sizeof usual / sizeof *usual; i++) {
        git_oid id;
        const char *name = arena_format(arena, "refs/heads/%s", usual[i]).data;
        if (git_reference_name_to_id(&id, git, name) == 0)
            found = str_of(usual[i]);
    }
    *ret = arena_str(arena, found);
    return true;
}
