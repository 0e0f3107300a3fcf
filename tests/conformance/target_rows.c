#include "target_rows.h"

#define ZERO64 "0000000000000000000000000000000000000000000000000000000000000000"
#define SHA "sha256:" ZERO64
#define RELEASE(name, version)                                                                     \
    {                                                                                              \
        .release = STR_INIT(version), .commit = STR_INIT("c-" version), .digest = STR_INIT(SHA),   \
        .revision = STR_INIT(name)                                                                 \
    }

// ---- hosts -------------------------------------------------------------------------------------

static const struct hostile_line hosts_lines[] = {
    {"GET http://app", "it is well", 0},
    {"sh app", "current=v1-000000000000\nserving=v1-000000000000\n", 0},
    {0},
};

// ---- AWS ---------------------------------------------------------------------------------------

#define ARN(name) "arn:aws:elasticloadbalancing:eu-west-1:123456789012:" name
#define BLUE ARN("targetgroup/blue/1")
#define GREEN ARN("targetgroup/green/2")
#define RULE ARN("listener-rule/app/a/1/2/3")
#define LISTENER ARN("listener/app/a/1/2")
#define GROUP(arn, weight)                                                                         \
    "<member><TargetGroupArn>" arn "</TargetGroupArn><Weight>" weight "</Weight></member>"
#define ACTIONS(name)                                                                              \
    "<" name "><member><Type>forward</Type><ForwardConfig><TargetGroups>" GROUP(BLUE, "1")         \
        GROUP(GREEN, "0") "</TargetGroups></ForwardConfig></member></" name ">"
#define WELL "<member><TargetHealth><State>healthy</State></TargetHealth></member>"
#define BALANCER                                                                                   \
    {"Action=DescribeRules",                                                                       \
     "<R><DescribeRulesResult><Rules><member>" ACTIONS(                                            \
         "Actions") "</member></Rules></DescribeRulesResult></R>",                                 \
     0},                                                                                           \
        {"Action=DescribeListeners",                                                               \
         "<R><DescribeListenersResult><Listeners><member>" ACTIONS(                                \
             "DefaultActions") "</member></Listeners></DescribeListenersResult></R>",              \
         0},                                                                                       \
        {"Action=DescribeTargetHealth",                                                            \
         "<R><DescribeTargetHealthResult><TargetHealthDescriptions>" WELL WELL                     \
         "</TargetHealthDescriptions></DescribeTargetHealthResult></R>",                           \
         0},                                                                                       \
    {                                                                                              \
        "Action=Modify", "<R><ModifyRuleResult/></R>", 0                                           \
    }

static const struct hostile_line alb_lines[] = {
    BALANCER,
    {"Action=DescribeTags",
     "<R><DescribeTagsResult><TagDescriptions><member><ResourceArn>" BLUE "</ResourceArn><Tags>"
     "<member><Key>sluice:release</Key><Value>v1</Value></member></Tags></member>"
     "</TagDescriptions></DescribeTagsResult></R>",
     0},
    {"Action=AddTags", "<R><AddTagsResult/></R>", 0},
    {0},
};

#define DEFINITION(n) "arn:aws:ecs:eu-west-1:123456789012:task-definition/learn:" n
#define SERVICE(name, group, tasks)                                                                \
    "{\"serviceName\":\"" name "\",\"status\":\"ACTIVE\",\"taskDefinition\":\"" DEFINITION(        \
        "1") "\",\"desiredCount\":" tasks ",\"runningCount\":" tasks ",\"pendingCount\":0,"        \
             "\"loadBalancers\":[{\"targetGroupArn\":\"" group                                     \
             "\"}],\"deployments\":[{\"id\":\"d1\","                                               \
             "\"status\":\"PRIMARY\",\"taskDefinition\":\"" DEFINITION(                            \
                 "1") "\",\"desiredCount\":" tasks ",\"runningCount\":" tasks                      \
                      ",\"rolloutState\":\"COMPLETED\"}]}"
#define DEFINED(n)                                                                                 \
    "{\"taskDefinition\":{\"taskDefinitionArn\":\"" DEFINITION(                                    \
        n) "\",\"family\":\"learn\",\"revision\":" n ",\"status\":\"ACTIVE\","                     \
           "\"containerDefinitions\":[{\"name\":\"web\",\"image\":\"r.example/learn@" SHA "\"}]}," \
           "\"tags\":[{\"key\":\"sluice:release\",\"value\":\"v" n "\"}]}"
#define TASKS                                                                                      \
    {".DescribeTaskDefinition", DEFINED("1"), 0}, {".RegisterTaskDefinition", DEFINED("2"), 0},    \
    {                                                                                              \
        ".UpdateService", "{\"service\":{}}", 0                                                    \
    }

static const struct hostile_line ecs_lines[] = {
    {".DescribeServices",
     "{\"services\":[" SERVICE("web-blue", BLUE, "2") "," SERVICE("web-green", GREEN, "0") "]}", 0},
    TASKS,
    BALANCER,
    {0},
};

static const struct hostile_line ecs_one_lines[] = {
    {".DescribeServices", "{\"services\":[" SERVICE("web", BLUE, "2") "]}", 0},
    TASKS,
    BALANCER,
    {0},
};

#define CODE "\"CodeSha256\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\""
#define ALIAS "{\"FunctionVersion\":\"41\",\"RevisionId\":\"r1\"}"
#define FUNCTION                                                                                   \
    "{\"FunctionName\":\"thumbs\",\"Version\":\"42\",\"RevisionId\":\"r9\",\"PackageType\":"       \
    "\"Zip\",\"State\":\"Active\",\"LastUpdateStatus\":\"Successful\",\"Description\":"            \
    "\"v1 (sluice)\"," CODE "}"
static const struct hostile_line lambda_lines[] = {
    {"/aliases/live", ALIAS, 0},
    {"/configuration", FUNCTION, 0},
    {"/versions", FUNCTION, 0},
    {"/code", FUNCTION, 0},
    {0},
};

static const char *const ecs_calls[] = {
    "ecs ", "elbv2 ", "elasticloadbalancing", "AWS", "sts ", "OIDC", "services", NULL};
static const char *const alb_calls[] = {
    "elbv2 ", "elasticloadbalancing", "AWS", "sts ", "OIDC", "weights", NULL};
static const char *const lambda_calls[] = {"lambda ", "AWS", "sts ", "OIDC", "alias", NULL};

// ---- Google Cloud ------------------------------------------------------------------------------

#define SHARE(revision, percent)                                                                   \
    "{\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION\",\"revision\":\"" revision               \
    "\",\"percent\":" percent "}"
#define REVISION(image)                                                                            \
    "{\"name\":\"x\",\"annotations\":{\"sluice/release\":\"v1\"},\"containers\":[{\"image\":"      \
    "\"" image "\"}],\"conditions\":[{\"type\":\"Ready\",\"state\":\"CONDITION_SUCCEEDED\"}]}"
#define SERVICES "/v2/projects/p/locations/r/services/s"
static const struct hostile_line run_lines[] = {
    {"GET https://run.googleapis.com" SERVICES "/revisions/good", REVISION("h.example/app:1"), 0},
    {SERVICES "/revisions/", REVISION("h.example/app@" SHA), 0},
    {"GET https://run.googleapis.com" SERVICES,
     "{\"etag\":\"e\",\"generation\":\"1\",\"observedGeneration\":\"1\",\"uri\":"
     "\"https://s.example\",\"latestReadyRevision\":\"x/revisions/good\",\"latestCreatedRevision\":"
     "\"x/revisions/good\",\"template\":{\"containers\":[{\"image\":\"h.example/app:1\"}]},"
     "\"terminalCondition\":{\"type\":\"Ready\",\"state\":\"CONDITION_SUCCEEDED\"},\"conditions\":"
     "[],\"traffic\":[" SHARE("good", "100") "],\"trafficStatuses\":[" SHARE("good", "100") "]}",
     0},
    {"PATCH ", "{\"name\":\"projects/p/locations/r/operations/o\"}", 0},
    {"/operations/", "{\"name\":\"projects/p/locations/r/operations/o\",\"done\":true}", 0},
    {0},
};

#define PROJECT "/compute/v1/projects/p"
#define LINK "https://www.googleapis.com" PROJECT
#define TEMPLATE LINK "/global/instanceTemplates/web-v1"
#define INSTANCE(name)                                                                             \
    "{\"instance\":\"" LINK "/zones/z/instances/" name "\",\"currentAction\":\"NONE\","            \
    "\"instanceStatus\":\"RUNNING\",\"targetStatus\":\"RUNNING\",\"version\":{"                    \
    "\"instanceTemplate\":\"" TEMPLATE "\"},\"instanceHealth\":[{\"detailedHealthState\":"         \
    "\"HEALTHY\"}]}"
#define OPERATION                                                                                  \
    "{\"name\":\"operation-1\",\"status\":\"DONE\",\"selfLink\":\"" LINK                           \
    "/zones/z/operations/operation-1\"}"
static const struct hostile_line mig_lines[] = {
    {"/listManagedInstances",
     "{\"managedInstances\":[" INSTANCE("a") "," INSTANCE("b") "," INSTANCE("c") "]}", 0},
    {"GET https://compute.googleapis.com" PROJECT "/zones/z/instanceGroupManagers/g",
     "{\"fingerprint\":\"f\",\"targetSize\":3,\"versions\":[{\"instanceTemplate\":\"" TEMPLATE
     "\"}],\"updatePolicy\":{\"type\":\"PROACTIVE\"},\"autoHealingPolicies\":[{\"healthCheck\":"
     "\"h\"}],\"status\":{\"isStable\":true,\"versionTarget\":{\"isReached\":true}}}",
     0},
    {"/instanceGroupManagers/g", OPERATION, 0},
    {"/operations/", OPERATION, 0},
    {"/instanceTemplates/web-v2",
     "{\"name\":\"web-v2\",\"selfLink\":\"" LINK
     "/global/instanceTemplates/web-v2\",\"id\":\"7\",\"properties\":{}}",
     0},
    {"/instanceTemplates/web-v1",
     "{\"name\":\"web-v1\",\"selfLink\":\"" TEMPLATE "\",\"id\":\"6\",\"properties\":{}}", 0},
    {0},
};

static const char *const google_calls[] = {"run ",      "compute ", "Google", "OIDC",
                                           "service s", "group g",  NULL};

// ---- the rows ----------------------------------------------------------------------------------

static const char *const hosts_calls[] = {"app1", "app2", "app3", "hosts", NULL};
// Asked of the roles that a survey has read: tests/e2e/test_two_clouds.py.
static const char *const ecs_unasked[] = {"iam:PassRole", NULL};
static const char *const lambda_unasked[] = {"lambda:CreateAlias", "lambda:DeleteAlias", NULL};
static const char *const run_unasked[] = {"iam.serviceAccounts.actAs",
                                          "artifactregistry.repositories.downloadArtifacts", NULL};
static const char *const mig_unasked[] = {"iam.serviceAccounts.actAs", "compute.images.get",
                                          "compute.disks.create", "compute.subnetworks.use", NULL};

#define SERVICES_OF "services: [web-blue, web-green]\n"
#define ECS_IMAGE "artifact: {image: \"r.example/learn@${digest}\", container: web}\n"
#define ECR_IMAGE                                                                                  \
    "artifact: {image: \"1234.dkr.ecr.eu-west-1.amazonaws.com/learn@${digest}\", container: "      \
    "web}\n"
#define GROUPS "groups: {blue: \"" BLUE "\", green: \"" GREEN "\"}\n"
#define MIG "project: p\nzone: z\ngroup: g\n"

const struct target_row target_rows[] = {
    {
        .kind = "hosts",
        .name = "hosts",
        .yaml = "inventory: [app1, app2, app3]\npath: /srv/learn\nrestart: \"true\"\n"
                "health: \"http://${host}/health\"\n",
        .lines = hosts_lines,
        .next = RELEASE("v2-000000000000", "v2"),
        .good = RELEASE("v1-000000000000", "v1"),
        .packed = "v2-000000000000",
        .believes_exit = true,
        .grain_ppm = 333333,
        .calls = hosts_calls,
        .section = "## hosts",
    },
    {
        .kind = "aws-ecs",
        .name = "aws-ecs of two services",
        .yaml = SERVICES_OF "listener_rule: \"" RULE "\"\n" ECS_IMAGE,
        .lines = ecs_lines,
        .next = RELEASE("learn:2", "v2"),
        .good = RELEASE("learn:1", "v1"),
        .grain_ppm = 1000,
        .calls = ecs_calls,
        .unasked = ecs_unasked,
    },
    {
        .kind = "aws-ecs",
        .name = "aws-ecs of two services and a listener",
        .yaml = SERVICES_OF "listener: \"" LISTENER "\"\n" ECS_IMAGE,
        .lines = ecs_lines,
        .next = RELEASE("learn:2", "v2"),
        .good = RELEASE("learn:1", "v1"),
        .grain_ppm = 1000,
        .calls = ecs_calls,
        .unasked = ecs_unasked,
    },
    {
        .kind = "aws-ecs",
        .name = "aws-ecs of one service",
        .yaml = "service: web\n" ECR_IMAGE,
        .lines = ecs_one_lines,
        .next = RELEASE("learn:2", "v2"),
        .good = RELEASE("learn:1", "v1"),
        .grain_ppm = 1000000,
        .calls = ecs_calls,
        .unasked = ecs_unasked,
    },
    {
        .kind = "aws-lambda",
        .name = "aws-lambda of archives",
        .yaml = "function: thumbs\nalias: live\nartifact: {archive: \"s3://b/t-${release}.zip\"}\n",
        .lines = lambda_lines,
        .next = RELEASE("42", "v2"),
        .good = RELEASE("41", "v1"),
        .packed = "s3://b/t-v2.zip",
        .absent_is_seen = true,
        .grain_ppm = 1,
        .calls = lambda_calls,
        .unasked = lambda_unasked,
    },
    {
        .kind = "aws-lambda",
        .name = "aws-lambda of images",
        .yaml =
            "function: thumbs\nalias: live\nartifact: {image: \"r.example/thumbs@${digest}\"}\n",
        .lines = lambda_lines,
        .next = RELEASE("42", "v2"),
        .good = RELEASE("41", "v1"),
        .packed = "r.example/thumbs@" SHA,
        .absent_is_seen = true,
        .grain_ppm = 1,
        .calls = lambda_calls,
        .unasked = lambda_unasked,
    },
    {
        .kind = "aws-alb",
        .name = "aws-alb with a rule",
        .yaml = "listener_rule: \"" RULE "\"\n" GROUPS,
        .lines = alb_lines,
        .next = RELEASE("green", "v2"),
        .good = RELEASE("blue", "v1"),
        .grain_ppm = 1000,
        .calls = alb_calls,
    },
    {
        .kind = "aws-alb",
        .name = "aws-alb with a listener",
        .yaml = "listener: \"" LISTENER "\"\n" GROUPS,
        .lines = alb_lines,
        .next = RELEASE("green", "v2"),
        .good = RELEASE("blue", "v1"),
        .grain_ppm = 1000,
        .calls = alb_calls,
    },
    {
        .kind = "gcp-run",
        .name = "gcp-run",
        .yaml =
            "project: p\nregion: r\nservice: s\nartifact: {image: \"h.example/app@${digest}\"}\n",
        .lines = run_lines,
        .next = RELEASE("s-v2-000000000000", "v2"),
        .good = RELEASE("good", "v1"),
        .grain_ppm = 10000,
        .calls = google_calls,
        .unasked = run_unasked,
    },
    {
        .kind = "gcp-mig",
        .name = "gcp-mig of templates",
        .yaml = MIG "artifact: {template: \"web-${release}\"}\n",
        .lines = mig_lines,
        .next = RELEASE("web-v2", "v2"),
        .good = RELEASE("web-v1", "v1"),
        .grain_ppm = 333333,
        .calls = google_calls,
        .unasked = mig_unasked,
    },
    {
        .kind = "gcp-mig",
        .name = "gcp-mig of images",
        .yaml = MIG "artifact: {image: \"learn-${release}\"}\n",
        .lines = mig_lines,
        .next = RELEASE("web-v2", "v2"),
        .good = RELEASE("web-v1", "v1"),
        .grain_ppm = 333333,
        .calls = google_calls,
        .unasked = mig_unasked,
    },
    {0},
};
