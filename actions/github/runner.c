#include "actions/github/runner.h"

#include "actions/report/escape.h"
#include "gate/base/limits.h"
#include "gate/doc/json.h"

#include <stdio.h>
#include <stdlib.h>

enum { ANNOTATION_MOST = 4096 }; // bytes of a text; GitHub cuts it somewhere past that

const char *runner_environment(void *context, const char *name)
{
    (void)context;
    return getenv(name);
}

// The value of a variable, copied; null when it is unset or empty.
static const char *variable(struct arena *arena, runner_lookup *lookup, void *context,
                            const char *name)
{
    const char *value = lookup(context, name);
    return value && *value ? arena_copy(arena, str_of(value)) : NULL;
}

static bool read_bounded(const char *path, struct text *out, struct error *err)
{
    FILE *file = fopen(path, "rbe");
    if (!file)
        return error_errno(err, "reading", path);
    char chunk[65536];
    size_t n;
    while ((n = fread(chunk, 1, sizeof chunk, file)) > 0)
        text_add(out, str_make(chunk, n));
    bool failed = ferror(file) != 0;
    (void)fclose(file);
    if (failed)
        return error_set(err, ERROR_SYSTEM, "reading %s failed", path);
    if (text_full(out))
        return error_set(err, ERROR_LIMIT, "%s is larger than %u bytes", path,
                         LIMIT_JSON_TREE_BYTES);
    return true;
}

static const char *sha_of(struct arena *arena, const struct node *side)
{
    str sha;
    if (!side || !json_get_str(side, "sha", &sha) || !str_is_hex(sha, 40))
        return NULL;
    return arena_copy(arena, sha);
}

static const char *name_of(struct arena *arena, const struct node *map, const char *key)
{
    str name;
    return map && json_get_str(map, key, &name) && name.len ? arena_copy(arena, name) : NULL;
}

static const char *const *labels_of(struct arena *arena, const struct node *pull)
{
    const struct node *list = node_get(pull, "labels");
    size_t count = 0, room = list && list->kind == NODE_LIST ? list->count : 0;
    const char **labels = ARENA_ARRAY(arena, const char *, room + 1);
    for (const struct node *n = room ? list->first : NULL; n; n = n->next)
        if (name_of(arena, n, "name"))
            labels[count++] = name_of(arena, n, "name");
    return labels;
}

// Null where something of it is missing: a deleted fork has no owner any more.
static const struct runner_finished *finished_of(struct arena *arena, const struct node *run)
{
    struct runner_finished *finished = ARENA_NEW(arena, struct runner_finished);
    const struct node *owner = node_get(node_get(run, "head_repository"), "owner");
    str sha;
    if (json_get_str(run, "head_sha", &sha) && str_is_hex(sha, 40))
        finished->head_sha = arena_copy(arena, sha);
    finished->head_branch = name_of(arena, run, "head_branch");
    finished->head_owner = name_of(arena, owner, "login");
    finished->event = name_of(arena, run, "event");
    finished->run_url = name_of(arena, run, "html_url");
    bool whole = finished->head_sha && finished->head_branch && finished->head_owner &&
                 finished->event && finished->run_url;
    return whole ? finished : NULL;
}

static bool read_event(struct arena *arena, const char *path, struct runner *runner,
                       struct error *err)
{
    struct text bytes = text_of(LIMIT_JSON_TREE_BYTES);
    const struct node *event;
    bool ok = read_bounded(path, &bytes, err) &&
              json_parse(arena, path, arena_str(arena, text_str(&bytes)), &event, err);
    text_done(&bytes);
    if (!ok)
        return error_wrap(err, "the event's payload");
    runner->default_branch = name_of(arena, node_get(event, "repository"), "default_branch");
    const struct node *pull = node_get(event, "pull_request"),
                      *run = node_get(event, "workflow_run");
    if (run)
        runner->finished = finished_of(arena, run);
    if (!pull)
        return true;
    runner->labels = labels_of(arena, pull);
    runner->base_sha = sha_of(arena, node_get(pull, "base"));
    const char *head = sha_of(arena, node_get(pull, "head"));
    if (head)
        runner->head_sha = head;
    return true;
}

bool runner_read(struct arena *arena, runner_lookup *lookup, void *context,
                 const char token[RUNNER_TOKEN], struct runner *ret, struct error *err)
{
    struct runner runner = {0};
    const char *actions = lookup(context, "GITHUB_ACTIONS");
    const char *debug = lookup(context, "RUNNER_DEBUG");
    memcpy(runner.token, token, RUNNER_TOKEN);
    runner.token[RUNNER_TOKEN - 1] = '\0';
    runner.is_actions = actions && strcmp(actions, "true") == 0;
    runner.debug = debug && strcmp(debug, "1") == 0;
    runner.server_url = variable(arena, lookup, context, "GITHUB_SERVER_URL");
    runner.api_url = variable(arena, lookup, context, "GITHUB_API_URL");
    runner.repository = variable(arena, lookup, context, "GITHUB_REPOSITORY");
    if (runner.is_actions) {
        runner.event_name = variable(arena, lookup, context, "GITHUB_EVENT_NAME");
        runner.event_sha = variable(arena, lookup, context, "GITHUB_SHA");
        runner.head_sha = runner.event_sha;
        runner.base_ref = variable(arena, lookup, context, "GITHUB_BASE_REF");
        runner.head_ref = variable(arena, lookup, context, "GITHUB_HEAD_REF");
        const char *ref = variable(arena, lookup, context, "GITHUB_REF");
        if (ref && str_starts(str_of(ref), STR("refs/heads/")))
            runner.branch = ref + strlen("refs/heads/");
        runner.summary_path = variable(arena, lookup, context, "GITHUB_STEP_SUMMARY");
        runner.output_path = variable(arena, lookup, context, "GITHUB_OUTPUT");
        runner.temp_path = variable(arena, lookup, context, "RUNNER_TEMP");
        runner.actor = variable(arena, lookup, context, "GITHUB_ACTOR");
        runner.job = variable(arena, lookup, context, "GITHUB_JOB");
        runner.attempt = variable(arena, lookup, context, "GITHUB_RUN_ATTEMPT");
        runner.workflow_ref = variable(arena, lookup, context, "GITHUB_WORKFLOW_REF");
        const char *run = variable(arena, lookup, context, "GITHUB_RUN_ID");
        const char *event = variable(arena, lookup, context, "GITHUB_EVENT_PATH");
        if (runner.server_url && runner.repository && run)
            runner.run_url = arena_format(arena, "%s/%s/actions/runs/%s", runner.server_url,
                                          runner.repository, run)
                                 .data;
        if (event && !read_event(arena, event, &runner, err))
            return false;
    }
    *ret = runner;
    return true;
}

static void escape(str s, bool property, struct text *out)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        bool special = c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','));
        if (special)
            text_addf(out, "%%%02X", (unsigned)c);
        else
            text_addc(out, c);
    }
}

void runner_escape_data(str s, struct text *out)
{
    escape(s, false, out);
}

void runner_escape_property(str s, struct text *out)
{
    escape(s, true, out);
}

// What the runner decodes again it also shows: in its log, to people.
static void add_shown(str s, bool property, struct text *out)
{
    struct text shown = text_of(65536);
    terminal_escape(str_shorten(s, ANNOTATION_MOST), &shown);
    escape(text_str(&shown), property, out);
    text_done(&shown);
}

static void add_property(const char *name, str value, bool *first, struct text *out)
{
    text_addf(out, "%s%s=", *first ? " " : ",", name);
    add_shown(value, true, out);
    *first = false;
}

static void add_number(const char *name, uint32_t value, bool *first, struct text *out)
{
    text_addf(out, "%s%s=%u", *first ? " " : ",", name, value);
    *first = false;
}

static const char *level_name(enum annotation_level level)
{
    static const char *const names[] = {"error", "warning", "notice"};
    return names[level];
}

static void add_annotation(const struct annotation *one, struct text *out)
{
    bool first = true;
    text_addf(out, "::%s", level_name(one->level));
    if (one->path.len) {
        add_property("file", one->path, &first, out);
        if (one->line)
            add_number("line", one->line, &first, out);
        if (one->line && one->end_line > one->line)
            add_number("endLine", one->end_line, &first, out);
    }
    if (one->title.len)
        add_property("title", one->title, &first, out);
    text_adds(out, "::");
    add_shown(one->message, false, out);
    text_addc(out, '\n');
}

static void add_level(enum annotation_level level, const struct annotation *items, size_t count,
                      struct text *out)
{
    size_t total = 0, said = 0;
    for (size_t i = 0; i < count; i++)
        total += items[i].level == level;
    size_t most = total > RUNNER_ANNOTATIONS ? RUNNER_ANNOTATIONS - 1 : total;
    for (size_t i = 0; i < count && said < most; i++) {
        if (items[i].level != level)
            continue;
        add_annotation(&items[i], out);
        said++;
    }
    if (total > most)
        text_addf(out, "::%s title=sluice::%zu more: the step summary lists them\n",
                  level_name(level), total - most);
}

void runner_annotations(const struct annotation *items, size_t count, struct text *out)
{
    add_level(ANNOTATION_ERROR, items, count, out);
    add_level(ANNOTATION_WARNING, items, count, out);
    add_level(ANNOTATION_NOTICE, items, count, out);
}

void runner_stop_commands(const struct runner *runner, struct text *out)
{
    text_addf(out, "::stop-commands::%s\n", runner->token);
}

void runner_resume_commands(const struct runner *runner, struct text *out)
{
    text_addf(out, "::%s::\n", runner->token);
}

static bool append(const char *path, str bytes, struct error *err)
{
    FILE *file = fopen(path, "abe");
    if (!file)
        return error_errno(err, "writing", path);
    bool ok = fwrite(bytes.data, 1, bytes.len, file) == bytes.len;
    ok = fclose(file) == 0 && ok;
    return ok || error_set(err, ERROR_SYSTEM, "writing %s failed", path);
}

void runner_output_text(const char *name, str value, const char *token, struct text *out)
{
    struct text delimiter = text_of(256);
    text_addf(&delimiter, "sluice_%s", token);
    while (str_search(value, text_str(&delimiter)) != STR_NONE && delimiter.len < 200)
        text_addc(&delimiter, '_');
    text_addf(out, "%s<<%s\n", name, text_c(&delimiter));
    text_add(out, value);
    text_addf(out, "\n%s\n", text_c(&delimiter));
    text_done(&delimiter);
}

bool runner_output(const struct runner *runner, const char *name, str value, struct error *err)
{
    if (!runner->output_path)
        return true;
    struct text text = text_of(LIMIT_SUMMARY_BYTES);
    runner_output_text(name, value, runner->token, &text);
    bool ok = text_full(&text)
                  ? error_set(err, ERROR_LIMIT, "the output `%s` is larger than %u bytes", name,
                              LIMIT_SUMMARY_BYTES)
                  : append(runner->output_path, text_str(&text), err);
    text_done(&text);
    return ok || error_wrap(err, "the step's outputs");
}

bool runner_summary(const struct runner *runner, str markdown, struct error *err)
{
    if (!runner->summary_path)
        return true;
    if (markdown.len > LIMIT_SUMMARY_BYTES)
        return error_set(err, ERROR_LIMIT, "the step summary is larger than %u bytes",
                         LIMIT_SUMMARY_BYTES);
    return append(runner->summary_path, markdown, err) || error_wrap(err, "the step summary");
}
