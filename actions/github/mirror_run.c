#include "actions/github/mirror_run.h"

#include <assert.h>

enum { PAUSE_MS = 5000, PAUSE_MOST_MS = 300000 };

void mirror_run_add(struct mirror_run *run, struct mirror_part *part)
{
    assert(run->count < MIRROR_PARTS);
    run->parts[run->count++] = part;
}

void mirror_run_told(struct mirror_run *run)
{
    run->settled = false;
}

// ---- turning ------------------------------------------------------------------------------------

static void say(const struct mirror_run *run, const struct mirror_part *part,
                const struct error *why, const char *then)
{
    struct text words = text_of(4096);
    text_addf(&words, "%s on GitHub: %s%s", part->what, why->message, then);
    run->say(run->self, text_c(&words));
    text_done(&words);
}

static void failed(struct mirror_run *run, struct mirror_part *part, const struct error *why,
                   int64_t now_ms)
{
    bool passes = why->kind == ERROR_TRANSIENT || why->kind == ERROR_REMOTE;
    int64_t pause_ms = PAUSE_MS;
    part->failed(part);
    if (!passes) {
        part->off = true;
        say(run, part, why, "; it is left out from here on");
        return;
    }
    for (unsigned i = 0; i < part->failures && pause_ms < PAUSE_MOST_MS; i++)
        pause_ms *= 2;
    if (pause_ms > PAUSE_MOST_MS)
        pause_ms = PAUSE_MOST_MS;
    if (why->retry_after_ms > pause_ms)
        pause_ms = why->retry_after_ms;
    if (part->failures++ == 0)
        say(run, part, why, "; it is tried again");
    part->next_ms = now_ms + pause_ms;
}

// False: what runs is still under way.
static bool poll(struct mirror_run *run, int64_t now_ms)
{
    struct error why = {0};
    enum progress progress = chain_poll(&run->chain, &why);
    if (progress == PROGRESS_PENDING)
        return false;
    struct mirror_part *part = run->running;
    run->running = NULL;
    chain_drop(&run->chain);
    if (progress == PROGRESS_FAILED)
        failed(run, part, &why, now_ms);
    else
        part->failures = 0;
    return true;
}

static bool begin(struct mirror_run *run, int64_t now_ms, int64_t *wake_ms)
{
    for (size_t i = 0; i < run->count; i++) {
        struct mirror_part *part = run->parts[(run->at + i) % run->count];
        if (part->off)
            continue;
        if (now_ms < part->next_ms) {
            if (part->next_ms < *wake_ms)
                *wake_ms = part->next_ms;
            continue;
        }
        chain_begin(&run->chain, run->cloud, part);
        if (part->begin(part, &run->chain, now_ms, wake_ms)) {
            run->running = part;
            run->at = (run->at + i + 1) % run->count;
            return true;
        }
    }
    return false;
}

static bool waits(const struct mirror_run *run)
{
    for (size_t i = 0; i < run->count; i++)
        if (!run->parts[i]->off && run->parts[i]->failures)
            return true;
    return false;
}

bool mirror_run_turn(struct mirror_run *run, int64_t now_ms, int64_t *wake_ms)
{
    if (run->running && poll(run, now_ms))
        return true;
    if (!run->running && begin(run, now_ms, wake_ms))
        return true;
    if (!run->running) {
        run->settled = !waits(run);
        return false;
    }
    int64_t at_ms = chain_wake_ms(&run->chain);
    if (at_ms < *wake_ms)
        *wake_ms = at_ms;
    return false;
}

bool mirror_run_busy(const struct mirror_run *run)
{
    return !run->settled || run->running;
}

void mirror_run_stop(struct mirror_run *run)
{
    if (run->running)
        run->running->failed(run->running);
    run->running = NULL;
    chain_drop(&run->chain);
    run->settled = false;
}

void mirror_run_close(struct mirror_run *run)
{
    chain_drop(&run->chain);
}
