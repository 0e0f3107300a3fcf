// `sluice.notice/1`: everything as data, and once more as words: `subject` and `text` are what a
// mail is made of.
#include "deploy/notify/render.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

enum { TARGETS_MOST = 200 };

static void add_line(struct text *out, const char *label, str s)
{
    if (s.len)
        text_addf(out, "%s" STR_FMT "\n", label, STR_ARG(s));
}

// The whole notice as plain text.
static void add_words(const struct notice *notice, struct text *out)
{
    struct text words = text_of(RENDER_BYTES);
    add_line(out, "", notice->title);
    add_line(out, "", notice->why);
    text_addc(out, '\n');
    add_line(out, "environment  ", notice->environment);
    add_line(out, "stage        ", notice->stage);
    add_line(out, "release      ", notice->release);
    add_line(out, "commit       ", notice->commit);
    add_line(out, "step         ", notice->where);
    text_addc(out, '\n');
    render_targets(notice, &words);
    add_line(out, "", text_str(&words));
    text_clear(&words);
    if (notice->asked_count)
        render_asked(notice, &words);
    add_line(out, "\n", text_str(&words));
    text_clear(&words);
    render_list(notice->commands, notice->command_count, "\n    ", &words);
    add_line(out, "\n    ", text_str(&words));
    text_clear(&words);
    render_list(notice->runbooks, notice->runbook_count, ", ", &words);
    add_line(out, "\nrunbook: ", text_str(&words));
    add_line(out, "\n", notice->link);
    text_done(&words);
}

static void add_strings(struct json_out *json, const char *key, const str *items, size_t count)
{
    json_open_list(json, key);
    for (size_t i = 0; i < count; i++)
        json_add_str(json, NULL, items[i]);
    json_close(json);
}

static void add_text(struct json_out *json, const char *key, str s)
{
    if (s.len)
        json_add_str(json, key, s);
    else
        json_add_null(json, key);
}

static void add_targets(struct json_out *json, const struct notice *notice)
{
    size_t shown = notice->target_count < TARGETS_MOST ? notice->target_count : TARGETS_MOST;
    json_open_list(json, "targets");
    for (size_t i = 0; i < shown; i++) {
        json_open_map(json, NULL);
        json_add_str(json, "target", notice->targets[i].name);
        add_text(json, "from", notice->targets[i].from);
        add_text(json, "to", notice->targets[i].to);
        json_close(json);
    }
    json_close(json);
    json_add_u64(json, "targets_not_listed", notice->target_count - shown);
}

void render_json(const struct notice *notice, struct text *out)
{
    struct text words = text_of(RENDER_BYTES);
    struct json_out json = json_out_of(out, JSON_COMPACT);
    char moment[MOMENT_TEXT];
    json_open_map(&json, NULL);
    json_add_str(&json, "schema", STR("sluice.notice/1"));
    json_add_str(&json, "id", notice->id);
    json_add_str(&json, "thread", notice->thread);
    json_add_str(&json, "event", str_of(notice_event_name(notice->event)));
    json_add_str(&json, "time", str_of(moment_format(notice->time_ms, moment)));
    json_add_bool(&json, "late", notice->late);
    json_add_str(&json, "subject", notice->title);
    add_words(notice, &words);
    json_add_str(&json, "text", text_str(&words));
    add_text(&json, "why", notice->why);
    json_add_str(&json, "rollout", notice->rollout);
    json_add_str(&json, "release", notice->release);
    json_add_str(&json, "commit", notice->commit);
    json_add_str(&json, "environment", notice->environment);
    json_add_str(&json, "stage", notice->stage);
    json_add_str(&json, "phase", notice->phase);
    add_text(&json, "step", notice->where);
    add_targets(&json, notice);
    json_open_map(&json, "asked");
    add_strings(&json, "from", notice->asked, notice->asked_count);
    json_add_u64(&json, "count", notice->answers_needed);
    json_close(&json);
    add_strings(&json, "commands", notice->commands, notice->command_count);
    add_strings(&json, "runbooks", notice->runbooks, notice->runbook_count);
    add_text(&json, "link", notice->link);
    json_close(&json);
    text_done(&words);
}
