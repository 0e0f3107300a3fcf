#include "deploy/metrics/metric.h"

extern const struct metric_kind probe_metric, prometheus_metric, cloudwatch_metric,
    cloud_monitoring_metric;

const struct metric_kind *const metric_kinds[] = {
    &probe_metric, &prometheus_metric, &cloudwatch_metric, &cloud_monitoring_metric, NULL};

const struct metric_kind *metric_kind_of(str name)
{
    for (size_t i = 0; metric_kinds[i]; i++)
        if (str_is(name, metric_kinds[i]->name))
            return metric_kinds[i];
    return NULL;
}
