#include "deploy/metrics/gauge.h"

#include "gate/base/moment.h"

const char *const gauge_compare_words[] = {"max", "mann-whitney", NULL};

struct position gauge_position(const struct node *section, const char *key)
{
    const struct node *node = node_get(section, key);
    return node ? node->at : section->at;
}

void gauge_check(const struct gauge *gauge, const struct gauge_context *context,
                 const struct node *section, struct problems *problems)
{
    static const struct fraction one = {1, 1};
    const char *lone = gauge->confidence_given  ? "confidence"
                       : gauge->tolerance_given ? "tolerance"
                                                : NULL;
    if (!gauge->compare) {
        if (lone)
            problem_at(problems, gauge_position(section, lone),
                       "`%s` says nothing without `compare: mann-whitney`", lone);
        return;
    }
    if (context->is_rate)
        problem_at(problems, gauge_position(section, "compare"),
                   "`compare` goes with %s; `bad` and `total` are compared with the baseline "
                   "already",
                   context->with);
    else if (context->unselected)
        problem_at(problems, gauge_position(section, context->at), "%s", context->unselected);
    else if (gauge->max_text.len)
        problem_at(problems, gauge_position(section, "max"),
                   "`compare: mann-whitney` compares with the baseline, `max` with a bound: give "
                   "one, or two metrics");
    if (gauge->confidence.num <= 0 || fraction_cmp(gauge->confidence, one) >= 0)
        problem_at(problems, gauge_position(section, "confidence"),
                   "`confidence` must be above 0%% and below 100%%, such as `98%%`");
    if (fraction_cmp(gauge->tolerance, one) >= 0)
        problem_at(problems, gauge_position(section, "tolerance"),
                   "`tolerance` must be below 100%%");
}

static bool read_max(struct gauge *gauge, bool is_rate)
{
    struct fraction share;
    int64_t ms;
    double number;
    gauge->max = -1;
    if (gauge->max_text.len == 0)
        return true;
    if (number_percent(gauge->max_text, &share)) {
        gauge->max = (double)share.num / (double)share.den;
        return !is_rate || gauge->max < 1;
    }
    if (!is_rate && number_double(gauge->max_text, &number)) {
        gauge->max = number;
        return number >= 0;
    }
    if (!is_rate && duration_parse(gauge->max_text, &ms)) {
        gauge->max = (double)ms / 1000;
        return true;
    }
    return false;
}

void gauge_check_max(struct gauge *gauge, bool is_rate, const struct node *section,
                     struct problems *problems)
{
    if (!read_max(gauge, is_rate))
        problem_at(problems, gauge_position(section, "max"),
                   is_rate ? "`max` must be a share below 100%%, such as `1%%`, not `" STR_FMT "`"
                           : "`max` must be a number, a percentage or a duration, not `" STR_FMT
                             "`",
                   STR_ARG(gauge->max_text));
}
