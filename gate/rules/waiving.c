#include "gate/rules/waiving.h"

#include "gate/base/glob.h"
#include "gate/base/moment.h"
#include "gate/rules/name_list.h"

#define NAMED 5u // waivers named in one message

static bool is_about(const struct waiver *waiver, const struct finding *finding)
{
    bool fits = waiver_word_fits(waiver->finding, str_of(finding->id));
    for (size_t i = 0; !fits && i < finding->name_count; i++)
        fits = waiver_word_fits(waiver->finding, finding->names[i]);
    if (!fits || str_is(waiver->scope, "**"))
        return fits;
    for (size_t i = 0; i < finding->where_count; i++)
        if (glob_match(waiver->scope, str_of(finding->where[i].path)))
            return true;
    for (size_t i = 0; i < finding->name_count; i++)
        if (waiver_word_fits(waiver->scope, finding->names[i]))
            return true;
    return false;
}

// The policy and the waivers themselves are not for waivers to change.
static bool can_be_waived(const struct finding *finding)
{
    return finding->verdict > VERDICT_PASS && strcmp(finding->rule, "policy") != 0 &&
           strcmp(finding->rule, "waivers") != 0;
}

static const struct change_author *author_named(const struct rule_input *in, str name)
{
    for (size_t i = 0; i < in->author_count; i++)
        if (waiver_is_person(name, in->authors[i].name, in->authors[i].email))
            return &in->authors[i];
    return NULL;
}

static struct finding *say(struct findings *out, const struct waiver *waiver, const char *path,
                           enum verdict verdict, const char *what)
{
    struct finding *finding = finding_add(out, "waivers", verdict, "waivers.%s[" STR_FMT "]", what,
                                          STR_ARG(waiver->finding));
    finding->judged = verdict;
    finding_place(out, finding, waiver->at.file ? waiver->at.file : path, waiver->at.line, 0);
    return finding;
}

static void say_expired(struct findings *out, const struct waiver *waiver, const char *path)
{
    struct finding *finding = say(out, waiver, path, VERDICT_WARN, "expired");
    finding->scope = SCOPE_ENVIRONMENT;
    finding->message =
        finding_text(out, "The waiver of " STR_FMT " ended on %s and does not apply.",
                     STR_ARG(waiver->finding), finding_day(out, waiver->until_days));
    finding->advice =
        finding_text(out, STR_FMT " mends the finding, or has the waiver approved anew.",
                     STR_ARG(waiver->owner));
}

static void say_author(struct findings *out, const struct waiver *waiver, const char *path)
{
    struct finding *finding = say(out, waiver, path, VERDICT_WARN, "author");
    finding->message = finding_text(out,
                                    "The waiver of " STR_FMT " does not apply: " STR_FMT
                                    ", who approved it, is an author of this change.",
                                    STR_ARG(waiver->finding), STR_ARG(waiver->approved_by));
    finding->advice = "Someone who did not write the change approves the waiver.";
}

static void waive(struct findings *out, struct finding *finding, const struct waiver *waiver)
{
    finding->verdict = VERDICT_PASS;
    finding->waived_by = arena_copy(out->arena, waiver->approved_by);
    finding->message = finding_text(out, "%s Waived by " STR_FMT " until %s: " STR_FMT ".",
                                    finding->message, STR_ARG(waiver->approved_by),
                                    finding_day(out, waiver->until_days), STR_ARG(waiver->reason));
}

// How many findings the waiver is about; they pass when it applies.
static size_t apply(struct findings *findings, const struct waiver *waiver, bool applies)
{
    size_t hits = 0;
    for (size_t i = 0; i < findings->count; i++) {
        struct finding *finding = &findings->items[i];
        if (!can_be_waived(finding) || !is_about(waiver, finding))
            continue;
        hits++;
        if (applies)
            waive(findings, finding, waiver);
    }
    return hits;
}

static void say_unused(struct findings *out, const struct name_list *unused, const char *path)
{
    size_t count = unused->count;
    struct finding *finding = finding_add(out, "waivers", VERDICT_WARN, "waivers.unused");
    finding->judged = VERDICT_WARN;
    finding->scope = SCOPE_INHERITED;
    finding->have = finding_text(out, "%zu", count);
    finding->want = "0";
    finding->message =
        finding_text(out, "%zu %s no finding: %s.", count,
                     count == 1 ? "waiver matches" : "waivers match", name_list_words(unused, out));
    finding->advice = finding_text(out, "Remove what is no longer needed from %s.", path);
    finding_place(out, finding, path, 0, 0);
}

void findings_waive(const struct rule_input *in, struct findings *findings)
{
    int64_t today = in->now_ms / MS_DAY - (in->now_ms % MS_DAY < 0);
    if (!in->waivers)
        return;
    struct name_list unused = name_list_of(NAMED);
    const struct waiver *waivers = in->waivers->items.items;
    for (size_t i = 0; i < in->waivers->items.count; i++) {
        const struct waiver *waiver = &waivers[i];
        bool expired = today > waiver->until_days;
        bool by_author = author_named(in, waiver->approved_by) != NULL;
        size_t hits = apply(findings, waiver, !expired && !by_author);
        if (hits && expired)
            say_expired(findings, waiver, in->waivers_path);
        else if (hits && by_author)
            say_author(findings, waiver, in->waivers_path);
        if (hits == 0)
            name_list_add(&unused, waiver->finding);
    }
    if (unused.count)
        say_unused(findings, &unused, in->waivers_path);
    name_list_done(&unused);
}
