#include "actions/cli/github_incident.h"

#include "actions/cli/github_marks.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/say.h"
#include "actions/github/issue_thread.h"
#include "actions/github/mirror_run.h"
#include "actions/github/rollout_words.h"
#include "actions/report/escape.h"
#include "deploy/record/history.h"
#include "deploy/run/resolve.h"
#include "deploy/world/files.h"
#include "gate/base/limits.h"
#include "gate/base/moment.h"

#include <stdio.h>

enum { INCIDENTS_MOST = 20, TIMELINE_MOST = 60, TITLE_WORDS = 120 };

#define INCIDENT_WITHIN_MS (60 * MS_DAY)

struct incident { // one of the ledger
    struct deployment *d;
    const char *name; // "INC-7"
    struct event event;
    int64_t opened_ms;
    struct severity_settings clocks;
    str review; // path of its review
};

// ---- words --------------------------------------------------------------------------------------

static void add_clock(const char *what, int64_t opened_ms, int64_t within_ms, struct text *out)
{
    char at[MOMENT_TEXT], words[32];
    if (within_ms)
        text_addf(out, "- [ ] **%s** by %.16s UTC, within %s\n", what,
                  moment_format(opened_ms + within_ms, at), duration_words(within_ms, words));
}

// The runbooks of the metrics that the reason names.
static void add_runbooks(const struct incident *incident, str why, struct text *out)
{
    const struct deploy_settings *settings = &incident->d->settings;
    for (size_t i = 0; i < settings->metric_count; i++) {
        const struct metric_settings *metric = &settings->metrics[i];
        if (!metric->runbook.len || str_search(why, metric->name) == STR_NONE)
            continue;
        text_adds(out, "- **Runbook** of ");
        markdown_escape(metric->name, out);
        text_adds(out, ": ");
        markdown_escape(metric->runbook, out);
        text_addc(out, '\n');
    }
}

static void add_row(const struct event *event, struct text *out)
{
    char at[MOMENT_TEXT];
    str why = node_text(event->fields, "why"), target = node_text(event->fields, "target");
    text_addf(out, "| %.19s | ", moment_format(event->time_ms, at));
    markdown_escape(event->type, out);
    text_adds(out, " | ");
    markdown_escape(target, out);
    text_adds(out, target.len && why.len ? ": " : "");
    markdown_escape(str_shorten(why, 200), out);
    text_adds(out, " |\n");
}

// What the ledger has of the rollout, the newest TIMELINE_MOST of it.
static void add_timeline(const struct incident *incident, struct text *out)
{
    struct ledger *ledger = incident->d->ledger;
    size_t count = ledger_count(ledger), from = count, rows = 0;
    while (from > 0 && rows < TIMELINE_MOST)
        if (str_eq(ledger_at(ledger, --from)->rollout, incident->event.rollout) &&
            !str_starts(ledger_at(ledger, from)->type, STR("lease.")))
            rows++;
    text_adds(out, "\n<details><summary>Timeline</summary>\n\n| UTC | what | |\n|---|---|---|\n");
    for (size_t i = from; i < ledger_count(ledger); i++) {
        const struct ledger_entry *entry = ledger_at(ledger, i);
        struct arena arena = {0};
        struct event event;
        struct error ignored;
        if (str_eq(entry->rollout, incident->event.rollout) &&
            !str_starts(entry->type, STR("lease.")) &&
            ledger_read(ledger, &arena, entry, &event, &ignored))
            add_row(&event, out);
        arena_done(&arena);
    }
    text_adds(out, "\n</details>\n");
}

static str field(const struct incident *incident, const char *name)
{
    return node_text(incident->event.fields, name);
}

static void add_owner(const struct incident *incident, struct text *out)
{
    struct rollout_record record;
    struct error ignored;
    struct deployment *d = incident->d;
    if (!rollout_load(d->ledger, d->arena, incident->event.rollout, &record, &ignored))
        return;
    str login = record.planned_by.login;
    text_adds(out, "- **Owner** ");
    if (login.len)
        rollout_mention(login, out);
    else
        markdown_escape(facts_person(&record.planned_by), out);
    text_adds(out, ", who has released it\n");
}

static void write_words(const struct incident *incident, struct issue_thread *thread)
{
    struct text title = text_of(2048);
    struct text *out = &thread->body;
    char at[MOMENT_TEXT];
    text_addf(&title, "%s %.2s: " STR_FMT " was taken back in " STR_FMT ": " STR_FMT,
              incident->name, field(incident, "severity").data, STR_ARG(field(incident, "release")),
              STR_ARG(field(incident, "environment")),
              STR_ARG(str_shorten(field(incident, "why"), TITLE_WORDS)));
    struct text line = text_of(8192);
    terminal_escape(text_str(&title), &line);
    str cut = str_shorten(text_str(&line), THREAD_TITLE - 1);
    (void)snprintf(thread->title, sizeof thread->title, STR_FMT, STR_ARG(cut));
    text_done(&line);
    text_done(&title);
    text_addf(out, STR_FMT "\n**",
              STR_ARG(mirror_marker(incident->d->arena, str_of(incident->name), "")));
    markdown_escape(field(incident, "severity"), out);
    text_addf(out, "**, opened %.16s UTC: ", moment_format(incident->opened_ms, at));
    markdown_escape(field(incident, "why"), out);
    text_adds(out, "\n\n");
    add_owner(incident, out);
    add_runbooks(incident, field(incident, "why"), out);
    text_adds(out, "- **Rollout** `");
    text_add(out, incident->event.rollout);
    text_adds(out, "`: `sluice show` has all of it\n\n");
    add_clock("Acknowledge", incident->opened_ms, incident->clocks.acknowledge_ms, out);
    add_clock("Resolve", incident->opened_ms, incident->clocks.resolve_ms, out);
    add_clock("Review", incident->opened_ms, incident->clocks.review_within_ms, out);
    add_timeline(incident, out);
}

static void write_request(const struct incident *incident, struct issue_thread *thread)
{
    struct text *out = &thread->note;
    char at[MOMENT_TEXT];
    text_addf(out,
              "It is over: now it needs its review, before %.16s UTC, or the gate lets nothing "
              "pass. Write `" STR_FMT "` with these headings:\n\n```markdown\n# %s\n\n"
              "## Root cause\n\n## Timeline\n\n## Prevention\n```\n",
              moment_format(incident->opened_ms + incident->clocks.review_within_ms, at),
              STR_ARG(incident->review), incident->name);
}

// ---- what is owed -------------------------------------------------------------------------------

static bool review_is_written(const struct incident *incident)
{
    struct arena arena = {0};
    struct error ignored;
    str bytes;
    const char *path =
        arena_format(&arena, "%s" STR_FMT, incident->d->root, STR_ARG(incident->review)).data;
    bool done = file_read(&arena, path, LIMIT_JSON_TREE_BYTES, &bytes, &ignored) &&
                history_review_done(bytes);
    arena_done(&arena);
    return done;
}

static bool read_incident(struct incident *incident, const struct ledger_entry *entry)
{
    struct deployment *d = incident->d;
    struct error ignored;
    if (!str_is(entry->type, "incident.opened") ||
        !ledger_read(d->ledger, d->arena, entry, &incident->event, &ignored))
        return false;
    str severity = field(incident, "severity");
    if (severity.len != 2 || severity.data[1] < '1' || severity.data[1] > '4')
        return false;
    incident->name =
        arena_format(d->arena, "INC-%llu", (unsigned long long)incident->event.sequence).data;
    incident->opened_ms = incident->event.time_ms;
    (void)moment_parse(field(incident, "opened"), &incident->opened_ms);
    incident->clocks = d->settings.incidents.severity[severity.data[1] - '1'];
    incident->review = arena_format(d->arena, STR_FMT "/%s.md",
                                    STR_ARG(d->settings.incidents.reviews), incident->name);
    return deployment_now(d) - incident->opened_ms <= INCIDENT_WITHIN_MS;
}

static bool owes_nothing(const struct incident *incident)
{
    const struct github_marks marks = {incident->d, str_of(incident->name)};
    bool opened = github_mark(&marks, "incident") != 0;
    bool asked = github_mark(&marks, "review-asked") != 0;
    return opened && (asked || !incident->clocks.review_within_ms || review_is_written(incident));
}

static int64_t known_number(void *self, const char *kind)
{
    return github_mark(self, kind);
}

static void record_number(void *self, const char *kind, int64_t number, str url)
{
    github_set_mark(self, kind, number, url);
}

static void say(void *self, const char *words)
{
    (void)self;
    say_line("sluice: %s", words);
}

static void follow(const struct incident *incident, struct github_client *github, int64_t until_ms)
{
    struct deployment *d = incident->d;
    struct github_marks marks = {d, str_of(incident->name)};
    struct issue_thread thread = {.github = github,
                                  .port = {&marks, known_number, record_number},
                                  .what = incident->name,
                                  .kind = "incident",
                                  .label = "incident",
                                  .name = str_of(incident->name),
                                  .needed = true};
    struct mirror_run run = {.cloud = d->ports.cloud, .say = say};
    issue_thread_open(&thread);
    write_words(incident, &thread);
    mirror_run_add(&run, &thread.part);
    github_run_until(d, &run, until_ms);
    if (thread.closed && incident->clocks.review_within_ms) {
        write_request(incident, &thread);
        issue_thread_note(&thread, "review");
        mirror_run_told(&run);
        github_run_until(d, &run, until_ms);
        if (issue_thread_noted(&thread))
            github_set_mark(&marks, "review-asked", 1, STR(""));
    }
    mirror_run_close(&run);
    issue_thread_close(&thread);
}

void github_incidents(struct deployment *d, int64_t limit_ms)
{
    struct github_settings settings;
    struct problems problems = {.arena = d->arena};
    struct github_client *github = NULL;
    struct error why;
    int64_t until_ms = deployment_now(d) + limit_ms;
    if (!github_settings_bind(d->arena, d->config, &settings, &problems) || !settings.incidents)
        return;
    size_t seen = 0;
    for (size_t i = ledger_count(d->ledger); i-- > 0 && seen < INCIDENTS_MOST;) {
        struct incident incident = {.d = d};
        if (!read_incident(&incident, ledger_at(d->ledger, i)))
            continue;
        seen++;
        if (owes_nothing(&incident) || deployment_now(d) >= until_ms)
            continue;
        if (!github && !deployment_github(d, &settings, &github, &why)) {
            say(NULL, why.message);
            return;
        }
        follow(&incident, github, until_ms);
    }
    // A runner that is gone in a moment takes what is not pushed with it.
    if (github && !d->offline && ledger_has_remote(d->ledger) && ledger_unpushed(d->ledger))
        (void)ledger_sync(d->ledger, LEDGER_WAIT_MS, &why);
}
