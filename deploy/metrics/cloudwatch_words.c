#include "deploy/metrics/cloudwatch_words.h"

#include "gate/base/moment.h"

static bool among(str s, const char *const *words)
{
    while (*words && !str_is(s, *words))
        words++;
    return *words != NULL;
}

static bool is_digits(str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
    return s.len > 0;
}

// "95", "99.9": above 0, at most 100.
static bool is_percentile(str s)
{
    double number;
    str rest = s, whole = str_cut(&rest, '.');
    return is_digits(whole) && (!rest.data || is_digits(rest)) && number_double(s, &number) &&
           number > 0 && number <= 100;
}

bool cloudwatch_is_statistic(str s)
{
    static const char *const plain[] = {"SampleCount", "Average", "Sum", "Minimum",
                                        "Maximum",     "IQM",     NULL};
    static const char *const of_percentile[] = {"tm", "wm", "tc", "ts", NULL};
    static const char *const of_range[] = {"TM", "WM", "TC", "TS", "PR", NULL};
    if (among(s, plain) || (str_starts(s, STR("p")) && is_percentile(str_from(s, 1))))
        return true;
    str word = str_first(s, 2), rest = str_from(s, 2);
    if (among(word, of_percentile))
        return is_percentile(rest);
    size_t colon = str_find(rest, ':');
    if (!among(word, of_range) || rest.len < 4 || colon == STR_NONE)
        return false;
    for (size_t i = 1; i + 1 < rest.len; i++)
        if (str_find(STR("0123456789.%:"), rest.data[i]) == STR_NONE)
            return false;
    return rest.data[0] == '(' && rest.data[rest.len - 1] == ')';
}

bool cloudwatch_is_unit(str s)
{
    static const char *const plain[] = {"Seconds", "Microseconds", "Milliseconds", "Percent",
                                        "Count",   "Count/Second", "None",         NULL};
    static const char *const amounts[] = {"Bytes",     "Kilobytes", "Megabytes", "Gigabytes",
                                          "Terabytes", "Bits",      "Kilobits",  "Megabits",
                                          "Gigabits",  "Terabits",  NULL};
    str rest = s, amount = str_cut(&rest, '/');
    return among(s, plain) || (among(amount, amounts) && (!rest.data || str_is(rest, "Second")));
}

bool cloudwatch_is_period(int64_t ms)
{
    static const int64_t short_s[] = {1, 5, 10, 20, 30};
    for (size_t i = 0; i < sizeof short_s / sizeof short_s[0]; i++)
        if (ms == short_s[i] * MS_SECOND)
            return true;
    return ms > 0 && ms % MS_MINUTE == 0 && ms <= MS_HOUR;
}

static bool is_ours(str name)
{
    static const char *const ours[] = {"revision", "baseline", "target", "period", NULL};
    return among(name, ours);
}

bool cloudwatch_is_name(str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.data[i] >= 'a' && s.data[i] <= 'z') || s.data[i] == '_' ||
              (s.data[i] >= '0' && s.data[i] <= '9')))
            return false;
    return s.len > 0 && s.len < CLOUDWATCH_NAME_ROOM - 1 && !is_ours(s);
}

static bool is_input(str name, const struct cloudwatch_query *inputs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(inputs[i].name, name))
            return true;
    return false;
}

bool cloudwatch_unquoted(str expression, const struct cloudwatch_query *inputs, size_t input_count,
                         str *ret)
{
    char quote = 0;
    for (size_t i = 0; i < expression.len; i++) {
        char c = expression.data[i];
        if (quote && c == quote)
            quote = 0;
        else if (!quote && (c == '\'' || c == '"'))
            quote = c;
        if (c != '$' || !str_starts(str_from(expression, i), STR("${")))
            continue;
        str rest = str_from(expression, i + 2), name = str_cut(&rest, '}');
        bool formula = str_is(name, "period") || is_input(name, inputs, input_count);
        if (!formula && !quote) {
            *ret = name;
            return true;
        }
        i += 2 + name.len;
    }
    return false;
}

bool cloudwatch_may_quote(str value, struct error *err)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     str_find(STR("-._~:/@+#= "), (char)c) != STR_NONE;
        if (!plain)
            return error_set(err, ERROR_INPUT,
                             "`" STR_FMT "` cannot stand in an expression of CloudWatch: select "
                             "on it in `dimensions`",
                             STR_ARG(str_shorten(value, 120)));
    }
    return true;
}

// ---- the bound ---------------------------------------------------------------------------------

// A duration or a percentage says in what unit the metric must have been published; data in any
// other is then not returned at all, in place of being judged a thousand times too lightly.
static void settle_unit(struct cloudwatch_config *config, const char *fallback)
{
    if (!config->gauge.expression.len && !config->gauge.unit.len)
        config->gauge.unit = str_of(fallback);
}

static bool read_duration(struct cloudwatch_config *config, int64_t ms)
{
    settle_unit(config, "Seconds");
    str unit = config->gauge.expression.len ? STR("Seconds") : config->gauge.unit;
    double per_ms = str_is(unit, "Seconds")        ? 0.001
                    : str_is(unit, "Milliseconds") ? 1
                    : str_is(unit, "Microseconds") ? 1000
                                                   : -1;
    config->bound.max = (double)ms * per_ms;
    return per_ms > 0;
}

bool cloudwatch_read_max(struct cloudwatch_config *config)
{
    struct fraction share;
    int64_t ms;
    double number;
    bool rate = cloudwatch_is_rate(config);
    config->bound.max = -1;
    if (config->bound.max_text.len == 0)
        return true;
    if (number_percent(config->bound.max_text, &share)) {
        config->bound.max = (double)share.num / (double)share.den;
        if (rate)
            return config->bound.max < 1;
        config->bound.max *= 100; // as CloudWatch counts
        settle_unit(config, "Percent");
        return str_is(config->gauge.unit, "Percent");
    }
    if (!rate && number_double(config->bound.max_text, &number)) {
        config->bound.max = number;
        return number >= 0;
    }
    return !rate && duration_parse(config->bound.max_text, &ms) && read_duration(config, ms);
}
