#include "gate/rules/history.h"

#include <stdlib.h>

static int by_id(const void *key, const void *item)
{
    return strcmp(key, ((const struct history_finding *)item)->id);
}

const struct history_finding *history_before(const struct history *history, const char *id)
{
    if (!history || history->before_count == 0)
        return NULL;
    return bsearch(id, history->before, history->before_count, sizeof *history->before, by_id);
}

static int by_str(const void *key, const void *item)
{
    return str_cmp(*(const str *)key, *(const str *)item);
}

bool history_failed_before(const struct history *history, str identity)
{
    return history && history->failed_before_count > 0 &&
           bsearch(&identity, history->failed_before, history->failed_before_count,
                   sizeof *history->failed_before, by_str) != NULL;
}

#define NAME_MAX_BYTES 128u // no vulnerability has a longer name

static int by_name(const void *key, const void *item)
{
    return str_cmp(*(const str *)key, ((const struct history_seen *)item)->name);
}

int64_t history_first_seen(const struct history *history, str name)
{
    char lower[NAME_MAX_BYTES];
    if (!history || history->seen_count == 0 || name.len > sizeof lower)
        return 0;
    for (size_t i = 0; i < name.len; i++)
        lower[i] = char_lower(name.data[i]);
    str key = str_make(lower, name.len);
    const struct history_seen *seen =
        bsearch(&key, history->seen, history->seen_count, sizeof *history->seen, by_name);
    return seen ? seen->first_ms : 0;
}

static int by_identity(const void *key, const void *item)
{
    return str_cmp(*(const str *)key, ((const struct history_test *)item)->identity);
}

const struct history_test *history_test(const struct history *history, str identity)
{
    if (!history || !history->baseline || history->baseline->test_count == 0)
        return NULL;
    return bsearch(&identity, history->baseline->tests, history->baseline->test_count,
                   sizeof *history->baseline->tests, by_identity);
}

const char *history_why_not(const struct history *history, const char *lacking)
{
    if (!history)
        return "there is no ledger at hand";
    return history->baseline_unknown ? history->baseline_unknown : lacking;
}

static int by_flaky(const void *key, const void *item)
{
    return str_cmp(*(const str *)key, ((const struct history_flaky *)item)->identity);
}

const struct history_flaky *history_flaky(const struct history *history, str identity)
{
    if (!history || history->flaky_count == 0)
        return NULL;
    return bsearch(&identity, history->flaky, history->flaky_count, sizeof *history->flaky,
                   by_flaky);
}
