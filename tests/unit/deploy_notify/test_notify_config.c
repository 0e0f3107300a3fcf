#include "../expect.h"
#include "deploy/notify/notify_config.h"
#include "gate/doc/yaml.h"

static struct arena arena;

static void close_arena(void)
{
    arena_done(&arena);
}

TestSuite(notify_config, .fini = close_arena);

static bool bind(const char *yaml, struct notify_settings *ret, struct error *err)
{
    const struct node *root;
    struct problems problems = {.arena = &arena};
    cr_assert(yaml_parse(&arena, "sluice.yml", str_of(yaml), &root, err), "%s", err->message);
    bool ok = notify_bind(&arena, root, ret, &problems);
    problems_sort(&problems);
    cr_assert_eq(ok, problems.count == 0);
    return problems_none(&problems, err);
}

Test(notify_config, channels_and_their_events)
{
    struct notify_settings settings;
    struct error err;
    cr_assert(bind("env: [SLACK_URL, PD_KEY]\n"
                   "notify:\n"
                   "  - {on: [waiting, rolled_back, stuck], webhook: \"${env.SLACK_URL}\"}\n"
                   "  - {on: stuck, pagerduty: \"${env.PD_KEY}\"}\n"
                   "  - {on: done, webhook: \"${env.SLACK_URL}\", format: teams}\n",
                   &settings, &err),
              "%s", err.message);
    cr_assert_eq(settings.count, 3);
    const struct notify_channel *slack = &settings.channels[0], *pager = &settings.channels[1];
    expect_str(slack->name, "env.SLACK_URL");
    cr_expect_eq(slack->events,
                 1U << NOTICE_WAITING | 1U << NOTICE_ROLLED_BACK | 1U << NOTICE_STUCK);
    cr_expect_not(slack->has_format);
    expect_str(pager->name, "env.PD_KEY");
    expect_str(pager->endpoint, "https://events.pagerduty.com/v2/enqueue");
    cr_expect(settings.channels[2].has_format && settings.channels[2].format == NOTIFY_TEAMS);
}

Test(notify_config, without_it_nobody_is_told)
{
    struct notify_settings settings;
    struct error err;
    cr_assert(bind("version: 1\n", &settings, &err));
    cr_expect_eq(settings.count, 0);
}

Test(notify_config, what_is_refused)
{
    static const struct {
        const char *entry, *words;
    } rows[] = {
        {"{on: [waiting]}", "sluice.yml:2:10: it needs a `webhook` or a `pagerduty`"},
        {"{webhook: \"${env.A}\"}", "sluice.yml:2:10: `on` is missing from `notify`: add it"},
        {"{on: [], webhook: \"${env.A}\"}",
         "sluice.yml:2:15: `on` must have between 1 and 8 entries, not 0"},
        {"{on: [wating], webhook: \"${env.A}\"}",
         "sluice.yml:2:16: an item of `on` must be `started`, `waiting`, `held`, `rolled_back`, "
         "`stuck`, `done`, `denied` or `cancelled`, not `wating`; did you mean `waiting`?"},
        {"{on: [held, held], webhook: \"${env.A}\"}",
         "sluice.yml:2:15: `held` stands twice in `on`"},
        {"{on: held, webhook: \"https://hooks.slack.com/services/T/B/x\"}",
         "sluice.yml:2:30: `webhook` must be `${env.NAME}` and nothing else: the address is a "
         "secret, and comes from the environment"},
        {"{on: held, webhook: \"https://x/${env.A}\"}",
         "sluice.yml:2:30: `webhook` must be `${env.NAME}` and nothing else: the address is a "
         "secret, and comes from the environment"},
        {"{on: held, webhook: \"${env.A}/${env.B}\"}",
         "sluice.yml:2:30: `webhook` must be `${env.NAME}` and nothing else: the address is a "
         "secret, and comes from the environment"},
        {"{on: held, pagerduty: R0UT1NG}",
         "sluice.yml:2:32: `pagerduty` must be `${env.NAME}` and nothing else: the key is a "
         "secret, and comes from the environment"},
        {"{on: held, webhook: \"${env.OTHER}\"}",
         "sluice.yml:2:10: `OTHER` is not listed in `env`, so it cannot be read: add it there"},
        {"{on: held, webhook: \"${env.A}\", pagerduty: \"${env.B}\"}",
         "sluice.yml:2:53: `webhook` and `pagerduty` are two channels: write two entries"},
        {"{on: done, pagerduty: \"${env.A}\"}",
         "sluice.yml:2:15: `done` pages nobody: PagerDuty is for `waiting`, `held`, `rolled_back` "
         "and `stuck`"},
        {"{on: held, pagerduty: \"${env.A}\", format: slack}",
         "sluice.yml:2:52: `format` is for a `webhook`; `pagerduty` has its own"},
        {"{on: held, webhook: \"${env.A}\", format: email}",
         "sluice.yml:2:50: `format` must be `json`, `slack` or `teams`, not `email`"},
        {"{on: held, webhook: \"${env.A}\", endpoint: \"https://e.example/\"}",
         "sluice.yml:2:52: `endpoint` is for `pagerduty` alone"},
        {"{on: held, pagerduty: \"${env.A}\", endpoint: \"http://e.example/\"}",
         "sluice.yml:2:54: `endpoint`: it is not https://, and a secret is sent over the network "
         "in no other way"},
        {"{on: held, webhook: \"${env.A}\"}, {on: [done, held], webhook: \"${env.A}\"}",
         "sluice.yml:2:43: two entries tell `env.A` the same event"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text yaml = text_of(4096);
        struct notify_settings settings;
        struct error err = {0};
        char words[1024];
        text_addf(&yaml, "env: [A, B]\nnotify: [%s]\n", rows[i].entry);
        cr_expect_not(bind(text_c(&yaml), &settings, &err), "%s", rows[i].entry);
        cr_expect_str_eq(error_text(&err, words, sizeof words), rows[i].words);
        text_done(&yaml);
    }
}

Test(notify_config, the_format_is_seen_from_the_host)
{
    static const struct {
        const char *url;
        enum notify_format format;
    } rows[] = {
        {"https://hooks.slack.com/services/T0/B0/x", NOTIFY_SLACK},
        {"https://HOOKS.Slack.com/x", NOTIFY_SLACK},
        {"https://hooks.slack-gov.com:443/x", NOTIFY_SLACK},
        {"https://acme.webhook.office.com/webhookb2/x", NOTIFY_TEAMS},
        {"https://prod-7.westeurope.logic.azure.com:443/workflows/x", NOTIFY_TEAMS},
        {"https://a.b.environment.api.powerplatform.com:443/powerautomate/x", NOTIFY_TEAMS},
        {"https://hooks.slack.com.evil.example/x", NOTIFY_JSON},
        {"https://hooks.slack.com@evil.example/x", NOTIFY_JSON},
        {"https://evil.example/hooks.slack.com", NOTIFY_JSON},
        {"https://evil.example?@hooks.slack.com", NOTIFY_JSON},
        {"https://.logic.azure.com/x", NOTIFY_JSON},
        {"nonsense", NOTIFY_JSON},
        {"", NOTIFY_JSON},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(notify_format_of(str_of(rows[i].url)), rows[i].format, "%s", rows[i].url);
}

Test(notify_config, a_secret_goes_over_https_or_stays_on_this_machine)
{
    static const struct {
        const char *url;
        bool good;
    } rows[] = {
        {"https://a.example/x", true},
        {"HTTPS://a.example", true},
        {"http://127.0.0.1:8080/x", true},
        {"http://localhost/x", true},
        {"http://[::1]:1/x", true},
        {"http://a.example/x", false},
        {"http://127.evil.example", false},
        {"http://localhost.evil.example/", false},
        {"http://localhost@evil.example/", false},
        {"ftp://a.example/", false},
        {"https://", false},
        {"https:///x", false},
        {"https://a.example/x y", false},
        {"https://a.example/\n", false},
        {"a.example", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        cr_expect_eq(notify_check_url(str_of(rows[i].url), &err), rows[i].good, "%s", rows[i].url);
        cr_expect(rows[i].good || str_search(str_of(err.message), STR("example")) == STR_NONE,
                  "the address is not repeated: %s", err.message);
    }
}
