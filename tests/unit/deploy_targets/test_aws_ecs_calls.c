// What is asked of ECS and of the load balancer, word for word.
#include "aws_script.h"

#define CONFIG                                                                                     \
    "services: [blue, green]\nlistener_rule: \"arn:aws:x:listener-rule/app/r\"\n"                  \
    "artifact: {image: \"r.example/app@${digest}\", container: web}\nregion: eu-west-1\n"

#define RULE(blue, green)                                                                          \
    "<DescribeRulesResponse><DescribeRulesResult><Rules><member><RuleArn>r</RuleArn><Actions>"     \
    "<member><Type>authenticate-oidc</Type><Order>1</Order><AuthenticateOidcConfig>"               \
    "<Issuer>https://id.example</Issuer><ClientId>learn</ClientId>"                                \
    "<SessionTimeout>604800</SessionTimeout><AuthenticationRequestExtraParams/>"                   \
    "</AuthenticateOidcConfig></member>"                                                           \
    "<member><Type>forward</Type><Order>2</Order><ForwardConfig>"                                  \
    "<TargetGroupStickinessConfig><Enabled>true</Enabled><DurationSeconds>60</DurationSeconds>"    \
    "</TargetGroupStickinessConfig><TargetGroups>"                                                 \
    "<member><TargetGroupArn>tg-blue</TargetGroupArn><Weight>" blue "</Weight></member>"           \
    "<member><TargetGroupArn>tg-green</TargetGroupArn><Weight>" green "</Weight></member>"         \
    "</TargetGroups></ForwardConfig></member></Actions></member></Rules>"                          \
    "</DescribeRulesResult></DescribeRulesResponse>"

#define SERVICE(name, definition, desired)                                                         \
    "{\"serviceName\":\"" name "\",\"status\":\"ACTIVE\",\"desiredCount\":" desired                \
    ",\"runningCount\":" desired ",\"pendingCount\":0,\"taskDefinition\":\"arn:x/" definition      \
    "\",\"loadBalancers\":[{\"targetGroupArn\":\"tg-" name "\"}],\"deployments\":[{\"id\":\"" name \
    "\",\"status\":\"PRIMARY\",\"taskDefinition\":"                                                \
    "\"arn:x/" definition "\",\"runningCount\":" desired ",\"rolloutState\":\"COMPLETED\"}]}"
#define SERVICES(blue, green)                                                                      \
    "{\"services\":[" SERVICE("blue", "web:1", blue) "," SERVICE("green", "web:2", green) "]}"

#define HEALTHY                                                                                    \
    "<R><DescribeTargetHealthResult><TargetHealthDescriptions>"                                    \
    "<member><TargetHealth><State>healthy</State></TargetHealth></member>"                         \
    "<member><TargetHealth><State>healthy</State></TargetHealth></member>"                         \
    "<member><TargetHealth><State>draining</State></TargetHealth></member>"                        \
    "</TargetHealthDescriptions></DescribeTargetHealthResult></R>"

static const struct target_release next = {
    .release = STR_INIT("v2"),
    .commit = STR_INIT("c2"),
    .digest = STR_INIT("sha256:22"),
    .revision = STR_INIT("web:2"),
};
static const struct target_release good = {.release = STR_INIT("v1"),
                                           .revision = STR_INIT("web:1")};

Test(aws_ecs_calls, a_rule_keeps_what_else_it_does)
{
    struct script script;
    struct target_outcome outcome;
    struct error err = {0};
    script_open(&script, "aws-ecs", CONFIG);
    const struct line lines[] = {
        {"POST ", "Action=DescribeRules", 0, RULE("100", "0"), NULL},
        {"POST ", "\"services\":[\"blue\",\"green\"]", 0, SERVICES("2", "2"), NULL},
        {"POST ", "Action=DescribeTargetHealth", 0, HEALTHY, NULL},
        {"POST ", "Action=DescribeTargetHealth", 0, HEALTHY, NULL},
        {"POST ",
         "&RuleArn=arn%3Aaws%3Ax%3Alistener-rule%2Fapp%2Fr"
         "&Actions.member.1.Type=authenticate-oidc&Actions.member.1.Order=1"
         "&Actions.member.1.AuthenticateOidcConfig.Issuer=https%3A%2F%2Fid.example"
         "&Actions.member.1.AuthenticateOidcConfig.ClientId=learn"
         "&Actions.member.1.AuthenticateOidcConfig.SessionTimeout=604800"
         "&Actions.member.1.AuthenticateOidcConfig.UseExistingClientSecret=true"
         "&Actions.member.2.Type=forward&Actions.member.2.Order=2"
         "&Actions.member.2.ForwardConfig.TargetGroupStickinessConfig.Enabled=true"
         "&Actions.member.2.ForwardConfig.TargetGroupStickinessConfig.DurationSeconds=60"
         "&Actions.member.2.ForwardConfig.TargetGroups.member.1.TargetGroupArn=tg-blue"
         "&Actions.member.2.ForwardConfig.TargetGroups.member.1.Weight=950"
         "&Actions.member.2.ForwardConfig.TargetGroups.member.2.TargetGroupArn=tg-green"
         "&Actions.member.2.ForwardConfig.TargetGroups.member.2.Weight=50",
         0, "<R><ModifyRuleResult/></R>", NULL},
        {"POST ", "Action=DescribeRules", 0, RULE("95", "5"), NULL},
        {"POST ", "\"services\"", 0, SERVICES("2", "2"), NULL},
        {"POST ", "Action=DescribeTargetHealth", 0, HEALTHY, NULL},
        {"POST ", "Action=DescribeTargetHealth", 0, HEALTHY, NULL},
        {0},
    };
    struct target_intent intent = {
        .verb = INTENT_SHIFT, .share_ppm = 50000, .next = next, .good = good};
    cr_assert_eq(script_run(&script, &intent, lines, &outcome, &err), PROGRESS_DONE, "%s",
                 err.message);
    cr_assert_eq(outcome.seen.next_ppm, 50000);
    cr_assert_eq(outcome.seen.good_ppm, 950000);
    cr_assert(outcome.seen.settled);
    script_close(&script);
}

Test(aws_ecs_calls, a_definition_is_known_good_with_another_image_and_marked)
{
    struct script script;
    struct target_outcome outcome;
    struct error err = {0};
    static const char known[] =
        "{\"taskDefinition\":{\"taskDefinitionArn\":\"arn:x/web:1\",\"family\":\"web\","
        "\"revision\":1,\"status\":\"ACTIVE\",\"networkMode\":\"awsvpc\",\"cpu\":\"256\","
        "\"requiresAttributes\":[{\"name\":\"a\"}],\"registeredAt\":1.5,\"containerDefinitions\":["
        "{\"name\":\"log\",\"image\":\"log:1\"},{\"name\":\"web\",\"image\":\"r.example/app@old\","
        "\"cpu\":0,\"environment\":[{\"name\":\"A\",\"value\":\"b\"}]}]},"
        "\"tags\":[{\"key\":\"team\",\"value\":\"learn\"},"
        "{\"key\":\"sluice:release\",\"value\":\"v1\"}]}";
    static const char made[] =
        "{\"taskDefinition\":{\"taskDefinitionArn\":\"arn:x/web:2\",\"family\":\"web\","
        "\"containerDefinitions\":[{\"name\":\"log\",\"image\":\"log:1\"},{\"name\":\"web\","
        "\"image\":\"r.example/app@sha256:22\"}]},\"tags\":[{\"key\":\"sluice:release\",\"value\":"
        "\"v2\"},{\"key\":\"sluice:digest\",\"value\":\"sha256:22\"},{\"key\":\"sluice:from\","
        "\"value\":\"web:1\"}]}";
    const struct line lines[] = {
        {"POST ", "Action=DescribeRules", 0, RULE("100", "0"), NULL},
        {"POST ", "\"services\"", 0, SERVICES("2", "2"), NULL},
        {"POST ", "Action=DescribeTargetHealth", 0, HEALTHY, NULL},
        {"POST ", "Action=DescribeTargetHealth", 0, HEALTHY, NULL},
        {"POST ", "{\"taskDefinition\":\"web:1\",\"include\":[\"TAGS\"]}", 0, known, NULL},
        {"POST ", "{\"taskDefinition\":\"web\",\"include\":[\"TAGS\"]}", 0, known, NULL},
        {"POST ",
         "{\"family\":\"web\",\"networkMode\":\"awsvpc\",\"cpu\":\"256\",\"containerDefinitions\":["
         "{\"name\":\"log\",\"image\":\"log:1\"},{\"name\":\"web\","
         "\"image\":\"r.example/app@sha256:22\",\"cpu\":0,"
         "\"environment\":[{\"name\":\"A\",\"value\":\"b\"}]}],"
         "\"tags\":[{\"key\":\"team\",\"value\":\"learn\"},"
         "{\"key\":\"sluice:release\",\"value\":\"v2\"},"
         "{\"key\":\"sluice:digest\",\"value\":\"sha256:22\"},"
         "{\"key\":\"sluice:from\",\"value\":\"web:1\"}]}",
         -1, "", NULL}, // and nobody knows what became of it
        {"POST ", "{\"taskDefinition\":\"web\",\"include\":[\"TAGS\"]}", 0, made, NULL},
        {"POST ", "Action=DescribeRules", 0, RULE("100", "0"), NULL},
        {"POST ", "\"services\"", 0, SERVICES("2", "2"), NULL},
        {"POST ", "Action=DescribeTargetHealth", 0, HEALTHY, NULL},
        {"POST ", "Action=DescribeTargetHealth", 0, HEALTHY, NULL},
        {0},
    };
    script_open(&script, "aws-ecs", CONFIG);
    struct target_intent intent = {.verb = INTENT_STAGE, .next = next, .good = good};
    intent.next.revision = (str){NULL, 0};
    cr_assert_eq(script_run(&script, &intent, lines, &outcome, &err), PROGRESS_DONE, "%s",
                 err.message);
    cr_assert(str_is(outcome.revision, "web:2"));
    script_close(&script);
}

Test(aws_ecs_calls, weights_hold_tenths_of_a_per_cent)
{
    struct script script;
    script_open(&script, "aws-ecs", CONFIG);
    static const struct {
        uint32_t wish, share;
    } rows[] = {{0, 0},           {1, 1000},        {50000, 50000},    {333333, 333000},
                {999400, 999000}, {999999, 999000}, {1000000, 1000000}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_assert_eq(script.kind->round_share(script.target, rows[i].wish), rows[i].share);
    script_close(&script);
}
