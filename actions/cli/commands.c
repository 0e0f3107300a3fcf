// The list of commands. Adding one: its cmd_*.c, a row in `commands`, and its name out of
// `commands_later`.
#include "actions/cli/commands.h"

const struct command *const commands[] = {
    &command_init,   &command_gate,    &command_explain,  &command_read,    &command_check,
    &command_plan,   &command_rollout, &command_hold,     &command_promote, &command_abort,
    &command_resume, &command_watch,   &command_rollback, &command_adopt,   &command_approve,
    &command_deny,   &command_status,  &command_log,      &command_show,    &command_verify,
    &command_replay, &command_risk,    &command_doctor,   &command_comment, NULL,
};

const char *const commands_later[] = {
    "report", "incident", "import", "drift", NULL,
};

const struct command *command_find(const char *name)
{
    for (size_t i = 0; commands[i]; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}
