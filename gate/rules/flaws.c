#include "gate/rules/flaws.h"

#include "gate/reports/purl.h"

#include <stdlib.h>

struct named { // a name, and the flaw that bears it
    str name;
    size_t flaw;
};

struct making {
    struct arena *arena;
    const struct evidence *evidence;
    struct flaws *flaws;
    struct named *names; // sorted
    size_t name_count;
};

static int by_name(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = str_cmp_any_case(x->name, y->name);
    return order ? order : (x->flaw > y->flaw) - (x->flaw < y->flaw);
}

// ---- groups -------------------------------------------------------------------------------------
static void add_name(struct flaw *flaw, str name)
{
    for (size_t i = 0; i < flaw->name_count; i++)
        if (same_word(flaw->names[i], name))
            return;
    flaw->names[flaw->name_count++] = name;
}

static int rank_of(str name) // of the names of a flaw the best known one
{
    if (str_cmp_any_case(str_first(name, 4), STR("CVE-")) == 0)
        return 2;
    return str_cmp_any_case(str_first(name, 5), STR("GHSA-")) == 0;
}

static void name_flaw(struct flaw *flaw)
{
    flaw->id = flaw->names[0];
    for (size_t i = 1; i < flaw->name_count; i++) {
        int rank = rank_of(flaw->names[i]), best = rank_of(flaw->id);
        if (rank > best || (rank && rank == best && str_cmp_any_case(flaw->names[i], flaw->id) < 0))
            flaw->id = flaw->names[i];
    }
}

static void make_groups(struct making *m, const struct vulnerabilities *open)
{
    size_t groups, *group = ARENA_ARRAY(m->arena, size_t, open->count + 1);
    vulnerabilities_group(open, group, &groups);
    struct flaw *items = ARENA_ARRAY(m->arena, struct flaw, groups + 1);
    size_t *entries = ARENA_ARRAY(m->arena, size_t, groups + 1);
    size_t *names = ARENA_ARRAY(m->arena, size_t, groups + 1);
    for (size_t i = 0; i < open->count; i++) {
        entries[group[i]]++;
        names[group[i]] += 1 + open->items[i].alias_count;
        m->name_count += 1 + open->items[i].alias_count;
    }
    for (size_t i = 0; i < groups; i++)
        items[i] = (struct flaw){
            .entries = (const struct vulnerability **)arena_array(m->arena, entries[i],
                                                                  sizeof *items[i].entries),
            .names = ARENA_ARRAY(m->arena, str, names[i]),
            .cvss = SCORE_UNKNOWN,
            .epss = SCORE_UNKNOWN,
            .in_code = true,
        };
    for (size_t i = 0; i < open->count; i++) {
        struct flaw *flaw = &items[group[i]];
        const struct vulnerability *one = &open->items[i];
        flaw->entries[flaw->entry_count++] = one;
        add_name(flaw, one->id);
        for (size_t k = 0; k < one->alias_count; k++)
            add_name(flaw, one->aliases[k]);
    }
    for (size_t i = 0; i < groups; i++)
        name_flaw(&items[i]);
    m->flaws->items = items;
    m->flaws->count = groups;
}

static void index_names(struct making *m)
{
    size_t n = 0;
    m->names = ARENA_ARRAY(m->arena, struct named, m->name_count + 1);
    for (size_t i = 0; i < m->flaws->count; i++)
        for (size_t k = 0; k < m->flaws->items[i].name_count; k++)
            m->names[n++] = (struct named){m->flaws->items[i].names[k], i};
    m->name_count = n;
    qsort(m->names, n, sizeof *m->names, by_name);
}

static struct flaw *flaw_named(const struct making *m, str name)
{
    size_t low = 0, high = m->name_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_cmp_any_case(m->names[middle].name, name);
        if (order == 0)
            return &m->flaws->items[m->names[middle].flaw];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static struct flaw *flaw_of(const struct making *m, const struct statement *statement)
{
    struct flaw *flaw = flaw_named(m, statement->id);
    for (size_t i = 0; !flaw && i < statement->alias_count; i++)
        flaw = flaw_named(m, statement->aliases[i]);
    return flaw;
}

// ---- VEX ----------------------------------------------------------------------------------------
static bool is_vex(const struct statement *statement)
{
    return statement->kind < STATEMENT_EXPLOITED;
}

// A package URL without a version speaks of all versions; a plain name is the package's.
static bool product_is(const struct making *m, str product, const struct vulnerability *entry)
{
    struct purl said, own;
    if (entry->purl.len && same_word(product, entry->purl))
        return true;
    if (!purl_parse(m->arena, product, &said))
        return entry->package.len && same_word(product, entry->package);
    if (!entry->purl.len || !purl_parse(m->arena, entry->purl, &own))
        return entry->package.len && same_word(said.name, entry->package) &&
               (said.version.len == 0 || str_eq(said.version, entry->version)) &&
               (entry->ecosystem.len == 0 || same_word(said.type, entry->ecosystem));
    return same_word(said.type, own.type) && same_word(said.name, own.name) &&
           (said.version.len == 0 || str_eq(said.version, own.version));
}

static bool speaks_of(const struct making *m, const struct statement *statement,
                      const struct vulnerability *entry)
{
    for (size_t i = 0; i < statement->product_count; i++)
        if (product_is(m, statement->products[i], entry))
            return true;
    return statement->product_count == 0;
}

struct about { // a VEX statement, and the flaw that it speaks of
    size_t flaw, statement;
};

static int by_flaw(const void *a, const void *b)
{
    const struct about *x = a, *y = b;
    if (x->flaw != y->flaw)
        return x->flaw < y->flaw ? -1 : 1;
    return (x->statement > y->statement) - (x->statement < y->statement);
}

static struct about *list_vex(const struct making *m, size_t *ret_count)
{
    const struct statements *all = &m->evidence->statements;
    struct about *list = NULL;
    size_t count = 0, room = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct flaw *flaw = is_vex(&all->items[i]) ? flaw_of(m, &all->items[i]) : NULL;
        if (!flaw)
            continue;
        list = arena_grow(m->arena, list, count, &room, sizeof *list);
        list[count++] = (struct about){(size_t)(flaw - m->flaws->items), i};
    }
    if (count)
        qsort(list, count, sizeof *list, by_flaw);
    *ret_count = count;
    return list;
}

// Of statements about one entry the newest counts; of equally old ones the last in the documents.
static const struct statement *newest_about(const struct making *m, const struct about *list,
                                            size_t count, const struct vulnerability *entry)
{
    const struct statement *newest = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct statement *one = &m->evidence->statements.items[list[i].statement];
        if (!speaks_of(m, one, entry))
            continue;
        m->flaws->used[list[i].statement] = true;
        if (!newest || one->at_ms >= newest->at_ms)
            newest = one;
    }
    return newest;
}

static void clear_entries(const struct making *m, struct flaw *flaw, const struct about *list,
                          size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < flaw->entry_count; i++) {
        const struct statement *newest = newest_about(m, list, count, flaw->entries[i]);
        if (newest && (newest->kind == STATEMENT_NOT_AFFECTED || newest->kind == STATEMENT_FIXED)) {
            flaw->cleared = newest;
            flaw->cleared_count++;
        } else {
            flaw->entries[kept++] = flaw->entries[i];
        }
    }
    flaw->entry_count = kept;
}

static void apply_vex(const struct making *m)
{
    size_t count, to;
    const struct about *list = list_vex(m, &count);
    for (size_t from = 0; from < count; from = to) {
        for (to = from; to < count && list[to].flaw == list[from].flaw;)
            to++;
        clear_entries(m, &m->flaws->items[list[from].flaw], &list[from], to - from);
    }
}

// ---- what is known of each ----------------------------------------------------------------------
static void sum_up(struct flaw *flaw)
{
    bool none = flaw->entry_count > 0;
    for (size_t i = 0; i < flaw->entry_count; i++) {
        const struct vulnerability *one = flaw->entries[i];
        if (one->severity > flaw->severity)
            flaw->severity = one->severity;
        if (one->cvss > flaw->cvss)
            flaw->cvss = one->cvss;
        if (one->epss > flaw->epss)
            flaw->epss = one->epss;
        if (one->fix == FIX_AVAILABLE)
            flaw->fix = FIX_AVAILABLE;
        none &= one->fix == FIX_NONE;
        flaw->known_exploited |= one->known_exploited;
        flaw->in_code &= one->package.len == 0;
    }
    if (none)
        flaw->fix = FIX_NONE;
    if (flaw->severity == SEVERITY_UNKNOWN)
        flaw->severity = severity_of_score(flaw->cvss);
}

static void add_catalogue(const struct making *m, size_t number)
{
    const struct statement *one = &m->evidence->statements.items[number];
    struct flaw *flaw = is_vex(one) ? NULL : flaw_of(m, one);
    if (!flaw)
        return;
    m->flaws->used[number] = true;
    if (one->kind == STATEMENT_PROBABILITY && one->epss > flaw->epss)
        flaw->epss = one->epss;
    if (one->kind == STATEMENT_EXPLOITED) {
        flaw->known_exploited = true;
        if (one->due_days && (!flaw->due_days || one->due_days < flaw->due_days))
            flaw->due_days = one->due_days;
    }
}

static int worst_first(const void *a, const void *b)
{
    const struct flaw *x = a, *y = b;
    if (x->known_exploited != y->known_exploited)
        return x->known_exploited ? -1 : 1;
    if (x->cvss > y->cvss || x->cvss < y->cvss)
        return x->cvss > y->cvss ? -1 : 1;
    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    return str_cmp_any_case(x->id, y->id);
}

void flaws_make(struct arena *arena, const struct evidence *evidence, struct flaws *ret)
{
    const struct vulnerabilities *all = &evidence->vulnerabilities;
    struct vulnerabilities open = {ARENA_ARRAY(arena, struct vulnerability, all->count + 1), 0, 0};
    struct making m = {.arena = arena, .evidence = evidence, .flaws = ret};
    *ret = (struct flaws){.used = ARENA_ARRAY(arena, bool, evidence->statements.count + 1)};
    for (size_t i = 0; i < all->count; i++)
        if (!all->items[i].suppressed)
            open.items[open.count++] = all->items[i];
    make_groups(&m, &open);
    index_names(&m);
    apply_vex(&m);
    for (size_t i = 0; i < ret->count; i++)
        sum_up(&ret->items[i]);
    for (size_t i = 0; i < evidence->statements.count; i++)
        add_catalogue(&m, i);
    if (ret->count)
        qsort(ret->items, ret->count, sizeof *ret->items, worst_first);
}
