#include "gate/risk/lifecycle.h"

static const struct shape_field need_fields[] = {
    {.key = "product", .kind = SHAPE_KEY, .offset = offsetof(struct lifecycle_need, product)},
    {.key = "from",
     .kind = SHAPE_STR,
     .offset = offsetof(struct lifecycle_need, from),
     .doc = "The first series that it works with."},
    {.key = "to",
     .kind = SHAPE_STR,
     .offset = offsetof(struct lifecycle_need, to),
     .doc = "The last series that it is supported with."},
    {0},
};
static const struct shape need_shape = {
    .name = "need",
    .size_bytes = sizeof(struct lifecycle_need),
    .fields = need_fields,
    .shorthand = "from",
    .position_offset = offsetof(struct lifecycle_need, at) + 1,
};

static const struct shape_field series_fields[] = {
    {.key = "name",
     .kind = SHAPE_STR,
     .offset = offsetof(struct lifecycle_series, name),
     .required = true,
     .doc = "The first parts of its versions."},
    {.key = "released",
     .kind = SHAPE_DATE,
     .offset = offsetof(struct lifecycle_series, released),
     .doc = "The first release."},
    {.key = "active_until",
     .kind = SHAPE_DATE,
     .offset = offsetof(struct lifecycle_series, active_until),
     .doc = "The last day of active support."},
    {.key = "end_of_life",
     .kind = SHAPE_DATE,
     .offset = offsetof(struct lifecycle_series, end_of_life),
     .doc = "The last day of any support; of a month alone its last day."},
    {.key = "lts",
     .kind = SHAPE_BOOL,
     .offset = offsetof(struct lifecycle_series, lts),
     .doc = "Long-term support."},
    {.key = "needs",
     .kind = SHAPE_MAP,
     .offset = offsetof(struct lifecycle_series, needs),
     .shape = &need_shape,
     .doc = "Other products, and their series."},
    {0},
};
static const struct shape series_shape = {
    .name = "series",
    .size_bytes = sizeof(struct lifecycle_series),
    .fields = series_fields,
    .shorthand = "name",
    .position_offset = offsetof(struct lifecycle_series, at) + 1,
};

static const struct shape_field fields[] = {
    {.key = "product",
     .kind = SHAPE_STR,
     .offset = offsetof(struct lifecycle, product),
     .required = true,
     .doc = "The name under which `upgrades` has it."},
    {.key = "title",
     .kind = SHAPE_STR,
     .offset = offsetof(struct lifecycle, title),
     .required = true,
     .doc = "The name for people."},
    {.key = "locked_as",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct lifecycle, locked_as),
     .shape = &shape_of_str,
     .min = 1,
     .max = 32,
     .required = true,
     .doc = "ECOSYSTEM:NAME in lock files: pypi, npm, go, image, runtime."},
    {.key = "source",
     .kind = SHAPE_STR,
     .offset = offsetof(struct lifecycle, source),
     .required = true,
     .doc = "Where the facts stand."},
    {.key = "as_of",
     .kind = SHAPE_DATE,
     .offset = offsetof(struct lifecycle, as_of),
     .required = true,
     .doc = "The day of which the facts are."},
    {.key = "series",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct lifecycle, series),
     .shape = &series_shape,
     .min = 1,
     .max = 256,
     .required = true,
     .doc = "Oldest first."},
    {0},
};
const struct shape lifecycle_shape = {
    .name = "lifecycle",
    .size_bytes = sizeof(struct lifecycle),
    .fields = fields,
    .position_offset = offsetof(struct lifecycle, at) + 1,
    .doc = "Series of one product, oldest first.",
};

static void check_dates(const struct lifecycle_series *one, struct problems *problems)
{
    bool late = one->released && one->end_of_life && one->end_of_life < one->released;
    bool past = one->active_until && one->end_of_life && one->end_of_life < one->active_until;
    bool before = one->released && one->active_until && one->active_until < one->released;
    if (late || past || before)
        problem_at(problems, one->at, "the dates of `" STR_FMT "` are in the wrong order",
                   STR_ARG(one->name));
}

static void check_needs(const struct lifecycle_series *one, struct problems *problems)
{
    const struct lifecycle_need *needs = one->needs.items;
    struct version from, to;
    for (size_t i = 0; i < one->needs.count; i++)
        if ((needs[i].from.len && !version_parse(needs[i].from, &from)) ||
            (needs[i].to.len && !version_parse(needs[i].to, &to)) ||
            (needs[i].from.len && needs[i].to.len && version_cmp(&from, &to) > 0))
            problem_at(problems, needs[i].at, "what `" STR_FMT "` needs is no range of versions",
                       STR_ARG(one->name));
}

bool lifecycle_bind(struct arena *arena, const struct node *root, struct lifecycle *ret,
                    struct problems *problems)
{
    size_t before = problems->count;
    if (!shape_bind(arena, &lifecycle_shape, root, ret, problems))
        return false;
    struct lifecycle_series *series = ret->series.items;
    for (size_t i = 0; i < ret->series.count; i++) {
        if (!version_parse(series[i].name, &series[i].version) || series[i].version.rest.len)
            problem_at(problems, series[i].at, "`" STR_FMT "` is no series: numbers with dots",
                       STR_ARG(series[i].name));
        else if (i && version_cmp(&series[i - 1].version, &series[i].version) >= 0)
            problem_at(problems, series[i].at, "`" STR_FMT "` stands after a later series",
                       STR_ARG(series[i].name));
        check_dates(&series[i], problems);
        check_needs(&series[i], problems);
    }
    const str *names = ret->locked_as.items;
    for (size_t i = 0; i < ret->locked_as.count; i++)
        if (str_find(names[i], ':') == STR_NONE)
            problem_at(problems, ret->at, "`" STR_FMT "` is not ECOSYSTEM:NAME", STR_ARG(names[i]));
    return problems->count == before;
}

const struct lifecycle *lifecycle_of(const struct lifecycles *tables, str product)
{
    for (size_t i = 0; tables && i < tables->count; i++)
        if (str_eq(tables->items[i].product, product))
            return &tables->items[i];
    return NULL;
}

bool lifecycle_has(const struct lifecycle *table, const struct locked *one)
{
    const str *names = table->locked_as.items;
    for (size_t i = 0; i < table->locked_as.count; i++) {
        str name = names[i], ecosystem = str_cut(&name, ':');
        if (str_eq(ecosystem, one->ecosystem) && str_eq(name, one->name))
            return true;
    }
    return false;
}

const struct lifecycle_series *lifecycle_series(const struct lifecycle *table,
                                                const struct version *version)
{
    const struct lifecycle_series *series = table->series.items;
    for (size_t i = table->series.count; i-- > 0;)
        if (version_within(version, &series[i].version))
            return &series[i];
    return NULL;
}

bool lifecycle_has_lts(const struct lifecycle *table)
{
    const struct lifecycle_series *series = table->series.items;
    for (size_t i = 0; i < table->series.count; i++)
        if (series[i].lts)
            return true;
    return false;
}

const char *step_unit_name(enum step_unit unit)
{
    static const char *const names[STEP_UNITS] = {"lts", "series", "major", "minor", "patch"};
    return names[unit];
}

// Which series a way through the table stops at: the long-term ones, the last of each major
// version, or all.
static bool stops(const struct lifecycle *table, size_t i, enum step_unit unit)
{
    const struct lifecycle_series *series = table->series.items;
    if (unit == STEP_LTS)
        return series[i].lts;
    if (unit == STEP_MAJOR)
        return i + 1 == table->series.count ||
               series[i + 1].version.parts[0] != series[i].version.parts[0];
    return true;
}

static uint32_t by_table(struct arena *arena, const struct lifecycle *table, enum step_unit unit,
                         const struct lifecycle_series *from, const struct lifecycle_series *to,
                         const struct lifecycle_series ***ret_rungs)
{
    const struct lifecycle_series *series = table->series.items;
    const struct lifecycle_series **rungs =
        ARENA_ARRAY(arena, const struct lifecycle_series *, table->series.count + 1);
    uint32_t count = 0;
    for (size_t i = (size_t)(from - series) + 1; &series[i] <= to; i++) {
        bool same_major =
            unit == STEP_MAJOR && (series[i].version.parts[0] == from->version.parts[0] ||
                                   series[i].version.parts[0] == to->version.parts[0]);
        if (&series[i] == to || (!same_major && stops(table, i, unit)))
            rungs[count++] = &series[i];
    }
    if (ret_rungs)
        *ret_rungs = rungs;
    return count;
}

static uint32_t by_numbers(enum step_unit unit, const struct version *from,
                           const struct version *to)
{
    size_t part = unit == STEP_MAJOR ? 0 : unit == STEP_MINOR ? 1 : 2;
    for (size_t i = 0; i < part; i++)
        if (from->parts[i] != to->parts[i])
            return STEP_TOO_FAR;
    return to->parts[part] - from->parts[part];
}

uint32_t lifecycle_steps(struct arena *arena, const struct lifecycle *table, enum step_unit unit,
                         const struct version *from, const struct version *to,
                         const struct lifecycle_series ***ret_rungs)
{
    const struct lifecycle_series *a = table ? lifecycle_series(table, from) : NULL;
    const struct lifecycle_series *b = table ? lifecycle_series(table, to) : NULL;
    const struct lifecycle_series **none = ARENA_ARRAY(arena, const struct lifecycle_series *, 1);
    bool numbers = unit == STEP_MAJOR || unit == STEP_MINOR || unit == STEP_PATCH;
    uint32_t count = 0;
    if (ret_rungs)
        *ret_rungs = none;
    if (version_cmp(from, to) >= 0)
        return 0;
    if (a && b && unit != STEP_PATCH)
        count = by_table(arena, table, unit, a, b, ret_rungs);
    else if (!numbers)
        return STEP_TOO_FAR;
    if (!numbers)
        return count;
    // Python 2.7 to 3.x is no number of minor steps.
    return by_numbers(unit, from, to);
}
