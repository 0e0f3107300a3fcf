// What is asked of Compute Engine, word for word, and what is made of its answers.
#include "gcp_mig_scene.h"

#include "../expect.h"

static struct mig_scene scene;

static void open_scene(void)
{
    mig_scene_open(&scene);
}

static void close_scene(void)
{
    mig_scene_close(&scene);
}

TestSuite(gcp_mig, .init = open_scene, .fini = close_scene);

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
    cr_expect_eq(scene.script.kind->round_share(scene.script.target, 10000), 10000,
                 "not looked at yet");
    const struct line lines[] = {
        {"GET " PLACE, NULL, 0, GROUP("f", "2", "true", "true", ONE("web-v1")), NULL},
        {LIST, NULL, 0, INSTANCES(OLD2), NULL},
        {0},
    };
    mig_must(&scene, mig_intent(&scene, INTENT_OBSERVE, 0), lines);
    cr_expect_eq(scene.script.kind->round_share(scene.script.target, 10000), 500000);
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
    mig_must(&scene, mig_intent(&scene, INTENT_SHIFT, 300000), lines);
    cr_expect_eq(scene.outcome.seen.next_ppm, 500000);
    cr_expect_eq(scene.outcome.seen.good_ppm, 500000);
    cr_expect(scene.outcome.seen.settled);
    cr_expect_eq(scene.outcome.seen.revision.len, 0);
    expect_contains(str_of(scene.outcome.seen.evidence), "\"web-v2\":{\"count\":2,\"ready\":2}");
    expect_contains(scene.outcome.memory, "\"count\":2,\"size\":4");
}

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
        mig_must(&scene, mig_intent(&scene, rows[i].verb, rows[i].ppm), lines);
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
    mig_must(&scene, mig_intent(&scene, INTENT_PROMOTE, 0), promoted);
    cr_expect_eq(scene.outcome.seen.next_ppm, 1000000);
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
    mig_must(&scene, (struct target_intent){.verb = INTENT_REVERT, .good = scene.good}, reverted);
    cr_expect_eq(scene.outcome.seen.good_ppm, 1000000);
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
    mig_must(&scene, mig_intent(&scene, INTENT_REVERT, 0), lines);
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
    mig_fails(&scene, mig_intent(&scene, INTENT_SHIFT, 500000), lines, ERROR_REMOTE,
              "the subnetwork is gone");
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
    mig_fails(&scene, mig_intent(&scene, INTENT_SHIFT, 500000), lines, ERROR_REMOTE,
              "changed by somebody else");
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
    mig_must(&scene, mig_intent(&scene, INTENT_SHIFT, 500000), lines);
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
        struct target_intent intent = mig_intent(&scene, INTENT_OBSERVE, 0);
        intent.memory = str_of(rows[i].memory);
        mig_must(&scene, intent, lines);
        cr_expect_eq(scene.outcome.seen.next_ppm, rows[i].next_ppm, "row %zu", i);
        cr_expect_eq(scene.outcome.seen.good_ppm, rows[i].good_ppm, "row %zu", i);
        cr_expect_eq(scene.outcome.memory.len, 0, "what is remembered stays");
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
    mig_must(&scene, mig_intent(&scene, INTENT_SHIFT, 500000), lines);
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
    mig_must(&scene, (struct target_intent){.verb = INTENT_OBSERVE}, lines);
    expect_str(scene.outcome.seen.revision, "web-v2");
    expect_str(scene.outcome.seen.release, "v2");
    const struct line sick[] = {
        {"GET " PLACE, NULL, 0, AT_NEXT, NULL},
        {LIST, NULL, 0,
         INSTANCES(WELL("c", "web-v2") "," INSTANCE("d", "web-v2", "NONE", "UNHEALTHY")), NULL},
        {"GET " TEMPLATES "/web-v2", NULL, 0, TEMPLATE("7"), NULL},
        {0},
    };
    mig_must(&scene, (struct target_intent){.verb = INTENT_OBSERVE}, sick);
    cr_expect_eq(scene.outcome.seen.revision.len, 0);
    cr_expect_not(scene.outcome.seen.settled);
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
    mig_must(&scene, mig_intent(&scene, INTENT_OBSERVE, 0), lines);
    cr_expect(scene.outcome.seen.settled);
    cr_expect_eq(scene.outcome.seen.next_ppm, 500000);
}

Test(gcp_mig, what_is_neither_is_told_as_neither)
{
    const struct line lines[] = {
        {"GET " PLACE, NULL, 0, GROUP("f", "2", "true", "true", ONE("web-v3")), NULL},
        {LIST, NULL, 0, INSTANCES(WELL("a", "web-v3") "," WELL("b", "web-v3")), NULL},
        {0},
    };
    mig_must(&scene, mig_intent(&scene, INTENT_OBSERVE, 0), lines);
    cr_expect_eq(scene.outcome.seen.next_ppm + scene.outcome.seen.good_ppm, 0);
    expect_contains(str_of(scene.outcome.seen.evidence), "web-v3");
}

Test(gcp_mig, a_group_without_instances_has_no_shares)
{
    const struct line lines[] = {
        {"GET " PLACE, NULL, 0, GROUP("f", "0", "true", "true", ONE("web-v1")), NULL},
        {LIST, NULL, 0, "{}", NULL},
        {0},
    };
    mig_fails(&scene, mig_intent(&scene, INTENT_SHIFT, 500000), lines, ERROR_REMOTE,
              "has no instances");
    mig_must(&scene, mig_intent(&scene, INTENT_REVERT, 0), lines);
    cr_expect_eq(scene.outcome.seen.good_ppm, 1000000);
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
        expect_contains(str_of(script_check(&scene.script, "gcp-mig", rows[i].yaml)),
                        rows[i].words);
    cr_expect_eq(strlen(script_check(&scene.script, "gcp-mig", BUILT)), 0);
    cr_expect_eq(strlen(script_check(&scene.script, "gcp-mig", MADE)), 0);
    scene.script.kind = &gcp_mig_kind;
}
