// PagerDuty Events API v2 (https://developer.pagerduty.com/docs/events-api-v2): all events of one
// rollout have one `dedup_key`, so that the same one twice is one incident, and the end of the
// rollout resolves it. Nothing there reads mark-up.
#include "deploy/notify/render.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

enum { SUMMARY_MOST = 1024, SOURCE_MOST = 250, KEY_MOST = 255, DETAIL_MOST = 4000 };

static const char *severity_of(enum notice_event event)
{
    return event == NOTICE_STUCK ? "critical" : event == NOTICE_WAITING ? "warning" : "error";
}

static void add_cut(struct json_out *json, const char *key, str s, size_t most)
{
    struct text cut = text_of(RENDER_BYTES);
    render_cut(s, most, &cut);
    if (cut.len)
        json_add_str(json, key, text_str(&cut));
    text_done(&cut);
}

static void add_details(struct json_out *json, const struct notice *notice)
{
    struct text words = text_of(RENDER_BYTES);
    json_open_map(json, "custom_details");
    json_add_str(json, "event", str_of(notice_event_name(notice->event)));
    json_add_str(json, "id", notice->id);
    add_cut(json, "rollout", notice->rollout, DETAIL_MOST);
    add_cut(json, "release", notice->release, DETAIL_MOST);
    json_add_str(json, "commit", notice->commit);
    add_cut(json, "stage", notice->stage, DETAIL_MOST);
    add_cut(json, "step", notice->where, DETAIL_MOST);
    add_cut(json, "why", notice->why, DETAIL_MOST);
    render_targets(notice, &words);
    add_cut(json, "targets", text_str(&words), DETAIL_MOST);
    text_clear(&words);
    if (notice->asked_count)
        render_asked(notice, &words);
    add_cut(json, "asked", text_str(&words), DETAIL_MOST);
    text_clear(&words);
    render_list(notice->commands, notice->command_count, "\n", &words);
    add_cut(json, "answer", text_str(&words), DETAIL_MOST);
    text_clear(&words);
    render_list(notice->runbooks, notice->runbook_count, ", ", &words);
    add_cut(json, "runbook", text_str(&words), DETAIL_MOST);
    if (notice->late)
        json_add_bool(json, "late", true);
    json_close(json);
    text_done(&words);
}

static void add_payload(struct json_out *json, const struct notice *notice)
{
    struct text summary = text_of(RENDER_BYTES);
    char moment[MOMENT_TEXT];
    json_open_map(json, "payload");
    text_add(&summary, notice->title);
    if (notice->why.len)
        text_addf(&summary, ": " STR_FMT, STR_ARG(notice->why));
    add_cut(json, "summary", text_str(&summary), SUMMARY_MOST);
    add_cut(json, "source", notice->environment, SOURCE_MOST);
    json_add_str(json, "severity", str_of(severity_of(notice->event)));
    json_add_str(json, "timestamp", str_of(moment_format(notice->time_ms, moment)));
    add_cut(json, "component", notice->release, SOURCE_MOST);
    add_cut(json, "group", notice->stage, SOURCE_MOST);
    json_add_str(json, "class", str_of(notice_event_name(notice->event)));
    add_details(json, notice);
    json_close(json);
    text_done(&summary);
}

void render_pagerduty(const struct notice *notice, str key, bool resolve, struct text *out)
{
    struct json_out json = json_out_of(out, JSON_COMPACT);
    json_open_map(&json, NULL);
    json_add_str(&json, "routing_key", key);
    json_add_str(&json, "event_action", resolve ? STR("resolve") : STR("trigger"));
    json_add_str(&json, "dedup_key", str_shorten(notice->thread, KEY_MOST));
    if (!resolve) {
        add_payload(&json, notice);
        json_add_str(&json, "client", STR("sluice"));
        if (str_starts(notice->link, STR("https://"))) {
            json_add_str(&json, "client_url", notice->link);
            json_open_list(&json, "links");
            json_open_map(&json, NULL);
            json_add_str(&json, "href", notice->link);
            json_add_str(&json, "text", STR("the run"));
            json_close(&json);
            json_close(&json);
        }
    }
    json_close(&json);
}
