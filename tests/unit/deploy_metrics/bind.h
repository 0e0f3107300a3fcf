// A metric's configuration out of YAML, and a world with a server to ask.
#ifndef TESTS_UNIT_DEPLOY_METRICS_BIND_H
#define TESTS_UNIT_DEPLOY_METRICS_BIND_H

#include "../../bench/bench.h"
#include "deploy/metrics/metric.h"
#include "deploy/world/world.h"
#include "gate/doc/yaml.h"

#include <criterion/criterion.h>

// The bound config of `kind`; null, and *err the first problem, when it is refused.
static inline const void *bind_yaml(struct arena *arena, const char *kind, const char *yaml,
                                    struct error *err)
{
    const struct node *node;
    struct problems problems = {.arena = arena};
    const struct metric_kind *metric = metric_kind_of(str_of(kind));
    cr_assert(metric, "no metric source %s", kind);
    cr_assert(yaml_parse(arena, "sluice.yml", str_of(yaml), &node, err), "%s", err->message);
    void *config = arena_alloc(arena, metric->shape->size_bytes);
    bool ok = shape_bind(arena, metric->shape, node, config, &problems);
    problems_sort(&problems);
    cr_assert_eq(ok, problems_none(&problems, err));
    return ok ? config : NULL;
}

#endif
