#include "deploy/record/evidence_store.h"
#include "deploy/record/releases.h"
#include "deploy/record/verify.h"
#include "scene.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define REPORT "<coverage/>\n"

static struct scene s;

static void start(void)
{
    scene_open(&s);
}

static void done(void)
{
    scene_close(&s);
}

TestSuite(evidence_store, .init = start, .fini = done);

static void decide(struct ledger *ledger, const char *commit, const struct event_evidence *list,
                   size_t count)
{
    str body =
        arena_format(&s.arena, "{\"commit\":\"%s\",\"decision\":\"pass\",\"time\":\"\"}", commit);
    s.now_ms += 1000;
    cr_assert(gate_record_write(ledger, body, list, count, NULL, &s.err), "%s", s.err.message);
}

static struct event_evidence evidence_of(const char *path, str bytes, bool kept)
{
    struct event_evidence one = {.path = str_of(path), .size_bytes = bytes.len};
    (void)sha256_of(bytes, one.sha256);
    one.kept = kept ? bytes : (str){NULL, 0};
    return one;
}

static struct verify_result verify(const char *folder)
{
    struct verify_request request = {.where = {.folder = folder, .branch = "release-ledger"}};
    struct verify_result result;
    cr_assert(ledger_verify(&request, &s.arena, &result, &s.err), "%s", s.err.message);
    return result;
}

static bool finds(struct ledger *ledger, const struct event_evidence *one, const char *want)
{
    str bytes;
    return evidence_find(ledger, &s.arena, one->sha256, &bytes, &s.err) && str_is(bytes, want);
}

Test(evidence_store, what_is_kept_is_found_and_what_is_not_is_absent)
{
    struct ledger *ledger = scene_ledger(&s, NULL, NULL, NULL);
    struct event_evidence list[] = {
        evidence_of("a.xml", STR(REPORT), true), evidence_of("twin.xml", STR(REPORT), true),
        evidence_of("large.xml", STR("large"), false), evidence_of("empty.xml", STR(""), true)};
    decide(ledger, "c1", list, 4);
    decide(ledger, "c2", list, 1); // the same file again is no second one
    cr_expect(finds(ledger, &list[0], REPORT));
    cr_expect(finds(ledger, &list[3], ""));
    cr_expect_not(finds(ledger, &list[2], "large"));
    cr_expect_eq(s.err.kind, ERROR_ABSENT);
    ledger_close(ledger);
    struct verify_result result = verify(s.work);
    cr_expect_null(result.bad, "%s", result.why);
    cr_expect_eq(result.kept, 2u);
    cr_expect_eq(result.entries, 2u);
}

Test(evidence_store, stock_git_shows_the_file_under_its_digest)
{
    struct ledger *ledger = scene_ledger(&s, NULL, NULL, NULL);
    struct event_evidence one = evidence_of("a.xml", STR(REPORT), true);
    str out;
    decide(ledger, "c1", &one, 1);
    ledger_close(ledger);
    cr_assert_eq(scene_shell(&s, &out, "git -C work show release-ledger:%s | sha256sum",
                             evidence_path(&s.arena, one.sha256)),
                 0);
    cr_expect(str_starts(out, str_of(one.sha256)), STR_FMT, STR_ARG(out));
}

Test(evidence_store, content_that_its_name_does_not_say_is_found)
{
    struct ledger *ledger = scene_ledger(&s, NULL, NULL, NULL);
    struct event_evidence one = evidence_of("a.xml", STR(REPORT), true);
    one.kept = STR("<coverage lies=''/>\n");
    decide(ledger, "c1", &one, 1);
    str bytes;
    cr_expect_not(evidence_find(ledger, &s.arena, one.sha256, &bytes, &s.err));
    cr_expect_eq(s.err.kind, ERROR_SYSTEM);
    ledger_close(ledger);
    struct verify_result result = verify(s.work);
    cr_assert_not_null(result.bad);
    cr_expect(strstr(result.why, "has another content"), "%s", result.why);
}

// Commits that stock git makes on the branch: evidence changed, removed, or slipped in.
Test(evidence_store, evidence_is_append_only)
{
    static const char *const tampering[] = {
        "echo more >> $(ls evidence/*/*)",
        "git rm -q $(ls evidence/*/*)",
        "mkdir -p evidence/aa && echo x > evidence/aa/x",
    };
    struct ledger *ledger = scene_ledger(&s, NULL, NULL, NULL);
    struct event_evidence one = evidence_of("a.xml", STR(REPORT), true);
    decide(ledger, "c1", &one, 1);
    ledger_close(ledger);
    for (size_t i = 0; i < sizeof tampering / sizeof *tampering; i++) {
        cr_assert_eq(scene_shell(&s, NULL,
                                 "rm -rf t%zu && git clone -q -b release-ledger work t%zu && cd "
                                 "t%zu && git checkout -q -b changed && %s && git add -A && "
                                 "GIT_COMMITTER_DATE=$(git log -1 --format=%%cI) git -c "
                                 "user.name=a -c user.email=a@x commit -q --amend --no-edit && git "
                                 "branch -f release-ledger changed && git checkout -q --detach",
                                 i, i, i, tampering[i]),
                     0);
        struct verify_result result = verify(arena_format(&s.arena, "%s/t%zu", s.folder, i).data);
        if (i == 1) // never kept is no fault
            cr_expect_null(result.bad, "%s", result.why);
        else
            cr_expect_not_null(result.bad, "tampering %zu was not found", i);
    }
    cr_assert_eq(scene_shell(&s, NULL,
                             "git clone -q -b release-ledger work later && cd later && git rm -q "
                             "$(ls evidence/*/*) && git -c user.name=a -c user.email=a@x commit -q "
                             "-C HEAD"),
                 0);
    struct verify_result result = verify(arena_format(&s.arena, "%s/later", s.folder).data);
    cr_expect_not_null(result.bad);
}

Test(evidence_store, a_lost_race_takes_the_evidence_along)
{
    cr_assert_eq(scene_shell(&s, NULL, "git clone -q work other"), 0);
    const char *folder = arena_format(&s.arena, "%s/other", s.folder).data;
    struct ledger *ours = scene_ledger(&s, NULL, s.remote, NULL);
    struct ledger *theirs = scene_ledger(&s, folder, s.remote, NULL);
    struct event_evidence one = evidence_of("a.xml", STR(REPORT), true);
    decide(ours, "c1", &one, 1);
    scene_append(&s, theirs, "gate.noted", "", "");
    cr_assert(ledger_sync(theirs, 10000, &s.err), "%s", s.err.message);
    cr_assert(ledger_sync(ours, 10000, &s.err), "%s", s.err.message);
    cr_assert(ledger_sync(theirs, 10000, &s.err), "%s", s.err.message);
    cr_expect(finds(theirs, &one, REPORT), "%s", s.err.message);
    ledger_close(ours);
    ledger_close(theirs);
    struct verify_result result = verify(s.remote);
    cr_expect_null(result.bad, "%s", result.why);
    cr_expect_eq(result.kept, 1u);
}

Test(evidence_store, only_what_is_small_is_kept)
{
    size_t size = 2u << 20;
    char *noise = malloc(size), *zeroes = calloc(1, size);
    cr_assert(noise && zeroes);
    uint32_t seed = 1;
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        noise[i] = (char)(seed >> 24);
    }
    struct evidence_room room = {0};
    cr_expect_not(evidence_wanted(str_make(noise, size), &room)); // packed, still 2 MiB
    cr_expect(evidence_wanted(str_make(zeroes, size), &room));
    size_t kept = 0;
    for (size_t i = 0; i < 40; i++)
        kept += evidence_wanted(str_make(noise + i, 200u << 10), &room);
    cr_expect_eq(kept, EVIDENCE_RUN_BYTES / (200u << 10), "%zu", kept);
    room = (struct evidence_room){.files = EVIDENCE_FILES};
    cr_expect_not(evidence_wanted(STR("x"), &room));
    free(noise);
    free(zeroes);
}
