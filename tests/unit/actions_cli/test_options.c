#include "actions/cli/options.h"

#include <criterion/criterion.h>

static struct arena arena;

static void done(void)
{
    arena_done(&arena);
}

TestSuite(options, .fini = done);

static const char *const kinds[] = {"a", "b", NULL};
static const struct option table[] = {
    {.name = "base", .argument = "REV", .help = "The base."},
    {.name = "all", .letter = 'a', .help = "All of it."},
    {.name = "kind", .argument = "KIND", .choices = kinds, .help = "a or b."},
    {.name = "with", .letter = 'w', .argument = "X", .repeats = true, .help = "With X."},
    {0},
};

static bool parse(const char *line, struct options *ret, struct error *err)
{
    char **words = ARENA_ARRAY(&arena, char *, 32);
    size_t count = 0;
    str rest = arena_str(&arena, str_of(line));
    while (rest.len) {
        str word = str_cut(&rest, ' ');
        char *copy = arena_alloc(&arena, word.len + 1);
        memcpy(copy, word.data, word.len);
        words[count++] = copy;
    }
    return options_parse(&arena, words, count, table, ret, err);
}

Test(options, every_way_to_write_them)
{
    static const char *const lines[] = {"--base x -a -w 1 --with=2 op1 op2",
                                        "op1 -aw1 op2 -w2 --base=x",
                                        "--all -w 1 -w 2 --base x -- op1 op2"};
    for (size_t i = 0; i < 3; i++) {
        struct options options;
        struct error err = {0};
        cr_assert(parse(lines[i], &options, &err), "%s: %s", lines[i], err.message);
        cr_expect_str_eq(option_text(&options, "base"), "x");
        cr_expect(option_given(&options, "all"));
        cr_expect_not(option_given(&options, "kind"));
        cr_expect_str_eq(option_text(&options, "with"), "2");
        cr_assert_eq(options.operand_count, 2);
        cr_expect_str_eq(options.operands[0], "op1");
        cr_expect_str_eq(options.operands[1], "op2");
    }
}

Test(options, common_options_are_always_there)
{
    struct options options;
    struct error err = {0};
    cr_assert(parse("-C dir --format json -q", &options, &err), "%s", err.message);
    cr_expect_str_eq(option_text(&options, "directory"), "dir");
    cr_expect_str_eq(option_text(&options, "format"), "json");
    cr_expect(option_given(&options, "quiet"));
}

Test(options, after_two_dashes_all_are_operands)
{
    struct options options;
    struct error err = {0};
    cr_assert(parse("-- --base -a", &options, &err));
    cr_expect_eq(options.operand_count, 2);
    cr_expect_eq(options.count, 0);
}

Test(options, what_is_wrong_is_said)
{
    static const struct {
        const char *line, *says;
    } rows[] = {
        {"--bsae x", "did you mean --base"},
        {"--formt json", "did you mean --format"},
        {"--entirely-different", "there is no option --entirely-different"},
        {"-z", "there is no option -z"},
        {"--base", "needs an argument: REV"},
        {"--base=", "empty argument"},
        {"--all=1", "takes no argument"},
        {"--kind c", "one of a, b"},
        {"--base x --base y", "given twice"},
        {"--format xml", "one of text, json, markdown, html"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct options options;
        struct error err = {0};
        cr_assert_not(parse(rows[i].line, &options, &err), "%s", rows[i].line);
        cr_expect_eq(err.kind, ERROR_INPUT);
        cr_expect(strstr(err.message, rows[i].says), "%s: %s", rows[i].line, err.message);
    }
}

Test(options, help_names_every_option)
{
    struct text help = text_of(4096);
    options_help(table, &help);
    for (size_t i = 0; table[i].name; i++) {
        cr_expect(strstr(text_c(&help), table[i].name));
        cr_expect(strstr(text_c(&help), table[i].help));
    }
    text_done(&help);
}
