#include "actions/report/explain_text.h"

#include "actions/report/escape.h"
#include "gate/base/moment.h"

static void add_line(struct text *out, const char *before, const char *words)
{
    text_adds(out, before);
    terminal_escape(str_of(words), out);
    text_addc(out, '\n');
}

// ---- the first screen --------------------------------------------------------------------------
static void add_reason(const struct explanation *one, size_t number, struct text *out)
{
    const struct finding *finding = one->finding;
    text_addf(out, "%3zu. %-5s ", number, verdict_name(finding->verdict));
    terminal_escape(str_of(finding->id), out);
    if (finding->scope != SCOPE_YOURS)
        text_addf(out, " (%s)", scope_name(finding->scope));
    text_addc(out, '\n');
    add_line(out, "           ", finding->message);
    if (one->way)
        add_line(out, "           -> ", one->way);
}

void explain_summary(const struct decision *decision, const struct explanation *items, size_t count,
                     struct text *out)
{
    static const char *const says[] = {"PASS  nothing stops it", "WARN  it may go, with warnings",
                                       "HOLD  a person must decide", "BLOCK  it may not go"};
    size_t stopping = 0, others = 0;
    for (size_t i = 0; i < count; i++) {
        stopping += items[i].finding->verdict >= VERDICT_HOLD;
        others += items[i].finding->verdict == VERDICT_WARN;
    }
    text_addf(out, "%s", says[decision->verdict]);
    if (stopping)
        text_addf(out, ": %zu %s %s", stopping, stopping == 1 ? "finding" : "findings",
                  decision->verdict < VERDICT_HOLD ? "would stop it"
                  : stopping == 1                  ? "stops it"
                                                   : "stop it");
    if (others)
        text_addf(out, "%s %zu %s", stopping ? ", and" : ":", others,
                  others == 1 ? "warning does not" : "warnings do not");
    text_addc(out, '\n');
    for (size_t i = 0, number = 0; i < count; i++)
        if (items[i].finding->verdict >= VERDICT_HOLD)
            add_reason(&items[i], ++number, out);
    if (stopping)
        text_adds(out, "\nWhat each rests on (`sluice explain FINDING` for one of them whole):\n");
}

// ---- one finding -------------------------------------------------------------------------------
static void add_ranges(const char *title, const struct line_range *ranges, size_t count, bool more,
                       struct text *out)
{
    if (count == 0)
        return;
    text_addf(out, "      %s:", title);
    for (size_t i = 0; i < count; i++) {
        text_addf(out, "%s%u", i ? ", " : " ", ranges[i].from);
        if (ranges[i].to > ranges[i].from)
            text_addf(out, "-%u", ranges[i].to);
    }
    text_adds(out, more ? ", …\n" : "\n");
}

static void add_source(const struct explained_source *source, struct text *out)
{
    text_adds(out, "      ");
    terminal_escape(str_of(source->report), out);
    if (source->line)
        text_addf(out, ":%u", source->line);
    if (source->to > source->from)
        text_addf(out, ", bytes %llu-%llu", (unsigned long long)source->from,
                  (unsigned long long)source->to);
    else if (source->from)
        text_addf(out, ", byte %llu", (unsigned long long)source->from);
    if (*source->sha256)
        text_addf(out, ", sha256 %s", source->sha256);
    text_adds(out, source->changed ? " (the file has changed since)\n" : "\n");
}

static void add_item(const struct explained_item *item, const char *unit, struct text *out)
{
    text_adds(out, "    ");
    terminal_escape(str_of(item->name), out);
    if (item->total)
        text_addf(out, ": %llu of %llu %s uncovered",
                  (unsigned long long)(item->total - item->covered),
                  (unsigned long long)item->total, unit);
    text_addc(out, '\n');
    if (item->where.path) {
        text_adds(out, "      at ");
        terminal_escape(str_of(item->where.path), out);
        if (item->where.line)
            text_addf(out, ":%u", item->where.line);
        text_addc(out, '\n');
    }
    if (item->note)
        add_line(out, "      ", item->note);
    add_ranges("cover", item->pick, item->pick_count, false, out);
    add_ranges("uncovered", item->uncovered, item->uncovered_count, item->uncovered_more, out);
    for (size_t i = 0; i < item->source_count; i++)
        add_source(&item->sources[i], out);
}

// In YAML a single quote inside single quotes is doubled.
static void add_quoted(const char *words, struct text *out)
{
    struct text quoted = text_of(65536);
    text_addc(&quoted, '\'');
    for (; *words; words++) {
        if (*words == '\'')
            text_addc(&quoted, '\'');
        text_addc(&quoted, *words);
    }
    text_addc(&quoted, '\'');
    terminal_escape(text_str(&quoted), out);
    text_done(&quoted);
}

static const char *day_text(int64_t days, char out[MOMENT_TEXT])
{
    moment_format(days * MS_DAY, out);
    out[sizeof "2026-11-22" - 1] = '\0';
    return out;
}

// Reason, owner and approver stay empty: an entry that nobody has filled in does not bind.
static void add_waiver(const struct explanation *explanation, struct text *out)
{
    char day[MOMENT_TEXT];
    text_addf(out,
              "  or a person lets it pass until a day: fill this in under `waivers:` of %s; it\n"
              "  counts once it is on the base\n",
              explanation->waivers_path);
    text_adds(out, "      - finding: ");
    add_quoted(explanation->waiver, out);
    text_adds(out, "\n        scope: ");
    add_quoted(explanation->scope, out);
    text_addf(out,
              "\n        reason:       # why it may pass\n"
              "        owner:        # who sees to it that the reason holds\n"
              "        approved_by:  # who agrees: no author of the change\n"
              "        until: %s\n",
              day_text(explanation->waiver_until_days, day));
}

void explain_text(const struct explanation *explanation, bool waiver, struct text *out)
{
    const struct finding *finding = explanation->finding;
    text_addf(out, "%s  ", verdict_name(finding->verdict));
    terminal_escape(str_of(finding->id), out);
    if (finding->scope != SCOPE_YOURS)
        text_addf(out, "  (%s)", scope_name(finding->scope));
    text_addc(out, '\n');
    add_line(out, "  ", finding->message);
    if (*finding->have || *finding->want) {
        text_adds(out, "  have ");
        terminal_escape(*finding->have ? str_of(finding->have) : STR("nothing"), out);
        text_adds(out, ", want ");
        terminal_escape(*finding->want ? str_of(finding->want) : STR("nothing"), out);
        text_addc(out, '\n');
    }
    if (explanation->way)
        add_line(out, "  cheapest way to green: ", explanation->way);
    for (size_t i = 0; i < explanation->count; i++)
        add_item(&explanation->items[i], explanation->unit, out);
    if (explanation->all > explanation->count)
        text_addf(out, "    and %zu more (--verbose lists all)\n",
                  explanation->all - explanation->count);
    if (finding->advice && !explanation->way)
        add_line(out, "  > ", finding->advice);
    if (waiver && explanation->waiver)
        add_waiver(explanation, out);
}

// ---- JSON --------------------------------------------------------------------------------------
static void add_ranges_json(const char *key, const struct line_range *ranges, size_t count,
                            struct json_out *out)
{
    json_open_list(out, key);
    for (size_t i = 0; i < count; i++) {
        json_open_map(out, NULL);
        json_add_u64(out, "from", ranges[i].from);
        json_add_u64(out, "to", ranges[i].to);
        json_close(out);
    }
    json_close(out);
}

static void add_source_json(const struct explained_source *source, struct json_out *out)
{
    json_open_map(out, NULL);
    json_add_str(out, "path", str_of(source->report));
    if (*source->sha256)
        json_add_str(out, "sha256", str_of(source->sha256));
    json_add_u64(out, "line", source->line);
    json_add_u64(out, "from", source->from);
    json_add_u64(out, "to", source->to);
    json_add_bool(out, "changed", source->changed);
    json_close(out);
}

static void add_item_json(const struct explained_item *item, struct json_out *out)
{
    json_open_map(out, NULL);
    json_add_str(out, "name", str_of(item->name));
    if (item->note)
        json_add_str(out, "note", str_of(item->note));
    if (item->where.path) {
        json_add_str(out, "path", str_of(item->where.path));
        json_add_u64(out, "line", item->where.line);
    }
    json_add_u64(out, "covered", item->covered);
    json_add_u64(out, "total", item->total);
    add_ranges_json("uncovered", item->uncovered, item->uncovered_count, out);
    json_add_u64(out, "take", item->take);
    add_ranges_json("cover", item->pick, item->pick_count, out);
    json_open_list(out, "sources");
    for (size_t i = 0; i < item->source_count; i++)
        add_source_json(&item->sources[i], out);
    json_close(out);
    json_close(out);
}

static void add_waiver_json(const struct explanation *explanation, struct json_out *out)
{
    char day[MOMENT_TEXT];
    if (!explanation->waiver)
        return;
    json_open_map(out, "waiver");
    json_add_str(out, "file", str_of(explanation->waivers_path));
    json_add_str(out, "finding", str_of(explanation->waiver));
    json_add_str(out, "scope", str_of(explanation->scope));
    json_add_str(out, "until", str_of(day_text(explanation->waiver_until_days, day)));
    json_close(out);
}

void explain_json(const struct explanation *explanation, struct json_out *out)
{
    const struct finding *finding = explanation->finding;
    json_open_map(out, NULL);
    json_add_str(out, "id", str_of(finding->id));
    json_add_str(out, "verdict", str_of(verdict_name(finding->verdict)));
    json_add_str(out, "judged", str_of(verdict_name(finding->judged)));
    json_add_str(out, "scope", str_of(scope_name(finding->scope)));
    json_add_str(out, "have", str_of(finding->have));
    json_add_str(out, "want", str_of(finding->want));
    json_add_str(out, "message", str_of(finding->message));
    json_add_str(out, "unit", str_of(explanation->unit));
    json_add_u64(out, "needed", explanation->needed);
    json_add_u64(out, "enough", explanation->enough);
    if (explanation->way)
        json_add_str(out, "way", str_of(explanation->way));
    else
        json_add_null(out, "way");
    add_waiver_json(explanation, out);
    json_add_u64(out, "all", explanation->all);
    json_open_list(out, "items");
    for (size_t i = 0; i < explanation->count; i++)
        add_item_json(&explanation->items[i], out);
    json_close(out);
    json_close(out);
}
