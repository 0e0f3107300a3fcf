#include "deploy/record/review_due.h"

#include "gate/base/moment.h"
#include "gate/doc/json.h"

static void write_body(const struct plan *plan, int64_t now_ms, struct text *text)
{
    const struct plan_emergency *emergency = &plan->emergency;
    struct json_out out = json_out_of(text, JSON_COMPACT);
    char moment[MOMENT_TEXT];
    json_open_map(&out, NULL);
    json_add_str(&out, "release", plan->release);
    json_add_str(&out, "commit", plan->commit);
    json_add_str(&out, "environment", plan->environment);
    json_add_str(&out, "stage", plan->stage);
    json_add_str(&out, "incident", emergency->incident);
    json_add_str(&out, "severity", emergency->severity);
    json_add_str(&out, "why", emergency->reason);
    if (emergency->overrides.len)
        json_add_str(&out, "overrides", emergency->overrides);
    json_add_str(&out, "due", str_of(moment_format(now_ms + emergency->review_within_ms, moment)));
    json_close(&out);
}

bool review_due_append(struct ledger *ledger, struct arena *arena, const struct plan *plan,
                       int64_t now_ms, struct error *err)
{
    struct text body = text_of(LIMIT_EVENT_BYTES);
    if (plan->emergency.severity.len == 0)
        return true;
    write_body(plan, now_ms, &body);
    struct event event = {.stream = STREAM_INCIDENT,
                          .type = STR("incident.review-due"),
                          .time_ms = now_ms,
                          .rollout = plan->rollout,
                          .key = arena_format(arena, STR_FMT "/review-due", STR_ARG(plan->rollout)),
                          .body = text_str(&body)};
    bool ok = ledger_append(ledger, &event, NULL, err);
    text_done(&body);
    return ok;
}
