#include "actions/github/mirror_part.h"

#include "gate/base/text.h"

bool mirror_is_own(const struct github_client *github, const struct node *user)
{
    str kind = node_text(user, "type");
    return github_is_robot(github) ? str_is(kind, "Bot") : str_is(kind, "User");
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
