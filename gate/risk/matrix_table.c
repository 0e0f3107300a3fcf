// The second half of binding a matrix: names that are unique, and a table that decides every case.
#include "gate/risk/matrix.h"
#include "gate/risk/matrix_parts.h"

#include "gate/base/limits.h"

size_t matrix_levels(const struct matrix_axis *axis)
{
    return axis->words.count ? axis->words.count : axis->levels.count;
}

str matrix_level_name(const struct matrix_axis *axis, size_t level)
{
    if (axis->words.count)
        return ((const str *)axis->words.items)[level];
    return ((const struct matrix_level *)axis->levels.items)[level].name;
}

// ---- names of inputs ---------------------------------------------------------------------------

struct naming {
    struct problems *problems;
    str names[LIMIT_MATRIX_AXES * 33];
    size_t count;
};

static void claim(struct naming *naming, str name, struct position at)
{
    for (size_t i = 0; i < naming->count; i++)
        if (str_eq(naming->names[i], name)) {
            problem_at(naming->problems, at,
                       "`" STR_FMT "` stands twice: a risk could not tell which is meant",
                       STR_ARG(name));
            return;
        }
    naming->names[naming->count++] = name;
}

static void check_names(const struct risk_matrix *matrix, struct problems *problems)
{
    struct naming naming = {.problems = problems};
    const struct matrix_axis *axes = matrix->axes.items;
    for (size_t i = 0; i < matrix->axes.count; i++) {
        const struct shape_list *lists[] = {&axes[i].factors, &axes[i].instead};
        claim(&naming, axes[i].name, axes[i].at);
        for (size_t k = 0; k < 2; k++) {
            const struct matrix_factor *factors = lists[k]->items;
            for (size_t n = 0; n < lists[k]->count; n++)
                claim(&naming, factors[n].name, factors[n].at);
        }
    }
}

// ---- the product -------------------------------------------------------------------------------

static void bind_product(struct risk_matrix *matrix, struct problems *problems)
{
    const struct matrix_axis *axes = matrix->axes.items;
    if (matrix->outcomes.count || matrix->table)
        problem_at(problems, matrix->severities->at,
                   "a matrix has either `severities` of a product, or `outcomes` and a `table`");
    matrix->most = 1;
    for (size_t i = 0; i < matrix->axes.count; i++) {
        if (axes[i].words.count)
            problem_at(problems, axes[i].at,
                       "the words of `" STR_FMT "` cannot be multiplied: give `outcomes` and a "
                       "`table` in place of `severities`",
                       STR_ARG(axes[i].name));
        if (axes[i].levels.count)
            problem_at(problems, axes[i].at,
                       "the levels of `" STR_FMT "` are for a `table`, which this matrix has not",
                       STR_ARG(axes[i].name));
        matrix->most *= (uint64_t)axes[i].to;
    }
    if ((uint64_t)matrix->severities->critical > matrix->most)
        problem_at(problems, matrix->severities->at, "no product reaches %lld: the largest is %llu",
                   (long long)matrix->severities->critical, (unsigned long long)matrix->most);
}

// ---- the table ---------------------------------------------------------------------------------

struct row {
    size_t level[LIMIT_MATRIX_AXES]; // ANY = all
    uint32_t outcome;
};
#define ANY SIZE_MAX

static void check_outcomes(struct risk_matrix *matrix, struct problems *problems)
{
    const struct matrix_outcome *outcomes = matrix->outcomes.items;
    for (size_t i = 0; i < matrix->outcomes.count; i++) {
        if (i && (outcomes[i].points < outcomes[i - 1].points ||
                  outcomes[i].severity < outcomes[i - 1].severity))
            problem_at(problems, outcomes[i].at,
                       "outcomes stand mildest first: `" STR_FMT "` has less than `" STR_FMT "`",
                       STR_ARG(outcomes[i].name), STR_ARG(outcomes[i - 1].name));
        matrix->most = (uint64_t)outcomes[i].points;
    }
}

static bool find_level(const struct matrix_axis *axis, const struct node *cell, size_t *ret,
                       struct problems *problems)
{
    if (str_is(cell->text, "*")) {
        *ret = ANY;
        return true;
    }
    for (size_t i = 0; i < matrix_levels(axis); i++)
        if (str_eq(matrix_level_name(axis, i), cell->text)) {
            *ret = i;
            return true;
        }
    problem_at(problems, cell->at, "`" STR_FMT "` is no level of `" STR_FMT "`",
               STR_ARG(str_shorten(cell->text, 100)), STR_ARG(axis->name));
    return false;
}

static bool read_row(const struct risk_matrix *matrix, const struct node *node, struct row *ret,
                     struct problems *problems)
{
    const struct matrix_axis *axes = matrix->axes.items;
    const struct matrix_outcome *outcomes = matrix->outcomes.items;
    const struct node *cell = node->first;
    if (node->kind != NODE_LIST || node->count != matrix->axes.count + 1) {
        problem_at(problems, node->at,
                   "a row of the table is a list of %zu: the level of each axis, and the outcome",
                   matrix->axes.count + 1);
        return false;
    }
    for (size_t i = 0; i < matrix->axes.count; i++, cell = cell->next)
        if (!find_level(&axes[i], cell, &ret->level[i], problems))
            return false;
    for (uint32_t i = 0; i < matrix->outcomes.count; i++)
        if (str_eq(outcomes[i].name, cell->text)) {
            ret->outcome = i;
            return true;
        }
    problem_at(problems, cell->at, "`" STR_FMT "` is none of `outcomes`",
               STR_ARG(str_shorten(cell->text, 100)));
    return false;
}

static size_t count_cells(const struct risk_matrix *matrix, struct problems *problems)
{
    const struct matrix_axis *axes = matrix->axes.items;
    size_t cells = 1;
    for (size_t i = 0; i < matrix->axes.count; i++) {
        if (matrix_levels(&axes[i]) == 0) {
            problem_at(problems, axes[i].at,
                       "the axis `" STR_FMT "` needs `levels`, which the table speaks of",
                       STR_ARG(axes[i].name));
            return 0;
        }
        cells *= matrix_levels(&axes[i]);
        if (cells > LIMIT_MATRIX_CELLS) {
            problem_at(problems, matrix->at, "the table has more than %u cases",
                       LIMIT_MATRIX_CELLS);
            return 0;
        }
    }
    return cells;
}

static size_t level_in(const struct risk_matrix *matrix, size_t cell, size_t axis)
{
    const struct matrix_axis *axes = matrix->axes.items;
    for (size_t i = matrix->axes.count; i-- > axis + 1;)
        cell /= matrix_levels(&axes[i]);
    return cell % matrix_levels(&axes[axis]);
}

static bool row_fits(const struct risk_matrix *matrix, const struct row *row, size_t cell)
{
    for (size_t i = 0; i < matrix->axes.count; i++)
        if (row->level[i] != ANY && row->level[i] != level_in(matrix, cell, i))
            return false;
    return true;
}

static void say_undecided(const struct risk_matrix *matrix, size_t cell, struct problems *problems)
{
    struct text levels = text_of(2048);
    const struct matrix_axis *axes = matrix->axes.items;
    for (size_t i = 0; i < matrix->axes.count; i++)
        text_addf(&levels, "%s" STR_FMT, i ? ", " : "",
                  STR_ARG(matrix_level_name(&axes[i], level_in(matrix, cell, i))));
    problem_at(problems, matrix->table->at, "the table does not decide [%s]: add a row",
               text_c(&levels));
    text_done(&levels);
}

static void bind_table(struct arena *arena, struct risk_matrix *matrix, struct problems *problems)
{
    check_outcomes(matrix, problems);
    size_t cells = count_cells(matrix, problems);
    if (cells == 0)
        return;
    if (matrix->table->kind != NODE_LIST) {
        problem_at(problems, matrix->table->at, "`table` must be a list of rows, not %s",
                   node_kind_name(matrix->table->kind));
        return;
    }
    if (matrix->table->count > cells) {
        problem_at(problems, matrix->table->at, "the table has %zu rows for %zu cases",
                   matrix->table->count, cells);
        return;
    }
    matrix->cells = ARENA_ARRAY(arena, uint32_t, cells);
    bool whole = true;
    for (const struct node *node = matrix->table->first; node; node = node->next) {
        struct row row;
        size_t taken = 0;
        if (!read_row(matrix, node, &row, problems)) {
            whole = false;
            continue;
        }
        for (size_t cell = 0; cell < cells; cell++)
            if (matrix->cells[cell] == 0 && row_fits(matrix, &row, cell)) {
                matrix->cells[cell] = row.outcome + 1;
                taken++;
            }
        if (taken == 0)
            problem_at(problems, node->at,
                       "this row decides nothing: rows before it take its cases");
    }
    for (size_t cell = 0; whole && cell < cells; cell++)
        if (matrix->cells[cell] == 0) {
            say_undecided(matrix, cell, problems);
            return;
        }
}

bool matrix_bind(struct arena *arena, const struct node *root, struct risk_matrix *ret,
                 struct problems *problems)
{
    struct risk_matrix matrix;
    size_t before = problems->count + problems->dropped;
    if (!shape_bind(arena, &risk_matrix_shape, root, &matrix, problems))
        return false;
    check_names(&matrix, problems);
    if (matrix.severities)
        bind_product(&matrix, problems);
    else if (matrix.outcomes.count == 0 || !matrix.table)
        problem_at(problems, matrix.at,
                   "a matrix needs `severities` of the product of its axes, or `outcomes` and a "
                   "`table`");
    else
        bind_table(arena, &matrix, problems);
    if (problems->count + problems->dropped > before)
        return false;
    *ret = matrix;
    return true;
}
