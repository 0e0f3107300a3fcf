#include "deploy/metrics/prometheus_answer.h"

#include "deploy/cloud/cloud.h"
#include "gate/base/number.h"
#include "gate/doc/json.h"

#include <math.h>

static bool unusable(struct arena *arena, const char **why, const char *words, str detail)
{
    *why = arena_format(arena, "%s" STR_FMT, words,
                        STR_ARG(cloud_line(arena, str_shorten(detail, 300))))
               .data;
    return false;
}

// An answer that is no success: with the words of the server where it has any.
static bool refused(struct arena *arena, long status, const struct node *root, const char **why)
{
    str kind = node_text(root, "errorType"), words = node_text(root, "error");
    if (words.len) {
        *why = arena_format(arena, "it refused the query: " STR_FMT "%s" STR_FMT,
                            STR_ARG(cloud_line(arena, str_shorten(kind, 60))), kind.len ? ": " : "",
                            STR_ARG(cloud_line(arena, str_shorten(words, 300))))
                   .data;
        return false;
    }
    const char *hint = status == 401 || status == 403 ? ": the token is missing or not accepted"
                       : status == 404                ? ": there is no query API at this URL"
                                                      : "";
    *why = arena_format(arena, "it answered with status %ld%s", status, hint).data;
    return false;
}

static bool read_number(struct arena *arena, const struct node *pair, double *ret, const char **why)
{
    const struct node *text =
        pair && pair->kind == NODE_LIST && pair->count == 2 ? pair->first->next : NULL;
    if (!text || text->kind != NODE_STRING)
        return unusable(arena, why, "the answer has no value", STR(""));
    if (!number_double(text->text, ret)) // NaN, +Inf
        return unusable(arena, why, "the value is ", text->text);
    return true;
}

// The `data` of an answer that is a success without warnings.
static bool read_data(struct arena *arena, long status, str body, const struct node **ret,
                      const char **why)
{
    const struct node *root = NULL;
    struct error err;
    bool is_json = json_parse(arena, "answer", body, &root, &err);
    if (status != 200 || (is_json && !str_is(node_text(root, "status"), "success")))
        return refused(arena, status, is_json ? root : NULL, why);
    if (!is_json)
        return unusable(arena, why, "the answer is not JSON: ", str_of(err.message));
    const struct node *warnings = node_get(root, "warnings");
    if (warnings && warnings->first)
        return unusable(arena, why,
                        "it warns that the figure may be partial: ", warnings->first->text);
    *ret = node_get(root, "data");
    return true;
}

static bool refuse_many(struct arena *arena, size_t count, const char **why)
{
    *why = arena_format(arena, "the query gives %zu series, not one: put `sum(…)` around it", count)
               .data;
    return false;
}

bool prometheus_number(struct arena *arena, long status, str body, struct prometheus_found *ret,
                       const char **why)
{
    const struct node *data = NULL;
    if (!read_data(arena, status, body, &data, why))
        return false;
    const struct node *result = node_get(data, "result");
    str type = node_text(data, "resultType");
    struct prometheus_found found = {0};
    if (str_is(type, "scalar")) {
        if (!read_number(arena, result, &found.number, why))
            return false;
    } else if (!str_is(type, "vector") || !result || result->kind != NODE_LIST) {
        return unusable(arena, why, "the query gives no single number of now but a ", type);
    } else if (result->count > 1) {
        return refuse_many(arena, result->count, why);
    } else if (result->count == 0) {
        found.empty = true;
    } else if (!read_number(arena, node_get(result->first, "value"), &found.number, why)) {
        return false;
    }
    *ret = found;
    return true;
}

bool prometheus_range(struct arena *arena, long status, str body, int64_t start_ms, int64_t step_ms,
                      size_t count, double *ret_values, const char **why)
{
    const struct node *data = NULL;
    if (!read_data(arena, status, body, &data, why))
        return false;
    const struct node *result = node_get(data, "result");
    str type = node_text(data, "resultType");
    if (!str_is(type, "matrix") || !result || result->kind != NODE_LIST)
        return unusable(arena, why, "the query gives no range but a ", type);
    if (result->count > 1)
        return refuse_many(arena, result->count, why);
    for (size_t i = 0; i < count; i++)
        ret_values[i] = NAN;
    const struct node *values = node_get(result->first, "values");
    for (const struct node *pair = values ? values->first : NULL; pair; pair = pair->next) {
        double seconds, value;
        const char *ignored;
        if (pair->kind != NODE_LIST || !pair->first || pair->first->kind != NODE_NUMBER ||
            !number_double(pair->first->text, &seconds) ||
            !read_number(arena, pair, &value, &ignored))
            continue;
        double index = (seconds * 1000 - (double)start_ms) / (double)step_ms;
        if (index > -0.5 && index < (double)count - 0.5)
            ret_values[(size_t)(index + 0.5)] = value;
    }
    return true;
}
