#include "deploy/notify/notifier.h"

#include "deploy/notify/render.h"
#include "gate/base/moment.h"
#include "gate/base/sha256.h"

#include <stdio.h>

enum {
    BACKOFF_MS = 1000,
    BACKOFF_MOST_MS = 30000,
    FAR_MS = 60000,
    SECRET_MOST = 4096,
    WORDS = 256,
};

struct letter { // a notice, shared by the receivers that have not got it yet
    struct arena arena;
    struct notice notice;
    unsigned users;
};

struct entry {
    struct letter *letter;
    bool resolve;
};

struct receiver {
    const struct notify_channel *channel;
    enum notify_format format;
    struct secret url, key;
    char name[128]; // "env.SLACK_URL"
    struct entry queue[NOTIFY_QUEUE];
    size_t count;
    void *job; // of queue[0]
    uint32_t attempts;
    int64_t again_ms, pause_ms; // 0 = now
    char last[WORDS];           // why the newest attempt did not work
};

struct notifier {
    struct notifier_setup setup;
    struct receiver *receivers;
    size_t count;
};

// ---- keys --------------------------------------------------------------------------------------

char *notifier_key(str id, str receiver, bool resolve, char out[NOTIFY_KEY])
{
    struct text key = text_of(8192);
    char sha[SHA256_HEX];
    text_addf(&key, "notify/" STR_FMT "/" STR_FMT "%s", STR_ARG(id), STR_ARG(receiver),
              resolve ? "/resolve" : "");
    if (key.len < NOTIFY_KEY - 16)
        (void)snprintf(out, NOTIFY_KEY, "%s", text_c(&key));
    else
        (void)snprintf(out, NOTIFY_KEY, "notify/%s", sha256_of(text_str(&key), sha));
    text_done(&key);
    return out;
}

static char *entry_key(const struct receiver *receiver, const struct entry *entry,
                       char out[NOTIFY_KEY])
{
    return notifier_key(entry->letter->notice.id, str_of(receiver->name), entry->resolve, out);
}

// ---- the queue ---------------------------------------------------------------------------------

static void letter_drop(struct letter *letter)
{
    if (--letter->users)
        return;
    arena_done(&letter->arena);
    memory_free(letter);
}

// The entry at the head is over: another is next.
static void entry_done(struct receiver *receiver)
{
    letter_drop(receiver->queue[0].letter);
    receiver->count--;
    memmove(&receiver->queue[0], &receiver->queue[1], receiver->count * sizeof receiver->queue[0]);
    receiver->attempts = 0;
    receiver->again_ms = receiver->pause_ms = 0;
    receiver->last[0] = '\0';
}

static const char *format_of(const struct receiver *receiver)
{
    return notify_format_name(receiver->format);
}

static void report(struct notifier *notifier, const struct receiver *receiver,
                   const struct entry *entry, uint32_t attempts, const char *why)
{
    const struct notifier_port *port = &notifier->setup.port;
    const struct notice *notice = &entry->letter->notice;
    char key[NOTIFY_KEY];
    struct notice_result result = {
        .key = entry_key(receiver, entry, key),
        .rollout = notice->rollout,
        .id = notice->id,
        .event = notice_event_name(notice->event),
        .receiver = receiver->name,
        .format = format_of(receiver),
        .resolve = entry->resolve,
        .attempts = attempts,
        .why = why,
    };
    if (why) {
        struct text words = text_of(1024);
        text_addf(&words, "%s was not told that " STR_FMT ": %s", receiver->name,
                  STR_ARG(notice->title), why);
        port->say(port->self, text_c(&words));
        text_done(&words);
    }
    port->record(port->self, &result);
}

static void entry_failed(struct notifier *notifier, struct receiver *receiver, const char *why)
{
    report(notifier, receiver, &receiver->queue[0], receiver->attempts, why);
    entry_done(receiver);
}

static bool is_queued(const struct receiver *receiver, str id, bool resolve)
{
    for (size_t i = 0; i < receiver->count; i++)
        if (receiver->queue[i].resolve == resolve &&
            str_eq(receiver->queue[i].letter->notice.id, id))
            return true;
    return false;
}

// The one at the head may be under way, so the next oldest makes room.
static void make_room(struct notifier *notifier, struct receiver *receiver)
{
    if (receiver->count < NOTIFY_QUEUE)
        return;
    report(notifier, receiver, &receiver->queue[1], 0, "too many others wait to be sent");
    letter_drop(receiver->queue[1].letter);
    receiver->count--;
    memmove(&receiver->queue[1], &receiver->queue[2],
            (receiver->count - 1) * sizeof receiver->queue[0]);
}

// PagerDuty is told of an end that nobody asked to be told of, when something was opened there.
static bool resolves(const struct notifier *notifier, const struct receiver *receiver, str rollout,
                     enum notice_event event)
{
    const struct notifier_port *port = &notifier->setup.port;
    if (receiver->format != NOTIFY_PAGERDUTY || !notice_ends(event) ||
        (receiver->channel->events & 1U << event))
        return false;
    for (size_t i = 0; i < receiver->count; i++)
        if (str_eq(receiver->queue[i].letter->notice.rollout, rollout))
            return true;
    return port->was_told(port->self, rollout, receiver->name);
}

static bool wants(const struct notifier *notifier, const struct receiver *receiver, str rollout,
                  str id, enum notice_event event, bool *ret_resolve)
{
    const struct notifier_port *port = &notifier->setup.port;
    char key[NOTIFY_KEY];
    bool resolve = resolves(notifier, receiver, rollout, event);
    if (!resolve && !(receiver->channel->events & 1U << event))
        return false;
    *ret_resolve = resolve;
    return !is_queued(receiver, id, resolve) &&
           !port->was_sent(port->self, notifier_key(id, str_of(receiver->name), resolve, key));
}

void notifier_tell(struct notifier *notifier, const struct notice_source *source)
{
    struct letter *letter = memory_alloc(sizeof *letter);
    *letter = (struct letter){.users = 1};
    notice_make(&letter->arena, source, &letter->notice);
    const struct notice *notice = &letter->notice;
    for (size_t i = 0; i < notifier->count; i++) {
        struct receiver *receiver = &notifier->receivers[i];
        bool resolve;
        if (!wants(notifier, receiver, notice->rollout, notice->id, notice->event, &resolve))
            continue;
        make_room(notifier, receiver);
        receiver->queue[receiver->count++] = (struct entry){letter, resolve};
        letter->users++;
    }
    letter_drop(letter);
}

bool notifier_owes(const struct notifier *notifier, const struct plan *plan,
                   const struct rollout_state *state, enum notice_event event)
{
    struct arena arena = {0};
    str id = notice_id(&arena, plan, state, event);
    bool owes = false, resolve;
    for (size_t i = 0; i < notifier->count; i++)
        owes |= wants(notifier, &notifier->receivers[i], plan->rollout, id, event, &resolve);
    arena_done(&arena);
    return owes;
}

// ---- sending -----------------------------------------------------------------------------------

static void render(const struct receiver *receiver, const struct entry *entry, struct text *out)
{
    switch (receiver->format) {
    case NOTIFY_JSON:
        render_json(&entry->letter->notice, out);
        break;
    case NOTIFY_SLACK:
        render_slack(&entry->letter->notice, out);
        break;
    case NOTIFY_TEAMS:
        render_teams(&entry->letter->notice, out);
        break;
    case NOTIFY_PAGERDUTY:
        render_pagerduty(&entry->letter->notice, secret_reveal(&receiver->key), entry->resolve,
                         out);
        break;
    }
}

// Anywhere between half and all of a step that doubles.
static int64_t backoff(const struct notifier *notifier, uint32_t attempts)
{
    const struct entropy_port *entropy = &notifier->setup.entropy;
    int64_t step = (int64_t)BACKOFF_MS << (attempts < 6 ? attempts : 6);
    if (step > BACKOFF_MOST_MS)
        step = BACKOFF_MOST_MS;
    uint32_t noise;
    entropy->fill(entropy->self, &noise, sizeof noise);
    return step / 2 + (int64_t)(noise % (uint32_t)(step / 2 + 1));
}

static void failed_once(struct notifier *notifier, struct receiver *receiver, const char *why,
                        bool again, int64_t asked_ms)
{
    (void)snprintf(receiver->last, sizeof receiver->last, "%.250s", why);
    char words[WORDS];
    if (asked_ms > NOTIFY_WAIT_MOST_MS) {
        char duration[32];
        (void)snprintf(words, sizeof words, "%.150s, and it asked to be left alone for %s", why,
                       duration_words(asked_ms, duration));
        entry_failed(notifier, receiver, words);
    } else if (!again || receiver->attempts >= NOTIFY_ATTEMPTS) {
        (void)snprintf(words, sizeof words, "%.250s", why);
        entry_failed(notifier, receiver, words);
    } else {
        const struct clock_port *clock = &notifier->setup.clock;
        int64_t pause_ms = backoff(notifier, receiver->attempts - 1);
        receiver->pause_ms = asked_ms > pause_ms ? asked_ms : pause_ms;
        receiver->again_ms = clock->now_ms(clock->self) + receiver->pause_ms;
    }
}

static void begin(struct notifier *notifier, struct receiver *receiver)
{
    const struct http_port *http = &notifier->setup.http;
    struct text body = text_of(RENDER_BYTES);
    char key[NOTIFY_KEY];
    struct error err;
    render(receiver, &receiver->queue[0], &body);
    struct http_header headers[] = {
        {.name = "Content-Type", .value = "application/json"},
        {.name = "Idempotency-Key", .value = entry_key(receiver, &receiver->queue[0], key)},
        {0},
    };
    struct http_request request = {
        .method = "POST",
        .url = secret_reveal(&receiver->url).data,
        .headers = headers,
        .body = text_str(&body),
        .timeout_ms = NOTIFY_LIMIT_MS,
        .secret_url = true,
    };
    receiver->attempts++;
    receiver->again_ms = receiver->pause_ms = 0;
    if (text_full(&body))
        entry_failed(notifier, receiver, "it is larger than a message may be");
    else if (!http->start(http->self, &request, &receiver->job, &err)) {
        receiver->job = NULL;
        failed_once(notifier, receiver, err.message, err.kind == ERROR_TRANSIENT, 0);
    }
    if (body.data)
        secret_wipe(body.data, body.room);
    text_done(&body);
}

// A code such as Slack's `invalid_payload`. What else a receiver answers is not repeated: it may
// hold the address that it was asked at.
static bool is_code(str body)
{
    for (size_t i = 0; i < body.len; i++)
        if (!(body.data[i] >= 'a' && body.data[i] <= 'z') && body.data[i] != '_')
            return false;
    return body.len >= 4 && body.len <= 40;
}

static void answered(struct notifier *notifier, struct receiver *receiver,
                     const struct http_answer *answer)
{
    long status = answer->status;
    if (status >= 200 && status < 300) {
        report(notifier, receiver, &receiver->queue[0], receiver->attempts, NULL);
        entry_done(receiver);
        return;
    }
    char why[WORDS];
    bool has_code = is_code(answer->body) &&
                    str_search(secret_reveal(&receiver->url), answer->body) == STR_NONE;
    str code = has_code ? answer->body : (str){NULL, 0};
    (void)snprintf(why, sizeof why, "it answered with status %ld%s" STR_FMT, status,
                   has_code ? ", " : "", STR_ARG(code));
    bool again = status >= 500 || status == 408 || status == 425 || status == 429;
    failed_once(notifier, receiver, why, again, answer->retry_after_ms);
}

static void drop_job(struct notifier *notifier, struct receiver *receiver)
{
    const struct http_port *http = &notifier->setup.http;
    if (receiver->job)
        http->drop(http->self, receiver->job);
    receiver->job = NULL;
}

static void poll(struct notifier *notifier, struct receiver *receiver)
{
    const struct http_port *http = &notifier->setup.http;
    struct http_answer answer;
    struct error err;
    switch (http->poll(http->self, receiver->job, &answer, &err)) {
    case PROGRESS_PENDING:
        return;
    case PROGRESS_DONE:
        answered(notifier, receiver, &answer);
        break;
    case PROGRESS_FAILED:
        failed_once(notifier, receiver, err.message, err.kind == ERROR_TRANSIENT, 0);
        break;
    }
    drop_job(notifier, receiver);
}

static int64_t turn_one(struct notifier *notifier, struct receiver *receiver, int64_t now_ms)
{
    if (receiver->job)
        poll(notifier, receiver);
    if (receiver->again_ms > now_ms + receiver->pause_ms)
        receiver->again_ms = now_ms + receiver->pause_ms; // the clock went back
    if (receiver->count && !receiver->job && receiver->again_ms <= now_ms)
        begin(notifier, receiver);
    if (!receiver->count || receiver->job)
        return now_ms + FAR_MS; // what is under way wakes the loop
    return receiver->again_ms > now_ms ? receiver->again_ms : now_ms;
}

int64_t notifier_turn(struct notifier *notifier, int64_t now_ms)
{
    int64_t wake_ms = now_ms + FAR_MS;
    for (size_t i = 0; i < notifier->count; i++) {
        int64_t at_ms = turn_one(notifier, &notifier->receivers[i], now_ms);
        if (at_ms < wake_ms)
            wake_ms = at_ms;
    }
    return wake_ms;
}

bool notifier_busy(const struct notifier *notifier)
{
    for (size_t i = 0; i < notifier->count; i++)
        if (notifier->receivers[i].count)
            return true;
    return false;
}

void notifier_give_up(struct notifier *notifier)
{
    for (size_t i = 0; i < notifier->count; i++) {
        struct receiver *receiver = &notifier->receivers[i];
        drop_job(notifier, receiver);
        while (receiver->count) {
            char words[WORDS + 64];
            (void)snprintf(words, sizeof words, "it has not answered before the process ended%s%s",
                           receiver->last[0] ? ": " : "", receiver->last);
            entry_failed(notifier, receiver, words);
        }
    }
}

// ---- opening -----------------------------------------------------------------------------------

static void say(const struct notifier *notifier, str name, const char *why)
{
    const struct notifier_port *port = &notifier->setup.port;
    struct text words = text_of(1024);
    text_addf(&words, "nothing is told to " STR_FMT ": %s", STR_ARG(name), why);
    port->say(port->self, text_c(&words));
    text_done(&words);
}

// The address or key from the environment.
static bool open_secret(const struct notifier *notifier, const struct notify_channel *channel,
                        struct secret *ret)
{
    for (const struct template_value *v = notifier->setup.variables; v && v->name; v++) {
        if (!str_is(channel->name, v->name))
            continue;
        str value = str_trim(v->value);
        if (!value.len)
            break;
        if (value.len >= SECRET_MOST) {
            say(notifier, channel->name, "what the environment holds is too long to be one");
            return false;
        }
        secret_take(ret, value);
        return true;
    }
    say(notifier, channel->name, "it is not set in this environment");
    return false;
}

static void open_receiver(struct notifier *notifier, const struct notify_channel *channel)
{
    struct receiver *receiver = &notifier->receivers[notifier->count];
    struct secret secret;
    struct error why;
    *receiver = (struct receiver){.channel = channel};
    (void)snprintf(receiver->name, sizeof receiver->name, STR_FMT, STR_ARG(channel->name));
    if (!open_secret(notifier, channel, &secret))
        return;
    str value = secret_reveal(&secret);
    if (channel->pagerduty.len) {
        receiver->format = NOTIFY_PAGERDUTY;
        receiver->key = secret;
        secret_take(&receiver->url, channel->endpoint);
    } else if (notify_check_url(value, &why)) {
        receiver->format =
            channel->has_format ? (enum notify_format)channel->format : notify_format_of(value);
        receiver->url = secret;
    } else {
        say(notifier, channel->name, why.message);
        secret_done(&secret);
        return;
    }
    notifier->count++;
}

void notifier_open(const struct notifier_setup *setup, struct notifier **ret)
{
    struct notifier *notifier = memory_alloc(sizeof *notifier);
    notifier->setup = *setup;
    notifier->receivers = memory_alloc((setup->settings->count + 1) * sizeof *notifier->receivers);
    for (size_t i = 0; i < setup->settings->count; i++)
        open_receiver(notifier, &setup->settings->channels[i]);
    *ret = notifier;
}

void notifier_close(struct notifier *notifier)
{
    if (!notifier)
        return;
    for (size_t i = 0; i < notifier->count; i++) {
        struct receiver *receiver = &notifier->receivers[i];
        drop_job(notifier, receiver);
        while (receiver->count)
            entry_done(receiver);
        secret_done(&receiver->url);
        secret_done(&receiver->key);
    }
    memory_free(notifier->receivers);
    memory_free(notifier);
}
