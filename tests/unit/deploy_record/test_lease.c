#include "deploy/record/lease.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define T0 INT64_C(1795331395000)

// What happens to production, one event after another.
struct happening {
    int64_t at_s;
    const char *type, *rollout, *holder;
    bool force, keep_claim;
    const char *over, *why;
    int64_t ttl_s;
    // what is wanted
    bool denied;
    uint64_t fence;     // of the event
    const char *claim;  // afterwards
    const char *keeper; // of the lease afterwards
    bool late;
};

static void play(const struct happening *rows, size_t count)
{
    struct standing standing = {.environment = STR("production")};
    for (size_t i = 0; i < count; i++) {
        const struct happening *h = &rows[i];
        struct error err = {0};
        struct event event = {
            .stream = STREAM_ROLLOUT,
            .type = str_of(h->type),
            .rollout = str_of(h->rollout),
            .time_ms = T0 + h->at_s * 1000,
            .lease = {.environment = STR("production"),
                      .holder = str_of(h->holder),
                      .force = h->force,
                      .keep_claim = h->keep_claim,
                      .over = str_of(h->over),
                      .why = str_of(h->why),
                      .expires_ms = h->ttl_s ? T0 + (h->at_s + h->ttl_s) * 1000 : 0}};
        struct standing before = standing;
        bool ok = standing_apply(&standing, &event, &err);
        cr_expect_eq(ok, !h->denied, "row %zu (%s): %s", i, h->type, err.message);
        if (h->denied) {
            cr_expect_eq(err.kind, ERROR_DENIED, "row %zu", i);
            standing = before;
        }
        cr_expect_eq(event.lease.fence, h->fence, "row %zu: fence %llu", i,
                     (unsigned long long)event.lease.fence);
        cr_expect_eq(event.lease.late, h->late, "row %zu", i);
        cr_expect(str_is(standing.claim.rollout, h->claim), "row %zu: claimed by " STR_FMT, i,
                  STR_ARG(standing.claim.rollout));
        cr_expect(str_is(standing.lease.released ? STR("") : standing.lease.holder, h->keeper),
                  "row %zu: held by " STR_FMT, i, STR_ARG(standing.lease.holder));
    }
}

#define PLAY(...)                                                                                  \
    do {                                                                                           \
        static const struct happening rows_[] = {__VA_ARGS__};                                     \
        play(rows_, sizeof rows_ / sizeof rows_[0]);                                               \
    } while (0)

Test(lease, one_rollout_from_plan_to_end)
{
    PLAY({0, "rollout.planned", "r1", "", .claim = "r1", .keeper = ""},
         {1, "lease.taken", "r1", "a", .ttl_s = 90, .fence = 1, .claim = "r1", .keeper = "a"},
         {2, "command.intended", "r1", "a", .fence = 1, .claim = "r1", .keeper = "a"},
         {40, "lease.renewed", "r1", "a", .ttl_s = 90, .fence = 1, .claim = "r1", .keeper = "a"},
         {50, "rollout.done", "r1", "a", .fence = 1, .claim = "", .keeper = "a"},
         {51, "lease.released", "r1", "a", .fence = 1, .claim = "", .keeper = ""},
         {60, "rollout.planned", "r2", "", .claim = "r2", .keeper = ""},
         {61, "lease.taken", "r2", "b", .ttl_s = 90, .fence = 2, .claim = "r2", .keeper = "b"});
}

Test(lease, others_are_refused_while_it_lives)
{
    PLAY({0, "rollout.planned", "r1", "", .claim = "r1", .keeper = ""},
         {1, "lease.taken", "r1", "a", .ttl_s = 90, .fence = 1, .claim = "r1", .keeper = "a"},
         {2, "rollout.planned", "r2", "", .denied = true, .claim = "r1", .keeper = "a"},
         {3, "lease.taken", "r2", "b", .ttl_s = 90, .denied = true, .claim = "r1", .keeper = "a"},
         {4, "lease.taken", "r1", "b", .ttl_s = 90, .denied = true, .claim = "r1", .keeper = "a"},
         // Even after it ran out, for as much as two clocks may differ.
         {95, "lease.taken", "r1", "b", .ttl_s = 90, .denied = true, .claim = "r1", .keeper = "a"},
         {102, "lease.taken", "r1", "b", .ttl_s = 90, .over = "a", .why = "expired", .fence = 2,
          .claim = "r1", .keeper = "b"},
         {103, "command.intended", "r1", "a", .denied = true, .claim = "r1", .keeper = "b"},
         {104, "lease.renewed", "r1", "a", .ttl_s = 90, .denied = true, .claim = "r1",
          .keeper = "b"},
         {105, "command.done", "r1", "a", .late = true, .claim = "r1", .keeper = "b"});
}

Test(lease, one_that_was_renewed_meanwhile_is_not_taken_over)
{
    PLAY({0, "rollout.planned", "r1", "", .claim = "r1", .keeper = ""},
         {1, "lease.taken", "r1", "a", .ttl_s = 90, .fence = 1, .claim = "r1", .keeper = "a"},
         {80, "lease.renewed", "r1", "a", .ttl_s = 90, .fence = 1, .claim = "r1", .keeper = "a"},
         {110, "lease.taken", "r1", "b", .ttl_s = 90, .over = "a", .why = "expired", .denied = true,
          .claim = "r1", .keeper = "a"},
         // A process that is gone, but not the one that holds it.
         {111, "lease.taken", "r1", "b", .ttl_s = 90, .over = "x", .why = "gone", .denied = true,
          .claim = "r1", .keeper = "a"},
         {112, "lease.taken", "r1", "b", .ttl_s = 90, .over = "a", .why = "gone", .fence = 2,
          .claim = "r1", .keeper = "b"});
}

Test(lease, a_rollback_fences_out_whoever_runs)
{
    PLAY({0, "rollout.planned", "r1", "", .claim = "r1", .keeper = ""},
         {1, "lease.taken", "r1", "a", .ttl_s = 90, .fence = 1, .claim = "r1", .keeper = "a"},
         {2, "rollout.cancelled", "r1", "", .force = true, .claim = "", .keeper = "a"},
         {2, "rollout.planned", "b1", "", .force = true, .claim = "b1", .keeper = "a"},
         {2, "lease.taken", "b1", "b", .force = true, .ttl_s = 90, .fence = 2, .claim = "b1",
          .keeper = "b"},
         {3, "command.intended", "r1", "a", .denied = true, .claim = "b1", .keeper = "b"},
         {4, "lease.taken", "r1", "c", .ttl_s = 90, .denied = true, .claim = "b1", .keeper = "b"});
}

Test(lease, a_suspended_rollout_keeps_its_claim)
{
    PLAY({0, "rollout.planned", "r1", "", .claim = "r1", .keeper = ""},
         {1, "lease.taken", "r1", "a", .ttl_s = 90, .fence = 1, .claim = "r1", .keeper = "a"},
         {2, "lease.released", "r1", "a", .keep_claim = true, .fence = 1, .claim = "r1",
          .keeper = ""},
         {3, "command.intended", "r1", "a", .denied = true, .claim = "r1", .keeper = ""},
         {4, "rollout.planned", "r2", "", .denied = true, .claim = "r1", .keeper = ""},
         {5, "lease.taken", "r1", "b", .ttl_s = 90, .fence = 2, .claim = "r1", .keeper = "b"});
}

Test(lease, files_are_read_as_they_were_written)
{
    struct arena arena = {0};
    struct error err;
    struct standing standing = {.environment = STR("prod/eu"),
                                .claim = {STR("r1"), T0},
                                .lease = {.holder = STR("a"),
                                          .rollout = STR("r1"),
                                          .process = STR("p"),
                                          .who = STR("ada"),
                                          .fence = 7,
                                          .taken_ms = T0,
                                          .heartbeat_ms = T0 + 1,
                                          .expires_ms = T0 + 2,
                                          .released = true}},
                    back;
    struct text claim = text_of(4096), lease = text_of(4096);
    claim_write(&standing, &claim);
    lease_write(&standing, &lease);
    cr_assert(standing_read(&arena, standing.environment, text_str(&claim), text_str(&lease), &back,
                            &err),
              "%s", err.message);
    cr_expect(str_is(back.claim.rollout, "r1") && back.claim.since_ms == T0);
    cr_expect(str_is(back.lease.holder, "a") && back.lease.fence == 7 && back.lease.released);
    cr_expect(back.lease.expires_ms == T0 + 2 && str_is(back.lease.who, "ada"));
    cr_expect_str_eq(lease_path(&arena, standing.environment), "leases/prod%2Feu.json");
    cr_expect_str_eq(claim_path(&arena, STR("..")), "claims/%2E%2E.json");
    cr_expect_not(standing_read(&arena, STR("x"), STR("{}"), (str){0}, &back, &err));
    cr_expect_not(standing_read(&arena, STR("x"), (str){0}, STR("{\"fence\": 1}"), &back, &err));
    text_done(&claim);
    text_done(&lease);
    arena_done(&arena);
}

Test(lease, a_process_that_is_gone_is_known_to_be)
{
    struct arena arena = {0};
    str self = process_self(&arena);
    cr_assert(self.len > 0);
    cr_expect_not(process_is_gone(self));
    cr_expect_not(process_is_gone(STR("another-machine/pid:[1]/1/1")));
    cr_expect_not(process_is_gone(STR("")));
    int ends[2];
    cr_assert_eq(0, pipe(ends));
    pid_t child = fork();
    if (child == 0) {
        str name = process_self(&arena);
        (void)!write(ends[1], name.data, name.len);
        _exit(0);
    }
    char name[256];
    ssize_t size = read(ends[0], name, sizeof name);
    cr_assert(size > 0);
    cr_assert_eq(waitpid(child, NULL, 0), child);
    cr_expect(process_is_gone(str_make(name, (size_t)size)));
    // The same number, another start: it was given to another process since.
    str reused = arena_format(&arena, STR_FMT "9", STR_ARG(self));
    cr_expect(process_is_gone(reused));
    close(ends[0]);
    close(ends[1]);
    arena_done(&arena);
}
