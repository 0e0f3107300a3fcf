// Command lines from tables: each command lists its options, and parsing, `--help` and the
// suggestion for a misspelt name come out of that list.
//
//     static const struct option gate_options[] = {
//         {.name = "base", .argument = "REV", .help = "What the change is measured against."},
//         {0}};
//     if (!options_parse(&arena, words, count, gate_options, &options, err)) ...
//     const char *base = option_text(&options, "base"); // null when it was not given
#ifndef ACTIONS_CLI_OPTIONS_H
#define ACTIONS_CLI_OPTIONS_H

#include "gate/base/arena.h"
#include "gate/base/error.h"
#include "gate/base/text.h"

struct option {
    const char *name;           // without the dashes; null ends a table
    char letter;                // "-C"; 0 = none
    const char *argument;       // what it takes, "FILE"; null = it is a switch
    const char *const *choices; // the only values; null = any
    bool repeats;               // may be given several times
    const char *help;           // one line
};

struct option_value {
    const struct option *option;
    const char *text; // of a switch: ""
};

struct options {
    struct option_value *values; // in the order of the command line
    size_t count, room;
    const char **operands; // words that are no options
    size_t operand_count, operand_room;
};

extern const struct option common_options[]; // every command takes these

// Reads `count` words (without the program's and the command's name). "--name value",
// "--name=value",
// "-C value", "-Cvalue"; "--" ends the options. ERROR_INPUT for an unknown option (with the nearest
// name), a missing or superfluous argument, a value outside the choices, an option given twice.
bool options_parse(struct arena *arena, char **words, size_t count, const struct option *own,
                   struct options *ret, struct error *err);

// Does this word, an option of the table, take the next word as its argument?
bool options_takes_next(const struct option *table, const char *word);

const char *option_text(const struct options *options, const char *name); // last one; null = absent
bool option_given(const struct options *options, const char *name);

// The help lines of a table, aligned.
void options_help(const struct option *table, struct text *out);

#endif
