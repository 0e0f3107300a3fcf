#include "actions/cli/rollback_prompt.h"

#include "actions/cli/rehearsal_left.h"
#include "actions/cli/say.h"
#include "gate/base/moment.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { KEY_MS = 50, REASON_BYTES = 1000, PLANS_READ = 5 };

void rollback_expected(const struct deployment *d, const struct way_back *way, struct text *out)
{
    char took[32], ago[32];
    if (way->count == 0) {
        text_adds(out, "not known, it was never measured here");
        return;
    }
    text_adds(out, duration_words(way->median_ms, took));
    if (way->count == 1)
        text_adds(out, ", as the last time");
    else
        text_addf(out, ", the median of the newest %zu ways back", way->count);
    text_addf(out, ", %s ago", duration_words(deployment_now(d) - way->newest_at_ms, ago));
}

static void add_since(struct deployment *d, const struct plan *plan, uint32_t i, struct text *out)
{
    const struct plan_target *target = &plan->targets[i];
    char moment[MOMENT_TEXT], ago[32];
    int64_t since_ms = 0;
    struct error ignored;
    if (target->good.release.len == 0 ||
        !release_good_since(d->ledger, plan->environment, target->name, target->good.release,
                            &since_ms, &ignored))
        return;
    text_addf(out, "    known good since %.16sZ (%s ago)\n", moment_format(since_ms, moment),
              duration_words(deployment_now(d) - since_ms, ago));
}

// Those that a rollout under way has touched and that this does not take back: nobody watches them
// once it is fenced out.
static void add_left_behind(struct deployment *d, const struct plan *plan,
                            const struct rollout_record *open, struct text *out)
{
    for (uint32_t i = 0; open && open->state && i < open->plan->target_count; i++) {
        const struct plan_target *target = &open->plan->targets[i];
        bool goes = !open->state->targets[i].touched || open->plan->mode == PLAN_ROLLBACK;
        for (uint32_t k = 0; k < plan->target_count; k++)
            goes |= str_eq(plan->targets[k].name, target->name);
        if (!goes)
            text_addf(out,
                      "  ATTENTION: " STR_FMT " stays where rollout " STR_FMT
                      " has left it, and is not watched any more: `sluice rollback " STR_FMT
                      "` takes it back too\n",
                      STR_ARG(say_shown(d->arena, target->name)),
                      STR_ARG(say_shown(d->arena, open->plan->rollout)),
                      STR_ARG(say_shown(d->arena, target->name)));
    }
}

// The plan by which a release came onto the targets: that of the rollout under way, or the newest
// that is over.
static const struct plan *plan_of(struct deployment *d, const struct plan *back, str release,
                                  const struct rollout_record *open)
{
    if (open && open->plan->mode == PLAN_FORWARD && str_eq(open->plan->release, release))
        return open->plan;
    size_t read = 0;
    for (size_t i = ledger_count(d->ledger); i-- > 0 && read < PLANS_READ;) {
        const struct ledger_entry *entry = ledger_at(d->ledger, i);
        struct rollout_record record;
        struct error ignored;
        if (!str_is(entry->type, "rollout.planned") || !str_starts(entry->rollout, release))
            continue;
        read++;
        if (rollout_load(d->ledger, d->arena, entry->rollout, &record, &ignored) &&
            record.plan->mode == PLAN_FORWARD && str_eq(record.plan->release, release) &&
            str_eq(record.plan->environment, back->environment))
            return record.plan;
    }
    return NULL;
}

// What no rollback undoes: known good may not be able to live with it.
static void add_not_undone(struct deployment *d, const struct plan *back,
                           const struct rollout_record *open, struct text *out)
{
    text_adds(out, "  not taken back: what the release has written to databases and queues\n");
    for (uint32_t i = 0; i < back->target_count; i++) {
        const struct plan_target *target = &back->targets[i];
        const struct plan *came =
            target->next.release.len ? plan_of(d, back, target->next.release, open) : NULL;
        for (uint32_t k = 0; came && k < came->target_count; k++)
            if (str_eq(came->targets[k].name, target->name) && came->targets[k].no_return.len)
                text_addf(out,
                          "  ATTENTION: " STR_FMT " may not live with what stays on " STR_FMT
                          ": " STR_FMT "\n",
                          STR_ARG(say_shown(d->arena, target->good.release)),
                          STR_ARG(say_shown(d->arena, target->name)),
                          STR_ARG(say_shown(d->arena, came->targets[k].no_return)));
    }
}

// Where a rehearsal was left half-way, it is from there that this goes back, and not from known
// good.
static void add_half_way(struct deployment *d, const struct plan *plan, struct text *out)
{
    struct rehearsal_left left;
    struct error before = d->call->error;
    bool found = false;
    if (!rehearsal_left_in(d, plan->environment, &left, &found))
        d->call->error = before; // it is only for the words
    if (!found || left.restored)
        return;
    text_adds(out, "  ATTENTION: ");
    struct text words = text_of(65536);
    rehearsal_left_words(&left, &words);
    text_add(out, say_shown(d->arena, text_str(&words)));
    text_done(&words);
    text_adds(out, "; this ends it, while `sluice resume` brings it forward again\n");
}

void rollback_show(struct deployment *d, const struct plan *plan, const struct rollout_record *open)
{
    struct text out = text_of(1 << 18);
    struct way_back way = {0};
    struct error before = d->call->error;
    char limit[32];
    if (!facts_way_back(d, plan->environment, &way))
        d->call->error = before; // it is only for the words
    text_addf(&out, "Roll back " STR_FMT "\n", STR_ARG(say_shown(d->arena, plan->environment)));
    for (uint32_t i = 0; i < plan->target_count; i++) {
        const struct plan_target *target = &plan->targets[i];
        text_addf(&out, "  " STR_FMT ": from " STR_FMT " to " STR_FMT "\n",
                  STR_ARG(say_shown(d->arena, target->name)),
                  STR_ARG(say_shown(d->arena, target->next.release.len ? target->next.release
                                                                       : STR("what runs now"))),
                  STR_ARG(say_shown(d->arena, target->good.release.len
                                                  ? target->good.release
                                                  : STR("nothing: it was its first deployment"))));
        add_since(d, plan, i, &out);
    }
    text_adds(&out, "  all at once, without steps; verified by looking\n  expected: ");
    rollback_expected(d, &way, &out);
    text_addf(&out, "; after %s it says that it is stuck\n",
              duration_words(plan->rollback_limit_ms, limit));
    add_not_undone(d, plan, open, &out);
    if (open)
        text_addf(&out, "  rollout " STR_FMT " is under way and is ended by this\n",
                  STR_ARG(say_shown(d->arena, open->plan->rollout)));
    add_left_behind(d, plan, open, &out);
    add_half_way(d, plan, &out);
    (void)fputs(text_c(&out), stderr);
    text_done(&out);
}

// The terminal reads the line, with everything that it has for editing.
str rollback_ask_reason(struct deployment *d)
{
    struct world *world = d->ports.world;
    struct pollfd in = {STDIN_FILENO, POLLIN, 0};
    char line[REASON_BYTES];
    (void)fputs("Why was it taken back? One line; Enter alone says it later: ", stderr);
    (void)fflush(stderr);
    while (!world_signal(world) && poll(&in, 1, 0) == 0)
        world_wait(world, deployment_now(d) + KEY_MS);
    ssize_t got =
        world_signal(world) || !(in.revents & POLLIN) ? 0 : read(STDIN_FILENO, line, sizeof line);
    if (got <= 0)
        (void)fputs("\n", stderr);
    return arena_str(d->arena, str_trim(str_make(line, got > 0 ? (size_t)got : 0)));
}
