// Time series of Cloud Monitoring: the path that asks for one figure, and what is answered.
//
//     if (monitoring_series_path(&figures, project, query, env, question, revision, &path, err)) …
//     monitoring_series_answer(&figures, FIGURE_CANARY_BAD, answer.tree);
//     monitoring_series_settle(&figures, config->bad->sparse);     // once all have come
#ifndef DEPLOY_METRICS_CLOUD_MONITORING_SERIES_H
#define DEPLOY_METRICS_CLOUD_MONITORING_SERIES_H

#include "deploy/metrics/cloud_monitoring_config.h"
#include "deploy/metrics/figures.h"

enum { MONITORING_PATH_MOST = 32768 };

// The whole seconds of an interval, over which is aligned; the interval's end is kept.
int64_t monitoring_series_period_ms(const struct figures *figures);

bool monitoring_series_path(struct figures *figures, str project,
                            const struct monitoring_query *query, const struct template_value *env,
                            const struct metric_question *question, str revision, struct text *path,
                            struct error *err);
void monitoring_series_answer(struct figures *figures, enum figure figure, const struct node *tree);
// With `sparse`, `bad` without a point beside a `total` with one is none.
void monitoring_series_settle(struct figures *figures, bool sparse);

#endif
