// sluice log, sluice show: the ledger as a list, and one of its records whole.
#include "actions/cli/approval_desk.h"
#include "actions/cli/commands.h"
#include "actions/cli/ledger_facts.h"
#include "actions/cli/steering_desk.h"
#include "actions/report/escape.h"
#include "gate/base/moment.h"
#include "gate/doc/json.h"

enum { MOST = 40, PRINT_BYTES = 64 << 20 };

static const struct option log_options[] = {
    {.name = "rollout", .argument = "ID", .help = "Only the entries of this rollout."},
    {.name = "most", .argument = "N", .help = "How many, the newest (40)."},
    {.name = "all", .help = "All of them."},
    {0},
};

// Whose words it records; empty: it is no word of a person, or the engine's entry about it says so.
static str speaker(const struct event *event)
{
    bool is_word = str_is(event->type, ANSWER_TYPE) || str_is(event->type, WITHDRAWAL_TYPE) ||
                   str_is(event->type, STEERING_TYPE);
    str who = node_text(event->fields, "who"), by = node_text(event->fields, "by");
    return who.len ? who : by.len ? by : is_word ? facts_person(&event->actor) : (str){NULL, 0};
}

// What one entry says, for people: which release, where, and the sentence that the engine wrote, or
// the facts where it wrote none.
static void add_words(const struct event *event, struct text *out)
{
    static const char *const always[] = {"decision", "severity", "release", "environment", "steer"};
    str sentence = node_text(event->fields, "text");
    str who = speaker(event);
    if (sentence.len == 0)
        sentence = node_text(event->fields, "why");
    if (sentence.len == 0 && who.len)
        sentence = node_text(event->fields, "comment");
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++) {
        str value = node_text(event->fields, always[i]);
        if (value.len)
            text_addf(out, " " STR_FMT, STR_ARG(value));
    }
    if (sentence.len)
        text_addf(out, ": " STR_FMT, STR_ARG(sentence));
    else if (node_text(event->fields, "commit").len)
        text_addf(out, " " STR_FMT, STR_ARG(str_first(node_text(event->fields, "commit"), 12)));
    if (who.len)
        text_addf(out, " (" STR_FMT ")", STR_ARG(who));
}

static bool add_line(struct deployment *d, const struct ledger_entry *entry, struct text *out)
{
    struct arena arena = {0};
    struct event event;
    char moment[MOMENT_TEXT];
    bool ok = ledger_read(d->ledger, &arena, entry, &event, &d->call->error);
    if (ok) {
        struct text words = text_of(1 << 20);
        add_words(&event, &words);
        text_addf(out, "%.19sZ  %.8s  %-19.*s %-18.*s", moment_format(event.time_ms, moment),
                  event.id, STR_ARG(event.type), STR_ARG(event.rollout));
        terminal_escape(text_str(&words), out);
        text_addc(out, '\n');
        text_done(&words);
    }
    arena_done(&arena);
    return ok;
}

static void add_standing(const struct event *event, struct json_out *json)
{
    if (event->lease.environment.len) {
        json_open_map(json, "lease");
        json_add_str(json, "environment", event->lease.environment);
        json_add_str(json, "holder", event->lease.holder);
        json_add_u64(json, "fence", event->lease.fence);
        json_add_bool(json, "late", event->lease.late);
        json_close(json);
    }
    json_open_list(json, "evidence");
    for (size_t i = 0; i < event->evidence_count; i++) {
        json_open_map(json, NULL);
        json_add_str(json, "path", event->evidence[i].path);
        json_add_str(json, "sha256", str_of(event->evidence[i].sha256));
        json_add_u64(json, "bytes", event->evidence[i].size_bytes);
        json_close(json);
    }
    json_close(json);
}

static bool add_event(struct deployment *d, const struct ledger_entry *entry, enum json_style style,
                      struct text *out)
{
    struct arena arena = {0};
    struct event event;
    char moment[MOMENT_TEXT], commit[OBJECT_HEX];
    bool ok = ledger_read(d->ledger, &arena, entry, &event, &d->call->error);
    if (ok) {
        struct json_out json = json_out_of(out, style);
        const struct event_actor *actor = &event.actor;
        str who = facts_person(actor);
        json_open_map(&json, NULL);
        json_add_str(&json, "id", str_of(event.id));
        json_add_str(&json, "stream", str_of(event_stream_name(event.stream)));
        json_add_u64(&json, "sequence", event.sequence);
        json_add_str(&json, "time", str_of(moment_format(event.time_ms, moment)));
        json_add_str(&json, "type", event.type);
        json_add_str(&json, "rollout", event.rollout);
        json_add_str(&json, "who", who);
        json_add_str(&json, "run_url", actor->run_url);
        json_add_str(&json, "path", entry->path);
        json_add_str(&json, "commit", str_of(object_hex(&entry->commit, commit)));
        json_add_str(&json, "key", event.key);
        add_standing(&event, &json);
        json_add_node(&json, "body", event.fields);
        json_close(&json);
        text_addc(out, '\n');
    }
    arena_done(&arena);
    return ok;
}

static bool wanted(const struct ledger_entry *entry, const char *rollout)
{
    return !rollout || str_is(entry->rollout, rollout);
}

// The position of the first entry to print, so that `most` follow.
static size_t first_of(const struct ledger *ledger, const char *rollout, uint64_t most)
{
    size_t at = ledger_count(ledger);
    for (uint64_t n = 0; at > 0; at--)
        if (wanted(ledger_at(ledger, at - 1), rollout) && n++ == most)
            break;
    return at;
}

static bool log_entries(struct deployment *d, const char *rollout, uint64_t most, struct text *out)
{
    bool ok = true;
    for (size_t i = first_of(d->ledger, rollout, most); ok && i < ledger_count(d->ledger); i++) {
        const struct ledger_entry *entry = ledger_at(d->ledger, i);
        if (!wanted(entry, rollout))
            continue;
        ok = d->call->format == FORMAT_JSON ? add_event(d, entry, JSON_COMPACT, out)
                                            : add_line(d, entry, out);
    }
    return ok;
}

static int run_log(struct invocation *call)
{
    struct deployment d;
    struct text out = text_of(PRINT_BYTES);
    const char *count = option_text(&call->options, "most");
    uint64_t most = MOST;
    if (count && (!number_u64(str_of(count), &most) || most == 0)) {
        (void)error_set(&call->error, ERROR_INPUT, "--most takes a number above 0, not `%s`",
                        count);
        return command_failed(call);
    }
    if (option_given(&call->options, "all"))
        most = UINT64_MAX;
    if (!deployment_open(call, true, &d))
        return command_failed(call);
    bool ok = log_entries(&d, option_text(&call->options, "rollout"), most, &out);
    if (ok && ledger_count(d.ledger) == 0 && call->format == FORMAT_TEXT)
        text_adds(&out, "The ledger is empty.\n");
    ok = ok && command_print(call, text_str(&out));
    text_done(&out);
    deployment_close(&d);
    return ok ? 0 : command_failed(call);
}

static bool find_entry(struct deployment *d, const char *name, const struct ledger_entry **ret)
{
    struct error *err = &d->call->error;
    if (ledger_find(d->ledger, str_of(name), ret, err))
        return true;
    struct error why = *err;
    return error_set(err, why.kind,
                     "%s; a rollout goes by its name, such as `v812-production-1`; `sluice log` "
                     "lists all entries",
                     why.message);
}

// A rollout by its name is the story of all its entries; anything else is one entry.
static int run_show(struct invocation *call)
{
    struct deployment d;
    struct text out = text_of(PRINT_BYTES);
    const char *name = call->options.operands[0];
    const struct ledger_entry *entry = NULL;
    if (!deployment_open(call, true, &d))
        return command_failed(call);
    bool is_rollout = false, ok;
    for (size_t i = 0; i < ledger_count(d.ledger); i++)
        is_rollout |= str_is(ledger_at(d.ledger, i)->rollout, name);
    if (is_rollout)
        ok = log_entries(&d, name, UINT64_MAX, &out);
    else
        ok = find_entry(&d, name, &entry) && add_event(&d, entry, JSON_PRETTY, &out);
    ok = ok && command_print(call, text_str(&out));
    text_done(&out);
    deployment_close(&d);
    return ok ? 0 : command_failed(call);
}

const struct command command_log = {
    .name = "log",
    .operands = "",
    .summary = "the record: what happened, oldest first",
    .description = "Lists the newest entries of the ledger. With --format json one entry a line, "
                   "whole.",
    .options = log_options,
    .formats = 1U << FORMAT_TEXT | 1U << FORMAT_JSON,
    .run = run_log,
};

const struct command command_show = {
    .name = "show",
    .operands = "ID",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "one record whole, or the story of a rollout",
    .description = "ID is an entry's id or the beginning of one, `rollout/42`, a commit of the "
                   "ledger, or the name of a\nrollout.",
    .formats = 1U << FORMAT_TEXT | 1U << FORMAT_JSON,
    .run = run_show,
};
