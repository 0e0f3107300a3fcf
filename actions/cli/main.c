#include "actions/cli/command.h"
#include "actions/cli/versions.h"
#include "actions/report/escape.h"
#include "gate/base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static bool write_all(FILE *file, str s)
{
    return fwrite(s.data, 1, s.len, file) == s.len && fflush(file) == 0;
}

static int print_text(struct text *text)
{
    bool ok = write_all(stdout, text_str(text));
    text_done(text);
    return ok ? 0 : 3;
}

// "##[" anywhere in a line starts a workflow command of the runner's first version. In JSON the
// second '#' can be written as an escape without changing the document.
static void add_json_for_runner(str s, struct text *out)
{
    size_t at;
    while ((at = str_search(s, STR("##["))) != STR_NONE) {
        text_add(out, str_first(s, at));
        text_adds(out, "#\\u0023[");
        s = str_from(s, at + 3);
    }
    text_add(out, s);
}

bool command_print(struct invocation *call, str s)
{
    struct text text = text_of((size_t)2 * LIMIT_DECISION_BYTES);
    str out = s;
    if (call->runner.is_actions && call->format == FORMAT_JSON) {
        add_json_for_runner(s, &text);
        out = text_str(&text);
    } else if (call->runner.is_actions) {
        runner_stop_commands(&call->runner, &text);
        text_add(&text, s);
        if (s.len && s.data[s.len - 1] != '\n')
            text_addc(&text, '\n');
        runner_resume_commands(&call->runner, &text);
        out = text_str(&text);
    }
    bool ok = !text_full(&text) && write_all(stdout, out);
    text_done(&text);
    return ok || error_set(&call->error, ERROR_SYSTEM, "standard output cannot be written");
}

bool command_print_raw(struct invocation *call, str out)
{
    return write_all(stdout, out) ||
           error_set(&call->error, ERROR_SYSTEM, "standard output cannot be written");
}

int command_failed(struct invocation *call)
{
    return error_exit_code(call->error.kind);
}

// ---- help ------------------------------------------------------------------------------------
static void program_help(struct text *out)
{
    text_adds(out, "sluice decides whether a release may go, lets it through in steps, takes it "
                   "back by itself,\nand writes down what happened.\n\n"
                   "Usage: sluice COMMAND [OPTION…]\n\nCommands:\n");
    for (size_t i = 0; commands[i]; i++)
        text_addf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    text_adds(out, "\nOptions of every command:\n");
    options_help(common_options, out);
    text_adds(out, "      --version              Print the versions of sluice and of its "
                   "libraries.\n\n`sluice COMMAND --help` says more. Exit codes: 0 it may go; 1 "
                   "the answer is no; 2 the input\nis wrong; 3 it could not be carried out now.\n");
}

void command_help(const struct command *command, struct text *out)
{
    if (!command) {
        program_help(out);
        return;
    }
    text_addf(out, "Usage: sluice %s [OPTION…]%s%s\n\n%s\n\nOptions:\n", command->name,
              *command->operands ? " " : "", command->operands, command->description);
    if (command->options)
        options_help(command->options, out);
    options_help(common_options, out);
}

// ---- one run ---------------------------------------------------------------------------------
static bool read_format(struct invocation *call)
{
    static const char *const names[] = {"text", "json", "markdown", "html"};
    const char *word = option_text(&call->options, "format");
    for (int i = 0; word && i < 4; i++)
        if (strcmp(word, names[i]) == 0)
            call->format = (enum output_format)i;
    if (call->command->formats & (1U << call->format))
        return true;
    return error_set(&call->error, ERROR_INPUT, "`sluice %s` has no --format %s",
                     call->command->name, word ? word : "text");
}

static bool wants_color(const struct options *options)
{
    const char *when = option_text(options, "color");
    if (when && strcmp(when, "auto") != 0)
        return strcmp(when, "always") == 0;
    const char *off = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(off && *off) && terminal && strcmp(terminal, "dumb") != 0;
}

static bool check_operands(struct invocation *call)
{
    const struct command *command = call->command;
    if (call->options.operand_count > command->operands_max)
        return error_set(&call->error, ERROR_INPUT, "`%s` is one word too many for `sluice %s`",
                         call->options.operands[command->operands_max], command->name);
    if (call->options.operand_count < command->operands_min)
        return error_set(&call->error, ERROR_INPUT, "`sluice %s` needs %s: see `sluice %s --help`",
                         command->name, command->operands, command->name);
    return true;
}

static bool make_token(char token[RUNNER_TOKEN], struct error *err)
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return error_errno(err, "reading", "random bytes");
    for (size_t i = 0; i < sizeof bytes; i++)
        (void)snprintf(token + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

static bool prepare(struct invocation *call)
{
    char token[RUNNER_TOKEN];
    struct timespec now;
    const char *directory = option_text(&call->options, "directory");
    if (!check_operands(call) || !read_format(call) || !make_token(token, &call->error))
        return false;
    if (!runner_read(call->arena, runner_environment, NULL, token, &call->runner, &call->error))
        return false;
    if (directory && chdir(directory) != 0)
        return error_errno(&call->error, "going to", directory);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    call->now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    call->config_path = option_text(&call->options, "config");
    call->color = wants_color(&call->options);
    call->quiet = option_given(&call->options, "quiet");
    call->verbose = option_given(&call->options, "verbose") || call->runner.debug;
    return true;
}

// What failed, said once. On a runner it is an annotation too, so that it is seen without the log.
static void say_error(const struct invocation *call)
{
    char line[1024];
    (void)error_text(&call->error, line, sizeof line);
    if (call->runner.is_actions) {
        struct annotation one = {ANNOTATION_ERROR,    str_of(call->error.at.file),
                                 call->error.at.line, 0,
                                 STR("sluice"),       str_of(call->error.message)};
        struct text text = text_of(8192);
        runner_annotations(&one, 1, &text);
        (void)write_all(stdout, text_str(&text));
        text_done(&text);
    }
    struct text shown = text_of(8192); // names of files are in it, and the runner reads this too
    terminal_escape(str_of(line), &shown);
    (void)fprintf(stderr, "sluice: %s\n", text_c(&shown));
    text_done(&shown);
}

static int run(struct invocation *call, char **words, size_t count)
{
    int status = 2;
    if (options_parse(call->arena, words, count, call->command->options, &call->options,
                      &call->error)) {
        if (option_given(&call->options, "help")) {
            struct text help = text_of(16384);
            command_help(call->command, &help);
            return print_text(&help);
        }
        if (prepare(call))
            status = call->command->run(call);
        else
            status = command_failed(call);
    }
    if (call->error.kind != ERROR_NONE)
        say_error(call);
    return status;
}

// ---- finding the command -----------------------------------------------------------------------
static int refuse(const char *name)
{
    const char *best = NULL;
    size_t distance = 3;
    for (size_t i = 0; commands_later[i]; i++)
        if (strcmp(commands_later[i], name) == 0) {
            (void)fprintf(stderr, "sluice: the command `%s` is not built yet\n", name);
            return 2;
        }
    for (size_t i = 0; commands[i]; i++) {
        size_t d = str_distance(str_of(name), str_of(commands[i]->name));
        if (d < distance) {
            distance = d;
            best = commands[i]->name;
        }
    }
    if (best)
        (void)fprintf(stderr, "sluice: there is no command `%s`: did you mean `%s`?\n", name, best);
    else
        (void)fprintf(stderr, "sluice: there is no command `%s`; `sluice --help` lists them\n",
                      name);
    return 2;
}

// Where the command's name stands: common options may come before it, as in `sluice -C dir gate`.
static int command_at(int argc, char **argv)
{
    int at = 1;
    while (at < argc && argv[at][0] == '-' && argv[at][1])
        at += options_takes_next(common_options, argv[at]) ? 2 : 1;
    return at;
}

static int run_command(int argc, char **argv, int at)
{
    const struct command *command = command_find(argv[at]);
    if (!command)
        return refuse(argv[at]);
    struct arena arena = {0};
    struct invocation call = {.command = command, .arena = &arena};
    size_t count = 0;
    char **words = ARENA_ARRAY(&arena, char *, (size_t)argc);
    for (int i = 1; i < argc; i++)
        if (i != at)
            words[count++] = argv[i];
    int status = run(&call, words, count);
    arena_done(&arena);
    return status;
}

static bool is_word(const char *word, const char *one, const char *other)
{
    return strcmp(word, one) == 0 || strcmp(word, other) == 0;
}

int sluice_main(int argc, char **argv)
{
    struct text text = text_of(16384);
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        versions_text(&text);
        return print_text(&text);
    }
    if (argc == 2 && (is_word(argv[1], "--help", "-h") || strcmp(argv[1], "help") == 0)) {
        command_help(NULL, &text);
        return print_text(&text);
    }
    int at = command_at(argc, argv);
    if (at < argc)
        return run_command(argc, argv, at);
    if (argc > 1)
        (void)fprintf(stderr, "sluice: no command is given\n\n");
    command_help(NULL, &text);
    (void)write_all(stderr, text_str(&text));
    text_done(&text);
    return 2;
}
