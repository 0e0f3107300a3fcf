#include "scene.h"

#include "deploy/record/verify.h"
#include "gate/base/moment.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct verify_result verify(struct scene *s, const struct signers *signers,
                                   const char *expect)
{
    struct verify_request request = {
        .where = {.folder = s->work, .branch = "release-ledger"},
        .signers = signers,
        .expect = str_of(expect),
    };
    struct verify_result result;
    cr_assert(ledger_verify(&request, &s->arena, &result, &s->err), "%s", s->err.message);
    return result;
}

static void append(struct scene *s, struct ledger *ledger, const struct event *event)
{
    s->now_ms += 1000;
    cr_assert(ledger_append(ledger, event, NULL, &s->err), "%s", s->err.message);
}

// A rollout with plan, lease, commands and end: sixteen entries or so in three streams.
static void write_history(struct scene *s, const struct sign_key *key)
{
    struct ledger *ledger = scene_ledger(s, NULL, NULL, key);
    str env = STR("production"), rollout = STR("v2-production-1"), me = STR("holder");
    append(s, ledger,
           &(struct event){.stream = STREAM_GATE,
                           .type = STR("gate.decided"),
                           .body = STR("{\"commit\":\"c2\",\"decision\":\"pass\"}")});
    append(s, ledger,
           &(struct event){
               .type = STR("rollout.planned"), .rollout = rollout, .lease = {.environment = env}});
    append(
        s, ledger,
        &(struct event){
            .type = STR("lease.taken"),
            .rollout = rollout,
            .lease = {.environment = env, .holder = me, .expires_ms = s->now_ms + LEASE_TTL_MS}});
    static const struct {
        const char *type, *body;
    } rows[] = {
        {"command.intended", "{\"verb\":\"stage\",\"state\":{\"phase\":\"preparing\"}}"},
        {"command.done", "{\"state\":{\"phase\":\"preparing\"}}"},
        {"command.intended", "{\"verb\":\"shift\",\"state\":{\"phase\":\"shifting\"}}"},
        {"step.passed", "{\"state\":{\"phase\":\"bake\"}}"},
        {"lease.renewed", "{}"},
        {"command.intended", "{\"verb\":\"promote\",\"state\":{\"phase\":\"promoting\"}}"},
        {"command.done", "{\"state\":{\"phase\":\"verifying\"}}"},
        {"rollout.done", "{\"state\":{\"phase\":\"done\"}}"},
        {"lease.released", "{}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        append(s, ledger,
               &(struct event){.type = str_of(rows[i].type),
                               .rollout = rollout,
                               .body = str_of(rows[i].body),
                               .lease = {.environment = env,
                                         .holder = me,
                                         .expires_ms = str_is(str_of(rows[i].type), "lease.renewed")
                                                           ? s->now_ms + LEASE_TTL_MS
                                                           : 0}});
    ledger_close(ledger);
}

Test(verify, a_whole_ledger_is_whole)
{
    struct scene s;
    scene_open(&s);
    write_history(&s, NULL);
    struct verify_result result = verify(&s, NULL, "");
    cr_expect_null(result.bad, "%s: %s", result.bad, result.why);
    cr_expect_eq(result.entries, 12u);
    cr_expect_eq(result.signatures, 0u);
    result = verify(&s, NULL, result.tip);
    cr_expect_null(result.bad);
    scene_close(&s);
}

Test(verify, signatures)
{
    struct scene s;
    scene_open(&s);
    struct sign_key *ada = scene_key(&s, "ada"), *eve = scene_key(&s, "eve");
    struct sign_public ada_public = sign_key_public(ada);
    struct signer listed = {STR("ada"), ada_public};
    struct signers signers = {&listed, 1};
    write_history(&s, ada);
    struct verify_result result = verify(&s, NULL, "");
    cr_expect_null(result.bad, "%s: %s", result.bad, result.why);
    cr_expect_eq(result.signatures, 12u);
    cr_expect_null(verify(&s, &signers, "").bad);

    // An entry of another key, then one of none.
    struct ledger *ledger = scene_ledger(&s, NULL, NULL, eve);
    scene_append(&s, ledger, "note.made", "", "");
    ledger_close(ledger);
    result = verify(&s, &signers, "");
    cr_assert_not_null(result.bad);
    cr_expect(str_search(str_of(result.why), STR("not an allowed key")) != STR_NONE, "%s",
              result.why);
    cr_expect(str_search(str_of(result.bad), STR("-note.made.json")) != STR_NONE, "%s", result.bad);
    result = verify(&s, NULL, "");
    cr_expect(result.bad && str_search(str_of(result.why), STR("another key")) != STR_NONE);
    cr_assert_eq(0, scene_shell(&s, NULL,
                                "git -C work update-ref refs/heads/release-ledger "
                                "release-ledger~1"));
    ledger = scene_ledger(&s, NULL, NULL, NULL);
    scene_append(&s, ledger, "note.made", "", "");
    ledger_close(ledger);
    result = verify(&s, NULL, "");
    cr_expect(result.bad && str_search(str_of(result.why), STR("not signed")) != STR_NONE);
    sign_key_close(ada);
    sign_key_close(eve);
    scene_close(&s);
}

// Each row is what somebody with write access might do with stock git; `want` is a word of the
// answer.
Test(verify, tampering_is_found, .timeout = 120)
{
    static const struct {
        const char *what, *script, *want;
    } rows[] = {
        {"an event changed in place",
         "f=$(git ls-files events | sed -n 5p); sed -i s/production/staging/ $f; git add -A; "
         "git commit -q -m 'ledger: x'",
         "no entry"},
        {"an event changed under the cover of a new one",
         "f=$(git ls-files events | sed -n 5p); sed -i s/production/staging/ $f; git add -A; "
         "git commit -q -C HEAD~1",
         "changes events/"},
        {"an event removed", "git rm -q $(git ls-files events | sed -n 5p); git commit -q -C HEAD",
         "removes events/"},
        {"a lease removed", "git rm -q leases/production.json; git commit -q -C HEAD",
         "leases/production.json was removed"},
        {"a file that belongs nowhere", "echo x > README; git add README; git commit -q -C HEAD",
         "of which it says nothing"},
        {"a lease edited",
         "sed -i s/holder/thief/ leases/production.json; git add -A; "
         "git commit -q -C HEAD",
         "adds no event"},
        {"the newest entry amended",
         "f=$(git ls-files events/*/*/*/rollout | tail -1); sed -i s/lease.released/lease.renewed/ "
         "$f; git add -A; git commit -q --amend -C HEAD",
         "another event than it says"},
        {"an entry in the middle dropped",
         "t=$(git rev-parse HEAD~4^{tree}); n=$(git log -1 --format=%B HEAD~4 | git commit-tree $t "
         "-p HEAD~6); git reset -q --hard $n",
         "of which it says nothing"},
        {"a gap in the sequence",
         "f=$(git ls-files events/*/*/*/rollout | tail -1); cp $f ../f; m=$(git log -1 "
         "--format=%B); export GIT_COMMITTER_DATE=$(git log -1 --format=%cI); git reset -q --hard "
         "HEAD~2; cp ../f $f; git add -A; git commit -q -m \"$m\"",
         "sequence 11 of rollout follows 9"},
        {"a merge",
         "git commit -q --allow-empty -m y; git checkout -q -b side HEAD~1; git commit "
         "-q --allow-empty -m z; git merge -q ledger -m m; git branch -f ledger HEAD; "
         "git checkout -q ledger",
         "no entry"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scene s;
        scene_open(&s);
        write_history(&s, NULL);
        str out;
        int status = scene_shell(&s, &out,
                                 "git clone -q -b release-ledger work t && cd t && git checkout -q "
                                 "-b ledger && { %s; } && git push -q -f origin "
                                 "HEAD:release-ledger",
                                 rows[i].script);
        cr_assert_eq(status, 0, "%s: %s", rows[i].what, out.data);
        struct verify_result result = verify(&s, NULL, "");
        cr_expect_not_null(result.bad, "%s is not found", rows[i].what);
        if (result.bad)
            cr_expect(str_search(str_of(result.why), str_of(rows[i].want)) != STR_NONE, "%s: %s",
                      rows[i].what, result.why);
        scene_close(&s);
    }
}

Test(verify, cutting_off_is_found_by_the_expected_commit)
{
    struct scene s;
    scene_open(&s);
    write_history(&s, NULL);
    struct verify_result before = verify(&s, NULL, "");
    cr_assert_eq(0, scene_shell(&s, NULL,
                                "git -C work update-ref refs/heads/release-ledger "
                                "release-ledger~3"));
    cr_expect_null(verify(&s, NULL, "").bad);
    struct verify_result after = verify(&s, NULL, before.tip);
    cr_assert_not_null(after.bad);
    cr_expect_str_eq(after.bad_commit, before.tip);
    struct verify_request request = {.where = {.folder = s.work, .branch = "release-ledger"},
                                     .expect = STR("HEAD")};
    cr_expect_not(ledger_verify(&request, &s.arena, &after, &s.err));
    cr_expect_eq(s.err.kind, ERROR_INPUT);
    request.where.branch = "nothing";
    request.expect = (str){0};
    cr_expect_not(ledger_verify(&request, &s.arena, &after, &s.err));
    cr_expect_eq(s.err.kind, ERROR_ABSENT);
    scene_close(&s);
}

// Entries that are formed well and signed, but say what cannot be.
Test(verify, impossible_histories_are_found)
{
    static const struct {
        const char *what;
        struct event event;
        const char *want;
    } rows[] = {
        {"a command without a lease",
         {.type = STR_INIT("command.intended"),
          .rollout = STR_INIT("r"),
          .body = STR_INIT("{\"verb\":\"shift\"}")},
         "without a lease"},
        {"a step without a lease",
         {.type = STR_INIT("step.passed"), .rollout = STR_INIT("r")},
         "without a lease"},
        {"a phase that cannot follow",
         {.type = STR_INIT("approval.given"),
          .rollout = STR_INIT("v2-production-1"),
          .body = STR_INIT("{\"state\":{\"phase\":\"shifting\"}}")},
         "from done to shifting"},
        {"a phase that is none",
         {.type = STR_INIT("approval.given"),
          .rollout = STR_INIT("v2-production-1"),
          .body = STR_INIT("{\"state\":{\"phase\":\"flying\"}}")},
         "no phase that exists"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scene s;
        scene_open(&s);
        write_history(&s, NULL);
        struct ledger *ledger = scene_ledger(&s, NULL, NULL, NULL);
        append(&s, ledger, &rows[i].event);
        ledger_close(ledger);
        struct verify_result result = verify(&s, NULL, "");
        cr_assert_not_null(result.bad, "%s", rows[i].what);
        cr_expect(str_search(str_of(result.why), str_of(rows[i].want)) != STR_NONE, "%s: %s",
                  rows[i].what, result.why);
        cr_expect_eq(result.entries, 12u);
        scene_close(&s);
    }
}

Test(verify, evidence_is_compared)
{
    struct scene s;
    scene_open(&s);
    struct event_evidence evidence[] = {{.path = STR_INIT("here"), .size_bytes = 2},
                                        {.path = STR_INIT("gone"), .size_bytes = 2}};
    sha256_of(STR("x\n"), evidence[0].sha256);
    sha256_of(STR("x\n"), evidence[1].sha256);
    struct ledger *ledger = scene_ledger(&s, NULL, NULL, NULL);
    append(&s, ledger,
           &(struct event){.stream = STREAM_GATE,
                           .type = STR("gate.decided"),
                           .evidence = evidence,
                           .evidence_count = 2});
    ledger_close(ledger);
    cr_assert_eq(0, scene_shell(&s, NULL, "mkdir e && echo x > e/here"));
    struct verify_request request = {.where = {.folder = s.work, .branch = "release-ledger"},
                                     .evidence = arena_format(&s.arena, "%s/e", s.folder).data};
    struct verify_result result;
    cr_assert(ledger_verify(&request, &s.arena, &result, &s.err));
    cr_expect(!result.bad && result.evidence == 1 && result.evidence_absent == 1);
    cr_assert_eq(0, scene_shell(&s, NULL, "echo y > e/here"));
    cr_assert(ledger_verify(&request, &s.arena, &result, &s.err));
    cr_expect(result.bad && str_search(str_of(result.why), STR("another file")) != STR_NONE);
    scene_close(&s);
}

// ---- any one byte -------------------------------------------------------------------------------

// A changed byte in a pack may state any size; the allocator then says no, as malloc does.
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

struct flips {
    size_t bytes, same, missed;
    char first[256];
    str content; // what stock git reads of the whole ledger, untouched
};

static str content_of(struct scene *s)
{
    str out;
    (void)scene_shell(s, &out,
                      "git -C work rev-list --objects release-ledger | cut -c1-40 | git -C work "
                      "cat-file --batch 2>&1 | sha256sum");
    return out;
}

// Not every bit of a compressed file means something: where stock git reads the very same objects,
// no object was changed.
static void flip_file(struct scene *s, const char *path, size_t from, size_t behind,
                      struct flips *flips)
{
    static unsigned char buffer[1 << 16];
    cr_assert_eq(0, chmod(path, 0600));
    int fd = open(path, O_RDWR);
    cr_assert_geq(fd, 0, "%s", path);
    ssize_t size = pread(fd, buffer, sizeof buffer, 0);
    cr_assert(size > 0 && size < (ssize_t)sizeof buffer);
    for (ssize_t i = (ssize_t)from; i < size - (ssize_t)behind; i++) {
        unsigned char was = buffer[i], is = (unsigned char)(was ^ (1u << (i % 8)));
        cr_assert_eq(pwrite(fd, &is, 1, i), 1);
        struct arena arena = {0};
        struct verify_request request = {.where = {.folder = s->work, .branch = "release-ledger"}};
        struct verify_result result = {0};
        bool ok = ledger_verify(&request, &arena, &result, &s->err) && !result.bad;
        if (ok && str_eq(content_of(s), flips->content))
            flips->same++;
        else if (ok && !flips->missed++)
            snprintf(flips->first, sizeof flips->first, "%s byte %zd of %zd", path, i, size);
        flips->bytes++;
        arena_done(&arena);
        cr_assert_eq(pwrite(fd, &was, 1, i), 1);
    }
    close(fd);
}

static void write_notes(struct scene *s, size_t count)
{
    struct sign_key *ada = scene_key(s, "ada");
    struct ledger *ledger = scene_ledger(s, NULL, NULL, ada);
    for (size_t i = 0; i < count; i++)
        append(s, ledger, &(struct event){.type = STR("note.made")});
    ledger_close(ledger);
    sign_key_close(ada);
}

static void expect_all_found(const struct flips *flips)
{
    cr_expect_eq(flips->missed, 0u, "%zu of %zu bytes are missed, first %s", flips->missed,
                 flips->bytes, flips->first);
    cr_expect_lt(flips->same, flips->bytes / 20, "%zu of %zu do nothing", flips->same,
                 flips->bytes);
}

Test(verify, any_one_byte_of_any_object_is_found, .timeout = 300)
{
    struct scene s;
    str list;
    size_t objects = 0;
    scene_open(&s);
    write_notes(&s, 3);
    struct flips flips = {.content = content_of(&s)};
    cr_assert_eq(
        0, scene_shell(&s, &list, "git -C work rev-list --objects release-ledger | cut -c1-40"));
    while (list.len) {
        str id = str_cut(&list, '\n');
        str path =
            arena_format(&s.arena, "%s/.git/objects/%.2s/%.38s", s.work, id.data, id.data + 2);
        flip_file(&s, path.data, 0, 0, &flips);
        objects++;
    }
    cr_expect_geq(objects, 21u);
    expect_all_found(&flips);
    scene_close(&s);
}

Test(verify, any_one_byte_of_a_pack_is_found, .timeout = 300)
{
    struct scene s;
    str path;
    scene_open(&s);
    write_notes(&s, 6);
    struct flips flips = {.content = content_of(&s)};
    cr_assert_eq(
        0, scene_shell(&s, &path, "git -C work repack -adfq && ls work/.git/objects/pack/*.pack"));
    path = arena_format(&s.arena, "%s/" STR_FMT, s.folder, STR_ARG(str_trim(path)));
    flip_file(&s, path.data, 12, 20, &flips); // objects, without the pack's own frame
    expect_all_found(&flips);
    scene_close(&s);
}
