// Every move of a ref fails once, in each way that it can: before its effect, after it, or because
// somebody else was faster. The functions of libgit2 below take the place of the library's own.
#include "scene.h"

#include "deploy/record/verify.h"
#include "gate/base/moment.h"

#include <criterion/criterion.h>
#include <dlfcn.h>

typedef struct git_reference git_reference;
typedef struct git_repository git_repository;
typedef struct git_oid git_oid;

enum fault { FAULT_NONE, FAULT_BEFORE, FAULT_AFTER, FAULT_MODIFIED, FAULT_LOCKED };
enum { CODE_ERROR = -1, CODE_LOCKED = -14, CODE_MODIFIED = -15 };

static struct {
    enum fault fault;
    unsigned at, calls;
} faults;

int git_reference_create(git_reference **out, git_repository *repo, const char *name,
                         const git_oid *id, int force, const char *message);
int git_reference_create_matching(git_reference **out, git_repository *repo, const char *name,
                                  const git_oid *id, int force, const git_oid *current,
                                  const char *message);

static int before(void)
{
    if (++faults.calls != faults.at)
        return 0;
    switch (faults.fault) {
    case FAULT_BEFORE:
        return CODE_ERROR;
    case FAULT_MODIFIED:
        return CODE_MODIFIED;
    case FAULT_LOCKED:
        return CODE_LOCKED;
    case FAULT_NONE:
    case FAULT_AFTER:
        break;
    }
    return 0;
}

static int after(git_reference **out, int code)
{
    if (faults.calls != faults.at || faults.fault != FAULT_AFTER || code != 0)
        return code;
    void (*release)(git_reference *) =
        (void (*)(git_reference *))(uintptr_t)dlsym(RTLD_NEXT, "git_reference_free");
    release(*out);
    *out = NULL;
    return CODE_ERROR;
}

int git_reference_create(git_reference **out, git_repository *repo, const char *name,
                         const git_oid *id, int force, const char *message)
{
    int (*real)(git_reference **, git_repository *, const char *, const git_oid *, int,
                const char *) =
        (int (*)(git_reference **, git_repository *, const char *, const git_oid *, int,
                 const char *))(uintptr_t)dlsym(RTLD_NEXT, "git_reference_create");
    int code = before();
    return code ? code : after(out, real(out, repo, name, id, force, message));
}

int git_reference_create_matching(git_reference **out, git_repository *repo, const char *name,
                                  const git_oid *id, int force, const git_oid *current,
                                  const char *message)
{
    int (*real)(git_reference **, git_repository *, const char *, const git_oid *, int,
                const git_oid *, const char *) =
        (int (*)(git_reference **, git_repository *, const char *, const git_oid *, int,
                 const git_oid *, const char *))(uintptr_t)dlsym(RTLD_NEXT,
                                                                 "git_reference_create_matching");
    int code = before();
    return code ? code : after(out, real(out, repo, name, id, force, current, message));
}

// Plan, lease, a command, its result, the end; with a remote on which another process has written.
static size_t play(struct scene *s, struct ledger *ledger)
{
    static const struct {
        const char *type, *body;
        bool holder;
    } rows[] = {
        {"rollout.planned", "{}", false},
        {"lease.taken", "{}", true},
        {"command.intended", "{\"verb\":\"stage\",\"state\":{\"phase\":\"preparing\"}}", true},
        {"command.done", "{\"state\":{\"phase\":\"preparing\"}}", true},
        {"rollout.cancelled", "{\"state\":{\"phase\":\"cancelled\"}}", true},
        {"lease.released", "{}", true},
    };
    size_t appended = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct event event = {.type = str_of(rows[i].type),
                              .rollout = STR("r"),
                              .key = str_of(rows[i].type), // so that trying again is harmless
                              .body = str_of(rows[i].body),
                              .lease = {.environment = STR("production"),
                                        .holder = rows[i].holder ? STR("me") : (str){0},
                                        .expires_ms = i == 1 ? s->now_ms + LEASE_TTL_MS : 0}};
        bool ok = ledger_append(ledger, &event, NULL, &s->err);
        if (!ok) // as a caller does: once more, with the same key
            ok = ledger_append(ledger, &event, NULL, &s->err);
        cr_expect(ok, "%s: %s", rows[i].type, s->err.message);
        appended += ok;
        if (i % 2)
            (void)ledger_turn(ledger, s->now_ms += 5000);
    }
    return appended;
}

static unsigned run(enum fault fault, unsigned at)
{
    struct scene s;
    scene_open(&s);
    cr_assert_eq(0, scene_shell(&s, NULL, "git init -q two"));
    str folder = arena_format(&s.arena, "%s/two", s.folder);
    struct ledger *other = scene_ledger(&s, folder.data, s.remote, NULL);
    scene_append(&s, other, "note.made", "", "theirs");
    cr_assert(ledger_sync(other, MS_MINUTE, &s.err), "%s", s.err.message);
    struct ledger *ledger = scene_ledger(&s, NULL, "origin", NULL);
    faults.fault = fault;
    faults.at = at;
    faults.calls = 0;
    size_t appended = play(&s, ledger);
    for (int i = 0; i < 20 && (i < 3 || ledger_unpushed(ledger)); i++)
        (void)ledger_turn(ledger, s.now_ms += 20000);
    unsigned calls = faults.calls;
    faults.fault = FAULT_NONE;
    cr_expect_not(ledger_unpushed(ledger), "fault %d at %u", fault, at);
    cr_assert(ledger_sync(other, MS_MINUTE, &s.err), "%s", s.err.message);
    cr_expect_eq(ledger_count(other), appended + 1, "fault %d at %u: %zu of %zu", fault, at,
                 ledger_count(other), appended + 1);
    ledger_close(ledger);
    ledger_close(other);
    struct verify_request request = {
        .where = {.folder = folder.data, .branch = "release-ledger", .remote = s.remote}};
    struct verify_result result;
    cr_assert(ledger_verify(&request, &s.arena, &result, &s.err), "%s", s.err.message);
    cr_expect_null(result.bad, "fault %d at %u: %s: %s", fault, at, result.bad, result.why);
    scene_close(&s);
    return calls;
}

Test(faults, every_move_of_a_ref_fails_once, .timeout = 300)
{
    unsigned moves = run(FAULT_NONE, 0);
    cr_assert_gt(moves, 8u);
    for (enum fault fault = FAULT_BEFORE; fault <= FAULT_LOCKED; fault++)
        for (unsigned at = 1; at <= moves; at++)
            (void)run(fault, at);
}
