#include "gate/reports/clover_metrics.h"

#include "gate/base/number.h"
#include "gate/doc/xml.h"

#include <stdio.h>

static const struct {
    const char *total, *covered;
} names[METRICS] = {
    [METRICS_STATEMENTS] = {"statements", "coveredstatements"},
    [METRICS_METHODS] = {"methods", "coveredmethods"},
    [METRICS_BRANCHES] = {"conditionals", "coveredconditionals"},
};

void metrics_init(struct metrics *metrics, const char *kind, const char *name)
{
    str shown = str_shorten(str_of(name), sizeof metrics->name - 16);
    memset(metrics, 0, sizeof *metrics);
    (void)snprintf(metrics->name, sizeof metrics->name, "%s%s" STR_FMT, kind,
                   *kind && shown.len ? " " : "", STR_ARG(shown));
}

static bool number_of(const char **attributes, const char *name, uint64_t *ret)
{
    const char *value = xml_attribute(attributes, name);
    return value && number_u64_saturating(str_of(value), ret);
}

void metrics_say(struct metrics *metrics, const char **attributes)
{
    for (int i = 0; i < METRICS; i++) {
        struct metrics_share said;
        if (!number_of(attributes, names[i].total, &said.total) ||
            !number_of(attributes, names[i].covered, &said.covered))
            continue; // "" and "NaN" say nothing
        metrics->said[i] = said;
        metrics->has_said[i] = true;
    }
    metrics->has_said_lines |= number_of(attributes, "loc", &metrics->said_lines);
}

static bool is_share(struct metrics_share a, struct metrics_share b)
{
    return a.covered == b.covered && a.total == b.total;
}

bool metrics_say_branches(const struct metrics *metrics, struct metrics_share listed, bool or_more)
{
    struct metrics_share said = metrics->said[METRICS_BRANCHES];
    if (!metrics->has_said[METRICS_BRANCHES])
        return false;
    return or_more ? said.total >= listed.total && said.covered >= listed.covered
                   : is_share(said, listed);
}

static void add(struct metrics_share *sum, struct metrics_share share)
{
    sum->covered += share.covered;
    sum->total += share.total;
}

static bool is_between(uint64_t n, uint64_t low, uint64_t more)
{
    return n >= low && n - low <= more;
}

static bool statements_fit(const struct metrics *m)
{
    struct metrics_share said = m->said[METRICS_STATEMENTS];
    struct metrics_share listed = m->listed[METRICS_STATEMENTS];
    struct metrics_share methods = m->listed[METRICS_METHODS];
    if (m->lines_only) {
        add(&listed, m->conditions);
        return said.total >= listed.total && said.covered <= said.total &&
               (said.covered == 0) == (listed.covered == 0);
    }
    return is_share(said, m->united) || (is_between(said.total, listed.total, methods.total) &&
                                         is_between(said.covered, listed.covered, methods.covered));
}

static bool methods_fit(const struct metrics *m)
{
    struct metrics_share said = m->said[METRICS_METHODS], listed = m->listed[METRICS_METHODS];
    return listed.total == 0 || (said.total >= listed.total && said.covered <= said.total &&
                                 said.covered <= listed.covered);
}

static bool branches_fit(const struct metrics *m)
{
    struct metrics_share said = m->said[METRICS_BRANCHES], listed = m->listed[METRICS_BRANCHES];
    if (m->lines_only)
        return said.total >= listed.total &&
               is_between(said.covered, listed.covered, said.total - listed.total);
    return is_share(said, listed);
}

static void compare(const struct metrics *m, struct evidence *evidence, struct report *report)
{
    const bool fits[METRICS] = {[METRICS_STATEMENTS] = statements_fit(m),
                                [METRICS_METHODS] = methods_fit(m),
                                [METRICS_BRANCHES] = branches_fit(m)};
    for (int i = 0; i < METRICS; i++)
        if (m->has_said[i] && !fits[i])
            report_suspect(
                evidence, report, "`%s` of %s says %llu of %llu, but it holds %llu of %llu",
                names[i].total, m->name, (unsigned long long)m->said[i].covered,
                (unsigned long long)m->said[i].total, (unsigned long long)m->listed[i].covered,
                (unsigned long long)m->listed[i].total);
}

// Istanbul says how many lines the whole project has, and of no part.
static void compare_lines(const struct metrics *m, struct evidence *evidence, struct report *report)
{
    uint64_t listed = m->listed[METRICS_STATEMENTS].total + m->conditions.total;
    if (m->has_said_lines && m->said_lines != listed && m->said_lines != m->united.total)
        report_suspect(evidence, report, "`loc` of %s says %llu, but it holds %llu", m->name,
                       (unsigned long long)m->said_lines, (unsigned long long)listed);
}

void metrics_close(struct metrics *metrics, struct metrics *outer, bool like_istanbul,
                   struct evidence *evidence, struct report *report)
{
    bool no_method = metrics->listed[METRICS_METHODS].total == 0;
    bool says_some = metrics->has_said[METRICS_METHODS] && metrics->said[METRICS_METHODS].total;
    metrics->lines_only |= no_method && (says_some || like_istanbul);
    compare(metrics, evidence, report);
    if (like_istanbul && metrics->lines_only && !outer)
        compare_lines(metrics, evidence, report);
    if (!outer)
        return;
    for (int i = 0; i < METRICS; i++)
        add(&outer->listed[i], metrics->listed[i]);
    add(&outer->conditions, metrics->conditions);
    add(&outer->united, metrics->united);
    outer->lines_only |= metrics->lines_only;
}
