// The table of VEX statements and catalogue entries.
#include "gate/reports/statement.h"

#include "gate/base/limits.h"
#include "gate/reports/evidence.h"

const char *statement_kind_name(enum statement_kind kind)
{
    static const char *const names[] = {"not affected", "fixed",     "affected",
                                        "in triage",    "exploited", "probability"};
    return names[kind];
}

static str *kept_list(struct arena *arena, const str *list, size_t count)
{
    if (count == 0)
        return NULL; // a catalogue has hundreds of thousands of entries without any
    str *copy = ARENA_ARRAY(arena, str, count);
    for (size_t i = 0; i < count; i++)
        copy[i] = arena_str(arena, list[i]);
    return copy;
}

bool statement_take(struct evidence *evidence, const struct statement *one, struct error *err)
{
    struct statements *all = &evidence->statements;
    if (one->id.len == 0)
        return error_set(err, ERROR_INPUT, "a statement names no vulnerability");
    if (!(one->epss >= 0 && one->epss <= 1))
        return error_set(err, ERROR_INPUT, "the EPSS of " STR_FMT " is not from 0 to 1",
                         STR_ARG(str_shorten(one->id, 80)));
    if (all->count >= LIMIT_STATEMENTS)
        return error_set(err, ERROR_LIMIT, "the reports hold more than %u statements",
                         LIMIT_STATEMENTS);
    if (all->count == all->room) { // on the heap: a catalogue's table is large when it grows
        all->room = all->room ? all->room * 2 : 64;
        all->items = memory_grow(all->items, all->room * sizeof *all->items);
    }
    all->items[all->count++] = *one;
    return true;
}

bool statement_add(struct evidence *evidence, const struct statement *one, struct error *err)
{
    struct arena *arena = &evidence->arena;
    struct statement copy = *one;
    copy.id = arena_str(arena, one->id);
    copy.aliases = kept_list(arena, one->aliases, one->alias_count);
    copy.products = kept_list(arena, one->products, one->product_count);
    copy.justification =
        one->justification.len ? arena_str(arena, one->justification) : (str){"", 0};
    return statement_take(evidence, &copy, err);
}
