// What a person says to sluice in a comment: a word with a slash at its beginning, and whatever
// follows it on that line as the reason. Only the first line counts, so that a quotation or an
// example further down does nothing. A word that is not ours is none: other robots have theirs.
//
//     struct comment_command command;
//     if (comment_command_read(STR("/deny  the migration locks"), &command)) …   // COMMENT_DENY
#ifndef ACTIONS_GITHUB_COMMENT_COMMAND_H
#define ACTIONS_GITHUB_COMMENT_COMMAND_H

#include "gate/base/str.h"

enum comment_word {
    COMMENT_APPROVE,
    COMMENT_DENY,
    COMMENT_WITHDRAW, // one's own approval
    COMMENT_HOLD,
    COMMENT_PROMOTE,
    COMMENT_ROLLBACK,
    COMMENT_STATUS,
};

struct comment_command {
    enum comment_word word;
    str reason; // of the body; may be empty
};

bool comment_command_read(str body, struct comment_command *ret);
const char *comment_word_name(enum comment_word word); // "approve"

#endif
