// What people say in the issue of a rollout that is over: `/rollback` takes back what it brought
// out, as long as that is what runs; `/status` is answered, and every other word with the reason
// why it does nothing any more. Only the comment that woke this process can start a rollback: what
// was said earlier and heard by nobody is to be said again.
//
//     int code = closed_issue_hear(&d, "https://github.com/acme/learn/issues/7#issuecomment-12");
#ifndef ACTIONS_CLI_CLOSED_ISSUE_H
#define ACTIONS_CLI_CLOSED_ISSUE_H

#include "actions/cli/deployment.h"

// The exit code, with call->error: that of the rollback, where one was asked for. 0 also where the
// comment is in no rollout's issue, or the rollout is not over: whoever drives it hears it.
int closed_issue_hear(struct deployment *d, const char *comment_url);

#endif
