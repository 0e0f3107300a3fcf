#include "gate/reports/statement_draft.h"

#include "gate/base/limits.h"
#include "gate/reports/evidence.h"

static void begin_text(struct text *text)
{
    text->max = LIMIT_TOKEN_BYTES;
    text_clear(text);
    text->full = false;
}

void statement_draft_clear(struct statement_draft *draft)
{
    begin_text(&draft->id);
    begin_text(&draft->justification);
    begin_text(&draft->aliases);
    begin_text(&draft->products);
    draft->products.max =
        (size_t)16 * LIMIT_TOKEN_BYTES; // a distribution names thousands of builds
    draft->kind = STATEMENT_IN_TRIAGE;
    draft->at_ms = draft->due_days = 0;
    draft->epss = 0;
}

void statement_draft_done(struct statement_draft *draft)
{
    text_done(&draft->id);
    text_done(&draft->justification);
    text_done(&draft->aliases);
    text_done(&draft->products);
}

void statement_draft_id(struct statement_draft *draft, str name)
{
    begin_text(&draft->id);
    text_add(&draft->id, str_trim(name));
}

static void add_name(struct text *list, str name)
{
    name = str_trim(name);
    if (name.len == 0 || str_find(name, '\0') != STR_NONE)
        return;
    text_add(list, name);
    text_addc(list, '\0');
}

void statement_draft_alias(struct statement_draft *draft, str name)
{
    add_name(&draft->aliases, name);
}

void statement_draft_product(struct statement_draft *draft, str name)
{
    add_name(&draft->products, name);
}

void statement_draft_why(struct statement_draft *draft, str words)
{
    words = str_trim(words);
    begin_text(&draft->justification);
    text_add(&draft->justification,
             str_shorten(str_trim(str_cut(&words, '\n')), STATEMENT_LINE_BYTES));
}

// The names of a list, in a copy of it that they share: each is followed by its NUL.
static str *split(struct arena *arena, str all, str without, size_t *ret_count)
{
    size_t count = 0, n = 0;
    *ret_count = 0;
    if (all.len == 0)
        return NULL; // as in each row of a catalogue
    all = arena_str(arena, all);
    for (str rest = all; rest.len; (void)str_cut(&rest, '\0'))
        count++;
    str *list = ARENA_ARRAY(arena, str, count);
    while (all.len) {
        str name = str_cut(&all, '\0');
        if (!str_eq(name, without))
            list[n++] = name;
    }
    *ret_count = n;
    return list;
}

bool statement_draft_take(const struct statement_draft *draft, struct evidence *evidence,
                          uint32_t report, uint64_t offset, struct error *err)
{
    struct arena *arena = &evidence->arena;
    str why = text_str(&draft->justification);
    if (text_full(&draft->id) || text_full(&draft->aliases) || text_full(&draft->products))
        return error_set(err, ERROR_LIMIT, "a statement names more than %u MiB of products",
                         16 * LIMIT_TOKEN_BYTES >> 20);
    struct statement one = {
        .kind = draft->kind,
        .id = arena_str(arena, text_str(&draft->id)),
        .justification = why.len ? arena_str(arena, why) : (str){"", 0},
        .epss = draft->epss,
        .at_ms = draft->at_ms,
        .due_days = draft->due_days,
        .report = report,
        .offset = offset,
    };
    one.aliases = split(arena, text_str(&draft->aliases), one.id, &one.alias_count);
    one.products = split(arena, text_str(&draft->products), (str){NULL, 0}, &one.product_count);
    return statement_take(evidence, &one, err);
}
