#include "actions/cli/risk_churn.h"

#include "gate/base/moment.h"

#define WINDOW_MOST_DAYS 3650

bool risk_window(struct invocation *call, unsigned *ret_days)
{
    const char *window = option_text(&call->options, "window");
    int64_t ms;
    *ret_days = SCORE_WINDOW_DAYS;
    if (!window)
        return true;
    if (!duration_parse(str_of(window), &ms) || ms < MS_DAY || ms > WINDOW_MOST_DAYS * MS_DAY)
        return error_set(&call->error, ERROR_INPUT,
                         "--window %s is not a time from 1d to %dd, such as 90d", window,
                         WINDOW_MOST_DAYS);
    *ret_days = (unsigned)(ms / MS_DAY);
    return true;
}

bool risk_churn_read(struct invocation *call, struct repository *repository, const char *commit,
                     int64_t now_ms, struct risk_churn *ret)
{
    struct risk_churn churn = {0};
    if (!risk_window(call, &churn.window_days))
        return false;
    struct release_score_request request = {.repository = repository,
                                            .commit = commit,
                                            .now_ms = now_ms,
                                            .window_days = churn.window_days};
    if (!release_churn(call->arena, &request, &churn.churn, &churn.unknown, &call->error))
        return false;
    *ret = churn;
    return true;
}
