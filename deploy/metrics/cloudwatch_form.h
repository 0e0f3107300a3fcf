// One call of GetMetricData as a form: which queries, over which whole periods.
//
//     struct cloudwatch_form form = {.config = config, .variables = env, .target = target};
//     struct text body = text_of(CLOUDWATCH_FORM_MOST);
//     cloudwatch_form_begin(&form, &span, &body);
//     if (!cloudwatch_form_side(&form, &(struct cloudwatch_side){"canary", revision}, &body, err)
//     ||
//         !cloudwatch_form_query(&form, &side, "canary_bad", config->bad, &body, err)) …
#ifndef DEPLOY_METRICS_CLOUDWATCH_FORM_H
#define DEPLOY_METRICS_CLOUDWATCH_FORM_H

#include "deploy/metrics/cloudwatch_config.h"
#include "gate/base/arena.h"
#include "gate/base/template.h"

enum { CLOUDWATCH_FORM_MOST = 1 << 20 };

struct cloudwatch_span { // periods that begin at first_ms, first_ms + period_ms, …
    int64_t first_ms, period_ms;
    size_t count;
};

struct cloudwatch_side {
    const char *name; // "canary", "baseline": a part of Ids
    str revision;
};

struct cloudwatch_form {
    const struct cloudwatch_config *config;
    const struct template_value *variables; // env.*; may be null
    struct arena *arena;
    str target, baseline;
    unsigned count; // of queries so far
};

// The periods that begin within [from_ms, to_ms): those of two intervals that meet never overlap,
// and none is left out. The last may end up to a period after to_ms.
struct cloudwatch_span cloudwatch_span_of(int64_t from_ms, int64_t to_ms, int64_t period_ms);

void cloudwatch_form_begin(const struct cloudwatch_span *span, struct text *body);
// The inputs, for one side.
bool cloudwatch_form_side(struct cloudwatch_form *form, const struct cloudwatch_side *side,
                          struct text *body, struct error *err);
// One query whose figures come back under `id`. ERROR_INPUT: a value that cannot be written there.
bool cloudwatch_form_query(struct cloudwatch_form *form, const struct cloudwatch_side *side,
                           const char *id, const struct cloudwatch_query *query, struct text *body,
                           struct error *err);

#endif
