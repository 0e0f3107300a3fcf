// An aws-lambda target against scripted answers: which requests each verb makes, from each state.
#include "aws_script.h"

#define PLACE "/2015-03-31/functions/thumbs"
#define ALIAS PLACE "/aliases/live"
#define CONFIGURATION PLACE "/configuration"

static struct script script;
static struct target_outcome outcome;
static struct error err;

static const char yaml[] =
    "function: thumbs\nalias: live\nregion: eu-west-1\n"
    "artifact: {archive: \"s3://learn/${env.STAGE}/thumbs-${release}.zip\"}\n";

static void open(void)
{
    outcome = (struct target_outcome){0};
    err = (struct error){0};
    script_open(&script, "aws-lambda", yaml);
}

static void close(void)
{
    script_close(&script);
}

TestSuite(aws_lambda, .init = open, .fini = close, .timeout = 60);

static const struct target_release good = {
    .release = STR_INIT("v1"), .digest = STR_INIT("sha256:1"), .revision = STR_INIT("41")};

static struct target_intent intent_of(enum intent_verb verb, const char *next, uint32_t share_ppm)
{
    return (struct target_intent){
        .verb = verb,
        // base64 "AAAA…" is a hash of zeros
        .next = {.release = STR("v2"),
                 .digest = STR("sha256:00000000000000000000000000000000000000000000000000000000000"
                               "00000"),
                 .revision = str_of(next)},
        .good = good,
        .share_ppm = share_ppm};
}

#define ZEROS "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define OTHER "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="
#define AT_41 "{\"FunctionVersion\":\"41\",\"RevisionId\":\"r1\"}"
#define AT_42 "{\"FunctionVersion\":\"42\",\"RevisionId\":\"r3\",\"RoutingConfig\":null}"
#define SHARED(WEIGHT)                                                                             \
    "{\"FunctionVersion\":\"41\",\"RevisionId\":\"r2\",\"RoutingConfig\":"                         \
    "{\"AdditionalVersionWeights\":{\"42\":" WEIGHT "}}}"
#define FAULT(CODE) "x-amzn-ErrorType: " CODE "\n"

Test(aws_lambda, a_share_is_a_weight_with_the_revision_id_that_was_read_and_is_seen)
{
    static const struct {
        uint32_t ppm;
        const char *body, *answer;
    } rows[] = {
        {5000, "{\"42\":0.005000}", SHARED("0.005")},
        {333333, "{\"42\":0.333333}", SHARED("0.333333")},
        {999999, "{\"42\":0.999999}", SHARED("0.999999")},
        {1000000, "\"FunctionVersion\":\"42\",\"RoutingConfig\":{\"AdditionalVersionWeights\":{}}",
         AT_42},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct line lines[] = {
            {"GET " ALIAS, NULL, 0, AT_41, NULL},
            {"PUT " ALIAS, rows[i].body, 0, rows[i].answer, NULL},
            {"GET " ALIAS, NULL, 0, rows[i].answer, NULL},
            {0},
        };
        struct target_intent intent = intent_of(INTENT_SHIFT, "42", rows[i].ppm);
        cr_assert_eq(script_run(&script, &intent, lines, &outcome, &err), PROGRESS_DONE, "%s",
                     err.message);
        cr_expect_eq(outcome.seen.next_ppm, rows[i].ppm);
        cr_expect_eq(outcome.seen.good_ppm, 1000000 - rows[i].ppm);
        cr_expect(outcome.seen.settled);
        cr_expect_eq(script.kind->round_share(script.target, rows[i].ppm), rows[i].ppm);
    }
}

Test(aws_lambda, what_is_so_already_is_not_sent)
{
    static const struct {
        enum intent_verb verb;
        uint32_t ppm;
        const char *answer;
    } rows[] = {
        {INTENT_SHIFT, 50000, SHARED("0.05")},
        {INTENT_SHIFT, 500000,
         "{\"FunctionVersion\":\"42\",\"RoutingConfig\":{\"AdditionalVersionWeights\":{\"41\":0.5}}"
         "}"},
        {INTENT_PROMOTE, 0, AT_42},
        {INTENT_REVERT, 0, AT_41},
        {INTENT_REVERT, 0,
         "{\"FunctionVersion\":\"41\",\"RoutingConfig\":{\"AdditionalVersionWeights\":{\"42\":0}}"
         "}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct line lines[] = {{"GET " ALIAS, NULL, 0, rows[i].answer, NULL}, {0}};
        struct target_intent intent = intent_of(rows[i].verb, "42", rows[i].ppm);
        cr_expect_eq(script_run(&script, &intent, lines, &outcome, &err), PROGRESS_DONE, "%zu: %s",
                     i, err.message);
    }
}

Test(aws_lambda, a_stale_revision_id_is_read_again_and_sent_only_if_it_still_differs)
{
    const struct line still[] = {
        {"GET " ALIAS, NULL, 0, AT_41, NULL},
        {"PUT " ALIAS, "\"RevisionId\":\"r1\"", 412, "{}", FAULT("PreconditionFailedException")},
        {"GET " ALIAS, NULL, 0, SHARED("0.2"), NULL},
        {"PUT " ALIAS, "\"RevisionId\":\"r2\"", 0, SHARED("0.05"), NULL},
        {"GET " ALIAS, NULL, 0, SHARED("0.05"), NULL},
        {0},
    };
    const struct line no_more[] = {
        {"GET " ALIAS, NULL, 0, AT_41, NULL},
        {"PUT " ALIAS, NULL, 412, "{}", FAULT("PreconditionFailedException")},
        {"GET " ALIAS, NULL, 0, SHARED("0.05"), NULL},
        {0},
    };
    struct target_intent intent = intent_of(INTENT_SHIFT, "42", 50000);
    cr_assert_eq(script_run(&script, &intent, still, &outcome, &err), PROGRESS_DONE, "%s",
                 err.message);
    cr_assert_eq(script_run(&script, &intent, no_more, &outcome, &err), PROGRESS_DONE, "%s",
                 err.message);
}

Test(aws_lambda, a_change_whose_answer_was_lost_is_seen_and_not_made_twice)
{
    const struct line lines[] = {
        {"GET " ALIAS, NULL, 0, AT_41, NULL},
        {"PUT " ALIAS, "\"RevisionId\":\"r1\"", -1, NULL, NULL},
        {"PUT " ALIAS, "\"RevisionId\":\"r1\"", 412, "{}", FAULT("PreconditionFailedException")},
        {"GET " ALIAS, NULL, 0, SHARED("0.05"), NULL},
        {0},
    };
    struct target_intent intent = intent_of(INTENT_SHIFT, "42", 50000);
    cr_assert_eq(script_run(&script, &intent, lines, &outcome, &err), PROGRESS_DONE, "%s",
                 err.message);
    cr_expect_eq(outcome.seen.next_ppm, 50000);
}

Test(aws_lambda, an_alias_that_never_stays_is_given_up)
{
    struct line lines[12];
    for (size_t i = 0; i < 10; i += 2) {
        lines[i] = (struct line){"GET " ALIAS, NULL, 0, AT_41, NULL};
        lines[i + 1] = (struct line){"PUT " ALIAS, NULL, 0, AT_42, NULL};
    }
    lines[10] = (struct line){"GET " ALIAS, NULL, 0, AT_41, NULL};
    lines[11] = (struct line){0};
    struct target_intent intent = intent_of(INTENT_PROMOTE, "42", 0);
    cr_assert_eq(script_run(&script, &intent, lines, &outcome, &err), PROGRESS_FAILED);
    cr_expect_eq(err.kind, ERROR_TRANSIENT);
    cr_expect_neq(str_search(str_of(err.message), STR("something else changes it")), STR_NONE);
}

Test(aws_lambda, a_third_version_is_told)
{
    const struct line lines[] = {
        {"GET " ALIAS, NULL, 0,
         "{\"FunctionVersion\":\"40\",\"RoutingConfig\":{\"AdditionalVersionWeights\":{\"42\":0.25}"
         "}"
         "}",
         NULL},
        {0},
    };
    struct target_intent intent = intent_of(INTENT_OBSERVE, "42", 0);
    cr_assert_eq(script_run(&script, &intent, lines, &outcome, &err), PROGRESS_DONE, "%s",
                 err.message);
    cr_expect_eq(outcome.seen.next_ppm, 250000);
    cr_expect_eq(outcome.seen.good_ppm, 0);
    cr_expect_eq(outcome.seen.revision.len, 0);
    cr_expect_neq(str_search(str_of(outcome.note), STR("version 40")), STR_NONE);
    cr_expect_neq(str_search(str_of(outcome.seen.evidence), STR("\"42\":0.25")), STR_NONE);
}

// ---- staging -----------------------------------------------------------------------------------

#define LATEST(SHA, STATUS)                                                                        \
    "{\"Version\":\"$LATEST\",\"CodeSha256\":\"" SHA "\",\"State\":\"Active\",\"RevisionId\":"     \
    "\"f1\",\"LastUpdateStatus\":\"" STATUS "\",\"LastUpdateStatusReason\":\"no such layer\"}"
#define VERSION(STATE)                                                                             \
    "{\"Version\":\"42\",\"CodeSha256\":\"" ZEROS "\",\"State\":\"" STATE "\",\"StateReason\":"    \
    "\"it does not start\",\"LastUpdateStatus\":\"Successful\"}"
#define ARCHIVE "s3://learn/prod/thumbs-v2.zip?versionId=a/b"

Test(aws_lambda, code_is_sent_waited_for_published_and_becomes_active)
{
    const struct line lines[] = {
        {"GET " ALIAS, NULL, 0, AT_41, NULL},
        {"GET " CONFIGURATION, NULL, 0, LATEST(OTHER, "Successful"), NULL},
        {"PUT " PLACE "/code",
         "{\"S3Bucket\":\"learn\",\"S3Key\":\"prod/thumbs-v2.zip\",\"S3ObjectVersion\":\"a/b\","
         "\"RevisionId\":\"f1\"}",
         0, LATEST(ZEROS, "InProgress"), NULL},
        {"GET " CONFIGURATION, NULL, 0, LATEST(ZEROS, "InProgress"), NULL},
        {"GET " CONFIGURATION, NULL, 0, LATEST(ZEROS, "Successful"), NULL},
        {"POST " PLACE "/versions",
         "{\"CodeSha256\":\"" ZEROS "\",\"Description\":\"v2 (sluice)\"}", 201, VERSION("Pending"),
         NULL},
        {"GET " CONFIGURATION "?Qualifier=42", NULL, 0, VERSION("Pending"), NULL},
        {"GET " CONFIGURATION "?Qualifier=42", NULL, 0, VERSION("Active"), NULL},
        {0},
    };
    struct target_intent intent = intent_of(INTENT_STAGE, ARCHIVE, 0);
    cr_assert_eq(script_run(&script, &intent, lines, &outcome, &err), PROGRESS_DONE, "%s",
                 err.message);
    cr_expect(str_is(outcome.revision, "42"));
    cr_expect_eq(outcome.seen.good_ppm, 1000000);
}

Test(aws_lambda, staging_begins_where_another_process_has_left_it)
{
    const struct line sent[] = {
        {"GET " ALIAS, NULL, 0, AT_41, NULL},
        {"GET " CONFIGURATION, NULL, 0, LATEST(ZEROS, "InProgress"), NULL},
        {"GET " CONFIGURATION, NULL, 0, LATEST(ZEROS, "Successful"), NULL},
        {"POST " PLACE "/versions", NULL, 201, VERSION("Active"), NULL},
        {"GET " CONFIGURATION "?Qualifier=42", NULL, 0, VERSION("Active"), NULL},
        {0},
    };
    const struct line published[] = {
        {"GET " ALIAS, NULL, 0, AT_41, NULL},
        {"GET " CONFIGURATION "?Qualifier=42", NULL, 0, VERSION("Active"), NULL},
        {0},
    };
    struct target_intent intent = intent_of(INTENT_STAGE, ARCHIVE, 0);
    cr_assert_eq(script_run(&script, &intent, sent, &outcome, &err), PROGRESS_DONE, "%s",
                 err.message);
    intent.next.revision = STR("42");
    cr_assert_eq(script_run(&script, &intent, published, &outcome, &err), PROGRESS_DONE, "%s",
                 err.message);
    cr_expect(str_is(outcome.revision, "42"));
}

Test(aws_lambda, what_is_under_way_or_old_is_waited_for_and_read_again)
{
    const struct line lines[] = {
        {"GET " ALIAS, NULL, 0, AT_41, NULL},
        {"GET " CONFIGURATION, NULL, 0, LATEST(OTHER, "Successful"), NULL},
        {"PUT " PLACE "/code", NULL, 409, "{}", FAULT("ResourceConflictException")},
        {"GET " CONFIGURATION, NULL, 0, LATEST(OTHER, "Successful"), NULL},
        {"PUT " PLACE "/code", NULL, 412, "{}", FAULT("PreconditionFailedException")},
        {"GET " CONFIGURATION, NULL, 0, LATEST(ZEROS, "Successful"), NULL},
        {"POST " PLACE "/versions", NULL, 400,
         "{\"message\":\"CodeSHA256 (x) is different from current CodeSHA256 in $LATEST\"}",
         FAULT("InvalidParameterValueException")},
        {"GET " CONFIGURATION, NULL, 0, LATEST(OTHER, "Successful"), NULL},
        {"PUT " PLACE "/code", NULL, 0, LATEST(ZEROS, "Successful"), NULL},
        {"GET " CONFIGURATION, NULL, 0, LATEST(ZEROS, "Successful"), NULL},
        {"POST " PLACE "/versions", NULL, 201, VERSION("Active"), NULL},
        {"GET " CONFIGURATION "?Qualifier=42", NULL, 0, VERSION("Active"), NULL},
        {0},
    };
    struct target_intent intent = intent_of(INTENT_STAGE, ARCHIVE, 0);
    cr_assert_eq(script_run(&script, &intent, lines, &outcome, &err), PROGRESS_DONE, "%s",
                 err.message);
}

Test(aws_lambda, staging_fails_with_the_providers_words)
{
    static const struct {
        struct line lines[6];
        const char *words;
    } rows[] = {
        {{{"GET " ALIAS, NULL, 0, AT_41, NULL},
          {"GET " CONFIGURATION, NULL, 0, LATEST(OTHER, "Successful"), NULL},
          {"PUT " PLACE "/code", NULL, 0, LATEST(ZEROS, "InProgress"), NULL},
          {"GET " CONFIGURATION, NULL, 0, LATEST(ZEROS, "Failed"), NULL},
          {0}},
         "did not take the code: no such layer"},
        {{{"GET " ALIAS, NULL, 0, AT_41, NULL},
          {"GET " CONFIGURATION, NULL, 0, LATEST(OTHER, "Successful"), NULL},
          {"PUT " PLACE "/code", NULL, 0, LATEST(OTHER, "InProgress"), NULL},
          {0}},
         "was replaced in between"},
        {{{"GET " ALIAS, NULL, 0, AT_41, NULL},
          {"GET " CONFIGURATION, NULL, 0, LATEST(ZEROS, "Successful"), NULL},
          {"POST " PLACE "/versions", NULL, 201, VERSION("Pending"), NULL},
          {"GET " CONFIGURATION "?Qualifier=42", NULL, 0, VERSION("Failed"), NULL},
          {0}},
         "version 42 of function thumbs cannot serve: it does not start"},
        {{{"GET " ALIAS, NULL, 0, "{\"FunctionVersion\":\"$LATEST\"}", NULL}, {0}},
         "points at $LATEST"},
        {{{"GET " ALIAS, NULL, 404, "{\"Message\":\"Function not found: thumbs\"}",
           FAULT("ResourceNotFoundException")},
          {0}},
         "Function not found"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct target_intent intent = intent_of(INTENT_STAGE, ARCHIVE, 0);
        cr_assert_eq(script_run(&script, &intent, rows[i].lines, &outcome, &err), PROGRESS_FAILED);
        cr_expect_neq(str_search(str_of(err.message), str_of(rows[i].words)), STR_NONE, "%s",
                      err.message);
        cr_expect_neq(err.kind, ERROR_TRANSIENT, "%s", err.message);
    }
}

// ---- where there is nothing to share with ------------------------------------------------------

Test(aws_lambda, a_first_deployment_makes_the_alias_and_its_way_back_takes_it_away)
{
    static const char absent[] = "{\"Message\":\"Cannot find alias arn: x\"}";
    const struct line shift[] = {
        {"GET " ALIAS, NULL, 404, absent, FAULT("ResourceNotFoundException")},
        {"POST " PLACE "/aliases", "{\"Name\":\"live\",\"FunctionVersion\":\"42\"}", 201, AT_42,
         NULL},
        {"GET " ALIAS, NULL, 0, AT_42, NULL},
        {0},
    };
    const struct line look[] = {{"GET " ALIAS, NULL, 0, AT_42, NULL}, {0}};
    const struct line revert[] = {
        {"GET " ALIAS, NULL, 0, AT_42, NULL},
        {"DELETE " ALIAS, NULL, 204, "", NULL},
        {"GET " ALIAS, NULL, 404, absent, FAULT("ResourceNotFoundException")},
        {0},
    };
    const struct line not_ours[] = {{"GET " ALIAS, NULL, 0, AT_41, NULL}, {0}};
    struct target_intent intent = intent_of(INTENT_SHIFT, "42", 50000);
    intent.good = (struct target_release){0};
    cr_assert_eq(script_run(&script, &intent, shift, &outcome, &err), PROGRESS_DONE, "%s",
                 err.message);
    cr_expect_eq(outcome.seen.next_ppm, 50000, "what was asked for, for there is no rest");
    intent.memory = outcome.memory;
    intent.verb = INTENT_OBSERVE;
    cr_assert_eq(script_run(&script, &intent, look, &outcome, &err), PROGRESS_DONE);
    cr_expect_eq(outcome.seen.next_ppm, 50000);
    intent.verb = INTENT_REVERT;
    cr_assert_eq(script_run(&script, &intent, revert, &outcome, &err), PROGRESS_DONE, "%s",
                 err.message);
    cr_expect_eq(outcome.seen.next_ppm, 0);
    cr_assert_eq(script_run(&script, &intent, not_ours, &outcome, &err), PROGRESS_DONE);
    intent.verb = INTENT_STAGE;
    intent.next.revision = STR(ARCHIVE);
    cr_assert_eq(script_run(&script, &intent, not_ours, &outcome, &err), PROGRESS_FAILED);
    cr_expect_eq(err.kind, ERROR_DENIED);
}

Test(aws_lambda, the_code_of_known_good_again_has_no_second_version_to_share_with)
{
    const struct line look[] = {{"GET " ALIAS, NULL, 0, AT_41, NULL}, {0}};
    struct target_intent intent = intent_of(INTENT_SHIFT, "41", 50000);
    cr_assert_eq(script_run(&script, &intent, look, &outcome, &err), PROGRESS_DONE, "%s",
                 err.message);
    cr_expect_eq(outcome.seen.next_ppm, 50000);
    intent.memory = outcome.memory;
    intent.verb = INTENT_REVERT;
    cr_assert_eq(script_run(&script, &intent, look, &outcome, &err), PROGRESS_DONE);
    cr_expect_eq(outcome.seen.next_ppm, 0);
    cr_expect_eq(outcome.seen.good_ppm, 1000000);
}

Test(aws_lambda, a_way_back_without_a_staged_release_and_without_memory)
{
    const struct line lines[] = {
        {"GET " ALIAS, NULL, 0, SHARED("0.3"), NULL},
        {"PUT " ALIAS, "\"FunctionVersion\":\"41\"", 0, AT_41, NULL},
        {"GET " ALIAS, NULL, 0, AT_41, NULL},
        {0},
    };
    struct target_intent intent = {.verb = INTENT_REVERT, .good = good};
    cr_assert_eq(script_run(&script, &intent, lines, &outcome, &err), PROGRESS_DONE, "%s",
                 err.message);
    cr_expect_eq(outcome.seen.good_ppm, 1000000);
}

// ---- before anything is touched ----------------------------------------------------------------

Test(aws_lambda, what_serves_is_adopted_with_the_name_that_it_was_published_under)
{
    const struct line lines[] = {
        {"GET " ALIAS, NULL, 0, AT_41, NULL},
        {"GET " CONFIGURATION "?Qualifier=41", NULL, 0,
         "{\"Version\":\"41\",\"State\":\"Active\",\"Description\":\"v1 (sluice)\"}", NULL},
        {0},
    };
    const struct line latest[] = {
        {"GET " ALIAS, NULL, 0, "{\"FunctionVersion\":\"$LATEST\"}", NULL}, {0}};
    struct target_intent intent = {.verb = INTENT_OBSERVE};
    cr_assert_eq(script_run(&script, &intent, lines, &outcome, &err), PROGRESS_DONE, "%s",
                 err.message);
    cr_expect(str_is(outcome.seen.revision, "41"));
    cr_expect(str_is(outcome.seen.release, "v1"));
    cr_expect(outcome.seen.settled);
    cr_expect_eq(script_run(&script, &intent, latest, &outcome, &err), PROGRESS_FAILED);
}

Test(aws_lambda, a_survey_tells_everything_and_fails_nothing)
{
    static const struct {
        struct line lines[4];
        const char *words[2];
    } rows[] = {
        {{{"GET " ALIAS, NULL, 403, "{\"Message\":\"not authorized\"}",
           FAULT("AccessDeniedException")},
          {0}},
         {"allow it `lambda:GetAlias`", NULL}},
        {{{"GET " ALIAS, NULL, 404, "{\"Message\":\"Function not found: x\"}",
           FAULT("ResourceNotFoundException")},
          {0}},
         {"there is no function thumbs in region eu-west-1: ", NULL}},
        {{{"GET " ALIAS, NULL, 0, SHARED("0.5"), NULL},
          {"GET " CONFIGURATION "?Qualifier=41", NULL, 0, VERSION("Active"), NULL},
          {"GET " CONFIGURATION, NULL, 0, "{\"PackageType\":\"Image\"}", NULL},
          {0}},
         {"shares its requests between versions 41 and 42", "is made of an image"}},
        {{{"GET " ALIAS, NULL, 404, "{\"Message\":\"Cannot find alias\"}",
           FAULT("ResourceNotFoundException")},
          {"GET " CONFIGURATION, NULL, 0, "{\"PackageType\":\"Zip\"}", NULL},
          {0}},
         {NULL, NULL}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct target_intent intent = {.verb = INTENT_OBSERVE, .survey = true};
        size_t wanted = rows[i].words[1] ? 2 : rows[i].words[0] ? 1 : 0;
        cr_assert_eq(script_run(&script, &intent, rows[i].lines, &outcome, &err), PROGRESS_DONE,
                     "%s", err.message);
        cr_assert_eq(outcome.seen.trouble_count, wanted, "%zu: %zu", i, outcome.seen.trouble_count);
        for (size_t k = 0; k < wanted; k++)
            cr_expect_neq(str_search(outcome.seen.troubles[k].words, str_of(rows[i].words[k])),
                          STR_NONE, STR_FMT, STR_ARG(outcome.seen.troubles[k].words));
    }
}
