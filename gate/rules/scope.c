#include "gate/rules/scope.h"

#include "gate/base/glob.h"

#include <stdlib.h>

str scope_path(const struct covered_file *file)
{
    return file->path.len ? file->path : file->reported;
}

bool scope_ignores(const struct coverage_demands *demands, str path, bool generated)
{
    if (!demands)
        return false;
    const str *ignore = demands->ignore.items;
    for (size_t i = 0; i < demands->ignore.count; i++) {
        if (str_is(ignore[i], "generated") ? generated : glob_match(ignore[i], path))
            return true;
    }
    return false;
}

size_t scope_critical(const struct coverage_demands *demands, str path)
{
    if (!demands)
        return CRITICAL_NONE;
    const struct critical_path *critical = demands->critical.items;
    size_t best = CRITICAL_NONE, best_literal = 0;
    for (size_t i = 0; i < demands->critical.count; i++) {
        if (!glob_match(critical[i].pattern, path))
            continue;
        size_t literal = glob_literal(critical[i].pattern);
        bool wins =
            best == CRITICAL_NONE || literal > best_literal ||
            (literal == best_literal && critical[i].pattern.len > critical[best].pattern.len);
        if (wins) {
            best = i;
            best_literal = literal;
        }
    }
    return best;
}

static int by_path(const void *a, const void *b, void *context)
{
    const struct covered_file *files = context;
    size_t left = *(const size_t *)a, right = *(const size_t *)b;
    int order = str_cmp(files[left].path, files[right].path);
    return order ? order : (left > right) - (left < right);
}

struct coverage_scope scope_make(struct arena *arena, const struct rule_input *input)
{
    const struct coverage *coverage = &input->evidence->coverage;
    const struct coverage_demands *demands = input->demands->coverage;
    struct coverage_scope scope;
    size_t *order = ARENA_ARRAY(arena, size_t, coverage->count + 1);
    scope.ignored = ARENA_ARRAY(arena, bool, coverage->count + 1);
    scope.critical = ARENA_ARRAY(arena, size_t, coverage->count + 1);
    for (size_t i = 0; i < coverage->count; i++) {
        str path = scope_path(&coverage->files[i]);
        bool generated = input->generated && input->generated[i];
        scope.ignored[i] = scope_ignores(demands, path, generated);
        scope.critical[i] = scope_critical(demands, path);
        order[i] = i;
    }
    if (coverage->count)
        qsort_r(order, coverage->count, sizeof *order, by_path, coverage->files);
    scope.by_path = order;
    return scope;
}

const struct covered_file *scope_find(const struct rule_context *context, str path)
{
    const struct coverage *coverage = &context->in->evidence->coverage;
    size_t low = 0, high = coverage->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct covered_file *file = &coverage->files[context->scope.by_path[middle]];
        int order = str_cmp(file->path, path);
        if (order == 0)
            return file;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
