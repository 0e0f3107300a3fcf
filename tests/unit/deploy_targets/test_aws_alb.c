// An aws-alb target against scripted answers.
#include "aws_script.h"

#include <stdio.h>

#define ARN(NAME) "arn:aws:elasticloadbalancing:eu-west-1:123456789012:" NAME
#define BLUE ARN("targetgroup/blue/1")
#define GREEN ARN("targetgroup/green/2")
#define THIRD ARN("targetgroup/third/3")
#define RULE ARN("listener-rule/app/a/1/2/3")

static struct script script;
static struct target_outcome outcome;
static struct error err;

static const char yaml[] = "region: eu-west-1\nlistener_rule: \"" RULE "\"\n"
                           "groups: {blue: \"" BLUE "\", green: \"" GREEN "\"}\n";

static void open(void)
{
    outcome = (struct target_outcome){0};
    err = (struct error){0};
    script_open(&script, "aws-alb", yaml);
}

static void close(void)
{
    script_close(&script);
}

TestSuite(aws_alb, .init = open, .fini = close, .timeout = 60);

#define GROUP(ARN, WEIGHT)                                                                         \
    "<member><TargetGroupArn>" ARN "</TargetGroupArn><Weight>" WEIGHT "</Weight></member>"
#define RULES(GROUPS)                                                                              \
    "<R><DescribeRulesResult><Rules><member><Actions><member><Type>forward</Type><ForwardConfig>"  \
    "<TargetGroups>" GROUPS "</TargetGroups></ForwardConfig></member></Actions></member></Rules>"  \
    "</DescribeRulesResult></R>"
#define WEIGHTS(B, G) RULES(GROUP(BLUE, B) GROUP(GREEN, G))
#define TARGET(STATE) "<member><TargetHealth><State>" STATE "</State></TargetHealth></member>"
#define HEALTH(TARGETS)                                                                            \
    "<R><DescribeTargetHealthResult><TargetHealthDescriptions>" TARGETS                            \
    "</TargetHealthDescriptions></DescribeTargetHealthResult></R>"
#define TAG(KEY, VALUE) "<member><Key>" KEY "</Key><Value>" VALUE "</Value></member>"
#define TAGS(ARN, LIST)                                                                            \
    "<R><DescribeTagsResult><TagDescriptions><member><ResourceArn>" ARN                            \
    "</ResourceArn><Tags>" LIST "</Tags></member></TagDescriptions></DescribeTagsResult></R>"
#define NOTHING "<R><AddTagsResult/></R>"
#define TWO HEALTH(TARGET("healthy") TARGET("healthy"))

#define ASK_RULE "Action=DescribeRules"
#define ASK_HEALTH "Action=DescribeTargetHealth"
#define ASK_TAGS "Action=DescribeTags"
#define SEND "Action=ModifyRule"

static struct target_intent intent_of(enum intent_verb verb, const char *next, uint32_t share_ppm)
{
    return (struct target_intent){
        .verb = verb,
        .next = {.release = STR("v2"), .digest = STR("sha256:2"), .revision = str_of(next)},
        .good = {.release = STR("v1"), .digest = STR("sha256:1"), .revision = STR("blue")},
        .share_ppm = share_ppm};
}

static struct line post(const char *body, const char *answer)
{
    return (struct line){"POST /", body, 0, answer, NULL};
}

Test(aws_alb, weights_move_to_a_group_that_is_healthy_and_are_seen)
{
    static const struct {
        enum intent_verb verb;
        uint32_t ppm, seen;
        const char *before, *after;
        uint32_t blue, green;
    } rows[] = {
        {INTENT_SHIFT, 50000, 50000, WEIGHTS("100", "0"), WEIGHTS("950", "50"), 950, 50},
        {INTENT_SHIFT, 1500, 2000, WEIGHTS("1", "0"), WEIGHTS("998", "2"), 998, 2},
        {INTENT_SHIFT, 1000000, 1000000, WEIGHTS("950", "50"), WEIGHTS("0", "100"), 0, 100},
        {INTENT_PROMOTE, 0, 1000000, WEIGHTS("950", "50"), WEIGHTS("0", "100"), 0, 100},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct line lines[] = {
            post(ASK_RULE, rows[i].before),
            post(ASK_HEALTH, TWO),
            post(SEND, NOTHING),
            post(ASK_RULE, rows[i].after),
            {0},
        };
        struct target_intent intent = intent_of(rows[i].verb, "green", rows[i].ppm);
        cr_assert_eq(script_run(&script, &intent, lines, &outcome, &err), PROGRESS_DONE, "%zu: %s",
                     i, err.message);
        cr_expect_eq(outcome.seen.next_ppm, rows[i].seen);
        cr_expect_eq(outcome.seen.good_ppm, 1000000 - rows[i].seen);
    }
}

Test(aws_alb, what_is_so_already_is_not_sent)
{
    const struct line shifted[] = {post(ASK_RULE, WEIGHTS("95", "5")), {0}};
    const struct line reverted[] = {post(ASK_RULE, WEIGHTS("7", "0")), {0}};
    struct target_intent intent = intent_of(INTENT_SHIFT, "green", 50000);
    cr_expect_eq(script_run(&script, &intent, shifted, &outcome, &err), PROGRESS_DONE);
    intent.verb = INTENT_REVERT;
    cr_expect_eq(script_run(&script, &intent, reverted, &outcome, &err), PROGRESS_DONE);
    cr_expect_eq(outcome.seen.good_ppm, 1000000);
}

Test(aws_alb, weights_that_do_not_stay_are_sent_again_and_then_given_up)
{
    struct line lines[18];
    size_t count = 0;
    for (int i = 0; i < 5; i++) {
        lines[count++] = post(ASK_RULE, WEIGHTS("100", "0"));
        lines[count++] = post(ASK_HEALTH, TWO);
        lines[count++] = post(SEND, NOTHING);
    }
    lines[count++] = post(ASK_RULE, WEIGHTS("100", "0"));
    lines[count] = (struct line){0};
    struct target_intent intent = intent_of(INTENT_SHIFT, "green", 50000);
    cr_assert_eq(script_run(&script, &intent, lines, &outcome, &err), PROGRESS_FAILED);
    cr_expect_eq(err.kind, ERROR_TRANSIENT);
}

Test(aws_alb, a_group_without_a_healthy_target_gets_no_request)
{
    const struct line lines[] = {
        post(ASK_RULE, WEIGHTS("100", "0")),
        post(ASK_HEALTH, HEALTH(TARGET("unhealthy") TARGET("draining"))),
        {0},
    };
    struct target_intent intent = intent_of(INTENT_SHIFT, "green", 50000);
    cr_assert_eq(script_run(&script, &intent, lines, &outcome, &err), PROGRESS_FAILED);
    cr_expect_neq(str_search(str_of(err.message), STR("no healthy target")), STR_NONE, "%s",
                  err.message);
}

Test(aws_alb, a_release_is_staged_when_the_idle_group_is_as_healthy_as_the_other)
{
    const struct line lines[] = {
        post(ASK_RULE, WEIGHTS("100", "0")),
        post(ASK_HEALTH, TWO),
        post(ASK_HEALTH, HEALTH(TARGET("healthy") TARGET("initial"))),
        post(ASK_HEALTH, HEALTH(TARGET("healthy") TARGET("healthy") TARGET("draining"))),
        post("Tags.member.1.Key=sluice%3Arelease&Tags.member.1.Value=v2", NOTHING),
        {0},
    };
    struct target_intent intent = intent_of(INTENT_STAGE, "", 0);
    cr_assert_eq(script_run(&script, &intent, lines, &outcome, &err), PROGRESS_DONE, "%s",
                 err.message);
    cr_expect(str_is(outcome.revision, "green"));
    cr_expect_eq(outcome.seen.good_ppm, 1000000);
}

Test(aws_alb, what_cannot_be_staged_is_said_at_once)
{
    static const struct {
        struct line lines[4];
        const char *good, *words;
    } rows[] = {
        {{{"POST /", ASK_RULE, 0, WEIGHTS("100", "0"), NULL},
          {"POST /", ASK_HEALTH, 0, TWO, NULL},
          {"POST /", ASK_HEALTH, 0, HEALTH(TARGET("healthy")), NULL},
          {0}},
         "blue",
         "group green has 1 targets where 2 must be healthy: deploy v2 to it first"},
        {{{"POST /", ASK_RULE, 0, WEIGHTS("90", "10"), NULL}, {0}},
         "blue",
         "sends group blue, where known good is, not all of its requests"},
        {{{"POST /", ASK_RULE, 0, RULES(GROUP(BLUE, "1")), NULL}, {0}},
         "blue",
         "does not forward to group green: add it there with weight 0"},
        {{{"POST /", ASK_RULE, 0, WEIGHTS("100", "0"), NULL}, {0}},
         "",
         "there is no first deployment"},
        {{{"POST /", ASK_RULE, 0, WEIGHTS("100", "0"), NULL}, {0}},
         "red",
         "which is none of `groups`"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct target_intent intent = intent_of(INTENT_STAGE, "", 0);
        intent.good.revision = str_of(rows[i].good);
        cr_assert_eq(script_run(&script, &intent, rows[i].lines, &outcome, &err), PROGRESS_FAILED);
        cr_expect_neq(str_search(str_of(err.message), str_of(rows[i].words)), STR_NONE, "%s",
                      err.message);
    }
}

Test(aws_alb, a_way_back_needs_known_good_to_be_there_still)
{
    static const struct {
        const char *tags, *digest;
        bool back;
    } rows[] = {
        {TAGS(BLUE, ""), "sha256:1", true},
        {TAGS(BLUE, TAG("sluice:release", "v1") TAG("sluice:digest", "sha256:1")), "sha256:1",
         true},
        {TAGS(BLUE, TAG("sluice:release", "v1")), "sha256:1", true},
        {TAGS(BLUE, TAG("sluice:release", "v1") TAG("sluice:digest", "sha256:1")), "", true},
        {TAGS(BLUE, TAG("sluice:release", "v3")), "sha256:1", false},
        {TAGS(BLUE, TAG("sluice:release", "v1") TAG("sluice:digest", "sha256:9")), "sha256:1",
         false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct line back[] = {
            post(ASK_RULE, WEIGHTS("0", "100")),
            post(ASK_TAGS, rows[i].tags),
            post(ASK_HEALTH, TWO),
            post(SEND, NOTHING),
            post(ASK_RULE, WEIGHTS("100", "0")),
            {0},
        };
        const struct line refused[] = {
            post(ASK_RULE, WEIGHTS("0", "100")), post(ASK_TAGS, rows[i].tags), {0}};
        struct target_intent intent = intent_of(INTENT_REVERT, "green", 0);
        intent.good.digest = str_of(rows[i].digest);
        enum progress progress =
            script_run(&script, &intent, rows[i].back ? back : refused, &outcome, &err);
        cr_expect_eq(progress, rows[i].back ? PROGRESS_DONE : PROGRESS_FAILED, "%zu: %s", i,
                     err.message);
    }
}

Test(aws_alb, what_serves_is_adopted_and_a_third_group_is_told)
{
    const struct line adopt[] = {
        post(ASK_RULE, WEIGHTS("100", "0")),
        post(ASK_TAGS, TAGS(BLUE, TAG("sluice:release", "v7"))),
        post(ASK_HEALTH, TWO),
        post(ASK_HEALTH, HEALTH("")),
        {0},
    };
    const struct line third[] = {
        post(ASK_RULE, RULES(GROUP(BLUE, "60") GROUP(GREEN, "20") GROUP(THIRD, "20"))), {0}};
    struct target_intent intent = {.verb = INTENT_OBSERVE};
    cr_assert_eq(script_run(&script, &intent, adopt, &outcome, &err), PROGRESS_DONE, "%s",
                 err.message);
    cr_expect(str_is(outcome.seen.revision, "blue"));
    cr_expect(str_is(outcome.seen.release, "v7"));
    cr_expect(outcome.seen.settled);
    intent = intent_of(INTENT_OBSERVE, "green", 0);
    cr_assert_eq(script_run(&script, &intent, third, &outcome, &err), PROGRESS_DONE);
    cr_expect_eq(outcome.seen.next_ppm, 200000);
    cr_expect_eq(outcome.seen.good_ppm, 600000);
    cr_expect_not_null(outcome.note);
}

Test(aws_alb, a_survey_tells_everything_and_fails_nothing)
{
    static const char denied[] =
        "<E><Error><Code>AccessDenied</Code><Message>no</Message></Error></E>";
    const struct line lines[] = {
        post(ASK_RULE, RULES(GROUP(BLUE, "60") GROUP(THIRD, "40"))),
        {"POST /", ASK_TAGS, 403, denied, NULL},
        {"POST /", ASK_HEALTH, 403, denied, NULL},
        post(ASK_HEALTH, TWO),
        {0},
    };
    const struct line blind[] = {{"POST /", ASK_RULE, 403, denied, NULL}, {0}};
    struct target_intent intent = {.verb = INTENT_OBSERVE, .survey = true};
    cr_assert_eq(script_run(&script, &intent, lines, &outcome, &err), PROGRESS_DONE, "%s",
                 err.message);
    cr_assert_eq(outcome.seen.trouble_count, 4);
    cr_expect_neq(str_search(outcome.seen.troubles[0].words, STR("third")), STR_NONE);
    cr_expect_neq(str_search(outcome.seen.troubles[3].words,
                             STR("allow it `elasticloadbalancing:DescribeTargetHealth`")),
                  STR_NONE);
    cr_assert_eq(script_run(&script, &intent, blind, &outcome, &err), PROGRESS_DONE);
    cr_expect_eq(outcome.seen.trouble_count, 1);
}

Test(aws_alb, an_idle_group_that_nothing_was_deployed_to_is_told_before_a_rollout)
{
    const struct line lines[] = {
        post(ASK_RULE, WEIGHTS("100", "0")),
        post(ASK_TAGS, TAGS(BLUE, "")),
        post(ASK_HEALTH, TWO),
        post(ASK_HEALTH, HEALTH(TARGET("initial") TARGET("draining"))),
        {0},
    };
    struct target_intent intent = {.verb = INTENT_OBSERVE, .survey = true};
    cr_assert_eq(script_run(&script, &intent, lines, &outcome, &err), PROGRESS_DONE, "%s",
                 err.message);
    cr_assert_eq(outcome.seen.trouble_count, 1);
    cr_expect_neq(str_search(outcome.seen.troubles[0].words,
                             STR("group green has 1 targets where 2 must be healthy")),
                  STR_NONE);
}

Test(aws_alb, so_many_as_the_configuration_asks_for_are_enough)
{
    static const char section[] = "region: eu-west-1\nlistener: \"" ARN(
        "listener/app/a/1/2") "\"\nmin_healthy: 1\ngroups: {blue: \"" BLUE "\", green: \"" GREEN
                              "\"}\n";
    const struct line lines[] = {
        post("Action=DescribeListeners",
             "<R><DescribeListenersResult><Listeners><member><DefaultActions><member><Type>forward"
             "</Type><ForwardConfig><TargetGroups>" GROUP(BLUE, "1")
                 GROUP(GREEN, "0") "</TargetGroups></ForwardConfig></member></DefaultActions></"
                                   "member></Listeners>"
                                   "</DescribeListenersResult></R>"),
        post(ASK_HEALTH, TWO),
        post(ASK_HEALTH, HEALTH(TARGET("unhealthy") TARGET("initial"))),
        post(ASK_HEALTH, HEALTH(TARGET("unhealthy") TARGET("healthy"))),
        post("Action=AddTags", NOTHING),
        {0},
    };
    struct script other;
    script_open(&other, "aws-alb", section);
    struct target_intent intent = intent_of(INTENT_STAGE, "", 0);
    cr_assert_eq(script_run(&other, &intent, lines, &outcome, &err), PROGRESS_DONE, "%s",
                 err.message);
    cr_expect(str_is(outcome.revision, "green"));
    script_close(&other);
}

Test(aws_alb, a_digest_is_given_or_that_of_the_commits_id)
{
    static const struct line none[] = {{0}};
    static const char given[] =
        "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    struct target_release made, again;
    cr_assert(script_pack(&script, "", none, &made, &err));
    cr_assert(script_pack(&script, "", none, &again, &err));
    cr_expect(str_eq(made.digest, again.digest));
    cr_expect_eq(made.digest.len, 71);
    cr_assert(script_pack(&script, given, none, &made, &err));
    cr_expect(str_is(made.digest, given));
    cr_expect_not(script_pack(&script, "v2", none, &made, &err));
}

Test(aws_alb, a_section_says_what_is_wrong_with_it)
{
#define GROUPS "groups: {blue: \"" BLUE "\", green: \"" GREEN "\"}\n"
    static const struct {
        const char *yaml, *words;
    } rows[] = {
        {"listener_rule: \"" RULE "\"\n" GROUPS, ""},
        {"listener: \"${env.L}\"\nmin_healthy: 3\n" GROUPS, ""},
        {GROUPS, "needs either `listener_rule` or `listener`"},
        {"listener_rule: \"" RULE "\"\nlistener: \"${env.L}\"\n" GROUPS, "needs only one of"},
        {"listener: \"" RULE "\"\n" GROUPS, "1:11: `listener` must be an ARN"},
        {"listener_rule: \"" RULE "\"", "`groups`"},
        {"listener_rule: \"" RULE "\"\ngroups: {blue: \"" BLUE "\"}", "groups"},
        {"listener_rule: \"" RULE "\"\ngroups: {blue: \"" BLUE "\", green: \"" BLUE "\"}",
         "both groups are the same one"},
        {"listener_rule: \"" RULE "\"\ngroups: {\"b l\": \"" BLUE "\", green: \"" GREEN "\"}",
         "cannot be the name of a group"},
        {"listener_rule: \"" RULE "\"\ngroups: {blue: b, green: \"" GREEN "\"}",
         "2:16: `blue` must be an ARN"},
        {"listener_rule: \"" RULE "\"\nmin_healthy: 0\n" GROUPS, "min_healthy"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct script alone = {0};
        const char *told = script_check(&alone, "aws-alb", rows[i].yaml);
        cr_expect(*rows[i].words ? strstr(told, rows[i].words) != NULL : !*told, "%s: %s",
                  rows[i].yaml, told);
        arena_done(&alone.arena);
    }
}
