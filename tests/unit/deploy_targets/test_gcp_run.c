// What is asked of Cloud Run, word for word, and what is made of its answers.
#include "aws_script.h"

#include "../expect.h"
#include "deploy/targets/gcp_run.h"

#define CONFIG "project: p\nregion: r\nservice: s\nartifact: {image: \"h.example/app@${digest}\"}\n"
#define PLACE "/v2/projects/p/locations/r/services/s"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define NEXT "s-v2-222222222222"

#define SHARE(revision, percent)                                                                   \
    "{\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION\",\"revision\":\"" revision               \
    "\",\"percent\":" percent "}"
#define TAGGED(revision, percent)                                                                  \
    "{\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION\",\"revision\":\"" revision               \
    "\",\"percent\":" percent ",\"tag\":\"next\",\"uri\":\"https://next---s.example\"}"
#define LATEST "{\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST\",\"percent\":100}"
#define TEMPLATE                                                                                   \
    "\"template\":{\"revision\":\"old\",\"containers\":[{\"image\":\"h.example/app:1\","           \
    "\"buildInfo\":{}}]}"
#define SERVICE(generation, observed, state, latest, wanted, served)                               \
    "{\"etag\":\"\\\"e" generation "\\\"\",\"generation\":\"" generation                           \
    "\",\"observedGeneration\":\"" observed "\",\"uri\":\"https://s.example\","                    \
    "\"latestReadyRevision\":\"x/revisions/good\",\"latestCreatedRevision\":\"x/revisions/" latest \
    "\"," TEMPLATE ",\"terminalCondition\":{\"type\":\"Ready\",\"state\":\"CONDITION_" state       \
    "\",\"message\":\"the port is closed\"},\"conditions\":[{\"type\":\"RoutesReady\","            \
    "\"state\":\"CONDITION_SUCCEEDED\"}],\"traffic\":[" wanted "],\"trafficStatuses\":[" served    \
    "]}"
#define WELL(generation, wanted)                                                                   \
    SERVICE(generation, generation, "SUCCEEDED", "good", wanted, wanted)
#define CHANGED(generation)                                                                        \
    "{\"name\":\"projects/p/locations/r/operations/o\",\"metadata\":{\"generation\":\"" generation \
    "\"}}"
#define OVER "{\"name\":\"projects/p/locations/r/operations/o\",\"done\":true}"
#define REVISION(state, image)                                                                     \
    "{\"name\":\"x\",\"annotations\":{\"sluice/release\":\"v1\",\"mine\":\"kept\","                \
    "\"run.googleapis.com/x\":\"theirs\"},\"scaling\":{\"maxInstanceCount\":7},\"uid\":\"u\","     \
    "\"containers\":[{\"image\":\"" image "\",\"env\":[{\"name\":\"A\",\"value\":\"1\"}]}],"       \
    "\"conditions\":[{\"type\":\"Ready\",\"state\":\"CONDITION_" state                             \
    "\",\"message\":\"it exited\"}]}"
#define ABSENT "{\"error\":{\"code\":404,\"status\":\"NOT_FOUND\",\"message\":\"not found\"}}"
#define CONFLICT                                                                                   \
    "{\"error\":{\"code\":409,\"status\":\"ABORTED\",\"message\":\"Conflict for resource\"}}"
#define OPERATION "GET /v2/projects/p/locations/r/operations/o"

static const struct target_release next = {
    .release = STR_INIT("v2"),
    .commit = STR_INIT("c2"),
    .digest = STR_INIT(D2),
    .revision = STR_INIT(NEXT),
};
static const struct target_release good = {.release = STR_INIT("v1"), .revision = STR_INIT("good")};
#define STAGE ((struct target_intent){.verb = INTENT_STAGE, .next = next, .good = good})
#define REVERT ((struct target_intent){.verb = INTENT_REVERT, .next = next, .good = good})

static struct script script;
static struct target_outcome outcome;
static struct error err;

static void open_script(void)
{
    script_open(&script, "gcp-run", CONFIG);
    err = (struct error){0};
}

static void close_script(void)
{
    script_close(&script);
}

TestSuite(gcp_run, .init = open_script, .fini = close_script);

static void must(struct target_intent intent, const struct line *lines)
{
    cr_assert_eq(script_run(&script, &intent, lines, &outcome, &err), PROGRESS_DONE, "%s",
                 err.message);
}

static void fails(struct target_intent intent, const struct line *lines, enum error_kind kind,
                  const char *words)
{
    cr_assert_eq(script_run(&script, &intent, lines, &outcome, &err), PROGRESS_FAILED);
    cr_expect_eq(err.kind, kind, "%s", err.message);
    expect_contains(str_of(err.message), words);
}

static struct target_intent to_share(uint32_t share_ppm)
{
    return (struct target_intent){
        .verb = INTENT_SHIFT, .next = next, .good = good, .share_ppm = share_ppm};
}

// ---- staging -----------------------------------------------------------------------------------

#define STAGED SHARE("good", "100") "," TAGGED(NEXT, "0")

Test(gcp_run, staging_pins_the_latest_and_copies_known_good)
{
    must(STAGE,
         (const struct line[]){
             {"GET " PLACE, NULL, 0, WELL("1", LATEST), NULL},
             {"GET " PLACE "/revisions/" NEXT, NULL, 404, ABSENT, NULL},
             {"GET " PLACE "/revisions/good", NULL, 0, REVISION("SUCCEEDED", "h.example/app:1"),
              NULL},
             {"PATCH " PLACE "?updateMask=template,traffic",
              "{\"etag\":\"\\\"e1\\\"\",\"traffic\":["
              "{\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION\",\"revision\":\"good\","
              "\"percent\":100},{\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION\","
              "\"revision\":\"" NEXT "\",\"tag\":\"next\"}],\"template\":{\"revision\":\"" NEXT
              "\",\"scaling\":{\"maxInstanceCount\":7},\"containers\":[{\"env\":[{\"name\":\"A\","
              "\"value\":\"1\"}],\"image\":\"h.example/app@" D2
              "\"}],\"labels\":{},\"annotations\":{\"mine\":\"kept\",\"sluice/release\":\"v2\","
              "\"sluice/commit\":\"c2\",\"sluice/digest\":\"" D2 "\"}}}",
              0, CHANGED("2"), NULL},
             {OPERATION, NULL, 0, CHANGED("2"), NULL},
             {OPERATION, NULL, 0, OVER, NULL},
             {"GET " PLACE, NULL, 0, WELL("2", STAGED), NULL},
             {"GET " PLACE "/revisions/" NEXT, NULL, 0, REVISION("SUCCEEDED", "h.example/app@" D2),
              NULL},
             {0}});
    expect_str(outcome.revision, NEXT);
    cr_expect(outcome.seen.settled);
    cr_expect_eq(outcome.seen.next_ppm, 0);
    cr_expect_eq(outcome.seen.good_ppm, 1000000);
    cr_assert_eq(outcome.seen.endpoint_count, 2);
    expect_str(outcome.seen.endpoints[0].host, "s.example");
    expect_str(outcome.seen.endpoints[0].revision, "good");
    expect_str(outcome.seen.endpoints[1].host, "next---s.example");
    expect_str(outcome.seen.endpoints[1].revision, NEXT);
    expect_str(outcome.seen.endpoints[1].variables[0].value, "443");
}

Test(gcp_run, staging_again_changes_nothing)
{
    must(STAGE, (const struct line[]){{"GET " PLACE, NULL, 0, WELL("2", STAGED), NULL},
                                      {"GET " PLACE "/revisions/" NEXT, NULL, 0,
                                       REVISION("SUCCEEDED", "h.example/app@" D2), NULL},
                                      {0}});
}

Test(gcp_run, a_revision_that_does_not_start_fails_with_the_providers_words)
{
    fails(STAGE,
          (const struct line[]){
              {"GET " PLACE, NULL, 0, WELL("1", SHARE("good", "100")), NULL},
              {"GET " PLACE "/revisions/" NEXT, NULL, 404, ABSENT, NULL},
              {"GET " PLACE "/revisions/good", NULL, 0, REVISION("SUCCEEDED", "i"), NULL},
              {"PATCH " PLACE, NULL, 0, CHANGED("2"), NULL},
              {OPERATION, NULL, 0,
               "{\"name\":\"o\",\"done\":true,\"error\":{\"code\":9,\"message\":\"no\"}}", NULL},
              {"GET " PLACE, NULL, 0,
               SERVICE("2", "1", "FAILED", NEXT, STAGED, SHARE("good", "100")), NULL},
              {"GET " PLACE "/revisions/" NEXT, NULL, 0, REVISION("FAILED", "h.example/app@" D2),
               NULL},
              {0}},
          ERROR_REMOTE, "does not start: it exited");
}

Test(gcp_run, what_an_earlier_try_left_broken_gets_another_name)
{
    must(STAGE, (const struct line[]){
                    {"GET " PLACE, NULL, 0, WELL("1", SHARE("good", "100")), NULL},
                    {"GET " PLACE "/revisions/" NEXT, NULL, 0,
                     REVISION("FAILED", "h.example/app@" D2), NULL},
                    {"GET " PLACE "/revisions/" NEXT "b", NULL, 404, ABSENT, NULL},
                    {"GET " PLACE "/revisions/good", NULL, 0, REVISION("SUCCEEDED", "i"), NULL},
                    {"PATCH " PLACE, "\"revision\":\"" NEXT "b\"", 0, OVER, NULL},
                    {"GET " PLACE, NULL, 0,
                     WELL("2", SHARE("good", "100") "," TAGGED(NEXT "b", "0")), NULL},
                    {"GET " PLACE "/revisions/" NEXT "b", NULL, 0,
                     REVISION("SUCCEEDED", "h.example/app@" D2), NULL},
                    {0}});
    expect_str(outcome.revision, NEXT "b");
}

Test(gcp_run, without_known_good_nothing_is_staged)
{
    struct target_intent first = {.verb = INTENT_STAGE, .next = next};
    fails(first, (const struct line[]){{"GET " PLACE, NULL, 0, WELL("1", LATEST), NULL}, {0}},
          ERROR_DENIED, "`sluice adopt`");
    must((struct target_intent){.verb = INTENT_REVERT, .next = next},
         (const struct line[]){{"GET " PLACE, NULL, 0, WELL("1", LATEST), NULL}, {0}});
    must((struct target_intent){.verb = INTENT_REVERT, .next = next},
         (const struct line[]){
             {"GET " PLACE, NULL, 0, WELL("2", STAGED), NULL},
             {"PATCH " PLACE "?updateMask=traffic", "\"percent\":100}]}", 0, OVER, NULL},
             {"GET " PLACE, NULL, 0, WELL("3", SHARE("good", "100")), NULL},
             {0}});
}

// ---- shifting ----------------------------------------------------------------------------------

#define PREVIEW                                                                                    \
    "{\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION\",\"revision\":\"pr\",\"tag\":\"pr-7\"}"
#define HALF SHARE("good", "50") "," TAGGED(NEXT, "50")

Test(gcp_run, shares_are_whole_percents_and_the_tags_of_others_stay)
{
    must(to_share(305000),
         (const struct line[]){
             {"GET " PLACE, NULL, 0, WELL("2", STAGED "," PREVIEW), NULL},
             {"PATCH " PLACE "?updateMask=traffic",
              "\"revision\":\"good\",\"percent\":69},{\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_"
              "REVISION\",\"revision\":\"" NEXT "\",\"percent\":31,\"tag\":\"next\"}," PREVIEW "]}",
              0, OVER, NULL},
             {"GET " PLACE, NULL, 0,
              WELL("3", SHARE("good", "69") "," TAGGED(NEXT, "31") "," PREVIEW), NULL},
             {0}});
    cr_expect_eq(outcome.seen.next_ppm, 310000);
}

Test(gcp_run, a_stale_etag_and_a_lost_answer_are_looked_at_before_anything_is_sent_again)
{
    must(to_share(500000),
         (const struct line[]){
             {"GET " PLACE, NULL, 0, WELL("2", STAGED), NULL},
             {"PATCH " PLACE, "\"etag\":\"\\\"e2\\\"\"", 409, CONFLICT, NULL},
             {"GET " PLACE, NULL, 0, WELL("3", STAGED), NULL},
             {"PATCH " PLACE, "\"etag\":\"\\\"e3\\\"\"", -1, NULL, NULL},
             {"PATCH " PLACE, "\"etag\":\"\\\"e3\\\"\"", 409, CONFLICT, NULL},
             {"GET " PLACE, NULL, 0, SERVICE("4", "3", "RECONCILING", "good", HALF, STAGED), NULL},
             {"GET " PLACE, NULL, 0, WELL("4", HALF), NULL},
             {0}});
    cr_expect_eq(outcome.seen.next_ppm, 500000);
    cr_expect_eq(outcome.seen.good_ppm, 500000);
    cr_expect(outcome.seen.settled);
}

Test(gcp_run, going_back_by_itself_and_somebody_elses_change_are_failures)
{
    fails(
        to_share(500000),
        (const struct line[]){
            {"GET " PLACE, NULL, 0, SERVICE("3", "2", "FAILED", "good", HALF, STAGED), NULL}, {0}},
        ERROR_REMOTE, "went back to what it served before: the port is closed");
    fails(to_share(500000),
          (const struct line[]){{"GET " PLACE, NULL, 0, WELL("2", STAGED), NULL},
                                {"PATCH " PLACE, NULL, 0, CHANGED("3"), NULL},
                                {OPERATION, NULL, 404, ABSENT, NULL},
                                {"GET " PLACE, NULL, 0, WELL("4", STAGED), NULL},
                                {0}},
          ERROR_REMOTE, "changed by somebody else");
    fails(to_share(500000),
          (const struct line[]){
              {"GET " PLACE, NULL, 0, WELL("2", STAGED), NULL},
              {"PATCH " PLACE, NULL, 403, "{\"error\":{\"status\":\"PERMISSION_DENIED\"}}", NULL},
              {0}},
          ERROR_DENIED, "changing service s");
}

Test(gcp_run, a_revision_of_somebody_else_that_gets_nothing_does_no_harm)
{
    must(to_share(500000),
         (const struct line[]){
             {"GET " PLACE, NULL, 0, SERVICE("4", "3", "FAILED", "other", HALF, HALF), NULL}, {0}});
    cr_expect(outcome.seen.settled);
}

Test(gcp_run, promoting_leaves_one_entry)
{
    struct target_intent promote = {.verb = INTENT_PROMOTE, .next = next, .good = good};
    must(promote,
         (const struct line[]){{"GET " PLACE, NULL, 0, WELL("3", TAGGED(NEXT, "100")), NULL},
                               {"PATCH " PLACE "?updateMask=traffic",
                                "\"revision\":\"" NEXT "\",\"percent\":100}]}", 0, OVER, NULL},
                               {"GET " PLACE, NULL, 0, WELL("4", SHARE(NEXT, "100")), NULL},
                               {0}});
    expect_str(outcome.seen.revision, NEXT);
}

// ---- reverting ---------------------------------------------------------------------------------

Test(gcp_run, reverting_resets_what_is_wanted_also_where_known_good_serves)
{
    must(REVERT,
         (const struct line[]){
             {"GET " PLACE, NULL, 0, SERVICE("3", "2", "FAILED", NEXT, HALF, SHARE("good", "100")),
              NULL},
             {"PATCH " PLACE "?updateMask=traffic", "\"revision\":\"good\",\"percent\":100}]}", 0,
              CHANGED("4"), NULL},
             {OPERATION, NULL, 0, OVER, NULL},
             {"GET " PLACE, NULL, 0,
              SERVICE("4", "4", "SUCCEEDED", NEXT, SHARE("good", "100"), SHARE("good", "100")),
              NULL},
             {0}});
    cr_expect_eq(outcome.seen.good_ppm, 1000000);
}

Test(gcp_run, a_template_that_fails_the_service_is_put_back_after_the_traffic)
{
    must(REVERT,
         (const struct line[]){
             {"GET " PLACE, NULL, 0,
              SERVICE("4", "3", "FAILED", NEXT, SHARE("good", "100"), SHARE("good", "100")), NULL},
             {"GET " PLACE "/revisions/good", NULL, 0, REVISION("SUCCEEDED", "h.example/app:1"),
              NULL},
             {"PATCH " PLACE "?updateMask=template,traffic",
              "\"template\":{\"scaling\":{\"maxInstanceCount\":7},\"containers\":[{\"image\":"
              "\"h.example/app:1\"",
              0, OVER, NULL},
             {"GET " PLACE, NULL, 0, WELL("5", SHARE("good", "100")), NULL},
             {0}});
    cr_expect_null(outcome.note);
    // Where that is not allowed, known good serves all the same.
    must(REVERT,
         (const struct line[]){
             {"GET " PLACE, NULL, 0,
              SERVICE("4", "3", "FAILED", NEXT, SHARE("good", "100"), SHARE("good", "100")), NULL},
             {"GET " PLACE "/revisions/good", NULL, 0, REVISION("SUCCEEDED", "h.example/app:1"),
              NULL},
             {"PATCH " PLACE, NULL, 400, "{\"error\":{\"status\":\"INVALID_ARGUMENT\"}}", NULL},
             {"GET " PLACE, NULL, 0,
              SERVICE("4", "3", "FAILED", NEXT, SHARE("good", "100"), SHARE("good", "100")), NULL},
             {0}});
    expect_contains(str_of(outcome.note), "the port is closed");
    cr_expect(outcome.seen.settled);
}

Test(gcp_run, reverting_waits_for_nobody_and_needs_no_release)
{
    struct target_intent bare = {.verb = INTENT_REVERT, .good = good};
    must(bare, (const struct line[]){{"GET " PLACE, NULL, 0,
                                      "{\"reconciling\":true,\"etag\":\"e\",\"generation\":\"7\","
                                      "\"traffic\":[" HALF "],\"trafficStatuses\":[" STAGED "]}",
                                      NULL},
                                     {"PATCH " PLACE, "\"percent\":100}]}", 0, OVER, NULL},
                                     {"GET " PLACE, NULL, 0, WELL("8", SHARE("good", "100")), NULL},
                                     {0}});
}

// ---- observing ---------------------------------------------------------------------------------

Test(gcp_run, what_is_adopted_says_which_release_it_is)
{
    must((struct target_intent){.verb = INTENT_OBSERVE},
         (const struct line[]){
             {"GET " PLACE, NULL, 0, WELL("1", LATEST), NULL},
             {"GET " PLACE "/revisions/good", NULL, 0, REVISION("SUCCEEDED", "i"), NULL},
             {0}});
    expect_str(outcome.seen.revision, "good");
    expect_str(outcome.seen.release, "v1");
    cr_expect(outcome.seen.settled);
    expect_contains(str_of(outcome.seen.evidence), "\"observedGeneration\":\"1\"");
}

Test(gcp_run, what_was_given_up_is_told_at_once_and_what_is_under_way_is_not_settled)
{
    struct target_intent look = {.verb = INTENT_OBSERVE, .next = next, .good = good};
    must(look, (const struct line[]){
                   {"GET " PLACE, NULL, 0, SERVICE("3", "2", "FAILED", "good", HALF, STAGED), NULL},
                   {0}});
    cr_expect(outcome.seen.settled);
    cr_expect_eq(outcome.seen.next_ppm, 0);
    must(look, (const struct line[]){{"GET " PLACE, NULL, 0,
                                      SERVICE("3", "2", "RECONCILING", "good", HALF, HALF), NULL},
                                     {0}});
    cr_expect_not(outcome.seen.settled);
    cr_expect_eq(outcome.seen.next_ppm, 500000);
}

Test(gcp_run, a_survey_tells_what_is_missing_and_fails_nothing)
{
    struct target_intent survey = {.verb = INTENT_OBSERVE, .survey = true};
    must(survey, (const struct line[]){{"GET " PLACE, NULL, 404, ABSENT, NULL}, {0}});
    cr_assert_eq(outcome.seen.trouble_count, 1);
    expect_contains(outcome.seen.troubles[0].words, "there is no service s in r of project p");
    must(survey, (const struct line[]){
                     {"GET " PLACE, NULL, 0, WELL("1", LATEST), NULL},
                     {"GET " PLACE "/revisions/good", NULL, 0, REVISION("SUCCEEDED", "i"), NULL},
                     {"PATCH " PLACE "?updateMask=template,traffic&validateOnly=true",
                      "\"template\":{\"containers\":[{\"image\":\"h.example/app:1\"}]", 403,
                      "{\"error\":{\"status\":\"PERMISSION_DENIED\",\"message\":\"no\"}}", NULL},
                     {0}});
    cr_assert_eq(outcome.seen.trouble_count, 1);
    expect_contains(outcome.seen.troubles[0].words, "run.services.update");
}

// ---- names and artifacts -----------------------------------------------------------------------

Test(gcp_run, names_fit_and_differ)
{
    static const struct {
        const char *service, *release, *name;
        unsigned nth;
    } names[] = {
        {"search", "v2", "search-v2-222222222222", 0},
        {"search", "v2", "search-v2-222222222222c", 2},
        {"search", "V2.1", "search-v2-1-c7b464-222222222222", 0},
        {"search", "2027-01-10", "search-2027-01-10-222222222222", 0},
        {"a-service-whose-name-is-as-long-as-one-may-be-4949", "v2",
         "a-service-whose-name-is-as-long-as-one-may-be-4949-222222222222", 0},
    };
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct target_release release = {.release = str_of(names[i].release), .digest = STR(D2)};
        str name = run_revision_name(&arena, str_of(names[i].service), &release, names[i].nth);
        if (strcmp(names[i].release, "V2.1") != 0)
            expect_str(name, names[i].name);
        cr_expect_leq(name.len, 63);
        cr_expect(run_is_revision_of(name, str_of(names[i].service), &release));
    }
    struct target_release a = {.release = STR("V2.1"), .digest = STR(D2)},
                          b = {.release = STR("v2-1"), .digest = STR(D2)};
    cr_expect_not(str_eq(run_revision_name(&arena, STR("s"), &a, 0),
                         run_revision_name(&arena, STR("s"), &b, 0)));
    arena_done(&arena);
}

Test(gcp_run, an_artifact_is_a_digest_of_the_configured_repository)
{
    static const struct line none[] = {{0}};
    static const struct line there[] = {
        {"HEAD /v2/app/manifests/" D2, NULL, 200, "", "Docker-Content-Digest: " D2 "\n"}, {0}};
    static const struct line tagged[] = {
        {"HEAD /v2/app/manifests/v2", NULL, 200, "", "Docker-Content-Digest: " D2 "\n"}, {0}};
    static const struct line gone[] = {{"HEAD /v2/app/manifests/" D2, NULL, 404, "", NULL}, {0}};
    struct target_release made;
    cr_assert(script_pack(&script, D2, there, &made, &err), "%s", err.message);
    expect_str(made.digest, D2);
    expect_str(made.revision, NEXT);
    cr_assert(script_pack(&script, "h.example/app@" D2, there, &made, &err), "%s", err.message);
    expect_str(made.digest, D2);
    cr_assert(script_pack(&script, "v2", tagged, &made, &err), "%s", err.message);
    expect_str(made.digest, D2);
    cr_expect_not(script_pack(&script, D2, gone, &made, &err));
    cr_expect_eq(err.kind, ERROR_ABSENT);
    cr_expect_not(script_pack(&script, "", none, &made, &err));
    expect_contains(str_of(err.message), "--artifact web=sha256:…");
    cr_expect_not(script_pack(&script, "h.example/other@" D2, none, &made, &err));
    expect_contains(str_of(err.message), "another repository");
    cr_expect_not(script_pack(&script, "sha256:12", none, &made, &err));
    expect_contains(str_of(err.message), "no name of an image");
}

#define REST "region: r\nservice: s\n"
#define IMAGE "artifact: \"h/a:${release}\"\n"

static const struct {
    const char *yaml, *problem;
} configs[] = {
    {REST IMAGE, ""},
    {REST "artifact: {image: \"${env.R}/a@${digest}\", container: app}\nproject: \"${env.P}\"\n"
          "tag: canary\nbase: service\n",
     ""},
    {REST, "1:1: `artifact` is missing from `gcp-run`: add it"},
    {"region: r\n" IMAGE, "1:1: `service` is missing from `gcp-run`: add it"},
    {"service: s\n" IMAGE, "1:1: `region` is missing from `gcp-run`: add it"},
    {REST "artifact: h/a\n", "3:11: `image` is the same for every release"},
    {REST "artifact: \"h/a:${tag}\"\n", "3:11: `image`: `${tag}` is not known here"},
    {REST "artifact: \"h/a@${digest}:1\"\n", "3:11: `${digest}` stands at the end"},
    {"region: Europe\nservice: s\n" IMAGE, "1:9: `Europe` is no region"},
    {"region: r\nservice: Search\n" IMAGE, "2:10: `Search` is no name of a Cloud Run service"},
    {"region: r\nservice: \"s-${host}\"\n" IMAGE, "2:10: `service`: `${host}` is not known here"},
    {REST IMAGE "project: My Project\n", "4:10: `My Project` is no project id"},
    {REST IMAGE "tag: 7up\n", "4:6: `7up` is no traffic tag"},
    {REST IMAGE "base: live\n", "4:7: `base` must be `known-good` or `service`, not `live`"},
};

Test(gcp_run, a_section_is_checked_when_it_is_read)
{
    struct script bare = {0};
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        const char *problem = script_check(&bare, "gcp-run", configs[i].yaml);
        cr_expect(strncmp(problem, configs[i].problem, strlen(configs[i].problem)) == 0 &&
                      (*configs[i].problem || !*problem),
                  "%zu: %s", i, problem);
    }
    arena_done(&bare.arena);
}
