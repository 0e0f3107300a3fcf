#include "../expect.h"
#include "deploy/notify/notifier.h"
#include "gate/base/moment.h"
#include "sample.h"

#include <stdio.h>

#define SECRET_URL "https://hooks.slack.com/services/T0/B0/verysecret"

enum { SENT = 256 };

struct exchange { // what was asked, and what is answered
    char url[256], key[256];
    char body[8192];
    bool secret_url, dropped;
    int64_t at_ms, timeout_ms;
    enum progress progress;
    struct http_answer answer;
    struct error error;
};

static struct {
    struct arena arena;
    struct sample sample;
    int64_t now_ms;
    struct exchange exchanges[SENT];
    size_t count, open;
    // answers of those that begin from now on
    enum progress progress;
    long status;
    const char *words;
    int64_t retry_after_ms;
    bool refuse_start;
    // the record
    char sent[SENT][NOTIFY_KEY];
    size_t sent_count;
    char failed[SENT][256];
    size_t failed_count;
    struct text said;
    struct notifier *notifier;
} rig;

static int64_t now(void *self)
{
    (void)self;
    return rig.now_ms;
}

static void fill(void *self, void *bytes, size_t size)
{
    (void)self;
    memset(bytes, 0xff, size);
}

static bool http_start(void *self, const struct http_request *request, void **ret,
                       struct error *err)
{
    (void)self;
    if (rig.refuse_start)
        return error_set(err, ERROR_INPUT, "it cannot be asked");
    cr_assert_lt(rig.count, SENT);
    struct exchange *exchange = &rig.exchanges[rig.count++];
    *exchange = (struct exchange){.secret_url = request->secret_url,
                                  .at_ms = rig.now_ms,
                                  .timeout_ms = request->timeout_ms,
                                  .progress = rig.progress,
                                  .answer = {.status = rig.status,
                                             .body = str_of(rig.words),
                                             .retry_after_ms = rig.retry_after_ms}};
    cr_assert_str_eq(request->method, "POST");
    (void)snprintf(exchange->url, sizeof exchange->url, "%s", request->url);
    (void)snprintf(exchange->body, sizeof exchange->body, STR_FMT, STR_ARG(request->body));
    for (const struct http_header *h = request->headers; h->name; h++)
        if (strcmp(h->name, "Idempotency-Key") == 0)
            (void)snprintf(exchange->key, sizeof exchange->key, "%s", h->value);
    if (rig.progress == PROGRESS_FAILED)
        (void)error_set(&exchange->error, ERROR_TRANSIENT,
                        "POST https://hooks.slack.com/…: refused");
    rig.open++;
    *ret = exchange;
    return true;
}

static enum progress http_poll(void *self, void *job, struct http_answer *ret, struct error *err)
{
    struct exchange *exchange = job;
    (void)self;
    cr_assert_not(exchange->dropped);
    if (exchange->progress == PROGRESS_DONE)
        *ret = exchange->answer;
    if (exchange->progress == PROGRESS_FAILED)
        *err = exchange->error;
    return exchange->progress;
}

static void http_drop(void *self, void *job)
{
    struct exchange *exchange = job;
    (void)self;
    cr_assert_not(exchange->dropped);
    exchange->dropped = true;
    rig.open--;
}

static bool was_sent(void *self, const char *key)
{
    (void)self;
    for (size_t i = 0; i < rig.sent_count; i++)
        if (strcmp(rig.sent[i], key) == 0)
            return true;
    return false;
}

static bool was_told(void *self, str rollout, const char *receiver)
{
    (void)self;
    for (size_t i = 0; i < rig.sent_count; i++)
        if (str_search(str_of(rig.sent[i]), rollout) != STR_NONE && strstr(rig.sent[i], receiver))
            return true;
    return false;
}

static void record(void *self, const struct notice_result *result)
{
    (void)self;
    expect_str(result->rollout, "v812-production-1");
    if (result->why)
        (void)snprintf(rig.failed[rig.failed_count++], sizeof rig.failed[0], "%u %s: %s",
                       result->attempts, result->event, result->why);
    else
        (void)snprintf(rig.sent[rig.sent_count++], sizeof rig.sent[0], "%s", result->key);
}

static void say(void *self, const char *words)
{
    (void)self;
    text_addf(&rig.said, "%s\n", words);
}

static const struct template_value variables[] = {{"env.SLACK_URL", STR_INIT(SECRET_URL "\n")},
                                                  {"env.PD_KEY", STR_INIT("R0UT1NG")},
                                                  {"env.PLAIN", STR_INIT("http://a.example/tok")},
                                                  {"env.EMPTY", STR_INIT(" ")},
                                                  {0}};
static struct notify_channel channels[2];
static struct notify_settings settings;

static void open_with(const struct notify_channel *from, size_t count)
{
    settings = (struct notify_settings){from, count};
    struct notifier_setup setup = {
        .settings = &settings,
        .variables = variables,
        .http = {NULL, http_start, http_poll, http_drop},
        .clock = {NULL, now},
        .entropy = {NULL, fill},
        .port = {NULL, was_sent, was_told, record, say},
    };
    notifier_open(&setup, &rig.notifier);
}

static void open_rig(void)
{
    sample_make(&rig.sample);
    rig.said = text_of(65536);
    rig.now_ms = 1795331395123;
    rig.progress = PROGRESS_DONE;
    rig.status = 200;
    rig.retry_after_ms = -1;
    channels[0] = (struct notify_channel){
        .name = STR("env.SLACK_URL"),
        .webhook = STR("${env.SLACK_URL}"),
        .events = 1U << NOTICE_WAITING | 1U << NOTICE_HELD | 1U << NOTICE_DONE |
                  1U << NOTICE_STUCK | 1U << NOTICE_ROLLED_BACK,
    };
    channels[1] = (struct notify_channel){
        .name = STR("env.PD_KEY"),
        .pagerduty = STR("${env.PD_KEY}"),
        .endpoint = STR("https://pager.example/v2/enqueue"),
        .events = 1U << NOTICE_STUCK | 1U << NOTICE_HELD,
    };
    open_with(channels, 2);
}

static void close_rig(void)
{
    notifier_close(rig.notifier);
    cr_expect_eq(rig.open, 0, "every exchange is dropped");
    for (size_t i = 0; i < rig.count; i++) {
        cr_expect(rig.exchanges[i].secret_url);
        cr_expect_leq(rig.exchanges[i].timeout_ms, 10000);
    }
    cr_expect_eq(str_search(text_str(&rig.said), STR("verysecret")), STR_NONE, "%s",
                 text_c(&rig.said));
    cr_expect_eq(str_search(text_str(&rig.said), STR("R0UT1NG")), STR_NONE);
    for (size_t i = 0; i < rig.failed_count; i++)
        cr_expect_not(strstr(rig.failed[i], "verysecret"));
    text_done(&rig.said);
    arena_done(&rig.arena);
}

TestSuite(notifier, .init = open_rig, .fini = close_rig);

static void tell(enum rollout_phase phase)
{
    struct notice_source source = {
        .plan = &rig.sample.plan, .state = &rig.sample.state, .time_ms = rig.now_ms};
    rig.sample.state.phase = phase;
    cr_assert(notice_of_state(&rig.sample.plan, &rig.sample.state, &source.event));
    notifier_tell(rig.notifier, &source);
}

static void play(int64_t for_ms) // from one wake to the next
{
    int64_t until_ms = rig.now_ms + for_ms;
    for (unsigned i = 0; rig.now_ms < until_ms; i++) {
        cr_assert_lt(i, 10000, "it wants to be called without end");
        int64_t wake_ms = notifier_turn(rig.notifier, rig.now_ms);
        cr_assert_geq(wake_ms, rig.now_ms);
        int64_t next_ms = wake_ms > rig.now_ms ? wake_ms : rig.now_ms + 1;
        if (rig.open && next_ms > rig.now_ms + 100) // an answer wakes the loop
            next_ms = rig.now_ms + 100;
        rig.now_ms = next_ms < until_ms ? next_ms : until_ms;
    }
    (void)notifier_turn(rig.notifier, rig.now_ms);
}

Test(notifier, telling_has_no_effect_until_its_turn)
{
    tell(PHASE_WAITING);
    cr_expect_eq(rig.count, 0);
    cr_expect(notifier_busy(rig.notifier));
    play(100);
    cr_assert_eq(rig.count, 1);
    cr_expect_str_eq(rig.exchanges[0].url, SECRET_URL);
    cr_expect_str_eq(rig.exchanges[0].key, "notify/v812-production-1/waiting/17/env.SLACK_URL");
    cr_expect(strstr(rig.exchanges[0].body, "\"blocks\""), "the host says that it is Slack");
    cr_expect_not(notifier_busy(rig.notifier));
    cr_assert_eq(rig.sent_count, 1);
    cr_expect_str_eq(rig.sent[0], "notify/v812-production-1/waiting/17/env.SLACK_URL");
}

Test(notifier, the_same_event_is_sent_once)
{
    tell(PHASE_WAITING);
    tell(PHASE_WAITING);
    play(100);
    tell(PHASE_WAITING);
    play(100);
    cr_expect_eq(rig.count, 1);
    rig.sample.state.asked = 29; // another question
    tell(PHASE_WAITING);
    play(100);
    cr_expect_eq(rig.count, 2);
}

Test(notifier, another_process_sends_with_the_same_key)
{
    rig.progress = PROGRESS_PENDING; // it was sent, and the process is killed
    tell(PHASE_HELD);
    play(100);
    notifier_close(rig.notifier);
    open_with(channels, 2);
    rig.progress = PROGRESS_DONE;
    cr_expect(notifier_owes(rig.notifier, &rig.sample.plan, &rig.sample.state, NOTICE_HELD));
    tell(PHASE_HELD);
    play(100);
    cr_assert_eq(rig.count, 4);
    cr_expect_str_eq(rig.exchanges[0].key, rig.exchanges[2].key);
    cr_expect_not(notifier_owes(rig.notifier, &rig.sample.plan, &rig.sample.state, NOTICE_HELD));
}

Test(notifier, pagerduty_is_told_of_the_end_of_what_it_was_told)
{
    tell(PHASE_DONE); // nothing was opened there
    play(100);
    cr_assert_eq(rig.count, 1);
    tell(PHASE_STUCK);
    play(100);
    tell(PHASE_ROLLED_BACK);
    play(100);
    cr_assert_eq(rig.count, 5);
    unsigned triggers = 0, resolves = 0;
    for (size_t i = 0; i < rig.count; i++)
        if (strcmp(rig.exchanges[i].url, "https://pager.example/v2/enqueue") == 0) {
            triggers += strstr(rig.exchanges[i].body, "\"trigger\"") != NULL;
            resolves += strstr(rig.exchanges[i].body, "\"resolve\"") != NULL;
            cr_expect(strstr(rig.exchanges[i].body, "\"routing_key\":\"R0UT1NG\""));
            cr_expect(strstr(rig.exchanges[i].body,
                             "\"dedup_key\":\"sluice/v812-production-1/0123456789ab\""));
        }
    cr_expect_eq(triggers, 1);
    cr_expect_eq(resolves, 1);
}

Test(notifier, what_may_pass_is_tried_again_a_few_times)
{
    static const struct {
        long status;
        enum progress progress;
    } rows[] = {{500, PROGRESS_DONE},
                {503, PROGRESS_DONE},
                {429, PROGRESS_DONE},
                {408, PROGRESS_DONE},
                {0, PROGRESS_FAILED}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig.status = rows[i].status;
        rig.progress = rows[i].progress;
        rig.count = rig.failed_count = 0;
        rig.sample.state.asked++;
        tell(PHASE_WAITING);
        play(5 * MS_MINUTE);
        cr_expect_eq(rig.count, NOTIFY_ATTEMPTS, "%ld: %zu", rows[i].status, rig.count);
        for (size_t k = 1; k < rig.count; k++)
            cr_expect_geq(rig.exchanges[k].at_ms - rig.exchanges[k - 1].at_ms, 500 << (k - 1));
        cr_expect_eq(rig.failed_count, 1, "it is recorded once");
        cr_expect_not(notifier_busy(rig.notifier));
    }
}

Test(notifier, what_will_not_pass_is_not_tried_again)
{
    static const struct {
        long status;
        const char *words, *want;
    } rows[] = {
        {400, "invalid_payload", "1 waiting: it answered with status 400, invalid_payload"},
        {404, "no_service", "1 waiting: it answered with status 404, no_service"},
        {403, "Forbidden <verysecret>", "1 waiting: it answered with status 403"},
        {410, "verysecret", "1 waiting: it answered with status 410"},
        {302, "", "1 waiting: it answered with status 302"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig.status = rows[i].status;
        rig.words = rows[i].words;
        rig.count = rig.failed_count = 0;
        rig.sample.state.asked++;
        tell(PHASE_WAITING);
        play(MS_MINUTE);
        cr_expect_eq(rig.count, 1);
        cr_assert_eq(rig.failed_count, 1);
        cr_expect_str_eq(rig.failed[0], rows[i].want);
    }
    expect_contains(text_str(&rig.said), "env.SLACK_URL was not told that v812 waits for an "
                                         "approval in production: it answered with status 400");
}

Test(notifier, retry_after_is_kept)
{
    rig.status = 429;
    rig.retry_after_ms = 42000;
    tell(PHASE_WAITING);
    play(41000);
    cr_expect_eq(rig.count, 1);
    rig.status = 200;
    play(2000);
    cr_assert_eq(rig.count, 2);
    cr_expect_geq(rig.exchanges[1].at_ms - rig.exchanges[0].at_ms, 42000);
    cr_expect_eq(rig.sent_count, 1);
}

Test(notifier, one_that_asks_for_too_long_is_given_up)
{
    rig.status = 429;
    rig.retry_after_ms = 7200000;
    tell(PHASE_WAITING);
    play(1000);
    cr_assert_eq(rig.failed_count, 1);
    cr_expect_str_eq(rig.failed[0], "1 waiting: it answered with status 429, and it asked to be "
                                    "left alone for 2 h");
}

Test(notifier, a_clock_that_goes_back_does_not_prolong_a_pause)
{
    rig.status = 500;
    tell(PHASE_WAITING);
    play(10);
    rig.now_ms -= MS_HOUR;
    play(5000);
    cr_expect_geq(rig.count, 2);
}

Test(notifier, the_queue_is_bounded_and_the_oldest_make_room)
{
    rig.progress = PROGRESS_PENDING;
    tell(PHASE_WAITING);
    play(10); // under way, and stays so
    for (unsigned i = 0; i < 2 * NOTIFY_QUEUE; i++) {
        rig.sample.state.asked = 100 + i;
        tell(PHASE_WAITING);
    }
    cr_expect_eq(rig.failed_count, 2 * NOTIFY_QUEUE - (NOTIFY_QUEUE - 1));
    cr_expect_str_eq(rig.failed[0], "0 waiting: too many others wait to be sent");
    rig.exchanges[0].progress = rig.progress = PROGRESS_DONE;
    play(5000);
    cr_expect_eq(rig.count, NOTIFY_QUEUE, "what was under way was kept");
    cr_expect_str_eq(rig.sent[NOTIFY_QUEUE - 1],
                     "notify/v812-production-1/waiting/131/env.SLACK_URL");
}

Test(notifier, what_is_left_at_the_end_has_failed)
{
    rig.progress = PROGRESS_PENDING;
    tell(PHASE_WAITING);
    tell(PHASE_HELD);
    play(10);
    notifier_give_up(rig.notifier);
    cr_expect_not(notifier_busy(rig.notifier));
    cr_expect_eq(rig.failed_count, 3);
    cr_expect_str_eq(rig.failed[0], "1 waiting: it has not answered before the process ended");
    cr_expect_eq(rig.open, 0);
}

Test(notifier, one_receiver_does_not_hold_up_another)
{
    rig.progress = PROGRESS_PENDING;
    tell(PHASE_HELD);
    play(10);
    cr_expect_eq(rig.count, 2, "both were asked at once");
}

Test(notifier, a_receiver_without_a_usable_address_is_said_and_left_out)
{
    static const char *const names[] = {"env.UNSET", "env.EMPTY", "env.PLAIN"};
    notifier_close(rig.notifier);
    for (size_t i = 0; i < 3; i++) {
        struct notify_channel channel = {.name = str_of(names[i]), .events = ~0U};
        open_with(&channel, 1);
        tell(PHASE_HELD);
        cr_expect_not(notifier_busy(rig.notifier));
        notifier_close(rig.notifier);
    }
    open_with(channels, 2);
    cr_expect_str_eq(text_c(&rig.said),
                     "nothing is told to env.UNSET: it is not set in this environment\n"
                     "nothing is told to env.EMPTY: it is not set in this environment\n"
                     "nothing is told to env.PLAIN: it is not https://, and a secret is sent over "
                     "the network in no other way\n");
}

Test(notifier, one_that_cannot_be_asked_is_told_once)
{
    rig.refuse_start = true;
    tell(PHASE_WAITING);
    play(MS_MINUTE);
    cr_assert_eq(rig.failed_count, 1);
    cr_expect_str_eq(rig.failed[0], "1 waiting: it cannot be asked");
}

Test(notifier, a_key_that_is_too_long_is_a_digest)
{
    char key[NOTIFY_KEY], again[NOTIFY_KEY], id[600];
    memset(id, 'x', sizeof id);
    notifier_key(str_make(id, sizeof id), STR("env.A"), false, key);
    notifier_key(str_make(id, sizeof id), STR("env.B"), false, again);
    cr_expect_leq(strlen(key), 80);
    cr_expect_str_neq(key, again);
}
