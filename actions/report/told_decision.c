#include "actions/report/told_decision.h"

#include "gate/base/moment.h"

enum { TEXT_MOST = 2000, FIGURE_MOST = 200, PLACES_MOST = 20, RESERVE = 1024 };

// ---- reading ------------------------------------------------------------------------------------

static bool verdict_of(const struct node *map, enum verdict *ret, const char *key)
{
    str name = node_text(map, key);
    for (int i = VERDICT_PASS; i <= VERDICT_BLOCK; i++)
        if (str_is(name, verdict_name((enum verdict)i))) {
            *ret = (enum verdict)i;
            return true;
        }
    return false;
}

static const char *text_at(struct arena *arena, const struct node *map, const char *key,
                           size_t most)
{
    return arena_copy(arena, str_shorten(node_text(map, key), most));
}

static enum scope scope_at(const struct node *map)
{
    str name = node_text(map, "scope");
    return str_is(name, scope_name(SCOPE_INHERITED))     ? SCOPE_INHERITED
           : str_is(name, scope_name(SCOPE_ENVIRONMENT)) ? SCOPE_ENVIRONMENT
                                                         : SCOPE_YOURS;
}

static uint32_t line_at(const struct node *place, const char *key)
{
    uint64_t line = 0;
    return json_get_u64(place, key, &line) && line <= UINT32_MAX ? (uint32_t)line : 0;
}

static void read_places(struct findings *findings, struct finding *finding, const struct node *list)
{
    size_t count = 0;
    for (const struct node *place = list ? list->first : NULL; place; place = place->next) {
        if (count++ < PLACES_MOST)
            finding_place(findings, finding, text_at(findings->arena, place, "path", FIGURE_MOST),
                          line_at(place, "line"), line_at(place, "end_line"));
        else
            finding->where_more++;
    }
}

static bool read_finding(struct findings *findings, const struct node *map)
{
    struct arena *arena = findings->arena;
    enum verdict verdict;
    str id = node_text(map, "id");
    if (id.len == 0 || !verdict_of(map, &verdict, "verdict"))
        return false;
    struct finding *finding =
        finding_add(findings, "told", verdict, STR_FMT, STR_ARG(str_shorten(id, FIGURE_MOST)));
    finding->scope = scope_at(map);
    finding->have = text_at(arena, map, "have", FIGURE_MOST);
    finding->want = text_at(arena, map, "want", FIGURE_MOST);
    finding->message = text_at(arena, map, "message", TEXT_MOST);
    if (node_text(map, "advice").len)
        finding->advice = text_at(arena, map, "advice", TEXT_MOST);
    const struct node *where = node_get(map, "where");
    if (where && where->kind == NODE_LIST)
        read_places(findings, finding, where);
    return true;
}

static uint64_t figure(const struct node *map, const char *key)
{
    uint64_t value = 0;
    (void)json_get_u64(map, key, &value);
    return value;
}

static void read_totals(const struct node *totals, struct markdown_totals *ret)
{
    const struct node *coverage = node_get(totals, "coverage"), *tests = node_get(totals, "tests"),
                      *risk = node_get(totals, "risk");
    if ((ret->has_coverage = coverage && coverage->kind == NODE_MAP)) {
        const struct node *lines = node_get(coverage, "lines"),
                          *branches = node_get(coverage, "branches");
        ret->has_branches = branches != NULL;
        ret->coverage = (struct coverage_totals){
            .lines_covered = figure(lines, "covered"),
            .lines_total = figure(lines, "total"),
            .branches_covered = figure(branches, "covered"),
            .branches_total = figure(branches, "total"),
            .files = figure(coverage, "files"),
        };
    }
    if ((ret->has_tests = tests && tests->kind == NODE_MAP))
        ret->tests = (struct test_totals){figure(tests, "total"),   figure(tests, "passed"),
                                          figure(tests, "failed"),  figure(tests, "errors"),
                                          figure(tests, "skipped"), figure(tests, "flaky")};
    if ((ret->has_risks = risk && risk->kind == NODE_MAP)) {
        ret->risks.exposure = figure(risk, "exposure");
        for (int i = 0; i < RISK_SEVERITIES; i++)
            ret->risks.open[i] =
                figure(node_get(risk, "open"), risk_severity_name((enum risk_severity)i));
    }
}

bool told_decision_read(struct arena *arena, const char *file, str bytes, struct told_decision *ret,
                        struct error *err)
{
    const struct node *root;
    struct told_decision told = {.findings = {.arena = arena}};
    if (!json_parse(arena, file, bytes, &root, err))
        return false;
    const struct node *findings = node_get(root, "findings");
    if (!str_is(node_text(root, "schema"), "sluice.decision/1") ||
        !verdict_of(root, &told.verdict, "decision") || !findings || findings->kind != NODE_LIST)
        return error_set(err, ERROR_INPUT,
                         "%s is no decision of `sluice gate` (schema sluice.decision/1)", file);
    if (str_is_hex(node_text(root, "commit"), 40))
        told.commit = node_text(root, "commit");
    for (const struct node *n = findings->first; n; n = n->next)
        if (!read_finding(&told.findings, n))
            return error_at(err, ERROR_INPUT, n->at, "a finding without `id` or `verdict`");
    read_totals(node_get(root, "totals"), &told.totals);
    *ret = told;
    return true;
}

// ---- showing ------------------------------------------------------------------------------------

static void add_folded(const struct findings *findings, unsigned part, const char *summary,
                       size_t max_bytes, size_t *shown, struct text *out)
{
    size_t count = markdown_count(findings, part);
    if (count == 0 || out->len + RESERVE > max_bytes)
        return;
    text_addf(out, "<details><summary>%zu %s</summary>\n\n", count, summary);
    *shown += markdown_findings(findings, part, max_bytes, out);
    text_adds(out, "</details>\n\n");
}

void told_decision_markdown(const struct told_decision *told, const struct told_source *source,
                            size_t max_bytes, struct text *out)
{
    const struct findings *findings = &told->findings;
    size_t room = max_bytes > (size_t)2 * RESERVE ? max_bytes - (size_t)2 * RESERVE : 0, shown;
    text_adds(out, "### ");
    markdown_verdict(told->verdict, out);
    text_adds(out, "\n\n");
    shown = markdown_findings(findings, PART_STOPS, room, out);
    markdown_totals(&told->totals, out);
    text_addc(out, '\n');
    add_folded(findings, PART_ASIDE, "not caused by this change", room, &shown, out);
    add_folded(findings, PART_PASSES, "passed", room, &shown, out);
    if (shown < findings->count)
        text_addf(out, "**%zu more findings** do not fit here: the run's summary has them.\n\n",
                  findings->count - shown);
    text_addf(out,
              "<sub>As [this run](" STR_FMT ") told it of `" STR_FMT
              "`. Why, and the cheapest way to green: `sluice explain`.</sub>\n",
              STR_ARG(source->run_url), STR_ARG(str_first(source->head_sha, 12)));
}
