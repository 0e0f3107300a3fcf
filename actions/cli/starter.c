#include "actions/cli/starter.h"

int starter_floor(const struct evidence *measured)
{
    if (!measured || !measured->has[EVIDENCE_COVERAGE])
        return -1;
    struct coverage_totals totals = coverage_totals(&measured->coverage);
    return totals.lines_total ? (int)(totals.lines_covered * 100 / totals.lines_total) : -1;
}

// ---- the configuration --------------------------------------------------------------------------
static bool is_django(const struct project *project)
{
    for (size_t i = 0; i < project->part_count; i++)
        if (strcmp(project->parts[i].kind->name, "Django") == 0)
            return true;
    return false;
}

static void add_patterns(const struct project *project, bool coverage, struct text *out)
{
    for (size_t i = 0; i < project->part_count; i++) {
        const struct project_part *part = &project->parts[i];
        text_addf(out, "%s\"%s%s\"", i ? ", " : "", part->folder,
                  coverage ? part->kind->coverage : part->kind->results);
    }
}

static void add_evidence(const struct project *project, struct text *out)
{
    if (project->part_count == 0) {
        text_adds(out, "# evidence:                  # name your reports here; `sluice read FILE` "
                       "says whether one is known\n"
                       "#   coverage: {reports: [coverage.xml]}\n"
                       "#   tests: {reports: [junit.xml]}\n");
        return;
    }
    text_adds(out, "evidence:                    # what must be there: a report that is missing "
                   "never passes\n"
                   "  coverage: {reports: [");
    add_patterns(project, true, out);
    text_adds(out, "]}\n  tests: {reports: [");
    add_patterns(project, false, out);
    text_adds(out, "]}\n");
}

static void add_total(const struct starter *starter, struct text *out)
{
    int floor = starter_floor(starter->measured);
    if (floor >= 0)
        text_addf(out,
                  "    total: %d%%               # what it is today, as a floor: raise it as "
                  "it grows\n",
                  floor);
    else
        text_adds(out, "    # total: 50%             # a floor for all lines: put it just below "
                       "what you have\n");
}

static void add_critical(const struct project *project, struct text *out)
{
    text_adds(out, "    # critical:              # where a fault is dear: uncomment what is "
                   "true\n");
    if (project->critical_count == 0)
        text_adds(out, "    #   \"payments/**\": {lines: 90%, changed: 100%}\n");
    for (size_t i = 0; i < project->critical_count; i++)
        text_addf(out, "    #   \"%s/**\": {lines: 90%%, changed: 100%%}\n", project->critical[i]);
}

void starter_configuration(const struct starter *starter, struct text *out)
{
    const struct project *project = starter->project;
    text_adds(
        out,
        "# What this repository is judged by. `sluice gate` says the verdict, `sluice explain` "
        "why,\n# `sluice check` validates this file. A change is judged by the file on its "
        "base.\n"
        "version: 1\n");
    text_addf(out, "extends: [%s]%s# `default`, `legacy-django`, `strict`, `soc2`\n",
              is_django(project) ? "legacy-django" : "default",
              is_django(project) ? "     " : "           ");
    text_adds(out, "enforce: true                # false: say everything, block nothing\n");
    add_evidence(project, out);
    text_adds(out, "gate:\n  coverage:\n");
    add_total(starter, out);
    text_adds(out, "    changed: 80%             # lines that a change adds or alters\n");
    add_critical(project, out);
    if (!is_django(project))
        text_adds(out, "    ignore: [generated]      # linguist-generated in .gitattributes\n");
    text_adds(out, "  tests: {failures: 0}\n"
                   "  risk: {overdue: warn}      # of risk-register.yml\n");
}

// ---- the register -------------------------------------------------------------------------------
void starter_register(const struct starter *starter, struct text *out)
{
    text_adds(
        out, "# What may go wrong, how likely (1 to 5), how bad (1 to 5), who sees to it and until "
             "when.\n# Exposure = likelihood x impact x weight of the business flow.\n"
             "version: 1\n"
             "flows:                       # 1: little depends on it; 5: the business stands "
             "still\n"
             "  main: {weight: 3, title: What the product is for}\n"
             "risks: []\n"
             "#  - id: R-1\n"
             "#    title: A payment is taken twice\n"
             "#    likelihood: 2\n"
             "#    impact: 5\n"
             "#    flow: main\n");
    text_addf(out, "#    paths: [\"%s/**\"]\n",
              starter->project->critical_count ? starter->project->critical[0] : "payments");
    text_adds(out, "#    owner: payments-team\n"
                   "#    due: 2027-03-31\n"
                   "#    demands: {coverage: 90%}   # of those paths, while the risk is open\n");
}

// ---- the workflow -------------------------------------------------------------------------------
static void add_step(const struct project_part *part, const char *command, bool always,
                     struct text *out)
{
    // A colon and a blank would make a map of it.
    bool plain = strstr(command, ": ") == NULL && strchr(command, '#') == NULL;
    text_addf(out, "      - run: %s%s\n", plain ? "" : "|\n          ", command);
    if (always)
        text_adds(out, "        if: ${{ !cancelled() }}\n");
    if (*part->folder)
        text_addf(out, "        working-directory: %.*s\n", (int)strlen(part->folder) - 1,
                  part->folder);
}

static void add_part(const struct project_part *part, struct text *out)
{
    text_addf(out, "      # %s\n%s", part->kind->name, part->kind->setup);
    add_step(part, part->kind->tests, false, out);
    if (part->kind->after)
        add_step(part, part->kind->after, true, out);
}

void starter_workflow(const struct starter *starter, struct text *out)
{
    text_addf(out,
              "name: gate\n"
              "on:\n"
              "  pull_request:\n"
              "  push: {branches: [%s]}\n"
              "permissions: {contents: read}\n"
              "jobs:\n"
              "  gate:\n"
              "    runs-on: ubuntu-latest\n"
              "    steps:\n"
              "      - uses: actions/checkout@v4\n"
              "        with: {fetch-depth: 0} # the gate needs the merge base\n",
              starter->branch);
    if (starter->project->part_count == 0)
        text_adds(out, "      # Run your tests here, so that they leave a coverage and a test "
                       "report.\n");
    for (size_t i = 0; i < starter->project->part_count; i++)
        add_part(&starter->project->parts[i], out);
    text_adds(out, "      - id: gate\n"
                   "        uses: sluice/sluice@v0\n"
                   "        if: ${{ !cancelled() }} # also when a test failed: the gate says "
                   "which\n"
                   "        with: {command: gate}\n"
                   "      - uses: actions/upload-artifact@v4 # for sluice-comment.yml\n"
                   "        if: ${{ !cancelled() && github.event_name == 'pull_request' }}\n"
                   "        with: {name: sluice-decision, path: \"${{ "
                   "steps.gate.outputs.decision-file }}\"}\n");
}

static void add_next(const struct project_part *part, const char *command, struct text *out)
{
    if (*part->folder)
        text_addf(out, "  (cd %.*s && %s)\n", (int)strlen(part->folder) - 1, part->folder, command);
    else
        text_addf(out, "  %s\n", command);
}

void starter_next(const struct starter *starter, struct text *out)
{
    for (size_t i = 0; i < starter->project->part_count; i++) {
        const struct project_part *part = &starter->project->parts[i];
        if (part->kind->prepare)
            text_addf(out, "  # once: %s\n", part->kind->prepare);
        add_next(part, part->kind->tests, out);
        if (part->kind->after)
            add_next(part, part->kind->after, out);
    }
    if (starter->project->part_count == 0)
        text_adds(out, "  # run your tests so that they leave reports, name them under "
                       "`evidence:`\n");
    text_adds(out, "  sluice gate\n");
}
