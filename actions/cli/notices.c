#include "actions/cli/notices.h"

#include "actions/cli/command.h"
#include "actions/cli/due.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/say.h"
#include "deploy/notify/notifier.h"
#include "deploy/run/resolve.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

enum {
    MISSED_MOST = 20, // rollouts that are looked at
    COMMANDS = 6,
};

#define MISSED_AFTER_MS MS_MINUTE // until then the process itself may still be sending
#define MISSED_WITHIN_MS (6 * MS_HOUR)

struct notices {
    struct deployment *d;
    struct progress_display *progress;
    struct notify_settings settings;
    struct notifier *notifier;
    struct notice_runbook *runbooks; // of the metrics of the stage
    size_t runbook_count;
    struct observer_port next;
    bool resumed; // nothing was heard yet since another process left it,
    enum rollout_phase left_at;
    bool reverting; // a way back is under way: nothing is begun
    bool recorded;  // in the ledger since it was opened
    bool quiet;     // only asked whether something is owed
};

// ---- what the notifier asks for ----------------------------------------------------------------

static void say(void *self, const char *words)
{
    const struct notices *notices = self;
    if (notices->quiet)
        return;
    if (notices->progress)
        progress_clear(notices->progress);
    say_line("sluice: notify: %s", words);
}

static bool was_sent(void *self, const char *key)
{
    const struct notices *notices = self;
    return ledger_by_key(notices->d->ledger, str_of(key)) != NULL;
}

static bool was_told(void *self, str rollout, const char *receiver)
{
    const struct notices *notices = self;
    struct ledger *ledger = notices->d->ledger;
    struct arena arena = {0};
    bool told = false;
    for (size_t i = ledger_count(ledger); !told && i-- > 0;) {
        const struct ledger_entry *entry = ledger_at(ledger, i);
        struct event event;
        struct error ignored;
        if (str_is(entry->type, "notify.sent") && str_eq(entry->rollout, rollout) &&
            ledger_read(ledger, &arena, entry, &event, &ignored))
            told = str_is(node_text(event.fields, "receiver"), receiver);
    }
    arena_done(&arena);
    return told;
}

static void record(void *self, const struct notice_result *result)
{
    struct notices *notices = self;
    struct arena arena = {0};
    struct text body = text_of(65536);
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    struct error err;
    json_open_map(&json, NULL);
    json_add_str(&json, "notice", result->id);
    json_add_str(&json, "event", str_of(result->event));
    json_add_str(&json, "receiver", str_of(result->receiver));
    json_add_str(&json, "format", str_of(result->format));
    json_add_bool(&json, "resolve", result->resolve);
    json_add_u64(&json, "attempts", result->attempts);
    if (result->why)
        json_add_str(&json, "why", str_of(result->why));
    json_close(&json);
    struct event event = {
        .stream = STREAM_ROLLOUT,
        .rollout = result->rollout,
        .type = result->why ? STR("notify.failed") : STR("notify.sent"),
        .key = result->why ? arena_format(&arena, "%s!", result->key) : str_of(result->key),
        .body = text_str(&body),
    };
    if (ledger_append(notices->d->ledger, &event, NULL, &err)) {
        notices->recorded = true;
    } else {
        (void)error_wrap(&err, "recording it");
        say(notices, err.message);
    }
    text_done(&body);
    arena_done(&arena);
}

// ---- what is told ------------------------------------------------------------------------------

// "sluice approve v2-production-1". A name that a shell would not take as one word is quoted.
static const char *command_line(struct arena *arena, const char *name, str rollout)
{
    bool plain = rollout.len > 0 && rollout.data[0] != '-';
    for (size_t i = 0; i < rollout.len; i++) {
        char c = rollout.data[i];
        plain &= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 (c != '\0' && strchr("._-+", c));
    }
    struct template_value values[] = {{"id", rollout}, {0}};
    struct text line = text_of(4096);
    struct error ignored;
    text_addf(&line, "sluice %s ", name);
    (void)template_expand(STR("${id}"), values, plain ? TEMPLATE_PLAIN : TEMPLATE_SHELL, &line,
                          &ignored);
    const char *made = arena_copy(arena, text_str(&line));
    text_done(&line);
    return made;
}

// What answers it, of the commands that this program has.
static const char *const *commands_of(struct arena *arena, enum notice_event event, str rollout)
{
    static const char *const names[NOTICE_COUNT][COMMANDS] = {
        [NOTICE_WAITING] = {"approve", "deny"},
        [NOTICE_HELD] = {"show", "promote", "abort"},
        [NOTICE_STUCK] = {"show", "resume"},
        [NOTICE_ROLLED_BACK] = {"show"},
        [NOTICE_STARTED] = {"status"},
        [NOTICE_CANCELLED] = {"show"},
        [NOTICE_DENIED] = {"show"},
    };
    const char **lines = ARENA_ARRAY(arena, const char *, COMMANDS + 1);
    size_t count = 0;
    for (size_t i = 0; i < COMMANDS && names[event][i]; i++)
        if (command_find(names[event][i]))
            lines[count++] = command_line(arena, names[event][i], rollout);
    return lines;
}

static void tell(struct notices *notices, const struct plan *plan,
                 const struct rollout_state *state, int64_t at_ms, bool late)
{
    enum notice_event event;
    struct arena arena = {0};
    if (!notice_of_state(plan, state, &event) ||
        !notifier_owes(notices->notifier, plan, state, event))
        return;
    const struct runner *runner = &notices->d->call->runner;
    struct notice_source source = {
        .plan = plan,
        .state = state,
        .event = event,
        .time_ms = at_ms,
        .late = late,
        .steps = commands_of(&arena, event, plan->rollout),
        .runbooks = notices->runbooks,
        .runbook_count = notices->runbook_count,
        .link = str_of(runner->is_actions ? runner->run_url : NULL),
    };
    notifier_tell(notices->notifier, &source);
    arena_done(&arena);
}

static void hear(void *self, const struct run_news *news)
{
    struct notices *notices = self;
    notices->next.tell(notices->next.self, news);
    notices->reverting = news->state->phase == PHASE_REVERTING;
    if (news->type != NEWS_PHASE)
        return;
    bool late = notices->resumed && news->state->phase == notices->left_at;
    notices->resumed = false;
    tell(notices, news->plan, news->state, news->now_ms, late);
}

// ---- opening -----------------------------------------------------------------------------------

static void add_runbooks(struct notices *notices, const struct stage_settings *stage)
{
    struct deployment *d = notices->d;
    size_t count;
    const struct metric_settings *const *metrics =
        plan_metrics(d->arena, &d->settings, stage, &count);
    notices->runbooks = ARENA_ARRAY(d->arena, struct notice_runbook, count);
    for (size_t i = 0; i < count; i++)
        notices->runbooks[i] = (struct notice_runbook){metrics[i]->name, metrics[i]->runbook};
    notices->runbook_count = count;
}

// A mistake in `notify` stops a rollout when its configuration is read, but never a way back.
static bool read_settings(struct notices *notices)
{
    struct deployment *d = notices->d;
    struct problems problems = {.arena = d->arena};
    struct error why;
    if (notify_bind(d->arena, d->config, &notices->settings, &problems))
        return notices->settings.count > 0;
    char text[1024];
    if (!problems_none(&problems, &why))
        say(notices, error_text(&why, text, sizeof text));
    return false;
}

static struct notices *open_for(struct deployment *d, struct progress_display *progress, bool quiet)
{
    struct notices *notices = ARENA_NEW(d->arena, struct notices);
    notices->d = d;
    notices->progress = progress;
    notices->quiet = quiet;
    if (!read_settings(notices))
        return NULL;
    struct notifier_setup setup = {
        .settings = &notices->settings,
        .variables = d->variables,
        .http = d->ports.http,
        .clock = d->ports.clock,
        .entropy = d->ports.entropy,
        .port = {notices, was_sent, was_told, record, say},
    };
    notifier_open(&setup, &notices->notifier);
    return notices;
}

struct notices *notices_open(struct deployment *d, const struct stage_settings *stage,
                             const struct rollout_state *resumed, struct progress_display *progress)
{
    struct notices *notices = open_for(d, progress, false);
    if (!notices)
        return NULL;
    notices->resumed = resumed != NULL;
    notices->left_at = resumed ? resumed->phase : PHASE_NEW;
    if (stage)
        add_runbooks(notices, stage);
    return notices;
}

struct observer_port notices_observer(struct notices *notices, struct observer_port next)
{
    if (!notices)
        return next;
    notices->next = next;
    return (struct observer_port){notices, hear};
}

void notices_turn(struct notices *notices, int64_t now_ms, int64_t *wake_ms)
{
    if (!notices || notices->reverting)
        return;
    int64_t at_ms = notifier_turn(notices->notifier, now_ms);
    if (at_ms < *wake_ms)
        *wake_ms = at_ms;
}

// ---- the end -----------------------------------------------------------------------------------

struct patience { // in slices, so that a clock that is set back does not prolong it
    int64_t left_ms, last_ms;
};

static bool patience_left(struct patience *patience, int64_t now_ms)
{
    if (now_ms > patience->last_ms)
        patience->left_ms -= now_ms - patience->last_ms;
    patience->last_ms = now_ms;
    return patience->left_ms > 0;
}

static void send_rest(struct notices *notices, struct patience *patience)
{
    struct world *world = notices->d->ports.world;
    int signal = world_signal(world);
    while (notifier_busy(notices->notifier) &&
           patience_left(patience, deployment_now(notices->d)) && world_signal(world) == signal) {
        int64_t wake_ms = notifier_turn(notices->notifier, patience->last_ms);
        int64_t until_ms = patience->last_ms + patience->left_ms;
        if (notifier_busy(notices->notifier))
            world_wait(world, wake_ms < until_ms ? wake_ms : until_ms);
    }
    notifier_give_up(notices->notifier);
}

void notices_close(struct notices *notices, int64_t limit_ms)
{
    if (!notices)
        return;
    struct deployment *d = notices->d;
    int64_t push_ms = limit_ms / 5; // what came of it is to reach the ledger's remote as well
    struct patience patience = {limit_ms - push_ms, deployment_now(d)};
    struct error ignored;
    send_rest(notices, &patience);
    notifier_close(notices->notifier);
    patience.left_ms = (patience.left_ms > 0 ? patience.left_ms : 0) + push_ms;
    if (notices->recorded && !d->offline && ledger_has_remote(d->ledger) &&
        ledger_unpushed(d->ledger) && patience_left(&patience, deployment_now(d)))
        (void)ledger_sync(d->ledger, patience.left_ms, &ignored); // else by whoever runs next
}

// ---- what nobody told --------------------------------------------------------------------------

// The last process of it may still be sending; one that is known to be gone is not.
static bool is_left(const struct rollout_record *record, int64_t now_ms)
{
    const struct lease *lease = &record->standing.lease;
    bool gone = str_eq(lease->rollout, record->plan->rollout) && process_is_gone(lease->process);
    return gone || now_ms - record->newest_ms >= MISSED_AFTER_MS;
}

// What is due is woken, and tells by itself how it stands then.
static bool is_told_now(struct ledger *ledger, const struct rollout_record *record, int64_t now_ms)
{
    if (!record->plan || !record->state)
        return false;
    if (!is_left(record, now_ms))
        return false;
    if (phase_terminal(record->state->phase))
        return now_ms - record->newest_ms <= MISSED_WITHIN_MS;
    struct due due = due_of(ledger, record, now_ms);
    return due.state == DUE_PEOPLE ||
           (due.state == DUE_NOW && phase_resumable(record->state->phase));
}

static bool is_owed(const struct notices *notices, const struct rollout_record *record)
{
    struct deployment *d = notices->d;
    enum notice_event event;
    return is_told_now(d->ledger, record, deployment_now(d)) &&
           notice_of_state(record->plan, record->state, &event) && event != NOTICE_STARTED &&
           notifier_owes(notices->notifier, record->plan, record->state, event);
}

static void tell_missed(struct notices *notices, const struct rollout_record *record)
{
    struct deployment *d = notices->d;
    if (!is_owed(notices, record))
        return;
    const struct stage_settings *stage = stage_of(&d->settings, record->plan->stage);
    notices->runbook_count = 0;
    if (stage)
        add_runbooks(notices, stage);
    tell(notices, record->plan, record->state, record->newest_ms, true);
}

// The newest that are over.
static struct rollout_record *newest_ended(struct deployment *d, size_t *ret_count)
{
    struct rollout_record *list = ARENA_ARRAY(d->arena, struct rollout_record, MISSED_MOST);
    str *names = NULL;
    size_t name_count = 0, count = 0;
    struct error ignored;
    if (!rollouts_newest(d->ledger, d->arena, MISSED_MOST, &names, &name_count, &ignored))
        name_count = 0;
    for (size_t i = 0; i < name_count; i++)
        if (rollout_load(d->ledger, d->arena, names[i], &list[count], &ignored) &&
            list[count].state && phase_terminal(list[count].state->phase))
            count++;
    *ret_count = count;
    return list;
}

bool notices_any_missed(struct deployment *d, const struct rollout_record *open, size_t count)
{
    struct notices *notices = open_for(d, NULL, true);
    bool any = false;
    if (!notices)
        return false;
    for (size_t i = 0; !any && i < count; i++)
        any = is_owed(notices, &open[i]);
    size_t ended_count = 0;
    const struct rollout_record *over = any ? NULL : newest_ended(d, &ended_count);
    for (size_t i = 0; !any && i < ended_count; i++)
        any = is_owed(notices, &over[i]);
    notifier_close(notices->notifier);
    return any;
}

void notices_missed(struct deployment *d)
{
    struct error before = d->call->error;
    struct rollout_record *open = NULL;
    size_t count = 0, ended_count = 0;
    struct notices *notices = open_for(d, NULL, false);
    if (!notices)
        return;
    if (!facts_all_open(d, &open, &count))
        d->call->error = before; // whatever else there is to tell is told
    for (size_t i = 0; i < count; i++)
        tell_missed(notices, &open[i]);
    const struct rollout_record *over = newest_ended(d, &ended_count);
    for (size_t i = 0; i < ended_count; i++)
        tell_missed(notices, &over[i]);
    notices_close(notices, NOTICES_LIMIT_MS);
}
