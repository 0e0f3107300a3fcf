#include "actions/github/comment_command.h"

static const char *const names[] = {
    [COMMENT_APPROVE] = "approve", [COMMENT_DENY] = "deny",       [COMMENT_WITHDRAW] = "withdraw",
    [COMMENT_HOLD] = "hold",       [COMMENT_PROMOTE] = "promote", [COMMENT_ROLLBACK] = "rollback",
    [COMMENT_STATUS] = "status",
};

const char *comment_word_name(enum comment_word word)
{
    return names[word];
}

bool comment_command_read(str body, struct comment_command *ret)
{
    str rest = str_trim(body);
    str line = str_trim(str_cut(&rest, '\n'));
    if (!str_starts(line, STR("/")))
        return false;
    line = str_from(line, 1);
    size_t end = 0;
    while (end < line.len && line.data[end] != ' ' && line.data[end] != '\t')
        end++;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_cmp_any_case(str_first(line, end), str_of(names[i])) == 0) {
            *ret = (struct comment_command){(enum comment_word)i, str_trim(str_from(line, end))};
            return true;
        }
    return false;
}
