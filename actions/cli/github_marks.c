#include "actions/cli/github_marks.h"

#include "actions/cli/approval_desk.h"
#include "actions/cli/say.h"
#include "gate/doc/json.h"

enum { LIVE_LOOKS = 10 }; // rollouts, of whatever environment

static str key_of(const struct github_marks *marks, struct arena *arena, const char *kind)
{
    return arena_format(arena, "github/%s/" STR_FMT, kind, STR_ARG(marks->name));
}

int64_t github_mark(const struct github_marks *marks, const char *kind)
{
    struct ledger *ledger = marks->d->ledger;
    struct arena arena = {0};
    struct event event;
    struct error ignored;
    int64_t number = 0;
    const struct ledger_entry *entry = ledger_by_key(ledger, key_of(marks, &arena, kind));
    if (entry && ledger_read(ledger, &arena, entry, &event, &ignored))
        (void)json_get_i64(event.fields, "number", &number);
    arena_done(&arena);
    return number;
}

str github_mark_url(const struct github_marks *marks, struct arena *arena, const char *kind)
{
    struct event event;
    struct error ignored;
    const struct ledger_entry *entry = ledger_by_key(marks->d->ledger, key_of(marks, arena, kind));
    bool read = entry && ledger_read(marks->d->ledger, arena, entry, &event, &ignored);
    return read ? node_text(event.fields, "url") : (str){NULL, 0};
}

void github_set_mark(const struct github_marks *marks, const char *kind, int64_t number, str url)
{
    struct arena arena = {0};
    struct text body = text_of(16384);
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    struct error err;
    json_open_map(&json, NULL);
    json_add_str(&json, "name", marks->name);
    json_add_i64(&json, "number", number);
    if (url.len)
        json_add_str(&json, "url", url);
    json_close(&json);
    bool of_incident = str_starts(marks->name, STR("INC-"));
    struct event event = {
        .stream = of_incident ? STREAM_INCIDENT : STREAM_ROLLOUT,
        .rollout = of_incident ? STR("") : marks->name,
        .type = arena_format(&arena, "github.%s", kind),
        .key = key_of(marks, &arena, kind),
        .body = text_str(&body),
    };
    if (!ledger_append(marks->d->ledger, &event, NULL, &err))
        say_line("sluice: recording what is on GitHub: %s", err.message);
    text_done(&body);
    arena_done(&arena);
}

// What a rollout that is over has left on this target.
static str brought(const struct plan *plan, uint32_t target)
{
    return plan->mode == PLAN_ROLLBACK ? plan->targets[target].good.release : plan->release;
}

// True where the rollback finds on every target of it what that rollout has brought there.
static bool takes_all(const struct plan *back, const struct plan *before)
{
    uint32_t taken = 0;
    for (uint32_t i = 0; i < back->target_count; i++)
        for (uint32_t k = 0; k < before->target_count; k++)
            taken += str_eq(back->targets[i].name, before->targets[k].name) &&
                     str_eq(back->targets[i].next.release, brought(before, k));
    return taken == before->target_count;
}

// It left something out, and is not the one that is asked about.
static bool left_something(const struct rollout_record *record, const struct plan *back)
{
    const struct plan *plan = record->plan;
    return plan && record->state && str_eq(plan->environment, back->environment) &&
           !str_eq(plan->rollout, back->rollout) &&
           record->state->phase == (plan->mode == PLAN_ROLLBACK ? PHASE_ROLLED_BACK : PHASE_DONE);
}

int64_t github_live_deployment(struct deployment *d, const struct plan *back)
{
    size_t read = 0;
    for (size_t i = ledger_count(d->ledger); i-- > 0 && read < LIVE_LOOKS;) {
        const struct ledger_entry *entry = ledger_at(d->ledger, i);
        struct rollout_record record;
        struct error ignored;
        if (!str_is(entry->type, "rollout.done") && !str_is(entry->type, "rollout.rolled-back"))
            continue;
        read++;
        if (!rollout_load(d->ledger, d->arena, entry->rollout, &record, &ignored) ||
            !left_something(&record, back))
            continue;
        const struct github_marks marks = {d, entry->rollout};
        return takes_all(back, record.plan) ? github_mark(&marks, "deployment") : 0;
    }
    return 0;
}

bool github_comment_known(struct deployment *d, int64_t comment)
{
    struct arena arena = {0};
    str key = arena_format(&arena, COMMENT_KEY, (long long)comment);
    bool is = ledger_by_key(d->ledger, key) != NULL;
    arena_done(&arena);
    return is;
}

void github_set_asked(struct deployment *d, const struct github_asked *asked)
{
    struct arena arena = {0};
    struct text body = text_of(16384);
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    struct error err;
    json_open_map(&json, NULL);
    json_add_str(&json, "by", asked->who);
    json_add_str(&json, "said_at", asked->url);
    json_close(&json);
    struct event event = {.stream = STREAM_ROLLOUT,
                          .rollout = asked->rollback,
                          .type = STR("github.asked"),
                          .key = arena_format(&arena, COMMENT_KEY, (long long)asked->comment),
                          .body = text_str(&body)};
    if (!ledger_append(d->ledger, &event, NULL, &err))
        say_line("sluice: recording who asked for it: %s", err.message);
    text_done(&body);
    arena_done(&arena);
}

void github_run_until(struct deployment *d, struct mirror_run *run, int64_t until_ms)
{
    struct world *world = d->ports.world;
    int signal = world_signal(world);
    for (;;) {
        int64_t now_ms = deployment_now(d), wake_ms = until_ms;
        while (mirror_run_turn(run, now_ms, &wake_ms)) {
        }
        if (!mirror_run_busy(run) || now_ms >= until_ms || world_signal(world) != signal)
            return;
        world_wait(world, wake_ms);
    }
}
