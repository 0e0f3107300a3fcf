#include "actions/report/explain_text.h"

#include "actions/report/gate_text.h"

static void add_runs(const struct explained_item *item, struct text *out)
{
    if (item->uncovered_count == 0)
        return;
    text_adds(out, "      uncovered:");
    for (size_t i = 0; i < item->uncovered_count; i++) {
        const struct line_range *run = &item->uncovered[i];
        text_addf(out, "%s%u", i ? ", " : " ", run->from);
        if (run->to > run->from)
            text_addf(out, "-%u", run->to);
    }
    text_addc(out, '\n');
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
    text_addf(out, ", sha256 %s%s\n", source->sha256,
              source->changed ? " (the file has changed since)" : "");
}

static void add_item(const struct explained_item *item, struct text *out)
{
    text_adds(out, "    ");
    terminal_escape(str_of(item->name), out);
    if (item->total)
        text_addf(out, ": %llu of %llu uncovered",
                  (unsigned long long)(item->total - item->covered),
                  (unsigned long long)item->total);
    text_addc(out, '\n');
    if (item->note) {
        text_adds(out, "      ");
        terminal_escape(str_of(item->note), out);
        text_addc(out, '\n');
    }
    add_runs(item, out);
    for (size_t i = 0; i < item->source_count; i++)
        add_source(&item->sources[i], out);
}

// "changed lines" -> "changed line" when it is one.
static void add_way(const struct explanation *explanation, struct text *out)
{
    str unit = str_of(explanation->unit);
    if (explanation->needed == 1)
        unit = str_is(unit, "branches") ? STR("branch") : str_first(unit, unit.len - 1);
    text_addf(out, "  cheapest way to green: cover %llu more " STR_FMT "; ",
              (unsigned long long)explanation->needed, STR_ARG(unit));
    if (explanation->enough == 1)
        text_adds(out, "the first of these files has enough\n");
    else
        text_addf(out, "the first %zu of these files have enough\n", explanation->enough);
}

void explain_text(const struct explanation *explanation, struct text *out)
{
    const struct finding *finding = explanation->finding;
    text_addf(out, "%s  ", verdict_name(finding->verdict));
    terminal_escape(str_of(finding->id), out);
    text_adds(out, "\n  ");
    terminal_escape(str_of(finding->message), out);
    text_addc(out, '\n');
    if (*finding->have || *finding->want)
        text_addf(out, "  have %s, want %s\n", finding->have, finding->want);
    if (explanation->needed)
        add_way(explanation, out);
    for (size_t i = 0; i < explanation->count; i++)
        add_item(&explanation->items[i], out);
    if (explanation->all > explanation->count)
        text_addf(out, "    and %zu more (--verbose lists all)\n",
                  explanation->all - explanation->count);
    if (finding->advice) {
        text_adds(out, "  > ");
        terminal_escape(str_of(finding->advice), out);
        text_addc(out, '\n');
    }
}

static void add_item_json(const struct explained_item *item, struct json_out *out)
{
    json_open_map(out, NULL);
    json_add_str(out, "name", str_of(item->name));
    json_add_u64(out, "covered", item->covered);
    json_add_u64(out, "total", item->total);
    json_open_list(out, "uncovered");
    for (size_t i = 0; i < item->uncovered_count; i++) {
        json_open_map(out, NULL);
        json_add_u64(out, "from", item->uncovered[i].from);
        json_add_u64(out, "to", item->uncovered[i].to);
        json_close(out);
    }
    json_close(out);
    json_open_list(out, "sources");
    for (size_t i = 0; i < item->source_count; i++) {
        const struct explained_source *source = &item->sources[i];
        json_open_map(out, NULL);
        json_add_str(out, "path", str_of(source->report));
        json_add_str(out, "sha256", str_of(source->sha256));
        json_add_u64(out, "line", source->line);
        json_add_u64(out, "from", source->from);
        json_add_u64(out, "to", source->to);
        json_add_bool(out, "changed", source->changed);
        json_close(out);
    }
    json_close(out);
    json_close(out);
}

void explain_json(const struct explanation *explanation, struct json_out *out)
{
    const struct finding *finding = explanation->finding;
    json_open_map(out, NULL);
    json_add_str(out, "id", str_of(finding->id));
    json_add_str(out, "verdict", str_of(verdict_name(finding->verdict)));
    json_add_str(out, "have", str_of(finding->have));
    json_add_str(out, "want", str_of(finding->want));
    json_add_str(out, "message", str_of(finding->message));
    json_add_str(out, "unit", str_of(explanation->unit));
    json_add_u64(out, "needed", explanation->needed);
    json_add_u64(out, "enough", explanation->enough);
    json_add_u64(out, "all", explanation->all);
    json_open_list(out, "items");
    for (size_t i = 0; i < explanation->count; i++)
        add_item_json(&explanation->items[i], out);
    json_close(out);
    json_close(out);
}
