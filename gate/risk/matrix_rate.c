// Rating one risk: its inputs, the value of each axis, the outcome.
#include "gate/risk/matrix.h"
#include "gate/risk/matrix_parts.h"

#include "gate/base/limits.h"

struct rating_run {
    const struct risk_matrix *matrix;
    const struct node *risk;
    const struct node *rating; // null = the risk has none
    struct text missing;       // inputs that it lacks
    struct problems *problems;
};

// The average of an axis, as a fraction: sum over count.
struct axis_value {
    uint64_t sum, count;
    size_t word;
};

static const struct matrix_axis *axis_at(const struct risk_matrix *matrix, size_t i)
{
    return (const struct matrix_axis *)matrix->axes.items + i;
}

static bool is_simple(const struct matrix_axis *axis)
{
    return axis->factors.count == 0;
}

bool matrix_has_number(const struct risk_matrix *matrix, const char *name)
{
    for (size_t i = 0; i < matrix->axes.count; i++) {
        const struct matrix_axis *axis = axis_at(matrix, i);
        if (is_simple(axis) && axis->words.count == 0 && str_is(axis->name, name))
            return true;
    }
    return false;
}

static bool is_grade(const struct matrix_axis *axis)
{
    return is_simple(axis) && axis->words.count == 0 && axis->from == 1 && axis->to == 5 &&
           (str_is(axis->name, "likelihood") || str_is(axis->name, "impact"));
}

bool matrix_has_grades(const struct risk_matrix *matrix)
{
    return matrix->axes.count == 2 && is_grade(axis_at(matrix, 0)) && is_grade(axis_at(matrix, 1));
}

// ---- what there may be -------------------------------------------------------------------------

typedef bool on_input(void *context, const struct matrix_axis *axis, str name);

// Every input that a risk may carry, until the handler says no.
static bool each_input(const struct risk_matrix *matrix, on_input *handler, void *context)
{
    for (size_t i = 0; i < matrix->axes.count; i++) {
        const struct matrix_axis *axis = axis_at(matrix, i);
        const struct shape_list *lists[] = {&axis->factors, &axis->instead};
        if (is_simple(axis) && !handler(context, axis, axis->name))
            return false;
        for (size_t k = 0; k < 2; k++) {
            const struct matrix_factor *factors = lists[k]->items;
            for (size_t n = 0; n < lists[k]->count; n++)
                if (!handler(context, axis, factors[n].name))
                    return false;
        }
    }
    return true;
}

static void add_words(const struct matrix_axis *axis, struct text *out)
{
    const str *words = axis->words.items;
    for (size_t i = 0; i < axis->words.count; i++)
        text_addf(out, "%s`" STR_FMT "`",
                  i == 0                       ? ""
                  : i + 1 == axis->words.count ? " or "
                                               : ", ",
                  STR_ARG(words[i]));
}

static bool add_input(void *context, const struct matrix_axis *axis, str name)
{
    struct text *out = context;
    text_addf(out, "%s`" STR_FMT "` (", out->len ? ", " : "", STR_ARG(name));
    if (axis->words.count)
        add_words(axis, out);
    else
        text_addf(out, "%lld to %lld", (long long)axis->from, (long long)axis->to);
    text_addc(out, ')');
    return true;
}

void matrix_inputs(const struct risk_matrix *matrix, struct text *out)
{
    struct text list = text_of(8192);
    (void)each_input(matrix, add_input, &list);
    text_add(out, text_str(&list));
    text_done(&list);
}

struct seeking {
    str text;
    str nearest;
    size_t distance;
    bool found;
};

static void consider(struct seeking *seeking, str word)
{
    size_t distance = str_distance(seeking->text, word);
    size_t allowed = word.len / 3 > 2 ? word.len / 3 : 2;
    if (distance > allowed || distance >= word.len ||
        (seeking->nearest.len && distance >= seeking->distance))
        return;
    seeking->nearest = word;
    seeking->distance = distance;
}

static bool seek_input(void *context, const struct matrix_axis *axis, str name)
{
    struct seeking *seeking = context;
    (void)axis;
    seeking->found = str_eq(seeking->text, name);
    return !seeking->found;
}

static bool consider_input(void *context, const struct matrix_axis *axis, str name)
{
    (void)axis;
    consider(context, name);
    return true;
}

static void refuse_key(const struct rating_run *run, const struct node *key)
{
    struct seeking seeking = {.text = str_shorten(key->key, 100)};
    (void)each_input(run->matrix, seek_input, &seeking);
    if (seeking.found)
        return;
    (void)each_input(run->matrix, consider_input, &seeking);
    struct text inputs = text_of(300);
    matrix_inputs(run->matrix, &inputs);
    if (seeking.nearest.len)
        problem_at(run->problems, key->key_at,
                   "`" STR_FMT "` is no input of the matrix `%s`; did you mean `" STR_FMT "`?",
                   STR_ARG(seeking.text), run->matrix->name, STR_ARG(seeking.nearest));
    else
        problem_at(run->problems, key->key_at,
                   "`" STR_FMT "` is no input of the matrix `%s`, which takes %s%s",
                   STR_ARG(seeking.text), run->matrix->name, text_c(&inputs),
                   text_full(&inputs) ? "…" : "");
    text_done(&inputs);
}

// `likelihood: 3` beside the rating, for a matrix that has no such number.
static void refuse_beside(const struct rating_run *run, const char *name)
{
    const struct node *node = node_get(run->risk, name);
    if (!node)
        return;
    if (!matrix_has_number(run->matrix, name))
        problem_at(run->problems, node->key_at,
                   "the matrix `%s` does not take `%s` as a number: give the risk a `rating`",
                   run->matrix->name, name);
    else if (node_get(run->rating, name))
        problem_at(run->problems, node->key_at, "`%s` stands here and under `rating`: keep one",
                   name);
}

// ---- values ------------------------------------------------------------------------------------

// Null when the risk does not have it.
static const struct node *input_of(const struct rating_run *run, str name)
{
    for (const struct node *n = run->rating ? run->rating->first : NULL; n; n = n->next)
        if (str_eq(n->key, name))
            return n;
    if (str_is(name, "likelihood") || str_is(name, "impact"))
        return node_get(run->risk, str_is(name, "impact") ? "impact" : "likelihood");
    return NULL;
}

static bool is_scalar(const struct node *node)
{
    return node->kind == NODE_BOOL || node->kind == NODE_NUMBER || node->kind == NODE_STRING;
}

static const char *shown(const struct node *node, char *out, size_t size)
{
    struct text text = text_of(size);
    if (is_scalar(node))
        text_addf(&text, "`" STR_FMT "`", STR_ARG(str_shorten(node->text, 100)));
    else
        text_adds(&text, node_kind_name(node->kind));
    size_t len = text.len < size ? text.len : size - 1;
    memcpy(out, text.len ? text_c(&text) : "", len);
    out[len] = '\0';
    text_done(&text);
    return out;
}

static void read_number(const struct rating_run *run, const struct matrix_axis *axis,
                        const struct node *node, uint64_t *sum)
{
    char got[128];
    int64_t number;
    bool whole = is_scalar(node) && number_i64(node->text, &number);
    if (whole && number >= axis->from && number <= axis->to)
        *sum += (uint64_t)number;
    else
        problem_at(run->problems, node->at, "`" STR_FMT "` must be %sbetween %lld and %lld, not %s",
                   STR_ARG(node->key), whole ? "" : "a whole number ", (long long)axis->from,
                   (long long)axis->to, shown(node, got, sizeof got));
}

static void read_word(const struct rating_run *run, const struct matrix_axis *axis,
                      const struct node *node, size_t *ret)
{
    const str *words = axis->words.items;
    struct seeking seeking = {.text = is_scalar(node) ? str_shorten(node->text, 100) : STR("")};
    for (size_t i = 0; i < axis->words.count; i++) {
        if (is_scalar(node) && str_eq(words[i], node->text)) {
            *ret = i;
            return;
        }
    }
    for (size_t i = 0; i < axis->words.count; i++)
        consider(&seeking, words[i]);
    char got[128];
    struct text list = text_of(1024);
    add_words(axis, &list);
    problem_at(run->problems, node->at, "`" STR_FMT "` must be %s, not %s%s" STR_FMT "%s",
               STR_ARG(axis->name), text_c(&list), shown(node, got, sizeof got),
               seeking.nearest.len ? "; did you mean `" : "", STR_ARG(seeking.nearest),
               seeking.nearest.len ? "`?" : "");
    text_done(&list);
}

// What the matrix asks for and the risk does not have.
static void miss(struct rating_run *run, str name)
{
    if (str_is(name, "likelihood") || str_is(name, "impact"))
        problem_at(run->problems, run->risk->at, "`" STR_FMT "` is missing from `risk`: add it",
                   STR_ARG(name));
    else
        text_addf(&run->missing, "%s`" STR_FMT "`", run->missing.len ? ", " : "", STR_ARG(name));
}

// In one sentence; a risk with grades for another matrix has been told what it needs.
static void say_missing(const struct rating_run *run)
{
    bool has_grades = node_get(run->risk, "likelihood") || node_get(run->risk, "impact");
    if (run->missing.len && (run->rating || !has_grades))
        problem_at(run->problems, run->rating ? run->rating->at : run->risk->at,
                   "the matrix `%s` needs %s in the `rating` of risk `" STR_FMT "`",
                   run->matrix->name, text_c(&run->missing),
                   STR_ARG(str_shorten(node_text(run->risk, "id"), 100)));
}

static bool has_any(const struct rating_run *run, const struct shape_list *list)
{
    const struct matrix_factor *factors = list->items;
    for (size_t i = 0; i < list->count; i++)
        if (input_of(run, factors[i].name))
            return true;
    return false;
}

static void read_factors(struct rating_run *run, const struct matrix_axis *axis,
                         struct axis_value *value)
{
    const struct shape_list *list = has_any(run, &axis->instead) ? &axis->instead : &axis->factors;
    const struct matrix_factor *factors = list->items;
    for (size_t i = 0; i < list->count; i++) {
        const struct node *node = input_of(run, factors[i].name);
        if (node)
            read_number(run, axis, node, &value->sum);
        else
            miss(run, factors[i].name);
    }
    value->count = list->count;
}

static void read_axis(struct rating_run *run, const struct matrix_axis *axis,
                      struct axis_value *value)
{
    const struct node *node = is_simple(axis) ? input_of(run, axis->name) : NULL;
    value->count = 1;
    if (!is_simple(axis))
        read_factors(run, axis, value);
    else if (!node)
        miss(run, axis->name);
    else if (axis->words.count)
        read_word(run, axis, node, &value->word);
    else
        read_number(run, axis, node, &value->sum);
}

// ---- the outcome -------------------------------------------------------------------------------

static size_t level_of(const struct matrix_axis *axis, const struct axis_value *value)
{
    const struct matrix_level *levels = axis->levels.items;
    size_t level = 0;
    if (axis->words.count)
        return value->word;
    while (level + 1 < axis->levels.count &&
           (double)value->sum >= levels[level + 1].from * (double)value->count)
        level++;
    return level;
}

// Averages are multiplied exactly and the product is rounded up: a risk is not made smaller.
static struct risk_rating rate_product(const struct risk_matrix *matrix,
                                       const struct axis_value *values)
{
    struct risk_rating rating = {.severity = RISK_LOW};
    uint64_t product = 1, counts = 1;
    for (size_t i = 0; i < matrix->axes.count; i++) {
        product *= values[i].sum;
        counts *= values[i].count ? values[i].count : 1;
    }
    rating.points = (product + counts - 1) / counts;
    if (rating.points >= (uint64_t)matrix->severities->critical)
        rating.severity = RISK_CRITICAL;
    else if (rating.points >= (uint64_t)matrix->severities->high)
        rating.severity = RISK_HIGH;
    else if (rating.points >= (uint64_t)matrix->severities->medium)
        rating.severity = RISK_MEDIUM;
    rating.outcome = str_of(risk_severity_name(rating.severity));
    return rating;
}

static struct risk_rating rate_table(const struct risk_matrix *matrix,
                                     const struct axis_value *values)
{
    size_t cell = 0;
    for (size_t i = 0; i < matrix->axes.count; i++) {
        const struct matrix_axis *axis = axis_at(matrix, i);
        cell = cell * matrix_levels(axis) + level_of(axis, &values[i]);
    }
    const struct matrix_outcome *outcome =
        (const struct matrix_outcome *)matrix->outcomes.items + (matrix->cells[cell] - 1);
    return (struct risk_rating){.outcome = outcome->name,
                                .points = (uint64_t)outcome->points,
                                .severity = (enum risk_severity)outcome->severity};
}

bool matrix_rate(const struct risk_matrix *matrix, const struct node *risk, struct risk_rating *ret,
                 struct problems *problems)
{
    struct rating_run run = {.matrix = matrix, .risk = risk, .problems = problems};
    struct axis_value values[LIMIT_MATRIX_AXES] = {{0}};
    size_t before = problems->count + problems->dropped;
    run.rating = node_get(risk, "rating");
    if (run.rating && run.rating->kind != NODE_MAP) {
        problem_at(problems, run.rating->at, "`rating` must be a map of inputs and values, not %s",
                   node_kind_name(run.rating->kind));
        return false;
    }
    for (const struct node *n = run.rating ? run.rating->first : NULL; n; n = n->next)
        refuse_key(&run, n);
    refuse_beside(&run, "likelihood");
    refuse_beside(&run, "impact");
    run.missing = text_of(2048);
    for (size_t i = 0; i < matrix->axes.count; i++)
        read_axis(&run, axis_at(matrix, i), &values[i]);
    say_missing(&run);
    text_done(&run.missing);
    if (problems->count + problems->dropped > before)
        return false;
    *ret = matrix->severities ? rate_product(matrix, values) : rate_table(matrix, values);
    return true;
}
