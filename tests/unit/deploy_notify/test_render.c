#include "../expect.h"
#include "deploy/notify/render.h"
#include "gate/doc/json.h"
#include "sample.h"

#include <stdio.h>

static struct arena arena;
static struct sample sample;
static struct text out;

static void open_sample(void)
{
    sample_make(&sample);
    out = text_of(RENDER_BYTES);
}

static void close_sample(void)
{
    text_done(&out);
    arena_done(&arena);
}

TestSuite(render, .init = open_sample, .fini = close_sample);

static const struct node *parsed(void)
{
    const struct node *root;
    struct error err = {0};
    cr_assert_not(text_full(&out));
    cr_assert(json_parse(&arena, "body", text_str(&out), &root, &err), "%s\n%s", err.message,
              text_c(&out));
    return root;
}

Test(render, slack_word_for_word)
{
    struct notice notice = sample_notice(&arena, &sample, PHASE_WAITING);
    render_slack(&notice, &out);
    cr_expect_str_eq(
        text_c(&out),
        "{\"text\":\"⏸️ v812 waits for an approval in production\",\"mrkdwn\":false,"
        "\"unfurl_links\":false,\"blocks\":["
        "{\"type\":\"header\",\"text\":{\"type\":\"plain_text\","
        "\"text\":\"⏸️ v812 waits for an approval in production\",\"emoji\":false}},"
        "{\"type\":\"section\",\"fields\":["
        "{\"type\":\"plain_text\",\"text\":\"environment: production\",\"emoji\":false},"
        "{\"type\":\"plain_text\",\"text\":\"release: v812\",\"emoji\":false},"
        "{\"type\":\"plain_text\",\"text\":\"commit: 0123456789ab\",\"emoji\":false},"
        "{\"type\":\"plain_text\",\"text\":\"step: 25 % (step 1 of 2)\",\"emoji\":false}]},"
        "{\"type\":\"section\",\"text\":{\"type\":\"plain_text\","
        "\"text\":\"web: v811 → v812\\nworker: nothing → v812\",\"emoji\":false}},"
        "{\"type\":\"section\",\"text\":{\"type\":\"plain_text\","
        "\"text\":\"asked: alice, bob (1 of them)\",\"emoji\":false}},"
        "{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\","
        "\"text\":\"`sluice show v812-production-1`\"}},"
        "{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\","
        "\"text\":\"<https://github.example/acme/learn/actions/runs/7|the run>\"}},"
        "{\"type\":\"context\",\"elements\":[{\"type\":\"plain_text\","
        "\"text\":\"v812-production-1/waiting/17\",\"emoji\":false}]}]}");
}

Test(render, teams_word_for_word)
{
    struct notice notice = sample_notice(&arena, &sample, PHASE_ROLLED_BACK);
    render_teams(&notice, &out);
    cr_expect_str_eq(
        text_c(&out),
        "{\"type\":\"message\",\"attachments\":[{"
        "\"contentType\":\"application/vnd.microsoft.card.adaptive\",\"contentUrl\":null,"
        "\"content\":{\"$schema\":\"http://adaptivecards.io/schemas/adaptive-card.json\","
        "\"type\":\"AdaptiveCard\",\"version\":\"1.4\","
        "\"fallbackText\":\"v812 was taken back in production\",\"body\":["
        "{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\","
        "\"text\":\"↩️ v812 was taken back in production\",\"size\":\"Large\","
        "\"weight\":\"Bolder\"}]},"
        "{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\","
        "\"text\":\"production · v812 · commit 0123456789ab\",\"isSubtle\":true}]},"
        "{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\","
        "\"text\":\"errors on web: 12 of 80 bad & 2 of 240 before\"}]},"
        "{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\","
        "\"text\":\"web: v812 → v811\\nworker: v812 → nothing\"}]},"
        "{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\","
        "\"text\":\"sluice show v812-production-1\",\"fontType\":\"Monospace\"}]},"
        "{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\","
        "\"text\":\"runbook: docs/errors.md\"}]},"
        "{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\","
        "\"text\":\"v812-production-1/rolled_back\",\"isSubtle\":true}]}],"
        "\"actions\":[{\"type\":\"Action.OpenUrl\",\"title\":\"The run\","
        "\"url\":\"https://github.example/acme/learn/actions/runs/7\"}]}}]}");
}

Test(render, pagerduty_word_for_word)
{
    struct notice notice = sample_notice(&arena, &sample, PHASE_STUCK);
    render_pagerduty(&notice, STR("R0UT1NG"), false, &out);
    cr_expect_str_eq(
        text_c(&out),
        "{\"routing_key\":\"R0UT1NG\",\"event_action\":\"trigger\","
        "\"dedup_key\":\"sluice/v812-production-1/0123456789ab\",\"payload\":{"
        "\"summary\":\"the way back from v812 in production is stuck: errors on web: 12 of 80 bad "
        "& 2 of 240 before\",\"source\":\"production\",\"severity\":\"critical\","
        "\"timestamp\":\"2026-11-22T07:09:55.123Z\",\"component\":\"v812\","
        "\"group\":\"production\",\"class\":\"stuck\",\"custom_details\":{\"event\":\"stuck\","
        "\"id\":\"v812-production-1/stuck\",\"rollout\":\"v812-production-1\","
        "\"release\":\"v812\",\"commit\":\"0123456789abcdef0123456789abcdef01234567\","
        "\"stage\":\"production\",\"why\":\"errors on web: 12 of 80 bad & 2 of 240 before\","
        "\"targets\":\"web: v812 → v811\\nworker: v812 → nothing\","
        "\"answer\":\"sluice show v812-production-1\",\"runbook\":\"docs/errors.md\"}},"
        "\"client\":\"sluice\","
        "\"client_url\":\"https://github.example/acme/learn/actions/runs/7\","
        "\"links\":[{\"href\":\"https://github.example/acme/learn/actions/runs/7\","
        "\"text\":\"the run\"}]}");
    text_clear(&out);
    render_pagerduty(&notice, STR("R0UT1NG"), true, &out);
    cr_expect_str_eq(text_c(&out), "{\"routing_key\":\"R0UT1NG\",\"event_action\":\"resolve\","
                                   "\"dedup_key\":\"sluice/v812-production-1/0123456789ab\"}");
}

Test(render, json_word_for_word)
{
    struct notice notice = sample_notice(&arena, &sample, PHASE_HELD);
    render_json(&notice, &out);
    cr_expect_str_eq(
        text_c(&out),
        "{\"schema\":\"sluice.notice/1\",\"id\":\"v812-production-1/held/1795331395123\","
        "\"thread\":\"sluice/v812-production-1/0123456789ab\",\"event\":\"held\","
        "\"time\":\"2026-11-22T07:09:55.123Z\",\"late\":false,"
        "\"subject\":\"v812 is held in production: a person must decide\",\"text\":\""
        "v812 is held in production: a person must decide\\n"
        "errors on web: 12 of 80 bad & 2 of 240 before\\n\\n"
        "environment  production\\nstage        production\\nrelease      v812\\n"
        "commit       0123456789abcdef0123456789abcdef01234567\\n"
        "step         25 % (step 1 of 2)\\n\\n"
        "web: v811 → v812\\nworker: nothing → v812\\n\\n"
        "    sluice show v812-production-1\\n\\nrunbook: docs/errors.md\\n\\n"
        "https://github.example/acme/learn/actions/runs/7\\n\","
        "\"why\":\"errors on web: 12 of 80 bad & 2 of 240 before\","
        "\"rollout\":\"v812-production-1\",\"release\":\"v812\","
        "\"commit\":\"0123456789abcdef0123456789abcdef01234567\","
        "\"environment\":\"production\",\"stage\":\"production\",\"phase\":\"held\","
        "\"step\":\"25 % (step 1 of 2)\",\"targets\":["
        "{\"target\":\"web\",\"from\":\"v811\",\"to\":\"v812\"},"
        "{\"target\":\"worker\",\"from\":null,\"to\":\"v812\"}],\"targets_not_listed\":0,"
        "\"asked\":{\"from\":[],\"count\":0},\"commands\":[\"sluice show v812-production-1\"],"
        "\"runbooks\":[\"docs/errors.md\"],"
        "\"link\":\"https://github.example/acme/learn/actions/runs/7\"}");
}

// ---- other people's text -----------------------------------------------------------------------

#define HOSTILE                                                                                    \
    "<!channel> *bold* `code` _x_ ~y~ [a](https://evil.example) <https://evil.example|x> &"

static void make_hostile(void)
{
    sample.plan.environment = STR(HOSTILE);
    sample.plan.release = STR(HOSTILE);
    sample.plan.stage = STR("prod `id` <!here>");
    sample.targets[0].name = STR(HOSTILE);
    sample.targets[0].next.release = STR("\x1b[31m\xff\xfe");
    (void)snprintf(sample.state.why, sizeof sample.state.why, "%s", HOSTILE);
}

// Every text object of the tree: no raw < > &, and mark-up is read only in our own.
static void walk_slack(const struct node *node, bool *ret_seen)
{
    str type = node_text(node, "type"), text = node_text(node, "text");
    if (str_is(type, "plain_text") || str_is(type, "mrkdwn")) {
        bool link = str_is(type, "mrkdwn") && str_starts(text, STR("<https://github.example/"));
        for (size_t i = 0; !link && i < text.len; i++)
            cr_expect(text.data[i] != '<' && text.data[i] != '>', STR_FMT, STR_ARG(text));
        *ret_seen |= str_search(text, STR("&lt;!channel&gt;")) != STR_NONE;
        if (str_is(type, "mrkdwn") && !link)
            cr_expect_eq(str_search(text, STR("*bold*")), STR_NONE);
    }
    for (const struct node *n = node->first; n; n = n->next)
        walk_slack(n, ret_seen);
}

Test(render, no_name_is_mark_up_in_slack)
{
    bool seen = false;
    make_hostile();
    struct notice notice = sample_notice(&arena, &sample, PHASE_ROLLED_BACK);
    render_slack(&notice, &out);
    walk_slack(parsed(), &seen);
    cr_expect(seen);
    expect_contains(node_text(parsed(), "text"), "&lt;!channel&gt;");
}

// Names stand in runs, which read no markdown; blocks that do are not used at all.
static void walk_teams(const struct node *node, unsigned *ret_runs)
{
    str type = node_text(node, "type");
    cr_expect_not(str_is(type, "TextBlock") || str_is(type, "FactSet"));
    *ret_runs += str_is(type, "TextRun");
    for (const struct node *n = node->first; n; n = n->next)
        walk_teams(n, ret_runs);
}

Test(render, no_name_is_mark_up_in_teams)
{
    unsigned runs = 0;
    make_hostile();
    struct notice notice = sample_notice(&arena, &sample, PHASE_ROLLED_BACK);
    render_teams(&notice, &out);
    walk_teams(parsed(), &runs);
    cr_expect_eq(runs, 6);
}

Test(render, a_command_cannot_leave_its_code_span)
{
    static const char *const commands[] = {"sluice show 'a`b\n<!here>'", NULL};
    struct notice notice;
    sample.state.phase = PHASE_STUCK;
    notice_make(
        &arena,
        &(struct notice_source){
            .plan = &sample.plan, .state = &sample.state, .event = NOTICE_STUCK, .steps = commands},
        &notice);
    render_slack(&notice, &out);
    expect_contains(text_str(&out), "`sluice show 'a'b'&lt;!here&gt;'`");
}

Test(render, a_link_that_is_no_plain_address_is_left_out)
{
    static const char *const links[] = {"javascript:alert(1)", "http://a.example/",
                                        "https://a.example/|x> <!channel", "https://a.example/ b"};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        struct notice notice = sample_notice(&arena, &sample, PHASE_DONE);
        notice.link = str_of(links[i]);
        text_clear(&out);
        render_slack(&notice, &out);
        cr_expect_eq(str_search(text_str(&out), STR("the run")), STR_NONE, "%s", links[i]);
    }
}

// ---- limits ------------------------------------------------------------------------------------

static void check_lengths(const struct node *node, size_t most)
{
    if (node->kind == NODE_STRING)
        cr_expect_leq(node->text.len, most, "%zu bytes of " STR_FMT, node->text.len,
                      STR_ARG(str_first(node->text, 60)));
    for (const struct node *n = node->first; n; n = n->next)
        check_lengths(n, most);
}

Test(render, what_is_long_is_cut_to_what_a_receiver_takes)
{
    enum { TARGETS = 256, ASKED = 100 };
    static struct plan_target targets[TARGETS];
    static str asked[ASKED];
    char *name = arena_alloc(&arena, 5000);
    memset(name, '<', 5000);
    for (size_t i = 0; i < TARGETS; i++)
        targets[i] = (struct plan_target){.name = str_make(name, 300),
                                          .good = {.release = str_make(name, 64)},
                                          .next = {.release = str_make(name, 64)}};
    for (size_t i = 0; i < ASKED; i++)
        asked[i] = str_make(name, 200);
    sample.plan.targets = targets;
    sample.plan.target_count = TARGETS;
    sample.plan.environment = str_make(name, 1000);
    sample.plan.steps[0].approval =
        (struct plan_approval){.count = 2, .from = asked, .from_count = ASKED};
    memset(sample.state.why, '&', sizeof sample.state.why - 1);
    struct notice notice = sample_notice(&arena, &sample, PHASE_WAITING);
    notice.why = str_of(sample.state.why);
    render_slack(&notice, &out);
    check_lengths(parsed(), 3000);
    const struct node *header = node_get(parsed(), "blocks")->first;
    cr_expect_leq(node_text(node_get(header, "text"), "text").len, 150);
    text_clear(&out);
    render_teams(&notice, &out);
    cr_expect_leq(out.len, 28000, "%zu", out.len);
    (void)parsed();
    text_clear(&out);
    render_pagerduty(&notice, STR("k"), false, &out);
    cr_expect_leq(node_text(node_get(parsed(), "payload"), "summary").len, 1024);
    text_clear(&out);
    notice.asked_count = 0;
    render_json(&notice, &out);
    double more = 0;
    cr_expect(json_get_double(parsed(), "targets_not_listed", &more) && more == 56, "%g", more);
}

Test(render, a_cut_never_breaks_an_entity_or_a_character)
{
    char why[ROLLOUT_TEXT] = "";
    for (size_t i = 0; i + 8 < sizeof why; i += 4)
        memcpy(why + i, i % 8 ? "é&x" : "<é&", 4);
    for (size_t most = 60; most < 140; most++) {
        struct notice notice = sample_notice(&arena, &sample, PHASE_DONE);
        notice.title = str_shorten(str_of(why), most);
        text_clear(&out);
        render_slack(&notice, &out);
        str header = node_text(node_get(node_get(parsed(), "blocks")->first, "text"), "text");
        for (size_t i = 0; i < header.len; i++)
            if (header.data[i] == '&') {
                str rest = str_from(header, i);
                cr_expect(str_starts(rest, STR("&amp;")) || str_starts(rest, STR("&lt;")), STR_FMT,
                          STR_ARG(rest));
            }
        cr_expect_leq(header.len, 150);
    }
}
