#include "actions/cli/rehearsal_overdue.h"

#include "gate/base/moment.h"
#include "gate/doc/json.h"

bool rehearsal_note_overdue(struct deployment *d, str rollout, str environment, struct error *err)
{
    struct text body = text_of(4096);
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    char every[32];
    json_open_map(&json, NULL);
    json_add_str(&json, "environment", environment);
    json_add_str(&json, "rehearse_every",
                 str_of(duration_format(d->settings.rollback.rehearse_every_ms, every)));
    json_close(&json);
    struct event event = {.stream = STREAM_ROLLOUT,
                          .type = STR("rehearsal.overdue"),
                          .rollout = rollout,
                          .body = text_str(&body)};
    bool ok = ledger_append(d->ledger, &event, NULL, err);
    text_done(&body);
    return ok;
}

bool rehearsal_is_overdue(struct deployment *d, str environment, struct text *out)
{
    int64_t every_ms = d->settings.rollback.rehearse_every_ms;
    struct way_back way = {0};
    struct error before = d->call->error;
    char every[32], ago[32];
    if (every_ms == 0)
        return false;
    if (!facts_way_back(d, environment, &way)) {
        d->call->error = before;
        return false;
    }
    int64_t age_ms = deployment_now(d) - way.newest_at_ms;
    if (way.newest_at_ms && age_ms <= every_ms)
        return false;
    text_addf(out,
              "the way back of " STR_FMT " was last taken %s%s, and `rollback: "
              "{rehearse_every: %s}` wants it more often: `sluice rollback --rehearse`",
              STR_ARG(environment), way.newest_at_ms ? duration_words(age_ms, ago) : "never",
              way.newest_at_ms ? " ago" : "", duration_format(every_ms, every));
    return true;
}
