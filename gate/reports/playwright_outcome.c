#include "gate/reports/playwright_outcome.h"

const char *const playwright_outcome_names[PLAYWRIGHT_OUTCOMES] = {"expected", "unexpected",
                                                                   "flaky", "skipped"};

static bool status_of(str word, enum playwright_status *ret, struct error *err)
{
    static const char *const words[PLAYWRIGHT_STATUSES] = {"passed", "failed", "timedOut",
                                                           "interrupted", "skipped"};
    for (int i = 0; i < PLAYWRIGHT_STATUSES; i++)
        if (str_is(word, words[i])) {
            *ret = (enum playwright_status)i;
            return true;
        }
    return error_set(err, ERROR_INPUT, "`" STR_FMT "` is no status of Playwright",
                     STR_ARG(str_shorten(word, 60)));
}

bool playwright_ran(struct playwright_runs *runs, str status, struct error *err)
{
    enum playwright_status one;
    if (!status_of(status, &one, err))
        return false;
    runs->results[one]++;
    return true;
}

bool playwright_expects(struct playwright_runs *runs, str status, struct error *err)
{
    return status_of(status, &runs->expected, err);
}

bool playwright_says(struct playwright_runs *runs, str outcome, struct error *err)
{
    for (int i = 0; i < PLAYWRIGHT_OUTCOMES; i++)
        if (str_is(outcome, playwright_outcome_names[i])) {
            runs->said = (enum playwright_outcome)i;
            return true;
        }
    return error_set(err, ERROR_INPUT, "`" STR_FMT "` is no outcome of Playwright",
                     STR_ARG(str_shorten(outcome, 60)));
}

struct tally { // tries that ran: as expected, and otherwise
    uint32_t expected, unexpected;
};

static struct tally tally(const struct playwright_runs *runs)
{
    struct tally t = {0};
    for (int i = 0; i <= PLAYWRIGHT_TIMED_OUT; i++)
        *(i == (int)runs->expected ? &t.expected : &t.unexpected) += runs->results[i];
    return t;
}

enum playwright_outcome playwright_outcome_of(const struct playwright_runs *runs)
{
    struct tally t = tally(runs);
    if (!t.expected && !t.unexpected)
        return PLAYWRIGHT_SKIPPED;
    if (!t.unexpected)
        return PLAYWRIGHT_EXPECTED;
    return t.expected ? PLAYWRIGHT_FLAKY : PLAYWRIGHT_UNEXPECTED;
}

bool playwright_contradicts(const struct playwright_runs *runs)
{
    enum playwright_outcome made = playwright_outcome_of(runs);
    if (runs->said == PLAYWRIGHT_UNSAID || runs->said == made)
        return false;
    // Newer versions call a test flaky that failed, and skipped itself when it was tried again.
    bool skipped_itself = made == PLAYWRIGHT_UNEXPECTED && runs->said == PLAYWRIGHT_FLAKY &&
                          runs->expected == PLAYWRIGHT_WAS_SKIPPED &&
                          runs->results[PLAYWRIGHT_WAS_SKIPPED];
    return !skipped_itself;
}

enum playwright_outcome playwright_outcome(const struct playwright_runs *runs)
{
    static const int weights[PLAYWRIGHT_OUTCOMES] = {[PLAYWRIGHT_EXPECTED] = 0,
                                                     [PLAYWRIGHT_SKIPPED] = 1,
                                                     [PLAYWRIGHT_FLAKY] = 2,
                                                     [PLAYWRIGHT_UNEXPECTED] = 3};
    enum playwright_outcome made = playwright_outcome_of(runs);
    if (runs->said == PLAYWRIGHT_UNSAID || weights[made] >= weights[runs->said])
        return made;
    return runs->said;
}
