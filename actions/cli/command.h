// A command is one cmd_*.c file and one row in commands.c.
//
//     static int run(struct invocation *call) { … return 0; }
//     const struct command command_gate = {"gate", "", "evidence + policy -> decision", …, run};
//
// A command prints its result to standard output and returns its exit code. On failure it fills
// call->error and returns command_failed(call): main says it once, on standard error.
#ifndef ACTIONS_CLI_COMMAND_H
#define ACTIONS_CLI_COMMAND_H

#include "actions/cli/options.h"
#include "actions/github/runner.h"

enum output_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_MARKDOWN, FORMAT_HTML };

struct command;

struct invocation {
    const struct command *command;
    struct options options;
    struct arena *arena; // lives as long as the run
    struct runner runner;
    enum output_format format;
    const char *config_path; // --config; null = the usual place
    bool color;              // standard output takes colour
    bool quiet, verbose;
    int64_t now_ms; // when the run began
    struct error error;
};

struct command {
    const char *name;
    const char *operands; // "[FINDING]", for the help; "" = none
    size_t operands_min, operands_max;
    const char *summary;          // one line, in the list of commands
    const char *description;      // the help's text
    const struct option *options; // its own; null = none
    unsigned formats;             // bits: 1 << FORMAT_TEXT, …
    int (*run)(struct invocation *call);
};

extern const struct command *const commands[]; // ends with null
extern const char *const commands_later[];     // agreed but not built: refused by name

const struct command *command_find(const char *name);

// The exit code of call->error, which must be set.
int command_failed(struct invocation *call);

// Prints `out` to standard output. On a runner, text that is not JSON goes between stop-commands
// tokens. False (call->error set) when it cannot be written.
bool command_print(struct invocation *call, str out);

// The same without tokens, for workflow commands themselves.
bool command_print_raw(struct invocation *call, str out);

// The help of one command; of the program when `command` is null.
void command_help(const struct command *command, struct text *out);

// The program: returns its exit code.
int sluice_main(int argc, char **argv);

#endif
