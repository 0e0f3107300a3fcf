#include "deploy/notify/notify_config.h"

#define PAGERDUTY_ENDPOINT "https://events.pagerduty.com/v2/enqueue"

static const char *const format_names[] = {"json", "slack", "teams", NULL};

const char *notify_format_name(enum notify_format format)
{
    return format == NOTIFY_PAGERDUTY ? "pagerduty" : format_names[format];
}

// ---- addresses ---------------------------------------------------------------------------------

// "host:port" of a URL, without user and password; empty when it is none.
static str authority_of(str url)
{
    size_t at = str_search(url, STR("://"));
    if (at == STR_NONE)
        return (str){NULL, 0};
    str rest = str_from(url, at + 3);
    for (size_t i = 0; i < rest.len; i++)
        if (memchr("/?#", rest.data[i], 3)) {
            rest = str_first(rest, i);
            break;
        }
    at = str_find_last(rest, '@');
    return at == STR_NONE ? rest : str_from(rest, at + 1);
}

static str host_of(str url)
{
    str authority = authority_of(url);
    if (str_starts(authority, STR("["))) {
        size_t end = str_find(authority, ']');
        return end == STR_NONE ? (str){NULL, 0} : str_first(authority, end + 1);
    }
    return str_first(authority, str_find(authority, ':'));
}

static bool is_any_case(str a, const char *b)
{
    return str_cmp_any_case(a, str_of(b)) == 0;
}

static bool ends_any_case(str s, const char *suffix)
{
    size_t len = strlen(suffix);
    return s.len > len && is_any_case(str_from(s, s.len - len), suffix);
}

enum notify_format notify_format_of(str url)
{
    static const struct {
        const char *host; // one that begins with a dot is the end of many
        enum notify_format format;
    } rows[] = {
        {"hooks.slack.com", NOTIFY_SLACK},     {"hooks.slack-gov.com", NOTIFY_SLACK},
        {".webhook.office.com", NOTIFY_TEAMS}, {".logic.azure.com", NOTIFY_TEAMS},
        {".powerplatform.com", NOTIFY_TEAMS},  {".powerautomate.com", NOTIFY_TEAMS},
    };
    str host = host_of(url);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].host[0] == '.' ? ends_any_case(host, rows[i].host)
                                   : is_any_case(host, rows[i].host))
            return rows[i].format;
    return NOTIFY_JSON;
}

static bool is_loopback(str host)
{
    return is_any_case(host, "localhost") || str_starts(host, STR("127.")) || str_is(host, "[::1]");
}

bool notify_check_url(str url, struct error *err)
{
    bool https = url.len > 8 && is_any_case(str_first(url, 8), "https://");
    bool http = url.len > 7 && is_any_case(str_first(url, 7), "http://");
    str host = host_of(url);
    bool plain = host.len > 0;
    for (size_t i = 0; i < url.len; i++)
        plain &= (unsigned char)url.data[i] > 0x20 && url.data[i] != 0x7f;
    // Digits and dots only: "127.evil.example" is a name.
    for (size_t i = 0; http && str_starts(host, STR("127.")) && i < host.len; i++)
        http = (host.data[i] >= '0' && host.data[i] <= '9') || host.data[i] == '.';
    if (!plain || (!https && !http))
        return error_set(err, ERROR_INPUT, "it is not an https:// address");
    if (!https && !is_loopback(host))
        return error_set(err, ERROR_INPUT,
                         "it is not https://, and a secret is sent over the network in no other "
                         "way");
    return true;
}

// ---- fields ------------------------------------------------------------------------------------

static const struct shape_field event_field[] = {
    {"", SHAPE_CHOICE, .choices = notice_event_names, .doc = NULL}, {0}};
static const struct shape event_shape = {"event", sizeof(int), .fields = event_field};

static const struct shape_field channel_fields[] = {
    {.key = "on",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct notify_channel, on),
     .shape = &event_shape,
     .min = 1,
     .max = NOTICE_COUNT,
     .required = true,
     .doc =
         "What is told: that a rollout `started`, is `waiting` for an approval, was `held` for a "
         "person, `rolled_back`, is `stuck` on its way back, is `done`, `denied` or "
         "`cancelled`."},
    {.key = "webhook",
     .kind = SHAPE_STR,
     .offset = offsetof(struct notify_channel, webhook),
     .doc = "`${env.NAME}`: the address of an incoming webhook."},
    {.key = "pagerduty",
     .kind = SHAPE_STR,
     .offset = offsetof(struct notify_channel, pagerduty),
     .doc = "`${env.NAME}`: the integration key of a PagerDuty service (Events API v2)."},
    {.key = "format",
     .kind = SHAPE_CHOICE,
     .offset = offsetof(struct notify_channel, format),
     .choices = format_names,
     .fallback = "json",
     .given = offsetof(struct notify_channel, has_format) + 1,
     .doc = "What the webhook understands; seen from the address when absent, and `json` where "
            "that does not say."},
    {.key = "endpoint",
     .kind = SHAPE_STR,
     .offset = offsetof(struct notify_channel, endpoint),
     .doc = "Where PagerDuty's events go, for its European region or a proxy; " PAGERDUTY_ENDPOINT
            " when absent."},
    {.kind = SHAPE_END},
};

// "env.NAME" of "${env.NAME}"; empty for anything else.
static str env_name(str source)
{
    static const str open = STR_INIT("${env.");
    if (!str_starts(source, open) || !str_ends(source, STR("}")) || source.len < open.len + 2)
        return (str){NULL, 0};
    str name = str_make(source.data + 2, source.len - 3);
    for (size_t i = 4; i < name.len; i++) {
        char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_'))
            return (str){NULL, 0};
    }
    return name;
}

static struct position at_key(const struct node *map, const char *key)
{
    const struct node *node = node_get(map, key);
    return node ? node->at : map->at;
}

static void check_secret(const struct node *node, const char *key, const char *what, str source,
                         struct problems *problems)
{
    if (source.len && !env_name(source).len)
        problem_at(problems, at_key(node, key),
                   "`%s` must be `${env.NAME}` and nothing else: %s is a secret, and comes from "
                   "the environment",
                   key, what);
}

static void check_events(struct notify_channel *channel, const struct node *node,
                         struct problems *problems)
{
    static const unsigned pages =
        1U << NOTICE_WAITING | 1U << NOTICE_HELD | 1U << NOTICE_ROLLED_BACK | 1U << NOTICE_STUCK;
    const int *on = channel->on.items;
    for (size_t i = 0; i < channel->on.count; i++) {
        unsigned bit = 1U << on[i];
        const char *name = notice_event_name((enum notice_event)on[i]);
        if (channel->events & bit)
            problem_at(problems, at_key(node, "on"), "`%s` stands twice in `on`", name);
        else if (channel->pagerduty.len && !(pages & bit))
            problem_at(problems, at_key(node, "on"),
                       "`%s` pages nobody: PagerDuty is for `waiting`, `held`, `rolled_back` and "
                       "`stuck`",
                       name);
        channel->events |= bit;
    }
}

static void check_channel(void *value, const struct node *node, struct problems *problems)
{
    struct notify_channel *channel = value;
    struct error why;
    check_secret(node, "webhook", "the address", channel->webhook, problems);
    check_secret(node, "pagerduty", "the key", channel->pagerduty, problems);
    if (channel->webhook.len && channel->pagerduty.len)
        problem_at(problems, at_key(node, "pagerduty"),
                   "`webhook` and `pagerduty` are two channels: write two entries");
    else if (!channel->webhook.len && !channel->pagerduty.len)
        problem_at(problems, node->at, "it needs a `webhook` or a `pagerduty`");
    if (channel->pagerduty.len && channel->has_format)
        problem_at(problems, at_key(node, "format"),
                   "`format` is for a `webhook`; `pagerduty` has its own");
    if (channel->webhook.len && channel->endpoint.len)
        problem_at(problems, at_key(node, "endpoint"), "`endpoint` is for `pagerduty` alone");
    if (channel->endpoint.len && !notify_check_url(channel->endpoint, &why))
        problem_at(problems, at_key(node, "endpoint"), "`endpoint`: %s", why.message);
    if (channel->pagerduty.len && !channel->endpoint.len)
        channel->endpoint = STR(PAGERDUTY_ENDPOINT);
    channel->name = env_name(channel->pagerduty.len ? channel->pagerduty : channel->webhook);
    check_events(channel, node, problems);
}

const struct shape notify_channel_shape = {
    .name = "notify",
    .size_bytes = sizeof(struct notify_channel),
    .fields = channel_fields,
    .position_offset = offsetof(struct notify_channel, at) + 1,
    .check = check_channel,
    .doc = "Somebody who is told what becomes of a rollout.",
};

// ---- the section -------------------------------------------------------------------------------

static bool lists(const struct node *env, str name)
{
    if (env && env->kind != NODE_LIST)
        return str_eq(env->text, name);
    for (const struct node *n = env ? env->first : NULL; n; n = n->next)
        if (str_eq(n->text, name))
            return true;
    return false;
}

void notify_check_env(const struct notify_settings *settings, const struct node *root,
                      struct problems *problems)
{
    const struct node *env = node_get(root, "env");
    for (size_t i = 0; i < settings->count; i++) {
        const struct notify_channel *channel = &settings->channels[i];
        str name = str_from(channel->name, 4);
        if (!lists(env, name))
            problem_at(problems, channel->at,
                       "`" STR_FMT "` is not listed in `env`, so it cannot be read: add it there",
                       STR_ARG(name));
        for (size_t k = 0; k < i; k++)
            if (str_eq(settings->channels[k].name, channel->name) &&
                (settings->channels[k].events & channel->events)) {
                problem_at(problems, channel->at, "two entries tell `" STR_FMT "` the same event",
                           STR_ARG(channel->name));
                break;
            }
    }
}

struct section {
    struct shape_list notify;
};

static const struct shape_field section_fields[] = {
    {.key = "notify",
     .kind = SHAPE_LIST,
     .offset = offsetof(struct section, notify),
     .shape = &notify_channel_shape,
     .min = 1,
     .max = NOTIFY_CHANNELS},
    {.kind = SHAPE_END},
};

static const struct shape section_shape = {
    .name = "configuration", .size_bytes = sizeof(struct section), .fields = section_fields};

bool notify_bind(struct arena *arena, const struct node *root, struct notify_settings *ret,
                 struct problems *problems)
{
    size_t before = problems->count + problems->dropped;
    const struct node *notify = node_get(root, "notify");
    struct notify_settings settings = {0};
    if (notify) {
        struct node only = *notify, map = {.kind = NODE_MAP, .at = notify->at, .count = 1};
        struct section section;
        only.next = NULL;
        map.first = &only;
        if (shape_bind(arena, &section_shape, &map, &section, problems)) {
            settings = (struct notify_settings){section.notify.items, section.notify.count};
            notify_check_env(&settings, root, problems);
        }
    }
    *ret = settings;
    return problems->count + problems->dropped == before;
}
