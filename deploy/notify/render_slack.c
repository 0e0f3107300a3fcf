// Slack: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and the block
// kit's limits (header 150 characters, text of a section 3000, of a field 2000, 50 blocks).
// Other people's text stands in `plain_text` objects, where no mark-up is read; & < > are escaped
// everywhere, as Slack asks for. Limits are kept in bytes, which are never fewer than characters.
#include "deploy/notify/render.h"
#include "gate/doc/json.h"

enum { HEADER_MOST = 150, SECTION_MOST = 3000, FIELD_MOST = 2000, FALLBACK_MOST = 1000 };

static const char *entity_of(char c)
{
    return c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : NULL;
}

// Escaped, and cut so that what Slack counts is at most `most`.
static void escape(str s, size_t most, struct text *out)
{
    static const str more = STR_INIT("…");
    size_t used = 0, i = 0, room = most - more.len;
    size_t whole = 0; // how long all of it would be
    for (size_t k = 0; k < s.len; k++)
        whole += entity_of(s.data[k]) ? strlen(entity_of(s.data[k])) : 1;
    if (whole <= most)
        room = most;
    while (i < s.len) {
        const char *entity = entity_of(s.data[i]);
        size_t next = i + 1;
        while (next < s.len && ((unsigned char)s.data[next] & 0xC0) == 0x80)
            next++; // the rest of a character
        size_t size = entity ? strlen(entity) : next - i;
        if (used + size > room)
            break;
        if (entity)
            text_adds(out, entity);
        else
            text_add(out, str_make(s.data + i, next - i));
        used += size;
        i = next;
    }
    if (i < s.len)
        text_add(out, more);
}

static void add_plain(struct json_out *json, const char *key, str s, size_t most)
{
    struct text escaped = text_of(RENDER_BYTES);
    escape(s, most, &escaped);
    json_open_map(json, key);
    json_add_str(json, "type", STR("plain_text"));
    json_add_str(json, "text", text_str(&escaped));
    json_add_bool(json, "emoji", false);
    json_close(json);
    text_done(&escaped);
}

static void open_block(struct json_out *json, const char *type)
{
    json_open_map(json, NULL);
    json_add_str(json, "type", str_of(type));
}

static void add_section(struct json_out *json, const char *label, str s)
{
    struct text words = text_of(RENDER_BYTES);
    if (!s.len)
        return;
    text_adds(&words, label);
    text_add(&words, s);
    open_block(json, "section");
    add_plain(json, "text", text_str(&words), SECTION_MOST);
    json_close(json);
    text_done(&words);
}

static void add_field(struct json_out *json, const char *label, str s)
{
    struct text words = text_of(RENDER_BYTES);
    if (!s.len)
        return;
    text_addf(&words, "%s: " STR_FMT, label, STR_ARG(s));
    add_plain(json, NULL, text_str(&words), FIELD_MOST);
    text_done(&words);
}

static void add_fields(struct json_out *json, const struct notice *notice)
{
    open_block(json, "section");
    json_open_list(json, "fields");
    add_field(json, "environment", notice->environment);
    if (!str_eq(notice->stage, notice->environment))
        add_field(json, "stage", notice->stage);
    add_field(json, "release", notice->release);
    add_field(json, "commit", str_first(notice->commit, 12));
    add_field(json, "step", notice->where);
    json_close(json);
    json_close(json);
}

// Commands in code spans, which a back quote would end.
static void add_commands(struct json_out *json, const struct notice *notice)
{
    struct text words = text_of(RENDER_BYTES);
    for (size_t i = 0; i < notice->command_count; i++) {
        struct text one = text_of(RENDER_BYTES);
        escape(notice->commands[i], FALLBACK_MOST, &one);
        for (size_t k = 0; k < one.len; k++)
            if (one.data[k] == '`' || one.data[k] == '\n')
                one.data[k] = '\'';
        if (words.len + one.len + 3 <= SECTION_MOST)
            text_addf(&words, "%s`" STR_FMT "`", i ? "\n" : "", STR_ARG(text_str(&one)));
        text_done(&one);
    }
    if (words.len) {
        open_block(json, "section");
        json_open_map(json, "text");
        json_add_str(json, "type", STR("mrkdwn"));
        json_add_str(json, "text", text_str(&words));
        json_close(json);
        json_close(json);
    }
    text_done(&words);
}

// A link is mark-up, so it is made of nothing but what an address is made of.
static void add_link(struct json_out *json, str link)
{
    bool plain = str_starts(link, STR("https://")) && link.len < 1000;
    for (size_t i = 0; i < link.len; i++)
        plain &=
            link.data[i] > 0x20 && !memchr("<>|\"`\\", link.data[i], 6) && link.data[i] != 0x7f;
    if (!plain)
        return;
    struct text words = text_of(RENDER_BYTES), escaped = text_of(RENDER_BYTES);
    escape(link, SECTION_MOST, &escaped);
    text_addf(&words, "<" STR_FMT "|the run>", STR_ARG(text_str(&escaped)));
    open_block(json, "section");
    json_open_map(json, "text");
    json_add_str(json, "type", STR("mrkdwn"));
    json_add_str(json, "text", text_str(&words));
    json_close(json);
    json_close(json);
    text_done(&escaped);
    text_done(&words);
}

static void add_blocks(struct json_out *json, const struct notice *notice)
{
    struct text words = text_of(RENDER_BYTES);
    open_block(json, "header");
    text_addf(&words, "%s " STR_FMT, render_mark(notice->event), STR_ARG(notice->title));
    add_plain(json, "text", text_str(&words), HEADER_MOST);
    json_close(json);
    add_fields(json, notice);
    add_section(json, "", notice->why);
    text_clear(&words);
    render_targets(notice, &words);
    add_section(json, "", text_str(&words));
    text_clear(&words);
    if (notice->asked_count)
        render_asked(notice, &words);
    add_section(json, "", text_str(&words));
    add_commands(json, notice);
    text_clear(&words);
    render_list(notice->runbooks, notice->runbook_count, ", ", &words);
    add_section(json, "runbook: ", text_str(&words));
    add_link(json, notice->link);
    open_block(json, "context");
    json_open_list(json, "elements");
    text_clear(&words);
    text_addf(&words, "%s" STR_FMT, notice->late ? "told late · " : "", STR_ARG(notice->id));
    add_plain(json, NULL, text_str(&words), FIELD_MOST);
    json_close(json);
    json_close(json);
    text_done(&words);
}

void render_slack(const struct notice *notice, struct text *out)
{
    struct text fallback = text_of(RENDER_BYTES), escaped = text_of(RENDER_BYTES);
    struct json_out json = json_out_of(out, JSON_COMPACT);
    text_addf(&fallback, "%s " STR_FMT, render_mark(notice->event), STR_ARG(notice->title));
    if (notice->why.len)
        text_addf(&fallback, ": " STR_FMT, STR_ARG(notice->why));
    escape(text_str(&fallback), FALLBACK_MOST, &escaped);
    json_open_map(&json, NULL);
    json_add_str(&json, "text", text_str(&escaped));
    json_add_bool(&json, "mrkdwn", false);
    json_add_bool(&json, "unfurl_links", false);
    json_open_list(&json, "blocks");
    add_blocks(&json, notice);
    json_close(&json);
    json_close(&json);
    text_done(&escaped);
    text_done(&fallback);
}
