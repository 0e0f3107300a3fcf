#include "deploy/metrics/probe_config.h"

#include "deploy/metrics/names.h"

static const char *const probe_names[] = {"host", "target", "revision", "baseline", NULL};

#define AT(member) offsetof(struct probe_config, member)
static const struct shape_field probe_fields[] = {
    {.key = "url",
     .kind = SHAPE_STR,
     .offset = AT(url),
     .required = true,
     .doc = "What is asked, for every host: `${host}` and the inventory's variables such as "
            "`${port}`; also `${target}`, `${env.NAME}`."},
    {.key = "every",
     .kind = SHAPE_DURATION,
     .offset = AT(every_ms),
     .fallback = "5s",
     .doc = "Time between two rounds."},
    {.key = "requests",
     .kind = SHAPE_INT,
     .offset = AT(requests),
     .min = 1,
     .max = 200,
     .fallback = "1",
     .doc = "Requests to each host in a round, at most four of them at a time."},
    {.key = "status",
     .kind = SHAPE_LIST,
     .offset = AT(status),
     .shape = &shape_of_str,
     .min = 1,
     .max = 20,
     .doc = "The status, or statuses, of a good answer; 200 when absent."},
    {.key = "contains",
     .kind = SHAPE_STR,
     .offset = AT(contains),
     .doc = "Words that a good answer holds."},
    {.key = "max_latency",
     .kind = SHAPE_DURATION,
     .offset = AT(max_latency_ms),
     .doc = "A slower answer is a failed request."},
    {.key = "timeout",
     .kind = SHAPE_DURATION,
     .offset = AT(timeout_ms),
     .fallback = "5s",
     .doc = "No answer by then is a failed request."},
    {.key = "max_failures",
     .kind = SHAPE_INT,
     .offset = AT(max_failures),
     .min = 1,
     .max = 1000,
     .doc = "Rounds of a stage in which a request to the release may fail; one more aborts. "
            "Without it and with `requests` above 1, the share of failed requests is compared "
            "with the baseline's."},
    {.key = "max",
     .kind = SHAPE_PERCENT,
     .offset = AT(max),
     .doc = "The highest share of failed requests that is accepted where no baseline is left."},
    {.kind = SHAPE_END},
};

static struct position position_of(const struct node *section, const char *key)
{
    const struct node *node = node_get(section, key);
    return node ? node->at : section->at;
}

static void check_status(const struct probe_config *config, const struct node *node,
                         struct problems *problems)
{
    for (size_t i = 0; i < config->status.count; i++) {
        str text = ((const str *)config->status.items)[i];
        uint32_t status;
        if (text.len && (!number_u32(text, &status) || status < 100 || status > 599))
            problem_at(problems, position_of(node, "status"),
                       "`status` must be an HTTP status between 100 and 599, not `" STR_FMT "`",
                       STR_ARG(text));
    }
}

static void check(void *value, const struct node *node, struct problems *problems)
{
    const struct probe_config *config = value;
    check_status(config, node, problems);
    names_check(STR("url"), config->url, probe_names, true, node, problems);
    if (config->every_ms < 100)
        problem_at(problems, position_of(node, "every"), "`every` must be 100ms or more");
    if (config->timeout_ms < 10 || config->timeout_ms > 60000)
        problem_at(problems, position_of(node, "timeout"), "`timeout` must be between 10ms and 1m");
    if (config->max_latency_ms > config->timeout_ms)
        problem_at(problems, position_of(node, "max_latency"),
                   "`max_latency` is longer than `timeout`: an answer that late is never seen");
    if (config->max.den && config->max_failures)
        problem_at(problems, position_of(node, "max"),
                   "give `max_failures` (rounds) or `max` (a share), not both");
    if (config->max.den && config->max.num >= config->max.den)
        problem_at(problems, position_of(node, "max"), "`max` must be below 100%%");
    if (config->url.len && probe_is_fixed(config) && !probe_is_threshold(config) &&
        !config->max.den)
        problem_at(problems, position_of(node, "url"),
                   "`url` is the same for every host, so the release cannot be told from the "
                   "baseline: put `${host}` into it, or give `max_failures` or `max`");
}

const struct shape probe_shape = {
    .name = "probe",
    .size_bytes = sizeof(struct probe_config),
    .fields = probe_fields,
    .check = check,
    .doc = "Asks every host over HTTP, as a new client would, and counts what it gets.",
};

bool probe_is_threshold(const struct probe_config *config)
{
    return config->max_failures > 0 || (config->requests == 1 && !config->max.den);
}

bool probe_is_fixed(const struct probe_config *config)
{
    return !names_vary(config->url);
}

bool probe_expects(const struct probe_config *config, long status)
{
    for (size_t i = 0; i < config->status.count; i++) {
        uint32_t wanted;
        if (number_u32(((const str *)config->status.items)[i], &wanted) && (long)wanted == status)
            return true;
    }
    return config->status.count == 0 && status == 200;
}
