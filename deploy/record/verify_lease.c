#include "deploy/record/verify_parts.h"

#include "deploy/record/lease.h"

static struct lease_files *place_of(struct audit *audit, str environment)
{
    for (size_t i = 0; i < audit->place_count; i++)
        if (str_eq(audit->places[i].environment, environment))
            return &audit->places[i];
    audit->places = arena_grow(&audit->places_arena, audit->places, audit->place_count,
                               &audit->place_room, sizeof *audit->places);
    struct lease_files *place = &audit->places[audit->place_count++];
    *place = (struct lease_files){.environment = arena_str(&audit->places_arena, environment)};
    return place;
}

// The file beside the events must be what the event makes of it, and change with no other event.
static bool check_beside(struct audit *audit, struct step *step, const char *path, str *before,
                         const struct text *after)
{
    const struct store_difference *d = verify_difference(step, path);
    struct error why;
    str bytes;
    if (str_eq(*before, text_str(after)))
        return d ? bad(audit, step, "changes %s without a reason", path) : true;
    if (!d)
        return bad(audit, step, "should change %s and does not", path);
    if (!store_read_blob(audit->store, &audit->scratch, &d->blob, &bytes, &why))
        return bad(audit, step, "%s", why.message);
    if (!str_eq(bytes, text_str(after)))
        return bad(audit, step, "%s is not what this event makes of it", path);
    *before = arena_str(&audit->places_arena, bytes); // a few hundred bytes each time
    return true;
}

static bool needs_lease(const struct event *event)
{
    static const char *const prefixes[] = {"command.", "step.", "sample.", "rollout."};
    if (event->stream != STREAM_ROLLOUT || str_is(event->type, "rollout.planned") ||
        (str_is(event->type, "rollout.cancelled") && event->lease.force))
        return false;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (str_starts(event->type, str_of(prefixes[i])))
            return true;
    return false;
}

static bool apply_lease(struct audit *audit, struct step *step, struct lease_files *place,
                        struct text *claim, struct text *lease)
{
    struct standing standing;
    struct error why;
    struct event copy = step->event;
    struct arena *scratch = &audit->scratch;
    if (!standing_read(scratch, place->environment, place->claim, place->lease, &standing, &why) ||
        !standing_apply(&standing, &copy, &why))
        return bad(audit, step, "%s", why.message);
    if (copy.lease.fence != step->event.lease.fence)
        return bad(audit, step, "written under fencing number %llu; it should be %llu",
                   (unsigned long long)step->event.lease.fence,
                   (unsigned long long)copy.lease.fence);
    if (copy.lease.late != step->event.lease.late)
        return bad(audit, step, "%s",
                   copy.lease.late ? "its writer had lost the lease"
                                   : "it says that it is late and is not");
    if (place->claim.len || standing.claim_changed)
        claim_write(&standing, claim);
    if (place->lease.len || standing.lease_changed)
        lease_write(&standing, lease);
    return check_beside(audit, step, claim_path(scratch, place->environment), &place->claim,
                        claim) &&
           check_beside(audit, step, lease_path(scratch, place->environment), &place->lease, lease);
}

bool verify_lease(struct audit *audit, struct step *step)
{
    const struct event_lease *lease = &step->event.lease;
    if (needs_lease(&step->event) && (!lease->environment.len || !lease->holder.len))
        return bad(audit, step, "written without a lease");
    size_t beside = step->difference_count - 1 - step->kept, mine = 0;
    if (lease->environment.len) {
        mine += verify_difference(step, claim_path(&audit->scratch, lease->environment)) != NULL;
        mine += verify_difference(step, lease_path(&audit->scratch, lease->environment)) != NULL;
    }
    if (mine != beside)
        return bad(audit, step, "changes claims or leases that it has nothing to do with");
    if (!lease->environment.len)
        return true;
    struct text claim_out = text_of(LIMIT_EVENT_BYTES), lease_out = text_of(LIMIT_EVENT_BYTES);
    bool ok = apply_lease(audit, step, place_of(audit, lease->environment), &claim_out, &lease_out);
    text_done(&claim_out);
    text_done(&lease_out);
    return ok;
}
