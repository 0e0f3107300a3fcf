// Vulnerabilities: what blocks by the policy's conditions, what has stayed longer than it may, what
// VEX documents clear. One flaw is one finding, whatever the number of scanners and names.
#include "gate/base/glob.h"
#include "gate/base/moment.h"
#include "gate/risk/locks.h"
#include "gate/rules/flaws.h"
#include "gate/rules/name_list.h"
#include "gate/rules/registry.h"

#define NAMED 5u // names in one message

struct judging {
    const struct rule_context *context;
    const struct vulnerability_demands *demands;
    struct findings *out;
    size_t blocked, overdue;
};

static const char *copy(struct judging *j, str s)
{
    return arena_copy(j->out->arena, s);
}

// ---- whose it is --------------------------------------------------------------------------------
static bool touches_dependencies(const struct rule_input *in)
{
    for (size_t i = 0; i < in->changed_count; i++)
        if (names_dependencies(in->changed[i].path))
            return true;
    return false;
}

static bool line_changed(const struct rule_input *in, const struct vulnerability *entry)
{
    for (size_t i = 0; i < in->changed_count; i++) {
        const struct changed_file *file = &in->changed[i];
        if (!str_eq(file->path, entry->path))
            continue;
        if (entry->line == 0)
            return true;
        for (size_t k = 0; k < file->range_count; k++)
            if (entry->line >= file->ranges[k].from && entry->line <= file->ranges[k].to)
                return true;
    }
    return false;
}

static int64_t first_seen(const struct rule_input *in, const struct flaw *flaw)
{
    int64_t first = 0;
    for (size_t i = 0; i < flaw->name_count; i++) {
        int64_t seen = history_first_seen(in->history, flaw->names[i]);
        if (seen && (!first || seen < first))
            first = seen;
    }
    return first;
}

static enum scope scope_of_code(const struct rule_input *in, const struct flaw *flaw)
{
    for (size_t i = 0; i < flaw->entry_count; i++)
        if (line_changed(in, flaw->entries[i]))
            return SCOPE_YOURS;
    return SCOPE_INHERITED;
}

// What the record had before is inherited. What it had not, and no file that names dependencies has
// changed, came from outside: it was published since.
static enum scope scope_of(const struct rule_input *in, const struct flaw *flaw)
{
    if (in->changed_unknown)
        return SCOPE_YOURS;
    if (flaw->in_code)
        return scope_of_code(in, flaw);
    if (first_seen(in, flaw))
        return SCOPE_INHERITED;
    return touches_dependencies(in) ? SCOPE_YOURS : SCOPE_ENVIRONMENT;
}

// ---- words --------------------------------------------------------------------------------------
static const char *packages_of(struct judging *j, const struct flaw *flaw)
{
    struct name_list names = name_list_of(NAMED);
    for (size_t i = 0; i < flaw->entry_count; i++) {
        const struct vulnerability *one = flaw->entries[i];
        bool again = false;
        for (size_t k = 0; k < i && !again; k++)
            again = str_eq(flaw->entries[k]->package, one->package) &&
                    str_eq(flaw->entries[k]->version, one->version);
        if (!again && one->package.len)
            name_list_addf(&names, STR_FMT "%s" STR_FMT, STR_ARG(one->package),
                           one->version.len ? " " : "", STR_ARG(one->version));
    }
    const char *words = name_list_words(&names, j->out);
    name_list_done(&names);
    return words;
}

static void add_scores(const struct flaw *flaw, struct text *text)
{
    text_addf(text, "%s", severity_name(flaw->severity));
    if (flaw->cvss >= 0)
        text_addf(text, ", CVSS %.1f", flaw->cvss);
    if (flaw->epss >= 0)
        text_addf(text, ", EPSS %.1f%%", flaw->epss * 100);
    if (flaw->known_exploited)
        text_adds(text, ", known to be exploited");
}

// "CVE-2024-1 in django 4.2.1 (critical, CVSS 9.8, EPSS 12.0%)"
static const char *describe(struct judging *j, const struct flaw *flaw)
{
    struct text text = text_of(2048);
    text_add(&text, flaw->id);
    const char *packages = packages_of(j, flaw);
    if (*packages)
        text_addf(&text, " in %s", packages);
    else if (flaw->entries[0]->title.len) // a flaw in code
        text_addf(&text, ", " STR_FMT, STR_ARG(str_shorten(flaw->entries[0]->title, 160)));
    text_adds(&text, " (");
    add_scores(flaw, &text);
    text_addc(&text, ')');
    const char *words = copy(j, text_str(&text));
    text_done(&text);
    return words;
}

static const char *advice(struct judging *j, const struct flaw *flaw)
{
    for (size_t i = 0; i < flaw->entry_count; i++) {
        const struct vulnerability *one = flaw->entries[i];
        if (one->fixed.len && one->package.len)
            return finding_text(j->out, "Upgrade " STR_FMT " to " STR_FMT ".",
                                STR_ARG(one->package), STR_ARG(str_shorten(one->fixed, 200)));
    }
    if (flaw->in_code)
        return "Mend the code at these places.";
    return flaw->fix == FIX_NONE
               ? "No version mends it: take the package out, or have its use assessed (VEX, "
                 "waiver)."
               : "Upgrade or replace the package, or have its use assessed (VEX, waiver).";
}

static void fill(struct judging *j, const struct flaw *flaw, struct finding *finding)
{
    finding->scope = scope_of(j->context->in, flaw);
    finding->names = flaw->names;
    finding->name_count = flaw->name_count;
    finding->advice = advice(j, flaw);
    for (size_t i = 0; i < flaw->entry_count; i++)
        if (flaw->entries[i]->path.len)
            finding_place(j->out, finding, copy(j, flaw->entries[i]->path), flaw->entries[i]->line,
                          0);
}

// ---- conditions ---------------------------------------------------------------------------------
static bool entry_meets(const struct block_condition *condition, const struct flaw *flaw)
{
    for (size_t i = 0; i < flaw->entry_count; i++) {
        const struct vulnerability *one = flaw->entries[i];
        if ((!condition->package.len || glob_match(condition->package, one->package)) &&
            (!condition->ecosystem.len || same_word(condition->ecosystem, one->ecosystem)))
            return true;
    }
    return false;
}

static bool meets(const struct block_condition *condition, const struct flaw *flaw)
{
    static const enum severity least[] = {SEVERITY_UNKNOWN, SEVERITY_LOW, SEVERITY_MEDIUM,
                                          SEVERITY_HIGH, SEVERITY_CRITICAL};
    static const enum fix_state fixes[] = {FIX_UNKNOWN, FIX_AVAILABLE, FIX_NONE};
    return (!condition->is || flaw->known_exploited) &&
           score_meets(&condition->cvss_limit, flaw->cvss) &&
           score_meets(&condition->epss_limit, flaw->epss) &&
           (!condition->severity || flaw->severity >= least[condition->severity]) &&
           (!condition->fix || flaw->fix == fixes[condition->fix]) && entry_meets(condition, flaw);
}

static const char *condition_text(struct judging *j, const struct block_condition *condition)
{
    static const char *const severities[] = {"", "low", "medium", "high", "critical"};
    static const char *const fixes[] = {"", "available", "none"};
    struct text text = text_of(512);
    if (condition->is)
        text_adds(&text, " known_exploited");
    if (condition->cvss.len)
        text_addf(&text, " cvss " STR_FMT, STR_ARG(condition->cvss));
    if (condition->epss.len)
        text_addf(&text, " epss " STR_FMT, STR_ARG(condition->epss));
    if (condition->severity)
        text_addf(&text, " severity %s", severities[condition->severity]);
    if (condition->fix)
        text_addf(&text, " fix %s", fixes[condition->fix]);
    if (condition->package.len)
        text_addf(&text, " package " STR_FMT, STR_ARG(condition->package));
    if (condition->ecosystem.len)
        text_addf(&text, " ecosystem " STR_FMT, STR_ARG(condition->ecosystem));
    const char *words = copy(j, str_trim(text_str(&text)));
    text_done(&text);
    return words;
}

static bool judge_block(struct judging *j, const struct flaw *flaw)
{
    const struct block_condition *conditions = j->demands->block.items;
    for (size_t i = 0; i < j->demands->block.count; i++) {
        if (!meets(&conditions[i], flaw))
            continue;
        struct finding *finding =
            finding_add(j->out, "vulnerabilities", VERDICT_BLOCK,
                        "vulnerabilities.block[" STR_FMT "]", STR_ARG(flaw->id));
        finding->want = finding_text(j->out, "not: %s", condition_text(j, &conditions[i]));
        finding->message = finding_text(j->out, "%s meets the condition `%s`.", describe(j, flaw),
                                        condition_text(j, &conditions[i]));
        fill(j, flaw, finding);
        j->blocked++;
        return true;
    }
    return false;
}

// ---- clocks -------------------------------------------------------------------------------------
// The last moment at which the flaw may still be there; INT64_MAX = no limit. A flaw that the
// record does not know is seen for the first time now.
static int64_t due_of(const struct judging *j, const struct flaw *flaw, int64_t *ret_first)
{
    const struct rule_input *in = j->context->in;
    int64_t first = first_seen(in, flaw), due = INT64_MAX;
    *ret_first = first ? first : in->now_ms;
    int64_t limit = sla_of(j->demands->sla, flaw->severity);
    if (limit)
        due = *ret_first + limit;
    if (flaw->due_days && (flaw->due_days + 1) * MS_DAY - 1 < due)
        due = (flaw->due_days + 1) * MS_DAY - 1;
    return due;
}

static void judge_clock(struct judging *j, const struct flaw *flaw)
{
    int64_t first, due;
    if (!j->demands->sla)
        return;
    due = due_of(j, flaw, &first);
    if (j->context->in->now_ms <= due)
        return;
    struct finding *finding = finding_add(j->out, "vulnerabilities", VERDICT_BLOCK,
                                          "vulnerabilities.sla[" STR_FMT "]", STR_ARG(flaw->id));
    long long late = (long long)((j->context->in->now_ms - due) / MS_DAY);
    finding->have = finding_text(j->out, "%lld %s late", late, late == 1 ? "day" : "days");
    finding->want = finding_day(j->out, due / MS_DAY);
    finding->message =
        finding_text(j->out, "%s was to be mended by %s: it is known since %s.", describe(j, flaw),
                     finding->want, finding_day(j->out, first / MS_DAY));
    fill(j, flaw, finding);
    finding->scope = finding->scope == SCOPE_YOURS ? SCOPE_YOURS : SCOPE_ENVIRONMENT;
    j->overdue++;
}

// ---- VEX ----------------------------------------------------------------------------------------
static const char *document_of(struct judging *j, const struct statement *statement)
{
    const struct report *report = &j->context->in->evidence->reports[statement->report];
    return report->entry ? finding_text(j->out, "%s!%s", report->path, report->entry)
                         : report->path;
}

static void say_cleared(struct judging *j, const struct flaw *flaw)
{
    struct finding *finding = finding_add(j->out, "vulnerabilities", VERDICT_PASS,
                                          "vulnerabilities.vex[" STR_FMT "]", STR_ARG(flaw->id));
    const char *document = document_of(j, flaw->cleared);
    str why = flaw->cleared->justification;
    finding->waived_by = document;
    finding->names = flaw->names;
    finding->name_count = flaw->name_count;
    finding->message =
        finding_text(j->out, "%s says that " STR_FMT " is %s here%s" STR_FMT ".", document,
                     STR_ARG(flaw->id), statement_kind_name(flaw->cleared->kind),
                     why.len ? ": " : "", STR_ARG(str_shorten(why, 200)));
    finding_place(j->out, finding, document, 0, 0);
}

static void say_unused(struct judging *j, const struct flaws *flaws)
{
    const struct statements *all = &j->context->in->evidence->statements;
    struct name_list names = name_list_of(NAMED);
    for (size_t i = 0; i < all->count; i++) {
        bool clears =
            all->items[i].kind == STATEMENT_NOT_AFFECTED || all->items[i].kind == STATEMENT_FIXED;
        if (!clears || flaws->used[i])
            continue;
        name_list_addf(&names, STR_FMT " (%s)", STR_ARG(str_shorten(all->items[i].id, 100)),
                       document_of(j, &all->items[i]));
    }
    size_t count = names.count;
    if (count) {
        struct finding *finding =
            finding_add(j->out, "vulnerabilities", VERDICT_WARN, "vulnerabilities.vex.unused");
        finding->scope = SCOPE_INHERITED;
        finding->have = finding_text(j->out, "%zu", count);
        finding->want = "0";
        finding->message =
            finding_text(j->out, "%zu VEX %s nothing that a scanner found: %s.", count,
                         count == 1 ? "statement speaks of" : "statements speak of",
                         name_list_words(&names, j->out));
        finding->advice = "Remove what is over, or correct the name or the product.";
    }
    name_list_done(&names);
}

// ---- all of it ----------------------------------------------------------------------------------
// Nobody can say whether it is harmless.
static void say_unscored(struct judging *j, const struct flaws *flaws)
{
    struct name_list names = name_list_of(NAMED);
    for (size_t i = 0; i < flaws->count; i++) {
        const struct flaw *flaw = &flaws->items[i];
        if (flaw->entry_count == 0 || flaw->severity != SEVERITY_UNKNOWN || flaw->cvss >= 0)
            continue;
        name_list_add(&names, flaw->id);
    }
    size_t count = names.count;
    if (count) {
        struct finding *finding =
            finding_add(j->out, "vulnerabilities", VERDICT_WARN, "vulnerabilities.unscored");
        finding->scope = SCOPE_ENVIRONMENT;
        finding->have = finding_text(j->out, "%zu", count);
        finding->want = "0";
        finding->message =
            finding_text(j->out, "%zu %s neither a severity nor a score: %s.", count,
                         count == 1 ? "flaw has" : "flaws have", name_list_words(&names, j->out));
        finding->advice = "Look them up; a scanner with a fuller database may know them.";
    }
    name_list_done(&names);
}

static void say_total(struct judging *j)
{
    struct vulnerability_totals totals =
        vulnerabilities_totals(&j->context->in->evidence->vulnerabilities);
    if (j->blocked + j->overdue)
        return;
    struct finding *finding =
        finding_add(j->out, "vulnerabilities", VERDICT_PASS, "vulnerabilities.total");
    finding->have = finding_text(j->out, "%llu", (unsigned long long)totals.groups);
    finding->sense = FIGURE_LESS_IS_BETTER;
    if (totals.total == 0)
        finding->message = "The scanners found nothing.";
    else
        finding->message =
            finding_text(j->out, "%llu findings, %llu flaws; none meets a condition that blocks%s.",
                         (unsigned long long)totals.total, (unsigned long long)totals.groups,
                         j->demands->sla ? ", none is overdue" : "");
    if (totals.suppressed)
        finding->message =
            finding_text(j->out, "%s %llu are suppressed by the scanners' own rules.",
                         finding->message, (unsigned long long)totals.suppressed);
}

static void judge(const struct rule_context *context, struct findings *out)
{
    struct judging j = {
        .context = context, .demands = context->in->demands->vulnerabilities, .out = out};
    struct flaws flaws;
    if (!j.demands || !context->in->evidence->has[EVIDENCE_VULNERABILITIES])
        return;
    flaws_make(out->arena, context->in->evidence, &flaws);
    for (size_t i = 0; i < flaws.count; i++) {
        const struct flaw *flaw = &flaws.items[i];
        if (flaw->entry_count == 0)
            say_cleared(&j, flaw);
        else if (!judge_block(&j, flaw))
            judge_clock(&j, flaw);
    }
    say_unscored(&j, &flaws);
    say_unused(&j, &flaws);
    say_total(&j);
}

const struct rule rule_vulnerabilities = {"vulnerabilities", "Vulnerabilities", judge};
