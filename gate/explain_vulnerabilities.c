// Vulnerabilities traced back: which scanner found what in which package, and who says that it does
// no harm here.
#include "gate/explain_parts.h"
#include "gate/rules/flaws.h"

static const char *scores(struct explaining *e, const struct vulnerability *one)
{
    struct text text = text_of(1024);
    text_addf(&text, STR_FMT ", %s", STR_ARG(one->id), severity_name(one->severity));
    if (one->cvss >= 0)
        text_addf(&text, ", CVSS %.1f", one->cvss);
    if (one->epss >= 0)
        text_addf(&text, ", EPSS %.1f%%", one->epss * 100);
    if (one->known_exploited)
        text_adds(&text, ", known to be exploited");
    if (one->fixed.len)
        text_addf(&text, "; mended in " STR_FMT, STR_ARG(str_shorten(one->fixed, 200)));
    else if (one->fix == FIX_NONE)
        text_adds(&text, "; no version mends it");
    if (one->suppressed)
        text_addf(&text, "; suppressed in the report%s" STR_FMT,
                  one->suppressed_why.len ? ": " : "",
                  STR_ARG(str_shorten(one->suppressed_why, 200)));
    const char *words = arena_copy(e->arena, text_str(&text));
    text_done(&text);
    return words;
}

static void take_entry(struct explaining *e, const struct vulnerability *one)
{
    const char *name;
    if (one->package.len)
        name = arena_format(e->arena, STR_FMT "%s" STR_FMT, STR_ARG(one->package),
                            one->version.len ? " " : "", STR_ARG(one->version))
                   .data;
    else
        name = arena_copy(e->arena, one->title.len ? one->title : one->id);
    struct explained_item *item = explain_item(e, name);
    item->note = scores(e, one);
    if (one->path.len)
        item->where = (struct place){arena_copy(e->arena, one->path), one->line, 0};
    explain_source(e, item, one->report, one->offset, one->offset);
}

static bool names_flaw(const struct statement *statement, const struct flaw *flaw)
{
    for (size_t i = 0; i < flaw->name_count; i++) {
        if (same_word(statement->id, flaw->names[i]))
            return true;
        for (size_t k = 0; k < statement->alias_count; k++)
            if (same_word(statement->aliases[k], flaw->names[i]))
                return true;
    }
    return false;
}

// Statements and catalogue entries that speak of the flaw.
static void take_statements(struct explaining *e, const struct flaw *flaw)
{
    const struct statements *all = &e->gate->evidence.statements;
    for (size_t i = 0; i < all->count; i++) {
        const struct statement *one = &all->items[i];
        if (!names_flaw(one, flaw))
            continue;
        struct explained_item *item = explain_item(
            e, arena_format(e->arena, STR_FMT " is said to be %s", STR_ARG(one->id),
                            one->kind == STATEMENT_PROBABILITY ? "exploited with some probability"
                                                               : statement_kind_name(one->kind))
                   .data);
        if (one->kind == STATEMENT_PROBABILITY)
            item->note = arena_format(e->arena, "EPSS %.2f%%", one->epss * 100).data;
        else if (one->justification.len)
            item->note = arena_copy(e->arena, one->justification);
        explain_source(e, item, one->report, one->offset, one->offset);
    }
}

static void take_unused(struct explaining *e, const struct flaws *flaws)
{
    const struct statements *all = &e->gate->evidence.statements;
    for (size_t i = 0; i < all->count; i++) {
        const struct statement *one = &all->items[i];
        if ((one->kind != STATEMENT_NOT_AFFECTED && one->kind != STATEMENT_FIXED) || flaws->used[i])
            continue;
        struct explained_item *item = explain_item(e, arena_copy(e->arena, one->id));
        item->note = one->justification.len ? arena_copy(e->arena, one->justification) : NULL;
        explain_source(e, item, one->report, one->offset, one->offset);
    }
}

// What scanners found and a statement clears.
static void take_cleared(struct explaining *e, const struct flaw *flaw)
{
    const struct vulnerabilities *all = &e->gate->evidence.vulnerabilities;
    for (size_t i = 0; i < all->count; i++)
        for (size_t k = 0; k < flaw->name_count; k++)
            if (vulnerability_named(&all->items[i], flaw->names[k])) {
                take_entry(e, &all->items[i]);
                break;
            }
}

static const char *way_of(struct explaining *e, const struct flaw *flaw)
{
    struct text text = text_of(1024);
    for (size_t i = 0; i < flaw->entry_count; i++) {
        const struct vulnerability *one = flaw->entries[i];
        bool again = false;
        for (size_t k = 0; k < i && !again; k++)
            again = str_eq(flaw->entries[k]->package, one->package);
        if (again || !one->package.len || !one->fixed.len)
            continue;
        text_addf(&text, "%s" STR_FMT " to " STR_FMT, text.len ? ", " : "upgrade ",
                  STR_ARG(one->package), STR_ARG(str_shorten(one->fixed, 100)));
    }
    const char *words = text.len ? arena_copy(e->arena, text_str(&text)) : NULL;
    text_done(&text);
    return words;
}

void explain_vulnerabilities(struct explaining *e)
{
    struct flaws flaws;
    str subject = explain_subject(e);
    bool unscored = strcmp(e->finding->id, "vulnerabilities.unscored") == 0;
    flaws_make(e->arena, &e->gate->evidence, &flaws);
    e->out->unit = "findings of scanners";
    if (strcmp(e->finding->id, "vulnerabilities.vex.unused") == 0) {
        e->out->unit = "statements";
        take_unused(e, &flaws);
        return;
    }
    for (size_t i = 0; i < flaws.count; i++) {
        const struct flaw *flaw = &flaws.items[i];
        if (subject.len ? !str_eq(flaw->id, subject)
                        : unscored && (flaw->severity != SEVERITY_UNKNOWN || flaw->cvss >= 0))
            continue;
        for (size_t k = 0; k < flaw->entry_count; k++)
            take_entry(e, flaw->entries[k]);
        if (subject.len && flaw->entry_count == 0)
            take_cleared(e, flaw);
        if (subject.len) {
            take_statements(e, flaw);
            if (e->finding->judged > VERDICT_PASS)
                e->out->way = way_of(e, flaw);
        }
    }
}
