#include "actions/cli/risk_churn.h"

#include "gate/base/moment.h"

#define WINDOW_DAYS 90
#define WINDOW_MOST_DAYS 3650

static bool read_window(struct invocation *call, unsigned *ret_days)
{
    const char *window = option_text(&call->options, "window");
    int64_t ms;
    *ret_days = WINDOW_DAYS;
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
    if (!read_window(call, &churn.window_days))
        return false;
    if (!repository || !commit)
        churn.unknown = "there is no history of commits";
    else if (!churn_read(call->arena, repository, commit,
                         now_ms - (int64_t)churn.window_days * MS_DAY, &churn.churn, &call->error))
        return false;
    if (churn.churn.cut_off)
        churn.unknown = repository_is_shallow(repository)
                            ? "the clone is shallow: `fetch-depth: 0` brings the history"
                            : "the history of the window is longer than can be counted";
    *ret = churn;
    return true;
}
