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
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    int order = str_cmp(files[left].path, files[right].path);
    return order ? order : (left > right) - (left < right);
}

struct coverage_scope scope_make(struct arena *arena, const struct rule_input *input)
{
    const struct coverage *coverage = &input->evidence->coverage;
    const struct coverage_demands *demands = input->demands->coverage;
    struct coverage_scope scope;
    uint32_t *order = ARENA_ARRAY(arena, uint32_t, coverage->count + 1);
    scope.ignored = ARENA_ARRAY(arena, bool, coverage->count + 1);
    scope.critical = NULL;
    if (demands && demands->critical.count)
        scope.critical = ARENA_ARRAY(arena, size_t, coverage->count + 1);
    for (size_t i = 0; i < coverage->count; i++) {
        str path = scope_path(&coverage->files[i]);
        bool generated = input->generated && input->generated[i];
        scope.ignored[i] = scope_ignores(demands, path, generated);
        if (scope.critical)
            scope.critical[i] = scope_critical(demands, path);
        order[i] = (uint32_t)i;
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

static str extension(str path)
{
    size_t slash = str_find_last(path, '/');
    str leaf = slash == STR_NONE ? path : str_from(path, slash + 1);
    size_t dot = str_find_last(leaf, '.');
    return dot == STR_NONE || dot == 0 ? (str){NULL, 0} : str_from(leaf, dot + 1);
}

static bool kind_is_covered(const struct rule_context *context, str path)
{
    const struct coverage *coverage = &context->in->evidence->coverage;
    str kind = extension(path);
    if (kind.len == 0)
        return false;
    for (size_t i = 0; i < coverage->count; i++)
        if (str_eq(extension(scope_path(&coverage->files[i])), kind))
            return true;
    return false;
}

// Code of tests by the conventions of their tools, most of which never measure it.
static bool is_test_code(str path)
{
    static const char *const patterns[] = {"**/*_test.go",
                                           "**/testdata/**",
                                           "**/test_*.py",
                                           "**/*_test.py",
                                           "**/conftest.py",
                                           "**/*.test.*",
                                           "**/*.spec.*",
                                           "**/__tests__/**",
                                           "**/__mocks__/**",
                                           "**/*_spec.rb",
                                           "**/*_test.rb",
                                           "**/*Test.java",
                                           "**/*Test.kt",
                                           "**/*Tests.cs",
                                           "**/src/test/**",
                                           "**/tests/**",
                                           "**/test/**",
                                           "**/spec/**",
                                           NULL};
    for (size_t i = 0; patterns[i]; i++)
        if (glob_match(str_of(patterns[i]), path))
            return true;
    return false;
}

bool scope_changed(const struct rule_context *context, size_t critical,
                   const struct changed_file *file, const struct covered_file **ret)
{
    const struct coverage_demands *demands = context->in->demands->coverage;
    if (scope_ignores(demands, file->path, file->generated))
        return false;
    if (critical != CRITICAL_NONE && scope_critical(demands, file->path) != critical)
        return false;
    *ret = scope_find(context, file->path);
    return *ret || (kind_is_covered(context, file->path) && !is_test_code(file->path));
}
