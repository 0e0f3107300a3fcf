#include "actions/github/mirror_part.h"

#include "gate/base/text.h"

bool mirror_is_own(const struct github_client *github, const struct node *user)
{
    const char *own = github_login_of(github);
    return own && str_cmp_any_case(node_text(user, "login"), str_of(own)) == 0;
}

bool mirror_knows_itself(struct github_client *github, struct chain *chain, chain_next then)
{
    if (github_login_of(github) || github_is_app(github))
        return true;
    chain_github(chain, github,
                 &(struct github_request){.method = "POST",
                                          .path = STR(GITHUB_GRAPHQL),
                                          .body = STR(GITHUB_VIEWER),
                                          .needs = "metadata: read"},
                 then);
    return false;
}

bool mirror_learns(struct github_client *github, struct chain *chain,
                   const struct chain_reply *reply)
{
    if (!reply->ok && reply->error->kind == ERROR_TRANSIENT) {
        chain_fail_with(chain, reply, "asking whose token this is");
        return false;
    }
    const struct node *viewer =
        reply->ok ? node_get(node_get(reply->tree, "data"), "viewer") : NULL;
    if (github_learn_login(github, node_text(viewer, "login")))
        return true;
    chain_fail(chain, ERROR_INPUT,
               "whose token this is is not known, so that what it wrote before is not found "
               "again: set SLUICE_GITHUB_LOGIN to its login");
    return false;
}

// Two dashes in a row would end the comment in some renderings.
str mirror_marker(struct arena *arena, str rollout, const char *what)
{
    struct text words = text_of(1024);
    text_addf(&words, "<!-- sluice:" STR_FMT "%s%s", STR_ARG(rollout), *what ? ":" : "", what);
    str made = arena_str(arena, text_str(&words));
    char *bytes = arena_alloc(arena, made.len + 1);
    for (size_t i = 0; i < made.len; i++) {
        bool second = i > 4 && made.data[i] == '-' && made.data[i - 1] == '-';
        bytes[i] = made.data[i];
        if (second)
            bytes[i] = '~';
    }
    text_done(&words);
    return arena_format(arena, "%s -->", bytes);
}
