// What is asked of Compute Engine, word for word, and what is made of its answers.
#include "aws_script.h"

#include "../expect.h"
#include "deploy/targets/gcp_mig.h"

#define PLACE_OF "project: p\nzone: z\ngroup: g\n"
#define BUILT PLACE_OF "artifact: {template: \"web-${release}\"}\n"
#define MADE                                                                                       \
    PLACE_OF "artifact: {image: \"learn-${release}\", metadata: {release: \"${release}\", "        \
             "stage: \"${env.STAGE}\"}}\n"
#define PROJECT "/compute/v1/projects/p"
#define PLACE PROJECT "/zones/z/instanceGroupManagers/g"
#define LIST "POST " PLACE "/listManagedInstances?maxResults=500"
#define TEMPLATES PROJECT "/global/instanceTemplates"
#define LINK "https://www.googleapis.com" PROJECT

#define ONE(template) "{\"instanceTemplate\":\"" LINK "/global/instanceTemplates/" template "\"}"
#define SIZED(template, n)                                                                         \
    "{\"instanceTemplate\":\"" LINK                                                                \
    "/global/instanceTemplates/" template "\",\"targetSize\":{\"fixed\":" n ",\"calculated\":" n   \
                                          "}}"
#define GROUP_OF(type, print, size, stable, reached, versions)                                     \
    "{\"fingerprint\":\"" print "\",\"targetSize\":" size ",\"versions\":[" versions               \
    "],\"updatePolicy\":{\"type\":\"" type                                                         \
    "\"},\"autoHealingPolicies\":[{\"healthCheck\":\"h\"}],"                                       \
    "\"status\":{\"isStable\":" stable ",\"versionTarget\":{\"isReached\":" reached "}}}"
#define GROUP(print, size, stable, reached, versions)                                              \
    GROUP_OF("PROACTIVE", print, size, stable, reached, versions)
#define INSTANCE(name, template, action, health)                                                   \
    "{\"instance\":\"" LINK "/zones/z/instances/" name "\",\"currentAction\":\"" action            \
    "\",\"instanceStatus\":\"RUNNING\",\"targetStatus\":\"RUNNING\",\"version\":{"                 \
    "\"instanceTemplate\":\"" LINK                                                                 \
    "/global/instanceTemplates/" template "\"},\"instanceHealth\":[{\"detailedHealthState\":"      \
                                          "\"" health "\"}]}"
#define WELL(name, template) INSTANCE(name, template, "NONE", "HEALTHY")
#define INSTANCES(items) "{\"managedInstances\":[" items "]}"
#define OLD2 WELL("a", "web-v1") "," WELL("b", "web-v1")
#define NEW2 WELL("c", "web-v2") "," WELL("d", "web-v2")
#define OPERATION(status)                                                                          \
    "{\"name\":\"operation-1\",\"status\":\"" status "\",\"selfLink\":\"" LINK                     \
    "/zones/z/operations/operation-1\"}"
#define STALE                                                                                      \
    "{\"error\":{\"code\":412,\"message\":\"Invalid fingerprint.\",\"errors\":[{\"reason\":"       \
    "\"conditionNotMet\"}]}}"
#define ABSENT "{\"error\":{\"code\":404,\"message\":\"not found\"}}"
#define TEMPLATE(id) "{\"selfLink\":\"" LINK "/global/instanceTemplates/web-v2\",\"id\":\"" id "\"}"

static const struct target_release good = {.release = STR_INIT("v1"),
                                           .revision = STR_INIT("web-v1")};
static struct target_release next;
static struct script script;
static struct target_outcome outcome;
static struct error err;

static void open_script(void)
{
    script_open(&script, "gcp-mig", BUILT);
    err = (struct error){0};
    next = (struct target_release){
        .release = STR("v2"),
        .commit = STR("c2"),
        .digest = mig_digest_of(&script.arena, STR("web-v2#7")),
        .revision = STR("web-v2"),
    };
}

static void close_script(void)
{
    script_close(&script);
}

TestSuite(gcp_mig, .init = open_script, .fini = close_script);

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

static struct target_intent intent_of(enum intent_verb verb, uint32_t share_ppm)
{
    return (struct target_intent){.verb = verb, .next = next, .good = good, .share_ppm = share_ppm};
}

// ---- shares ------------------------------------------------------------------------------------

Test(gcp_mig, a_share_is_rounded_up_to_whole_instances_of_as_many_as_there_are)
{
    static const struct {
        uint32_t ppm, size, count, back;
    } rows[] = {
        {10000, 4, 1, 250000},    {250000, 4, 1, 250000},     {250001, 4, 2, 500000},
        {333333, 3, 1, 333333},   {666666, 3, 2, 666666},     {999999, 4, 4, 1000000},
        {1000000, 4, 4, 1000000}, {50000, 200, 10, 50000},    {1, 4000, 1, 250},
        {500000, 1, 1, 1000000},  {333333, 300, 100, 333333}, {0, 4, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_expect_eq(mig_count_of(rows[i].ppm, rows[i].size), rows[i].count, "row %zu", i);
        cr_expect_eq(mig_ppm_of(rows[i].count, rows[i].size), rows[i].back, "row %zu", i);
    }
    cr_expect_eq(script.kind->round_share(script.target, 10000), 10000, "not looked at yet");
    const struct line lines[] = {
        {"GET " PLACE, NULL, 0, GROUP("f", "2", "true", "true", ONE("web-v1")), NULL},
        {LIST, NULL, 0, INSTANCES(OLD2), NULL},
        {0},
    };
    must(intent_of(INTENT_OBSERVE, 0), lines);
    cr_expect_eq(script.kind->round_share(script.target, 10000), 500000);
}

Test(gcp_mig, a_shift_is_two_versions_with_the_fingerprint_that_was_read_and_is_seen)
{
    const struct line lines[] = {
        {"GET " PLACE, NULL, 0, GROUP("f1", "4", "true", "true", ONE("web-v1")), NULL},
        {LIST, NULL, 0, INSTANCES(OLD2 "," WELL("c", "web-v1") "," WELL("d", "web-v1")), NULL},
        {"GET " TEMPLATES "/web-v2", NULL, 0, TEMPLATE("7"), NULL},
        {"PATCH " PLACE,
         "{\"fingerprint\":\"f1\",\"versions\":[{\"instanceTemplate\":\"projects/p/global/"
         "instanceTemplates/web-v1\"},{\"instanceTemplate\":\"projects/p/global/"
         "instanceTemplates/web-v2\",\"targetSize\":{\"fixed\":2}}]}",
         0, OPERATION("RUNNING"), NULL},
        {"GET " PROJECT "/zones/z/operations/operation-1", NULL, 0, OPERATION("DONE"), NULL},
        // done is not rolled out
        {"GET " PLACE, NULL, 0,
         GROUP("f2", "4", "false", "false", ONE("web-v1") "," SIZED("web-v2", "2")), NULL},
        {LIST, NULL, 0,
         INSTANCES(OLD2 "," WELL("c", "web-v2") "," INSTANCE("d", "web-v2", "CREATING", "UNKNOWN")),
         NULL},
        // nor is stable, while one of them is not healthy
        {"GET " PLACE, NULL, 0,
         GROUP("f2", "4", "true", "true", ONE("web-v1") "," SIZED("web-v2", "2")), NULL},
        {LIST, NULL, 0,
         INSTANCES(OLD2 "," WELL("c", "web-v2") "," INSTANCE("d", "web-v2", "NONE", "TIMEOUT")),
         NULL},
        {"GET " PLACE, NULL, 0,
         GROUP("f2", "4", "true", "true", ONE("web-v1") "," SIZED("web-v2", "2")), NULL},
        {LIST, NULL, 0, INSTANCES(OLD2 "," NEW2), NULL},
        {0},
    };
    must(intent_of(INTENT_SHIFT, 300000), lines);
    cr_expect_eq(outcome.seen.next_ppm, 500000);
    cr_expect_eq(outcome.seen.good_ppm, 500000);
    cr_expect(outcome.seen.settled);
    cr_expect_eq(outcome.seen.revision.len, 0);
    expect_contains(str_of(outcome.seen.evidence), "\"web-v2\":{\"count\":2,\"ready\":2}");
    expect_contains(outcome.memory, "\"count\":2,\"size\":4");
}

#define AT_GOOD GROUP("f", "2", "true", "true", ONE("web-v1"))
#define AT_NEXT GROUP("f", "2", "true", "true", ONE("web-v2"))
#define AT_HALF GROUP("f", "2", "true", "true", ONE("web-v1") "," SIZED("web-v2", "1"))

Test(gcp_mig, what_is_so_already_is_not_sent)
{
    static const struct {
        enum intent_verb verb;
        uint32_t ppm;
        const char *group, *instances;
    } rows[] = {
        {INTENT_SHIFT, 500000, AT_HALF, INSTANCES(WELL("a", "web-v1") "," WELL("c", "web-v2"))},
        {INTENT_SHIFT, 1000000, AT_NEXT, INSTANCES(NEW2)},
        {INTENT_PROMOTE, 0, AT_NEXT, INSTANCES(NEW2)},
        {INTENT_REVERT, 0, AT_GOOD, INSTANCES(OLD2)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct line lines[] = {{"GET " PLACE, NULL, 0, rows[i].group, NULL},
                                     {LIST, NULL, 0, rows[i].instances, NULL},
                                     {0}};
        must(intent_of(rows[i].verb, rows[i].ppm), lines);
    }
}

Test(gcp_mig, one_version_is_promoted_and_a_revert_needs_no_next)
{
    const struct line promoted[] = {
        {"GET " PLACE, NULL, 0, AT_HALF, NULL},
        {LIST, NULL, 0, INSTANCES(WELL("a", "web-v1") "," WELL("c", "web-v2")), NULL},
        {"GET " TEMPLATES "/web-v2", NULL, 0, TEMPLATE("7"), NULL},
        {"PATCH " PLACE,
         "\"versions\":[{\"instanceTemplate\":\"projects/p/global/instanceTemplates/web-v2\"}]", 0,
         OPERATION("DONE"), NULL},
        {"GET " PLACE, NULL, 0, AT_NEXT, NULL},
        {LIST, NULL, 0, INSTANCES(NEW2), NULL},
        {0},
    };
    must(intent_of(INTENT_PROMOTE, 0), promoted);
    cr_expect_eq(outcome.seen.next_ppm, 1000000);
    const struct line reverted[] = {
        {"GET " PLACE, NULL, 0, AT_NEXT, NULL},
        {LIST, NULL, 0, INSTANCES(NEW2), NULL},
        {"PATCH " PLACE,
         "\"versions\":[{\"instanceTemplate\":\"projects/p/global/instanceTemplates/web-v1\"}]", 0,
         OPERATION("DONE"), NULL},
        {"GET " PLACE, NULL, 0, AT_GOOD, NULL},
        {LIST, NULL, 0, INSTANCES(OLD2), NULL},
        {0},
    };
    must((struct target_intent){.verb = INTENT_REVERT, .good = good}, reverted);
    cr_expect_eq(outcome.seen.good_ppm, 1000000);
}

Test(gcp_mig, a_stale_fingerprint_is_read_again_and_sent_only_if_it_still_differs)
{
    const struct line lines[] = {
        {"GET " PLACE, NULL, 0, AT_NEXT, NULL},
        {LIST, NULL, 0, INSTANCES(NEW2), NULL},
        {"PATCH " PLACE, "\"fingerprint\":\"f\"", 412, STALE, NULL},
        {"GET " PLACE, NULL, 0, GROUP("f9", "2", "true", "true", ONE("web-v3")), NULL},
        {LIST, NULL, 0, INSTANCES(NEW2), NULL},
        {"PATCH " PLACE, "\"fingerprint\":\"f9\"", 412, STALE, NULL},
        {"GET " PLACE, NULL, 0, AT_GOOD, NULL},
        {LIST, NULL, 0, INSTANCES(OLD2), NULL},
        {0},
    };
    must(intent_of(INTENT_REVERT, 0), lines);
}

Test(gcp_mig, a_change_that_the_provider_could_not_make_fails_with_its_words)
{
    const struct line lines[] = {
        {"GET " PLACE, NULL, 0, AT_GOOD, NULL},
        {LIST, NULL, 0, INSTANCES(OLD2), NULL},
        {"GET " TEMPLATES "/web-v2", NULL, 0, TEMPLATE("7"), NULL},
        {"PATCH " PLACE, NULL, 0,
         "{\"name\":\"o\",\"status\":\"DONE\",\"selfLink\":\"" LINK "/zones/z/operations/o\","
         "\"error\":{\"errors\":[{\"code\":\"X\",\"message\":\"the subnetwork is gone\"}]}}",
         NULL},
        {0},
    };
    fails(intent_of(INTENT_SHIFT, 500000), lines, ERROR_REMOTE, "the subnetwork is gone");
}

Test(gcp_mig, versions_of_somebody_else_fail_a_shift_and_not_a_revert)
{
    const struct line lines[] = {
        {"GET " PLACE, NULL, 0, AT_GOOD, NULL},
        {LIST, NULL, 0, INSTANCES(OLD2), NULL},
        {"GET " TEMPLATES "/web-v2", NULL, 0, TEMPLATE("7"), NULL},
        {"PATCH " PLACE, NULL, 0, OPERATION("DONE"), NULL},
        {"GET " PLACE, NULL, 0, GROUP("f", "2", "true", "true", ONE("web-v3")), NULL},
        {LIST, NULL, 0, INSTANCES(OLD2), NULL},
        {0},
    };
    fails(intent_of(INTENT_SHIFT, 500000), lines, ERROR_REMOTE, "changed by somebody else");
}

Test(gcp_mig, an_autoscaler_in_the_middle_of_a_shift_is_followed)
{
    const struct line lines[] = {
        {"GET " PLACE, NULL, 0, AT_GOOD, NULL},
        {LIST, NULL, 0, INSTANCES(OLD2), NULL},
        {"GET " TEMPLATES "/web-v2", NULL, 0, TEMPLATE("7"), NULL},
        {"PATCH " PLACE, "\"fixed\":1", 0, OPERATION("DONE"), NULL},
        {"GET " PLACE, NULL, 0,
         GROUP("f", "4", "false", "false", ONE("web-v1") "," SIZED("web-v2", "1")), NULL},
        {LIST, NULL, 0, INSTANCES(OLD2), NULL},
        {"PATCH " PLACE, "\"fixed\":2", 0, OPERATION("DONE"), NULL},
        {"GET " PLACE, NULL, 0,
         GROUP("f", "4", "true", "true", ONE("web-v1") "," SIZED("web-v2", "2")), NULL},
        {LIST, NULL, 0, INSTANCES(OLD2 "," NEW2), NULL},
        {0},
    };
    must(intent_of(INTENT_SHIFT, 500000), lines);
}

Test(gcp_mig, instances_that_an_autoscaler_adds_while_it_bakes_are_no_other_share)
{
    static const struct {
        const char *memory;
        uint32_t next_ppm, good_ppm;
    } rows[] = {
        {"{\"template\":\"web-v2\",\"share\":500000,\"count\":1,\"size\":2}", 500000, 500000},
        {"{\"template\":\"web-v2\",\"share\":250000,\"count\":1,\"size\":4}", 250000, 750000},
        // as it is: another release's, another number, none
        {"{\"template\":\"web-v9\",\"share\":500000,\"count\":1,\"size\":2}", 333333, 666666},
        {"{\"template\":\"web-v2\",\"share\":500000,\"count\":2,\"size\":4}", 333333, 666666},
        {"{}", 333333, 666666},
        {"", 333333, 666666},
        {"[", 333333, 666666},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct line lines[] = {
            {"GET " PLACE, NULL, 0,
             GROUP("f", "3", "true", "true", ONE("web-v1") "," SIZED("web-v2", "1")), NULL},
            {LIST, NULL, 0, INSTANCES(OLD2 "," WELL("c", "web-v2")), NULL},
            {0},
        };
        struct target_intent intent = intent_of(INTENT_OBSERVE, 0);
        intent.memory = str_of(rows[i].memory);
        must(intent, lines);
        cr_expect_eq(outcome.seen.next_ppm, rows[i].next_ppm, "row %zu", i);
        cr_expect_eq(outcome.seen.good_ppm, rows[i].good_ppm, "row %zu", i);
        cr_expect_eq(outcome.memory.len, 0, "what is remembered stays");
    }
}

// ---- opportunistic -----------------------------------------------------------------------------

Test(gcp_mig, a_group_that_updates_nothing_by_itself_is_told_which_instances)
{
    const struct line lines[] = {
        {"GET " PLACE, NULL, 0,
         GROUP_OF("OPPORTUNISTIC", "f", "4", "true", "false",
                  ONE("web-v1") "," SIZED("web-v2", "2")),
         NULL},
        {LIST, NULL, 0, INSTANCES(OLD2 "," WELL("c", "web-v1") "," WELL("d", "web-v0")), NULL},
        {"POST " PLACE "/applyUpdatesToInstances",
         "{\"instances\":[\"" LINK "/zones/z/instances/c\",\"" LINK "/zones/z/instances/d\"]}", 0,
         OPERATION("DONE"), NULL},
        // one is under way: it is waited for
        {"GET " PLACE, NULL, 0,
         GROUP_OF("OPPORTUNISTIC", "f", "4", "false", "false",
                  ONE("web-v1") "," SIZED("web-v2", "2")),
         NULL},
        {LIST, NULL, 0,
         INSTANCES(OLD2
                   "," WELL("c", "web-v2") "," INSTANCE("d", "web-v2", "RECREATING", "UNKNOWN")),
         NULL},
        {"GET " PLACE, NULL, 0,
         GROUP_OF("OPPORTUNISTIC", "f", "4", "true", "true",
                  ONE("web-v1") "," SIZED("web-v2", "2")),
         NULL},
        {LIST, NULL, 0, INSTANCES(OLD2 "," NEW2), NULL},
        {0},
    };
    must(intent_of(INTENT_SHIFT, 500000), lines);
}

// ---- templates ---------------------------------------------------------------------------------

Test(gcp_mig, a_template_of_the_build_is_pinned_by_its_id)
{
    struct target_release packed;
    const struct line lines[] = {{"GET " TEMPLATES "/web-v2", NULL, 0, TEMPLATE("7"), NULL}, {0}};
    const struct line absent[] = {{"GET " TEMPLATES "/web-v2", NULL, 404, ABSENT, NULL}, {0}};
    const struct line other[] = {
        {"GET " PROJECT "/regions/r/instanceTemplates/x", NULL, 0,
         "{\"selfLink\":\"" LINK "/regions/r/instanceTemplates/x\",\"id\":\"8\"}", NULL},
        {0}};
    cr_assert(script_pack(&script, "", lines, &packed, &err), "%s", err.message);
    cr_expect(str_eq(packed.digest, next.digest));
    expect_str(packed.revision, "web-v2");
    cr_assert(script_pack(&script, packed.digest.data, lines, &packed, &err), "%s", err.message);
    cr_expect_not(script_pack(&script, "sha256:77", lines, &packed, &err));
    expect_contains(str_of(err.message), "is not what is there now");
    cr_expect_not(script_pack(&script, "", absent, &packed, &err));
    expect_contains(str_of(err.message), "looking at template web-v2");
    cr_assert(script_pack(&script, "regions/r/instanceTemplates/x", other, &packed, &err));
    expect_str(packed.revision, "regions/r/instanceTemplates/x");
}

Test(gcp_mig, a_template_that_was_made_anew_since_is_neither_staged_nor_given_a_share)
{
    const struct line staged[] = {
        {"GET " PLACE, NULL, 0, AT_GOOD, NULL},
        {LIST, NULL, 0, INSTANCES(OLD2), NULL},
        {"GET " TEMPLATES "/web-v2", NULL, 0, TEMPLATE("7"), NULL},
        {0},
    };
    const struct line anew[] = {
        {"GET " PLACE, NULL, 0, AT_GOOD, NULL},
        {LIST, NULL, 0, INSTANCES(OLD2), NULL},
        {"GET " TEMPLATES "/web-v2", NULL, 0, TEMPLATE("8"), NULL},
        {0},
    };
    must(intent_of(INTENT_STAGE, 0), staged);
    expect_str(outcome.revision, "web-v2");
    cr_expect_eq(outcome.seen.good_ppm, 1000000);
    fails(intent_of(INTENT_STAGE, 0), anew, ERROR_REMOTE, "made anew");
    fails(intent_of(INTENT_SHIFT, 500000), anew, ERROR_REMOTE, "made anew");
}

#define IMAGE(id)                                                                                  \
    "{\"name\":\"learn-v2\",\"id\":\"" id "\",\"status\":\"READY\",\"selfLink\":\"" LINK           \
    "/global/images/learn-v2\"}"
#define BASE                                                                                       \
    "{\"selfLink\":\"" LINK "/global/instanceTemplates/web-v1\",\"id\":\"1\",\"description\":"     \
    "\"by hand\",\"properties\":{\"machineType\":\"e2-small\",\"labels\":{\"kind\":\"web\"},"      \
    "\"metadata\":{\"kind\":\"compute#metadata\",\"fingerprint\":\"x\",\"items\":[{\"key\":"       \
    "\"release\",\"value\":\"v1\"},{\"key\":\"keep\",\"value\":\"me\"}]},\"disks\":[{\"kind\":"    \
    "\"compute#attachedDisk\",\"index\":0,\"boot\":true,\"initializeParams\":{\"sourceImage\":"    \
    "\"old\",\"diskSizeGb\":\"20\"}}],\"networkInterfaces\":[{\"kind\":\"compute#"                 \
    "networkInterface\",\"name\":\"nic0\",\"network\":\"n\"}]}}"
#define PROPERTIES                                                                                 \
    "\"properties\":{\"machineType\":\"e2-small\",\"labels\":{\"kind\":\"web\"},\"metadata\":{"    \
    "\"items\":[{\"key\":\"release\",\"value\":\"v2\"},{\"key\":\"keep\",\"value\":\"me\"},"       \
    "{\"key\":\"stage\",\"value\":\"prod\"}]},\"disks\":[{\"boot\":true,\"initializeParams\":"     \
    "{\"sourceImage\":\"projects/p/global/images/learn-v2\",\"diskSizeGb\":\"20\"}}],"             \
    "\"networkInterfaces\":[{\"network\":\"n\"}]}"

static const struct line packing[] = {
    {"GET " PROJECT "/global/images/learn-v2", NULL, 0, IMAGE("5"), NULL}, {0}};

static struct target_intent made(void)
{
    struct target_release packed;
    script_close(&script);
    script_open(&script, "gcp-mig", MADE);
    cr_assert(script_pack(&script, "", packing, &packed, &err), "%s", err.message);
    return (struct target_intent){.verb = INTENT_STAGE, .next = packed, .good = good};
}

static const char *description_of(const char *content)
{
    struct text text = text_of(4096);
    text_addf(&text,
              "{\"selfLink\":\"%s\",\"id\":\"9\",\"description\":\"Made by sluice. release=v2 "
              "content=%s\"}",
              LINK "/global/instanceTemplates/made", content);
    const char *copy = arena_copy(&script.arena, text_str(&text));
    text_done(&text);
    return copy;
}

Test(gcp_mig, a_template_is_made_of_known_goods_with_what_differs)
{
    struct target_intent intent = made();
    cr_expect(str_starts(intent.next.revision, STR("g-v2-")) && intent.next.revision.len == 17);
    str body = STR(PROPERTIES);
    str properties = str_from(body, sizeof "\"properties\":" - 1);
    const char *known = description_of(mig_digest_of(&script.arena, properties).data);
    const struct line lines[] = {
        {"GET " PLACE, NULL, 0, AT_GOOD, NULL},
        {LIST, NULL, 0, INSTANCES(OLD2), NULL},
        {"GET " PROJECT "/global/images/learn-v2", NULL, 0, IMAGE("5"), NULL},
        {"GET " TEMPLATES "/web-v1", NULL, 0, BASE, NULL},
        {"GET " TEMPLATES "/g-v2-", NULL, 404, ABSENT, NULL},
        {"POST " TEMPLATES, PROPERTIES, 409, "{\"error\":{\"code\":409}}", NULL},
        {"GET " TEMPLATES "/g-v2-", NULL, 0, known, NULL},
        {0},
    };
    must(intent, lines);
    expect_str(outcome.revision, "made");
    // staged again, it is found
    const struct line again[] = {lines[0], lines[1], lines[2], lines[3], lines[6], {0}};
    must(intent, again);
}

Test(gcp_mig, a_name_with_something_else_in_it_is_left_to_it)
{
    struct target_intent intent = made();
    const char *other = description_of("sha256:0");
    struct line lines[MIG_NAMES + 5] = {
        {"GET " PLACE, NULL, 0, AT_GOOD, NULL},
        {LIST, NULL, 0, INSTANCES(OLD2), NULL},
        {"GET " PROJECT "/global/images/learn-v2", NULL, 0, IMAGE("5"), NULL},
        {"GET " TEMPLATES "/web-v1", NULL, 0, BASE, NULL},
    };
    for (size_t i = 0; i < MIG_NAMES; i++)
        lines[4 + i] = (struct line){"GET " TEMPLATES "/g-v2-", NULL, 0, other, NULL};
    fails(intent, lines, ERROR_REMOTE, "delete those that no group uses");
    cr_assert(str_ends(mig_template_name(&script.arena, STR("g"), STR("v2"), STR("sha256:12"), 1),
                       STR("-12b")));
}

Test(gcp_mig, an_image_that_was_made_anew_since_is_not_staged)
{
    struct target_intent intent = made();
    const struct line lines[] = {
        {"GET " PLACE, NULL, 0, AT_GOOD, NULL},
        {LIST, NULL, 0, INSTANCES(OLD2), NULL},
        {"GET " PROJECT "/global/images/learn-v2", NULL, 0, IMAGE("6"), NULL},
        {0},
    };
    fails(intent, lines, ERROR_REMOTE, "another one than was planned");
    intent.good = (struct target_release){0};
    const struct line first[] = {lines[0], lines[1], {0}};
    fails(intent, first, ERROR_DENIED, "sluice adopt");
}

Test(gcp_mig, names_of_templates_are_what_compute_engine_takes)
{
    static const struct {
        const char *group, *release, *name;
    } rows[] = {
        {"web", "v8.12", "web-v8-12-0123456789ab"},
        {"web", "V8_12+hotfix", "web-v8-12-hotfix-0123456789ab"},
        {"web", "...", "web-0123456789ab"},
        {"a-group-of-which-the-name-is-longer-than-most", "a-release-with-a-long-name-too",
         "a-group-of-which-the-name-is-longer-a-release-wit-0123456789ab"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str name = mig_template_name(&script.arena, str_of(rows[i].group), str_of(rows[i].release),
                                     STR("sha256:0123456789abcdef"), 0);
        expect_str(name, rows[i].name);
        cr_expect_lt(name.len, 63);
    }
}

// ---- observing ---------------------------------------------------------------------------------

Test(gcp_mig, what_is_adopted_is_one_version_on_healthy_instances)
{
    const struct line lines[] = {
        {"GET " PLACE, NULL, 0, AT_NEXT, NULL},
        {LIST, NULL, 0, INSTANCES(NEW2), NULL},
        {"GET " TEMPLATES "/web-v2", NULL, 0, TEMPLATE("7"), NULL},
        {0},
    };
    must((struct target_intent){.verb = INTENT_OBSERVE}, lines);
    expect_str(outcome.seen.revision, "web-v2");
    expect_str(outcome.seen.release, "v2");
    const struct line sick[] = {
        {"GET " PLACE, NULL, 0, AT_NEXT, NULL},
        {LIST, NULL, 0,
         INSTANCES(WELL("c", "web-v2") "," INSTANCE("d", "web-v2", "NONE", "UNHEALTHY")), NULL},
        {"GET " TEMPLATES "/web-v2", NULL, 0, TEMPLATE("7"), NULL},
        {0},
    };
    must((struct target_intent){.verb = INTENT_OBSERVE}, sick);
    cr_expect_eq(outcome.seen.revision.len, 0);
    cr_expect_not(outcome.seen.settled);
}

Test(gcp_mig, all_pages_of_instances_are_read)
{
    const struct line lines[] = {
        {"GET " PLACE, NULL, 0, AT_HALF, NULL},
        {LIST, NULL, 0,
         "{\"nextPageToken\":\"a/b\",\"managedInstances\":[" WELL("a", "web-v1") "]}", NULL},
        {LIST "&pageToken=a%2Fb", NULL, 0, INSTANCES(WELL("c", "web-v2")), NULL},
        {0},
    };
    must(intent_of(INTENT_OBSERVE, 0), lines);
    cr_expect(outcome.seen.settled);
    cr_expect_eq(outcome.seen.next_ppm, 500000);
}

Test(gcp_mig, what_is_neither_is_told_as_neither)
{
    const struct line lines[] = {
        {"GET " PLACE, NULL, 0, GROUP("f", "2", "true", "true", ONE("web-v3")), NULL},
        {LIST, NULL, 0, INSTANCES(WELL("a", "web-v3") "," WELL("b", "web-v3")), NULL},
        {0},
    };
    must(intent_of(INTENT_OBSERVE, 0), lines);
    cr_expect_eq(outcome.seen.next_ppm + outcome.seen.good_ppm, 0);
    expect_contains(str_of(outcome.seen.evidence), "web-v3");
}

Test(gcp_mig, a_group_without_instances_has_no_shares)
{
    const struct line lines[] = {
        {"GET " PLACE, NULL, 0, GROUP("f", "0", "true", "true", ONE("web-v1")), NULL},
        {LIST, NULL, 0, "{}", NULL},
        {0},
    };
    fails(intent_of(INTENT_SHIFT, 500000), lines, ERROR_REMOTE, "has no instances");
    must(intent_of(INTENT_REVERT, 0), lines);
    cr_expect_eq(outcome.seen.good_ppm, 1000000);
}

Test(gcp_mig, bad_sections_are_refused_where_they_are_wrong)
{
    static const struct {
        const char *yaml, *words;
    } rows[] = {
        {"project: p\ngroup: g\nartifact: \"w-${release}\"\n", "one of `region` and `zone`"},
        {"project: p\nzone: z\nregion: r\ngroup: g\nartifact: \"w-${release}\"\n",
         "one of `region` and `zone`"},
        {"zone: z\ngroup: g\nartifact: same\n", "the same for every release"},
        {"zone: z\ngroup: g\nartifact: {}\n", "name what a release is"},
        {"zone: z\ngroup: g\nartifact: {template: \"a-${release}\", image: \"b-${release}\"}\n",
         "give the one or the others"},
        {"zone: z\ngroup: g\nartifact: \"w-${digest}\"\n", "`${digest}` is not known here"},
        {"zone: z\ngroup: g\nartifact: {metadata: {a: \"${relase}\"}}\n",
         "`${relase}` is not known here"},
        {"zone: z\ngroup: G\nartifact: \"w-${release}\"\n", "is no name of an instance group"},
        {"zone: Z\ngroup: g\nartifact: \"w-${release}\"\n", "is no zone"},
        {"zone: z\ngroup: \"${release}\"\nartifact: \"w-${release}\"\n", "only `${env.NAME}`"},
        {"zone: z\nartifact: \"w-${release}\"\n", "`group` is missing"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_contains(str_of(script_check(&script, "gcp-mig", rows[i].yaml)), rows[i].words);
    cr_expect_eq(strlen(script_check(&script, "gcp-mig", BUILT)), 0);
    cr_expect_eq(strlen(script_check(&script, "gcp-mig", MADE)), 0);
    script.kind = &gcp_mig_kind;
}
