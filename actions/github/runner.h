// The runner's side of GitHub Actions: what the environment says (read once, here), and the lines
// and files through which a step speaks: annotations, outputs, the step summary.
//
// Text from reports is not ours. In a workflow command it is escaped; anything else that may hold
// it is printed between stop-commands tokens, so that no line of it is taken for a command.
//
//     struct runner runner;
//     if (!runner_read(&arena, runner_environment, NULL, token, &runner, err)) ...
//     if (runner.is_actions) runner_output(&runner, "decision", STR("pass"), err);
#ifndef ACTIONS_GITHUB_RUNNER_H
#define ACTIONS_GITHUB_RUNNER_H

#include "gate/base/arena.h"
#include "gate/base/error.h"
#include "gate/base/text.h"

#define RUNNER_TOKEN 33 // 32 digits of randomness and NUL

// The run that a `workflow_run` event is about. It may be that of a stranger's branch: what it made
// is not trusted, what GitHub says of it here is.
struct runner_finished {
    const char *head_sha;    // 40 digits
    const char *head_branch; // of head_owner's repository
    const char *head_owner;
    const char *event;   // that had started it: "pull_request"
    const char *run_url; // its page
};

struct runner { // strings are null when the environment does not have them
    bool is_actions;
    bool debug;                 // RUNNER_DEBUG=1
    const char *event_name;     // "pull_request", "push", …
    const char *event_sha;      // GITHUB_SHA: what the workflow was started for
    const char *head_sha;       // of the pull request, else GITHUB_SHA
    const char *base_sha;       // of the pull request; null for other events
    const char *base_ref;       // the branch that the pull request goes to
    const char *head_ref;       // the branch that it comes from
    const char *branch;         // that the workflow runs for; null for a tag or a pull request
    const char *default_branch; // of the repository, as the payload says
    const char *const *labels;  // of the pull request, ends with null; null for other events
    const char *summary_path;   // GITHUB_STEP_SUMMARY
    const char *output_path;    // GITHUB_OUTPUT
    const char *temp_path;      // RUNNER_TEMP
    const char *server_url;     // these three also of a machine of one's own
    const char *api_url;        // GITHUB_API_URL, also of an Enterprise Server
    const char *repository;     // "acme/learn"
    const char *run_url;        // made of the above and GITHUB_RUN_ID
    const char *actor;
    const char *job, *attempt; // GITHUB_JOB, GITHUB_RUN_ATTEMPT
    const char *workflow_ref;  // "acme/learn/.github/workflows/release.yml@refs/heads/main"
    const struct runner_finished *finished; // null for other events
    char token[RUNNER_TOKEN];               // unguessable: delimiters and stop-commands
};

typedef const char *runner_lookup(void *context, const char *name);
runner_lookup runner_environment; // getenv

// Reads the environment and, when it names one, the event's payload. ERROR_INPUT when the payload
// cannot be read: a base that is guessed would be the wrong base.
bool runner_read(struct arena *arena, runner_lookup *lookup, void *context,
                 const char token[RUNNER_TOKEN], struct runner *ret, struct error *err);

enum annotation_level { ANNOTATION_ERROR, ANNOTATION_WARNING, ANNOTATION_NOTICE };

struct annotation {
    enum annotation_level level;
    str path;                // empty = none
    uint32_t line, end_line; // 0 = none
    str title, message;
};

#define RUNNER_ANNOTATIONS 10u // of each level, for one step: the runner drops the rest silently

// The workflow commands for these annotations, at most ten of each level; when there are more, the
// tenth says how many are left.
void runner_annotations(const struct annotation *items, size_t count, struct text *out);

// Escaping of workflow commands: data escapes % \r \n, properties also : and ,
void runner_escape_data(str s, struct text *out);
void runner_escape_property(str s, struct text *out);

// Lines that make the runner take what stands between them as plain text.
void runner_stop_commands(const struct runner *runner, struct text *out);
void runner_resume_commands(const struct runner *runner, struct text *out);

// Appends `name` with its value to the outputs, in heredoc form with a delimiter that the value
// does not contain. Does nothing when there is no output file.
bool runner_output(const struct runner *runner, const char *name, str value, struct error *err);
void runner_output_text(const char *name, str value, const char *token, struct text *out);

// Appends to the step summary. ERROR_LIMIT past the runner's 1 MiB.
bool runner_summary(const struct runner *runner, str markdown, struct error *err);

#endif
