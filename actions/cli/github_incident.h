// An issue on GitHub for each incident that a way back has opened: what happened and when, what to
// look into, whose it is, until when it is to be taken, over and reviewed. People close it; once
// one has, and its review is not written, the issue asks for that.
#ifndef ACTIONS_CLI_GITHUB_INCIDENT_H
#define ACTIONS_CLI_GITHUB_INCIDENT_H

#include "actions/cli/deployment.h"

// Of all that were opened within the last weeks: opens the issues that are missing, and asks for
// the reviews of those that were closed. For at most `limit_ms`; what is left then is done by
// whoever comes next. Does nothing unless `github.incidents` of the configuration says so. Never
// fails.
void github_incidents(struct deployment *d, int64_t limit_ms);

#endif
