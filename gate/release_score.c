#include "gate/release_score.h"

#include "gate/base/moment.h"
#include "gate/git/changes.h"
#include "gate/git/repository.h"

static bool read_churn(struct arena *arena, const struct release_score_request *request,
                       const struct churn_paths *only, struct churn *ret, const char **ret_unknown,
                       struct error *err)
{
    struct churn churn = {0};
    const char *unknown = NULL;
    int64_t since_ms = request->now_ms - (int64_t)request->window_days * MS_DAY;
    if (!request->repository || !request->commit)
        unknown = "there is no history of commits";
    else if (!churn_read(arena, request->repository, request->commit, since_ms, only, &churn, err))
        return false;
    if (churn.cut_off)
        unknown = repository_is_shallow(request->repository)
                      ? "the clone is shallow: `fetch-depth: 0` brings the history"
                      : "the history of the window is longer than can be counted";
    *ret = churn;
    *ret_unknown = unknown;
    return true;
}

bool release_churn(struct arena *arena, const struct release_score_request *request,
                   struct churn *ret, const char **ret_unknown, struct error *err)
{
    return read_churn(arena, request, NULL, ret, ret_unknown, err);
}

static bool is_generated(const struct rule_input *in, str path)
{
    size_t low = 0, high = in->changed_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(in->changed[middle].path, path);
        if (order == 0)
            return in->changed[middle].generated;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

// The rules know the changed lines of what reports cover. The others are counted only where those
// are not enough to be large: comparing contents is what a change costs.
static bool read_size(struct arena *arena, const struct release_score_request *request,
                      const struct rule_input *in, struct score_size *ret, struct error *err)
{
    struct score_size size = score_size_of(in);
    struct changes changes;
    struct error why = {0};
    size.at_least = true;
    if (size.lines < SCORE_LINES_FULL && request->commit && !in->changed_unknown) {
        size = (struct score_size){0};
        if (changes_between(arena, request->repository, request->base, request->commit, NULL,
                            &changes, &why)) {
            for (size_t i = 0; i < changes.count; i++) {
                const struct change *change = &changes.items[i];
                if (is_generated(in, change->path))
                    continue;
                size.files++;
                for (size_t k = 0; k < change->range_count; k++)
                    size.lines += (uint64_t)change->ranges[k].to - change->ranges[k].from + 1;
            }
        } else if (why.kind == ERROR_LIMIT) {
            size.unknown = "the change has more lines than can be counted";
        } else {
            *err = why;
            return false;
        }
    }
    *ret = size;
    return true;
}

bool release_score(struct arena *arena, const struct release_score_request *request,
                   const struct rule_input *in, struct risk_score *ret, struct error *err)
{
    struct churn churn;
    struct score_size size;
    struct score_input input = {.size = &size, .rules = in, .window_days = request->window_days};
    if (!read_size(arena, request, in, &size, err))
        return error_wrap(err, "the size of the change");
    str *changed = ARENA_ARRAY(arena, str, in->changed_count + 1);
    for (size_t i = 0; i < in->changed_count; i++)
        changed[i] = in->changed[i].path;
    const struct churn_paths only = {changed, in->changed_count};
    if (!read_churn(arena, request, &only, &churn, &input.churn_unknown, err))
        return error_wrap(err, "how often files were changed");
    struct file_churn *files = ARENA_ARRAY(arena, struct file_churn, churn.count + 1);
    for (size_t i = 0; i < churn.count; i++)
        files[i] = (struct file_churn){churn.items[i].path, churn.items[i].commits};
    input.churn = files;
    input.churn_count = churn.count;
    risk_score_make(arena, &input, ret);
    return true;
}
