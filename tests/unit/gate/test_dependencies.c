#include "../expect.h"
#include "gate/dependencies.h"

Test(dependencies, every_built_in_table_is_well_formed)
{
    struct arena arena = {0};
    struct lifecycles tables;
    struct error err = {0};
    char text[1024];
    cr_assert(lifecycles_read(&arena, &tables, &err), "%s", error_text(&err, text, sizeof text));
    static const char *const products[] = {"celery", "django",     "node",
                                           "python", "postgresql", "redis"};
    cr_expect_eq(tables.count, 6);
    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        cr_expect_not_null(lifecycle_of(&tables, str_of(products[i])), "%s", products[i]);
    for (size_t i = 0; i < tables.count; i++) {
        const struct lifecycle_series *series = tables.items[i].series.items;
        for (size_t k = 0; k < tables.items[i].series.count; k++) {
            const struct lifecycle_need *needs = series[k].needs.items;
            for (size_t n = 0; n < series[k].needs.count; n++)
                cr_expect_not_null(lifecycle_of(&tables, needs[n].product), STR_FMT,
                                   STR_ARG(needs[n].product));
        }
    }
    arena_done(&arena);
}
