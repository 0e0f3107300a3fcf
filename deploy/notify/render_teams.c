// Teams: the webhook of a workflow takes a message whose attachment is an Adaptive Card. A
// TextBlock reads markdown, a TextRun does not: other people's text stands in TextRuns alone. A
// message is at most 28 KB; what is long here is cut far below that.
#include "deploy/notify/render.h"
#include "gate/doc/json.h"

enum { LINE_MOST = 300, TEXT_MOST = 2000, LIST_MOST = 4000 };

struct run { // how a run looks
    bool large, subtle, fixed;
};

static void add_run(struct json_out *json, str s, size_t most, struct run look)
{
    struct text cut = text_of(RENDER_BYTES);
    if (!s.len)
        return;
    render_cut(s, most, &cut);
    json_open_map(json, NULL);
    json_add_str(json, "type", STR("RichTextBlock"));
    json_open_list(json, "inlines");
    json_open_map(json, NULL);
    json_add_str(json, "type", STR("TextRun"));
    json_add_str(json, "text", text_str(&cut));
    if (look.large) {
        json_add_str(json, "size", STR("Large"));
        json_add_str(json, "weight", STR("Bolder"));
    }
    if (look.subtle)
        json_add_bool(json, "isSubtle", true);
    if (look.fixed)
        json_add_str(json, "fontType", STR("Monospace"));
    json_close(json);
    json_close(json);
    json_close(json);
    text_done(&cut);
}

static void add_body(struct json_out *json, const struct notice *notice)
{
    static const struct run plain = {0};
    struct text words = text_of(RENDER_BYTES);
    text_addf(&words, "%s " STR_FMT, render_mark(notice->event), STR_ARG(notice->title));
    add_run(json, text_str(&words), LINE_MOST, (struct run){.large = true});
    text_clear(&words);
    text_addf(&words, STR_FMT " · " STR_FMT " · commit " STR_FMT, STR_ARG(notice->environment),
              STR_ARG(notice->release), STR_ARG(str_first(notice->commit, 12)));
    if (notice->where.len)
        text_addf(&words, " · " STR_FMT, STR_ARG(notice->where));
    add_run(json, text_str(&words), LINE_MOST, (struct run){.subtle = true});
    add_run(json, notice->why, TEXT_MOST, plain);
    text_clear(&words);
    render_targets(notice, &words);
    add_run(json, text_str(&words), LIST_MOST, plain);
    text_clear(&words);
    if (notice->asked_count)
        render_asked(notice, &words);
    add_run(json, text_str(&words), LIST_MOST, plain);
    text_clear(&words);
    render_list(notice->commands, notice->command_count, "\n", &words);
    add_run(json, text_str(&words), TEXT_MOST, (struct run){.fixed = true});
    text_clear(&words);
    render_list(notice->runbooks, notice->runbook_count, ", ", &words);
    if (words.len) {
        struct text runbooks = text_of(RENDER_BYTES);
        text_addf(&runbooks, "runbook: " STR_FMT, STR_ARG(text_str(&words)));
        add_run(json, text_str(&runbooks), TEXT_MOST, plain);
        text_done(&runbooks);
    }
    text_clear(&words);
    text_addf(&words, "%s" STR_FMT, notice->late ? "told late · " : "", STR_ARG(notice->id));
    add_run(json, text_str(&words), LINE_MOST, (struct run){.subtle = true});
    text_done(&words);
}

static void add_card(struct json_out *json, const struct notice *notice)
{
    json_open_map(json, "content");
    json_add_str(json, "$schema", STR("http://adaptivecards.io/schemas/adaptive-card.json"));
    json_add_str(json, "type", STR("AdaptiveCard"));
    json_add_str(json, "version", STR("1.4"));
    struct text fallback = text_of(RENDER_BYTES);
    render_cut(notice->title, LINE_MOST, &fallback);
    json_add_str(json, "fallbackText", text_str(&fallback));
    text_done(&fallback);
    json_open_list(json, "body");
    add_body(json, notice);
    json_close(json);
    if (str_starts(notice->link, STR("https://"))) {
        json_open_list(json, "actions");
        json_open_map(json, NULL);
        json_add_str(json, "type", STR("Action.OpenUrl"));
        json_add_str(json, "title", STR("The run"));
        json_add_str(json, "url", notice->link);
        json_close(json);
        json_close(json);
    }
    json_close(json);
}

void render_teams(const struct notice *notice, struct text *out)
{
    struct json_out json = json_out_of(out, JSON_COMPACT);
    json_open_map(&json, NULL);
    json_add_str(&json, "type", STR("message"));
    json_open_list(&json, "attachments");
    json_open_map(&json, NULL);
    json_add_str(&json, "contentType", STR("application/vnd.microsoft.card.adaptive"));
    json_add_null(&json, "contentUrl");
    add_card(&json, notice);
    json_close(&json);
    json_close(&json);
    json_close(&json);
}
