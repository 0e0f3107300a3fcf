// Every command that is built.
#ifndef ACTIONS_CLI_COMMANDS_H
#define ACTIONS_CLI_COMMANDS_H

#include "actions/cli/command.h"

extern const struct command command_init;
extern const struct command command_gate;
extern const struct command command_explain;
extern const struct command command_read;
extern const struct command command_check;
extern const struct command command_plan;
extern const struct command command_rollout;
extern const struct command command_adopt;
extern const struct command command_hold;
extern const struct command command_promote;
extern const struct command command_abort;
extern const struct command command_resume;
extern const struct command command_watch;
extern const struct command command_rollback;
extern const struct command command_approve;
extern const struct command command_deny;
extern const struct command command_status;
extern const struct command command_log;
extern const struct command command_show;
extern const struct command command_verify;
extern const struct command command_replay;
extern const struct command command_risk, command_doctor, command_comment;

#endif
