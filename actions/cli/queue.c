#include "actions/cli/queue.h"

#include "actions/cli/rehearsal_left.h"
#include "actions/cli/say.h"
#include "gate/base/moment.h"

enum { PLACES = 256, FETCH_MS = 5000, LOOK_MS = 1000 };

static const char joined_type[] = "queue.joined", renewed_type[] = "queue.renewed",
                  left_type[] = "queue.left";

struct waiting { // a place that somebody has
    str id, environment, release, who;
    int64_t joined_ms, renewed_ms;
};

struct places {
    struct waiting items[PLACES];
    size_t count;
};

static struct waiting *place_of(struct places *places, str id)
{
    for (size_t i = 0; i < places->count; i++)
        if (str_eq(places->items[i].id, id))
            return &places->items[i];
    return NULL;
}

static void forget(struct places *places, const struct waiting *one)
{
    size_t at = (size_t)(one - places->items);
    memmove(places->items + at, places->items + at + 1,
            (--places->count - at) * sizeof places->items[0]);
}

static void apply(struct places *places, const struct event *event)
{
    struct waiting *one = place_of(places, node_text(event->fields, "place"));
    if (str_is(event->type, joined_type) && places->count < PLACES) {
        places->items[places->count++] =
            (struct waiting){.id = str_of(event->id),
                             .environment = node_text(event->fields, "environment"),
                             .release = node_text(event->fields, "release"),
                             .who = facts_person(&event->actor),
                             .joined_ms = event->time_ms,
                             .renewed_ms = event->time_ms};
    } else if (one && str_is(event->type, renewed_type)) {
        one->renewed_ms = event->time_ms;
    } else if (one && str_is(event->type, left_type)) {
        forget(places, one);
    }
}

// Entries that are older than the longest life of a place that nobody renews need not be read, but
// for the beginnings of places that live longer: those are found by their ids.
static bool add_renewed(struct deployment *d, struct places *places, const struct event *event)
{
    str id = node_text(event->fields, "place");
    const struct ledger_entry *entry = ledger_by_id(d->ledger, id);
    struct event joined;
    if (place_of(places, id) || !entry || !str_is(event->type, renewed_type))
        return true;
    struct event *kept = ARENA_NEW(d->arena, struct event);
    if (!ledger_read(d->ledger, d->arena, entry, &joined, &d->call->error))
        return false;
    *kept = joined;
    apply(places, kept);
    return true;
}

static int by_place(const struct deployment *d, const struct waiting *a, const struct waiting *b)
{
    const struct ledger_entry *first = ledger_by_id(d->ledger, a->id);
    const struct ledger_entry *second = ledger_by_id(d->ledger, b->id);
    return !first || !second ? 0 : first->sequence < second->sequence ? -1 : 1;
}

static bool is_queue(const struct ledger_entry *entry)
{
    return str_is(entry->type, joined_type) || str_is(entry->type, renewed_type) ||
           str_is(entry->type, left_type);
}

// Those who wait now, whoever came first first.
static bool read_places(struct deployment *d, struct places *ret)
{
    int64_t now_ms = deployment_now(d), oldest_ms = now_ms - 2 * QUEUE_TTL_MS;
    size_t count = ledger_count(d->ledger), first = count;
    while (first > 0 && ledger_at(d->ledger, first - 1)->time_ms >= oldest_ms)
        first--;
    ret->count = 0;
    for (size_t i = first; i < count; i++) {
        const struct ledger_entry *entry = ledger_at(d->ledger, i);
        struct event *event = is_queue(entry) ? ARENA_NEW(d->arena, struct event) : NULL;
        if (!event)
            continue;
        if (!ledger_read(d->ledger, d->arena, entry, event, &d->call->error) ||
            !add_renewed(d, ret, event))
            return false;
        apply(ret, event);
    }
    for (size_t i = ret->count; i-- > 0;)
        if (now_ms > ret->items[i].renewed_ms + QUEUE_TTL_MS)
            forget(ret, &ret->items[i]);
    for (size_t i = 1; i < ret->count; i++)
        for (size_t k = i; k > 0 && by_place(d, &ret->items[k], &ret->items[k - 1]) < 0; k--) {
            struct waiting swap = ret->items[k];
            ret->items[k] = ret->items[k - 1];
            ret->items[k - 1] = swap;
        }
    return true;
}

// ---- writing -----------------------------------------------------------------------------------

static bool write_event(struct deployment *d, struct queue_place *place, const char *type,
                        const char *why, struct error *err)
{
    struct text body = text_of(16384);
    struct json_out json = json_out_of(&body, JSON_COMPACT);
    json_open_map(&json, NULL);
    json_add_str(&json, "environment", place->environment);
    json_add_str(&json, "release", place->release);
    if (place->id[0])
        json_add_str(&json, "place", str_of(place->id));
    if (why)
        json_add_str(&json, "why", str_of(why));
    json_close(&json);
    struct event event = {.stream = STREAM_ROLLOUT, .type = str_of(type), .body = text_str(&body)};
    struct ledger_entry entry;
    bool ok = ledger_append(d->ledger, &event, &entry, err);
    text_done(&body);
    if (ok && !place->id[0])
        memcpy(place->id, entry.id, sizeof place->id);
    return ok;
}

static bool keep_place(struct deployment *d, struct queue_place *place, int64_t now_ms)
{
    struct error err = {0};
    if (place->id[0] && now_ms < place->renewed_ms + QUEUE_RENEW_MS)
        return true;
    if (!write_event(d, place, place->id[0] ? renewed_type : joined_type, NULL, &err)) {
        d->call->error = err;
        return false;
    }
    place->renewed_ms = now_ms;
    return true;
}

void queue_leave(struct deployment *d, struct queue_place *place, const char *why)
{
    struct error ignored;
    if (place->id[0])
        (void)write_event(d, place, left_type, why, &ignored);
    place->id[0] = '\0';
}

// ---- waiting -----------------------------------------------------------------------------------

// How many are before this place, and which rollout has the environment: a rehearsal has it between
// its halves too, when nothing claims it; one that was left half-way is not waited for, but ended
// by whose turn it is.
static bool look(struct deployment *d, const struct queue_place *place, size_t *ret_before,
                 str *ret_claimed)
{
    struct places *places = ARENA_NEW(d->arena, struct places);
    struct standing standing;
    struct rehearsal_left rehearsal;
    bool rehearses = false;
    size_t before = 0;
    if (!read_places(d, places) ||
        !ledger_standing(d->ledger, d->arena, place->environment, &standing, &d->call->error) ||
        !rehearsal_left_in(d, place->environment, &rehearsal, &rehearses))
        return false;
    for (size_t i = 0; i < places->count && !str_is(places->items[i].id, place->id); i++)
        before += str_eq(places->items[i].environment, place->environment);
    *ret_before = before;
    *ret_claimed = standing.claim.rollout;
    if (rehearses && rehearsal.driven)
        *ret_claimed = rehearsal.back;
    else if (rehearses && (str_eq(standing.claim.rollout, rehearsal.back) ||
                           str_eq(standing.claim.rollout, rehearsal.forth)))
        *ret_claimed = (str){NULL, 0};
    return true;
}

static void say(struct deployment *d, const struct queue_place *place, size_t before, str claimed)
{
    if (d->call->quiet)
        return;
    if (before)
        say_line("sluice: %zu before this one wait for " STR_FMT, before,
                 STR_ARG(place->environment));
    else
        say_line("sluice: next in " STR_FMT ", after rollout " STR_FMT, STR_ARG(place->environment),
                 STR_ARG(claimed));
}

// True while there is something to wait for; *ret_failed when it cannot be known.
static bool must_wait(struct deployment *d, struct queue_place *place, size_t *told,
                      bool *ret_failed)
{
    struct arena arena = {0};
    struct deployment round = *d;
    size_t before = 0;
    str claimed = {NULL, 0};
    round.arena = &arena;
    *ret_failed = !look(&round, place, &before, &claimed);
    bool waits = !*ret_failed && (before > 0 || claimed.len > 0);
    if (waits && *told != before + 1) {
        say(d, place, before, claimed);
        *told = before + 1;
    }
    arena_done(&arena);
    return waits;
}

static bool give_up(struct deployment *d, struct queue_place *place, int64_t limit_ms)
{
    char limit[32];
    bool interrupted = world_signal(d->ports.world) != 0;
    queue_leave(d, place, interrupted ? "cancelled" : "the time was over");
    if (interrupted)
        return error_set(&d->call->error, ERROR_TRANSIENT, "interrupted: nothing was touched");
    return error_set(&d->call->error, ERROR_DENIED,
                     STR_FMT " was not free within %s: nothing was touched",
                     STR_ARG(place->environment), duration_words(limit_ms, limit));
}

bool queue_wait(struct deployment *d, struct queue_place *place, int64_t limit_ms)
{
    size_t told = 0;
    bool failed = false;
    int64_t last_ms = deployment_now(d);
    if (!place->joined_ms) {
        place->joined_ms = last_ms;
        place->limit_ms = last_ms + limit_ms;
    }
    ledger_want_fetch(d->ledger, FETCH_MS);
    for (;;) {
        struct error ignored;
        int64_t now_ms = deployment_now(d);
        if (now_ms < last_ms) // the clock went back
            place->limit_ms -= last_ms - now_ms;
        last_ms = now_ms;
        if (!keep_place(d, place, now_ms))
            return false;
        int64_t wake_ms = ledger_turn(d->ledger, now_ms);
        // Before it is pushed, its place is not known.
        bool placed = ledger_refresh(d->ledger, &ignored) && !ledger_unpushed(d->ledger);
        if (placed && !must_wait(d, place, &told, &failed))
            return !failed;
        if (world_signal(d->ports.world) || now_ms >= place->limit_ms)
            return give_up(d, place, limit_ms);
        int64_t until_ms = wake_ms < now_ms + LOOK_MS ? wake_ms : now_ms + LOOK_MS;
        world_wait(d->ports.world, until_ms > now_ms ? until_ms : now_ms + 1);
    }
}

// ---- showing -----------------------------------------------------------------------------------

void queue_text(struct deployment *d, struct text *out)
{
    struct places *places = ARENA_NEW(d->arena, struct places);
    struct error before = d->call->error;
    char since[32];
    if (!read_places(d, places)) {
        d->call->error = before; // it is only for the words
        return;
    }
    for (size_t i = 0; i < places->count; i++)
        text_addf(out, STR_FMT " of " STR_FMT " waits for " STR_FMT ", for %s\n",
                  STR_ARG(places->items[i].release), STR_ARG(places->items[i].who),
                  STR_ARG(places->items[i].environment),
                  duration_words(deployment_now(d) - places->items[i].joined_ms, since));
}

void queue_json(struct deployment *d, struct json_out *json)
{
    struct places *places = ARENA_NEW(d->arena, struct places);
    struct error before = d->call->error;
    char moment[MOMENT_TEXT];
    if (!read_places(d, places)) {
        d->call->error = before;
        return;
    }
    for (size_t i = 0; i < places->count; i++) {
        json_open_map(json, NULL);
        json_add_str(json, "release", places->items[i].release);
        json_add_str(json, "environment", places->items[i].environment);
        json_add_str(json, "who", places->items[i].who);
        json_add_str(json, "since", str_of(moment_format(places->items[i].joined_ms, moment)));
        json_close(json);
    }
}
