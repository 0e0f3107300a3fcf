#include "actions/cli/options.h"

static const char *const formats[] = {"text", "json", "markdown", "html", NULL};
static const char *const colors[] = {"auto", "always", "never", NULL};

const struct option common_options[] = {
    {.name = "config", .argument = "FILE", .help = "The configuration (.github/sluice.yml)."},
    {.name = "format", .argument = "FORMAT", .choices = formats, .help = "How to print."},
    {.name = "color", .argument = "WHEN", .choices = colors, .help = "auto, always or never."},
    {.name = "quiet", .letter = 'q', .help = "Print errors only."},
    {.name = "verbose", .letter = 'v', .help = "Print more detail."},
    {.name = "directory", .letter = 'C', .argument = "DIR", .help = "Run as if started in DIR."},
    {.name = "help", .letter = 'h', .help = "Print this help."},
    {0},
};

static const struct option *find_long(const struct option *table, str name)
{
    for (; table->name; table++)
        if (str_is(name, table->name))
            return table;
    return NULL;
}

static const struct option *find_letter(const struct option *table, char letter)
{
    for (; table->name; table++)
        if (table->letter == letter)
            return table;
    return NULL;
}

static void nearest(const struct option *table, str name, const char **best, size_t *distance)
{
    for (; table->name; table++) {
        size_t d = str_distance(name, str_of(table->name));
        if (d < *distance) {
            *distance = d;
            *best = table->name;
        }
    }
}

static bool unknown(const struct option *own, str name, struct error *err)
{
    const char *best = NULL;
    size_t distance = 3;
    nearest(own, name, &best, &distance);
    nearest(common_options, name, &best, &distance);
    if (best)
        return error_set(err, ERROR_INPUT, "there is no option --" STR_FMT ": did you mean --%s?",
                         STR_ARG(name), best);
    return error_set(err, ERROR_INPUT, "there is no option --" STR_FMT, STR_ARG(name));
}

static bool check_choice(const struct option *option, const char *text, struct error *err)
{
    if (!option->choices)
        return true;
    struct text list = text_of(256);
    bool found = false;
    for (size_t i = 0; option->choices[i]; i++) {
        found |= strcmp(option->choices[i], text) == 0;
        text_addf(&list, "%s%s", i ? ", " : "", option->choices[i]);
    }
    if (!found)
        (void)error_set(err, ERROR_INPUT, "--%s takes one of %s, not `%s`", option->name,
                        text_c(&list), text);
    text_done(&list);
    return found;
}

static bool add_value(struct arena *arena, struct options *options, const struct option *option,
                      const char *text, struct error *err)
{
    if (!option->repeats && option_given(options, option->name))
        return error_set(err, ERROR_INPUT, "--%s is given twice", option->name);
    if (!check_choice(option, text, err))
        return false;
    options->values =
        arena_grow(arena, options->values, options->count, &options->room, sizeof *options->values);
    options->values[options->count++] = (struct option_value){option, text};
    return true;
}

struct cursor {
    char **words;
    size_t count, at;
};

// `given` is the argument that stands in the same word; null = none.
static bool take(struct arena *arena, struct cursor *cursor, const struct option *option,
                 const char *given, struct options *options, struct error *err)
{
    if (!option->argument) {
        if (given)
            return error_set(err, ERROR_INPUT, "--%s takes no argument", option->name);
        return add_value(arena, options, option, "", err);
    }
    if (!given) {
        if (cursor->at >= cursor->count)
            return error_set(err, ERROR_INPUT, "--%s needs an argument: %s", option->name,
                             option->argument);
        given = cursor->words[cursor->at++];
    }
    if (*given == '\0')
        return error_set(err, ERROR_INPUT, "--%s has an empty argument", option->name);
    return add_value(arena, options, option, given, err);
}

static bool take_long(struct arena *arena, struct cursor *cursor, const char *word,
                      const struct option *own, struct options *options, struct error *err)
{
    const char *equals = strchr(word, '=');
    str name = str_make(word, equals ? (size_t)(equals - word) : strlen(word));
    const struct option *option = find_long(own, name);
    if (!option)
        option = find_long(common_options, name);
    if (!option)
        return unknown(own, name, err);
    return take(arena, cursor, option, equals ? equals + 1 : NULL, options, err);
}

static bool take_letters(struct arena *arena, struct cursor *cursor, const char *word,
                         const struct option *own, struct options *options, struct error *err)
{
    for (; *word; word++) {
        const struct option *option = find_letter(own, *word);
        if (!option)
            option = find_letter(common_options, *word);
        if (!option)
            return error_set(err, ERROR_INPUT, "there is no option -%c", *word);
        if (option->argument)
            return take(arena, cursor, option, word[1] ? word + 1 : NULL, options, err);
        if (!take(arena, cursor, option, NULL, options, err))
            return false;
    }
    return true;
}

bool options_parse(struct arena *arena, char **words, size_t count, const struct option *own,
                   struct options *ret, struct error *err)
{
    static const struct option none[] = {{0}};
    struct options options = {0};
    struct cursor cursor = {words, count, 0};
    bool ended = false;
    if (!own)
        own = none;
    while (cursor.at < count) {
        const char *word = words[cursor.at++];
        bool ok = true;
        if (ended || word[0] != '-' || word[1] == '\0') {
            options.operands = arena_grow(arena, options.operands, options.operand_count,
                                          &options.operand_room, sizeof *options.operands);
            options.operands[options.operand_count++] = word;
        } else if (strcmp(word, "--") == 0) {
            ended = true;
        } else if (word[1] == '-') {
            ok = take_long(arena, &cursor, word + 2, own, &options, err);
        } else {
            ok = take_letters(arena, &cursor, word + 1, own, &options, err);
        }
        if (!ok)
            return false;
    }
    *ret = options;
    return true;
}

bool options_takes_next(const struct option *table, const char *word)
{
    bool is_long = word[1] == '-';
    const struct option *option =
        is_long ? find_long(table, str_of(word + 2)) : find_letter(table, word[1]);
    return option && option->argument && (is_long || word[2] == '\0');
}

const char *option_text(const struct options *options, const char *name)
{
    const char *text = NULL;
    for (size_t i = 0; i < options->count; i++)
        if (strcmp(options->values[i].option->name, name) == 0)
            text = options->values[i].text;
    return text;
}

bool option_given(const struct options *options, const char *name)
{
    return option_text(options, name) != NULL;
}

void options_help(const struct option *table, struct text *out)
{
    for (; table->name; table++) {
        struct text left = text_of(128);
        if (table->letter)
            text_addf(&left, "-%c, ", table->letter);
        else
            text_adds(&left, "    ");
        text_addf(&left, "--%s", table->name);
        if (table->argument)
            text_addf(&left, " %s", table->argument);
        text_addf(out, "  %-28s %s\n", text_c(&left), table->help);
        text_done(&left);
    }
}
