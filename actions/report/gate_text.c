#include "actions/report/gate_text.h"

#include "actions/report/escape.h"
#include "actions/report/score_text.h"

#define PLACES 5u // places shown of one finding when not verbose

static const char *paint(const struct gate_text_style *style, enum verdict verdict)
{
    static const char *const colors[] = {"\033[32m", "\033[33m", "\033[35m", "\033[31m"};
    return style->color ? colors[verdict] : "";
}

static const char *plain(const struct gate_text_style *style)
{
    return style->color ? "\033[0m" : "";
}

static const char *dim(const struct gate_text_style *style)
{
    return style->color ? "\033[2m" : "";
}

static void add_short_commit(const char *label, const char *commit, struct text *out)
{
    if (commit)
        text_addf(out, ", %s %.10s", label, commit);
}

static void add_headline(const struct decision *decision, const struct gate_text_style *style,
                         struct text *out)
{
    static const char *const words[] = {"PASS", "WARN", "HOLD", "BLOCK"};
    static const char *const says[] = {"it may go", "it may go, with warnings",
                                       "a person must decide", "it may not go"};
    size_t blocks = decision_count(decision, VERDICT_BLOCK);
    size_t holds = decision_count(decision, VERDICT_HOLD);
    size_t warns = decision_count(decision, VERDICT_WARN);
    text_addf(out, "%s%s%s  %s", paint(style, decision->verdict), words[decision->verdict],
              plain(style), says[decision->verdict]);
    if (blocks)
        text_addf(out, "; %zu blocking", blocks);
    if (holds)
        text_addf(out, "; %zu on hold", holds);
    if (warns)
        text_addf(out, "; %zu %s", warns, warns == 1 ? "warning" : "warnings");
    text_adds(out, dim(style));
    add_short_commit("commit", decision->commit, out);
    add_short_commit("base", decision->base, out);
    text_addf(out, "%s\n", plain(style));
}

static void add_places(const struct finding *finding, const struct gate_text_style *style,
                       struct text *out)
{
    size_t most = style->verbose ? finding->where_count : PLACES;
    size_t shown = 0;
    for (size_t i = 0; i < finding->where_count && shown < most; i++) {
        const struct place *place = &finding->where[i];
        if (!*place->path)
            continue;
        text_adds(out, "         at ");
        terminal_escape(str_of(place->path), out);
        if (place->line)
            text_addf(out, ":%u", place->line);
        if (place->end_line > place->line)
            text_addf(out, "-%u", place->end_line);
        text_addc(out, '\n');
        shown++;
    }
    uint64_t more = finding->where_count - shown + finding->where_more;
    if (shown && more)
        text_addf(out, "         and %llu more %s\n", (unsigned long long)more,
                  more == 1 ? "place" : "places");
}

static void add_finding(const struct finding *finding, const struct gate_text_style *style,
                        struct text *out)
{
    text_addf(out, "  %s%-5s%s  ", paint(style, finding->verdict), verdict_name(finding->verdict),
              plain(style));
    terminal_escape(str_of(finding->id), out);
    if (finding->scope != SCOPE_YOURS)
        text_addf(out, "  (%s)", scope_name(finding->scope));
    text_adds(out, "\n         ");
    terminal_escape(str_of(finding->message), out);
    text_addc(out, '\n');
    if (finding->verdict > VERDICT_PASS || style->verbose)
        add_places(finding, style, out);
    if (finding->advice) {
        text_adds(out, "         > ");
        terminal_escape(str_of(finding->advice), out);
        text_addc(out, '\n');
    }
}

// A pass in one line: what was asked and what there is.
static void add_pass(const struct finding *finding, const struct gate_text_style *style,
                     struct text *out)
{
    text_addf(out, "  %spass%s   ", paint(style, VERDICT_PASS), plain(style));
    terminal_escape(str_of(finding->id), out);
    text_adds(out, dim(style));
    text_adds(out, "  ");
    terminal_escape(str_of(finding->message), out);
    text_addf(out, "%s\n", plain(style));
}

static void add_reports(const struct decision *decision, const struct gate_text_style *style,
                        struct text *out)
{
    const struct evidence *evidence = decision->evidence;
    text_addf(out, "%s  evidence:", dim(style));
    if (evidence->report_count == 0)
        text_adds(out, " none");
    for (size_t i = 0; i < evidence->report_count; i++) {
        const struct report *report = &evidence->reports[i];
        if (!style->verbose && i == PLACES) {
            text_addf(out, ", and %zu more", evidence->report_count - i);
            break;
        }
        text_adds(out, i ? ", " : " ");
        terminal_escape(str_of(report_shown(decision->findings.arena, report)), out);
        text_addf(out, " (%s)", report->format ? report->format : "not readable");
        if (style->verbose && report->sha256[0])
            text_addf(out, " sha256 %s", report->sha256);
    }
    text_addf(out, "\n  policy: ");
    terminal_escape(str_of(decision->policy_path), out);
    text_addf(out, ", sha256 %.12s%s\n", decision->policy_sha256, plain(style));
}

void gate_text(const struct decision *decision, const struct gate_text_style *style,
               struct text *out)
{
    const struct findings *findings = &decision->findings;
    size_t aside = 0;
    add_headline(decision, style, out);
    for (size_t i = 0; i < findings->count; i++) {
        if (finding_is_aside(&findings->items[i]))
            aside++;
        else if (findings->items[i].verdict > VERDICT_PASS)
            add_finding(&findings->items[i], style, out);
    }
    if (aside)
        text_addf(out, "%s  not caused by this %s, and it does not stop it:%s\n", dim(style),
                  decision->change ? "change" : "release", plain(style));
    for (size_t i = 0; i < findings->count; i++)
        if (finding_is_aside(&findings->items[i]))
            add_finding(&findings->items[i], style, out);
    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].verdict == VERDICT_PASS)
            add_pass(&findings->items[i], style, out);
    score_lines(decision, out);
    add_reports(decision, style, out);
}
