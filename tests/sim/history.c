// A world in words, for people who look for what went wrong in it.
#include "world.h"

#include <stdarg.h>

static void stamp(const struct world *world, const struct process *process)
{
    fprintf(world->scenario.trace, "%9.3f ", (double)world->now / 1000);
    if (process)
        fprintf(world->scenario.trace, "%s%u ",
                process->kind == ROLLBACK ? "rollback " : "process ", (unsigned)process->id);
}

void history(const struct world *world, const struct process *process, const char *format, ...)
{
    if (!world->scenario.trace)
        return;
    stamp(world, process);
    va_list args;
    va_start(args, format);
    vfprintf(world->scenario.trace, format, args);
    va_end(args);
    fputc('\n', world->scenario.trace);
}

void history_plan(const struct world *world)
{
    const struct plan *plan = &world->plans[FORWARD];
    const struct faults *f = &world->faults;
    history(world, NULL,
            "seed %llu: %u targets, %u steps, %u metrics, %.0f requests/min at %.2f %% bad; the "
            "release is %s (%.0f times)%s",
            (unsigned long long)world->scenario.seed, (unsigned)plan->target_count,
            (unsigned)plan->step_count, (unsigned)plan->metric_count, world->per_minute,
            world->base_rate * 100, world->bad ? "bad" : "good", world->ratio,
            world->latency > 800 ? " and slow" : "");
    history(world, NULL, "bakes %.0f s and %.0f s, approvals %u, faults:%s%s%s%s%s%s%s%s%s%s%s%s",
            (double)plan->step_bake_ms / 1000, (double)plan->bake_ms / 1000,
            (unsigned)plan->approval.count, f->crash ? " crash" : "",
            f->disk_lost ? " disk-lost" : "", f->stray ? " stray" : "", f->clock ? " clock" : "",
            f->remote_down ? " remote" : "", f->cancel ? " cancel" : "",
            f->second_runner ? " second" : "", f->rollback ? " rollback" : "",
            f->steer ? " steer" : "", f->freeze ? " freeze" : "", f->pause ? " pause" : "",
            f->slow > 0 ? " slow" : "");
}

void history_event(const struct world *world, const struct process *process,
                   const struct rollout_event *event)
{
    static const char *const names[] = {
        "begin",    "resumed", "timer",  "recorded", "record lost", "target done", "failed",
        "observed", "sample",  "answer", "steer",    "frozen",      "lease lost",  "cancel"};
    if (!world->scenario.trace)
        return;
    stamp(world, process);
    fprintf(world->scenario.trace, "< %s", names[event->type]);
    if (event->type == RE_TARGET_DONE || event->type == RE_TARGET_FAILED)
        fprintf(world->scenario.trace, " %u %s %u ppm", (unsigned)event->target,
                verb_name(event->verb), (unsigned)event->share_ppm);
    if (event->type == RE_OBSERVED)
        fprintf(world->scenario.trace, " %u: %u ppm, %s", (unsigned)event->target,
                (unsigned)event->share_ppm, event->settled ? "settled" : "moving");
    if (event->type == RE_SAMPLE)
        fprintf(world->scenario.trace, " %u/%u: %s %.0f/%.0f against %.0f/%.0f",
                (unsigned)event->metric, (unsigned)event->nth,
                event->sample.has_value ? "" : "none", event->sample.counts.canary_bad,
                event->sample.counts.canary_total, event->sample.counts.baseline_bad,
                event->sample.counts.baseline_total);
    if (event->type == RE_STEER)
        fprintf(world->scenario.trace, " %s",
                ((const char *const[]){"hold", "promote", "abort"})[event->steer]);
    if (event->type == RE_ANSWER || event->type == RE_FROZEN)
        fprintf(world->scenario.trace, " %s", event->granted ? "yes" : "no");
    fprintf(world->scenario.trace, "   [%s]\n", phase_name(process->snapshot.state.phase));
}

void history_command(const struct world *world, const struct process *process,
                     const struct rollout_command *command)
{
    if (!world->scenario.trace || command->type == RC_WAKE)
        return;
    stamp(world, process);
    switch (command->type) {
    case RC_RECORD:
        fprintf(world->scenario.trace, "  > record %s%s: %s\n", record_name(command->record),
                command->durable ? " (durable)" : "", command->text);
        break;
    case RC_TARGET:
        fprintf(world->scenario.trace, "  > target %u %s %u ppm\n", (unsigned)command->target,
                verb_name(command->verb), (unsigned)command->share_ppm);
        break;
    case RC_OBSERVE:
        fprintf(world->scenario.trace, "  > observe %u\n", (unsigned)command->target);
        break;
    case RC_ASK:
        fprintf(world->scenario.trace, "  > ask\n");
        break;
    case RC_INCIDENT:
        fprintf(world->scenario.trace, "  > incident %s\n", command->text);
        break;
    case RC_END:
        fprintf(world->scenario.trace, "  > end\n");
        break;
    case RC_WAKE:
        break;
    }
}
